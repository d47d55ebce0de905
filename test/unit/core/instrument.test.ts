import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { carried, floorTo8, floorToLot, instrumentOf, roundToTick, sellable } from '../../../engine/core/instrument.ts'

/** Steps as exchanges write them, with their number of decimals. */
const STEPS = [[1e-8, 8], [1e-6, 6], [0.00001, 5], [0.001, 3], [0.01, 2], [0.1, 1], [1, 0]] as const

describe('an instrument', () => {
  it('rounds nothing and demands nothing unless told', () => {
    expect(instrumentOf('BTC/USDT')).toEqual({
      symbol: 'BTC/USDT', base: 'BTC', quote: 'USDT', tickSize: 0, lotSize: 0, minNotional: 0,
    })
    expect(instrumentOf('ETH/BTC', { tickSize: 0.00001, lotSize: 0.0001, minNotional: 0.0001 })).toEqual({
      symbol: 'ETH/BTC', base: 'ETH', quote: 'BTC', tickSize: 0.00001, lotSize: 0.0001, minNotional: 0.0001,
    })
  })
})

describe('a quantity', () => {
  it.each([
    [1.23456, 0.001, 1.234],
    [1.9999999, 1, 1],
    [0.00000999, 0.00001, 0],
    // 0.7 ÷ 0.1 is 6.999999999999999 in binary, 0.3 ÷ 0.1 is 2.9999999999999996.
    [0.7, 0.1, 0.7],
    [0.3, 0.1, 0.3],
    // Steps that are no power of ten.
    [17, 5, 15],
    [1.3, 0.5, 1],
    [0.85, 0.25, 0.75],
    [123.456, 0, 123.456],
    [0, 0.001, 0],
  ])('of %d is rounded down to lots of %d: %d', (quantity, lot, expected) => {
    expect(floorToLot(quantity, lot)).toBe(expected)
  })

  it('forgives a billionth of a lot and no more', () => {
    expect(floorToLot(2 - 0.9e-9, 1)).toBe(2)
    expect(floorToLot(2 - 1.1e-9, 1)).toBe(1)
  })

  it('comes out as the decimal that it is, with less than a lot lost', () => {
    const parts = fc.double({ min: 0, max: 0.99, noNaN: true })
    fc.assert(fc.property(fc.nat(10_000_000), fc.constantFrom(...STEPS), parts, (count, [lot, decimals], part) => {
      const exact = Number((count / 10 ** decimals).toFixed(decimals))
      expect(floorToLot(exact, lot)).toBe(exact)
      expect(floorToLot((count + part) * lot, lot)).toBe(exact)
    }))
  })
})

describe('a price', () => {
  it.each([
    [100.004, 0.01, 100],
    [100.006, 0.01, 100.01],
    [0.295, 0.1, 0.3],
    [102.4, 5, 100],
    [102.6, 5, 105],
    [33.337, 0.25, 33.25],
    [123.456789, 0, 123.456789],
  ])('of %d is rounded to the nearest tick of %d: %d', (price, tick, expected) => {
    expect(roundToTick(price, tick)).toBe(expected)
  })

  it('lands on a tick, half a tick away at most, and stays there', () => {
    const prices = fc.double({ min: 0.001, max: 1e5, noNaN: true })
    fc.assert(fc.property(prices, fc.constantFrom(...STEPS), (price, [tick, decimals]) => {
      const rounded = roundToTick(price, tick)
      expect(Math.abs(rounded - price)).toBeLessThanOrEqual(tick / 2 + price * 1e-12)
      expect(rounded).toBe(Number(rounded.toFixed(decimals)))
      expect(roundToTick(rounded, tick)).toBe(rounded)
    }))
  })
})

describe('an amount of money', () => {
  it.each([
    [0.123456789, 0.12345678],
    [0.00999999918, 0.00999999],
    [1e-9, 0],
    [12.5, 12.5],
    // 0.1 + 0.2 is 0.30000000000000004; 1.1 × 1.1 is 1.2100000000000002; 0.29 × 100 is 28.999999999999996.
    [0.1 + 0.2, 0.3],
    [1.1 * 1.1, 1.21],
    [0.29 * 100, 29],
    // Binary noise grows with the amount: 2.997 × 333.33 is 998.9900099999999 instead of 998.99001.
    [2.997 * 333.33, 998.99001],
  ])('of %d keeps 8 decimals, rounded down: %d', (amount, expected) => {
    expect(floorTo8(amount)).toBe(expected)
  })

  it('is the product of quantity and price as decimals multiply, not as doubles do', () => {
    const quantities = fc.integer({ min: 1, max: 100_000_000 })
    const prices = fc.integer({ min: 1, max: 10_000_000 })
    const decimals = fc.tuple(fc.constantFrom(0, 2, 4, 5), fc.constantFrom(0, 2, 4))
    fc.assert(fc.property(quantities, prices, decimals, (lots, ticks, [a, b]) => {
      const exact = BigInt(lots) * BigInt(ticks) * 10n ** 8n / 10n ** BigInt(a + b)
      fc.pre(exact < 10n ** 15n)
      const product = (lots / 10 ** a) * (ticks / 10 ** b)
      // Whole units of 1e-8; beyond 15 digits a double cannot tell neighbours apart.
      expect(Math.round(floorTo8(product) * 1e8)).toBe(Number(exact))
    }), { numRuns: 2000 })
  })

  it('is never rounded up, but for noise', () => {
    fc.assert(fc.property(fc.double({ min: 0, max: 1e6, noNaN: true }), (amount) => {
      const floored = floorTo8(amount)
      expect(floored).toBeLessThanOrEqual(amount * (1 + 1e-15) + 1e-14)
      expect(floored).toBeGreaterThan(amount * (1 - 1e-15) - 1.0001e-8)
      expect(floorTo8(floored)).toBe(floored)
    }))
  })
})

it('what can be sold is whole lots that are worth the minimum', () => {
  const rules = instrumentOf('BTC/USDT', { lotSize: 0.001, minNotional: 10 })
  expect(sellable(0.1239, 100, rules)).toBe(0.123)
  // 0.1 × 100 = 10 is enough, 0.099 × 100 = 9.9 is not.
  expect(sellable(0.1, 100, rules)).toBe(0.1)
  expect(sellable(0.0999, 100, rules)).toBe(0)
  expect(sellable(0.0009, 1e9, rules)).toBe(0)
  expect(sellable(0, 100, instrumentOf('BTC/USDT'))).toBe(0)
  expect(sellable(1e-12, 100, instrumentOf('BTC/USDT'))).toBe(1e-12)
})

describe('a holding', () => {
  const BTC = instrumentOf('BTC/USDT', { lotSize: 1e-8 })
  const amount = fc.integer({ min: 1, max: 10 ** 11 })

  it('of amounts with 8 decimals loses no lot to binary noise, in whatever order they came and went', () => {
    fc.assert(fc.property(fc.array(fc.tuple(amount, amount), { minLength: 1, maxLength: 40 }), (moves) => {
      let lots = 0
      let held = 0
      for (const [bought, sold] of moves) {
        const left = Math.max(0, lots + bought - sold)
        held = carried(held + bought / 1e8, BTC)
        held = carried(held - (lots + bought - left) / 1e8, BTC)
        lots = left
        expect(floorToLot(held, 1e-8)).toBe(lots / 1e8)
      }
    }))
  })

  it('is left as it is where quantities have no step', () => {
    expect(carried(0.1 + 0.2, instrumentOf('BTC/USDT'))).toBe(0.1 + 0.2)
  })
})
