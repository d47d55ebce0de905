import { basename, join } from 'node:path'
import { loadExchange, makeDeps, registry, SimulatedClock, type World } from './assemble.ts'
import { scenarioHash } from './backtest.ts'
import { practiceClock } from './clocks.ts'
import type { Resolution, ResolvedScenario } from './config/resolve.ts'
import { instrumentOf } from './core/instrument.ts'
import type { EpochMs } from './core/time.ts'
import { DAY_MS } from './core/time.ts'
import { floorToGrid, intervalOf, timeframeMs } from './core/timeframe.ts'
import { TapedeckError } from './errors.ts'
import { liveBrokerOptions, paperBlock } from './live-broker.ts'
import { liveRunId, runLive, type Connected, type LiveResult } from './live.ts'
import type { PastLine, Venue } from './ports.ts'
import { isUnfinished } from './positions.ts'
import { RealClock } from './real-clock.ts'
import { recordsIn, type RunRecord } from './session/live-directory.ts'
import { standingOf, type Shadows, type ShadowStanding } from './shadows.ts'
import { loadTape, type LoadedTape } from './tape.ts'
import { PRACTICE } from './venue.ts'

export type Mode = 'AUTONOMOUS' | 'MANUAL'

export interface AutonomousOptions {
  /** Parent folder of run directories. */
  readonly out: string
  /** null: a practice exchange of this process, with a synthetic market that begins now. */
  readonly venue: Venue | null
  /** Orders are filled on paper, with the venue's prices; left out = they go to the venue. */
  readonly onPaper?: boolean
  /** Simulated ms per real ms of that practice exchange. */
  readonly speed: number
  readonly mode: Mode
  readonly checkIntervalMs: number
  /** The view of all decisions; null keeps none. */
  readonly decisions: string | null
  readonly onLine: (line: PastLine) => void
  readonly now: () => EpochMs
}

/** Shorter candles are over before anybody can decide on them. */
const LEAST_CANDLE_MS = 5_000
/** A day of candles, and never fewer than these. */
const LEAST_CANDLES = 500

/** The tape of a practice exchange that a live run brings along. */
interface TapePlan {
  readonly from: EpochMs
  /** The exchange's time when it first opens; left out = the end of the warm-up. */
  readonly opens?: EpochMs
  readonly candles: number
  readonly seed: number
}

/** What became of the loop when it last ended. */
export type Ending = { readonly result: LiveResult } | { readonly error: unknown }

/**
 * A scenario that trades by itself, from start to stop and on again, in one run directory. The loop can be stopped and
 * started as often as one likes; positions keep their protection at the exchange meanwhile.
 */
export class AutonomousTrader {
  readonly run: string
  readonly directory: string
  readonly mode: Mode
  readonly kind: 'live' | 'paper'
  /** Whether it goes on with a run of an earlier process. */
  readonly continued: boolean
  readonly #resolution: Resolution
  readonly #world: World
  readonly #options: AutonomousOptions
  readonly #tape: TapePlan | null
  #began: boolean
  #exchange: { readonly url: string; close(): Promise<void> } | null = null
  #loop: { readonly abort: AbortController; readonly done: Promise<Ending> } | null = null
  #ending: Ending | null = null
  #shadows: Shadows | null = null

  /** Throws TD_SCENARIO_INVALID for a scenario that cannot be traded live. */
  constructor(resolution: Resolution, world: World, options: AutonomousOptions) {
    const { scenario } = resolution
    const { out, venue, mode, now, onPaper = false } = options
    if (timeframeMs(scenario.timeframe) < LEAST_CANDLE_MS) {
      throw new TapedeckError('TD_SCENARIO_INVALID', `${scenario.name}: timeframe ${scenario.timeframe}: that a candle is final is known a second and more after its close, `
        + 'so that nobody could decide in time; use 5s or longer')
    }
    paperBlock(scenario, onPaper ? 'paper trading' : 'live trading')
    this.#resolution = resolution
    this.#world = world
    this.#options = options
    this.mode = mode
    this.kind = onPaper ? 'paper' : 'live'
    const found = newestOf(scenario, out, venue, mode, this.kind)
    this.continued = found !== null
    this.#began = this.continued
    this.run = found?.run ?? liveRunId(scenario, now())
    this.directory = found?.path ?? join(out, this.run)
    this.#tape = venue !== null ? null : (found?.record['tape'] as TapePlan | undefined) ?? tapePlan(resolution, now())
  }

  /** Whether the loop runs. */
  get running(): boolean {
    return this.#loop !== null
  }

  /** How the loop ended; null while it runs, and before its first start. */
  get ending(): Ending | null {
    return this.#ending
  }

  /** The venue's name, as it is shown. */
  get venue(): Venue['name'] {
    return this.#options.venue?.name ?? 'practice'
  }

  /** How the shadow lanes stand, also when the loop has ended. */
  shadows(): readonly ShadowStanding[] {
    return this.#shadows?.standings() ?? this.#resolution.shadows.map(standingOf)
  }

  /** Starts the loop, unless it runs. Resolves with how it ends, later; never rejects. */
  start(): Promise<Ending> {
    if (this.#loop !== null) return this.#loop.done
    const abort = new AbortController()
    const done = this.#trade(abort).then(
      (result): Ending => ({ result }), (error: unknown): Ending => ({ error }),
    ).then((ending) => {
      this.#loop = null
      this.#ending = ending
      return ending
    })
    this.#ending = null
    this.#loop = { abort, done }
    return done
  }

  /** Stops the loop and waits until it has. Orders at the exchange stay as they are. */
  async stop(): Promise<void> {
    this.#loop?.abort.abort()
    await this.#loop?.done
  }

  /** Stops the loop and what was started for it. */
  async close(): Promise<void> {
    await this.stop()
    await this.#exchange?.close()
    this.#exchange = null
  }

  async #trade(abort: AbortController): Promise<LiveResult> {
    const { out, venue, mode, checkIntervalMs, decisions, onLine, now, speed, onPaper = false } = this.#options
    const { scenario, folder } = this.#resolution
    const world = { ...this.#world, signal: AbortSignal.any([abort.signal, this.#world.signal]) }
    const [market, broker] = await Promise.all([registry.plugin('market', 'binance'), registry.plugin('broker', onPaper ? 'paper' : 'binance')])
    const { options: assumed } = scenario.broker
    const resume = this.#began ? this.directory : null
    return runLive(this.#resolution, world, {
      run: this.run, out, resume,
      connect: async (directory) => {
        this.#began = true
        return venue === null ? this.#connectOwn(directory) : connectTo(venue)
      },
      market: { plugin: market, options: {} },
      // The market settles paper orders on finer candles by itself, and a late answer does not move the open that an order meets.
      broker: { plugin: broker, options: onPaper ? { ...(assumed as object), fillTimeframe: null } : liveBrokerOptions(assumed) },
      onPaper,
      checkIntervalMs, asksLive: true, mode, onLine, decisions, hearsAtOnce: true,
      onShadows: (shadows) => { this.#shadows = shadows },
      about: {
        kind: this.kind, checkIntervalMs, folder, exchange: venue === null ? 'own' : 'external',
        ...(this.#tape === null ? {} : { tape: this.#tape, speed }),
      },
      notes: [onPaper ? paperNote(this.venue) : venueNote(this.venue)], atMarketEnd: venue === null ? 'finished' : 'stopped', tape: null, now,
    })
  }

  /** The exchange lives as long as this does, through all stops and starts of the loop. */
  async #connectOwn(directory: string): Promise<Connected> {
    this.#exchange ??= await openOwn(this.#resolution, this.#world, this.#tape!, this.#options.speed, directory)
    const venue: Venue = { name: 'practice', url: this.#exchange.url, apiKey: PRACTICE, apiSecret: PRACTICE }
    return { venue, clock: await practiceClock(venue, null), close: async () => {} }
  }
}

async function connectTo(venue: Venue): Promise<Connected> {
  const clock = venue.name === 'practice' ? await practiceClock(venue, null) : new RealClock()
  return { venue, clock, close: async () => {} }
}

const paperNote = (venue: Venue['name']): string =>
  (venue === 'public' ? 'On paper, with live prices of Binance.' : 'On paper, with prices of a practice exchange: they prove the machine, not the profit.')

const venueNote = (venue: Venue['name']): string =>
  (venue === 'mainnet' ? 'Live, with real money.'
    : venue === 'practice' ? 'Live on a practice exchange, with a made-up market: it proves the machine, not the profit.'
      : `Live on Binance's ${venue}, whose prices are not the market's: it proves the machine, not the profit.`)

/** The newest run of this scenario, venue and mode that was stopped or killed, or null. */
function newestOf(
  scenario: ResolvedScenario, out: string, venue: Venue | null, mode: Mode, kind: 'live' | 'paper',
): { readonly run: string; readonly path: string; readonly record: RunRecord } | null {
  const hash = scenarioHash(scenario)
  const found = recordsIn(out).find(({ record }) => {
    const at = record['venue'] as Pick<Venue, 'name' | 'url'> | undefined
    const same = venue === null ? record['exchange'] === 'own' : record['exchange'] !== 'own' && at?.name === venue.name && at.url === venue.url
    return record['kind'] === kind && record['scenarioSha256'] === hash && record['mode'] === mode && same
      && isUnfinished({ state: String(record['state']) })
  })
  return found === undefined ? null : { run: basename(found.path), ...found }
}

/** A synthetic market whose warm-up has just ended. */
function tapePlan({ scenario, plugins: { strategy } }: Resolution, now: EpochMs): TapePlan {
  const step = timeframeMs(scenario.timeframe)
  const parts = step / timeframeMs(intervalOf(scenario.timeframe))
  const warmup = strategy.warmup(scenario.strategy.params)
  const live = Math.max(LEAST_CANDLES, Math.ceil(DAY_MS / step))
  return { from: floorToGrid(now, step) - warmup * step, opens: now, candles: (warmup + live) * parts, seed: scenario.seed }
}

async function openOwn(
  { scenario, folder, plugins: { strategy } }: Resolution, world: World, plan: TapePlan, speed: number, directory: string,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const paper = paperBlock(scenario, 'live trading')
  const instruments = Object.fromEntries(scenario.symbols.map((symbol) => [symbol, instrumentOf(symbol, scenario.instruments[symbol])]))
  const plugin = await registry.plugin('market', 'synthetic')
  const market = await plugin.create(
    plugin.options.parse({ seed: plan.seed, from: plan.from, candles: plan.candles }),
    makeDeps(world, new SimulatedClock(), plan.seed, plugin.env),
    { symbols: scenario.symbols, timeframe: intervalOf(scenario.timeframe), fillTimeframe: null, instruments, folder },
  )
  const tapes: readonly LoadedTape[] = await loadTape(market, scenario.symbols)
  const { maker, taker, asset } = paper.fees
  const startTime = plan.opens ?? plan.from + strategy.warmup(scenario.strategy.params) * timeframeMs(scenario.timeframe)
  return (await loadExchange()).startExchange({
    tapes, instruments, costs: { maker, taker, feeAsset: asset, slippageBps: paper.slippageBps }, fillModel: paper.fillModel,
    balances: { [instruments[scenario.symbols[0]].quote]: paper.cash }, startTime, pace: speed,
    apiKey: PRACTICE, apiSecret: PRACTICE, faults: { seed: 1, rules: [] }, journal: join(directory, 'exchange.jsonl'),
  })
}
