import { describe, expect, it } from 'vitest'
import { START } from '../support/practice.ts'
import {
  altered, buyAt, closeOf, HOUR, holding, idOf, LOST, QUIET, refusal, sellAt, STEPS, UNSENT, VenueDesk, type DeskSetting, type Meddling,
} from '../support/venue-broker.ts'

const ENTRY = buyAt(0).id
const REFUSED = refusal(-2010, 'This action is disabled on this account.')
const levels = ({ openOrders }: VenueDesk): unknown[] => openOrders.map(({ clientOrderId, stopPrice, price, quantity }) => [clientOrderId, stopPrice || price, quantity])
const bid = (price: number): Meddling => altered((json: object) => ({ ...json, bidPrice: String(price) }))

describe('a pair that the venue will not take', () => {
  it.each<[string, number, string, Meddling]>([
    ['below the stop', 94, 'stop_gap', refusal(-2010, 'Stop price would trigger immediately.')],
    ['above the target', 106, 'target_gap', refusal(-2010, 'The relationship of the prices for the orders is not correct.')],
    ['above the target', 106, 'target_gap', refusal(-2010, 'Order would immediately match and take.')],
  ])('because the price is %s already (bid %d) is not sent again: %s', async (_where, price, reason, meddling) => {
    const desk = await VenueDesk.open()
    desk.on('POST orderList/oco', meddling)
    // The first look is before the entry.
    desk.on('GET ticker/bookTicker', null, bid(price))
    expect(await desk.submit(buyAt(0))).toMatchObject({ state: 'accepted' })
    expect(await desk.candle(1)).toMatchObject([{ side: 'buy', quantity: 10 }, { side: 'sell', orderId: `${ENTRY}-sale`, quantity: 10, reason }])
    expect(desk.requests('POST orderList/oco')).toHaveLength(1)
    expect(desk.placed).toEqual([idOf(0, 'e'), idOf(0, 'm1')])
    expect(await desk.submit(buyAt(1))).toMatchObject({ state: 'accepted' })
  })

  it('for another reason is sent again', async () => {
    const desk = await VenueDesk.open()
    desk.on('POST orderList/oco', REFUSED, REFUSED)
    await desk.submit(buyAt(0))
    expect(desk.alarms).toEqual(['protection-refused', 'protection-refused'])
    expect(levels(desk)).toEqual([[idOf(0, 's3'), 95, 10], [idOf(0, 't3'), 105, 10]])
    expect(await desk.candle(1)).toMatchObject([{ side: 'buy', stop: 95, target: 105 }])
  })

  it('again and again is a position that is sold, loudly', async () => {
    const desk = await VenueDesk.open()
    desk.always('POST orderList/oco', REFUSED)
    await desk.submit(buyAt(0))
    expect(await desk.candle(1)).toMatchObject([{ side: 'buy' }, { side: 'sell', quantity: 10, reason: 'unprotected' }])
    expect(desk.alarms.filter((alarm) => alarm === 'protection-refused')).toHaveLength(5)
    expect(desk.exchange.balance('BTC')).toEqual({ free: 0, locked: 0 })
  })

  it('and that cannot be sold either stays an alarm at every wake-up until it can', async () => {
    const desk = await VenueDesk.open()
    desk.always('POST orderList/oco', REFUSED)
    desk.on('POST order', null, ...Array.from({ length: 12 }, () => REFUSED))
    await desk.submit(buyAt(0))
    const alarms = (): number => desk.alarms.filter((alarm) => alarm === 'naked').length
    expect(alarms()).toBe(1)
    await desk.wake(60_000)
    expect(alarms()).toBe(2)
    const executions = await desk.wake(60_000)
    expect(executions).toMatchObject([{ side: 'sell', reason: 'unprotected', quantity: 10 }])
    expect(desk.exchange.trades()).toHaveLength(2)
  })
})

describe('a pair whose answer was lost', () => {
  it.each<[string, Meddling]>([
    ['broken', LOST], ['garbage', { executed: true, answer: { text: 'oops' } }], ['wrong types', altered((json: object) => ({ ...json, orderReports: null }))],
    ['-1007', { executed: true, answer: { status: 504, json: { code: -1007, msg: 'Timeout' } } }],
  ])('is found by the ids of its legs: %s', async (_what, meddling) => {
    const desk = await VenueDesk.open()
    desk.on('POST orderList/oco', meddling)
    await desk.submit(buyAt(0))
    expect(desk.alarms).toEqual(['protection-answer-lost'])
    expect(levels(desk)).toEqual([[idOf(0, 's1'), 95, 10], [idOf(0, 't1'), 105, 10]])
    expect(await desk.wake(60_000)).toHaveLength(1)
    expect(desk.requests('POST orderList/oco')).toHaveLength(1)
  })

  it('is sent anew once it is certain that it did not arrive', async () => {
    const desk = await VenueDesk.open()
    desk.on('POST orderList/oco', UNSENT)
    await desk.submit(buyAt(0))
    const [first, second] = desk.requests('POST orderList/oco')
    expect(second.at - first.at).toBeGreaterThan(15_000)
    expect(levels(desk)).toEqual([[idOf(0, 's2'), 95, 10], [idOf(0, 't2'), 105, 10]])
    expect(await desk.candle(1)).toHaveLength(1)
  })

  it('is asked for at the next wake-up while nobody can tell', async () => {
    const desk = await VenueDesk.open()
    desk.on('POST orderList/oco', UNSENT)
    desk.always('GET order', refusal(-1000, 'An unknown error occurred.', 500))
    await desk.submit(buyAt(0))
    expect(desk.alarms).toContain('protection-answer-lost')
    expect(desk.openOrders).toEqual([])
    desk.calm()
    await desk.wake(60_000)
    expect(levels(desk)).toEqual([[idOf(0, 's2'), 95, 10], [idOf(0, 't2'), 105, 10]])
  })
})

describe('a leg that fills in part', () => {
  const halfTarget: DeskSetting['faults'] = { rules: [{ fault: 'partial-leg', at: [1], value: 0.4 }] }

  it('ends the other, so the rest gets a pair of its own', async () => {
    const desk = await holding({ candles: [QUIET, QUIET, '100/106/99/101', '101/102/90/91'], faults: halfTarget })
    expect(await desk.candle(2)).toMatchObject([{ side: 'sell', orderId: `${ENTRY}-target`, quantity: 4, price: 105, reason: 'target' }])
    expect(levels(desk)).toEqual([[idOf(0, 's2'), 95, 6], [idOf(0, 't2'), 105, 6]])
    expect(desk.alarms).toContain('pair-partial')
    expect(await desk.candle(3)).toMatchObject([{ orderId: `${ENTRY}-stop-2`, quantity: 6, price: 95, reason: 'stop' }])
  })

  it('is sold where the price is already beyond the target', async () => {
    const desk = await holding({ candles: [QUIET, QUIET, '100/106/99/106', '106/107/105/106'], faults: halfTarget })
    expect(await desk.candle(2)).toMatchObject([{ quantity: 4, reason: 'target' }])
    expect(await desk.candle(3)).toMatchObject([{ quantity: 6, reason: 'target_gap', price: 106 }])
    expect(desk.openOrders).toEqual([])
  })

  it('leaves dust where the rest is below what can be sold', async () => {
    const desk = await holding({
      candles: [QUIET, QUIET, '100/106/99/101'], faults: { rules: [{ fault: 'partial-leg', at: [1], value: 0.97 }] }, instrument: { ...STEPS, minNotional: 50 },
    })
    expect(await desk.candle(2)).toMatchObject([{ quantity: 9.7, reason: 'target' }])
    expect(desk.openOrders).toEqual([])
    expect(await desk.submit(buyAt(2))).toMatchObject({ state: 'accepted' })
    await desk.candle(3)
    // 1000 at 101 = 9.90099, and 0.3 that were left.
    expect(levels(desk).map((row) => (row as number[])[2])).toEqual([10.20099, 10.20099])
  })
})

describe('dust', () => {
  const setting = (value: number, fault: 'partial-leg' | 'partial-fill', at: number, candle: string): DeskSetting => ({
    candles: [QUIET, QUIET, candle], faults: { rules: [{ fault, at: [at], value }] }, instrument: { ...STEPS, minNotional: 50 },
  })

  it('is what cannot be sold at the price of the newest fill, as in the loop\'s books: above it, the rest is sold', async () => {
    // 0.49 are left: 49 at the entry's price, but 51.45 at the target's.
    const desk = await holding(setting(0.951, 'partial-leg', 1, '100/106/99/104'))
    expect(await desk.candle(2)).toMatchObject([{ quantity: 9.51, price: 105, reason: 'target' }])
    await desk.wake(60_000)
    expect(desk.fills.at(-1)).toMatchObject({ quantity: 0.49, price: 104, reason: 'unprotected' })
    expect(desk.exchange.balance('BTC')).toEqual({ free: 0, locked: 0 })
  })

  it('and below it, the rest goes with the next position', async () => {
    // 0.505 are left: 50.5 at the entry's price, but 49.49 at the sale's.
    const desk = await holding(setting(0.9495, 'partial-fill', 2, '98/99/97/98'))
    await desk.submit(sellAt(1))
    expect(await desk.candle(2)).toMatchObject([{ quantity: 9.495, price: 98, reason: 'signal' }])
    expect(desk.alarms).toEqual([])
    expect(await desk.submit(buyAt(2))).toMatchObject({ state: 'accepted' })
    // 1000 at 98 = 10.20408, and what was left.
    expect(desk.openOrders.map(({ quantity }) => quantity)).toEqual([10.70908, 10.70908])
    await desk.restart()
    expect(await desk.candle(3)).toMatchObject([{ side: 'buy', quantity: 10.20408 }])
    expect(desk.openOrders.map(({ quantity }) => quantity)).toEqual([10.70908, 10.70908])
  })
})

describe('where a stop has to have a limit', () => {
  const flags = { orderTypes: ['LIMIT', 'LIMIT_MAKER', 'MARKET', 'STOP_LOSS_LIMIT'] }

  it('its price lies one per cent below the trigger', async () => {
    const desk = await holding({ flags, candles: [QUIET, QUIET, '96/97/94.5/95'] })
    expect(desk.openOrders).toMatchObject([{ type: 'STOP_LOSS_LIMIT', stopPrice: 95, price: 94.05 }, { type: 'LIMIT_MAKER', price: 105 }])
    expect(await desk.candle(2)).toMatchObject([{ price: 95, reason: 'stop', quantity: 10 }])
  })

  it('a lone one has the same limit', async () => {
    const desk = await VenueDesk.open({ flags })
    await desk.submit(buyAt(0, { protection: { stopLoss: 0.05, takeProfit: null } }))
    expect(desk.openOrders).toMatchObject([{ type: 'STOP_LOSS_LIMIT', stopPrice: 95, price: 94.05 }])
  })

  it('one that has triggered and is not filled by the next wake-up is sold', async () => {
    const desk = await holding({ flags, candles: [QUIET, QUIET, '90/91/88/89', '89/90/88/89'] })
    expect(await desk.candle(2)).toEqual([])
    expect(desk.alarms).toContain('stop-unfilled')
    expect(await desk.wake(60_000)).toMatchObject([{ side: 'sell', quantity: 10, price: 89 }])
    expect(desk.openOrders).toEqual([])
    expect(await desk.wake(60_000)).toEqual([])
    expect(desk.exchange.trades()).toHaveLength(2)
    expect(await desk.submit(buyAt(0, { id: '0-9-entry', decidedAt: desk.clock.now() }))).toMatchObject({ state: 'accepted' })
  })

  it('one that fills in the meantime is left alone', async () => {
    const desk = await holding({ flags, candles: [QUIET, QUIET, '90/91/88/89', '89/95/88/94'] })
    expect(await desk.candle(2)).toEqual([])
    await desk.clock.sleep(HOUR)
    expect(await desk.candle(3)).toMatchObject([{ price: 94.05, quantity: 10, orderId: `${ENTRY}-stop` }])
    expect(desk.exchange.trades()).toHaveLength(2)
  })
})

describe('a stop that moves', () => {
  it('takes the old pair down and places the new one at once', async () => {
    const desk = await holding()
    await desk.raiseStop(97.5)
    expect(levels(desk)).toEqual([[idOf(0, 's2'), 97.5, 10], [idOf(0, 't2'), 105, 10]])
    expect(desk.asked.filter(({ name }) => !name.startsWith('GET')).map(({ name }) => name).slice(-2)).toEqual(['DELETE orderList', 'POST orderList/oco'])
  })

  it('to where the price has fallen already sells', async () => {
    const desk = await holding({ candles: [QUIET, QUIET, '97/98/96/97'] })
    await desk.raiseStop(98)
    expect(await desk.candle(2)).toMatchObject([{ side: 'sell', quantity: 10, price: 97, reason: 'trailing' }])
    expect(desk.openOrders).toEqual([])
  })

  it('stays where the price has reached the target, which is left to fill', async () => {
    const desk = await holding({ candles: [QUIET, '100/105/99/105', '106/107/105/106'] })
    await desk.raiseStop(104)
    expect(levels(desk)).toEqual([[idOf(0, 's1'), 95, 10], [idOf(0, 't1'), 105, 10]])
    expect(await desk.candle(2)).toMatchObject([{ reason: 'target', quantity: 10 }])
  })

  it('whose pair cannot be read moves at the next wake-up', async () => {
    const desk = await holding()
    desk.on('GET ticker/bookTicker', refusal(-1000, 'An unknown error occurred.', 500))
    await desk.raiseStop(97)
    expect(levels(desk)).toEqual([[idOf(0, 's1'), 95, 10], [idOf(0, 't1'), 105, 10]])
    await desk.wake(60_000)
    expect(levels(desk)).toEqual([[idOf(0, 's2'), 97, 10], [idOf(0, 't2'), 105, 10]])
  })

  it.each<[string, Meddling]>([['lost', LOST], ['garbage', { executed: true, answer: { text: '{}' } }]])('does not mind an answer to the cancel that is %s', async (_what, meddling) => {
    const desk = await holding()
    desk.on('DELETE orderList', meddling)
    await desk.raiseStop(97)
    expect(desk.alarms).toContain('cancel-failed')
    expect(levels(desk)).toEqual([[idOf(0, 's2'), 97, 10], [idOf(0, 't2'), 105, 10]])
  })

  it('keeps the old pair where the cancel did not arrive, and moves at the next wake-up', async () => {
    const desk = await holding()
    desk.on('DELETE orderList', UNSENT)
    await desk.raiseStop(97)
    expect(levels(desk)).toEqual([[idOf(0, 's1'), 95, 10], [idOf(0, 't1'), 105, 10]])
    await desk.wake(60_000)
    expect(levels(desk)).toEqual([[idOf(0, 's2'), 97, 10], [idOf(0, 't2'), 105, 10]])
  })

  it('books a pair that fired before it could be taken down', async () => {
    const desk = await holding({ candles: [QUIET, QUIET, '98/99/90/91'] })
    await desk.clock.sleep(closeOf(2) - 2000 - desk.clock.now())
    desk.on('DELETE orderList', { executed: true, first: () => desk.clock.sleep(2500) })
    await desk.raiseStop(97)
    expect(await desk.candle(2)).toMatchObject([{ side: 'sell', price: 95, quantity: 10 }])
    expect(desk.requests('POST orderList/oco')).toHaveLength(1)
    expect(desk.exchange.trades()).toHaveLength(2)
  })

  it('falls back on a sale where the new pair is refused', async () => {
    const desk = await holding()
    desk.always('POST orderList/oco', REFUSED)
    await desk.raiseStop(97)
    expect(await desk.wake()).toMatchObject([{ side: 'sell', quantity: 10, reason: 'unprotected' }])
  })
})

describe('what is missing is made up for', () => {
  it('a pair that somebody cancelled', async () => {
    const desk = await holding()
    desk.exchange.call('DELETE', '/orderList', { listClientOrderId: idOf(0, 'p1') })
    expect(await desk.wake(60_000)).toEqual([])
    expect(levels(desk)).toEqual([[idOf(0, 's2'), 95, 10], [idOf(0, 't2'), 105, 10]])
  })

  it('a venue that was away for a while', async () => {
    const desk = await holding({ candles: [QUIET, QUIET, '100/101/94/95'] })
    desk.always('GET openOrders', { executed: false, answer: { status: 502, text: '' } })
    expect(await desk.wake(60_000)).toEqual([])
    expect(await desk.candle(2)).toEqual([])
    expect(desk.alarms.filter((alarm) => alarm === 'venue-unreachable')).toHaveLength(1)
    desk.calm()
    expect(await desk.wake(60_000)).toMatchObject([{ side: 'sell', reason: 'stop', time: START + 2 * HOUR }])
    expect(desk.alarms.at(-1)).toBe('venue-unreachable-over')
  })
})
