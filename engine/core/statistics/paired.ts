import { mean, type Series } from '../metrics.ts'
import { meanInterval } from './bootstrap.ts'

/** Days below which an interval would promise more than is known. */
export const FEWEST_PAIRED_DAYS = 60

export interface PairedDifference {
  readonly days: number
  /** Mean of a − b per day. */
  readonly mean: number
  /** 95 %; null where there are too few days. */
  readonly low: number | null
  readonly high: number | null
  readonly verdict: 'better' | 'worse' | 'no significant difference' | 'too short'
}

/**
 * Compares two configurations by the difference of their returns on the same days, with a stationary-bootstrap interval. A
 * difference within ± `spread`, what asking the same question again changes, is none.
 */
export function pairedDifference(
  a: Series, b: Series, { seed, resamples, spread = 0 }: { readonly seed: number; readonly resamples?: number; readonly spread?: number },
): PairedDifference {
  const days = Math.min(a.length, b.length)
  const differences = Float64Array.from({ length: days }, (_, day) => a[day] - b[day])
  const difference = days === 0 ? 0 : mean(differences)
  if (days < FEWEST_PAIRED_DAYS) return { days, mean: difference, low: null, high: null, verdict: 'too short' }
  const { low, high } = meanInterval(differences, { seed, ...(resamples !== undefined && { resamples }) })
  const real = Math.abs(difference) > spread && (low > 0 || high < 0)
  return { days, mean: difference, low, high, verdict: !real ? 'no significant difference' : low > 0 ? 'better' : 'worse' }
}
