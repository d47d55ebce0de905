import ccxt from 'ccxt'
import { describe, expect, it } from 'vitest'
import { instrumentOf } from '../../engine/core/instrument.ts'
import type { PracticeExchange, PracticeOptions } from '../../plugins/exchange/exchange.ts'
import { advance, candlesOf, COSTS, KEYS, MINUTE, practice, QUIET, START, tapeOf, type Json } from '../support/practice.ts'

/** ccxt makes its implicit methods at run time, with any answer. */
type Implicit = Readonly<Record<`private${string}` | `public${string}`, (params?: object) => Promise<Json>>>
type Unified = 'fetchTime' | 'loadMarkets' | 'fetchOHLCV' | 'fetchTicker' | 'fetchTickers' | 'fetchBidsAsks' | 'fetchOrderBook' | 'createOrder'
  | 'fetchBalance' | 'fetchOrder' | 'fetchOrders' | 'fetchOpenOrders' | 'fetchMyTrades' | 'cancelOrder' | 'last_http_response'
type Client = Pick<InstanceType<typeof ccxt.binance>, Unified> & Implicit

function client(exchange: PracticeExchange): Client {
  const ex = new ccxt.binance({
    apiKey: KEYS.apiKey, secret: KEYS.apiSecret, enableRateLimit: false, timeout: 5_000,
    fetchImplementation: (url: string, init: RequestInit) => fetch(url, { ...init, redirect: 'error' }),
    options: { defaultType: 'spot', fetchMarkets: { types: ['spot'] }, fetchMargins: false, fetchCurrencies: false },
  })
  const api = ex.urls['api'] as Record<string, string>
  api['public'] = api['private'] = `${exchange.url}/api/v3`
  ex.milliseconds = ex.nonce = () => exchange.now()
  return ex
}

const id = { symbol: 'BTCUSDT' }
const buy = { ...id, side: 'BUY', type: 'MARKET', quoteOrderQty: '1000' }
const sell = { ...id, side: 'SELL', type: 'MARKET', quantity: '1' }
const limit = { ...id, side: 'BUY', type: 'LIMIT', timeInForce: 'GTC', quantity: '1', price: '90' }
const stop = { ...id, side: 'SELL', type: 'STOP_LOSS', quantity: '1', stopPrice: '90' }
const oco = { ...id, side: 'SELL', quantity: '1', aboveType: 'LIMIT_MAKER', abovePrice: '110', belowType: 'STOP_LOSS', belowStopPrice: '90' }

async function start(options: Partial<PracticeOptions> = {}): Promise<{ exchange: PracticeExchange; ex: Client }> {
  const exchange = await practice(QUIET, { balances: { USDT: 10_000, BTC: 20 }, ...options })
  return { exchange, ex: client(exchange) }
}

describe('ccxt as a client', () => {
  it('reads time, markets, candles, tickers and the book', async () => {
    const { exchange, ex } = await start()
    await advance(exchange)
    expect(await ex.publicGetPing()).toEqual({})
    expect(await ex.fetchTime()).toBe(START + MINUTE)
    const market = (await ex.loadMarkets())['BTC/USDT']
    expect(market).toMatchObject({ active: true, spot: true, precision: { amount: 1e-8, price: 1e-8 }, limits: { amount: { min: 1e-8 } } })
    expect(await ex.fetchOHLCV('BTC/USDT', '1m')).toEqual([[START, 100, 101, 99, 100, 10], [START + MINUTE, 100, 100, 100, 100, 0]])
    expect(await ex.fetchTicker('BTC/USDT')).toMatchObject({ last: 100, high: 101, low: 99, bid: 100, ask: 100, baseVolume: 10 })
    expect(await ex.fetchBidsAsks(['BTC/USDT'])).toMatchObject({ 'BTC/USDT': { bid: 100, ask: 100 } })
    expect(await ex.fetchOrderBook('BTC/USDT')).toMatchObject({ bids: [[100, 1000]], asks: [[100, 1000]] })
    expect(await ex.publicGetTickerPrice(id)).toEqual({ symbol: 'BTCUSDT', price: '100.00000000' })
  })

  it('pages through candles by time', async () => {
    const { exchange, ex } = await start()
    await advance(exchange, START + MINUTE)
    for (let step = 0; step < 6; step++) await advance(exchange)
    const times = async (params: object): Promise<number[]> =>
      (await ex.publicGetKlines({ ...id, interval: '1m', ...params }) as unknown as number[][]).map(([time]) => (Number(time) - START) / MINUTE)
    expect(await times({})).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    expect(await times({ limit: 2 })).toEqual([6, 7])
    expect(await times({ startTime: START + 2 * MINUTE, limit: 3 })).toEqual([2, 3, 4])
    expect(await times({ startTime: START + 1, endTime: START + 3 * MINUTE })).toEqual([1, 2, 3])
    expect(await times({ endTime: START + 3 * MINUTE - 1, limit: 2 })).toEqual([1, 2])
    expect(await times({ startTime: START + 60 * MINUTE })).toEqual([])
  })

  it('trades at the market and reads the account', async () => {
    const { ex } = await start({ balances: { USDT: 10_000 } })
    await ex.loadMarkets()
    const bought = await ex.createOrder('BTC/USDT', 'market', 'buy', 2)
    expect(bought).toMatchObject({ status: 'closed', filled: 2, cost: 200, average: 100, fee: { cost: 0.002, currency: 'BTC' } })
    const sold = await ex.createOrder('BTC/USDT', 'market', 'sell', 1)
    expect(sold).toMatchObject({ status: 'closed', filled: 1, cost: 100, fee: { cost: 0.1, currency: 'USDT' } })
    const balance = await ex.fetchBalance()
    expect([balance['BTC'], balance['USDT']]).toMatchObject([{ free: 0.998, used: 0 }, { free: 9899.9, used: 0 }])
    expect(await ex.fetchOrder(String(bought.id), 'BTC/USDT')).toMatchObject({ id: bought.id, status: 'closed', filled: 2 })
    expect(await ex.fetchOrders('BTC/USDT')).toHaveLength(2)
    expect(await ex.fetchMyTrades('BTC/USDT')).toMatchObject([
      { order: bought.id, side: 'buy', amount: 2, takerOrMaker: 'taker' }, { order: sold.id, side: 'sell', amount: 1, cost: 100 },
    ])
    expect(await ex.privateGetAccountCommission(id)).toMatchObject({ standardCommission: { taker: '0.00100000' } })
  })

  it('finds an order by client id, open or done', async () => {
    const { ex } = await start()
    await ex.loadMarkets()
    await ex.privatePostOrder({ ...limit, newClientOrderId: 'mine-1' })
    const find = () => ex.fetchOrder(undefined as unknown as string, 'BTC/USDT', { clientOrderId: 'mine-1' })
    expect(await find()).toMatchObject({ status: 'open', clientOrderId: 'mine-1', price: 90, remaining: 1 })
    expect(await ex.fetchOpenOrders('BTC/USDT')).toHaveLength(1)
    await ex.cancelOrder(undefined as unknown as string, 'BTC/USDT', { clientOrderId: 'mine-1' })
    expect(await find()).toMatchObject({ status: 'canceled', clientOrderId: 'mine-1' })
    expect(await ex.fetchOpenOrders('BTC/USDT')).toEqual([])
  })

  it('rests, reads and cancels a pair', async () => {
    const { exchange, ex } = await start()
    const placed = await ex.privatePostOrderListOco({ ...oco, listClientOrderId: 'list', aboveClientOrderId: 'up', belowClientOrderId: 'down' })
    expect(placed).toMatchObject({ listStatusType: 'EXEC_STARTED', orderReports: [{ type: 'STOP_LOSS', workingTime: -1 }, { type: 'LIMIT_MAKER' }] })
    expect(exchange.balance('BTC')).toEqual({ free: 19, locked: 1 })
    expect(await ex.privateGetOrderList({ origClientOrderId: 'list' })).toMatchObject({ listOrderStatus: 'EXECUTING' })
    expect(await ex.privateGetOrderList({ orderListId: 0 })).toMatchObject({ listClientOrderId: 'list' })
    expect(await ex.privateGetOpenOrderList()).toHaveLength(1)
    expect(await ex.privateGetOrder({ ...id, origClientOrderId: 'down' })).toMatchObject({ isWorking: false, stopPrice: '90.00000000' })
    const cancelled = await ex.privateDeleteOrderList({ ...id, listClientOrderId: 'list' })
    expect(cancelled).toMatchObject({ listStatusType: 'ALL_DONE', orderReports: [{ status: 'CANCELED' }, { status: 'CANCELED' }] })
    expect(exchange.balance('BTC')).toEqual({ free: 20, locked: 0 })
    expect(await ex.privateGetOpenOrderList()).toEqual([])
  })

  it('replaces a pair by a market sale in one request', async () => {
    const { exchange, ex } = await start({ balances: { BTC: 1 } })
    await ex.privatePostOrderListOco({ ...oco, belowClientOrderId: 'down' })
    await expect(ex.privatePostOrder(sell)).rejects.toThrow(ccxt.InsufficientFunds)
    const replaced = await ex.privatePostOrderCancelReplace({ ...sell, cancelReplaceMode: 'STOP_ON_FAILURE', cancelOrigClientOrderId: 'down' })
    expect(replaced).toMatchObject({
      cancelResult: 'SUCCESS', newOrderResult: 'SUCCESS', newOrderResponse: { status: 'FILLED', executedQty: '1.00000000' },
      cancelResponse: { listStatusType: 'ALL_DONE', orderReports: [{ status: 'CANCELED', executedQty: '0.00000000' }, { status: 'CANCELED' }] },
    })
    expect(exchange.balance('BTC')).toEqual({ free: 0, locked: 0 })
  })

  it('tests an order without placing it', async () => {
    const { exchange, ex } = await start()
    expect(await ex.privatePostOrderTest(buy)).toEqual({})
    await expect(ex.privatePostOrderTest({ ...limit, price: '90.000000001' })).rejects.toThrow('-1111')
    expect(exchange.orders()).toEqual([])
  })
})

describe('ccxt maps refusals', () => {
  const steps = { instruments: { 'BTC/USDT': instrumentOf('BTC/USDT', { tickSize: 0.01, lotSize: 0.001, minNotional: 10 }) } }
  const flags = (symbolFlags: PracticeOptions['symbolFlags']): Partial<PracticeOptions> => ({ ...steps, symbolFlags: symbolFlags! })
  const filters: readonly (readonly [string, string, object, Partial<PracticeOptions>])[] = [
    ['PRICE_FILTER', 'Order', { ...limit, price: '90.001' }, steps],
    ['PRICE_FILTER', 'Order', { ...stop, stopPrice: '90.001' }, steps],
    ['PRICE_FILTER', 'Order', { ...limit, side: 'SELL', price: '400' }, flags({ maxPrice: 300 })],
    ['PRICE_FILTER', 'OrderListOco', { ...oco, abovePrice: '110.005' }, steps],
    ['PERCENT_PRICE_BY_SIDE', 'Order', { ...limit, price: '10' }, steps],
    ['PERCENT_PRICE_BY_SIDE', 'OrderListOco', { ...oco, abovePrice: '501' }, steps],
    ['LOT_SIZE', 'Order', { ...sell, quantity: '1.0005' }, steps],
    ['LOT_SIZE', 'Order', { ...limit, quantity: '0.0001' }, steps],
    ['LOT_SIZE', 'Order', { ...limit, quantity: '6' }, flags({ maxQuantity: 5 })],
    ['LOT_SIZE', 'Order', { ...buy, quoteOrderQty: '0.05' }, steps],
    ['MARKET_LOT_SIZE', 'Order', { ...sell, quantity: '6' }, flags({ maxMarketQuantity: 5 })],
    ['NOTIONAL', 'Order', { ...buy, quoteOrderQty: '9.9' }, steps],
    ['NOTIONAL', 'Order', { ...sell, quantity: '0.099' }, steps],
    ['NOTIONAL', 'Order', { ...limit, quantity: '0.1' }, steps],
    ['NOTIONAL', 'Order', { ...limit, quantity: '2' }, flags({ maxNotional: 100 })],
    ['NOTIONAL', 'OrderListOco', { ...oco, quantity: '0.105' }, steps],
    ['MAX_NUM_ORDERS', 'Order', limit, flags({ maxNumOrders: 0 })],
    ['MAX_NUM_ORDERS', 'OrderListOco', oco, flags({ maxNumOrders: 1 })],
    ['MAX_NUM_ALGO_ORDERS', 'Order', stop, flags({ maxNumAlgoOrders: 0 })],
    ['MAX_NUM_ALGO_ORDERS', 'OrderListOco', oco, flags({ maxNumAlgoOrders: 0 })],
    ['MAX_NUM_ORDER_LISTS', 'OrderListOco', oco, flags({ maxNumOrderLists: 0 })],
  ]
  it.each(filters)('%s on %s of %j', async (filter, path, params, options) => {
    const { exchange, ex } = await start(options)
    const error = await ex[`privatePost${path}`](params).then(() => null, (reason: unknown) => reason)
    expect(error).toBeInstanceOf(ccxt.BaseError)
    expect(JSON.parse(String(ex.last_http_response))).toEqual({ code: -1013, msg: `Filter failure: ${filter}` })
    expect(exchange.orders()).toEqual([])
    expect(exchange.balance('USDT')).toEqual({ free: 10_000, locked: 0 })
  })

  const refused: readonly (readonly [string, number, string, string, object, Partial<PracticeOptions>])[] = [
    ['no money', -2010, 'insufficient balance', 'Order', { ...buy, quoteOrderQty: '10001' }, {}],
    ['nothing to sell', -2010, 'insufficient balance', 'Order', { ...sell, quantity: '21' }, {}],
    ['nothing to protect', -2010, 'insufficient balance', 'OrderListOco', { ...oco, quantity: '21' }, {}],
    ['a stop above the market', -2010, 'Stop price would trigger immediately', 'Order', { ...stop, stopPrice: '100' }, {}],
    ['a pair whose stop is above the market', -2010, 'Stop price would trigger immediately', 'OrderListOco', { ...oco, belowStopPrice: '100' }, {}],
    ['a pair whose target is below the market', -2010, 'relationship of the prices', 'OrderListOco', { ...oco, abovePrice: '100' }, {}],
    ['a pair upside down', -2010, 'relationship of the prices', 'OrderListOco', { ...oco, abovePrice: '80' }, {}],
    ['a maker that takes', -2010, 'immediately match and take', 'Order', { ...limit, type: 'LIMIT_MAKER', timeInForce: '', price: '100' }, {}],
    ['an unknown symbol', -1121, 'Invalid symbol', 'Order', { ...buy, symbol: 'NOPE' }, {}],
    ['an unknown type', -1116, 'Invalid orderType', 'Order', { ...buy, type: 'HOPE' }, {}],
    ['an unknown side', -1117, 'Invalid side', 'Order', { ...buy, side: 'HOLD' }, {}],
    ['an unknown time in force', -1115, 'Invalid timeInForce', 'Order', { ...limit, timeInForce: 'GTD' }, {}],
    ['a missing quantity', -1102, "'quantity' or 'quoteOrderQty'", 'Order', { ...buy, quoteOrderQty: '' }, {}],
    ['a missing price', -1102, "'price'", 'Order', { ...limit, price: '' }, {}],
    ['a price for a market order', -1106, "'price' sent when not required", 'Order', { ...buy, price: '100' }, {}],
    ['a malformed amount', -1100, "'quoteOrderQty'", 'Order', { ...buy, quoteOrderQty: '1e3' }, {}],
    ['nine decimals', -1111, 'too much precision', 'Order', { ...sell, quantity: '0.123456789' }, {}],
    ['a client id with spaces', -1100, "'newClientOrderId'", 'Order', { ...buy, newClientOrderId: 'a b' }, {}],
    ['a take-profit order', -1013, 'Take profit orders are not supported', 'Order', { ...stop, type: 'TAKE_PROFIT' }, {}],
    ['a stop where stops are off', -1013, 'Stop loss orders are not supported', 'Order', stop, { symbolFlags: { orderTypes: ['MARKET'] } }],
    ['a pair where pairs are off', -1013, 'OCO orders are not supported', 'OrderListOco', oco, { symbolFlags: { ocoAllowed: false } }],
    ['a buy by cost where that is off', -1013, 'Quote order qty', 'Order', buy, { symbolFlags: { quoteOrderQtyMarketAllowed: false } }],
    ['a closed market', -1013, 'Market is closed', 'Order', buy, { symbolFlags: { status: 'HALT' } }],
  ]
  it.each(refused)('%s', async (_case, code, text, path, params, options) => {
    const { exchange, ex } = await start(options)
    const error = await ex[`privatePost${path}`](params).then(() => null, (reason: unknown) => reason)
    expect(error).toBeInstanceOf(ccxt.BaseError)
    expect(JSON.parse(String(ex.last_http_response))).toEqual({ code, msg: expect.stringContaining(text) as string })
    expect(exchange.orders()).toEqual([])
  })

  it('knows which orders it does not know', async () => {
    const { ex } = await start()
    await ex.loadMarkets()
    await expect(ex.fetchOrder('7', 'BTC/USDT')).rejects.toThrow(ccxt.OrderNotFound)
    await expect(ex.cancelOrder('7', 'BTC/USDT')).rejects.toThrow(ccxt.OrderNotFound)
    await expect(ex.privateGetOrderList({ orderListId: 7 })).rejects.toThrow('-2013')
    await expect(ex.privateDeleteOrderList({ ...id, orderListId: 7 })).rejects.toThrow('-2011')
    await expect(ex.privateGetOrder(id)).rejects.toThrow('-1102')
  })

  it('takes a client id twice, but not while the first order is open', async () => {
    const { ex } = await start()
    await ex.privatePostOrder({ ...buy, newClientOrderId: 'same' })
    const second = await ex.privatePostOrder({ ...limit, newClientOrderId: 'same' })
    await expect(ex.privatePostOrder({ ...buy, newClientOrderId: 'same' })).rejects.toThrow('Duplicate order sent.')
    await expect(ex.privatePostOrderListOco({ ...oco, aboveClientOrderId: 'same' })).rejects.toThrow('Duplicate order sent.')
    expect(await ex.privateGetOrder({ ...id, origClientOrderId: 'same' })).toMatchObject({ orderId: second['orderId'], status: 'NEW' })
  })

  it('refuses spans over 24 hours, and more than one way to page', async () => {
    const { ex } = await start()
    const day = 24 * 60 * MINUTE
    await expect(ex.privateGetMyTrades({ ...id, startTime: START, endTime: START + day + 1 })).rejects.toThrow('-1127')
    await expect(ex.privateGetAllOrders({ ...id, startTime: START, endTime: START + day + 1 })).rejects.toThrow('-1127')
    await expect(ex.privateGetMyTrades({ ...id, startTime: START, fromId: 1 })).rejects.toThrow('-1128')
    expect(await ex.privateGetMyTrades({ ...id, startTime: START, endTime: START + day })).toEqual([])
  })

  it('refuses intervals that the tape does not have, and unknown ones', async () => {
    const { ex } = await start()
    await expect(ex.publicGetKlines({ ...id, interval: '7m' })).rejects.toThrow('-1120')
    await expect(ex.publicGetKlines({ ...id, interval: '1h' })).rejects.toThrow('-1120')
  })
})

it('pages through trades by id', async () => {
  const { ex } = await start()
  for (let count = 0; count < 5; count++) await ex.privatePostOrder({ ...buy, quoteOrderQty: '100' })
  const ids = async (params: object): Promise<unknown[]> => (await ex.privateGetMyTrades({ ...id, ...params }) as unknown as { id: number }[]).map((trade) => Number(trade.id))
  expect(await ids({ fromId: 2, limit: 2 })).toEqual([2, 3])
  expect(await ids({ limit: 2 })).toEqual([4, 5])
  expect(await ids({ orderId: 3 })).toEqual([3])
})

it('serves several symbols from one account', async () => {
  const tapes = [tapeOf(candlesOf(QUIET)), tapeOf(candlesOf([[5, 6, 4, 5], [5, 5, 3, 4]]), 'ETH/USDT')]
  const instruments = { 'BTC/USDT': instrumentOf('BTC/USDT'), 'ETH/USDT': instrumentOf('ETH/USDT') }
  const exchange = await practice(QUIET, { tapes, instruments, costs: COSTS })
  const ex = client(exchange)
  await ex.loadMarkets()
  await ex.createOrder('ETH/USDT', 'market', 'buy', 10)
  await ex.createOrder('BTC/USDT', 'market', 'buy', 1)
  expect(exchange.balance('USDT').free).toBe(10_000 - 50 - 100)
  expect(exchange.trades('ETH/USDT')).toHaveLength(1)
  expect(await ex.fetchTickers()).toMatchObject({ 'BTC/USDT': { last: 100 }, 'ETH/USDT': { last: 5 } })
  expect(exchange.endTime).toBe(START + 20 * MINUTE)
})
