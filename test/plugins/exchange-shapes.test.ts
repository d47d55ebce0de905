import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { PracticeExchange } from '../../plugins/exchange/exchange.ts'
import { advance, ask, call, marketBuy, pair, practice, SYMBOL, type RawAnswer } from '../support/practice.ts'
import { shared, sharedNote } from '../support/shared.ts'

const official = existsSync(shared('fixtures/binance/samples/INDEX.tsv'))
const sample = (name: string): unknown => JSON.parse(readFileSync(shared(`fixtures/binance/samples/rest-api-${name}.json`), 'utf8'))
const plain = (name: string): unknown => JSON.parse(readFileSync(shared(`fixtures/binance/spot-http/${name}_response.json`), 'utf8'))

/** Documentation that says `{}` or `[]` says nothing about what is inside. */
const ANYTHING = '*'

/** Keys and types of a value; a list counts as its first element, a candle's row as all of its fields. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) {
    if (value.length === 0) return ANYTHING
    const alike = value.every((one) => typeof one === typeof value[0]) && !Array.isArray(value[0])
    return alike ? [shapeOf(value[0])] : value.map(shapeOf)
  }
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value
  const entries = Object.entries(value).filter(([name]) => name !== 'icebergQty')
  return entries.length === 0 ? {} : Object.fromEntries(entries.map(([name, inner]) => [name, shapeOf(inner)]))
}

/** What the documentation leaves open is open in the answer too. */
function openAlike(answer: unknown, official: unknown): unknown {
  if (official === ANYTHING) return ANYTHING
  if (Array.isArray(answer) && Array.isArray(official)) {
    return typeof official[0] === 'object' && Object.keys(official[0] as object).length === 0 ? official : answer.map((one, index) => openAlike(one, official[index]))
  }
  if (typeof answer === 'object' && answer !== null && typeof official === 'object' && official !== null) {
    return Object.fromEntries(Object.entries(answer).map(([name, inner]) => [name, openAlike(inner, (official as Record<string, unknown>)[name])]))
  }
  return answer
}

function expectShape(answer: RawAnswer, fixture: unknown, status = 200): void {
  expect(answer.status, answer.text).toBe(status)
  const wanted = shapeOf(fixture)
  expect(openAlike(shapeOf(answer.json), wanted)).toEqual(wanted)
}

const LIMIT = { ...SYMBOL, side: 'BUY', type: 'LIMIT', timeInForce: 'GTC', quantity: '1', price: '90' } as const

/** An account that has bought 10 and sells 5 of them by a pair. */
async function holding(): Promise<{ exchange: PracticeExchange; list: RawAnswer }> {
  const exchange = await practice()
  await marketBuy(exchange, 1000)
  const list = await pair(exchange, 5, 90, 110, { belowType: 'STOP_LOSS_LIMIT', belowPrice: '89', belowTimeInForce: 'GTC' })
  return { exchange, list }
}

describe.runIf(official)(`answers have the official shape${sharedNote}`, () => {
  it('of public endpoints', async () => {
    const exchange = await practice()
    await advance(exchange)
    expectShape(await ask(exchange, '/ping'), plain('ping'))
    expectShape(await ask(exchange, '/time'), plain('server_time'))
    expectShape(await ask(exchange, '/exchangeInfo'), { ...sample('exchange-information-response') as object, sors: [] })
    expectShape(await ask(exchange, '/klines', { ...SYMBOL, interval: '1m', limit: 1 }), plain('klines'))
    expectShape(await ask(exchange, '/ticker/price', SYMBOL), sample('symbol-price-ticker-response'))
    expectShape(await ask(exchange, '/ticker/price'), sample('symbol-price-ticker-response-2'))
    expectShape(await ask(exchange, '/ticker/bookTicker', SYMBOL), plain('book_ticker'))
    expectShape(await ask(exchange, '/ticker/bookTicker'), sample('symbol-order-book-ticker-response-2'))
    expectShape(await ask(exchange, '/ticker/24hr', SYMBOL), plain('ticker_24hr'))
    expectShape(await ask(exchange, '/ticker/24hr'), sample('24hr-ticker-price-change-statistics-response-full-2'))
    expectShape(await ask(exchange, '/ticker/24hr', { ...SYMBOL, type: 'MINI' }), sample('24hr-ticker-price-change-statistics-response-mini'))
    expectShape(await ask(exchange, '/avgPrice', SYMBOL), plain('avg_price'))
    expectShape(await ask(exchange, '/depth', SYMBOL), plain('depth'))
  })

  it('of a symbol\'s filters', async () => {
    const exchange = await practice()
    const { json } = await ask(exchange, '/exchangeInfo', SYMBOL)
    const filters = json['symbols'][0]['filters'] as unknown as { filterType: string }[]
    expect(filters.map(({ filterType }) => filterType)).toEqual([
      'PRICE_FILTER', 'LOT_SIZE', 'MARKET_LOT_SIZE', 'PERCENT_PRICE_BY_SIDE', 'NOTIONAL', 'MAX_NUM_ORDERS', 'MAX_NUM_ALGO_ORDERS', 'MAX_NUM_ORDER_LISTS',
    ])
    for (const filter of filters) {
      const file = `fixtures/binance/samples/filters-${filter.filterType.toLowerCase().replaceAll('_', '-')}-exchangeinfo-format.json`
      expect(shapeOf(filter), filter.filterType).toEqual(shapeOf(JSON.parse(readFileSync(shared(file), 'utf8'))))
    }
  })

  it('of errors', async () => {
    const exchange = await practice()
    expectShape(await ask(exchange, '/klines', { symbol: 'NONE', interval: '1m' }), sample('error-codes-sample-payload-below'), 400)
  })

  it('of new orders, by response type', async () => {
    const exchange = await practice()
    expectShape(await marketBuy(exchange, 1000), plain('new_order_full'))
    expectShape(await marketBuy(exchange, 1000, { newOrderRespType: 'RESULT' }), sample('new-order-trade-response-result'))
    expectShape(await marketBuy(exchange, 1000, { newOrderRespType: 'ACK' }), sample('new-order-trade-response-ack'))
    expectShape(await call(exchange, 'POST', '/order', { ...LIMIT, type: 'LIMIT_MAKER', timeInForce: '' }), sample('new-order-trade-response-ack'))
    expectShape(await call(exchange, 'POST', '/order/test', LIMIT), {})
    expectShape(await call(exchange, 'POST', '/order/test', { ...LIMIT, computeCommissionRates: 'true' }), sample('test-new-order-trade-response-2'))
  })

  it('of queries', async () => {
    const { exchange } = await holding()
    await call(exchange, 'POST', '/order', { ...LIMIT, newClientOrderId: 'resting' })
    expectShape(await call(exchange, 'GET', '/order', { ...SYMBOL, origClientOrderId: 'resting' }), plain('order'))
    expectShape(await call(exchange, 'GET', '/openOrders', SYMBOL), plain('open_orders'))
    expectShape(await call(exchange, 'GET', '/allOrders', SYMBOL), plain('all_orders'))
    expectShape(await call(exchange, 'GET', '/myTrades', SYMBOL), plain('account_trades'))
    expectShape(await call(exchange, 'GET', '/account'), plain('account'))
    expectShape(await call(exchange, 'GET', '/account/commission', SYMBOL), sample('query-commission-rates-user-data-response'))
  })

  it('of cancelled orders', async () => {
    const exchange = await practice()
    await call(exchange, 'POST', '/order', { ...LIMIT, newClientOrderId: 'resting' })
    const cancelled = await call(exchange, 'DELETE', '/order', { ...SYMBOL, origClientOrderId: 'resting', newClientOrderId: 'goodbye' })
    expectShape(cancelled, plain('cancel_order'))
    expect(cancelled.json).toMatchObject({ origClientOrderId: 'resting', clientOrderId: 'goodbye', status: 'CANCELED' })
  })

  it('of lists', async () => {
    const { exchange, list } = await holding()
    expectShape(list, sample('new-order-list-oco-trade-response'))
    const id = Number(list.json['orderListId'])
    expectShape(await call(exchange, 'GET', '/orderList', { orderListId: id }), sample('query-order-list-user-data-response'))
    expectShape(await call(exchange, 'GET', '/openOrderList'), sample('query-open-order-lists-user-data-response'))
    expectShape(await call(exchange, 'GET', '/allOrderList'), sample('query-open-order-lists-user-data-response'))
    expectShape(await call(exchange, 'DELETE', '/orderList', { ...SYMBOL, orderListId: id }), sample('cancel-order-list-trade-response'))
  })

  it('of everything open cancelled at once: single orders as such, a list as one', async () => {
    const { exchange } = await holding()
    await call(exchange, 'POST', '/order', LIMIT)
    const { json, status } = await call(exchange, 'DELETE', '/openOrders', SYMBOL)
    expect(status).toBe(200)
    const [single, , listed] = plain('cancel_open_orders') as unknown[]
    expect((json as unknown as unknown[]).map(shapeOf)).toEqual([shapeOf(listed), shapeOf(single)])
  })

  it('of a cancel-replace whose halves succeed or fail', async () => {
    const REPLACE = 'cancel-an-existing-order-and-send-a-new-order-trade-response-when-'
    const exchange = await practice()
    const replace = (params: Readonly<Record<string, string>>): Promise<RawAnswer> =>
      call(exchange, 'POST', '/order/cancelReplace', { ...SYMBOL, side: 'BUY', quantity: '1', ...params })
    const [maker, taker] = [{ type: 'LIMIT_MAKER', price: '90' }, { type: 'LIMIT_MAKER', price: '100' }]
    const unknown = { cancelOrigClientOrderId: 'nobody' }
    expectShape(await replace({ ...maker, ...unknown, cancelReplaceMode: 'STOP_ON_FAILURE' }), sample(`${REPLACE}cancel-order-fails-with-stop-on-fai`), 400)
    expectShape(await replace({ ...maker, ...unknown, cancelReplaceMode: 'ALLOW_FAILURE' }), sample(`${REPLACE}cancel-order-fails-with-allow-failu`), 409)
    expectShape(await replace({ ...taker, ...unknown, cancelReplaceMode: 'ALLOW_FAILURE' }), sample(`${REPLACE}both-cancel-order-and-new-order-pla`), 400)
    await call(exchange, 'POST', '/order', { ...LIMIT, newClientOrderId: 'resting' })
    const resting = { cancelOrigClientOrderId: 'resting', cancelReplaceMode: 'STOP_ON_FAILURE' }
    expectShape(await replace({ ...taker, ...resting }), sample(`${REPLACE}cancel-order-succeeds-but-new-order`), 409)
  })
})
