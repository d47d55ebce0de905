import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { World } from './assemble.ts'
import { AutonomousTrader, type AutonomousOptions, type Ending } from './autonomous.ts'
import { readTrail } from './audit/reader.ts'
import { scenarioHash } from './backtest.ts'
import { close } from './close.ts'
import type { Resolution } from './config/resolve.ts'
import { isoTime } from './core/time.ts'
import { messageOf, TapedeckError } from './errors.ts'
import { panic } from './panic.ts'
import type { OperatorAct, PastLine, Venue } from './ports.ts'
import { readLiveRun, type LiveRun } from './positions.ts'
import { disable, enable } from './providers.ts'
import { redactor } from './recording/redaction.ts'
import type { Controls, LaneInfo, Leaving, PanicOutcome, RunInfo, RunState, ServiceInfo, Shown } from './server/ports.ts'
import type { Risk } from './server/risk-book.ts'
import { RunBook } from './server/run-book.ts'
import { runInfo } from './server/run-info.ts'
import { serviceList } from './server/service-list.ts'
import { halt, haltOf, request, resume as resumeRun, resumePending } from './session/operator-box.ts'
import { ServiceBook } from './session/service-book.ts'

export interface CockpitOptions extends Omit<AutonomousOptions, 'onLine'> {
  /** Where the run trades, for leaving positions while no loop runs. */
  readonly venueOf: (run: LiveRun) => Venue
}

/** How long a start may take before whoever asked for it is answered, and how long a close may. */
const START_MS = 5_000
const CLOSE_MS = 30_000

/** What a page shows of a trading run, and what people may do with it. */
export class Cockpit implements Shown, Controls {
  readonly book = new RunBook()
  readonly trader: AutonomousTrader
  readonly #resolution: Resolution
  readonly #world: World
  readonly #options: CockpitOptions
  readonly #services: ServiceBook
  readonly #redact: (text: string) => string
  readonly #hearers: ((line: PastLine) => void)[] = []
  readonly #listeners = new Set<() => void>()
  #turning: Promise<void> | null = null
  /** Starting the loop, and trading while none runs, one after the other: each writes the run. */
  #last: Promise<unknown> = Promise.resolve()
  /** Starts that were asked for before the newest stop are not made any more. */
  #stops = 0
  #heard: (() => void) | null = null
  #startedAt: string | null = null
  /** Keys that services lack, by service. */
  readonly #lacking = new Map<string, string>()

  /** Throws TD_SCENARIO_INVALID for a scenario that cannot be traded live, TD_TRAIL_BROKEN where its run cannot be gone on with. */
  constructor(resolution: Resolution, world: World, options: CockpitOptions) {
    this.#resolution = resolution
    this.#world = world
    this.#options = options
    this.#services = new ServiceBook(options.out)
    this.#redact = redactor(world.env)
    this.trader = new AutonomousTrader(resolution, world, { ...options, onLine: (line) => { this.#see(line) } })
    const trail = join(this.trader.directory, 'audit.jsonl')
    if (existsSync(trail)) for (const { fields } of readTrail(trail).lines) this.book.see(fields)
  }

  /** Services that cannot be asked for want of a key are shown as that. */
  knowServices(services: readonly { readonly name: string; readonly provider: { readonly lacks?: string } }[]): void {
    for (const { name, provider: { lacks } } of services) if (lacks !== undefined) this.#lacking.set(name, lacks)
  }

  /** `listener` is told every line that is added to the trail. */
  hear(listener: (line: PastLine) => void): void {
    this.#hearers.push(listener)
  }

  #see(line: PastLine): void {
    this.book.see(line)
    for (const hear of this.#hearers) hear(line)
    this.#heard?.()
    this.#heard = null
  }

  get mode(): 'AUTONOMOUS' | 'MANUAL' { return this.trader.mode }
  get running(): boolean { return this.trader.running }
  get enabled(): boolean { return this.running }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => { this.#listeners.delete(listener) }
  }

  info(): RunInfo {
    const { trader } = this
    const { scenario } = this.#resolution
    const { ending } = trader
    const record = {
      run: trader.run, kind: trader.kind, venue: { name: trader.venue }, scenario, scenarioSha256: scenarioHash(scenario), startedAt: this.#startedAt,
    }
    return runInfo(record, this.book, {
      state: this.#state(), mode: trader.mode, shadows: trader.shadows().map(({ name }) => name),
      notes: ending !== null && 'error' in ending ? [`The loop failed: ${this.#redact(messageOf(ending.error))}`] : [],
    })
  }

  services(): readonly ServiceInfo[] {
    return serviceList(this.#services, this.#resolution.scenario.providers.map(({ name }) => name)).map((service) => {
      const lacking = this.#lacking.get(service.name)
      return lacking === undefined ? service : { ...service, health: { ...service.health, state: 'DISABLED', reason: `${lacking} is not set`, until: null } }
    })
  }

  lanes(): readonly LaneInfo[] {
    return this.trader.shadows().map(({ netReturn, winRate, maxDrawdown, openPositions, ...rest }) =>
      ({ ...rest, net_return: netReturn, win_rate: winRate, max_drawdown: maxDrawdown, open_positions: openPositions }))
  }

  /** Whether it may trade from here on: on disk before the loop has told it, or while none runs. */
  risk(): Risk {
    const { directory } = this.trader
    const { risk } = this.book
    const halt = haltOf(directory)
    if (halt !== null) return risk.state === 'HALTED' ? risk : { state: 'HALTED', reason: halt.reason, since: isoTime(halt.time) }
    return risk.state === 'HALTED' && resumePending(directory) ? { state: 'RUNNING', reason: null, since: null } : risk
  }

  /** Stops the loop and what was started for it. */
  async end(): Promise<void> {
    await this.stop()
    await this.#last
    await this.trader.close()
    this.#changed()
  }

  /** Starts or stops the loop; while one of the two is under way, waits for it instead. Rejects when a start fails. */
  toggle(): Promise<void> {
    this.#turning ??= (this.running ? this.stop() : this.start()).finally(() => { this.#turning = null })
    return this.#turning
  }

  /** Resolves once the loop has written its first line, or a stop came meanwhile. Rejects with what a start fails with. */
  start(): Promise<void> {
    const stops = this.#stops
    return this.#inTurn(async () => { if (stops === this.#stops) await this.#start() })
  }

  async #start(): Promise<void> {
    const { trader } = this
    if (trader.running) return
    if (trader.ending !== null && 'result' in trader.ending && trader.ending.result.state === 'finished') {
      throw new TapedeckError('TD_USAGE', 'the practice exchange\'s tape has come to its end; start the program anew for another')
    }
    this.#startedAt = isoTime(this.#options.now())
    const begun = new Promise<null>((resolve) => { this.#heard = () => { resolve(null) } })
    const over = trader.start()
    this.#changed()
    void over.then(() => { this.#changed() })
    const ending: Ending | null = await Promise.race([over, begun, waited(START_MS)])
    if (ending !== null && 'error' in ending) throw ending.error
  }

  async stop(): Promise<void> {
    this.#stops++
    await this.trader.stop()
    this.#changed()
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work)
    this.#last = done.catch(() => {})
    return done
  }

  async act(act: Exclude<OperatorAct['act'], 'close'>, reason: string): Promise<void> {
    const { directory } = this.trader
    const { now } = this.#options
    this.#begun()
    if (act === 'halt') halt(directory, reason, now())
    else if (act === 'resume') resumeRun(directory, reason, now())
    else request(directory, act, null, reason, now())
    this.#changed()
  }

  async close(symbol: string, reason: string): Promise<Leaving> {
    const { symbols } = this.#resolution.scenario
    if (!symbols.includes(symbol)) throw new TapedeckError('TD_USAGE', `${symbol} is none of the run's symbols: ${symbols.join(', ')}`)
    this.#begun()
    // A loop that is just stopping hears nothing any more.
    if (this.#turning !== null) await this.#turning.catch(() => {})
    const left = await this.#inTurn(async () => (this.running ? null : await this.#leave(symbol, reason)))
    return left ?? this.#leave(symbol, reason)
  }

  async #leave(symbol: string, reason: string): Promise<Leaving> {
    const { venueOf, now } = this.#options
    const { outcome, reason: why } = await close(readLiveRun(this.trader.directory), symbol, {
      reason, timeoutMs: CLOSE_MS, venueOf, world: this.#world, exchangeLives: true, onLine: (line) => { this.#see(line) }, now,
    })
    if (outcome === 'refused') return { outcome, reason: this.#redact(why ?? 'the venue said no') }
    return { outcome: outcome === 'trade' ? 'sold' : 'asked' }
  }

  async panic(reason: string): Promise<PanicOutcome> {
    const { directory } = this.trader
    const { venueOf, now } = this.#options
    const world = this.#world
    this.#begun()
    const closed: string[] = []
    const failed: { symbol: string; message: string }[] = []
    for await (const { symbols, failure, notHalted } of panic([readLiveRun(directory)], { reason, venueOf, world, exchangeLives: true, now })) {
      for (const { symbol, done } of symbols) if (done) closed.push(symbol)
      for (const { symbol, done } of symbols) if (!done) failed.push({ symbol, message: failure ?? 'it is not known whether anything is left' })
      if (symbols.length === 0 && failure !== null) failed.push({ symbol: '*', message: failure })
      if (notHalted !== null) failed.push({ symbol: '*', message: `not halted: ${notHalted}` })
      // A loop that runs takes them in by itself.
      if (!this.running) for (const { fills } of symbols) for (const fill of fills) this.book.beside(fill)
    }
    this.#changed()
    return { closed, failed }
  }

  async service(name: string, action: 'enable' | 'disable'): Promise<void> {
    const { now } = this.#options
    if (action === 'enable') await enable(name, this.#services, now())
    else await disable(name, 'a person said so', this.#services, this.#world, now())
    this.#changed()
  }

  /** Nothing can be said to a run that has no directory yet. */
  #begun(): void {
    if (!existsSync(join(this.trader.directory, 'run.json'))) throw new TapedeckError('TD_RUN_MISSING', 'the run has not begun yet; start it first')
  }

  #state(): RunState {
    const { running, ending } = this.trader
    if (running) return 'running'
    if (ending === null) return 'stopped'
    return 'error' in ending ? 'failed' : ending.result.state
  }

  #changed(): void {
    for (const listener of this.#listeners) listener()
  }
}

const waited = (ms: number): Promise<null> => new Promise((resolve) => { setTimeout(() => { resolve(null) }, ms).unref() })
