import { describe, expect, it } from 'vitest'
import {
  buyAt, CRASH_AFTER, CRASH_BEFORE, Crashed, expectConserved, LOST, QUIET, sellAt, UNSENT, VenueDesk, type DeskSetting, type Meddling,
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

describe.each<[string, readonly Step[], DeskSetting]>([
  ['a position that is sold', SOLD, { candles: CANDLES }],
  ['a position that is sold in two requests', SOLD, { candles: CANDLES, flags: { cancelReplaceAllowed: false } }],
  ['a position that meets its raised stop', STOPPED, { candles: CANDLES }],
])('%s', (_what, steps, setting) => {
  it.each<[string, Meddling]>([
    ['crashes before', CRASH_BEFORE], ['crashes after', CRASH_AFTER], ['loses', UNSENT], ['loses the answer to', LOST],
  ])('comes out the same wherever the process %s a request', async (_how, meddling) => {
    const undisturbed = await play(steps, setting, Infinity, meddling)
    expect(undisturbed.fills).toMatchObject([{ side: 'buy', quantity: 10 }, { side: 'sell', quantity: 10 }])
    const requests = undisturbed.asked.length
    let entered = 0
    for (let count = 1; count <= requests; count++) {
      const desk = await play(steps, setting, count, meddling)
      const where = `request ${count}: ${desk.lines.map((line) => JSON.stringify(line)).join('\n')}`
      expectConserved(desk)
      expect(desk.exchange.trades().filter(({ side }) => side === 'BUY').length, where).toBeLessThanOrEqual(1)
      expect(desk.openOrders, where).toEqual([])
      expect(desk.exchange.balance('BTC'), where).toEqual({ free: 0, locked: 0 })
      expect(new Set(desk.fills.map(({ orderId }) => orderId)).size, where).toBe(desk.fills.length)
      if (desk.fills.length > 0) entered++
      await desk.exchange.close()
    }
    // Only an entry that had not left when the process died, or whose filters could not be read, is given up.
    expect(entered).toBeGreaterThanOrEqual(requests - 6)
  })
})
