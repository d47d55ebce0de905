import type { Costs } from './matching.ts'

/** What a lane demands and allows. Fractions: 0.05 means 5 %. null = off, or "none" for stop and target. */
export interface Policy {
  /** Entries need at least this confidence. */
  readonly minConfidence: number
  /** Exits need at least this confidence; 0 = always leave. */
  readonly minExitConfidence: number
  readonly stopLoss: number | null
  readonly takeProfit: number | null
  /** Share of equity that an entry spends. */
  readonly positionSize: number
  /** Candles after which a position is sold at the next open; also the horizon of a prediction. */
  readonly maxHold: number | null
  /** Distance of a stop that follows the highest high since entry. */
  readonly trailingStop: number | null
  /** Gain at which the stop is raised to entry plus costs. */
  readonly breakEvenAt: number | null
  readonly maxOpenPositions: number | null
  /** Largest share of equity in positions and pending entries. */
  readonly maxExposure: number | null
  /** Largest share of equity in one entry. */
  readonly maxPositionSize: number | null
  /** Loss since 00:00 UTC that allows exits only until the next UTC day. */
  readonly maxDailyLoss: number | null
  /** Loss from the running peak of equity that halts until a person resumes. */
  readonly maxDrawdown: number | null
  /** Candles after a position's end in which its symbol is not entered again. */
  readonly cooldown: number | null
  /** Losing trades in a row after which no entry is made until the next UTC day. */
  readonly maxConsecutiveLosses: number | null
  /** Resolved outcomes from which on confidence is replaced by what it came to so far; absent = as it was said. */
  readonly calibrate?: number
}

export const DEFAULT_POLICY: Policy = {
  minConfidence: 0.6,
  minExitConfidence: 0.6,
  stopLoss: 0.05,
  takeProfit: 0.03,
  positionSize: 0.02,
  maxHold: null,
  trailingStop: null,
  breakEvenAt: null,
  maxOpenPositions: null,
  maxExposure: null,
  maxPositionSize: null,
  maxDailyLoss: null,
  maxDrawdown: null,
  cooldown: null,
  maxConsecutiveLosses: null,
}

/** Fee and slippage of both sides of a trade that is stopped out: the dearer way, so that a threshold errs on the safe side. */
export const roundTripCosts = ({ taker, slippageBps }: Costs): number => 2 * (taker + slippageBps / 10_000)

/** How often a walk without skill reaches the target before the stop: stop ÷ (stop + target). null without both. */
export const baseRate = (stopLoss: number | null, takeProfit: number | null): number | null =>
  stopLoss === null || takeProfit === null ? null : stopLoss / (stopLoss + takeProfit)

/** How often the target must come first to pay for stop and costs: (stop + costs) ÷ (stop + target). null without both. */
export const breakEvenRate = (stopLoss: number | null, takeProfit: number | null, costs: number): number | null =>
  // Twelve decimals, so that a threshold set to break-even is not below it by the last bit.
  stopLoss === null || takeProfit === null ? null : Math.round(((stopLoss + costs) / (stopLoss + takeProfit)) * 1e12) / 1e12
