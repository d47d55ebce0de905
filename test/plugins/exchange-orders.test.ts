import { describe, expect, it } from 'vitest'
import type { FillModelName } from '../../engine/core/matching.ts'
import type { PracticeExchange, PracticeOptions } from '../../plugins/exchange/exchange.ts'
import { columnsOf } from '../support/memory-market.ts'
import { advance, ask, call, candlesOf, COSTS, marketBuy, marketSell, MINUTE, pair, practice, QUIET, START, SYMBOL, tapeOf, type Json } from '../support/practice.ts'

const sold = { balances: { USDT: 10_000, BTC: 10 } }
const MODELS: readonly FillModelName[] = ['conservative', 'open-on-gap', 'optimistic']

const read = async (exchange: PracticeExchange, orderId: number): Promise<Json> =>
  (await call(exchange, 'GET', '/order', { ...SYMBOL, orderId })).json

const order = (exchange: PracticeExchange, params: Readonly<Record<string, string>>) => call(exchange, 'POST', '/order', { ...SYMBOL, ...params })

describe('a pair from an earlier candle', () => {
  it.each<[string, readonly [number, number, number, number], ...(number | null)[]]>([
    ['through both levels', [100, 107, 94, 101], 95, 95, 105],
    ['below the stop from the open', [90, 92, 88, 91], 90, 90, 90],
    ['below the stop, then back', [90, 96, 88, 95], 90, 90, 90],
    ['above the target from the open', [110, 112, 109, 111], 105, 110, 110],
    ['exactly to the target', [100, 105, 96, 101], null, 105, 105],
    ['exactly to the stop', [100, 104, 95, 101], 95, 95, 95],
  ])('%s', async (_case, candle, ...prices) => {
    for (const [index, model] of MODELS.entries()) {
      const exchange = await practice([QUIET[0], candle, QUIET[0]], { fillModel: model, ...sold })
      await pair(exchange, 10, 95, 105)
      await advance(exchange)
      expect(exchange.trades()).toEqual([])
      await advance(exchange)
      expect(exchange.trades().map(({ price }) => price), model).toEqual(prices[index] === null ? [] : [prices[index]])
    }
  })

  it('ends with one leg filled, the other expired, the list done, the money there', async () => {
    const exchange = await practice([QUIET[0], [100, 106, 99, 105]], sold)
    await pair(exchange, 10, 95, 105, { listClientOrderId: 'pair' })
    await advance(exchange)
    await advance(exchange)
    const closeTime = START + 2 * MINUTE - 1
    expect(await read(exchange, 1)).toMatchObject({ status: 'EXPIRED', executedQty: '0.00000000', updateTime: closeTime, isWorking: false })
    expect(await read(exchange, 2)).toMatchObject({
      status: 'FILLED', executedQty: '10.00000000', cummulativeQuoteQty: '1050.00000000', updateTime: closeTime, workingTime: START,
    })
    expect((await call(exchange, 'GET', '/orderList', { origClientOrderId: 'pair' })).json).toMatchObject({ listOrderStatus: 'ALL_DONE', transactionTime: closeTime })
    expect((await call(exchange, 'GET', '/openOrders', SYMBOL)).json).toEqual([])
    expect(exchange.trades()).toMatchObject([{ liquidity: 'maker', fee: 1.05, feeAsset: 'USDT', time: closeTime }])
    expect([exchange.balance('BTC'), exchange.balance('USDT')]).toEqual([{ free: 0, locked: 0 }, { free: 11_048.95, locked: 0 }])
  })

  it('is met by the very candle in which it was placed, by its range only', async () => {
    const exchange = await practice([[100, 106, 94, 100]], sold)
    await pair(exchange, 10, 95, 105)
    await advance(exchange)
    expect(exchange.trades()).toMatchObject([{ price: 95 }])
  })

  it('slips when it stops, not when it takes profit', async () => {
    const costs = { ...COSTS, slippageBps: 10 }
    for (const [candle, price] of [[[100, 101, 90, 95], 94.905], [[100, 110, 99, 105], 105]] as const) {
      const exchange = await practice([candle], { ...sold, costs })
      await pair(exchange, 10, 95, 105)
      await advance(exchange)
      expect(exchange.trades()[0].price).toBe(price)
    }
  })
})

describe('market orders', () => {
  it('fill at the open of the candle in progress, worsened by slippage, exact to 8 decimals', async () => {
    const exchange = await practice([QUIET[0], [103.7, 110, 90, 95]], { costs: { ...COSTS, slippageBps: 5 } })
    await advance(exchange)
    await advance(exchange, START + MINUTE + 30_000)
    const { json } = await marketBuy(exchange, 1000)
    expect(json).toMatchObject({
      transactTime: START + MINUTE + 30_000, executedQty: '9.63838235', cummulativeQuoteQty: '999.99999981', origQuoteOrderQty: '1000.00000000',
      fills: [{ price: '103.75185000', qty: '9.63838235', commission: '0.00963838', commissionAsset: 'BTC' }],
    })
    expect(exchange.balance('BTC').free).toBe(9.62874397)
    expect(exchange.balance('USDT').free).toBe(9_000.00000019)
  })

  it('fill at the last close in a gap and after the end', async () => {
    const exchange = await practice([QUIET[0], null, [50, 50, 50, 50]])
    await advance(exchange)
    expect((await marketBuy(exchange, 100)).json['fills']).toMatchObject([{ price: '100.00000000' }])
    expect(await advance(exchange)).toEqual({ time: START + 3 * MINUTE, ended: true })
    expect((await marketBuy(exchange, 100)).json['fills']).toMatchObject([{ price: '50.00000000' }])
  })

  it('pay fees in quote where the costs say so', async () => {
    const exchange = await practice(QUIET, { costs: { ...COSTS, feeAsset: 'quote' } })
    const { json } = await marketBuy(exchange, 1001)
    expect(json).toMatchObject({ executedQty: '10.00000000', fills: [{ commission: '1.00000000', commissionAsset: 'USDT' }] })
    expect([exchange.balance('BTC').free, exchange.balance('USDT').free]).toEqual([10, 8_999])
  })

  it('buy a quantity', async () => {
    const exchange = await practice(QUIET, { costs: { ...COSTS, slippageBps: 10 } })
    const { json } = await order(exchange, { side: 'BUY', type: 'MARKET', quantity: '2' })
    expect(json).toMatchObject({ executedQty: '2.00000000', cummulativeQuoteQty: '200.20000000', fills: [{ price: '100.10000000', commission: '0.00200000' }] })
  })

  it('do not touch what a pair locks', async () => {
    const exchange = await practice(QUIET, sold)
    await pair(exchange, 9, 95, 105)
    expect((await marketSell(exchange, 2)).json).toEqual({ code: -2010, msg: 'Account has insufficient balance for requested action.' })
    expect((await marketSell(exchange, 1)).status).toBe(200)
  })
})

describe('a stop with a limit', () => {
  const stopLimit = (limit: string) => ({ side: 'SELL', type: 'STOP_LOSS_LIMIT', timeInForce: 'GTC', quantity: '10', stopPrice: '95', price: limit })

  it('fills like a stop while the market is above its limit', async () => {
    const exchange = await practice([[100, 100, 94, 96]], sold)
    await order(exchange, stopLimit('94'))
    await advance(exchange)
    expect(exchange.trades()).toMatchObject([{ price: 95, liquidity: 'taker' }])
  })

  it('waits, triggered, when the market fell through its limit, and fills when it comes back', async () => {
    const exchange = await practice([QUIET[0], [92, 93, 90, 91], [91, 93.9, 90, 93], [93, 94, 92, 93]], sold)
    await order(exchange, stopLimit('94'))
    await advance(exchange)
    expect(await read(exchange, 1)).toMatchObject({ status: 'NEW', isWorking: false })
    await advance(exchange)
    expect(await read(exchange, 1)).toMatchObject({ status: 'NEW', isWorking: true, workingTime: START + 2 * MINUTE - 1 })
    await advance(exchange)
    expect(exchange.trades()).toEqual([])
    await advance(exchange)
    expect(exchange.trades()).toMatchObject([{ price: 94, liquidity: 'maker', time: START + 4 * MINUTE - 1 }])
  })

  it('ends the other leg when it is triggered; cancelling it frees the base', async () => {
    const exchange = await practice([QUIET[0], [92, 93, 90, 91], QUIET[0]], sold)
    await pair(exchange, 10, 95, 105, { belowType: 'STOP_LOSS_LIMIT', belowPrice: '94', belowTimeInForce: 'GTC' })
    await advance(exchange)
    await advance(exchange)
    expect(await read(exchange, 2)).toMatchObject({ status: 'EXPIRED' })
    expect(exchange.balance('BTC')).toEqual({ free: 0, locked: 10 })
    expect((await call(exchange, 'GET', '/openOrderList')).json).toHaveLength(1)
    const { json } = await call(exchange, 'DELETE', '/orderList', { ...SYMBOL, orderListId: 0 })
    expect(json['orderReports']).toMatchObject([{ status: 'CANCELED' }, { status: 'EXPIRED' }])
    expect(exchange.balance('BTC')).toEqual({ free: 10, locked: 0 })
  })
})

describe('limit orders', () => {
  it('buy when the price comes down to them', async () => {
    const exchange = await practice([[100, 101, 95.1, 96], [96, 97, 95, 96]])
    await order(exchange, { side: 'BUY', type: 'LIMIT', timeInForce: 'GTC', quantity: '2', price: '95' })
    await advance(exchange)
    expect(exchange.trades()).toEqual([])
    await advance(exchange)
    expect(exchange.trades()).toMatchObject([{ price: 95, liquidity: 'maker', notional: 190, fee: 0.002, feeAsset: 'BTC' }])
    expect([exchange.balance('USDT'), exchange.balance('BTC')]).toEqual([{ free: 9_810, locked: 0 }, { free: 1.998, locked: 0 }])
  })

  it('take at once what already satisfies them', async () => {
    const exchange = await practice(QUIET, sold)
    expect((await order(exchange, { side: 'BUY', type: 'LIMIT', timeInForce: 'GTC', quantity: '1', price: '105' })).json).toMatchObject({
      status: 'FILLED', fills: [{ price: '100.00000000' }],
    })
    expect((await order(exchange, { side: 'SELL', type: 'LIMIT', timeInForce: 'GTC', quantity: '1', price: '95' })).json).toMatchObject({
      status: 'FILLED', fills: [{ price: '100.00000000' }],
    })
    expect(exchange.balance('USDT').locked).toBe(0)
  })

  it('expire when they may not wait', async () => {
    const exchange = await practice()
    const { json } = await order(exchange, { side: 'BUY', type: 'LIMIT', timeInForce: 'IOC', quantity: '1', price: '95' })
    expect(json).toMatchObject({ status: 'EXPIRED', fills: [] })
    expect(exchange.balance('USDT')).toEqual({ free: 10_000, locked: 0 })
  })

  it('sell when the price comes up to them', async () => {
    const exchange = await practice([[100, 105, 99, 104]], sold)
    await order(exchange, { side: 'SELL', type: 'LIMIT', timeInForce: 'GTC', quantity: '1', price: '105' })
    await advance(exchange)
    expect(exchange.trades()).toMatchObject([{ price: 105, liquidity: 'maker' }])
  })
})

describe('cancelling', () => {
  it('one leg cancels its list', async () => {
    const exchange = await practice(QUIET, sold)
    await pair(exchange, 10, 95, 105, { belowClientOrderId: 'stop', aboveClientOrderId: 'target' })
    const { json } = await call(exchange, 'DELETE', '/order', { ...SYMBOL, origClientOrderId: 'target', newClientOrderId: 'bye' })
    expect(json).toMatchObject({ listOrderStatus: 'ALL_DONE', orderReports: [{ origClientOrderId: 'stop', clientOrderId: 'bye' }, { origClientOrderId: 'target' }] })
    expect((await call(exchange, 'DELETE', '/order', { ...SYMBOL, origClientOrderId: 'stop' })).json).toEqual({ code: -2011, msg: 'Unknown order sent.' })
  })

  it('what was filled is refused', async () => {
    const exchange = await practice([[100, 106, 94, 100]], sold)
    await pair(exchange, 10, 95, 105, { listClientOrderId: 'pair' })
    await advance(exchange)
    expect((await call(exchange, 'DELETE', '/orderList', { ...SYMBOL, listClientOrderId: 'pair' })).json).toMatchObject({ code: -2011 })
    const replace = { side: 'SELL', type: 'MARKET', quantity: '1', cancelReplaceMode: 'STOP_ON_FAILURE', cancelOrderId: 1 }
    expect((await call(exchange, 'POST', '/order/cancelReplace', { ...SYMBOL, ...replace })).json).toMatchObject({
      code: -2022, data: { cancelResponse: { code: -2011 }, newOrderResult: 'NOT_ATTEMPTED' },
    })
  })

  it('and replacing checks filters before anything is cancelled', async () => {
    const exchange = await practice(QUIET, { ...sold, symbolFlags: { maxMarketQuantity: 5 } })
    await pair(exchange, 10, 95, 105)
    const replace = { side: 'SELL', type: 'MARKET', quantity: '6', cancelReplaceMode: 'STOP_ON_FAILURE', cancelOrderId: 1 }
    expect((await call(exchange, 'POST', '/order/cancelReplace', { ...SYMBOL, ...replace })).json).toEqual({ code: -1013, msg: 'Filter failure: MARKET_LOT_SIZE' })
    expect(exchange.balance('BTC').locked).toBe(10)
  })

  it('and replacing is refused where it is off', async () => {
    const exchange = await practice(QUIET, { ...sold, symbolFlags: { cancelReplaceAllowed: false } })
    const replace = { side: 'SELL', type: 'MARKET', quantity: '1', cancelReplaceMode: 'STOP_ON_FAILURE', cancelOrderId: 1 }
    expect((await call(exchange, 'POST', '/order/cancelReplace', { ...SYMBOL, ...replace })).json).toMatchObject({ code: -1013 })
  })
})

describe('finer candles', () => {
  /** Five-minute candles with the minutes they are made of. */
  const finer = (): Partial<PracticeOptions> => {
    const minutes = candlesOf([[100, 101, 99, 100], [100, 106, 100, 104], [104, 104, 94, 95], [95, 96, 94, 96], [96, 97, 95, 96], [96, 97, 95, 96]])
    const five = candlesOf([[100, 106, 94, 96], [96, 97, 95, 96]], 5 * MINUTE)
    return {
      ...sold, tapes: [{ ...tapeOf(five), timeframe: '5m', finer: { timeframe: '1m', columns: columnsOf(minutes), rows: minutes.length } }],
    }
  }

  it('meet resting orders at their own closes', async () => {
    const exchange = await practice(QUIET, finer())
    await pair(exchange, 10, 95, 105)
    expect((await advance(exchange)).time).toBe(START + MINUTE)
    await advance(exchange)
    expect(exchange.trades()).toMatchObject([{ price: 105, time: START + 2 * MINUTE - 1 }])
  })

  it('give the last price, while the candle that clients read is in progress', async () => {
    const exchange = await practice(QUIET, finer())
    for (let step = 0; step < 2; step++) await advance(exchange)
    expect((await ask(exchange, '/ticker/price', SYMBOL)).json).toMatchObject({ price: '104.00000000' })
    const rows = (await ask(exchange, '/klines', { ...SYMBOL, interval: '5m' })).json as unknown as unknown[][]
    expect(rows.map((row) => row.slice(0, 7))).toEqual([
      [START, '100.00000000', '104.00000000', '100.00000000', '104.00000000', '0.00000000', START + 5 * MINUTE - 1],
    ])
    expect((await ask(exchange, '/klines', { ...SYMBOL, interval: '1m' })).json).toHaveLength(3)
  })
})

it('shows the candle in progress at its open, and no candle of the future', async () => {
  const exchange = await practice([QUIET[0], null, [50, 60, 40, 55]])
  const shown = async () => (await ask(exchange, '/klines', { ...SYMBOL, interval: '1m' })).json as unknown as unknown[][]
  expect((await shown()).map((row) => row.slice(1, 6))).toEqual([['100.00000000', '100.00000000', '100.00000000', '100.00000000', '0.00000000']])
  await advance(exchange)
  expect((await shown()).map((row) => row.slice(1, 6))).toEqual([['100.00000000', '101.00000000', '99.00000000', '100.00000000', '10.00000000']])
  await advance(exchange, START + 2 * MINUTE)
  expect((await shown()).map((row) => row.slice(0, 5)).at(-1)).toEqual([START + 2 * MINUTE, '50.00000000', '50.00000000', '50.00000000', '50.00000000'])
})
