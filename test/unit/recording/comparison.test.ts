import { describe, expect, it } from 'vitest'
import { compare } from '../../../engine/recording/comparison.ts'
import { rekey } from '../../../engine/recording/rekeying.ts'
import { requestKey } from '../../../engine/recording/key.ts'
import { decision, exchange, FAILED } from '../../support/tape-lines.ts'

describe('compare', () => {
  it('tells the same, the same in other words, what differs, and what only one has', () => {
    const a = [exchange(1, 'a'), exchange(2, 'b'), exchange(3, 'c'), exchange(4, 'd'), exchange(5, 'e'), decision(6, 3, [3, 4])]
    const b = [
      exchange(9, 'a'), exchange(8, 'b', { answer: { action: 'BUY', confidence: 0.7, reasoning: 'so it goes' } }),
      exchange(7, 'c', { answer: { action: 'SELL', confidence: 0.6, reasoning: 'up' } }), exchange(6, 'd', FAILED), exchange(5, 'f'),
    ]
    const { same, reworded, differing, onlyA, onlyB } = compare(a, b)
    expect([same, reworded]).toEqual([1, 1])
    const place = { provider: 'fake', model: 'm-1', turn: 1, sample: 0, symbol: 'BTC/USDT', time: Date.UTC(2024, 0, 1, 3) }
    const bought = { action: 'BUY', confidence: 0.7, failure: null }
    expect(differing).toEqual([
      { ...place, key: a[2].kind === 'exchange' && a[2].key, a: bought, b: { action: 'SELL', confidence: 0.6, failure: null } },
      { ...place, key: a[3].kind === 'exchange' && a[3].key, a: bought, b: { action: null, confidence: null, failure: 'server' } },
    ])
    expect(onlyA).toMatchObject([{ turn: 1, symbol: null, time: null }])
    expect(onlyB).toHaveLength(1)
  })

  it('compares what a replay would take: the newest generation, an answer before a failure', () => {
    const a = [exchange(1, 'a', FAILED), exchange(2, 'a'), exchange(3, 'b'), exchange(4, 'b', { generation: 2, ...FAILED })]
    expect(compare(a, [exchange(1, 'a'), exchange(2, 'b', FAILED)])).toMatchObject({ same: 2, differing: [], onlyA: [], onlyB: [] })
  })

  it('tells samples and models apart', () => {
    const { same, onlyA, onlyB } = compare([exchange(1, 'a'), exchange(2, 'a', { sample: 1 })], [exchange(1, 'a'), exchange(2, 'a', { model: 'm-2' })])
    expect(same).toBe(1)
    expect(onlyA).toMatchObject([{ sample: 1, model: 'm-1' }])
    expect(onlyB).toMatchObject([{ sample: 0, model: 'm-2' }])
  })
})

describe('rekey', () => {
  it('gives every exchange the key of its question, and changes nothing else', () => {
    const [right, old, sampled] = [exchange(1, 'a'), exchange(2, 'b', { key: '0'.repeat(64) }), exchange(3, 'b', { sample: 1 })]
    const told = decision(4, 0, [1])
    const { lines, exchanges, changed, merged } = rekey([right, old, sampled, told])
    const key = requestKey(old.request)
    expect(lines).toEqual([right, { ...old, key }, sampled, told])
    expect({ exchanges, changed, merged }).toEqual({ exchanges: 3, changed: [{ seq: 2, before: '0'.repeat(64), after: key }], merged: 0 })
  })

  it('counts questions that fall together', () => {
    expect(rekey([exchange(1, 'a', { key: '0'.repeat(64) }), exchange(2, 'a', { key: '1'.repeat(64) })]).merged).toBe(1)
  })
})
