import { closeSync, existsSync, fsyncSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { loadVenueChecks, makeDeps, type World } from './assemble.ts'
import { practiceClock, ScaledClock } from './clocks.ts'
import { RealClock } from './real-clock.ts'
import { maskedSecrets, type Settings } from './config/settings.ts'
import { baseRate, breakEvenRate, DEFAULT_POLICY, roundTripCosts } from './core/policy.ts'
import { messageOf, TapedeckError } from './errors.ts'
import type { Venue } from './ports.ts'
import { isUnfinished, liveRuns, type LiveRun } from './positions.ts'
import { duration, fixed, percent } from './report/format.ts'
import { hint } from './report/hint.ts'
import { accountPlace, heldMarkets } from './session/account-lock.ts'

/** One thing that was looked at. */
export interface Check {
  readonly name: string
  /** false = trading would fail; null = worth knowing, or not to be found out. */
  readonly ok: boolean | null
  /** What was found and, where it is not well, what to do. */
  readonly detail: string
}

export interface DoctorOptions {
  readonly settings: Settings
  readonly world: World
  readonly symbols: readonly string[]
  readonly out: string
  /** Throws TD_VENUE. */
  readonly venue: () => Venue
}

const MEGABYTE = 2 ** 20
/** A day of one symbol's trail takes some megabytes. */
const SPACE = { least: 100 * MEGABYTE, comfortable: 1024 * MEGABYTE }
/** Every order waits for two flushes at least. */
const SLOW_FLUSH_MS = 100
const OLDEST_NODE = [20, 19] as const
/** Binance's standard, before any discount. */
const COSTS = { maker: 0.001, taker: 0.001, feeAsset: 'received', slippageBps: 5 } as const

const check = (name: string, ok: boolean | null, found: string, remedy = ''): Check =>
  ({ name, ok, detail: ok === true || remedy === '' ? found : `${found}; ${remedy}` })

/** What trading depends on: this machine, the runs in `out`, the venue. Sends no order. What is ill is told. */
export async function examine(options: DoctorOptions): Promise<readonly Check[]> {
  return [
    nodeCheck(), ...diskChecks(options.out), ...runChecks(options.out), breakEvenCheck(options.settings),
    ...await venueChecks(options),
  ]
}

function nodeCheck(): Check {
  const { node } = process.versions
  const [major, minor] = node.split('.').map(Number)
  const [oldest, least] = OLDEST_NODE
  const enough = major > oldest || (major === oldest && minor >= least)
  return check('node', enough, node, `at least ${OLDEST_NODE.join('.')} is needed: update Node.js`)
}

function diskChecks(out: string): Check[] {
  let folder = resolve(out)
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder)
  const { bavail, bsize } = statfsSync(folder)
  const free = bavail * bsize
  const space = check('disk space', free < SPACE.least ? false : free < SPACE.comfortable ? null : true,
    `${fixed(free / MEGABYTE, 0)} MB are free for ${out}`, 'a trail that cannot be written stops trading: free space')
  const probe = join(folder, `.doctor.${process.pid}.tmp`)
  try {
    const begun = performance.now()
    const file = openSync(probe, 'w')
    try {
      writeSync(file, Buffer.alloc(4096))
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    const ms = performance.now() - begun
    return [space, check('disk flush', ms < SLOW_FLUSH_MS ? true : null,
      `${folder} takes files, and has them on disk after ${duration(ms)}`,
      'every order waits for that: a local disk is faster')]
  } catch (error) {
    const remedy = 'make it writable, or give another --out'
    return [space, check('disk flush', false, `${folder}: ${messageOf(error)}`, remedy)]
  } finally {
    rmSync(probe, { force: true })
  }
}

function runChecks(out: string): Check[] {
  const { runs, unreadable } = liveRuns(out, (record) => isUnfinished({ state: String(record['state']) }))
  const holding = ({ positions }: LiveRun): string =>
    (positions.length === 0 ? '' : `, holding ${positions.map(({ symbol }) => symbol).join(', ')}`)
  const crashed = runs.filter(({ writer, state }) => writer === null && state === 'running')
  const halted = runs.filter((run) => run.halted !== null)
  return [
    ...crashed.map((run) =>
      check('run', null, `${run.run} crashed${holding(run)}`, `go on with it, or ${hint(run.path, 'panic', run.run)}`)),
    ...halted.map((run) =>
      check('run', null, `${run.run} is HALTED: ${run.halted}`, `${hint(run.path, 'resume', run.run)} lets it trade again`)),
    ...unreadable.map(({ path, why }) => check('run', false, `${path}: ${why}`)),
  ]
}

function breakEvenCheck(settings: Settings): Check {
  const { stopLoss, takeProfit, minConfidence } = { ...DEFAULT_POLICY, ...settings }
  const costs = roundTripCosts(COSTS)
  const base = baseRate(stopLoss, takeProfit)
  const needed = breakEvenRate(stopLoss, takeProfit, costs)
  const text = `base rate ${percent(base)}, break-even ${percent(needed)} with ${percent(costs)} costs, `
    + `threshold ${percent(minConfidence)}`
  return check('break-even', needed === null || minConfidence >= needed ? true : null, text,
    'the threshold is below break-even: a scenario may say minConfidence: breakeven+0.02')
}

async function venueChecks({ settings, world, symbols, venue: chosen }: DoctorOptions): Promise<Check[]> {
  let venue: Venue
  try {
    venue = chosen()
  } catch (error) {
    if (!(error instanceof TapedeckError)) throw error
    return [check('venue', false, error.message)]
  }
  const secrets = maskedSecrets(world.env)
  const keys = venue.name === 'practice' && !world.env['BINANCE_API_KEY'] ? 'those of every practice exchange'
    : `BINANCE_API_KEY ${secrets['BINANCE_API_KEY']}, BINANCE_API_SECRET ${secrets['BINANCE_API_SECRET']}`
  const traded = heldMarkets(accountPlace(venue), venue.apiKey).map(({ market, pid }) => `${market} by process ${pid}`)
  const told = [
    check('venue keys', true, `${keys}; BINANCE_ENV is ${settings.binanceEnv}`),
    check('account', true, traded.length === 0 ? 'no process trades with it' : `it trades ${traded.join(', ')}`),
  ]
  try {
    const clock = venue.name === 'practice' ? await practiceClock(venue, null) : new RealClock()
    const { examineVenue } = await loadVenueChecks()
    const look = (): Promise<readonly Check[]> => examineVenue(venue, symbols, makeDeps(world, clock, 1, ['ALLOW_MAINNET']))
    const checks = clock instanceof RealClock ? await look() : await clock.alone(look)
    // Where time runs faster, so does every millisecond that the question takes: both clocks are this machine's.
    const coarse = (one: Check): boolean => clock instanceof ScaledClock && one.name === 'clock' && one.ok === false
    return [...told, ...checks.map((one) => (coarse(one) ? { ...one, ok: null } : one))]
  } catch (error) {
    if (!(error instanceof TapedeckError)) throw error
    return [...told, check('venue', false, error.message)]
  }
}
