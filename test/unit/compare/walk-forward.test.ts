import { describe, expect, it } from 'vitest'
import { choose, foldsOf } from '../../../engine/compare/walk-forward.ts'
import type { TradeColumns } from '../../../engine/core/figures.ts'

const trades = (...rows: readonly (readonly [number, number, number])[]): TradeColumns => ({
  length: rows.length, entryTime: Float64Array.from(rows, ([entry]) => entry), exitTime: Float64Array.from(rows, ([, exit]) => exit),
  pnl: Float64Array.from(rows, ([, , net]) => net * 100), cost: new Float64Array(rows.length).fill(100),
}) as unknown as TradeColumns

it('windows roll by the test\'s length, and the last one ends with the tape', () => {
  expect(foldsOf(0, 100, 40, 25)).toEqual([
    { trainFrom: 0, trainTo: 40, testTo: 65 }, { trainFrom: 25, trainTo: 65, testTo: 90 }, { trainFrom: 50, trainTo: 90, testTo: 100 },
  ])
  expect(foldsOf(0, 40, 40, 25)).toEqual([])
})

describe('a threshold is chosen', () => {
  const fold = { trainFrom: 100, trainTo: 200, testTo: 300 }

  it('by trades that were entered and resolved inside the window alone', () => {
    const early = { threshold: 0.5, trades: trades([90, 120, 9], [110, 150, 0.1], [160, 191, 9], [195, 260, 9]) }
    const steady = { threshold: 0.7, trades: trades([110, 150, 0.2]) }
    // An exit at 191 is known at 201 with candles of 10: too late.
    expect(choose(fold, [early, steady], 1, 10, 0.6)).toMatchObject({ threshold: 0.7, trainTrades: 1, undecided: false })
    expect(choose(fold, [early, steady], 1, 9, 0.6)).toMatchObject({ threshold: 0.5, trainTrades: 2 })
  })

  it('the higher where two are equal, and the own where none traded', () => {
    const same = trades([110, 150, 0.1])
    expect(choose(fold, [{ threshold: 0.5, trades: same }, { threshold: 0.8, trades: same }, { threshold: 0.6, trades: same }], 0.5, 10, 0.6).threshold).toBe(0.8)
    expect(choose(fold, [{ threshold: 0.5, trades: same }], 0.5, 10, 0.6).trainReturn).toBeCloseTo(0.05, 12)
    expect(choose(fold, [{ threshold: 0.5, trades: trades() }], 1, 10, 0.6)).toMatchObject({ threshold: 0.6, undecided: true, trainTrades: 0 })
  })
})
