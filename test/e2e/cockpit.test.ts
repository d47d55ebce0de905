import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { writeFileSync } from 'node:fs'
import { registry } from '../../engine/assemble.ts'
import { Cockpit } from '../../engine/cockpit.ts'
import { resolveScenario } from '../../engine/config/resolve.ts'
import { loadScenario } from '../../engine/config/scenario-file.ts'
import { liveSettings, readSettings } from '../../engine/config/settings.ts'
import { RealClock } from '../../engine/real-clock.ts'
import { ServiceBook } from '../../engine/session/service-book.ts'
import { venueFrom, venueOfRun } from '../../engine/venue.ts'
import { temporaryFolder } from '../support/run-scenario.ts'
import { bookOf } from '../support/served-run.ts'
import { trailOf } from '../support/rehearsal.ts'

const env = { CHECK_INTERVAL: '5' }
const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const open: Cockpit[] = []
afterEach(() => Promise.all(open.splice(0).map((cockpit) => cockpit.end())))

/** Five-second candles in a fortieth of their time. */
async function cockpitOf(exchange?: string): Promise<Cockpit> {
  const folder = temporaryFolder()
  const file = join(folder, 'live.yaml')
  writeFileSync(file, stringify({
    name: 'live', market: { source: 'synthetic' }, strategy: { name: 'buy-and-hold' },
    policy: { minConfidence: 0, positionSize: 0.1 },
  }))
  const settings = readSettings(env)
  const out = join(folder, 'runs')
  const services = { book: new ServiceBook(out), clock: new RealClock() }
  const world = { env, log: quiet, services, signal: new AbortController().signal, stopwatch: () => performance.now() }
  const cockpit = new Cockpit(await resolveScenario(loadScenario(file, []), liveSettings(settings), registry), world, {
    out, venue: exchange === undefined ? null : venueFrom(settings, env, { exchange }), speed: 40, mode: 'AUTONOMOUS', checkIntervalMs: 5_000,
    decisions: null, now: () => Date.now(), venueOf: (run) => venueOfRun(run.record, settings, env, {}),
  })
  open.push(cockpit)
  return cockpit
}

/** With a position, and without a loop. */
async function holding(): Promise<Cockpit> {
  const cockpit = await cockpitOf()
  await cockpit.start()
  await expect.poll(() => cockpit.book.openPositions, { timeout: 20_000 }).toBe(1)
  await cockpit.stop()
  expect(cockpit.book.openPositions).toBe(1)
  return cockpit
}

/** What it shows is what its trail tells, every line of which was written once. */
function agrees({ book, trader: { directory } }: Cockpit): void {
  const told = bookOf(directory)
  expect([book.seq, book.openPositions, book.tradeCount, book.equity]).toEqual([told.seq, told.openPositions, told.tradeCount, told.equity])
  const numbers = trailOf(directory).map((line) => line['seq'])
  expect(numbers).toEqual(numbers.map((_, index) => index + 1))
}

describe('a cockpit', () => {
  it('leaves a position while no loop runs, shows that it has, and starts only then', async () => {
    const cockpit = await holding()
    const [left] = await Promise.all([cockpit.close('BTC/USDT', 'lunch'), cockpit.toggle(), cockpit.toggle()])
    expect(left).toEqual({ outcome: 'sold' })
    expect(cockpit.running).toBe(true)
    await cockpit.stop()
    agrees(cockpit)
    const sales = trailOf(cockpit.trader.directory).filter(({ type, side }) => type === 'fill' && side === 'sell')
    expect(sales.map(({ reason }) => reason)).toEqual(['operator'])
    expect(cockpit.book.orders.isLeaving('BTC/USDT')).toBe(false)
  })

  it('leaves everything in one panic at a time, says that it is halted, and counts the sale once when the loop goes on', async () => {
    const cockpit = await holding()
    const told = await Promise.all([cockpit.panic('dashboard'), cockpit.panic('dashboard')])
    expect(told.map(({ closed }) => closed)).toEqual([['BTC/USDT'], []])
    expect(told[1].failed).toEqual([{ symbol: '*', message: `process ${process.pid} is at it already` }])
    expect([cockpit.book.openPositions, cockpit.book.risk.state, cockpit.risk()]).toEqual([
      0, 'RUNNING', { state: 'HALTED', reason: 'dashboard', since: expect.any(String) as string },
    ])
    await cockpit.start()
    await expect.poll(() => cockpit.book.risk.state, { timeout: 20_000 }).toBe('HALTED')
    // The sale is taken in with the first wake-up.
    await expect.poll(() => bookOf(cockpit.trader.directory).openPositions, { timeout: 20_000 }).toBe(0)
    await cockpit.stop()
    agrees(cockpit)
    expect(cockpit.book.tradeCount).toBe(1)
    await cockpit.act('resume', 'looked at')
    expect([cockpit.book.risk.state, cockpit.risk().state]).toEqual(['HALTED', 'RUNNING'])
  })

  it('can be started again when its venue was not there, and a stop beats a start that has not begun', async () => {
    const cockpit = await cockpitOf('http://127.0.0.1:1')
    for (let attempt = 1; attempt <= 2; attempt++) await expect(cockpit.toggle()).rejects.toMatchObject({ code: 'TD_EXCHANGE_FAILED' })
    const starting = cockpit.start()
    await cockpit.stop()
    await starting
    expect(cockpit.running).toBe(false)
  })
})
