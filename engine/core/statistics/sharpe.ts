import { normalCdf, normalQuantile } from './normal.ts'

const EULER_MASCHERONI = 0.5772156649015329

/** A Sharpe ratio per period, not annualised, and the shape of the returns behind it. */
export interface MeasuredSharpe {
  readonly sharpe: number
  /** Number of returns. */
  readonly periods: number
  readonly skewness: number
  /** Not the excess: normal = 3. */
  readonly kurtosis: number
}

/** Variance of the estimated ratio times T − 1: 1 − γ₃·SR + ¼(γ₄ − 1)·SR². Can be at or below 0 only for shapes that no returns have. */
const spread = ({ sharpe, skewness, kurtosis }: Omit<MeasuredSharpe, 'periods'>): number => 1 - skewness * sharpe + ((kurtosis - 1) / 4) * sharpe * sharpe

/**
 * Probability that the true Sharpe ratio is above `benchmark` (per period):
 * Φ[(SR − SR*)·√(T − 1) ÷ √(1 − γ₃SR + ¼(γ₄ − 1)SR²)] (D. H. Bailey & M. López de Prado, "The Sharpe Ratio Efficient Frontier", 2012).
 */
export function probabilisticSharpe(measured: MeasuredSharpe, benchmark = 0): number {
  return normalCdf(((measured.sharpe - benchmark) * Math.sqrt(measured.periods - 1)) / Math.sqrt(spread(measured)))
}

/**
 * Expected largest Sharpe ratio of `trials` without skill, whose ratios have `variance`:
 * √V·[(1 − γ)·Φ⁻¹(1 − 1/N) + γ·Φ⁻¹(1 − 1/(N·e))] (Bailey & López de Prado, "The Deflated Sharpe Ratio", 2014). 0 up to one trial.
 */
export function expectedMaximum(trials: number, variance: number): number {
  if (!(trials > 1)) return 0
  return Math.sqrt(variance) * ((1 - EULER_MASCHERONI) * normalQuantile(1 - 1 / trials) + EULER_MASCHERONI * normalQuantile(1 - 1 / (trials * Math.E)))
}

/** Deflated Sharpe ratio: the probability that the true ratio is above what the best of `trials` reaches by luck. */
export function deflatedSharpe(measured: MeasuredSharpe, trials: number, varianceOfTrials: number): { readonly benchmark: number; readonly probability: number } {
  const benchmark = Math.max(0, expectedMaximum(trials, varianceOfTrials))
  return { benchmark, probability: probabilisticSharpe(measured, benchmark) }
}

/**
 * Minimum track record in periods: 1 + [1 − γ₃SR + ¼(γ₄ − 1)SR²]·(z ÷ (SR − SR*))² (Bailey & López de Prado, 2012).
 * Null where the ratio is not above the benchmark.
 */
export function minimumTrackRecord(measured: Omit<MeasuredSharpe, 'periods'>, benchmark: number, confidence = 0.95): number | null {
  if (!(measured.sharpe > benchmark)) return null
  return 1 + spread(measured) * (normalQuantile(confidence) / (measured.sharpe - benchmark)) ** 2
}

/**
 * Minimum backtest length in years: (E[max] ÷ target)², below which the best of `trials` without skill is expected to show an
 * annual Sharpe ratio of `targetSharpe` (Bailey, Borwein, López de Prado & Zhu, "Pseudo-Mathematics and Financial Charlatanism", 2014).
 */
export const minimumLengthYears = (trials: number, targetSharpe: number): number => (expectedMaximum(trials, 1) / targetSharpe) ** 2
