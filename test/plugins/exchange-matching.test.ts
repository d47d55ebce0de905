import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Candle } from '../../engine/core/candle.ts'
import { floorTo8, floorToLot, instrumentOf, type Instrument } from '../../engine/core/instrument.ts'
import { FILL_MODELS, type Costs, type FillModelName } from '../../engine/core/matching.ts'
import type { Fill } from '../../engine/core/order.ts'
import { seededRandom } from '../../engine/core/random.ts'
import { PaperBroker } from '../../plugins/broker/paper.ts'
import { Core } from '../../plugins/exchange/core.ts'
import type { BookOrder } from '../../plugins/exchange/orders.ts'
import { entryAt, exitAt } from '../contract/broker-suite.ts'
import { columnsOf } from '../support/memory-market.ts'
import { START } from '../support/practice.ts'

const HOUR = 3_600_000
const BTC = 'BTC/USDT'
const MODELS = Object.keys(FILL_MODELS) as FillModelName[]

/** Candles whose opens leap away from the last close, on a grid of cents. */
function leapingCandles(seed: number, rows: number, price: number): Candle[] {
  const random = seededRandom(seed)
  const cents = (value: number): number => Math.max(1, Math.round(value * 100)) / 100
  let last = price
  return Array.from({ length: rows }, (_, index) => {
    const open = cents(last * (1 + (random() < 0.2 ? (random() - 0.5) * 0.06 : 0)))
    const close = cents(open * (1 + (random() - 0.5) * 0.03))
    const high = cents(Math.max(open, close) * (1 + random() * 0.01))
    const low = cents(Math.min(open, close) * (1 - random() * 0.01))
    last = close
    return { openTime: START + index * HOUR, open, high: Math.max(high, open, close), low: Math.min(low, open, close), close, volume: 1 }
  })
}

interface Plan {
  readonly candles: readonly Candle[]
  readonly model: FillModelName
  readonly costs: Costs
  readonly instrument: Instrument
  readonly spend: number
  readonly stopLoss: number
  readonly takeProfit: number
  /** The position is left after so many candles unless its pair was faster; 0 = never. */
  readonly hold: number
}

const REAL: Partial<Instrument> = { tickSize: 0.01, lotSize: 0.00001, minNotional: 0 }
const plans: fc.Arbitrary<Plan> = fc.record({
  candles: fc.tuple(fc.integer(), fc.constantFrom(9, 37, 100, 43_210)).map(([seed, price]) => leapingCandles(seed, 40, price)),
  model: fc.constantFrom(...MODELS),
  costs: fc.record({
    maker: fc.constantFrom(0, 0.00075, 0.001), taker: fc.constantFrom(0, 0.001, 0.0025), feeAsset: fc.constantFrom('received' as const, 'quote' as const),
    slippageBps: fc.constantFrom(0, 5, 13),
  }),
  instrument: fc.constantFrom(REAL, { tickSize: 1e-8, lotSize: 1e-8, minNotional: 0 }).map((steps) => instrumentOf(BTC, steps)),
  spend: fc.double({ min: 200, max: 900, noNaN: true }),
  stopLoss: fc.constantFrom(0.005, 0.02, 0.05),
  takeProfit: fc.constantFrom(0.005, 0.02, 0.03),
  hold: fc.integer({ min: 0, max: 6 }),
})

/** Executions of a plan by the paper broker: a new entry whenever there is no position. */
function onPaper({ candles, model, costs, instrument, spend, stopLoss, takeProfit, hold }: Plan): Fill[] {
  const { feeAsset: asset, maker, taker, slippageBps } = costs
  const options = { cash: 10_000, fees: { maker, taker, asset }, slippageBps, fillModel: model, fillTimeframe: null, latencyCandles: 0 }
  const broker = new PaperBroker(options, [instrument], '1h')
  const fills: Fill[] = []
  let entered = -1
  candles.forEach((candle, row) => {
    if (entered < 0) {
      broker.submit(entryAt(row - 1, { spend, protection: { stopLoss, takeProfit } }))
      entered = row
    } else if (hold > 0 && row - entered === hold) broker.submit(exitAt(row - 1))
    for (const execution of broker.settle(candle.openTime + HOUR, BTC, candle)) {
      if (execution.kind === 'fill') fills.push({ ...execution })
    }
    if (fills.at(-1)?.side === 'sell') entered = -1
  })
  return fills
}

/** The same on the exchange, as a client would: entry, pair at the prices that paper armed, exit by cancel and sale. */
function onExchange({ candles, model, costs, instrument, spend, hold }: Plan, paper: readonly Fill[]): Core {
  const tape = { symbol: BTC, timeframe: '1h' as const, columns: columnsOf(candles), rows: candles.length, finer: null }
  const core = new Core({
    tapes: [tape], instruments: { [BTC]: instrument }, costs, fillModel: model, balances: { USDT: 1e6 }, startTime: START, pace: 'stepped',
  })
  const { clock, world: { book, balances, ledger, listings } } = core
  const listing = listings.get('BTCUSDT')!
  const none = { timeInForce: 'GTC' as const, quantity: 0, quoteQuantity: 0, price: 0, stopPrice: 0, clientOrderId: null }
  let entered = -1
  let leg: BookOrder | null = null
  candles.forEach((candle, row) => {
    if (leg !== null && ledger.of(BTC).open.size === 0) [leg, entered] = [null, -1]
    if (entered >= 0 && hold > 0 && row - entered === hold) {
      book.cancel(leg!, clock.now())
      book.place(listing, { ...none, side: 'SELL', type: 'MARKET', quantity: leg!.quantity }, clock.now())
      leg = null
      entered = -1
    } else if (entered < 0) {
      book.place(listing, { ...none, side: 'BUY', type: 'MARKET', quoteQuantity: floorTo8(spend) }, clock.now())
      entered = row
      const [{ stop, target }, sold] = paper.slice(ledger.copyTrades().length - 1)
      const quantity = sold?.quantity ?? floorToLot(balances.of('BTC').free, instrument.lotSize)
      const sale = { ...none, side: 'SELL' as const, quantity }
      const pair = { quantity, listClientOrderId: null, above: { ...sale, type: 'LIMIT_MAKER' as const, price: target! }, below: { ...sale, type: 'STOP_LOSS' as const, stopPrice: stop! } }
      leg = book.placePair(listing, pair, clock.now()).legs[0]
    }
    clock.moveTo(candle.openTime + HOUR)
  })
  return core
}

describe('the exchange', () => {
  it.each(MODELS)('fills as the paper broker does: %s', (model) => {
    let exits = 0
    const seen = new Set<string | null>()
    fc.assert(fc.property(plans, (drawn) => {
      const plan = { ...drawn, model }
      const paper = onPaper(plan)
      const core = onExchange(plan, paper)
      const trades = core.world.ledger.copyTrades()
      expect(trades.length).toBe(paper.length)
      trades.forEach((trade, index) => {
        const fill = paper[index]
        expect(Math.floor(trade.time / HOUR) * HOUR).toBe(fill.time)
        expect({ side: trade.side.toLowerCase(), liquidity: trade.liquidity }).toEqual({ side: fill.side, liquidity: fill.liquidity })
        for (const [actual, wanted] of [
          [trade.price, fill.price], [trade.quantity, fill.quantity], [trade.notional, fill.notional], [trade.fee, fill.feeBase + fill.feeQuote],
        ]) expect(Math.abs(actual - wanted)).toBeLessThanOrEqual(1e-8)
        if (fill.side === 'sell') exits++
        seen.add(fill.reason)
      })
    }), { numRuns: 100 })
    expect(exits).toBeGreaterThan(200)
    expect([...seen]).toEqual(expect.arrayContaining(['stop', 'stop_gap', 'target', 'signal']))
  })
})
