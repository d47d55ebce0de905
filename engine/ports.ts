import type { ZodType } from 'zod'
import type { Candle, CandleColumns } from './core/candle.ts'
import type { IndicatorSpecs } from './core/indicators.ts'
import type { Instrument } from './core/instrument.ts'
import type { Notice, NoticeKind, RemoteCommand } from './core/notice.ts'
import type { Opinion } from './core/opinion.ts'
import type { Approved, Execution, Order } from './core/order.ts'
import type { Costs } from './core/matching.ts'
import type { Policy } from './core/policy.ts'
import type { Snapshot } from './core/snapshot.ts'
import type { EpochMs } from './core/time.ts'
import type { Wording } from './core/wording.ts'
import type { Timeframe } from './core/timeframe.ts'

/** Awaited only when it really is a promise: a replay with rules pays for no microtask per candle. */
export type MaybePromise<T> = T | Promise<T>
export type Schema<T> = ZodType<T>

export interface Clock {
  now(): EpochMs
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** A simulated clock moves to `time`; a real one ignores it. Only the loop calls this. */
  reach(time: EpochMs): void
}

export interface Logger {
  debug(message: string): void
  info(message: string): void
  warn(message: string): void
  error(message: string): void
}

/** The only ways a plugin may touch the world. */
export interface Deps {
  readonly clock: Clock
  /** Deterministic in replay: `prefix-1`, `prefix-2`, … */
  nextId(prefix: string): string
  /** Seeded, uniform in [0, 1). */
  random(): number
  readonly fetch: typeof fetch
  /** Only the names that the plugin declares. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly log: Logger
  readonly signal: AbortSignal
}

/**
 * Closed candles of one symbol, in order: rows `start … end − 1` of the columns. A source may reuse the object and the
 * columns once the next event is asked for.
 */
export interface CandleBatch {
  readonly kind: 'candles'
  readonly symbol: string
  readonly timeframe: Timeframe
  readonly columns: CandleColumns
  readonly start: number
  readonly end: number
  /** Orders are matched against these candles. */
  readonly settles: boolean
  /** The strategy decides at these candles' closes. */
  readonly decides: boolean
  /** Another symbol's candle with the same close time follows: decisions and the equity mark wait for it. Only with one row. */
  readonly more: boolean
  /** When the candles became known, where that is later than their close: live sources tell it. */
  readonly arrivedAt?: EpochMs
  /** Known too late to act on: they feed indicators, settle orders and are recorded as missed, but nobody decides. */
  readonly missed?: boolean
}

/** Nothing closed, but time to settle orders. */
export interface Wake {
  readonly kind: 'wake'
  readonly time: EpochMs
}

/** What a person asked for from outside while the loop ran. */
export interface OperatorAct {
  readonly kind: 'operator'
  readonly time: EpochMs
  /** halt: no orders, protection stays. reduce: exits only. resume: limits start afresh. close: leave one symbol. */
  readonly act: 'halt' | 'reduce' | 'resume' | 'close'
  /** For `close`. */
  readonly symbol: string | null
  readonly reason: string
}

export type MarketEvent = CandleBatch | Wake | OperatorAct

/** What was read, for the run's record: complete once the events have been consumed. */
export interface TapeFacts {
  /** SHA-256 per file, by the name that the scenario uses. */
  readonly files: Readonly<Record<string, string>>
  /** Said in reports, for example that candles are synthetic or that holes were filled. */
  readonly notes: readonly string[]
  /** What a reader must know, such as a tape shorter than the range that was asked for. */
  readonly warnings?: readonly string[]
}

export interface MarketSource {
  instrument(symbol: string): MaybePromise<Instrument>
  /** A fresh pass over the market; a recorded one may be read again. Ends early when the plugin's signal aborts. */
  events(): AsyncIterable<MarketEvent>
  /** The timeframe of the recorded candles themselves, before any resampling. */
  ownTimeframe?(symbol: string): MaybePromise<Timeframe>
  /** Share of the tape that has been read, 0 … 1, where it is known. */
  progress?(): number
  facts?(): TapeFacts
  /** Requests that were sent to a venue, for the run's record. */
  readonly requests?: { readonly signed: number; readonly public: number }
}

/** Truth at start. */
export interface Account {
  /** Free quote. */
  readonly cash: number
  readonly costs: Costs
}

export interface OrderReceipt {
  readonly orderId: string
  readonly state: 'accepted' | 'rejected'
  readonly reason: string | null
}

export interface Broker {
  account(): MaybePromise<Account>
  /** Idempotent on `order.id`; an entry carries its protection as fractions. */
  submit(order: Approved<Order>): MaybePromise<OrderReceipt>
  /** What happened since the last call; arms and disarms the pair. With a candle of `symbol`, orders are matched against it. */
  settle(now: EpochMs, symbol: string, candle?: Candle): MaybePromise<readonly Execution[]>
  /** Raises the resting stop, from the next candle on. Never lowers it. */
  raiseStop(symbol: string, stop: number): MaybePromise<void>
  /** What became of the order by it; null where nothing did. */
  cancel(orderId: string): MaybePromise<Execution | null>
  /** True when nothing is pending or resting, so that `settle` may be left out. */
  readonly idle: boolean
  /**
   * Prices between which a candle of `symbol` changes nothing, so that `settle` may be left out while low > `low` and
   * high < `high`; null while an order is pending. The object may be reused. Brokers that cannot know do not have it.
   */
  calm?(symbol: string): CalmRange | null
  /** An independent broker in the same state, for lanes that were alike until now. Brokers of one account do not have it. */
  fork?(): Broker
  /** Sells what is ours of a symbol and nothing else, whoever runs the loop. Returns whether nothing is left. Brokers of a venue have it. */
  flatten?(symbol: string): Promise<boolean>
  /** What `flatten` found out or made happen since the last call, where no loop settles. Brokers of a venue have it. */
  takeExecutions?(symbol: string): readonly Execution[]
  /** Requests that were sent to a venue, for the run's record. */
  readonly requests?: { readonly signed: number; readonly public: number }
  /** Sells the whole position at `candle`'s close, for tapes that end with `atEnd: close`. Live brokers do not have it. */
  closeAt?(symbol: string, candle: Candle): readonly Execution[]
}

export interface CalmRange {
  readonly low: number
  readonly high: number
}

/** One message of a conversation. */
export interface Message {
  readonly role: 'user' | 'assistant'
  readonly text: string
}

/** What a provider is asked. `messages` are rendered only when read. */
export interface Conversation {
  readonly snapshot: Snapshot
  readonly system: string
  readonly messages: readonly Message[]
  /** The strategy's own technical rules on this snapshot. */
  rules(): Opinion
}

/** An opinion with what the service told about making it. */
export interface Answer extends Opinion {
  readonly model?: string
  readonly latencyMs?: number
  /** Input includes what came from a cache, output what was thought and not said. */
  readonly usage?: { readonly inputTokens: number; readonly outputTokens: number }
  /** The answer's text as it came. */
  readonly raw?: string
  /** What stood behind the model's alias. */
  readonly modelVersion?: string
  readonly responseId?: string
}

/** What identifies a question to a service: never keys, headers or times. */
export interface ProviderRequest {
  readonly provider: string
  readonly model: string
  /** Path, with its origin only where that is not the service's own. */
  readonly endpoint: string
  readonly system: string
  readonly messages: readonly Message[]
  readonly schema: object
  readonly sampling: Readonly<Record<string, unknown>>
}

export interface DecisionProvider {
  /**
   * Answers the newest question. Throws {@link ProviderFailure} when it cannot; the chain then asks the next provider. An
   * abort by `signal` passes through.
   */
  answer(conversation: Conversation, signal: AbortSignal): MaybePromise<Answer>
  /** False for rules, which have nothing to add when asked whether they stand by their answer. */
  readonly refines: boolean
  /** What {@link answer} would send. Rules do not have it: their answers cost nothing and are never recorded. */
  request?(conversation: Conversation): ProviderRequest
  readonly model?: string
  /** Longest answer in tokens, by which the worst case is priced. */
  readonly maxTokens?: number
  /** The environment variable without which it cannot be asked; left out = nothing is lacking. */
  readonly lacks?: string
}

/** Carries out what a person asked for from afar, and says in words what became of it. */
export type CommandHandler = (command: RemoteCommand) => MaybePromise<string>

/** Tells somebody elsewhere what happens. What it says came from outside too: nothing in it is ever obeyed or rendered. */
export interface Notifier {
  wants(kind: NoticeKind): boolean
  /** Rejects when it was not delivered for good; tries again by itself before that. An abort by `signal` ends it. */
  notify(notice: Notice, signal: AbortSignal): Promise<void>
  /** Hears commands until `signal` aborts. Never rejects: what cannot be heard is told to the log. */
  listen?(handle: CommandHandler, signal: AbortSignal): Promise<void>
}

/** How a strategy asks an AI. */
export interface Prompts<P> {
  system(params: P): string
  /** `wording` writes the numbers and hides what is to be hidden: nothing else may put a price, a name or a date into the text. */
  initial(snapshot: Snapshot, params: P, wording: Wording): string
  refinement(opinion: Opinion, turn: number, wording: Wording): string
}

/** A trading idea: a plain object of pure functions. */
export interface Strategy<P = unknown> {
  readonly name: string
  readonly description: string
  /** Every parameter has a default, so that `params` may be omitted. */
  readonly params: Schema<P>
  /** Candles that only feed indicators before the first decision. */
  warmup(params: P): number
  /** Why `warmup` is shorter than recursive indicators need, for `tapedeck check`. */
  readonly shortWarmup?: string
  indicators(params: P): IndicatorSpecs
  /** The fallback when no AI answers, and the whole of a strategy without AI. */
  technical(snapshot: Snapshot, params: P): Opinion
  readonly prompts?: Prompts<P>
  readonly policy?: Partial<Policy>
  /** What an AI is asked the probability of: distances as fractions, and candles. Absent: nothing of that kind. */
  asks?(params: P): { readonly stopLoss: number; readonly takeProfit: number; readonly horizon: number }
  /** Confidence is a forecast that can be scored. Absent: the rules say 1 for BUY and SELL, 0 for HOLD. */
  readonly scored?: boolean
  /** The opinion depends on the asker's position, so that lanes cannot share it. */
  readonly usesPortfolio?: boolean
}

/**
 * Where a live plugin connects. Only the composition root makes one, from the environment or for the practice exchange:
 * nothing that a scenario says can name a host.
 */
export interface Venue {
  /** public: Binance's prices without an account; nothing can be sent there. */
  readonly name: 'practice' | 'public' | 'testnet' | 'demo' | 'mainnet'
  /** Origin of the practice exchange, such as `http://127.0.0.1:4711`; null for Binance's own venues. */
  readonly url: string | null
  readonly apiKey: string
  readonly apiSecret: string
  /** A request without a whole answer after so many real ms is given up; left out = 10 s. Loopback answers faster or never. */
  readonly timeoutMs?: number
}

/** Lines that a live plugin leaves in the trail of its own accord. They come from outside the loop: a replay repeats them as they are. */
export interface Journal {
  /** One line. An `intent` is on disk before this returns; `fields` need `symbol` and say the rest in the plugin's own words. */
  note(type: 'intent' | 'alarm', fields: Readonly<Record<string, unknown>>): void
}

/** A line of the run's trail, parsed. */
export interface PastLine {
  readonly type: string
  readonly timestamp: string | null
  readonly [field: string]: unknown
}

/** What a market source is told when candles come from a venue instead of a tape. */
export interface LiveMarketPlan {
  readonly venue: Venue
  readonly journal: Journal
  /** Candles per symbol that the first batch brings. */
  readonly warmup: number
  /** Wake-ups come this often. */
  readonly checkIntervalMs: number
  /** Open time of the newest candle that the run has already seen, by symbol; empty for a new run. */
  readonly after: Readonly<Record<string, EpochMs>>
  /** The same for candles of the fill timeframe; left out = none was seen. */
  readonly settledAfter?: Readonly<Record<string, EpochMs>>
  /** Also send each candle's open as soon as it is known: orders that are filled on paper meet it. Left out = no. */
  readonly openings?: boolean
}

/** What a broker is told when orders go to a venue. */
export interface LiveBrokerPlan {
  readonly venue: Venue
  readonly journal: Journal
  /** Client order ids begin with it: what has it is ours, what has not is left alone. Letters and digits, at most 10. */
  readonly idPrefix: string
  /** intent, order, fill and alarm lines of the run so far, from which the broker knows what it has done. */
  readonly past: readonly PastLine[]
  /** Why no order may leave, or null. Read before every order: another process may have said so a moment ago. */
  halted(): string | null
}

/** What a market source is told besides its options. */
export interface MarketPlan {
  readonly symbols: readonly string[]
  readonly timeframe: Timeframe
  /** A finer timeframe on which orders are settled, when the broker asks for one. */
  readonly fillTimeframe: Timeframe | null
  readonly instruments: Readonly<Record<string, Instrument>>
  /** The folder that relative paths start from. */
  readonly folder: string
  readonly live?: LiveMarketPlan
}

export interface BrokerPlan {
  readonly instruments: Readonly<Record<string, Instrument>>
  readonly timeframe: Timeframe
  readonly live?: LiveBrokerPlan
}

export interface PluginPorts {
  market: { port: MarketSource; plan: MarketPlan }
  broker: { port: Broker; plan: BrokerPlan }
  provider: { port: DecisionProvider; plan: undefined }
  notifier: { port: Notifier; plan: undefined }
}
export type PluginKind = keyof PluginPorts

export interface Plugin<K extends PluginKind, O> {
  readonly kind: K
  readonly name: string
  readonly description: string
  readonly options: Schema<O>
  /**
   * Names of environment variables that it may read. One whose value is a secret ends in KEY, SECRET, TOKEN, PASSWORD,
   * PASSPHRASE or WEBHOOK_URL: by its name alone it is struck out of logs, trails and recordings.
   */
  readonly env?: readonly string[]
  create(options: O, deps: Deps, plan: PluginPorts[K]['plan']): MaybePromise<PluginPorts[K]['port']>
}

export const definePlugin = <K extends PluginKind, O>(plugin: Plugin<K, O>): Plugin<K, O> => plugin
export const defineStrategy = <P>(strategy: Strategy<P>): Strategy<P> => strategy
