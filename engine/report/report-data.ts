import type { DecisionCounts, ExitCounts, Figures, TradeColumns } from '../core/figures.ts'
import type { EpochMs } from '../core/time.ts'
import type { Course } from '../session/course.ts'

/** A comparison that needs no skill. Undefined is null. */
export interface Baseline {
  readonly finalEquity: number | null
  readonly totalReturn: number | null
  readonly maxDrawdown?: number | null
  /** One line: what was assumed, or why it is missing. */
  readonly note: string
  /** random only: 5th and 95th percentile of the draws' total return, their number, and the share that the run beats. */
  readonly low?: number
  readonly high?: number
  readonly draws?: number
  readonly beats?: number
}

export interface Baselines {
  readonly buyAndHold: Baseline
  readonly flat: Baseline
  /** null when it was not asked for. */
  readonly random: Baseline | null
}

/** How often the policy must be right. Null fields: no stop or no target. */
export interface BreakEven {
  /** stop ÷ (stop + target): how often a walk without skill reaches the target first. */
  readonly baseRate: number | null
  /** (stop + costs) ÷ (stop + target), costs = taker fee and slippage on both sides. */
  readonly breakEven: number | null
  readonly costs: number
  readonly minConfidence: number
}

/** Candles for a chart, at most 20,000: a coarser multiple of the run's timeframe when the tape is longer. */
export interface ChartCandles {
  readonly symbol: string
  /** Milliseconds per candle, and how many of the run's candles each one joins. */
  readonly stepMs: number
  readonly factor: number
  readonly openTime: Float64Array
  readonly open: Float64Array
  readonly high: Float64Array
  readonly low: Float64Array
  readonly close: Float64Array
  readonly length: number
}

/** A position that was still held when the run ended. */
export interface OpenPosition {
  readonly symbol: string
  readonly entryTime: EpochMs
  readonly entryPrice: number
  /** Base units. */
  readonly quantity: number
  /** Last close. */
  readonly price: number
  /** Quote, at the last close. */
  readonly worth: number
  /** What closing at the last close would have won or lost before the costs of leaving, in quote. */
  readonly unrealised: number
}

/** How a rehearsal went, beside its figures. */
export interface Rehearsal extends Course {
  /** Faults that the practice exchange was asked for, in its own notation. */
  readonly faults: readonly string[]
}

/** All that a report shows. Holds no wall-clock value, so the same run makes the same file. */
export interface ReportData {
  readonly run: string
  readonly name: string
  readonly symbols: readonly string[]
  readonly timeframe: string
  readonly strategy: string
  readonly firstOpen: EpochMs
  readonly lastOpen: EpochMs
  readonly startCash: number
  readonly quote: string
  readonly figures: Figures
  readonly baselines: Baselines
  readonly breakEven: BreakEven
  readonly exits: ExitCounts
  readonly decisions: DecisionCounts
  /** Final equity under the fill models' bounds, when asked for. */
  readonly bounds: { readonly conservative: number; readonly optimistic: number } | null
  readonly trades: TradeColumns
  readonly dailyEquity: Float64Array
  readonly firstDay: number
  readonly charts: readonly ChartCandles[]
  /** What was assumed: fill model, fees, slippage, defaults taken, sizing, data notes. One sentence each. */
  readonly assumptions: readonly string[]
  readonly warnings: readonly string[]
  readonly interrupted: boolean
  readonly open: readonly OpenPosition[]
  /** null: a backtest. */
  readonly rehearsal: Rehearsal | null
}
