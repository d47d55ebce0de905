import type { DecisionCounts, ExitCounts, Figures } from '../core/figures.ts'
import type { Policy } from '../core/policy.ts'
import type { EpochMs } from '../core/time.ts'
import type { ChartCandles } from '../report/report-data.ts'

/** Bounds of 95 % unless said otherwise. */
export interface Interval {
  readonly low: number
  readonly high: number
}

/** One thing that the cells of a comparison differ in, with its values in the order in which they were given. */
export interface Axis {
  /** `scenario`, `providers`, a policy key such as `minConfidence`, or a path such as `strategy.params.fast`. */
  readonly key: string
  readonly values: readonly string[]
}

/** What a refusal came to, had it been an order: a bet of its own from the next open with the cell's exits. */
export interface Regret {
  /** The rule that refused, or `low-confidence`. */
  readonly reason: string
  readonly side: 'entry' | 'exit'
  /** Refusals, those whose outcome is known, and those that the tape's end left open or that cannot be told. */
  readonly count: number
  readonly resolved: number
  readonly unknown: number
  /** Net return of one bet as a fraction of what it cost, for an exit what leaving saved; null where nothing resolved. */
  readonly mean: number | null
  readonly total: number
  /** Share of resolved bets that would have won. */
  readonly winRate: number | null
}

/** How often a provider was right, over its own scored opinions (BUY, SELL) that resolved. */
export interface CalibrationSummary {
  /** Scored opinions, those resolved, and those censored by the horizon or the tape's end. */
  readonly scored: number
  readonly resolved: number
  readonly censored: number
  /** Opinions whose deciding candle touched both levels: labels under the other order of events bound the figures. */
  readonly ambiguous: number
  /** How many independent outcomes the resolved ones are worth. */
  readonly effective: number | null
  readonly brier: number | null
  readonly brierInterval: Interval | null
  readonly skill: number | null
  readonly skillInterval: Interval | null
  readonly skillBounds: Interval | null
  readonly ece: number | null
  readonly reliability: number | null
  readonly resolution: number | null
  readonly uncertainty: number | null
  /** Share of opinions whose event came; of a walk without skill; needed to pay for stop and costs. */
  readonly baseRate: number | null
  readonly walkRate: number | null
  readonly breakEven: number | null
  readonly bins: readonly CalibrationBin[]
  /** Median candles from the next open to the outcome. */
  readonly medianResolution: number | null
}

export interface CalibrationBin {
  readonly from: number
  readonly to: number
  readonly n: number
  /** Mean confidence and share of events that came. */
  readonly confidence: number
  readonly accuracy: number
  readonly low: number
  readonly high: number
}

/** What the refinement turn was worth, over decisions that an AI answered with more than one turn. */
export interface RefinementValue {
  readonly answered: number
  readonly flipped: number
  /** Resolved opinions scored by the first and by the last turn; Brier scores, smaller is better. */
  readonly compared: number
  readonly brierFirst: number | null
  readonly brierLast: number | null
  readonly difference: number | null
  readonly interval: Interval | null
  readonly verdict: string
}

/** A badge says in a word what a reader must know before trusting a cell. */
export interface Badge {
  readonly kind: 'best' | 'significant' | 'dubious' | 'too short' | 'before cut-off' | 'after cut-off' | 'spans cut-off' | 'cut-off unknown' | 'baseline' | 'simulated'
  readonly why: string
}

/** One configuration over one tape. Fractions: 0.05 means 5 %. */
export interface Cell {
  /** Hash of everything that decides its result. */
  readonly id: string
  readonly pass: string
  readonly name: string
  /** By axis key. */
  readonly labels: Readonly<Record<string, string>>
  readonly scenario: string
  /** Who was asked: names joined by ` → `, without the rules at the end. */
  readonly provider: string
  readonly model: string | null
  readonly policy: Policy
  /** Same configuration on other scenarios has the same setup. */
  readonly setup: string
  /** Not asked for: technical rules beside AI. Never best, no trial. */
  readonly baseline: boolean
  readonly netReturn: number
  readonly interval: Interval | null
  /** Why there is no interval; null where there is one. */
  readonly tooShort: string | null
  readonly figures: Figures
  readonly exits: ExitCounts
  readonly decisions: DecisionCounts
  readonly calibration: CalibrationSummary
  readonly refinement: RefinementValue | null
  /** Decisions that an AI answered ÷ decisions at which it was to be asked; rules: null. */
  readonly answered: number | null
  /** Scored opinions that pass the threshold ÷ scored entries (BUY). */
  readonly coverage: number | null
  readonly aiCost: number
  readonly latencyP95: number | null
  readonly ambiguousCandles: number
  /** Net return under the most and the least careful fill model; null where no candle was ambiguous. */
  readonly bounds: { readonly conservative: number; readonly optimistic: number } | null
  /** Share of random-entry runs, with the same exits and number of trades, that did worse; null without trades. */
  readonly random: { readonly percentile: number; readonly draws: number; readonly median: number; readonly low: number; readonly high: number } | null
  readonly sharpeStats: SharpeStats | null
  readonly regret: readonly Regret[]
  readonly badges: readonly Badge[]
  readonly warnings: readonly string[]
  /** Last equity of each UTC day from `firstDay` (days since 1970-01-01) on. */
  readonly firstDay: number
  readonly dailyEquity: readonly number[]
  /** Folder with audit.jsonl, trades.csv and equity.csv, relative to the comparison's; null where nothing was kept. */
  readonly folder: string | null
}

/** Of daily returns, not annualised. */
export interface SharpeStats {
  readonly sharpe: number
  readonly periods: number
  readonly skewness: number
  /** Non-excess: normal = 3. */
  readonly kurtosis: number
  /** Days until the Sharpe ratio is told from 0 with 95 %; null where it is not above 0. */
  readonly minimumTrackRecord: number | null
  /** Probability that the true Sharpe ratio is above what the best of so many trials reaches by luck. */
  readonly deflatedRaw: number | null
  readonly deflatedEffective: number | null
}

/** One stretch of candles, and everything that was tried on it. */
export interface Window {
  readonly scenario: string
  readonly symbols: readonly string[]
  readonly timeframe: string
  /** SHA-256 of the candles. */
  readonly candles: string
  readonly firstOpen: EpochMs
  readonly lastOpen: EpochMs
  readonly quote: string
  readonly startCash: number
  readonly buyAndHold: { readonly totalReturn: number; readonly maxDrawdown: number | null; readonly note: string; readonly dailyEquity: readonly number[]; readonly firstDay: number }
  /** Distinct trials ever made on it, this comparison's included. */
  readonly trials: number
  readonly effectiveTrials: number
  /** Per day, not annualised. */
  readonly expectedMaximumSharpe: number | null
  readonly overfitting: { readonly probability: number; readonly columns: number; readonly left: number; readonly blocks: number } | null
  readonly realityCheck: { readonly p: number; readonly against: string; readonly columns: number } | null
  /** For an annual Sharpe ratio of 1. */
  readonly minimumBacktestYears: number | null
  /** Id of the best candidate; null where nothing traded. */
  readonly best: string | null
  /** One sentence: what may be believed. */
  readonly verdict: string
}

export interface PairedRow {
  readonly a: string
  readonly b: string
  /** Why the two are compared: `best`, `baseline`, `buy-and-hold`, `provider`, `sample`. */
  readonly against: string
  readonly days: number
  /** Mean difference of daily returns, a − b. */
  readonly mean: number
  readonly interval: Interval | null
  readonly verdict: 'better' | 'worse' | 'no significant difference' | 'too short'
}

/** One provider's line in the chart of thresholds: everything but the threshold is equal. */
export interface ThresholdCurve {
  readonly name: string
  readonly scenario: string
  readonly provider: string
  /** Rates by which a reader judges a confidence; null without stop and target. */
  readonly baseRate: number | null
  readonly breakEven: number | null
  readonly points: readonly {
    readonly threshold: number
    readonly cell: string
    readonly coverage: number | null
    readonly trades: number
    /** Net return of a trade, with its interval; null without trades. */
    readonly expectancy: number | null
    readonly interval: Interval | null
  }[]
}

/** How two providers disagree on the same candles. */
export interface Disagreement {
  readonly scenario: string
  readonly a: string
  readonly b: string
  /** Decisions both answered, share with the same action, and counts `action a × action b`. */
  readonly decisions: number
  readonly agreement: number | null
  readonly table: Readonly<Record<string, number>>
  /** Among decisions where the two said otherwise and the event is known: share in which a, and b, was right. */
  readonly aRight: number | null
  readonly bRight: number | null
}

/** One opinion of a pass, for reading. */
export interface OpinionRow {
  /** Close of the candle it was about. */
  readonly time: EpochMs
  readonly symbol: number
  readonly provider: string
  readonly action: string
  readonly confidence: number
  readonly turns: readonly { readonly action: string; readonly confidence: number; readonly reasoning: string }[]
  readonly latencyMs: number
  readonly costUsd: number
}

/** What a reader may click through: candles, opinions, and what each cell did with them. */
export interface PassDetail {
  readonly pass: string
  readonly symbols: readonly string[]
  readonly charts: readonly ChartCandles[]
  readonly opinions: readonly OpinionRow[]
  /** Opinions that were left out so that the page stays small. */
  readonly omitted: number
  /** By cell id: indices into `opinions` with what became of each. */
  readonly decisions: Readonly<Record<string, readonly { readonly opinion: number; readonly status: string; readonly reason: string | null; readonly earned: number | null }[]>>
}

/** Everything that a comparison says; holds no wall-clock value, so the same comparison makes the same files. */
export interface Comparison {
  readonly format: 1
  readonly id: string
  readonly name: string
  readonly tapedeck: string
  readonly axes: readonly Axis[]
  readonly cells: readonly Cell[]
  readonly windows: readonly Window[]
  readonly pairs: readonly PairedRow[]
  readonly curves: readonly ThresholdCurve[]
  readonly disagreements: readonly Disagreement[]
  /** Setups over several scenarios, days that overlap clustered; empty with one scenario. */
  readonly across: readonly { readonly setup: string; readonly name: string; readonly scenarios: number; readonly days: number; readonly meanDaily: number; readonly interval: Interval | null }[]
  readonly assumptions: readonly string[]
  readonly warnings: readonly string[]
  readonly interrupted: boolean
}
