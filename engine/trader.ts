import { makeDeps, registry } from './assemble.ts'
import { factsOf } from './core/models.ts'
import type { Opinion } from './core/opinion.ts'
import { DEFAULT_POLICY } from './core/policy.ts'
import type { Snapshot, Trend } from './core/snapshot.ts'
import type { EpochMs } from './core/time.ts'
import { isoTime } from './core/time.ts'
import { TapedeckError } from './errors.ts'
import { Budget } from './pipeline/budget.ts'
import type { Consultation } from './pipeline/consultation.ts'
import { StrategyConversation } from './pipeline/conversation.ts'
import { MemoryBook, type ServiceHealth } from './pipeline/provider-health.ts'
import { ProviderChain, type ChainLink } from './pipeline/provider-chain.ts'
import { Service } from './pipeline/service.ts'
import { ServiceChain } from './pipeline/service-chain.ts'
import type { Clock, Strategy } from './ports.ts'
import { RealClock } from './real-clock.ts'
import { redactor } from './recording/redaction.ts'
import { parseOptions } from './registry.ts'

/** What an analyst is shown. Whatever is left out is told to it as unknown. */
export interface MarketData {
  readonly price: number
  /** 0 … 100. */
  readonly rsi?: number
  readonly ma_short?: number
  readonly ma_long?: number
  /** Volume of the newest candle as a multiple of its recent mean. */
  readonly volume?: number
  readonly trend?: Trend
}

export interface AnalystOptions {
  readonly model?: string
  /** Another origin, such as a proxy's; it has to be a loopback address or allowed in the environment. */
  readonly baseURL?: string
  /** What the prices are of; BTC/USDT when left out. */
  readonly symbol?: string
  readonly timeframe?: string
  /** Ms until the last answer. */
  readonly deadlineMs?: number
  readonly clock?: Clock
  readonly env?: Readonly<Record<string, string | undefined>>
}

/** A decision, in the seed system's terms. */
export interface Analysis extends Opinion {
  /** Who said it; `technical` are the strategy's rules. */
  readonly service_used: string
  readonly model: string | null
  /** What was said first, before the refinement. */
  readonly initial: Opinion
  /** Why services before the one that answered did not. */
  readonly fallbacks: readonly { readonly provider: string; readonly error: string }[]
  readonly latency_ms: number
  readonly cost_usd: number
}

export interface TraderAnalysis extends Analysis {
  readonly min_confidence: number
  /** Sure enough to act on. Nothing has been ordered. */
  readonly confidence_verified: boolean
}

/** A snapshot of what somebody measured elsewhere. */
class GivenSnapshot implements Snapshot {
  readonly names = ['rsi', 'ma_short', 'ma_long', 'volume_ma']
  readonly inPosition = false
  readonly symbol: string
  readonly time: EpochMs
  readonly price: number
  readonly volume: number
  readonly trend: Trend
  readonly #data: MarketData

  constructor(data: MarketData, symbol: string, time: EpochMs) {
    this.#data = data
    this.symbol = symbol
    this.time = time
    this.price = data.price
    this.volume = data.volume ?? NaN
    const { ma_short: short = NaN, ma_long: long = NaN } = data
    this.trend = data.trend ?? (short > long ? 'UP' : short < long ? 'DOWN' : 'SIDEWAYS')
  }

  value(name: string): number {
    // Volume is given as a multiple of its mean.
    if (name === 'volume_ma') return 1
    const value = this.#data[name as 'rsi' | 'ma_short' | 'ma_long']
    return value ?? NaN
  }
}

const TRENDS: readonly unknown[] = ['UP', 'DOWN', 'SIDEWAYS', undefined]

function checked(data: MarketData): MarketData {
  if (typeof data !== 'object' || data === null) throw new TapedeckError('TD_USAGE', `marketData: expected an object with a price, got ${String(data)}`)
  if (!TRENDS.includes(data.trend)) throw new TapedeckError('TD_USAGE', `marketData.trend: expected UP, DOWN or SIDEWAYS, got ${String(data.trend)}`)
  const { price, rsi, ma_short: short, ma_long: long, volume } = data
  if (!(price > 0) || !Number.isFinite(price)) throw new TapedeckError('TD_USAGE', `marketData.price: expected a number above 0, got ${String(price)}`)
  for (const [name, value] of Object.entries({ rsi, ma_short: short, ma_long: long, volume })) {
    if (value !== undefined && !Number.isFinite(value)) throw new TapedeckError('TD_USAGE', `marketData.${name}: expected a number, got ${String(value)}`)
  }
  return data
}

interface Registered {
  readonly name: string
  readonly apiKey: string
  readonly type: string
  readonly priority: number
  readonly model?: string
  readonly baseURL?: string
}

/** Services and the scalper's prompts and rules, put together as a run puts them. */
class Desk {
  readonly book = new MemoryBook()
  readonly #options: AnalystOptions
  readonly #clock: Clock

  constructor(options: AnalystOptions) {
    this.#options = options
    this.#clock = options.clock ?? new RealClock()
  }

  async ask(data: MarketData, services: readonly Registered[], refinements: number, signal: AbortSignal): Promise<Consultation> {
    const { symbol = 'BTC/USDT', timeframe = '1h', deadlineMs = 30_000 } = this.#options
    const snapshot = new GivenSnapshot(checked(data), symbol, this.#clock.now())
    const strategy: Strategy = await registry.strategy('autonomous-scalper')
    const conversation = new StrategyConversation(strategy, strategy.params.parse({}), snapshot, { tickSize: 0, timeframe, blind: false })
    const links = await Promise.all(services.map((service) => this.#link(service, signal)))
    const rules: ChainLink = { name: 'technical', provider: { refines: false, answer: (asked) => asked.rules() } }
    const redact = redactor({ ...this.#options.env, ...Object.fromEntries(services.map(({ name, apiKey }) => [`${name}_KEY`, apiKey])) })
    const budget = new Budget({ run: null, day: null, priceOf: ({ model }) => factsOf(model), book: this.book })
    const source = links.length === 0 ? null : new ServiceChain({
      services: links.map(({ name, provider }) =>
        new Service({ name, provider, book: this.book, budget, clock: this.#clock, random: Math.random, redact, changed: () => {} })),
      refinements, deadlineMs, clock: this.#clock, signal, tape: null,
    })
    return new ProviderChain([...links, rules], source, signal).consult(conversation)
  }

  async #link({ name, type, apiKey, model, baseURL }: Registered, signal: AbortSignal): Promise<ChainLink> {
    const plugin = await registry.plugin('provider', type)
    const options = parseOptions(plugin.options, { ...(model === undefined ? {} : { model }), ...(baseURL === undefined ? {} : { baseURL }) }, name, [], 'TD_PLUGIN_OPTIONS')
    const key = plugin.env?.find((variable) => variable.endsWith('_API_KEY'))
    const env = { ...(this.#options.env ?? process.env), ...(key === undefined ? {} : { [key]: apiKey }) }
    const log = { debug() {}, info() {}, warn() {}, error() {} }
    const world = { env, log, signal, stopwatch: () => performance.now() }
    return { name, provider: await plugin.create(options, makeDeps(world, this.#clock, 1, plugin.env), undefined) }
  }
}

function analysisOf({ provider, model, initial, opinion, fallbacks, latencyMs, usage }: Consultation): Analysis {
  const { action, confidence, reasoning } = opinion
  return {
    action, confidence, reasoning, service_used: provider, model,
    initial: { action: initial.action, confidence: initial.confidence, reasoning: initial.reasoning },
    fallbacks, latency_ms: latencyMs, cost_usd: usage.costUsd,
  }
}

const NEVER = new AbortController().signal

/**
 * The seed system's trader as a library call: Gemini in two turns, the rules when it does not answer. It decides and
 * orders nothing; orders are sent by a run, where risk rules and the audit are.
 */
export class AutonomousAITrader {
  readonly #desk: Desk
  readonly #service: Registered
  readonly #minConfidence: number

  constructor(apiKey: string, options: AnalystOptions & { readonly minConfidence?: number } = {}) {
    this.#desk = new Desk(options)
    this.#service = { name: 'gemini', type: 'gemini', apiKey, priority: 0, ...pick(options) }
    this.#minConfidence = options.minConfidence ?? DEFAULT_POLICY.minConfidence
  }

  /** Rejects with TD_USAGE for `execute: true` and for data that is none. */
  async analyzeAndExecute(
    marketData: MarketData, { execute = false, signal = NEVER }: { readonly execute?: boolean; readonly signal?: AbortSignal } = {},
  ): Promise<TraderAnalysis> {
    if (execute) {
      throw new TapedeckError('TD_USAGE', 'analyzeAndExecute: execute: true has no broker to order at; run a scenario with tapedeck rehearse, '
        + 'where risk rules, protection and the audit are')
    }
    const consultation = await this.#desk.ask(marketData, [this.#service], 1, signal)
    const analysis = analysisOf(consultation)
    return {
      ...analysis, min_confidence: this.#minConfidence,
      confidence_verified: analysis.action !== 'HOLD' && analysis.confidence >= this.#minConfidence,
    }
  }
}

/** The older, simpler call: one question to Gemini, one answer. */
export class GeminiAnalyzer {
  readonly #desk: Desk
  readonly #service: Registered

  constructor(apiKey: string, options: AnalystOptions = {}) {
    this.#desk = new Desk(options)
    this.#service = { name: 'gemini', type: 'gemini', apiKey, priority: 0, ...pick(options) }
  }

  async analyze(marketData: MarketData, { signal = NEVER }: { readonly signal?: AbortSignal } = {}): Promise<Analysis> {
    return analysisOf(await this.#desk.ask(marketData, [this.#service], 0, signal))
  }
}

export interface ServiceStatus {
  readonly name: string
  readonly type: string
  readonly priority: number
  readonly status: ServiceHealth['state']
  /** Why it is not ACTIVE. */
  readonly reason: string | null
  /** null before the first answer or failure. */
  readonly success_rate: number | null
  readonly error_count: number
  readonly errors: ServiceHealth['errors']
  /** ISO time, null before. */
  readonly last_used: string | null
}

/** Services by priority; the first that answers decides, and when none does the rules. */
export class BackupAIService {
  readonly #desk: Desk
  #services: readonly Registered[] = []

  constructor(options: AnalystOptions = {}) {
    this.#desk = new Desk(options)
  }

  /** `type` is a provider plugin. A lower `priority` is asked earlier; equal ones in the order in which they were added. */
  addService(
    name: string, apiKey: string, type: string,
    { priority = this.#services.length + 1, ...options }: { readonly priority?: number; readonly model?: string; readonly baseURL?: string } = {},
  ): void {
    if (this.#services.some((one) => one.name === name)) throw new TapedeckError('TD_USAGE', `addService: there is a service ${name} already; give it another name`)
    if (!registry.names('provider').includes(type)) throw new TapedeckError('TD_PLUGIN_UNKNOWN', `addService: ${name}: no provider "${type}"; there are: ${registry.names('provider').join(', ')}`)
    this.#services = [...this.#services, { name, apiKey, type, priority, ...options }].sort((a, b) => a.priority - b.priority)
  }

  async getAnalysis(marketData: MarketData, { signal = NEVER }: { readonly signal?: AbortSignal } = {}): Promise<Analysis> {
    return analysisOf(await this.#desk.ask(marketData, this.#services, 1, signal))
  }

  getStatus(): readonly ServiceStatus[] {
    return this.#services.map(({ name, type, priority }) => {
      const { state, reason, successes, errors, lastUsed } = this.#desk.book.read(name)
      const failed = Object.values(errors).reduce((sum, count) => sum + count, 0)
      return {
        name, type, priority, status: state, reason, success_rate: successes + failed === 0 ? null : successes / (successes + failed),
        error_count: failed, errors, last_used: lastUsed === null ? null : isoTime(lastUsed),
      }
    })
  }
}

const pick = ({ model, baseURL }: AnalystOptions): { readonly model?: string; readonly baseURL?: string } =>
  ({ ...(model === undefined ? {} : { model }), ...(baseURL === undefined ? {} : { baseURL }) })
