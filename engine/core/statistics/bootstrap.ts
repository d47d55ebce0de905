import { mean, type Series } from '../metrics.ts'
import { seededRandom } from '../random.ts'

export const RESAMPLES = 10_000

export interface BootstrapOptions {
  readonly seed: number
  readonly confidence?: number
  readonly resamples?: number
  /** Mean length of a block; left out = {@link blockLength} of the values. */
  readonly meanBlock?: number
}

/** Bounds of a percentile interval. */
export interface Bounds {
  readonly low: number
  readonly high: number
}

/**
 * Mean block length for the stationary bootstrap, chosen from the data (D. N. Politis & H. White, "Automatic Block-Length Selection
 * for the Dependent Bootstrap", 2004, corrected by A. Patton, D. N. Politis & H. White, 2009). At least 1.
 */
export function blockLength(values: Series): number {
  const n = values.length
  if (n < 4) return 1
  const most = Math.ceil(Math.min(3 * Math.sqrt(n), n / 3))
  const near = Math.max(5, Math.ceil(Math.sqrt(Math.log10(n))))
  const lags = Math.min(n - 1, Math.ceil(Math.sqrt(n)) + near)
  const covariance = autocovariances(values, lags)
  if (!(covariance[0] > 0)) return 1
  const bound = 2 * Math.sqrt(Math.log10(n) / n)
  const small = (lag: number): boolean => Math.abs(covariance[lag] / covariance[0]) < bound
  // The smallest lag after which `near` autocorrelations in a row are insignificant; failing that, the last significant one.
  let cut = -1
  for (let lag = 1; lag + near - 1 <= lags && cut < 0; lag++) {
    let all = true
    for (let next = 0; next < near; next++) all &&= small(lag + next)
    if (all) cut = lag - 1
  }
  if (cut < 0) for (let lag = 1; lag <= lags; lag++) if (!small(lag)) cut = lag
  const width = Math.min(lags, 2 * Math.max(1, cut))
  let g = 0
  let spectrum = covariance[0]
  for (let lag = 1; lag <= width; lag++) {
    const ratio = lag / width
    const weight = ratio <= 0.5 ? 1 : 2 * (1 - ratio)
    g += 2 * weight * lag * covariance[lag]
    spectrum += 2 * weight * covariance[lag]
  }
  const d = 2 * spectrum * spectrum
  const length = d > 0 ? Math.cbrt((2 * g * g) / d) * Math.cbrt(n) : 1
  return Math.min(most, Math.max(1, length))
}

function autocovariances(values: Series, lags: number): Float64Array {
  const n = values.length
  const centre = mean(values)
  const centred = Float64Array.from({ length: n }, (_, index) => values[index] - centre)
  const covariance = new Float64Array(lags + 1)
  for (let lag = 0; lag <= lags; lag++) {
    let sum = 0
    for (let index = lag; index < n; index++) sum += centred[index] * centred[index - lag]
    covariance[lag] = sum / n
  }
  return covariance
}

/** Draws of the stationary bootstrap: blocks of geometric length from random places, going round at the end (D. N. Politis & J. P. Romano, 1994). */
export class StationaryBootstrap {
  readonly #length: number
  readonly #random: () => number
  /** ln(1 − 1 ÷ mean block): −Infinity makes every block one row long. */
  readonly #rate: number

  constructor(length: number, meanBlock: number, seed: number) {
    this.#length = length
    this.#rate = Math.log(1 - 1 / Math.max(1, meanBlock))
    this.#random = seededRandom(seed)
  }

  /** Where the next block begins. */
  start(): number {
    return Math.floor(this.#random() * this.#length)
  }

  /** How many rows it has. */
  size(): number {
    return this.#rate === -Infinity ? 1 : 1 + Math.floor(Math.log(1 - this.#random()) / this.#rate)
  }

  /** Fills `into` with row numbers. */
  resample(into: Int32Array): void {
    for (let at = 0; at < into.length;) {
      let row = this.start()
      for (let left = this.size(); left > 0 && at < into.length; left--) {
        into[at++] = row
        if (++row === this.#length) row = 0
      }
    }
  }
}

/** Percentile interval of the sum of resampled values, through sums of whole blocks: a draw costs as much as it has blocks. */
function sumInterval(values: Series, { seed, confidence = 0.95, resamples = RESAMPLES, meanBlock = blockLength(values) }: BootstrapOptions): Bounds {
  const n = values.length
  const before = new Float64Array(2 * n + 1)
  for (let index = 0; index < 2 * n; index++) before[index + 1] = before[index] + values[index % n]
  const bootstrap = new StationaryBootstrap(n, meanBlock, seed)
  const sums = new Float64Array(resamples)
  for (let draw = 0; draw < resamples; draw++) {
    let sum = 0
    for (let left = n; left > 0;) {
      const start = bootstrap.start()
      const size = Math.min(left, bootstrap.size(), n)
      sum += before[start + size] - before[start]
      left -= size
    }
    sums[draw] = sum
  }
  return percentiles(sums, confidence)
}

/** The middle `confidence` of the draws, which are sorted in place. */
export function percentiles(draws: Float64Array, confidence = 0.95): Bounds {
  draws.sort()
  const at = (share: number): number => draws[Math.min(draws.length - 1, Math.max(0, Math.round(share * (draws.length - 1))))]
  return { low: at((1 - confidence) / 2), high: at((1 + confidence) / 2) }
}

/** Percentile interval of the mean of a series in time, by the stationary bootstrap. */
export function meanInterval(values: Series, options: BootstrapOptions): Bounds {
  const { low, high } = sumInterval(values, options)
  return { low: low / values.length, high: high / values.length }
}

/** Percentile interval of the compounded return ∏(1 + r) − 1, as a fraction. Returns at or below −1 make the lower bound −1. */
export function growthInterval(returns: Series, options: BootstrapOptions): Bounds {
  const logs = Float64Array.from({ length: returns.length }, (_, index) => Math.log1p(Math.max(returns[index], -1 + 1e-300)))
  const { low, high } = sumInterval(logs, { meanBlock: blockLength(returns), ...options })
  return { low: Math.expm1(low), high: Math.expm1(high) }
}
