import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import type { World } from './assemble.ts'
import { TrailTail } from './audit/tail.ts'
import { practiceClock } from './clocks.ts'
import { RealClock } from './real-clock.ts'
import type { Fill } from './core/order.ts'
import { TapedeckError } from './errors.ts'
import { runLive, sendsOrders, type Connected } from './live.ts'
import { definePlugin, type Clock, type MarketEvent, type PastLine, type Plugin, type Venue } from './ports.ts'
import { restartHint, type LiveRun } from './positions.ts'
import { readRecordedRun, recordedBroker } from './recorded-run.ts'
import { request } from './session/operator-box.ts'
import { fillOf } from './session/past.ts'
import { isPaper, ownsExchange } from './venue.ts'

export interface CloseOptions {
  readonly reason: string
  /** How long the run may take to act, in real ms. */
  readonly timeoutMs: number
  /** Throws TD_VENUE. */
  readonly venueOf: (run: LiveRun) => Venue
  readonly world: World
  /** The practice exchange that the run brings along lives, in this process. */
  readonly exchangeLives?: boolean
  readonly now: () => number
}

/** How a wish to be out of a symbol ended. */
export interface Closed {
  /** trade: it is sold. refused: the rules or the venue said no. silence: nothing has happened yet. */
  readonly outcome: 'trade' | 'refused' | 'silence'
  readonly fills: readonly Fill[]
  /** The closed trade as the trail tells it. */
  readonly trade: PastLine | null
  readonly reason: string | null
}

const POLL_MS = 100
/** Wake-ups of a run that nobody runs, until it is out; a second of the venue's time apart. */
const WAKES = 30

/**
 * Leaves one symbol of a run. A process that runs it is asked and waited for; otherwise the run is gone on with here,
 * just long enough. Throws TD_EXCHANGE_FAILED when its venue is not there.
 */
export function close(run: LiveRun, symbol: string, options: CloseOptions): Promise<Closed> {
  return run.writer === null ? closeHere(run, symbol, options) : closeThere(run, symbol, options)
}

async function closeThere({ path }: LiveRun, symbol: string, options: CloseOptions): Promise<Closed> {
  const { reason, timeoutMs, now, world: { signal } } = options
  const watch = new Watch(path, symbol)
  request(path, 'close', symbol, reason, now())
  const until = performance.now() + timeoutMs
  while (performance.now() < until && !signal.aborted) {
    const closed = watch.look()
    if (closed !== null) return closed
    await pause(POLL_MS, undefined, { signal }).catch(() => {})
  }
  return watch.silence()
}

async function closeHere(run: LiveRun, symbol: string, options: CloseOptions): Promise<Closed> {
  const { path, record } = run
  if (isPaper(record)) {
    throw new TapedeckError('TD_USAGE', `${run.run}: ${symbol} is held on paper, where only the price of a candle ends a position; `
      + `\`${restartHint(run)}\` goes on with the run, then close ${symbol}`)
  }
  if (ownsExchange(record) && options.exchangeLives !== true) {
    throw new TapedeckError('TD_EXCHANGE_FAILED',
      `${run.run}: its practice exchange ended with its process; `
      + `\`${restartHint(run)}\` starts both again, then close ${symbol}`)
  }
  const venue = options.venueOf(run)
  const watch = new Watch(path, symbol)
  const connect = async (): Promise<Connected> => {
    const clock: Clock = venue.name === 'practice' ? await practiceClock(venue, null) : new RealClock()
    // Only now: a wish that nobody could fulfil would be carried out whenever the run goes on.
    request(path, 'close', symbol, options.reason, options.now())
    return { venue, clock, close: async () => {} }
  }
  const { resolution } = await readRecordedRun(path)
  await runLive(resolution, options.world, {
    run: run.run, out: path, resume: path, connect,
    market: { plugin: wakesUntil(() => watch.look() !== null), options: {} },
    broker: await recordedBroker(record),
    checkIntervalMs: 60_000, asksLive: true, mode: sendsOrders(record) ? 'AUTONOMOUS' : 'MANUAL', atMarketEnd: 'stopped', decisions: null, about: aboutOf(record), tape: null,
    now: options.now,
    notes: ['A person closed a position while no process ran the run: it was gone on with without candles.'],
  })
  return watch.look() ?? watch.silence()
}

const OWN_FIELDS = new Set([
  'run', 'state', 'scenario', 'scenarioSha256', 'venue', 'broker', 'versions', 'seed', 'startedAt', 'finishedAt', 'requests',
  'audit', 'mode', 'figures', 'baselines', 'exits', 'decisions', 'warnings',
])

/** What run.json says beside what a live run always writes. */
const aboutOf = (record: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(record).filter(([name]) => !OWN_FIELDS.has(name)))

/** No candles: only time to settle orders, until it is `over`. */
const wakesUntil = (over: () => boolean): Plugin<'market', unknown> => definePlugin<'market', unknown>({
  kind: 'market', name: 'wakes', description: 'Wake-ups without candles.', options: z.strictObject({}),
  create: (_options, { clock, signal }) => ({
    instrument: (symbol) => { throw new Error(`the run has never been told what ${symbol} is`) },
    async *events(): AsyncGenerator<MarketEvent> {
      for (let wake = 0; wake < WAKES && !signal.aborted; wake++) {
        yield { kind: 'wake', time: clock.now() }
        // The first brings the wish; what came of it is seen with the next at the earliest.
        if (over()) return
        await clock.sleep(1_000, signal)
      }
    },
  }),
})

/** What the trail tells of one symbol from now on. */
class Watch {
  readonly #tail: TrailTail
  readonly #symbol: string
  readonly #fills: Fill[] = []
  #asked = false
  #closed: Closed | null = null

  constructor(path: string, symbol: string) {
    this.#tail = new TrailTail(join(path, 'audit.jsonl'))
    this.#symbol = symbol
  }

  /** null as long as nothing has come of it. */
  look(): Closed | null {
    for (const line of this.#tail.read()) this.#take(line)
    return this.#closed
  }

  silence(): Closed {
    return { outcome: 'silence', fills: this.#fills, trade: null, reason: this.#asked ? 'the run has heard it' : null }
  }

  #take(line: PastLine): void {
    if (line['symbol'] !== this.#symbol) return
    const { type } = line
    if (type === 'operator' && line['act'] === 'close') this.#asked = true
    else if (type === 'fill') this.#fills.push(fillOf(line))
    else if (type === 'trade') this.#closed = { outcome: 'trade', fills: this.#fills, trade: line, reason: null }
    else if (this.#asked && type === 'risk' && line['order'] !== undefined) this.#refused(line['rule'])
    else if (this.#asked && type === 'order' && line['state'] === 'rejected' && String(line['id']).endsWith('-close')) {
      this.#refused(line['reason'])
    }
  }

  #refused(reason: unknown): void {
    this.#closed ??= { outcome: 'refused', fills: this.#fills, trade: null, reason: String(reason) }
  }
}
