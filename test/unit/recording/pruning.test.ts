import { describe, expect, it } from 'vitest'
import { keptLines } from '../../../engine/recording/pruning.ts'
import type { TapeLine } from '../../../engine/recording/tape-lines.ts'
import { decision, exchange, FAILED } from '../../support/tape-lines.ts'

const seqs = (lines: readonly TapeLine[]): number[] => lines.map(({ seq }) => seq)
const use = (exchanges: readonly number[], decisions: readonly number[]) => ({ exchanges: new Set(exchanges), decisions: new Set(decisions) })

describe('keptLines', () => {
  it('keeps everything of one generation that a replay can come to', () => {
    const lines = [exchange(1, 'a'), exchange(2, 'b'), decision(3, 0, [1]), decision(4, 1, [2])]
    expect(keptLines(lines, null)).toEqual(lines)
  })

  it('drops what was asked and decided anew', () => {
    const lines = [
      exchange(1, 'a'), decision(2, 0, [1]), exchange(3, 'b'), decision(4, 1, [3]),
      exchange(5, 'a', { generation: 2 }), decision(6, 0, [5], { generation: 2 }),
    ]
    // Nobody asked b again.
    expect(seqs(keptLines(lines, null))).toEqual([3, 4, 5, 6])
  })

  it('keeps an older answer that a newer decision refers to', () => {
    const lines = [exchange(1, 'a'), exchange(2, 'a', { generation: 2 }), decision(3, 0, [1], { generation: 2 })]
    expect(seqs(keptLines(lines, null))).toEqual([1, 2, 3])
  })

  it('keeps the failure of an outage beside the answer that came later, and drops one that tells nothing', () => {
    const told = [exchange(1, 'a', FAILED), decision(2, 0, [1]), exchange(3, 'a'), decision(4, 1, [3])]
    expect(seqs(keptLines(told, null))).toEqual([1, 2, 3, 4])
    expect(seqs(keptLines([told[0], told[2], told[3]], null))).toEqual([3, 4])
  })

  it('drops what no replay uses', () => {
    const lines = [exchange(1, 'a'), decision(2, 0, [1]), exchange(3, 'b'), decision(4, 1, [3]), exchange(5, 'c')]
    expect(seqs(keptLines(lines, use([1], [2])))).toEqual([1, 2])
    // Found by its question, not by its decision.
    expect(seqs(keptLines(lines, use([3], [])))).toEqual([3])
    expect(keptLines(lines, use([], []))).toEqual([])
  })

  it('keeps further samples of questions that are used', () => {
    const lines = [
      exchange(1, 'a'), decision(2, 0, [1]), exchange(3, 'b'), decision(4, 1, [3]),
      exchange(5, 'a', { sample: 1 }), decision(6, 0, [5], { sample: 1 }), exchange(7, 'b', { sample: 1 }), decision(8, 1, [7], { sample: 1 }),
    ]
    expect(keptLines(lines, null)).toEqual(lines)
    expect(seqs(keptLines(lines, use([1], [2])))).toEqual([1, 2, 5, 6])
  })
})
