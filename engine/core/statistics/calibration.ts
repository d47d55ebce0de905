import { mean, type Series } from '../metrics.ts'

/** z of a two-sided 95 % interval. */
const Z_95 = 1.959963984540054

/** Brier score: mean (p − y)², 0 is best (G. W. Brier, 1950). NaN without forecasts. */
export function brier(p: Series, y: Series): number {
  let sum = 0
  for (let i = 0; i < p.length; i++) sum += (p[i] - y[i]) ** 2
  return sum / p.length
}

/** 1 − Brier ÷ (ȳ(1 − ȳ)): how much better than always saying the base rate. Null where the outcome never varies. */
export function brierSkill(p: Series, y: Series): number | null {
  const rate = mean(y)
  const uncertainty = rate * (1 - rate)
  return uncertainty > 0 ? 1 - brier(p, y) / uncertainty : null
}

export interface Murphy {
  readonly brier: number
  readonly reliability: number
  readonly resolution: number
  readonly uncertainty: number
}

/**
 * Murphy's decomposition, Brier = reliability − resolution + uncertainty (A. H. Murphy, 1973): exact where a bin is one value of p,
 * which is the default; with `bins` of equal width it holds up to what varies inside a bin.
 */
export function murphy(p: Series, y: Series, bins: number | null = null): Murphy {
  const groups = new Map<number, { n: number; p: number; y: number }>()
  for (let i = 0; i < p.length; i++) {
    const key = bins === null ? p[i] : binOf(p[i], bins)
    const group = groups.get(key) ?? { n: 0, p: 0, y: 0 }
    group.n++
    group.p += p[i]
    group.y += y[i]
    groups.set(key, group)
  }
  const rate = mean(y)
  let reliability = 0
  let resolution = 0
  for (const group of groups.values()) {
    reliability += group.n * (group.p / group.n - group.y / group.n) ** 2
    resolution += group.n * (group.y / group.n - rate) ** 2
  }
  return { brier: brier(p, y), reliability: reliability / p.length, resolution: resolution / p.length, uncertainty: rate * (1 - rate) }
}

/** Bin of [0, 1] in equal widths; a bound belongs to the bin above it, 1 to the last. */
const binOf = (p: number, count: number): number => Math.min(count - 1, Math.floor(p * count + 1e-12))

/** Expected and largest calibration error, |accuracy − confidence| over bins of equal width (M. P. Naeini et al., 2015). */
export function expectedCalibrationError(p: Series, y: Series, bins: number): { readonly mean: number; readonly max: number } {
  let sum = 0
  let max = 0
  for (const { n, confidence, accuracy } of reliabilityBins(p, y, bins)) {
    if (n === 0) continue
    const error = Math.abs(accuracy - confidence)
    sum += (n / p.length) * error
    max = Math.max(max, error)
  }
  return { mean: sum, max }
}

/** Wilson's interval of a share (E. B. Wilson, 1927). [0, 1] without observations. */
export function wilson(successes: number, n: number, z = Z_95): readonly [number, number] {
  if (n === 0) return [0, 1]
  const share = successes / n
  const centre = share + (z * z) / (2 * n)
  const half = z * Math.sqrt((share * (1 - share)) / n + (z * z) / (4 * n * n))
  const scale = 1 + (z * z) / n
  return [Math.max(0, (centre - half) / scale), Math.min(1, (centre + half) / scale)]
}

export interface ReliabilityBin {
  readonly from: number
  readonly to: number
  readonly n: number
  /** Mean forecast, and share of events that came; NaN in an empty bin. */
  readonly confidence: number
  readonly accuracy: number
  /** Wilson's interval of the share: right for independent outcomes only. */
  readonly low: number
  readonly high: number
}

/** Forecasts in bins of equal width over [0, 1], empty ones included. */
export function reliabilityBins(p: Series, y: Series, count = 10): ReliabilityBin[] {
  const sums = Array.from({ length: count }, () => ({ n: 0, p: 0, y: 0 }))
  for (let i = 0; i < p.length; i++) {
    const sum = sums[binOf(p[i], count)]
    sum.n++
    sum.p += p[i]
    sum.y += y[i]
  }
  return sums.map(({ n, p: forecasts, y: events }, index) => {
    const [low, high] = wilson(events, n)
    return { from: index / count, to: (index + 1) / count, n, confidence: forecasts / n, accuracy: events / n, low, high }
  })
}
