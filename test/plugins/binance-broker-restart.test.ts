import { describe, expect, it } from 'vitest'
import {
  buyAt, closeOf, CRASH_AFTER, CRASH_BEFORE, Crashed, expectConserved, idOf, LOST, QUIET, sellAt, UNSENT, VenueDesk, type DeskSetting, type Meddling,
} from '../support/venue-broker.ts'

/** What the loop does with a position; each step is done again after a crash in the middle of it. */
type Step = (desk: VenueDesk) => Promise<unknown>

const ENTRY: readonly Step[] = [(desk) => desk.submit(buyAt(0)), (desk) => desk.wake(60_000), (desk) => desk.candle(1), (desk) => desk.raiseStop(96), (desk) => desk.candle(2)]
const SOLD: readonly Step[] = [...ENTRY, (desk) => desk.submit(sellAt(2)), (desk) => desk.wake(60_000), (desk) => desk.candle(3)]
const STOPPED: readonly Step[] = [...ENTRY, (desk) => desk.wake(60_000), (desk) => desk.candle(3)]

async function play(steps: readonly Step[], setting: DeskSetting, count: number, meddling: Meddling): Promise<VenueDesk> {
  const desk = await VenueDesk.open(setting)
  desk.onNth(count, meddling)
  for (const step of [...steps, (last: VenueDesk) => last.wake(60_000), (last: VenueDesk) => last.wake(60_000)]) {
    try {
      await step(desk)
    } catch (error) {
      if (!(error instanceof Crashed)) throw error
      await desk.restart()
      await desk.clock.sleep(1000)
      await step(desk)
    }
  }
  return desk
}

const CANDLES = [QUIET, QUIET, '100/101/97/98', '98/99/90/91']
const WAYS: readonly (readonly [string, Meddling])[] = [
  ['the process dies before', CRASH_BEFORE], ['the process dies after', CRASH_AFTER], ['nothing comes of', UNSENT], ['nothing is heard of', LOST],
]
/** All requests in all ways take minutes; otherwise every third, in turn in one of the ways. */
const FULL = process.env['TAPEDECK_FULL'] !== undefined

describe('whatever happens to one request', { timeout: 900_000 }, () => {
  it.each<[string, readonly Step[], DeskSetting]>([
    ['is sold', SOLD, { candles: CANDLES }],
    ['is sold in two requests', SOLD, { candles: CANDLES, flags: { cancelReplaceAllowed: false } }],
    ['meets its raised stop', STOPPED, { candles: CANDLES }],
  ])('a position that %s comes out the same', async (_what, steps, setting) => {
    const undisturbed = await play(steps, setting, Infinity, LOST)
    expect(undisturbed.fills).toMatchObject([{ side: 'buy', quantity: 10 }, { side: 'sell', quantity: 10 }])
    let played = 0
    let entered = 0
    for (let count = 1; count <= undisturbed.asked.length; count += FULL ? 1 : 3) {
      for (const [how, meddling] of FULL ? WAYS : [WAYS[played % WAYS.length]]) {
        const desk = await play(steps, setting, count, meddling)
        const where = `${how} request ${count}\n${desk.lines.map((line) => JSON.stringify(line)).join('\n')}`
        expectConserved(desk)
        expect(desk.exchange.trades().filter(({ side }) => side === 'BUY').length, where).toBeLessThanOrEqual(1)
        expect(desk.openOrders, where).toEqual([])
        expect(desk.exchange.balance('BTC'), where).toEqual({ free: 0, locked: 0 })
        expect(new Set(desk.fills.map(({ orderId }) => orderId)).size, where).toBe(desk.fills.length)
        played++
        if (desk.fills.length > 0) entered++
      }
    }
    // Only an entry that had not left when the process died, or whose filters could not be read, is given up.
    expect(entered).toBeGreaterThan(played * 0.8)
  })
})

describe('an entry that was executed twice', () => {
  it('is found out after a restart, even where all that was known of it is sold', async () => {
    const desk = await VenueDesk.open({ candles: [QUIET, '100/101/94/96', '96/97/95.5/96'], faults: { rules: [{ fault: 'duplicate', at: [1] }] } })
    desk.always('GET allOrders', UNSENT)
    await desk.submit(buyAt(0))
    expect(await desk.candle(1)).toMatchObject([{ side: 'buy', quantity: 10 }, { side: 'sell', quantity: 10, reason: 'stop' }])
    desk.calm()
    await desk.restart()
    expect(await desk.wake(60_000)).toMatchObject([{ side: 'buy', quantity: 10 }])
    expect(desk.alarms).toContain('bought-twice')
    expect(desk.openOrders.map(({ quantity }) => quantity)).toEqual([10, 10])
    expectConserved(desk)
  })

  it('is not, where a venue has forgotten it since, which is nobody\'s loss', async () => {
    const desk = await VenueDesk.open({ candles: [QUIET, '100/101/94/96'] })
    await desk.submit(buyAt(0))
    await desk.candle(1)
    desk.exchange.setFaults({ rules: [{ fault: 'reset', at: [1] }] })
    await desk.restart()
    expect([...await desk.wake(60_000), ...await desk.wake(60_000)]).toEqual([])
    expect(await desk.submit(buyAt(0, { id: '0-2-entry', decidedAt: desk.clock.now() }))).toMatchObject({ state: 'accepted' })
    expect(await desk.wake(60_000)).toMatchObject([{ side: 'buy' }])
    // The next reset takes a position with it.
    desk.exchange.setFaults({ rules: [{ fault: 'reset', at: [1] }] })
    expect([...await desk.wake(60_000), ...await desk.wake(60_000)]).toMatchObject([{ kind: 'void', reason: 'reset' }])
  })
})

describe('after a restart', () => {
  it('an entry that was refused beside a position has not taken its place', async () => {
    const desk = await VenueDesk.open({ candles: [QUIET, QUIET, QUIET, '100/101/94/96'] })
    await desk.submit(buyAt(0))
    await desk.candle(1)
    expect(await desk.submit(buyAt(1))).toMatchObject({ state: 'rejected', reason: 'already-in-position' })
    await desk.restart()
    expect(await desk.candle(2)).toEqual([])
    expect(await desk.candle(3)).toMatchObject([{ side: 'sell', quantity: 10, reason: 'stop' }])
  })

  it('a sale that the loop had not been told of yet is told, though the trail tells of it before the fills that came first', async () => {
    const desk = await VenueDesk.open({ candles: [QUIET, '100/101/94/110', '110/111/109/110'], faults: { rules: [{ fault: 'duplicate', at: [1] }] }, balances: { USDT: 10_000, BTC: 50 } })
    await desk.submit(buyAt(0))
    // Bought twice; the stop of the first half fired; the second half is beyond its target and sold in the next candle.
    expect(await desk.candle(1)).toMatchObject([{ side: 'buy' }, { side: 'sell', reason: 'stop' }, { side: 'buy' }])
    await desk.restart()
    await desk.candle(2)
    expect(desk.fills.at(-1)).toMatchObject({ side: 'sell', quantity: 10, price: 110, reason: 'target_gap' })
    expectConserved(desk)
    expect(desk.exchange.balance('BTC')).toEqual({ free: 50, locked: 0 })
  })

  it('an exit that was refused is not carried out', async () => {
    const desk = await VenueDesk.open()
    await desk.submit(buyAt(0))
    await desk.candle(1)
    desk.halted = 'lunch'
    expect(await desk.submit(sellAt(1))).toMatchObject({ state: 'rejected', reason: 'halted' })
    await desk.restart()
    desk.halted = null
    expect(await desk.wake(60_000)).toEqual([])
    expect(desk.openOrders).toHaveLength(2)
  })

  it('an exit that the pair was quicker than is told as over, once', async () => {
    const desk = await VenueDesk.open({ candles: [QUIET, '100/101/94/96'] })
    await desk.submit(buyAt(0))
    await desk.wake()
    await desk.clock.sleep(closeOf(1) - 2000 - desk.clock.now())
    desk.on('POST order/cancelReplace', { executed: true, first: () => desk.clock.sleep(2500), answer: 'crash' })
    const exit = sellAt(0, { decidedAt: desk.clock.now() })
    await expect(desk.submit(exit)).rejects.toThrow(Crashed)
    await desk.restart()
    await desk.submit(exit)
    await desk.wake(60_000)
    await desk.restart()
    await desk.wake(60_000)
    expect(desk.fills).toMatchObject([{ side: 'buy' }, { side: 'sell', reason: 'stop', quantity: 10 }])
    expect(desk.told.filter(({ kind }) => kind === 'order')).toMatchObject([{ orderId: exit.id, state: 'cancelled', reason: 'position-closed' }])
  })

  it('a pair that arrived after it had been given up is taken down', async () => {
    const desk = await VenueDesk.open({ balances: { USDT: 10_000, BTC: 20 } })
    desk.on('POST orderList/oco', UNSENT)
    await desk.submit(buyAt(0))
    const late = { ...desk.requests('POST orderList/oco')[0].params }
    for (const name of ['signature', 'timestamp', 'recvWindow']) delete late[name]
    expect(desk.exchange.call('POST', '/orderList/oco', late).status).toBe(200)
    expect(desk.openOrders).toHaveLength(4)
    await desk.wake(60_000)
    expect(desk.alarms).toContain('orphan-order')
    expect(desk.openOrders.map(({ clientOrderId }) => clientOrderId)).toEqual([idOf(0, 's2'), idOf(0, 't2')])
  })
})
