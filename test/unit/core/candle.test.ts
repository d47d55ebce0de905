import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { brokenRule, candleColumns, CandleView, copyCandle, setRow, type Candle } from '../../../engine/core/candle.ts'

const one: Candle = { openTime: 1000, open: 2, high: 4, low: 1, close: 3, volume: 5 }
const two: Candle = { openTime: 2000, open: 20, high: 40, low: 10, close: 30, volume: 0 }

describe('a candle', () => {
  it.each([
    [2, 4, 1, 3, 5],
    [1, 1, 1, 1, 0],
    [1, 4, 1, 4, 5],
    [4, 4, 1, 1, 5],
    [1e-8, 1e-8, 1e-8, 1e-8, 1e15],
  ] as const)('of %d/%d/%d/%d with volume %d is sound', (open, high, low, close, volume) => {
    expect(brokenRule(open, high, low, close, volume)).toBeNull()
  })

  it.each([
    ['open', 0, [0, 4, 1, 3, 5]],
    ['open', NaN, [NaN, 4, 1, 3, 5]],
    ['open', -1, [-1, 4, 1, 3, 5]],
    ['high', Infinity, [2, Infinity, 1, 3, 5]],
    ['low', 0, [2, 4, 0, 3, 5]],
    ['low', -Infinity, [2, 4, -Infinity, 3, 5]],
    ['close', NaN, [2, 4, 1, NaN, 5]],
  ] as const)('may not have %s %d', (name, value, [open, high, low, close, volume]) => {
    expect(brokenRule(open, high, low, close, volume)).toBe(`${name} ${value} must be a finite price above 0`)
  })

  it.each([
    ['high 1 is below low 4', [2, 1, 4, 3, 5]],
    ['open 5 is outside low 1 … high 4', [5, 4, 1, 3, 5]],
    ['open 0.5 is outside low 1 … high 4', [0.5, 4, 1, 3, 5]],
    ['close 4.5 is outside low 1 … high 4', [2, 4, 1, 4.5, 5]],
    ['close 0.9 is outside low 1 … high 4', [2, 4, 1, 0.9, 5]],
    ['volume -1 must be finite and not negative', [2, 4, 1, 3, -1]],
    ['volume NaN must be finite and not negative', [2, 4, 1, 3, NaN]],
    ['volume Infinity must be finite and not negative', [2, 4, 1, 3, Infinity]],
  ] as const)('is told: %s', (rule, [open, high, low, close, volume]) => {
    expect(brokenRule(open, high, low, close, volume)).toBe(rule)
  })

  it('is sound exactly when low ≤ open, close ≤ high, all are finite, prices above 0, volume not negative', () => {
    const number = fc.oneof(fc.integer({ min: -1, max: 4 }), fc.constantFrom(NaN, Infinity, -Infinity, 0.5))
    fc.assert(fc.property(number, number, number, number, number, (open, high, low, close, volume) => {
      const prices = [open, high, low, close]
      const sound = prices.every((price) => Number.isFinite(price) && price > 0)
        && Math.min(...prices) === low && Math.max(...prices) === high && Number.isFinite(volume) && volume >= 0
      expect(brokenRule(open, high, low, close, volume) === null).toBe(sound)
    }), { numRuns: 3000 })
  })
})

describe('a view', () => {
  it('shows the row to which it was moved, and a copy keeps it', () => {
    const columns = candleColumns(2)
    setRow(columns, 0, one)
    setRow(columns, 1, two)
    const view = new CandleView()
    const kept = copyCandle(view.move(columns, 0))
    expect(kept).toEqual(one)
    expect(copyCandle(view.move(columns, 1))).toEqual(two)
    columns.close[0] = 99
    expect(kept).toEqual(one)
    expect(view.move(columns, 0).close).toBe(99)
  })
})
