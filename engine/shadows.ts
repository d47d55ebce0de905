import { closeSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { openAnswers, type Answers } from './answers.ts'
import { assembleOne, makeDeps, SimulatedClock, type LaneTerms, type World } from './assemble.ts'
import { parseTrailLine } from './audit/reader.ts'
import { Trail } from './audit/trail.ts'
import { scenarioHash } from './backtest.ts'
import type { Shadow } from './config/resolve.ts'
import { equity } from './core/portfolio.ts'
import { messageOf } from './errors.ts'
import { NO_STEPS, type Step } from './pipeline/consultation.ts'
import type { StrategyConversation } from './pipeline/conversation.ts'
import { healthOf, type ServiceHealth } from './pipeline/provider-health.ts'
import type { StepSource } from './pipeline/service-chain.ts'
import type { MarketEvent, MarketSource, PastLine } from './ports.ts'
import type { Lane } from './session/lane.ts'
import { KnownAnswers } from './session/recorded-answers.ts'
import { stateFields, stepFields } from './session/recorded-steps.ts'
import { makeFolder } from './session/run-directory.ts'
import { runSession } from './session/session.ts'

/** How a shadow lane stands. Fractions; the drawdown is ≤ 0. */
export interface ShadowStanding {
  readonly name: string
  readonly description: string
  readonly equity: number | null
  readonly netReturn: number | null
  readonly trades: number
  readonly winRate: number | null
  readonly maxDrawdown: number | null
  readonly openPositions: number
}

/** What the trading lane heard about one symbol's candle. */
interface Heard {
  readonly symbol: string
  readonly time: number
  readonly steps: readonly Step[]
}

/** One thing that the market sent, once the trading lane is done with it. */
interface Passed {
  readonly event: MarketEvent
  /** It comes from the run's trail, so that nobody may be asked about it again. */
  readonly again: boolean
  readonly heard: readonly Heard[]
}

export interface ShadowTerms {
  readonly run: string
  /** Folder of the run; each shadow keeps its trail in `shadows/NAME` there. */
  readonly directory: string
  /** The trading lane's. */
  readonly terms: LaneTerms
  /** Told when a shadow cannot go on: the trading lane does. */
  readonly lost: (name: string, error: unknown) => void
}

/** A shadow before it has seen anything. */
export const standingOf = ({ name, description }: Shadow): ShadowStanding =>
  ({ name, description, equity: null, netReturn: null, trades: 0, winRate: null, maxDrawdown: null, openPositions: 0 })

/**
 * Lanes beside the one that trades: on paper, on the same candles, each with one thing changed. They hear of a candle when
 * the trading lane is done with it, so that nothing of theirs ever delays or changes what is traded. A shadow with other
 * thresholds hears the trading lane's answers; one with another provider asks for itself. When a run is gone on with, its
 * shadows go through the run's candles again from the beginning, with the answers that they had then.
 */
export class Shadows {
  readonly #lanes: readonly ShadowLane[]
  #heard: Heard[] = []

  private constructor(lanes: readonly ShadowLane[]) {
    this.#lanes = lanes
  }

  static open(shadows: readonly Shadow[], world: World, terms: ShadowTerms): Shadows {
    return new Shadows(shadows.map((shadow) => new ShadowLane(shadow, world, terms)))
  }

  standings(): readonly ShadowStanding[] {
    return this.#lanes.map((lane) => lane.standing())
  }

  /** The same market, which the shadows see as well. `again` tells that what comes is gone through again. */
  watch(market: MarketSource, again: () => boolean): MarketSource {
    if (this.#lanes.length === 0) return market
    return { instrument: (symbol) => market.instrument(symbol), events: () => this.#passing(market, again) }
  }

  async *#passing(market: MarketSource, again: () => boolean): AsyncGenerator<MarketEvent> {
    for await (const event of market.events()) {
      const known = again()
      yield event
      const heard = this.#heard
      this.#heard = []
      // What a person does concerns the venue: a shadow tells what would have been without it.
      if (event.kind === 'candles') for (const lane of this.#lanes) lane.pass({ event, again: known, heard })
    }
  }

  /** The same answers, which shadows that share them hear as well. */
  listen(source: StepSource): StepSource {
    if (this.#lanes.length === 0) return source
    return {
      steps: async (conversation) => {
        const steps = await source.steps(conversation)
        const { symbol, time } = conversation.snapshot
        this.#heard.push({ symbol, time, steps })
        return steps
      },
    }
  }

  /** No more candles: waits until every shadow has seen those that there were. Never rejects. */
  async end(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.end()))
  }
}

/** One of them, in a loop of its own. */
class ShadowLane {
  readonly #shadow: Shadow
  readonly #waiting: Passed[] = []
  readonly #done: Promise<void>
  #arrived: (() => void) | null = null
  #ended = false
  /** Why it could not go on. */
  #over: string | null = null
  #now: Passed | null = null
  #lane: Lane | null = null
  #peak = 0
  #maxDrawdown = 0
  #trail: ShadowTrail | null = null

  constructor(shadow: Shadow, world: World, terms: ShadowTerms) {
    this.#shadow = shadow
    this.#done = this.#run(world, terms).catch((error: unknown) => {
      this.#ended = true
      this.#over = messageOf(error)
      this.#waiting.length = 0
      terms.lost(shadow.name, error)
    })
  }

  pass(passed: Passed): void {
    if (this.#ended) return
    this.#waiting.push(passed)
    this.#arrived?.()
  }

  end(): Promise<void> {
    this.#ended = true
    this.#arrived?.()
    return this.#done
  }

  standing(): ShadowStanding {
    const { name, description: changed } = this.#shadow
    const description = this.#over === null ? changed : `${changed} (over: ${this.#over})`
    if (this.#lane === null) return { ...standingOf(this.#shadow), description }
    const { portfolio: { trades, startCash, openPositions } } = this.#lane
    const value = equity(this.#lane.portfolio)
    const won = Array.from({ length: trades.length }, (_, row) => trades.pnl[row]).filter((pnl) => pnl > 0).length
    return {
      name, description, equity: value, netReturn: value / startCash - 1, trades: trades.length,
      winRate: trades.length === 0 ? null : won / trades.length, maxDrawdown: this.#maxDrawdown, openPositions,
    }
  }

  async #run(world: World, { run, directory, terms: { cash, instruments } }: ShadowTerms): Promise<void> {
    const { name, resolution, asks } = this.#shadow
    const { scenario, plugins } = resolution
    const opened = ShadowTrail.open(join(directory, 'shadows', name))
    this.#trail = opened
    const clock = new SimulatedClock()
    let answers: Answers | null = null
    try {
      const broker = await plugins.broker.create(
        { ...(scenario.broker.options as object), cash, fillTimeframe: null },
        makeDeps(world, clock, scenario.seed, plugins.broker.env), { instruments, timeframe: scenario.timeframe },
      )
      const account = await broker.account()
      const trail = new Trail('full', { run: `${run}/${name}`, timeframe: scenario.timeframe, scored: plugins.strategy.scored === true },
        (bytes) => { opened.write(bytes) }, () => {})
      trail.line('session', null, { event: 'start', scenario: scenarioHash(scenario), symbols: scenario.symbols, timeframe: scenario.timeframe })
      trail.line('session', null, { event: 'account', ...account, instruments })
      const known = new KnownAnswers(opened.past)
      const changed = (service: string, health: ServiceHealth): void => trail.line('provider', clock.now(), stateFields(service, health))
      const { lane, plan } = await assembleOne(resolution, world, {
        market: { instrument: (symbol) => instruments[symbol], events: () => this.#events() },
        broker, terms: { ...account, instruments }, trail, clock, atEnd: 'keep', sends: true,
        answers: async (links) => {
          const lacking = asks ? links.find(({ provider: { lacks } }) => lacks !== undefined)?.provider.lacks : undefined
          if (lacking !== undefined) throw new Error(`${lacking} is not set`)
          if (asks) answers = await openAnswers(resolution, aside(world, name), links, { live: true, changed })
          return { steps: async (conversation) => {
            const steps = await this.#steps(conversation, answers?.source ?? null, known)
            const { symbol, time } = conversation.snapshot
            trail.line('provider', time, { event: 'consulted', symbol, steps: steps.map(stepFields) })
            return steps
          } }
        },
      })
      this.#lane = lane
      this.#peak = lane.portfolio.startCash
      await runSession(plan)
    } finally {
      (answers as Answers | null)?.close()
      opened.close()
    }
  }

  async #steps(conversation: StrategyConversation, source: StepSource | null, known: StepSource): Promise<readonly Step[]> {
    const { symbol, time } = conversation.snapshot
    if (source === null) return this.#now?.heard.find((one) => one.symbol === symbol && one.time === time)?.steps ?? NO_STEPS
    return this.#now?.again === true ? known.steps(conversation) : source.steps(conversation)
  }

  async *#events(): AsyncGenerator<MarketEvent> {
    for (;;) {
      const passed = this.#waiting.shift()
      if (passed === undefined) {
        if (this.#ended) return
        await new Promise<void>((resolve) => { this.#arrived = resolve })
        this.#arrived = null
        continue
      }
      this.#now = passed
      if (!passed.again) this.#trail?.caughtUp()
      yield passed.event
      const value = equity(this.#lane!.portfolio)
      this.#peak = Math.max(this.#peak, value)
      this.#maxDrawdown = Math.min(this.#maxDrawdown, value / this.#peak - 1)
    }
  }
}

/** A service that fails a shadow, or has enough of its questions, is not left by the trading lane for that. */
const aside = (world: World, name: string): World =>
  (world.services === undefined ? world : { ...world, services: { ...world.services, book: healthOf(world.services.book, name) } })

/** A shadow's trail: written anew while the run is gone through again, and in the old one's place from then on. */
class ShadowTrail {
  /** What the old one held; what cannot be read of it is left out. */
  readonly past: readonly PastLine[]
  readonly #path: string
  readonly #file: number
  #caughtUp = false

  private constructor(path: string, file: number, past: readonly PastLine[]) {
    this.#path = path
    this.#file = file
    this.past = past
  }

  static open(folder: string): ShadowTrail {
    makeFolder(folder)
    const path = join(folder, 'audit.jsonl')
    return new ShadowTrail(path, openSync(`${path}.new`, 'w'), readLines(path))
  }

  write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) at += writeSync(this.#file, bytes, at)
  }

  /** From here on it holds more than the old one. */
  caughtUp(): void {
    if (this.#caughtUp) return
    this.#caughtUp = true
    renameSync(`${this.#path}.new`, this.#path)
  }

  close(): void {
    closeSync(this.#file)
  }
}

function readLines(path: string): PastLine[] {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw new Error(`${path} cannot be read (${messageOf(error)})`, { cause: error })
  }
  return text.split('\n').flatMap((line) => parseTrailLine(line === '' ? null : line)?.fields ?? [])
}

