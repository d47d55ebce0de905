import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Candle } from '../../../engine/core/candle.ts'
import { instrumentOf, type Instrument } from '../../../engine/core/instrument.ts'
import {
  armPair, breakEvenPrice, buy, FILL_MODELS, matchPair, raisedStop, sell, type Amounts, type Costs, type FillModelName,
  type PairHit, type ProtectivePair,
} from '../../../engine/core/matching.ts'

const MODELS = ['conservative', 'open-on-gap', 'optimistic'] as const satisfies FillModelName[]

const candle = (text: string): Candle => {
  const [open, high, low, close] = text.split('/').map(Number)
  return { openTime: 0, open, high, low, close, volume: 1 }
}
const pair = (stop = 95, target = 105, raised = false): ProtectivePair => ({ stop, target, raised })
const matched = (text: string, model: FillModelName, { entry = false, resting = pair() } = {}): PairHit | null =>
  matchPair(resting, candle(text), FILL_MODELS[model], entry)
/** What each of the three models makes of an entry candle. */
const entered = (text: string): (PairHit | null)[] => MODELS.map((model) => matched(text, model, { entry: true }))

const stopped = (price: number, ambiguous = false): PairHit =>
  ({ reason: 'stop', price, liquidity: 'taker', ambiguous })
const gapped = (price: number): PairHit => ({ reason: 'stop_gap', price, liquidity: 'taker', ambiguous: false })
const trailing = (price: number, ambiguous = false): PairHit =>
  ({ reason: 'trailing', price, liquidity: 'taker', ambiguous })
const won = (price: number, ambiguous = false): PairHit => ({ reason: 'target', price, liquidity: 'maker', ambiguous })
const leapt = (price: number): PairHit => ({ reason: 'target_gap', price, liquidity: 'maker', ambiguous: false })

const FREE: Costs = { maker: 0, taker: 0, feeAsset: 'quote', slippageBps: 0 }
const emptyAmounts = (): Amounts => ({ price: 0, quantity: 0, notional: 0, feeBase: 0, feeQuote: 0, slippage: 0 })
const lots = (lotSize: number): Instrument => instrumentOf('BTC/USDT', { lotSize })

const bought = (spend: number, open: number, costs: Partial<Costs> = {}, lotSize = 0): Amounts => {
  const into = emptyAmounts()
  buy(into, spend, open, { ...FREE, ...costs }, lots(lotSize))
  return into
}
const sold = (
  quantity: number, price: number, liquidity: 'maker' | 'taker', costs: Partial<Costs> = {}, lotSize = 0,
): Amounts => {
  const into = emptyAmounts()
  sell(into, quantity, price, liquidity, { ...FREE, ...costs }, lots(lotSize))
  return into
}

describe('a resting pair of 95 and 105', () => {
  // The golden table: a position opened at 100 on an earlier candle; null = nothing happens.
  it.each([
    ['100/107/94/101', stopped(95, true), stopped(95, true), won(105, true)],
    ['100/107/94/99', stopped(95, true), stopped(95, true), won(105, true)],
    ['90/92/88/91', gapped(90), gapped(90), gapped(90)],
    ['90/96/88/95', gapped(90), gapped(90), gapped(90)],
    ['110/112/109/111', won(105), leapt(110), leapt(110)],
    ['100/105/96/101', null, won(105), won(105)],
    ['100/104/95/101', stopped(95), stopped(95), stopped(95)],
  ] as const)('%s', (text, ...expected) => {
    expect(MODELS.map((model) => matched(text, model))).toEqual(expected)
  })

  it.each([
    // Nothing is touched.
    ['100/104.99/95.01/100', null, null, null],
    // Exactly on the stop at the open: at the level counts as beyond it.
    ['95/100/94/99', gapped(95), gapped(95), gapped(95)],
    // Exactly on the target at the open: a touch, which the careful model does not grant.
    ['105/105/100/101', null, leapt(105), leapt(105)],
    ['105/106/100/101', won(105), leapt(105), leapt(105)],
    // A gap over the target is settled at the open, before the candle falls through the stop.
    ['110/112/90/91', won(105), leapt(110), leapt(110)],
    // So is a gap through the stop, before the candle rises over the target.
    ['94/110/93/109', gapped(94), gapped(94), gapped(94)],
    // Touching both exactly is ambiguous: nobody knows the order, even if a touch does not fill the careful target.
    ['100/105/95/100', stopped(95, true), stopped(95, true), won(105, true)],
  ] as const)('%s at the edges', (text, ...expected) => {
    expect(MODELS.map((model) => matched(text, model))).toEqual(expected)
  })

  it('has no gap on the entry candle: the open is the entry itself, only the range counts', () => {
    expect(entered('100/106/96/101')).toEqual([won(105), won(105), won(105)])
    expect(entered('100/105/96/101')).toEqual([null, won(105), won(105)])
    expect(entered('100/101/94/96')).toEqual([stopped(95), stopped(95), stopped(95)])
    expect(entered('100/106/94/101')).toEqual([stopped(95, true), stopped(95, true), won(105, true)])
    // Even where slippage or rounding has put a level beyond the entry's own open: a target waits for its price, a
    // stop sells at once, and no better than the market stands.
    expect(entered('106/107/104/105')).toEqual([won(105), won(105), won(105)])
    expect(entered('94/96/93/95')).toEqual([stopped(94), stopped(94), stopped(94)])
  })

  it('tells a raised stop from the entry\'s own, gap or not', () => {
    const resting = pair(98, 105, true)
    expect(matched('100/101/97/99', 'conservative', { resting })).toEqual(trailing(98))
    expect(matched('97/99/96/98', 'conservative', { resting })).toEqual(trailing(97))
    expect(matched('100/106/97/99', 'open-on-gap', { resting })).toEqual(trailing(98, true))
    expect(matched('100/106/97/99', 'optimistic', { resting })).toEqual(won(105, true))
  })

  it('may lack either leg', () => {
    const none = pair(0, Infinity)
    for (const model of MODELS) {
      expect(matched('100/10000/0.01/1', model, { resting: none })).toBeNull()
      expect(matched('100/10000/96/100', model, { resting: pair(95, Infinity) })).toBeNull()
      expect(matched('100/10000/94/100', model, { resting: pair(95, Infinity) })).toEqual(stopped(95))
      expect(matched('100/104/0.01/1', model, { resting: pair(0, 105) })).toBeNull()
      expect(matched('100/106/0.01/1', model, { resting: pair(0, 105) })).toEqual(won(105))
    }
  })

  /** A sound candle on a small grid, so that levels are touched exactly and often. */
  const price = fc.integer({ min: 90, max: 110 })
  const candles = fc.tuple(price, price, price, price).map(([a, b, c, d]): Candle => ({
    openTime: 0, open: a, high: Math.max(a, b, c, d), low: Math.min(a, b, c, d), close: b, volume: 1,
  }))
  const levels = fc.record({ stop: fc.integer({ min: 91, max: 99 }), target: fc.integer({ min: 101, max: 109 }) })

  it('fills inside the candle, on the right side, and the bounds hold what lies between them', () => {
    fc.assert(fc.property(candles, levels, fc.boolean(), (one, { stop, target }, raised) => {
      const resting = pair(stop, target, raised)
      const [careful, middle, daring] = MODELS.map((model) => matchPair(resting, one, FILL_MODELS[model], false))
      for (const hit of [careful, middle, daring]) {
        if (hit === null) continue
        const lost = hit.liquidity === 'taker'
        // A stop never sells above its level, a target never below; both where the candle really was, except that the
        // careful model sells at a target that the open has left below.
        expect(lost ? hit.price <= stop : hit.price >= target).toBe(true)
        expect(hit.price <= one.high && (hit.price >= one.low || (hit === careful && one.open > target))).toBe(true)
        expect(['stop', 'stop_gap', 'trailing'].includes(hit.reason)).toBe(lost)
        expect(hit.reason === 'trailing').toBe(lost && raised)
        // A gap decides at the open; otherwise a candle that reaches both levels is counted.
        const gap = one.open <= stop || one.open >= target
        if (!gap) expect(hit.ambiguous).toBe(one.low <= stop && one.high >= target)
        else if (one.open <= stop || hit.reason === 'target_gap') expect(hit.ambiguous).toBe(false)
      }
      if (careful !== null && middle !== null) expect(careful.price).toBeLessThanOrEqual(middle.price)
      if (middle !== null) expect(middle.price).toBeLessThanOrEqual(daring!.price)
      // Whoever is careful may only miss a target that was touched and no more.
      if (careful === null && middle !== null) expect(one.high).toBe(target)
      if (middle === null) expect(one.low > stop && one.high < target).toBe(true)
    }), { numRuns: 2000 })
  })
})

describe('arming', () => {
  const armed = (fill: number, stopLoss: number | null, takeProfit: number | null, tickSize: number) => {
    const into = pair(1, 2, true)
    armPair(into, fill, { stopLoss, takeProfit }, tickSize)
    return into
  }

  it('measures from the fill price and rounds to the nearest tick', () => {
    expect(armed(100, 0.05, 0.03, 0)).toEqual({ stop: 95, target: 103, raised: false })
    // 100.003 × 0.95 = 95.00285, × 1.03 = 103.00309
    expect(armed(100.003, 0.05, 0.03, 0.01)).toEqual({ stop: 95, target: 103, raised: false })
    // 33.337 × 0.95 = 31.67015 → 31.5, × 1.03 = 34.33711 → 34.5 on a grid of halves
    expect(armed(33.337, 0.05, 0.03, 0.5)).toEqual({ stop: 31.5, target: 34.5, raised: false })
    // 1.0036 × 0.95 = 0.95342, × 1.03 = 1.033708
    expect(armed(1.0036, 0.05, 0.03, 0.0001)).toEqual({ stop: 0.9534, target: 1.0337, raised: false })
    // Without a tick nothing is rounded.
    expect(armed(100.003, 0.05, 0.03, 0)).toEqual({ stop: 100.003 * 0.95, target: 100.003 * 1.03, raised: false })
  })

  it('leaves out what the protection says is not wanted, and forgets that an older stop was raised', () => {
    expect(armed(100, null, 0.03, 0.01)).toEqual({ stop: 0, target: 103, raised: false })
    expect(armed(100, 0.05, null, 0.01)).toEqual({ stop: 95, target: Infinity, raised: false })
  })
})

describe('a raised stop', () => {
  /** Entered at 100, with 100.3 as the price at which costs are paid. */
  const raise = (
    stop: number, highest: number, setting: { trailingStop?: number; breakEvenAt?: number }, tick = 0,
  ): number =>
    raisedStop(stop, { trailingStop: null, breakEvenAt: null, ...setting }, 100, highest, 100.3, tick)

  it('follows the highest high', () => {
    // 110 × (1 − 0.1) = 99
    expect(raise(95, 110, { trailingStop: 0.1 })).toBeCloseTo(99, 12)
    // 100 × 0.9 = 90 lies below 95, where it already is.
    expect(raise(95, 100, { trailingStop: 0.1 })).toBe(95)
    // 111.11 × 0.9 = 99.999 → 100.00 to the nearest cent, 99.5 … to the half
    expect(raise(95, 111.11, { trailingStop: 0.1 }, 0.01)).toBe(100)
    expect(raise(0, 111.11, { trailingStop: 0.1 }, 0.5)).toBe(100)
  })

  it('goes to entry plus costs once a high has reached the gain', () => {
    expect(raise(95, 101.99, { breakEvenAt: 0.02 })).toBe(95)
    expect(raise(95, 102, { breakEvenAt: 0.02 })).toBe(100.3)
    expect(raise(95, 102, { breakEvenAt: 0.02 }, 0.5)).toBe(100.5)
    // The higher of the two wishes counts: 110 × 0.95 = 104.5 against 100.3, 103 × 0.95 = 97.85 against 100.3.
    expect(raise(95, 110, { trailingStop: 0.05, breakEvenAt: 0.02 })).toBeCloseTo(104.5, 12)
    expect(raise(95, 103, { trailingStop: 0.05, breakEvenAt: 0.02 })).toBe(100.3)
  })

  it('stays without a wish', () => {
    expect(raise(95, 1000, {})).toBe(95)
    expect(raise(0, 1000, {})).toBe(0)
  })

  it('never falls, whatever the market does', () => {
    const fraction = fc.double({ min: 0.001, max: 0.5, noNaN: true })
    fc.assert(fc.property(
      fc.array(fc.double({ min: 50, max: 200, noNaN: true }), { minLength: 1, maxLength: 30 }),
      fc.option(fraction), fc.option(fraction), fc.constantFrom(0, 0.01, 0.5),
      (highs, trailingStop, breakEvenAt, tick) => {
        let stop = 90
        let highest = 100
        for (const high of highs) {
          highest = Math.max(highest, high)
          const next = raisedStop(stop, { trailingStop, breakEvenAt }, 100, highest, 100.3, tick)
          expect(next).toBeGreaterThanOrEqual(stop)
          if (trailingStop !== null) expect(next).toBeGreaterThanOrEqual(highest * (1 - trailingStop) - tick / 2 - 1e-9)
          // It never outruns what it follows by more than rounding to the nearest tick.
          expect(next).toBeLessThanOrEqual(Math.max(90, highest + tick / 2, 100.5))
          stop = next
        }
      },
    ))
  })
})

describe('a market buy', () => {
  it('pays a fee in quote out of what it may spend', () => {
    // Price 100 × 1.0005 = 100.05; a unit costs 100.05 × 1.001 = 100.15005; 1000 ÷ 100.15005 units.
    const amounts = bought(1000, 100, { taker: 0.001, slippageBps: 5 })
    const { price, quantity, notional, feeBase, feeQuote, slippage } = amounts
    expect(price).toBeCloseTo(100.05, 10)
    expect(quantity).toBeCloseTo(9.98501748127, 10)
    expect(notional + feeQuote).toBeCloseTo(1000, 9)
    expect(feeQuote / notional).toBeCloseTo(0.001, 12)
    expect(feeBase).toBe(0)
    expect(slippage).toBeCloseTo(quantity * 0.05, 9)
  })

  it('pays a fee in what it receives', () => {
    // 1000 ÷ 100 = 10 units, of which 0.1 % are the fee.
    expect(bought(1000, 100, { taker: 0.001, feeAsset: 'received' })).toEqual({
      price: 100, quantity: 10, notional: 1000, feeBase: 0.01, feeQuote: 0, slippage: 0,
    })
  })

  it('rounds down to the lot, and money to 8 decimals', () => {
    // Fee in quote: 1000 ÷ (333.33 × 1.001 = 333.66333) = 2.99703… → 2.997; × 333.33 = 998.99001.
    expect(bought(1000, 333.33, { taker: 0.001 }, 0.001)).toEqual({
      price: 333.33, quantity: 2.997, notional: 998.99001, feeBase: 0, feeQuote: 0.99899001, slippage: 0,
    })
    // Received: 1000 ÷ 333.33 = 3.00003 → 3, of which 0.003 are the fee.
    expect(bought(1000, 333.33, { taker: 0.001, feeAsset: 'received' }, 0.001)).toEqual({
      price: 333.33, quantity: 3, notional: 999.99, feeBase: 0.003, feeQuote: 0, slippage: 0,
    })
    // 10 ÷ 0.12345678 = 81.00000664 → 81; × 0.12345678 = 9.99999918; 0.1 % of it, 0.00999999918, loses its tail.
    expect(bought(10.01, 0.12345678, { taker: 0.001 }, 0.1)).toEqual({
      price: 0.12345678, quantity: 81, notional: 9.99999918, feeBase: 0, feeQuote: 0.00999999, slippage: 0,
    })
    // A fee in base has 8 decimals as well: 0.1 % of 0.00123 is 0.00000123, of 0.001234 it is 0.000001234.
    expect(bought(123, 100_000, { taker: 0.001, feeAsset: 'received' }, 0.00001).feeBase).toBe(0.00000123)
    expect(bought(123.4, 100_000, { taker: 0.001, feeAsset: 'received' }, 0.000001).feeBase).toBe(0.00000123)
    // What is spent carries 8 decimals itself: 0.123456789 buys for 0.12345678.
    expect(bought(0.123456789, 1, {}, 0.00000001)).toMatchObject({ quantity: 0.12345678, notional: 0.12345678 })
  })

  it('rounds nothing without a lot size', () => {
    const { quantity, notional, feeQuote } = bought(1, 0.7, { taker: 0.001 })
    expect(quantity).toBe(1 / (0.7 * 1.001))
    expect(notional).toBe(quantity * 0.7)
    expect(feeQuote).toBe(notional * 0.001)
  })

  it('forgives binary noise of a billionth of a lot', () => {
    // 0.3 ÷ 0.1 is 2.9999999999999996 in binary.
    expect(bought(0.3, 1, {}, 0.1).quantity).toBe(0.3)
    expect(bought(0.2999, 1, {}, 0.1).quantity).toBe(0.2)
  })

  it('can buy nothing: quantity 0', () => {
    expect(bought(0.9, 10, {}, 0.1)).toMatchObject({ quantity: 0, notional: 0, feeQuote: 0 })
  })

  const costs = fc.record({
    maker: fc.double({ min: 0, max: 0.01, noNaN: true }),
    taker: fc.double({ min: 0, max: 0.01, noNaN: true }),
    feeAsset: fc.constantFrom('received', 'quote'),
    slippageBps: fc.double({ min: 0, max: 100, noNaN: true }),
  })
  const money = fc.double({ min: 1, max: 1e6, noNaN: true })
  const lot = fc.constantFrom(0, 1e-8, 1e-5, 0.001, 0.1, 1)

  it('never spends more than it may and never gains by slippage', () => {
    fc.assert(fc.property(money, money, costs, lot, (spend, open, cost, lotSize) => {
      const { price, quantity, notional, feeBase, feeQuote, slippage } = bought(spend, open, cost, lotSize)
      expect(notional + feeQuote).toBeLessThanOrEqual(spend * (1 + 1e-12))
      expect(price).toBeGreaterThanOrEqual(open)
      expect(slippage).toBeGreaterThanOrEqual(0)
      expect(quantity).toBeGreaterThanOrEqual(0)
      expect(cost.feeAsset === 'quote' ? feeBase : feeQuote).toBe(0)
      expect(feeBase).toBeLessThanOrEqual(quantity)
      // What is left unspent is less than a lot and what rounding to 8 decimals takes.
      const unit = price * (cost.feeAsset === 'quote' ? 1 + cost.taker : 1)
      expect(spend - notional - feeQuote).toBeLessThanOrEqual(lotSize * unit * (1 + 1e-9) + 4e-8 + spend * 1e-9)
    }), { numRuns: 1000 })
  })

  it('is undone by a sale only at a loss', () => {
    const liquidities = fc.constantFrom('maker', 'taker')
    fc.assert(fc.property(money, money, costs, lot, liquidities, (spend, open, cost, lotSize, liquidity) => {
      const entry = bought(spend, open, cost, lotSize)
      const exit = sold(entry.quantity - entry.feeBase, open, liquidity, cost, lotSize)
      expect(exit.price).toBeLessThanOrEqual(open)
      if (liquidity === 'maker') expect(exit.price).toBe(open)
      expect(exit.slippage).toBeGreaterThanOrEqual(0)
      // A notional that was rounded down at the entry may give back its last decimal.
      expect(exit.notional - exit.feeQuote).toBeLessThanOrEqual((entry.notional + entry.feeQuote) * (1 + 1e-12) + 1e-8)
    }), { numRuns: 1000 })
  })
})

describe('a sale', () => {
  const costs = { maker: 0.001, taker: 0.002, slippageBps: 10, feeAsset: 'received' } as const

  it('is charged as maker at its very price, as taker after slippage; always in quote', () => {
    // 3 × 105 = 315, of which 0.1 %
    const maker = sold(3, 105, 'maker', costs)
    expect(maker).toMatchObject({ price: 105, quantity: 3, notional: 315, feeBase: 0, slippage: 0 })
    expect(maker.feeQuote).toBeCloseTo(0.315, 12)
    // 105 × 0.999 = 104.895; × 3 = 314.685, of which 0.2 %; slippage 3 × 0.105
    const taker = sold(3, 105, 'taker', costs)
    expect(taker.price).toBeCloseTo(104.895, 10)
    expect(taker.notional).toBeCloseTo(314.685, 9)
    expect(taker.feeQuote).toBeCloseTo(0.62937, 9)
    expect(taker.slippage).toBeCloseTo(0.315, 9)
    expect(taker.feeBase).toBe(0)
  })

  it('loses what lies beyond 8 decimals where there is a lot size', () => {
    // 0.333 × 0.12345678 = 0.04111110774 → 0.0411111(0); fee 0.1 % = 0.0000411111 → 0.00004111
    expect(sold(0.333, 0.12345678, 'maker', costs, 0.001)).toMatchObject({ notional: 0.0411111, feeQuote: 0.00004111 })
    expect(sold(0.333, 0.12345678, 'maker', costs, 0).notional).toBe(0.333 * 0.12345678)
  })
})

describe('the break-even price', () => {
  it('is entry plus costs', () => {
    // Both fees in quote, no slippage: 100 × 1.001 ÷ 0.999
    expect(breakEvenPrice(100, { ...FREE, taker: 0.001 })).toBeCloseTo(100.2002002002, 9)
    // The buy's fee in base: 100 ÷ 0.999²
    expect(breakEvenPrice(100, { ...FREE, taker: 0.001, feeAsset: 'received' })).toBeCloseTo(100.2003004005, 9)
    // 5 bps of slippage on the way out: 100 ÷ 0.9995
    expect(breakEvenPrice(100, { ...FREE, slippageBps: 5 })).toBeCloseTo(100.0500250125, 9)
  })

  it('really breaks even: selling there returns what the entry cost', () => {
    fc.assert(fc.property(
      fc.double({ min: 0.01, max: 1e5, noNaN: true }), fc.double({ min: 0, max: 0.02, noNaN: true }),
      fc.constantFrom('received', 'quote'), fc.double({ min: 0, max: 200, noNaN: true }),
      (open, rate, feeAsset, bps) => {
        // Independent of the code under test: what a buyer of one unit pays, and what the seller of the rest gets.
        const entry = open * (1 + bps / 1e4)
        const paid = entry + (feeAsset === 'quote' ? entry * rate : 0)
        const held = 1 - (feeAsset === 'received' ? rate : 0)
        const stop = breakEvenPrice(entry, { maker: 0, taker: rate, feeAsset, slippageBps: bps })
        const got = held * stop * (1 - bps / 1e4) * (1 - rate)
        expect(got / paid).toBeCloseTo(1, 12)
      },
    ))
  })
})
