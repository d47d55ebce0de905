import { describe, expect, it } from 'vitest'
import {
  altered, BTC, buyAt, HOUR, holding, idOf, QUIET, refusal, sellAt, VenueDesk, type Meddling,
} from '../support/venue-broker.ts'

const ENTRY = buyAt(0).id

/** A pair that somebody else placed. */
function rest({ exchange }: VenueDesk, quantity: string, stop: string, target: string, listId: string, stopId: string, targetId: string): void {
  const { status } = exchange.call('POST', '/orderList/oco', {
    side: 'SELL', quantity, aboveType: 'LIMIT_MAKER', abovePrice: target, belowType: 'STOP_LOSS', belowStopPrice: stop,
    listClientOrderId: listId, belowClientOrderId: stopId, aboveClientOrderId: targetId,
  })
  expect(status).toBe(200)
}

describe('what is not ours', () => {
  it('is left alone: orders and balances of somebody else', async () => {
    const desk = await VenueDesk.open({ balances: { USDT: 50_000, BTC: 2.5, BNB: 7 }, candles: [QUIET, QUIET, QUIET, '100/101/94/95'] })
    desk.exchange.call('POST', '/order', { side: 'SELL', type: 'LIMIT', timeInForce: 'GTC', quantity: '1.00000', price: '200.00' })
    rest(desk, '0.5', '50', '300', 'tbrokerish', 'tbrokers1', 'tbrokert1')
    const foreign = desk.openOrders
    await desk.submit(buyAt(0))
    await desk.candle(1)
    await desk.raiseStop(96)
    await desk.candle(2)
    await desk.candle(3)
    await desk.submit(buyAt(3))
    await desk.submit(sellAt(3, { reason: 'operator' }))
    await desk.candle(4)
    await desk.restart()
    await desk.wake(HOUR / 2)
    expect(desk.openOrders).toEqual(foreign)
    expect(desk.exchange.balance('BTC')).toEqual({ free: 1, locked: 1.5 })
    expect(desk.exchange.balance('BNB')).toEqual({ free: 7, locked: 0 })
    const [bought, sold] = ['buy', 'sell'].map((side) => desk.fills.filter((fill) => fill.side === side).reduce((sum, { quantity }) => sum + quantity, 0))
    expect(sold).toBeCloseTo(bought, 8)
    expect(desk.alarms).toEqual([])
  })

  it('is not sold where the account has less than the trail says', async () => {
    const desk = await holding({ candles: [QUIET, QUIET, '100/101/94/95'] })
    desk.exchange.call('DELETE', '/orderList', { listClientOrderId: idOf(0, 'p1') })
    desk.exchange.call('POST', '/order', { side: 'SELL', type: 'MARKET', quantity: '4.00000' })
    expect(await desk.wake(60_000)).toEqual([])
    expect(desk.alarms).toContain('balance-short')
    expect(desk.openOrders.map(({ quantity }) => quantity)).toEqual([6, 6])
    await desk.candle(2)
    await desk.wake(60_000)
    expect(desk.fills.slice(1)).toMatchObject([{ side: 'sell', quantity: 6, reason: 'stop' }])
    expect(desk.exchange.balance('BTC')).toEqual({ free: 0, locked: 0 })
    expect(desk.openOrders).toEqual([])
  })

  it('is an order of a run that this one does not know of: an orphan with our prefix is cancelled', async () => {
    const desk = await VenueDesk.open({ balances: { USDT: 10_000, BTC: 2 } })
    rest(desk, '1', '50', '200', 'tbroker-0-1-p9', 'tbroker-0-1-s9', 'tbroker-0-1-t9')
    rest(desk, '1', '50', '200', 'tother-0-1-p9', 'tother-0-1-s9', 'tother-0-1-t9')
    await desk.wake()
    expect(desk.openOrders.map(({ clientOrderId }) => clientOrderId)).toEqual(['tother-0-1-s9', 'tother-0-1-t9'])
    expect(desk.alarms).toContain('orphan-order')
  })
})

describe('fees', () => {
  it('in a third asset are an alarm and not in the books', async () => {
    const desk = await VenueDesk.open({ costs: { maker: 0.001, taker: 0.001, feeAsset: 'quote', slippageBps: 0 } })
    desk.on('POST order', altered((json: { fills: object[] }) => ({ ...json, fills: json.fills.map((fill) => ({ ...fill, commission: '0.00300000', commissionAsset: 'BNB' })) })))
    await desk.submit(buyAt(0))
    expect(await desk.candle(1)).toMatchObject([{ side: 'buy', feeBase: 0, feeQuote: 0 }])
    expect(desk.lines.find((line) => line['event'] === 'fee-in-other-asset')).toMatchObject({ type: 'alarm', symbol: BTC, asset: 'BNB', fee: 0.003 })
    expect(desk.openOrders).toHaveLength(2)
  })

  it('of an execution in several trades are summed, at the price that they had together', async () => {
    const desk = await VenueDesk.open()
    const trade = (price: string, qty: string, commission: string): object => ({ price, qty, commission, commissionAsset: 'BTC', tradeId: 1 })
    desk.on('POST order', altered((json: object) => ({
      ...json, cummulativeQuoteQty: '1006.00000000', fills: [trade('100.00', '7.00000', '0.00700000'), trade('102.00', '3.00000', '0.00300000')],
    })))
    await desk.submit(buyAt(0))
    const [fill] = await desk.candle(1)
    // (700 + 306) ÷ 10; the levels are 5 % from there.
    expect(fill).toMatchObject({ quantity: 10, price: 100.6, notional: 1006, feeBase: 0.01, stop: 95.57, target: 105.63 })
    expect(desk.openOrders.map(({ quantity }) => quantity)).toEqual([9.99, 9.99])
  })
})

describe('a venue that has forgotten everything', () => {
  it('is asked twice; then the books are closed, and nothing of the new allowance is touched', async () => {
    const desk = await holding()
    desk.exchange.setFaults({ rules: [{ fault: 'reset', at: [1] }] })
    expect(await desk.wake(60_000)).toEqual([])
    expect(desk.alarms).toContain('orders-unknown')
    const orders = desk.exchange.accepted
    expect(await desk.submit(sellAt(1, { reason: 'operator' }))).toMatchObject({ state: 'accepted' })
    const executions = [...await desk.wake(60_000), ...await desk.wake(60_000)]
    expect(executions.filter(({ kind }) => kind === 'void')).toMatchObject([{ symbol: BTC, reason: 'reset' }])
    expect(desk.alarms).toContain('reset')
    expect(desk.exchange.accepted).toBe(orders)
    expect(desk.exchange.balance('BTC')).toEqual({ free: 1, locked: 0 })
    await desk.restart()
    expect(await desk.wake(60_000)).toEqual([])
    expect(desk.exchange.accepted).toBe(orders)
    await desk.candle(1)
    await desk.candle(2)
    expect(await desk.submit(buyAt(2))).toMatchObject({ state: 'accepted' })
    expect(await desk.wake()).toMatchObject([{ side: 'buy', quantity: 10 }])
  })

  it('but remembers at the second look has not', async () => {
    const desk = await holding()
    const unknown = refusal(-2013, 'Order does not exist.')
    desk.on('GET openOrders', null, altered(() => []))
    desk.always('GET order', unknown)
    await desk.wake(60_000)
    await desk.wake(60_000)
    const doubts = desk.alarms.filter((alarm) => alarm === 'orders-unknown').length
    desk.calm()
    expect(await desk.wake(60_000)).toEqual([])
    expect(desk.told.filter(({ kind }) => kind === 'void')).toEqual([])
    expect(doubts).toBeLessThanOrEqual(1)
    expect(desk.openOrders.map(({ clientOrderId }) => clientOrderId)).toEqual([idOf(0, 's1'), idOf(0, 't1')])
  })
})

describe('answers that cannot be used', () => {
  const garbage: Meddling = { executed: true, answer: { text: '<html>oops</html>' } }

  it.each(['GET openOrders', 'GET order', 'GET myTrades', 'GET account', 'GET klines'])('to %s change nothing but the time at which a fill is told', async (name) => {
    const desk = await holding({ candles: [QUIET, QUIET, '100/101/94/95'] })
    await desk.restart()
    desk.always(name, garbage)
    await desk.candle(2)
    desk.calm()
    await desk.wake(60_000)
    expect(desk.fills.map(({ orderId, price, quantity, reason }) => [orderId, price, quantity, reason])).toEqual([
      [ENTRY, 100, 10, null], [`${ENTRY}-stop`, 95, 10, 'stop'],
    ])
    expect(desk.exchange.trades()).toHaveLength(2)
  })
})
