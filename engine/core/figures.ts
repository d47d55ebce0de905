import type { ExitReason } from './order.ts'

/** A run's closed trades as columns: row `i` of every column is one round trip. Kept as columns because a sweep holds millions. */
export interface TradeColumns {
  readonly length: number
  /** Index into the run's symbols. */
  readonly symbol: Uint8Array
  /** Open time in ms of the candle of the first entry fill and of the last exit fill. */
  readonly entryTime: Float64Array
  readonly exitTime: Float64Array
  /** Average fill prices. */
  readonly entryPrice: Float64Array
  readonly exitPrice: Float64Array
  readonly quantity: Float64Array
  /** Index into EXIT_REASONS. */
  readonly reason: Uint8Array
  /** In quote: both sides' fees, and what slippage cost. */
  readonly fees: Float64Array
  readonly slippage: Float64Array
  /** Quote spent on what was sold, entry fee included. */
  readonly cost: Float64Array
  /** Quote won or lost, after fees. */
  readonly pnl: Float64Array
  /** The pair that protected it, as prices at the exit; NaN = none. */
  readonly stop: Float64Array
  readonly target: Float64Array
  /** Candles between the entry's and the exit's candle. */
  readonly held: Float64Array
}

/** What the loop measured of one lane; `metrics.ts` turns it into figures. */
export interface LaneMeasures {
  readonly startCash: number
  readonly finalEquity: number
  /** Last equity of each UTC day from `firstDay` on, days without candles repeated; the first day is the base. */
  readonly dailyEquity: Float64Array
  /** Days since 1970-01-01. */
  readonly firstDay: number
  /** Smallest equity ÷ running peak − 1 over candle closes, start cash included; ≤ 0. */
  readonly maxDrawdown: number
  /** Open times of the first and last candle, ms. */
  readonly firstOpen: number
  readonly lastOpen: number
  /** Candles of the tape (each moment once, however many symbols), and how many closed with a position held. */
  readonly moments: number
  readonly momentsInPosition: number
  /** Candles read, all symbols, warm-up included. */
  readonly candles: number
  readonly trades: TradeColumns
  /** Sums in quote over all fills, of open positions too. */
  readonly fees: number
  readonly slippage: number
  readonly traded: number
  readonly ambiguousCandles: number
  /** Decisions whose answer came from an AI ÷ decisions at which one was to be asked; null without any, 0 where only rules decide. */
  readonly coverage: number | null
  readonly aiCost: number
}

/** Every figure of a run. Undefined is null, and `undefinedBecause` says why. Ratios and returns are fractions; drawdowns ≤ 0. */
export interface Figures {
  readonly finalEquity: number
  readonly totalReturn: number
  readonly cagr: number | null
  readonly annualVolatility: number | null
  readonly sharpe: number | null
  readonly sortino: number | null
  readonly maxDrawdown: number
  readonly maxDrawdownDaily: number | null
  readonly calmar: number | null
  readonly exposure: number | null
  readonly turnover: number | null
  readonly trades: number
  readonly winRate: number | null
  readonly profitFactor: number | null
  readonly profitFactorNet: number | null
  readonly expectancy: number | null
  readonly averageWin: number | null
  readonly averageLoss: number | null
  readonly sqn: number | null
  readonly longestLosingStreak: number
  readonly fees: number
  readonly slippage: number
  readonly aiCost: number
  readonly returnNetOfAi: number
  readonly coverage: number | null
  readonly ambiguousCandles: number
  readonly candles: number
  readonly undefinedBecause: Readonly<Record<string, string>>
}

export type ExitCounts = Readonly<Record<ExitReason, number>>

/** How decisions ended, and who made them. */
export interface DecisionCounts {
  readonly total: number
  readonly byStatus: Readonly<Record<string, number>>
  readonly byReason: Readonly<Record<string, number>>
  readonly byProvider: Readonly<Record<string, number>>
  /** Decisions at which an AI was to be asked. */
  readonly aiAsked: number
  /** Answers whose action was another one after refinement. */
  readonly aiFlipped: number
}
