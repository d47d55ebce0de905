import { Spot, SpotRestAPI } from '@binance/spot'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { KEYS, practice, QUIET, START } from '../support/practice.ts'

// The connector signs with the machine's clock and cannot be told another.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: START })
})
afterEach(() => {
  vi.useRealTimers()
})

const { NewOrderSideEnum: Side, NewOrderTypeEnum: Type, NewOrderNewOrderRespTypeEnum: Response } = SpotRestAPI
const symbol = 'BTCUSDT'

async function start() {
  const exchange = await practice(QUIET, { balances: { USDT: 10_000 } })
  const { restAPI } = new Spot({ configurationRestAPI: { apiKey: KEYS.apiKey, apiSecret: KEYS.apiSecret, basePath: exchange.url, retries: 0 } })
  return { exchange, api: restAPI }
}

it('reads the exchange and the account', async () => {
  const { api } = await start()
  const info = await (await api.exchangeInfo({ symbol })).data()
  expect(info.symbols?.[0]).toMatchObject({ symbol, status: 'TRADING', baseAsset: 'BTC', quoteAsset: 'USDT', ocoAllowed: true })
  const account = await (await api.getAccount()).data()
  expect(account.balances).toEqual([{ asset: 'BTC', free: '0.00000000', locked: '0.00000000' }, { asset: 'USDT', free: '10000.00000000', locked: '0.00000000' }])
  expect(await (await api.time()).data()).toEqual({ serverTime: START })
  const klines = await (await api.klines({ symbol, interval: SpotRestAPI.KlinesIntervalEnum.INTERVAL_1m })).data()
  expect(klines).toHaveLength(1)
})

it('buys, protects, replaces the protection by a sale, and reads its trades', async () => {
  const { exchange, api } = await start()
  const bought = await (await api.newOrder({
    symbol, side: Side.BUY, type: Type.MARKET, quoteOrderQty: 1000, newClientOrderId: 'entry', newOrderRespType: Response.FULL,
  })).data()
  expect(bought).toMatchObject({ status: 'FILLED', executedQty: '10.00000000', fills: [{ commission: '0.01000000', commissionAsset: 'BTC' }] })
  const list = await (await api.orderListOco({
    symbol, side: SpotRestAPI.OrderListOcoSideEnum.SELL, quantity: 9.99, aboveType: SpotRestAPI.OrderListOcoAboveTypeEnum.LIMIT_MAKER,
    abovePrice: 110, belowType: SpotRestAPI.OrderListOcoBelowTypeEnum.STOP_LOSS, belowStopPrice: 90, belowClientOrderId: 'stop',
  })).data()
  expect(list.orderReports).toHaveLength(2)
  expect(exchange.balance('BTC')).toEqual({ free: 0, locked: 9.99 })
  const replaced = await (await api.orderCancelReplace({
    symbol, side: SpotRestAPI.OrderCancelReplaceSideEnum.SELL, type: SpotRestAPI.OrderCancelReplaceTypeEnum.MARKET, quantity: 9.99,
    cancelReplaceMode: SpotRestAPI.OrderCancelReplaceCancelReplaceModeEnum.STOP_ON_FAILURE, cancelOrigClientOrderId: 'stop',
  })).data()
  expect(replaced).toMatchObject({ cancelResult: 'SUCCESS', newOrderResult: 'SUCCESS' })
  const trades = await (await api.myTrades({ symbol })).data()
  expect(trades).toMatchObject([{ isBuyer: true, qty: '10.00000000' }, { isBuyer: false, qty: '9.99000000', commissionAsset: 'USDT' }])
  expect(await (await api.getOrder({ symbol, origClientOrderId: 'entry' })).data()).toMatchObject({ status: 'FILLED', cummulativeQuoteQty: '1000.00000000' })
})

it('rests a limit order and cancels it', async () => {
  const { exchange, api } = await start()
  const placed = await (await api.newOrder({
    symbol, side: Side.BUY, type: Type.LIMIT, timeInForce: SpotRestAPI.NewOrderTimeInForceEnum.GTC, quantity: 1, price: 90,
  })).data()
  expect(exchange.balance('USDT').locked).toBeCloseTo(90, 6)
  const cancelled = await (await api.deleteOrder({ symbol, orderId: placed.orderId! })).data()
  expect(cancelled).toMatchObject({ status: 'CANCELED', origClientOrderId: placed.clientOrderId })
  expect(exchange.balance('USDT')).toEqual({ free: 10_000, locked: 0 })
  await expect(api.deleteOrder({ symbol, orderId: placed.orderId! })).rejects.toThrow('Unknown order sent.')
})
