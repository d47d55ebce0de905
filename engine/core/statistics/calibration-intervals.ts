import { mean, type Series } from '../metrics.ts'
import { blockLength, percentiles, StationaryBootstrap, type Bounds } from './bootstrap.ts'
import { brier, brierSkill, expectedCalibrationError, reliabilityBins } from './calibration.ts'

const BINS = 10

export interface CalibrationIntervals {
  readonly brier: Bounds
  /** Null where the outcome never varies. */
  readonly skill: Bounds | null
  readonly ece: Bounds
  /** Share of events in each of ten bins of equal width; null where hardly a draw had one in it. */
  readonly bins: readonly (Bounds | null)[]
  /** How many independent outcomes so many overlapping ones are worth. */
  readonly effectiveCount: number
  /** Mean length of the blocks that were resampled. */
  readonly meanBlock: number
}

/**
 * Intervals of calibration figures when neighbouring outcomes are nearly the same event: the stationary bootstrap over time, in
 * blocks no shorter than the median resolution. `p`, `y` in the order of time; `medianResolution` counts forecasts.
 */
export function calibrationIntervals({ p, y, medianResolution, seed, resamples = 2_000 }: {
  readonly p: Series
  readonly y: Series
  readonly medianResolution: number
  readonly seed: number
  readonly resamples?: number
}): CalibrationIntervals {
  const n = p.length
  const errors = Float64Array.from({ length: n }, (_, index) => (p[index] - y[index]) ** 2)
  // Blocks of twice the resolution, as far as there are enough of them: one block holds whole outcomes, not their halves.
  const meanBlock = Math.max(1, Math.min(n / 3, Math.max(2 * medianResolution, blockLength(errors), blockLength(y))))
  const bootstrap = new StationaryBootstrap(n, meanBlock, seed)
  const rows = new Int32Array(n)
  const [ps, ys] = [new Float64Array(n), new Float64Array(n)]
  const draws = { brier: new Float64Array(resamples), skill: new Float64Array(resamples), ece: new Float64Array(resamples) }
  const shares = Array.from({ length: BINS }, (): number[] => [])
  for (let draw = 0; draw < resamples; draw++) {
    bootstrap.resample(rows)
    for (let index = 0; index < n; index++) {
      ps[index] = p[rows[index]]
      ys[index] = y[rows[index]]
    }
    draws.brier[draw] = brier(ps, ys)
    // A draw in which the outcome never varies knows no skill.
    draws.skill[draw] = brierSkill(ps, ys) ?? 0
    draws.ece[draw] = expectedCalibrationError(ps, ys, BINS).mean
    for (const [bin, { n: count, accuracy }] of reliabilityBins(ps, ys, BINS).entries()) if (count > 0) shares[bin].push(accuracy)
  }
  return {
    brier: percentiles(draws.brier), skill: brierSkill(p, y) === null ? null : percentiles(draws.skill), ece: percentiles(draws.ece),
    bins: shares.map((share) => (share.length < resamples / 2 ? null : percentiles(Float64Array.from(share)))),
    effectiveCount: effectiveCount(y), meanBlock,
  }
}

/**
 * n ÷ (1 + 2Σρₖ), autocorrelations summed in pairs for as long as a pair is positive (C. J. Geyer, "Practical Markov Chain Monte
 * Carlo", 1992: the initial positive sequence). At least 1, at most n.
 */
export function effectiveCount(y: Series): number {
  const n = y.length
  if (n < 3) return n
  const centre = mean(y)
  const centred = Float64Array.from({ length: n }, (_, index) => y[index] - centre)
  const at = (lag: number): number => {
    let sum = 0
    for (let index = lag; index < n; index++) sum += centred[index] * centred[index - lag]
    return sum
  }
  const variance = at(0)
  if (!(variance > 0)) return 1
  let sum = 0
  for (let lag = 1; lag + 1 < n / 2; lag += 2) {
    const pair = (at(lag) + at(lag + 1)) / variance
    if (pair <= 0) break
    sum += pair
  }
  return Math.max(1, Math.min(n, n / (1 + 2 * sum)))
}
