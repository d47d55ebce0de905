import type { EpochMs } from '../core/time.ts'
import type { OperatorAct } from '../ports.ts'
import type { ServiceHealth } from '../pipeline/provider-health.ts'
import type { Risk } from './risk-book.ts'
import type { RunBook } from './run-book.ts'

export type RunState = 'running' | 'stopped' | 'finished' | 'failed' | 'crashed'

/** What a run is, as `GET /api/run` says it; cash and the newest event come from the book. */
export interface RunInfo {
  /** null: nothing has run yet. */
  readonly run: string | null
  readonly state: RunState
  readonly kind: string
  readonly venue: string
  readonly scenario: string | null
  readonly scenario_hash: string | null
  readonly strategy: string | null
  readonly symbols: readonly string[]
  readonly timeframe: string | null
  readonly mode: 'AUTONOMOUS' | 'MANUAL'
  readonly started_at: string | null
  /** In the order in which they are asked, the rules last. */
  readonly providers: readonly string[]
  readonly policy: Readonly<Record<string, number | null>>
  /** How often a walk without skill reaches the target before the stop, and how often it must to pay for itself. */
  readonly base_rate: number | null
  readonly break_even: number | null
  readonly notes: readonly string[]
  readonly currency: string
  /** Of all lanes, first the one that trades. */
  readonly lanes: readonly string[]
}

/** An AI service and everything that is remembered of it. */
export interface ServiceInfo {
  readonly name: string
  /** From 1; null for one that is not in the chain. */
  readonly priority: number | null
  readonly health: ServiceHealth
}

/** As `GET /api/lanes` says it. Fractions; drawdowns are ≤ 0. */
export interface LaneInfo {
  readonly name: string
  readonly description: string
  readonly equity: number | null
  readonly net_return: number | null
  readonly trades: number
  readonly win_rate: number | null
  readonly max_drawdown: number | null
  readonly open_positions: number
}

/** What is shown. Every method answers at once, from memory. */
export interface Shown {
  readonly book: RunBook
  /** Whether it may trade, where that is known before the trail tells; left out = as the book says. */
  risk?(): Risk
  info(): RunInfo
  /** In order of priority. */
  services(): readonly ServiceInfo[]
  /** Shadow lanes; the trading lane is told by the book. */
  lanes(): readonly LaneInfo[]
}

/** What became of a panic: a symbol is closed, or it failed and why. */
export interface PanicOutcome {
  readonly closed: readonly string[]
  readonly failed: readonly { readonly symbol: string; readonly message: string }[]
}

/** What became of the wish to leave a symbol. asked: nothing has come of it yet. */
export type Leaving =
  | { readonly outcome: 'sold' | 'asked' }
  | { readonly outcome: 'refused'; readonly reason: string }

/**
 * What may be done. Safe to call at any time; every method rejects with a TapedeckError where it cannot be. `reason` says who
 * wants it and why, and stands in the trail.
 */
export interface Controls {
  readonly enabled: boolean
  readonly mode: 'AUTONOMOUS' | 'MANUAL'
  readonly running: boolean
  /** Starts or stops the loop. */
  toggle(): Promise<void>
  act(act: Exclude<OperatorAct['act'], 'close'>, reason: string): Promise<void>
  close(symbol: string, reason: string): Promise<Leaving>
  panic(reason: string): Promise<PanicOutcome>
  service(name: string, action: 'enable' | 'disable'): Promise<void>
  /** Returns what ends it. */
  onChange(listener: () => void): () => void
}

/**
 * Something new, for whoever follows: the event's name. Its data has the shape of the matching GET; where that is a list,
 * `lanes` tells all of it and the others one element; `equity` tells one point.
 */
export type FeedEvent =
  | 'status' | 'decision' | 'trade' | 'order' | 'position' | 'equity' | 'candle' | 'risk' | 'provider' | 'alarm' | 'run' | 'lanes'

/** Wall clock in ms since 1970. */
export type Now = () => EpochMs
