import { z } from 'zod'
import { registry } from './assemble.ts'
import { Cockpit } from './cockpit.ts'
import { resolveScenario, type Resolution } from './config/resolve.ts'
import { loadScenario } from './config/scenario-file.ts'
import { liveSettings, readSettings } from './config/settings.ts'
import { TapedeckError } from './errors.ts'
import { FASTEST } from './exchange.ts'
import type { Logger } from './ports.ts'
import { RealClock } from './real-clock.ts'
import { statusView } from './server/views.ts'
import { ServiceBook } from './session/service-book.ts'
import { venueFrom, venueOfRun } from './venue.ts'

export interface FullyAutonomousOptions {
  /** Path of the scenario file. */
  readonly scenario: string
  /** Parent folder of run directories; default `runs`. */
  readonly out?: string
  /** Origin of a practice exchange on this machine; left out = the venue of the environment's keys, or an own practice exchange without keys. */
  readonly exchange?: string
  /** Simulated ms per real ms of its own practice exchange; default 1. */
  readonly speed?: number
  /** Where all decisions are kept, line by line; default `logs/autonomous_trades.jsonl`, null = nowhere. */
  readonly decisions?: string | null
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Default: nothing is said. */
  readonly log?: Logger
}

/** How a trader stands, as `GET /api/autonomous-status` tells it. */
const known = z.strictObject({
  scenario: z.string('expected the path of a scenario file'), out: z.string(), exchange: z.string(),
  speed: z.number().gt(0).max(FASTEST), decisions: z.string().nullable(), env: z.record(z.string(), z.string().optional()), log: z.unknown(),
}).partial().required({ scenario: true })

export interface AutonomousStatus {
  readonly enabled: boolean
  readonly mode: 'AUTONOMOUS' | 'MANUAL'
  readonly is_running: boolean
  readonly trades_executed: number
  /** `YYYY-MM-DD HH:MM:SS` UTC; null before the first. */
  readonly last_decision_time: string | null
  readonly current_confidence: number | null
  readonly active_positions: number
  readonly loop_iterations: number
}

/** A decision that was executed. */
export interface ExecutedDecision {
  readonly timestamp: string
  readonly action: string
  readonly confidence: number | null
  readonly reasoning: string
  readonly market_data: Readonly<Record<string, unknown>>
  readonly status: string
}

const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {} }

/**
 * The seed system's engine as a library call: a scenario that trades by itself, from start to stop. Real money is not traded
 * this way: mainnet needs the command and its opt-ins.
 */
export class FullyAutonomousTrader {
  readonly #options: FullyAutonomousOptions
  #opening: Promise<Cockpit> | null = null
  #cockpit: Cockpit | null = null

  /** Throws TD_USAGE for options that are none. */
  constructor(options: FullyAutonomousOptions) {
    const parsed = known.safeParse(options)
    if (!parsed.success) {
      const [{ path, message }] = parsed.error.issues
      throw new TapedeckError('TD_USAGE', `FullyAutonomousTrader: ${path.join('.') || 'options'}: ${message}; give { scenario: FILE } and what else it takes`)
    }
    this.#options = options
  }

  /**
   * Starts the loop and resolves once it has begun. Rejects with coded errors: a scenario, a venue or a key that is wrong,
   * a run that another process trades.
   */
  async start(): Promise<void> {
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = null
      throw error
    })
    this.#cockpit = await this.#opening
    await this.#cockpit.start()
  }

  /** Stops the loop, and its practice exchange if it has one. Positions keep their stop and target at the venue. */
  async stop(): Promise<void> {
    await this.#cockpit?.end()
  }

  getStatus(): AutonomousStatus {
    if (this.#cockpit !== null) return statusView(this.#cockpit, this.#cockpit) as AutonomousStatus
    return {
      enabled: false, mode: this.#mode, is_running: false, trades_executed: 0, last_decision_time: null, current_confidence: null,
      active_positions: 0, loop_iterations: 0,
    }
  }

  /** The newest executed decisions, at most `limit`, oldest first. */
  getExecutionHistory(limit = 20): readonly ExecutedDecision[] {
    const executed = this.#cockpit === null ? [] : [...this.#cockpit.book.decisions].filter(({ row }) => row.status === 'EXECUTED')
    return executed.slice(-limit).map(({ history }) => history)
  }

  get #env(): Readonly<Record<string, string | undefined>> {
    return this.#options.env ?? process.env
  }

  get #mode(): 'AUTONOMOUS' | 'MANUAL' {
    return readSettings(this.#env).autonomousMode ? 'AUTONOMOUS' : 'MANUAL'
  }

  async #open(): Promise<Cockpit> {
    const { scenario, out = 'runs', exchange, speed = 1, decisions = 'logs/autonomous_trades.jsonl', log = SILENT } = this.#options
    const env = this.#env
    const settings = readSettings(env)
    if (settings.binanceEnv === 'mainnet') throw new TapedeckError('TD_VENUE', 'mainnet trades real money and needs three opt-ins; use tapedeck live')
    const resolution: Resolution = await resolveScenario(loadScenario(scenario, []), liveSettings(settings), registry)
    const keyless = exchange === undefined && !env['BINANCE_API_KEY'] && !env['BINANCE_API_SECRET']
    const services = { book: new ServiceBook(out), clock: new RealClock() }
    // Each start has a signal of its own; this one never aborts.
    const world = { env, log, services, signal: new AbortController().signal, stopwatch: () => performance.now() }
    return new Cockpit(resolution, world, {
      out, venue: keyless ? null : venueFrom(settings, env, { exchange }), speed, mode: this.#mode,
      checkIntervalMs: settings.checkIntervalSeconds * 1000, decisions, now: () => Date.now(),
      venueOf: (run) => venueOfRun(run.record, settings, env, {}),
    })
  }
}
