import { describe, expect, it } from 'vitest'
import type { Cell, Comparison } from '../../../engine/compare/comparison.ts'
import { holdGates, parseGate } from '../../../engine/compare/gates.ts'
import { coded } from '../../support/coded.ts'

const cell = (name: string, netReturn: number, sharpe: number | null = 1, baseline = false): Cell => ({ name, netReturn, baseline, figures: { sharpe } }) as unknown as Cell
const comparison = (...cells: Cell[]): Comparison => ({ id: 'c', cells }) as unknown as Comparison
const held = (now: Comparison, gate: string, then: Comparison | null = null): unknown[] => holdGates(now, [parseGate(gate)], then).map(({ cell: of, passed, message }) => [of, passed, message])

describe('gates', () => {
  it('hold every candidate, and no baseline', () => {
    expect(held(comparison(cell('a', 0.1), cell('b', -0.03), cell('rules', -1, 1, true)), 'netReturn >= -0.02'))
      .toEqual([['a', true, 'netReturn is 0.1'], ['b', false, 'netReturn is -0.03']])
    expect(held(comparison(cell('a', 0.1)), 'netReturn<0.1')[0]).toEqual(['a', false, 'netReturn is 0.1'])
    expect(held(comparison(cell('a', 0.1)), 'netReturn==0.1')[0]).toEqual(['a', true, 'netReturn is 0.1'])
  })

  it('fail on what is not known', () => {
    expect(held(comparison(cell('a', 0.1, null)), 'sharpe>0')).toEqual([['a', false, 'sharpe is not known']])
  })

  it('hold the change since an earlier comparison, where cells that are gone fail and new ones pass', () => {
    const then = comparison(cell('a', 0.1), cell('gone', 0.2))
    expect(held(comparison(cell('a', 0.09), cell('new', -1)), 'netReturn>=-0.02', then)).toEqual([
      ['a', true, 'netReturn changed by -0.01: 0.1 → 0.09'], ['new', true, 'new: the baseline has no cell of that name'],
      ['gone', false, 'gone is in the baseline and not in this comparison'],
    ])
    expect(held(comparison(cell('a', 0.05)), 'netReturn>=-0.02', comparison(cell('a', 0.1)))[0]).toEqual(['a', false, 'netReturn changed by -0.05: 0.1 → 0.05'])
  })

  it.each([['netReturn', 'expected MEASURE'], ['profit>=1', 'there is no measure profit; there are netReturn'], ['netReturn>=x', 'expected MEASURE'], ['toString>=0', 'no measure toString']])('%s is refused', (text, says) => {
    expect(() => parseGate(text)).toThrow(coded('TD_USAGE', says))
  })
})
