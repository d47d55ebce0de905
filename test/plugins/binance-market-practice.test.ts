import { describe, expect, it } from 'vitest'
import { SteppedClock } from '../../engine/clocks.ts'
import type { Candle } from '../../engine/core/candle.ts'
import { instrumentOf } from '../../engine/core/instrument.ts'
import type { Venue } from '../../engine/ports.ts'
import * as answers from '../../plugins/binance/answers.ts'
import { connect } from '../../plugins/binance/connection.ts'
import { checkVenueHealth } from '../../plugins/binance/checks.ts'
import type { FaultRule } from '../../plugins/exchange/exchange.ts'
import market from '../../plugins/market/binance.ts'
import { COSTS, KEYS, MINUTE, practice, START, tapeOf } from '../support/practice.ts'
import { testDeps } from '../support/scripted-venue.ts'

const SYMBOLS = ['BTC/USDT', 'ETH/USDT'] as const

/** Candle `index` of symbol number `symbol`, on whole cents. */
const candleOf = (index: number, symbol = 0): Candle => {
  const open = 100 + symbol * 50 + (index * 7) % 13
  return { openTime: START + index * MINUTE, open, high: open + 2, low: open - 1.5, close: open + 0.25, volume: 3 + index }
}

interface Session {
  readonly events: readonly string[]
  readonly candles: Readonly<Record<string, readonly Candle[]>>
  readonly alarms: readonly Readonly<Record<string, unknown>>[]
}

/** A whole session on a practice exchange with `rows` candles per symbol, begun after `warmup` of them. */
async function session(rules: readonly FaultRule[], { rows = 40, symbols = 1, hole = -1, seed = 7 } = {}): Promise<Session> {
  const tapes = SYMBOLS.slice(0, symbols).map((symbol, at) =>
    tapeOf(Array.from({ length: rows }, (_, index) => candleOf(index, at)).filter((_, index) => index !== hole), symbol))
  const warmup = 5
  const exchange = await practice([], {
    tapes, startTime: START + warmup * MINUTE, faults: { seed, rules },
    instruments: Object.fromEntries(SYMBOLS.map((symbol) => [symbol, instrumentOf(symbol, { tickSize: 0.01 })])),
  })
  const venue: Venue = { name: 'practice', url: exchange.url, ...KEYS }
  const clock = await SteppedClock.of(venue, null)
  const alarms: Record<string, unknown>[] = []
  const source = await market.create({}, testDeps(clock), {
    symbols: SYMBOLS.slice(0, symbols), timeframe: '1m', fillTimeframe: null, instruments: {}, folder: '.',
    live: { venue, warmup, checkIntervalMs: 25_000, after: {}, journal: { note: (_type, fields) => { alarms.push({ ...fields }) } } },
  })
  const events: string[] = []
  const candles: Record<string, Candle[]> = {}
  for await (const event of source.events()) {
    const at = `${(clock.now() - START) / 1000}s ${event.kind}`
    events.push(event.kind === 'candles' ? `${at} ${event.symbol} ${event.columns.openTime[event.start]} ${event.end - event.start} ${event.more} ${event.missed}` : at)
    if (event.kind !== 'candles') continue
    const { columns } = event
    for (let row = event.start; row < event.end; row++) {
      (candles[event.symbol] ??= []).push({
        openTime: columns.openTime[row], open: columns.open[row], high: columns.high[row], low: columns.low[row], close: columns.close[row],
        volume: columns.volume[row],
      })
    }
  }
  return { events, candles, alarms }
}

const tape = (symbol = 0, rows = 40): readonly Candle[] => Array.from({ length: rows }, (_, index) => candleOf(index, symbol))

describe('the market source on the practice exchange', () => {
  it('brings every candle of the tape as it is, the last one too', async () => {
    const { candles, alarms, events } = await session([], { symbols: 2 })
    expect(candles).toEqual({ 'BTC/USDT': tape(0), 'ETH/USDT': tape(1) })
    expect(alarms).toEqual([])
    expect(events.some((event) => event.endsWith('true'))).toBe(false)
  })

  it('plays the same session every time, faults and all', async () => {
    const rules: readonly FaultRule[] = [
      { fault: 'lost-answer', rate: 0.1 }, { fault: 'rate-limit', rate: 0.05, value: 3 }, { fault: 'garbage', rate: 0.05 }, { fault: 'slow', rate: 0.05 },
      { fault: 'stale-candles', rate: 0.1 }, { fault: 'revised-candle', rate: 0.1 },
    ]
    const [first, second] = [await session(rules, { symbols: 2 }), await session(rules, { symbols: 2 })]
    expect(second).toEqual(first)
    expect(first.alarms.length).toBeGreaterThan(0)
  })

  it.each<[FaultRule['fault'], Partial<FaultRule>, string | null]>([
    ['lost-answer', { rate: 0.2 }, 'market-unreachable'],
    ['lost-request', { rate: 0.2 }, 'market-unreachable'],
    ['rate-limit', { at: [9], value: 20 }, 'market-unreachable'],
    ['ban', { at: [9], value: 200 }, 'stale-market'],
    ['server-error', { rate: 0.2 }, 'market-unreachable'],
    ['overloaded', { rate: 0.2 }, 'market-unreachable'],
    ['garbage', { rate: 0.3 }, 'market-unreachable'],
    ['slow', { rate: 0.2, value: 2000 }, null],
    ['drift', { value: 2500 }, 'clock-drift'],
    ['drift', { value: -2500 }, 'clock-drift'],
    ['stale-candles', { from: START + 10 * MINUTE, to: START + 14 * MINUTE, value: 4 }, 'stale-market'],
    ['revised-candle', { rate: 0.2, value: 1 }, null],
    ['missing-candle', { at: [10, 20], value: 1 }, null],
  ])('loses no candle and takes none twice with %s %o', async (fault, rule, alarm) => {
    const { candles, alarms } = await session([{ fault, on: fault === 'drift' ? '' : 'GET /klines', ...rule }])
    expect(candles).toEqual({ 'BTC/USDT': tape() })
    if (alarm !== null) expect(alarms.map(({ event }) => event)).toContain(alarm)
  })

  it('passes a hole of the tape', async () => {
    const { candles, alarms } = await session([], { hole: 20 })
    expect(candles['BTC/USDT']).toEqual(tape().filter((_, index) => index !== 20))
    expect(alarms.map(({ event }) => event)).toContain('gap')
  })
})

describe('the connection on the practice exchange', () => {
  it('understands every answer that a broker needs', async () => {
    const exchange = await practice()
    const venue: Venue = { name: 'practice', url: exchange.url, ...KEYS }
    const connection = await connect(venue, testDeps(await SteppedClock.of(venue, null)))
    const call = connection.call.bind(connection)
    const symbol = 'BTCUSDT'
    expect(await connection.market('BTC/USDT')).toMatchObject({ id: symbol, status: 'TRADING', ocoAllowed: true, tickSize: 1e-8 })
    const bought = await call('POST', 'order',
      { symbol, side: 'BUY', type: 'MARKET', quoteOrderQty: 1000, newClientOrderId: 'e1', newOrderRespType: 'FULL' }, answers.orderFull)
    const taken = bought.fills.reduce((sum, { commission }) => sum + commission, 0)
    expect(bought).toMatchObject({ status: 'FILLED', executedQty: 10, cummulativeQuoteQty: 1000 })
    const quantity = 10 - taken
    const oco = {
      symbol, side: 'SELL', quantity, aboveType: 'LIMIT_MAKER', abovePrice: 105, belowType: 'STOP_LOSS', belowStopPrice: 95, listClientOrderId: 'l1',
      aboveClientOrderId: 'a1', belowClientOrderId: 'b1',
    }
    const placed = await call('POST', 'orderList/oco', oco, answers.placedList)
    expect(placed.orderReports.map(({ type }) => type).sort()).toEqual(['LIMIT_MAKER', 'STOP_LOSS'])
    expect(await call('GET', 'order', { symbol, origClientOrderId: 'b1' }, answers.queriedOrder)).toMatchObject({ status: 'NEW', stopPrice: 95 })
    expect(await call('GET', 'openOrders', { symbol }, answers.queriedOrders)).toHaveLength(2)
    expect(await call('GET', 'openOrderList', {}, answers.orderLists)).toMatchObject([{ listClientOrderId: 'l1' }])
    expect(await call('GET', 'orderList', { origClientOrderId: 'l1' }, answers.orderList)).toMatchObject({ listOrderStatus: 'EXECUTING' })
    const sale = { symbol, side: 'SELL', type: 'MARKET', quantity }
    await expect(call('POST', 'order', { ...sale, newClientOrderId: 'x0' }, answers.orderFull)).rejects.toMatchObject({ failure: 'insufficient-funds' })
    const replaced = await call('POST', 'order/cancelReplace',
      { ...sale, cancelReplaceMode: 'STOP_ON_FAILURE', cancelOrigClientOrderId: 'b1', newClientOrderId: 'x1', newOrderRespType: 'FULL' }, answers.cancelReplace)
    expect(replaced).toMatchObject({ newOrderResponse: { status: 'FILLED', executedQty: quantity } })
    await expect(call('POST', 'order/cancelReplace', { ...sale, cancelReplaceMode: 'STOP_ON_FAILURE', cancelOrigClientOrderId: 'b1', newClientOrderId: 'x2' },
      answers.cancelReplace)).rejects.toMatchObject({ failure: 'cancel-replace-failed' })
    await expect(call('GET', 'order', { symbol, origClientOrderId: 'nobody' }, answers.queriedOrder)).rejects.toMatchObject({ failure: 'not-found' })
    await expect(call('DELETE', 'order', { symbol, origClientOrderId: 'nobody' }, answers.cancelAnswer)).rejects.toMatchObject({ failure: 'not-found' })
    expect(await call('GET', 'myTrades', { symbol }, answers.myTrades)).toHaveLength(2)
    expect(await call('GET', 'account/commission', { symbol }, answers.commission)).toMatchObject({ standardCommission: { taker: COSTS.taker } })
    expect(await call('GET', 'ticker/bookTicker', { symbol }, answers.bookTicker)).toMatchObject({ bidPrice: 100 })
  })

  it('finds everything well', async () => {
    const exchange = await practice()
    const venue: Venue = { name: 'practice', url: exchange.url, ...KEYS }
    const deps = testDeps(await SteppedClock.of(venue, null))
    const checks = await checkVenueHealth(await connect(venue, deps), ['BTC/USDT'], deps)
    expect(checks.filter(({ ok }) => ok !== true)).toEqual([])
    expect(checks.length).toBeGreaterThan(12)
    expect(exchange.orders()).toEqual([])
  })
})
