import { mean, type Series } from '../metrics.ts'
import { blockLength, RESAMPLES, StationaryBootstrap } from './bootstrap.ts'

export interface RealityCheck {
  /** max over strategies of √n·mean(difference). */
  readonly statistic: number
  /** Probability of so large a maximum when nobody is better than the benchmark. */
  readonly p: number
}

/** √n·max of the means over resampled rows, each less its strategy's own mean. */
export function resampledMaximum(differences: readonly Series[], means: Series, rows: Int32Array): number {
  let most = -Infinity
  for (let strategy = 0; strategy < differences.length; strategy++) {
    const values = differences[strategy]
    let sum = 0
    for (let index = 0; index < rows.length; index++) sum += values[rows[index]]
    const centred = sum / rows.length - means[strategy]
    if (centred > most) most = centred
  }
  return Math.sqrt(rows.length) * most
}

/**
 * White's reality check (H. White, "A Reality Check for Data Snooping", 2000): whether the best of many beats the benchmark beyond
 * what looking at many gives by luck. `differences`: returns less the benchmark's, one series per strategy, days aligned; resampled
 * together by the stationary bootstrap. p = (1 + #{V* ≥ V}) ÷ (B + 1).
 */
export function realityCheck(
  differences: readonly Series[], { seed, resamples = RESAMPLES, meanBlock = Math.max(...differences.map(blockLength)) }: {
    readonly seed: number
    readonly resamples?: number
    readonly meanBlock?: number
  },
): RealityCheck {
  const days = differences[0].length
  const means = differences.map((values) => mean(values))
  const statistic = Math.sqrt(days) * Math.max(...means)
  const bootstrap = new StationaryBootstrap(days, meanBlock, seed)
  // Sums of whole blocks as differences of running sums, since there may be hundreds of strategies.
  const running = differences.map((values) => {
    const before = new Float64Array(2 * days + 1)
    for (let index = 0; index < 2 * days; index++) before[index + 1] = before[index] + values[index % days]
    return before
  })
  const sums = new Float64Array(differences.length)
  let reached = 0
  for (let draw = 0; draw < resamples; draw++) {
    sums.fill(0)
    for (let left = days; left > 0;) {
      const start = bootstrap.start()
      const size = Math.min(left, bootstrap.size(), days)
      for (let strategy = 0; strategy < sums.length; strategy++) sums[strategy] += running[strategy][start + size] - running[strategy][start]
      left -= size
    }
    let most = -Infinity
    for (let strategy = 0; strategy < sums.length; strategy++) most = Math.max(most, sums[strategy] / days - means[strategy])
    if (Math.sqrt(days) * most >= statistic) reached++
  }
  return { statistic, p: (1 + reached) / (resamples + 1) }
}
