import { describe, expect, it } from 'vitest'
import {
  altered, buyAt, HOUR, idOf, LOST, QUIET, refusal, sellAt, UNSENT, VenueDesk, type DeskSetting, type Meddling,
} from '../support/venue-broker.ts'

const ENTRY = buyAt(0).id

/** What became of an entry whose requests were meddled with in turn. */
async function entered(meddlings: readonly (Meddling | null)[], setting: DeskSetting = {}) {
  const desk = await VenueDesk.open(setting)
  desk.on('POST order', ...meddlings)
  return { desk, receipt: await desk.submit(buyAt(0)) }
}

describe('an entry that is refused', () => {
  it.each([
    ['insufficient-funds', refusal(-2010, 'Account has insufficient balance for requested action.')],
    ['filter-NOTIONAL', refusal(-1013, 'Filter failure: NOTIONAL')],
    ['rejected', refusal(-1013, 'Market is closed.')],
    ['rejected', refusal(-2010, 'This action is disabled on this account.')],
    ['forbidden', refusal(-2015, 'Invalid API-key, IP, or permissions for action.', 401)],
    ['forbidden', { executed: false, answer: { status: 403, text: '<html>Forbidden</html>' } }],
  ] as const)('says why: %s', async (reason, meddling) => {
    const { desk, receipt } = await entered([meddling])
    expect(receipt).toEqual({ orderId: ENTRY, state: 'rejected', reason })
    expect(desk.requests('POST order')).toHaveLength(1)
    expect(await desk.candle(1)).toEqual([])
    // It is over: the next one is as free as the first.
    expect(await desk.submit(buyAt(1))).toMatchObject({ state: 'accepted' })
    expect(await desk.candle(2)).toMatchObject([{ side: 'buy', orderId: buyAt(1).id }])
  })

  it.each<[string, DeskSetting['flags'], object]>([
    ['market-halt', { status: 'HALT' }, {}],
    ['quote-order-quantity-not-allowed', { quoteOrderQtyMarketAllowed: false }, {}],
    ['oco-not-allowed', { ocoAllowed: false }, {}],
    ['filter-MARKET_LOT_SIZE', { maxMarketQuantity: 5 }, {}],
    ['filter-NOTIONAL', {}, { spend: 4 }],
    ['filter-NOTIONAL', { maxNotional: 900 }, {}],
    ['filter-PERCENT_PRICE_BY_SIDE', { priceMultiplierUp: 1.04 }, {}],
    ['filter-MAX_NUM_ORDERS', { maxNumOrders: 1 }, {}],
    ['filter-MAX_NUM_ALGO_ORDERS', { maxNumAlgoOrders: 0 }, {}],
  ])('is refused before anything is sent where its protection would be: %s', async (reason, flags, fields) => {
    const desk = await VenueDesk.open({ flags: flags ?? {} })
    expect(await desk.submit(buyAt(0, fields))).toEqual({ orderId: ENTRY, state: 'rejected', reason })
    expect(desk.exchange.accepted + desk.requests('POST order').length).toBe(0)
  })

  it('is not sent for a candle that is older than the deadline', async () => {
    const desk = await VenueDesk.open()
    await desk.clock.sleep(30_001)
    expect(await desk.submit(buyAt(0))).toMatchObject({ state: 'rejected', reason: 'late' })
    expect(desk.requests('POST order')).toEqual([])
  })

  it('is not sent where the price cannot be read', async () => {
    const desk = await VenueDesk.open()
    desk.on('GET ticker/bookTicker', { executed: true, answer: { text: '<html>' } })
    expect(await desk.submit(buyAt(0))).toMatchObject({ state: 'rejected' })
    expect(desk.requests('POST order')).toEqual([])
    expect(desk.alarms).toEqual(['venue-unreachable'])
    await desk.wake(60_000)
    expect(desk.alarms).toEqual(['venue-unreachable', 'venue-unreachable-over'])
  })
})

describe('an entry whose fate is unknown', () => {
  it.each<[string, Meddling]>([
    ['the connection broke', LOST],
    ['-1007', { executed: true, answer: { status: 504, json: { code: -1007, msg: 'Timeout waiting for response from backend server.' } } }],
    ['-1006', { executed: true, answer: { status: 400, json: { code: -1006, msg: 'An unexpected response was received from the message bus.' } } }],
    ['a page instead of an answer', { executed: true, answer: { text: '<html><body>hello</body></html>' } }],
    ['half an answer', { executed: true, answer: { text: '{"symbol":"BTCUSDT","orde' } }],
    ['wrong types', altered((json: object) => ({ ...json, executedQty: null }))],
    ['a dying server', { executed: true, answer: { status: 502, text: 'Bad Gateway' } }],
    ['-2010 duplicate', { executed: true, answer: { status: 400, json: { code: -2010, msg: 'Duplicate order sent.' } } }],
  ])('is found by its client id and never sent again: %s', async (_what, meddling) => {
    const { desk, receipt } = await entered([meddling])
    expect(receipt).toEqual({ orderId: ENTRY, state: 'accepted', reason: null })
    expect(desk.alarms).toEqual(['outcome-unknown'])
    expect(desk.placed).toEqual([idOf(0, 'e'), idOf(0, 's1'), idOf(0, 't1')])
    expect(await desk.candle(1)).toMatchObject([{ side: 'buy', price: 100, quantity: 10, stop: 95, target: 105 }])
    expect(desk.exchange.trades()).toHaveLength(1)
  })

  it('is sent again only once it is certain that it did not arrive', async () => {
    const { desk, receipt } = await entered([UNSENT])
    expect(receipt).toMatchObject({ state: 'accepted' })
    const [first, second, ...more] = desk.requests('POST order')
    expect(more).toEqual([])
    // recvWindow and 10 s: later the venue would refuse what is still under way.
    expect(second.at - first.at).toBeGreaterThan(15_000)
    expect(second.params['newClientOrderId']).toBe(first.params['newClientOrderId'])
    expect(await desk.candle(1)).toMatchObject([{ side: 'buy', quantity: 10 }])
    expect(desk.exchange.trades()).toHaveLength(1)
  })

  it('is not sent again after the deadline', async () => {
    const { desk, receipt } = await entered([UNSENT, UNSENT])
    expect(receipt).toMatchObject({ state: 'rejected', reason: 'not-arrived' })
    expect(desk.requests('POST order')).toHaveLength(2)
    expect(desk.requests('POST order').every(({ at }) => at <= buyAt(0).decidedAt + 30_000)).toBe(true)
    expect(await desk.candle(1)).toEqual([])
    expect(desk.exchange.trades()).toEqual([])
  })

  it('stays open while nobody can tell, and is taken in once somebody can', async () => {
    const desk = await VenueDesk.open()
    desk.on('POST order', LOST)
    desk.always('GET order', refusal(-1000, 'An unknown error occurred while processing the request.', 500))
    desk.calm()
    desk.on('POST order', LOST)
    desk.always('GET order', refusal(-1000, 'An unknown error occurred while processing the request.', 500))
    expect(await desk.submit(buyAt(0))).toMatchObject({ state: 'accepted' })
    expect(desk.alarms).toEqual(['outcome-unknown', 'outcome-still-unknown'])
    expect(await desk.wake(60_000)).toEqual([])
    expect(await desk.submit(buyAt(1))).toMatchObject({ state: 'rejected', reason: 'already-in-position' })
    desk.calm()
    expect(await desk.wake(60_000)).toMatchObject([{ side: 'buy', orderId: ENTRY, quantity: 10 }])
    expect(desk.openOrders.map(({ clientOrderId }) => clientOrderId)).toEqual([idOf(0, 's1'), idOf(0, 't1')])
    expect(desk.requests('POST order')).toHaveLength(1)
  })

  it('is told as rejected once it turns out that it never arrived', async () => {
    const desk = await VenueDesk.open()
    desk.on('POST order', UNSENT)
    desk.always('GET order', refusal(-1000, 'An unknown error occurred while processing the request.', 500))
    expect(await desk.submit(buyAt(0))).toMatchObject({ state: 'accepted' })
    desk.calm()
    expect(await desk.wake(60_000)).toMatchObject([{ kind: 'order', orderId: ENTRY, state: 'rejected', reason: 'not-arrived' }])
    expect(await desk.candle(1)).toEqual([])
    expect(await desk.submit(buyAt(1))).toMatchObject({ state: 'accepted' })
    expect(desk.exchange.trades()).toHaveLength(1)
  })

  it('is not protected on trades that the venue does not show yet, but at the next wake-up', async () => {
    const desk = await VenueDesk.open()
    desk.on('POST order', LOST)
    desk.on('GET myTrades', altered(() => []))
    expect(await desk.submit(buyAt(0))).toMatchObject({ state: 'accepted' })
    expect(desk.alarms).toEqual(['outcome-unknown', 'trades-lag'])
    expect(await desk.wake(60_000)).toMatchObject([{ side: 'buy', quantity: 10 }])
    expect(desk.openOrders).toHaveLength(2)
  })
})

describe('an entry that the venue did not execute', () => {
  it.each<[string, Meddling]>([
    ['overloaded', refusal(-1008, 'Server is currently overloaded with other requests.', 503)],
    ['too many orders', refusal(-1015, 'Too many new orders.')],
    ['the clock', refusal(-1021, 'Timestamp for this request is outside of the recvWindow.')],
  ])('is tried again: %s', async (_what, meddling) => {
    // −1021 is answered with a look at the venue's clock and one request more.
    const { desk, receipt } = await entered([meddling, meddling])
    expect(receipt).toMatchObject({ state: 'accepted' })
    expect(desk.alarms.every((alarm) => alarm === 'not-executed' || alarm === 'clock-drift')).toBe(true)
    expect(await desk.candle(1)).toMatchObject([{ side: 'buy', quantity: 10 }])
    expect(desk.exchange.trades()).toHaveLength(1)
  })

  it('is given up after some attempts', async () => {
    const desk = await VenueDesk.open()
    desk.always('POST order', refusal(-1008, 'Server is currently overloaded with other requests.', 503))
    expect(await desk.submit(buyAt(0))).toMatchObject({ state: 'rejected', reason: 'not-executed' })
    expect(desk.requests('POST order').length).toBeLessThanOrEqual(6)
    desk.calm()
    expect(await desk.candle(1)).toEqual([])
  })

  it('expires without a fill in an empty book', async () => {
    const desk = await VenueDesk.open({ faults: { rules: [{ fault: 'expired', at: [1] }] } })
    expect(await desk.submit(buyAt(0))).toEqual({ orderId: ENTRY, state: 'rejected', reason: 'expired' })
    expect(await desk.candle(1)).toEqual([])
    expect(await desk.submit(buyAt(1))).toMatchObject({ state: 'accepted' })
  })

  it('protects what a thin book gave it', async () => {
    const desk = await VenueDesk.open({ faults: { rules: [{ fault: 'partial-fill', at: [1], value: 0.3 }] }, candles: [QUIET, QUIET, '90/91/89/90'] })
    expect(await desk.submit(buyAt(0))).toMatchObject({ state: 'accepted' })
    expect(await desk.candle(1)).toMatchObject([{ side: 'buy', quantity: 3, stop: 95, target: 105 }])
    expect(desk.openOrders.map(({ quantity }) => quantity)).toEqual([3, 3])
    expect(await desk.candle(2)).toMatchObject([{ side: 'sell', quantity: 3, reason: 'stop_gap' }])
  })

  it('is found expired after its answer was lost', async () => {
    const desk = await VenueDesk.open({ faults: { rules: [{ fault: 'expired', at: [1] }] } })
    desk.on('POST order', LOST)
    expect(await desk.submit(buyAt(0))).toMatchObject({ state: 'rejected', reason: 'expired' })
    expect(desk.exchange.trades()).toEqual([])
  })
})

describe('while the venue wants to be left alone', () => {
  const limited = refusal(-1003, 'Too much request weight used.', 429, { 'retry-after': '7' })
  const banned = refusal(-1003, 'Way too much request weight used; IP banned.', 418, { 'retry-after': '120' })

  /** Requests after the first refusal and before `ms` are over. */
  const tooEarly = ({ asked }: VenueDesk, name: string, ms: number): string[] => {
    const at = asked.findIndex((one) => one.name === name)
    return asked.slice(at + 1).filter((one) => one.at < asked[at].at + ms).map((one) => one.name)
  }

  it('sends an entry again when the time is over', async () => {
    const { desk, receipt } = await entered([limited])
    expect(receipt).toMatchObject({ state: 'accepted' })
    expect(tooEarly(desk, 'POST order', 7000)).toEqual([])
    expect(desk.exchange.trades()).toHaveLength(1)
  })

  it('protects an entry when the time is over', async () => {
    const desk = await VenueDesk.open()
    desk.on('POST orderList/oco', limited)
    await desk.submit(buyAt(0))
    expect(tooEarly(desk, 'POST orderList/oco', 7000)).toEqual([])
    expect(desk.openOrders).toHaveLength(2)
  })

  it('sends an exit again when the time is over', async () => {
    const desk = await VenueDesk.open()
    await desk.submit(buyAt(0))
    await desk.candle(1)
    desk.on('POST order/cancelReplace', limited)
    expect(await desk.submit(sellAt(1))).toMatchObject({ state: 'accepted' })
    expect(tooEarly(desk, 'POST order/cancelReplace', 7000)).toEqual([])
    expect(await desk.candle(2)).toMatchObject([{ side: 'sell', reason: 'signal' }])
  })

  it('sends nothing for an order that comes in the meantime', async () => {
    const desk = await VenueDesk.open()
    desk.on('GET openOrders', limited)
    expect(await desk.wake(1000)).toEqual([])
    expect(await desk.submit(buyAt(0))).toMatchObject({ state: 'accepted' })
    expect(tooEarly(desk, 'GET openOrders', 7000)).toEqual([])
    expect(desk.alarms).toContain('venue-unreachable')
  })

  it('rejects an entry, and keeps silent, for longer bans', async () => {
    const { desk, receipt } = await entered([banned])
    expect(receipt).toMatchObject({ state: 'rejected', reason: 'not-executed' })
    expect(await desk.wake(20_000)).toEqual([])
    expect(await desk.submit(buyAt(0, { id: '0-1-entry', decidedAt: desk.clock.now() }))).toMatchObject({ state: 'rejected', reason: 'not-executed' })
    expect(tooEarly(desk, 'POST order', 120_000)).toEqual([])
    await desk.wake(120_000)
    expect(await desk.submit(buyAt(0, { id: '0-2-entry', decidedAt: desk.clock.now() }))).toMatchObject({ state: 'accepted' })
  })

  it('leaves the pair where it is while an exit has to wait, and sells afterwards', async () => {
    const desk = await VenueDesk.open()
    await desk.submit(buyAt(0))
    await desk.candle(1)
    desk.on('POST order/cancelReplace', banned)
    expect(await desk.submit(sellAt(1))).toMatchObject({ state: 'accepted' })
    expect(await desk.wake(20_000)).toEqual([])
    expect(desk.openOrders).toHaveLength(2)
    expect(tooEarly(desk, 'POST order/cancelReplace', 120_000)).toEqual([])
    expect(await desk.wake(HOUR / 4)).toMatchObject([{ orderId: sellAt(1).id, quantity: 10, reason: 'signal' }])
    expect(desk.exchange.trades()).toHaveLength(2)
  })
})
