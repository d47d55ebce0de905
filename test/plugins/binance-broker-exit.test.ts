import { describe, expect, it } from 'vitest'
import type { PastLine } from '../../engine/ports.ts'
import {
  buyAt, closeOf, CRASH_AFTER, CRASH_BEFORE, Crashed, holding, HOUR, idOf, LOST, QUIET, refusal, sellAt, UNSENT, VenueDesk, type DeskSetting, type Meddling,
} from '../support/venue-broker.ts'

const ENTRY = buyAt(0).id
const EXIT = sellAt(1).id
const NO_REPLACE = { flags: { cancelReplaceAllowed: false } }
/** Takes the pair down as another client, and refuses the sale. */
const halfDone = (desk: VenueDesk): Meddling => ({
  executed: false,
  first: async () => desk.exchange.call('DELETE', '/orderList', { listClientOrderId: idOf(0, 'p1') }),
  answer: {
    status: 409,
    json: {
      code: -2021, msg: 'Order cancel-replace partially failed.',
      data: {
        cancelResult: 'SUCCESS', newOrderResult: 'FAILURE', cancelResponse: null,
        newOrderResponse: { code: -2010, msg: 'Account has insufficient balance for requested action.' },
      },
    },
  },
})

/** All of the position was sold once, in one trade, for `reason`, and nothing is left at the venue. */
async function expectSoldOnce(desk: VenueDesk, reason = 'signal'): Promise<void> {
  await desk.wake(60_000)
  await desk.candle(2)
  expect(desk.fills.filter(({ side }) => side === 'sell')).toMatchObject([{ quantity: 10, reason }])
  expect(desk.exchange.trades()).toHaveLength(2)
  expect(desk.openOrders).toEqual([])
  expect(await desk.wake()).toEqual([])
  expect(await desk.submit(buyAt(2))).toMatchObject({ state: 'accepted' })
}

describe('an exit', () => {
  it('is one request where the venue can', async () => {
    const desk = await holding()
    await desk.submit(sellAt(1))
    const [asked] = desk.requests('POST order/cancelReplace')
    expect(asked.params).toMatchObject({ side: 'SELL', type: 'MARKET', quantity: '10.00000', cancelReplaceMode: 'STOP_ON_FAILURE', newClientOrderId: idOf(0, 'x1') })
    expect(desk.requests('DELETE orderList')).toEqual([])
    await expectSoldOnce(desk)
  })

  it('whose intent is on disk before any request leaves', async () => {
    const desk = await holding()
    let noted = false
    desk.on('POST order/cancelReplace', { executed: true, first: async () => { noted = desk.lines.some((line) => line['purpose'] === 'sale' && line['id'] === idOf(0, 'x1')) } })
    await desk.submit(sellAt(1))
    expect(noted).toBe(true)
  })

  it.each<[string, Meddling]>([['lost', LOST], ['garbage', { executed: true, answer: { text: '[]' } }]])('whose answer is %s is found by its id', async (_what, meddling) => {
    const desk = await holding()
    desk.on('POST order/cancelReplace', meddling)
    expect(await desk.submit(sellAt(1))).toMatchObject({ state: 'accepted' })
    expect(desk.alarms).toContain('outcome-unknown')
    expect(desk.requests('POST order/cancelReplace')).toHaveLength(1)
    await expectSoldOnce(desk)
  })

  it('that never arrived is sent again once that is certain', async () => {
    const desk = await holding()
    desk.on('POST order/cancelReplace', UNSENT)
    await desk.submit(sellAt(1))
    const [first, second] = desk.requests('POST order/cancelReplace')
    expect(second.at - first.at).toBeGreaterThan(15_000)
    await expectSoldOnce(desk)
  })

  it('of which nobody can tell anything is not joined by a second one', async () => {
    const desk = await holding()
    desk.on('POST order/cancelReplace', LOST)
    desk.always('GET order', refusal(-1000, 'An unknown error occurred.', 500))
    expect(await desk.submit(sellAt(1))).toMatchObject({ state: 'accepted' })
    expect(await desk.wake(60_000)).toEqual([])
    expect(desk.exchange.trades()).toHaveLength(2)
    desk.calm()
    expect(await desk.wake(60_000)).toMatchObject([{ orderId: EXIT, quantity: 10 }])
    await expectSoldOnce(desk)
  })

  it.each<[string, DeskSetting]>([['in one request', {}], ['in two', NO_REPLACE]])('whose trades cannot be read is not joined by a second one, which would sell what is not ours: %s', async (_how, setting) => {
    const desk = await holding({ ...setting, balances: { USDT: 10_000, BTC: 50 } })
    desk.on(setting.flags === undefined ? 'POST order/cancelReplace' : 'POST order', LOST)
    desk.on('GET myTrades', UNSENT)
    expect(await desk.submit(sellAt(1))).toMatchObject({ state: 'accepted' })
    expect(await desk.wake(60_000)).toMatchObject([{ orderId: EXIT, quantity: 10 }])
    await expectSoldOnce(desk)
  })

  it('finds that the pair was quicker (-2022), books that and sends nothing', async () => {
    const desk = await holding({ candles: [QUIET, QUIET, '98/99/90/91'] })
    await desk.clock.sleep(closeOf(2) - 2000 - desk.clock.now())
    desk.on('POST order/cancelReplace', { executed: true, first: () => desk.clock.sleep(2500) })
    expect(await desk.submit(sellAt(1, { decidedAt: desk.clock.now() }))).toMatchObject({ state: 'accepted' })
    expect(await desk.candle(2)).toMatchObject([
      { kind: 'fill', orderId: `${ENTRY}-stop`, quantity: 10, price: 95, reason: 'stop' },
      { kind: 'order', orderId: EXIT, state: 'cancelled', reason: 'position-closed' },
    ])
    expect(desk.exchange.trades()).toHaveLength(2)
    expect(desk.requests('POST order')).toHaveLength(1)
  })

  it('of which only the cancel worked (-2021) is finished at once', async () => {
    const desk = await holding()
    desk.on('POST order/cancelReplace', halfDone(desk))
    await desk.submit(sellAt(1))
    expect(desk.placed.at(-1)).toBe(idOf(0, 'x2'))
    await expectSoldOnce(desk)
  })

  it('of which only the cancel worked is finished after a restart', async () => {
    const desk = await holding()
    desk.on('POST order/cancelReplace', { ...halfDone(desk), answer: 'crash' })
    await expect(desk.submit(sellAt(1))).rejects.toThrow(Crashed)
    expect(desk.openOrders).toEqual([])
    await desk.restart()
    await desk.clock.sleep(60_000)
    expect(await desk.submit(sellAt(1))).toMatchObject({ state: 'accepted' })
    await expectSoldOnce(desk)
  })

  it('that is refused altogether goes the long way', async () => {
    const desk = await holding()
    desk.on('POST order/cancelReplace', refusal(-1013, 'This operation is not supported.'))
    await desk.submit(sellAt(1))
    expect(desk.requests('DELETE orderList')).toHaveLength(1)
    await expectSoldOnce(desk)
  })

  it('that is refused for a passing reason is tried again', async () => {
    const desk = await holding()
    desk.on('POST order/cancelReplace', refusal(-1008, 'Server is currently overloaded.', 503), refusal(-1015, 'Too many new orders.'))
    await desk.submit(sellAt(1))
    expect(desk.requests('POST order/cancelReplace')).toHaveLength(3)
    await expectSoldOnce(desk)
  })

  it('that fails for good leaves the pair, and is tried again at each wake-up', async () => {
    const desk = await holding()
    desk.always('POST order/cancelReplace', refusal(-1008, 'Server is currently overloaded.', 503))
    expect(await desk.submit(sellAt(1))).toMatchObject({ state: 'accepted' })
    expect(desk.alarms).toContain('exit-failed')
    expect(desk.openOrders).toHaveLength(2)
    desk.calm()
    await desk.wake(60_000)
    await expectSoldOnce(desk)
  })

  it('fills in part in a thin book, and then the rest', async () => {
    const desk = await holding({ faults: { rules: [{ fault: 'partial-fill', at: [2], value: 0.25 }] } })
    await desk.submit(sellAt(1))
    await desk.candle(2)
    const sales = desk.fills.filter(({ side }) => side === 'sell')
    expect(sales.map(({ orderId, quantity, reason }) => [orderId, quantity, reason])).toEqual([[EXIT, 2.5, 'signal'], [`${EXIT}-2`, 7.5, 'signal']])
    expect(desk.exchange.balance('BTC')).toEqual({ free: 0, locked: 0 })
  })

  it('is told once the book is not empty any more', async () => {
    const desk = await holding()
    desk.exchange.setFaults({ rules: [{ fault: 'expired' }] })
    expect(await desk.submit(sellAt(1))).toMatchObject({ state: 'accepted' })
    expect(desk.alarms).toContain('naked')
    expect(await desk.wake(60_000)).toEqual([])
    desk.exchange.setFaults({ rules: [] })
    await desk.wake(60_000)
    await expectSoldOnce(desk)
  })

  it('is never too late: leaving has to stay possible', async () => {
    const desk = await holding()
    await desk.clock.sleep(31_000)
    expect(await desk.submit(sellAt(1))).toMatchObject({ state: 'accepted' })
    await expectSoldOnce(desk)
  })
})

describe('an exit where the venue cannot cancel and sell in one request', () => {
  it('takes the pair down and sells', async () => {
    const desk = await holding(NO_REPLACE)
    await desk.submit(sellAt(1))
    expect(desk.requests('POST order/cancelReplace')).toEqual([])
    expect(desk.placed.at(-1)).toBe(idOf(0, 'x1'))
    await expectSoldOnce(desk)
  })

  it.each<[string, string, Meddling]>([
    ['before the cancel', 'DELETE orderList', CRASH_BEFORE], ['after the cancel', 'DELETE orderList', CRASH_AFTER],
    ['before the sale', 'POST order', CRASH_BEFORE], ['after the sale', 'POST order', CRASH_AFTER],
  ])('is finished after a crash %s', async (_where, name, meddling) => {
    const desk = await holding(NO_REPLACE)
    desk.on(name, meddling)
    await expect(desk.submit(sellAt(1))).rejects.toThrow(Crashed)
    await desk.restart()
    // The trail ends with the intent, so the loop sends the order again.
    expect(await desk.submit(sellAt(1))).toMatchObject({ state: 'accepted' })
    await expectSoldOnce(desk)
  })

  it('is finished by the next wake-up where the loop does not ask again', async () => {
    const desk = await holding(NO_REPLACE)
    desk.on('DELETE orderList', CRASH_AFTER)
    await expect(desk.submit(sellAt(1))).rejects.toThrow(Crashed)
    await desk.restart()
    expect(await desk.wake(60_000)).toMatchObject([{ orderId: EXIT, quantity: 10, reason: 'signal' }])
    expect(desk.exchange.trades()).toHaveLength(2)
  })

  it('books a leg that filled in part before the cancel, and sells the rest', async () => {
    const desk = await holding({ ...NO_REPLACE, candles: [QUIET, QUIET, '100/106/99/101'], faults: { rules: [{ fault: 'partial-leg', at: [1], value: 0.4 }] } })
    await desk.clock.sleep(closeOf(2) - 2000 - desk.clock.now())
    desk.on('DELETE orderList', { executed: true, first: () => desk.clock.sleep(2500) })
    await desk.submit(sellAt(1, { decidedAt: desk.clock.now() }))
    await desk.candle(3)
    expect(desk.fills.map(({ orderId, quantity }) => [orderId, quantity])).toEqual([[ENTRY, 10], [`${ENTRY}-target`, 4], [EXIT, 6]])
    expect(desk.openOrders).toEqual([])
  })
})

describe('a person who halts', () => {
  it('keeps orders from leaving, while the pair stays', async () => {
    const desk = await holding({ candles: [QUIET, QUIET, QUIET, '100/101/94/95'] })
    desk.halted = 'lunch'
    const before = desk.placed
    expect(await desk.submit(sellAt(1))).toMatchObject({ state: 'rejected', reason: 'halted' })
    await desk.raiseStop(98)
    await desk.candle(2)
    expect(desk.placed).toEqual(before)
    expect(desk.openOrders.map(({ clientOrderId }) => clientOrderId)).toEqual([idOf(0, 's1'), idOf(0, 't1')])
    expect(await desk.candle(3)).toMatchObject([{ side: 'sell', quantity: 10, price: 95 }])
    expect(await desk.submit(buyAt(3))).toMatchObject({ state: 'rejected', reason: 'halted' })
    desk.halted = null
    expect(await desk.submit(buyAt(3))).toMatchObject({ state: 'accepted' })
  })

  it('has the stop moved once that is over', async () => {
    const desk = await holding()
    desk.halted = 'lunch'
    await desk.raiseStop(98)
    await desk.wake(60_000)
    desk.halted = null
    await desk.wake(60_000)
    expect(desk.openOrders.map(({ stopPrice, price }) => stopPrice || price)).toEqual([98, 105])
  })

  it('keeps what is left of a pair that filled in part', async () => {
    const desk = await holding({ candles: [QUIET, QUIET, '100/106/99/101'], faults: { rules: [{ fault: 'partial-leg', at: [1], value: 0.4 }] } })
    desk.halted = 'lunch'
    expect(await desk.candle(2)).toMatchObject([{ quantity: 4, reason: 'target' }])
    expect(desk.openOrders).toMatchObject([{ clientOrderId: idOf(0, 't1'), executedQuantity: 4 }])
    // It has no stop any more, and that is said.
    expect(desk.alarms).toContain('naked')
    desk.halted = null
    await desk.wake(60_000)
    expect(desk.openOrders.map(({ stopPrice, price, quantity }) => [stopPrice || price, quantity])).toEqual([[95, 6], [105, 6]])
  })

  it('while an entry is under way finds it unprotected, and that is said at each wake-up', async () => {
    const desk = await VenueDesk.open()
    desk.on('POST order', { executed: true, first: async () => { desk.halted = 'now' } })
    expect(await desk.submit(buyAt(0))).toMatchObject({ state: 'accepted' })
    expect(desk.openOrders).toEqual([])
    expect(await desk.wake(60_000)).toMatchObject([{ side: 'buy' }])
    expect(desk.alarms.filter((alarm) => alarm === 'naked')).toHaveLength(2)
    desk.halted = null
    await desk.wake(60_000)
    expect(desk.openOrders).toHaveLength(2)
  })

  it('may still sell', async () => {
    const desk = await holding()
    desk.halted = 'out'
    expect(await desk.submit(sellAt(1, { reason: 'operator' }))).toMatchObject({ state: 'accepted' })
    await desk.candle(2)
    expect(desk.fills.at(-1)).toMatchObject({ side: 'sell', quantity: 10, reason: 'operator' })
  })
})

describe('a person who sells from another process', () => {
  const sold = (broker: { takeExecutions?(symbol: string): readonly unknown[] }): readonly unknown[] => broker.takeExecutions!('BTC/USDT')

  it('is found out, told once, and not joined', async () => {
    const desk = await holding()
    desk.halted = 'panic'
    const notes: PastLine[] = []
    const other = await desk.otherProcess(notes)
    expect(await other.flatten!('BTC/USDT')).toBe(true)
    expect(sold(other)).toMatchObject([{ side: 'sell', quantity: 10, reason: 'operator', orderId: `${ENTRY}-operator` }])
    expect(sold(other)).toEqual([])
    expect(notes).toMatchObject([{ type: 'intent', purpose: 'sale', id: idOf(0, 'k1'), reason: 'operator' }])
    expect(await other.flatten!('BTC/USDT')).toBe(true)
    expect(await desk.wake(60_000)).toMatchObject([{ side: 'sell', quantity: 10, reason: 'operator', orderId: `${ENTRY}-operator` }])
    await desk.restart()
    desk.halted = null
    expect(await desk.wake(60_000)).toEqual([])
    expect(desk.exchange.trades()).toHaveLength(2)
    expect(desk.placed.at(-1)).toBe(idOf(0, 'k1'))
  })

  it.each(['POST order/cancelReplace', 'GET openOrders'])('at the moment at which the loop does (%s) sells once', async (name) => {
    const desk = await holding()
    const other = await desk.otherProcess()
    desk.on(name, { executed: true, first: () => other.flatten!('BTC/USDT') })
    expect(await desk.submit(sellAt(1))).toMatchObject({ state: 'accepted' })
    await desk.candle(2)
    expect(desk.fills.filter(({ side }) => side === 'sell')).toMatchObject([{ quantity: 10, orderId: `${ENTRY}-operator` }])
    expect(desk.told.at(-1)).toMatchObject({ kind: 'order', orderId: EXIT, state: 'cancelled', reason: 'position-closed' })
    expect(desk.exchange.trades()).toHaveLength(2)
    expect(desk.exchange.balance('BTC')).toEqual({ free: 0, locked: 0 })
  })

  it('while the loop moves a stop sells once', async () => {
    const desk = await holding()
    const other = await desk.otherProcess()
    desk.on('DELETE orderList', { executed: true, first: () => other.flatten!('BTC/USDT') })
    await desk.raiseStop(97)
    expect(await desk.wake(60_000)).toMatchObject([{ side: 'sell', quantity: 10, reason: 'operator' }])
    expect(desk.openOrders).toEqual([])
    expect(desk.exchange.trades()).toHaveLength(2)
  })

  it('sells what the pair left, after a partial fill', async () => {
    const desk = await holding({ candles: [QUIET, QUIET, '100/106/99/101'], faults: { rules: [{ fault: 'partial-leg', at: [1], value: 0.4 }] } })
    await desk.clock.sleep(2 * HOUR)
    const other = await desk.otherProcess()
    expect(await other.flatten!('BTC/USDT')).toBe(true)
    expect(sold(other)).toMatchObject([{ quantity: 4, reason: 'target' }, { quantity: 6, reason: 'operator' }])
    await desk.wake(60_000)
    expect(desk.fills.map(({ quantity }) => quantity)).toEqual([10, 4, 6])
  })

  it('without a position has nothing to do', async () => {
    const desk = await VenueDesk.open()
    expect(await (await desk.otherProcess()).flatten!('BTC/USDT')).toBe(true)
    expect(desk.exchange.accepted).toBe(0)
  })

  it('is told where an entry may still arrive', async () => {
    const desk = await VenueDesk.open()
    desk.on('POST order', UNSENT)
    desk.always('GET order', refusal(-1000, 'An unknown error occurred.', 500))
    await desk.submit(buyAt(0))
    await expect(desk.otherProcess().then((other) => other.flatten!('BTC/USDT'))).rejects.toThrow('unknown error')
    desk.calm()
    // Until its deadline has passed the bot may still send it.
    expect(await desk.otherProcess().then((other) => other.flatten!('BTC/USDT'))).toBe(false)
    await desk.clock.sleep(60_000)
    expect(await desk.otherProcess().then((other) => other.flatten!('BTC/USDT'))).toBe(true)
  })
})
