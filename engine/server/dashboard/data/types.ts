/** What the server answers, as far as the page shows it. Times are ISO-8601 in UTC unless said; fractions are not percent. */

export interface Status {
  readonly enabled: boolean
  readonly mode: 'AUTONOMOUS' | 'MANUAL'
  readonly is_running: boolean
  readonly trades_executed: number
  /** `YYYY-MM-DD HH:MM:SS` in UTC. */
  readonly last_decision_time: string | null
  readonly current_confidence: number | null
  readonly active_positions: number
  readonly loop_iterations: number
}

export interface Run {
  readonly run: string | null
  readonly state: 'running' | 'stopped' | 'finished' | 'failed' | 'crashed'
  readonly kind: string
  readonly venue: string
  readonly scenario: string | null
  readonly strategy: string | null
  readonly symbols: readonly string[]
  readonly timeframe: string | null
  readonly mode: string
  readonly started_at: string | null
  readonly policy: Readonly<Record<string, number | null>>
  readonly base_rate: number | null
  readonly break_even: number | null
  readonly notes: readonly string[]
  readonly currency: string
  readonly last_event_at: string | null
}

export interface Figures {
  readonly figures: Readonly<Record<string, number | null>>
  readonly baselines: Readonly<Record<string, number | null>>
  readonly equity: number | null
  readonly cash: number | null
  readonly drawdown: number | null
  readonly realised_pnl: number | null
  readonly open_pnl: number | null
  readonly trades: number
  readonly win_rate: number | null
  readonly ai_cost: number | null
  readonly coverage: number | null
  readonly since: string | null
}

export interface Position {
  readonly symbol: string
  readonly quantity: number
  readonly entry_price: number
  readonly entry_time: string
  readonly stop: number | null
  readonly target: number | null
  readonly price: number | null
  readonly value: number | null
  readonly open_pnl: number | null
  readonly open_return: number | null
  readonly leaving: boolean
}

export interface Trade {
  readonly symbol: string
  readonly entry_time: string
  readonly entry_price: number
  readonly exit_time: string
  readonly exit_price: number
  readonly quantity: number
  readonly reason: string
  readonly pnl: number
  readonly net_return: number
}

/** Milliseconds since 1970, equity, drawdown ≤ 0. */
export type EquityPoint = readonly [number, number, number]
export interface Equity { readonly start: number | null; readonly points: readonly EquityPoint[] }

/** Open time in ms, open, high, low, close, volume. */
export type Candle = readonly [number, number, number, number, number, number]
export interface Mark {
  readonly time: number
  readonly kind: 'entry' | 'exit'
  readonly price: number
  readonly reason: string | null
}
export interface Lines { readonly stop: number | null; readonly target: number | null; readonly entry_price: number }
export interface Candles {
  readonly symbol: string
  readonly timeframe: string | null
  readonly candles: readonly Candle[]
  readonly marks: readonly Mark[]
  readonly position: Lines | null
}

export interface Decision {
  readonly id: number
  readonly timestamp: string
  readonly symbol: string
  readonly action: string
  readonly confidence: number | null
  readonly required: number | null
  readonly status: string
  readonly reason: string | null
  readonly provider: string | null
  readonly model: string | null
  readonly fallbacks: readonly { readonly provider: string; readonly error: string }[]
  readonly reasoning: string
  readonly latency_ms: number
  readonly cost_usd: number
  readonly phases: {
    readonly initial: boolean
    readonly refinement: number
    readonly risk: boolean | null
    readonly confidence: boolean | null
  }
}

export interface Reply {
  readonly answer: unknown
  readonly failure: unknown
  readonly latency_ms: number | null
  readonly attempts: number | null
  readonly usage: unknown
}
export interface Asked { readonly provider: string; readonly skipped: unknown; readonly replies: readonly Reply[] }
/** The trail's own line, whose inner parts are shown as they are. */
export type WholeDecision = Readonly<Record<string, unknown>> & { readonly conversation?: readonly Asked[] }

export interface Risk {
  readonly state: 'RUNNING' | 'REDUCING' | 'HALTED'
  readonly reason: string | null
  readonly since: string | null
  readonly limits: Readonly<Record<string, unknown>>
}

export interface PanicOutcome {
  readonly closed: readonly string[]
  readonly failed: readonly { readonly symbol: string; readonly message: string }[]
}

export interface Service {
  readonly name: string
  readonly priority: number | null
  readonly state: 'ACTIVE' | 'COOLING' | 'DISABLED'
  readonly reason: string | null
  readonly until: string | null
  readonly success_rate: number | null
  readonly successes: number
  readonly errors: Readonly<Record<string, number>>
  readonly latency_p50_ms: number | null
  readonly latency_p95_ms: number | null
  readonly cost_usd: number
  readonly last_used: string | null
}

export interface Lane {
  readonly name: string
  readonly description: string
  readonly equity: number | null
  readonly net_return: number | null
  readonly trades: number
  readonly win_rate: number | null
  readonly max_drawdown: number | null
  readonly open_positions: number
}

export interface Alarm {
  readonly id: number
  readonly time: string | null
  readonly event: string
  readonly symbol: string | null
  readonly text: string
}

export interface PastRun {
  readonly run: string
  readonly kind: string
  readonly state: string
  readonly scenario: string | null
  readonly symbols: readonly string[]
  readonly timeframe: string | null
  readonly started_at: string | null
  readonly net_return: number | null
  readonly trades: number | null
  readonly has_report: boolean
}
