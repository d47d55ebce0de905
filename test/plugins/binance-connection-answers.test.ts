import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { ZodType } from 'zod'
import * as answers from '../../plugins/binance/answers.ts'
import { exchangeInfo, venueMarket } from '../../plugins/binance/venue-market.ts'
import { hasShared, shared, sharedNote } from '../support/shared.ts'

const fixture = (path: string): unknown => JSON.parse(readFileSync(shared(`fixtures/binance/${path}.json`), 'utf8'))
const sample = (name: string): unknown => fixture(`samples/rest-api-${name}`)

describe.skipIf(!hasShared)(`the exchange's own payloads${sharedNote}`, () => {
  const CANCEL_REPLACE = 'cancel-an-existing-order-and-send-a-new-order-trade-response-when-'
  it.each<[string, ZodType, object]>([
    ['samples/rest-api-check-server-time-response', answers.serverTime, {}],
    ['spot-http/server_time_response', answers.serverTime, {}],
    ['samples/rest-api-new-order-trade-response-ack', answers.orderAck, { orderId: 28 }],
    ['samples/rest-api-new-order-trade-response-result', answers.orderResult, { executedQty: 10, status: 'FILLED' }],
    ['samples/rest-api-new-order-trade-response-full', answers.orderFull, { executedQty: 10, fills: { length: 5, 1: { price: 3999, qty: 5 } } }],
    ['spot-http/new_order_full_response', answers.orderFull, {}],
    ['samples/rest-api-query-order-user-data-response', answers.queriedOrder, { price: 0.1, status: 'NEW', isWorking: true }],
    ['spot-http/order_response', answers.queriedOrder, {}],
    ['samples/rest-api-current-open-orders-user-data-response', answers.queriedOrders, {}],
    ['spot-http/open_orders_response', answers.queriedOrders, {}],
    ['samples/rest-api-all-orders-user-data-response', answers.queriedOrders, {}],
    ['samples/rest-api-cancel-order-trade-response', answers.cancelledOrder, { origClientOrderId: 'myOrder1', origQty: 1 }],
    ['spot-http/cancel_order_response', answers.cancelAnswer, {}],
    ['samples/rest-api-new-order-list-oco-trade-response', answers.placedList, { orderReports: [{ type: 'STOP_LOSS_LIMIT', stopPrice: 1 }, { price: 3 }] }],
    ['samples/rest-api-cancel-order-list-trade-response', answers.cancelledList, { listOrderStatus: 'ALL_DONE' }],
    ['samples/rest-api-query-order-list-user-data-response', answers.orderList, { orderListId: 27 }],
    ['samples/rest-api-query-open-order-lists-user-data-response', answers.orderLists, [{ orderListId: 31 }]],
    ['samples/rest-api-account-information-user-data-response', answers.account, { canTrade: true, balances: [{ asset: 'BTC', free: 4_723_846.89208129 }, {}] }],
    ['spot-http/account_response', answers.account, {}],
    ['samples/rest-api-query-commission-rates-user-data-response', answers.commission, { standardCommission: { taker: 2e-7 }, discount: { discountAsset: 'BNB' } }],
    ['samples/rest-api-account-trade-list-user-data-response', answers.myTrades, [{ commission: 10.1, commissionAsset: 'BNB' }]],
    ['spot-http/account_trades_response', answers.myTrades, {}],
    ['samples/rest-api-symbol-order-book-ticker-response', answers.bookTicker, { askPrice: 4.000002 }],
    ['samples/rest-api-exchange-information-response', exchangeInfo, { symbols: [{ symbol: 'ETHBTC', cancelReplaceAllowed: false }] }],
    ['spot-http/exchange_info_response', exchangeInfo, {}],
  ])('%s is understood', (path, schema, expected) => {
    expect(schema.parse(fixture(path))).toMatchObject(expected)
  })

  it.each([
    ['cancel-order-fails-with-stop-on-fai', { cancelResult: 'FAILURE', newOrderResult: 'NOT_ATTEMPTED', newOrderResponse: null }],
    ['cancel-order-succeeds-but-new-order', { cancelResponse: { executedQty: 0, status: 'CANCELED' }, newOrderResponse: { code: -2010 } }],
    ['cancel-order-fails-with-allow-failu', { cancelResponse: { code: -2011 }, newOrderResponse: { orderId: 11 } }],
    ['both-cancel-order-and-new-order-pla', { cancelResponse: { code: -2011 }, newOrderResponse: { code: -2010 } }],
  ])('cancelReplace, %s: both halves are understood', (name, expected) => {
    const { data } = sample(`${CANCEL_REPLACE}${name}`) as { data: unknown }
    expect(answers.cancelReplaceData.parse(data)).toMatchObject(expected)
  })

  it('understands every filter that it reads', () => {
    const filter = (name: string): object => fixture(`samples/filters-${name}-exchangeinfo-format`) as object
    const { symbols: [row] } = sample('exchange-information-response') as { symbols: object[] }
    const filters = ['price-filter', 'lot-size', 'market-lot-size', 'notional', 'percent-price-by-side', 'max-num-orders', 'max-num-algo-orders',
      'max-num-order-lists', 'max-position', 'trailing-delta', 'iceberg-parts'].map(filter)
    const market = venueMarket('ETH/BTC', exchangeInfo.parse({ symbols: [{ ...row, filters }] }).symbols[0])
    expect(market).toMatchObject({
      id: 'ETHBTC', status: 'TRADING', tickSize: 1e-6, lotSize: 0.001, lot: { min: 0.001, max: 100_000 },
      marketLot: { min: 0.001, max: 100_000, step: 0.001 }, minNotional: 10, minNotionalForMarket: false, maxNotional: 10_000,
      percentPriceBySide: { askMultiplierDown: 0.8, askMultiplierUp: 5, bidMultiplierUp: 1.2, bidMultiplierDown: 0.2 },
      maxNumOrders: 25, maxNumAlgoOrders: 5, maxNumOrderLists: 20, ocoAllowed: true, cancelReplaceAllowed: false,
      instrument: { symbol: 'ETH/BTC', base: 'ETH', quote: 'BTC', tickSize: 1e-6, lotSize: 0.001, minNotional: 10 },
    })
    const bare = venueMarket('ETH/BTC', exchangeInfo.parse({ symbols: [row] }).symbols[0])
    expect(bare).toMatchObject({ tickSize: 0, lot: { min: 0, max: Infinity }, maxNumOrders: Infinity, percentPriceBySide: null })
    expect(() => exchangeInfo.parse({ symbols: [{ ...row, filters: [{ filterType: 'LOT_SIZE', minQty: 'x' }] }] })).toThrow(/LOT_SIZE/)
  })

  it('understands klines as candles', () => {
    expect(answers.klines.parse(sample('kline-candlestick-data-response'))).toEqual([
      { openTime: 1499040000000, open: 0.0163479, high: 0.8, low: 0.015758, close: 0.015771, volume: 148976.11427815 },
    ])
  })
})

describe('klines', () => {
  const row = (openTime: number, open: string, high: string, low: string, close: string, volume = '1'): unknown[] =>
    [openTime, open, high, low, close, volume, openTime + 59_999, '0', 1, '0', '0', '0']

  it('are never made of garbage', () => {
    const good = row(60_000, '10', '12', '9', '11')
    expect(answers.klines.parse([good])).toHaveLength(1)
    for (const bad of [
      row(60_000, '10', '9', '12', '11'), row(60_000, '13', '12', '9', '11'), row(60_000, '10', '12', '9', '8'), row(60_000, '0', '12', '0', '11'),
      row(60_000, '10', '12', '9', '11', '-1'), row(0, '10', '12', '9', '11'), row(1.5, '10', '12', '9', '11'), [60_000, 10, 12, 9, 11, 1, 119_999],
      [60_000, '10', '12', '9'], [], {}, 'x', null, row(60_000, 'NaN', '12', '9', '11'), row(60_000, '10', 'Infinity', '9', '11'),
    ]) expect(answers.klines.safeParse([bad]).success, JSON.stringify(bad)).toBe(false)
    for (const whole of [{}, 'html', null, { code: 0 }]) expect(answers.klines.safeParse(whole).success).toBe(false)
  })

  it('rise', () => {
    const at = (openTime: number): unknown[] => row(openTime, '10', '12', '9', '11')
    expect(answers.klines.safeParse([at(60_000), at(120_000)]).success).toBe(true)
    expect(answers.klines.safeParse([at(120_000), at(60_000)]).success).toBe(false)
    expect(answers.klines.safeParse([at(60_000), at(60_000)]).success).toBe(false)
  })
})
