import { describe, expect, it } from 'vitest'
import { deviation, mean } from '../../../../engine/core/metrics.ts'
import { seededRandom } from '../../../../engine/core/random.ts'
import { blockLength, growthInterval, meanInterval, StationaryBootstrap } from '../../../../engine/core/statistics/bootstrap.ts'
import { brierSkill } from '../../../../engine/core/statistics/calibration.ts'
import { calibrationIntervals, effectiveCount } from '../../../../engine/core/statistics/calibration-intervals.ts'
import { kurtosis, skewness } from '../../../../engine/core/statistics/moments.ts'
import { normalQuantile } from '../../../../engine/core/statistics/normal.ts'
import { probabilityOfOverfitting } from '../../../../engine/core/statistics/overfitting.ts'
import { pairedDifference } from '../../../../engine/core/statistics/paired.ts'
import { deflatedSharpe } from '../../../../engine/core/statistics/sharpe.ts'

/** Whole suites run more trials. */
const TRIALS = process.env['TAPEDECK_FULL'] === '1' ? 400 : 100

const normals = (count: number, random: () => number): Float64Array => Float64Array.from({ length: count }, () => normalQuantile(0.5e-9 + random() * (1 - 1e-9)))

describe('intervals', () => {
  it('cover what is true in about 95 % of trials, with days that hang together too', () => {
    for (const persistence of [0, 0.6]) {
      let covered = 0
      for (let trial = 0; trial < TRIALS; trial++) {
        const noise = normals(400, seededRandom(1000 + trial))
        const values = new Float64Array(400)
        for (let day = 1; day < 400; day++) values[day] = persistence * values[day - 1] + noise[day]
        const { low, high } = meanInterval(values, { seed: trial, resamples: 1000 })
        if (low <= 0 && high >= 0) covered++
      }
      expect(covered / TRIALS).toBeGreaterThanOrEqual(0.85)
      expect(covered / TRIALS).toBeLessThan(1)
    }
  })

  it('widen with the length of blocks where days hang together, and that length is found', () => {
    const noise = normals(2000, seededRandom(5))
    const values = new Float64Array(2000)
    for (let day = 1; day < 2000; day++) values[day] = 0.8 * values[day - 1] + noise[day]
    expect(blockLength(noise)).toBeLessThan(6)
    expect(blockLength(values)).toBeGreaterThan(12)
    const width = (meanBlock: number): number => {
      const { low, high } = meanInterval(values, { seed: 1, resamples: 2000, meanBlock })
      return high - low
    }
    expect(width(40) / width(1)).toBeGreaterThan(1.8)
  })

  it('of a return are those of its logarithms, and the same seed gives the same bounds', () => {
    const returns = normals(300, seededRandom(9)).map((value) => value * 0.01 + 0.001)
    const total = returns.reduce((product, value) => product * (1 + value), 1) - 1
    const one = growthInterval(returns, { seed: 4 })
    expect(one.low).toBeLessThan(total)
    expect(one.high).toBeGreaterThan(total)
    expect(growthInterval(returns, { seed: 4 })).toEqual(one)
    expect(growthInterval(returns, { seed: 5 })).not.toEqual(one)
    expect(growthInterval([0.1, -1, 0.2], { seed: 1, meanBlock: 1 }).low).toBe(-1)
  })

  it('draw rows of the series, in runs of about the mean block', () => {
    const rows = new Int32Array(20_000)
    new StationaryBootstrap(500, 10, 3).resample(rows)
    let runs = 1
    for (let index = 1; index < rows.length; index++) if (rows[index] !== (rows[index - 1] + 1) % 500) runs++
    expect(rows.length / runs).toBeGreaterThan(9)
    expect(rows.length / runs).toBeLessThan(11)
    expect([Math.min(...rows), Math.max(...rows)]).toEqual([0, 499])
  })
})

it('a difference is told from none, and few days from both', () => {
  const a = normals(200, seededRandom(1)).map((value) => value * 0.01)
  const better = a.map((value, day) => value + 0.002 + 0.0005 * Math.sin(day))
  expect(pairedDifference(better, a, { seed: 1 }).verdict).toBe('better')
  expect(pairedDifference(a, better, { seed: 1 }).verdict).toBe('worse')
  expect(pairedDifference(better, a, { seed: 1, spread: 0.01 }).verdict).toBe('no significant difference')
  expect(pairedDifference(a, normals(200, seededRandom(2)).map((value) => value * 0.01), { seed: 1 }).verdict).toBe('no significant difference')
  expect(pairedDifference(better.slice(0, 59), a, { seed: 1 })).toMatchObject({ days: 59, low: null, high: null, verdict: 'too short' })
})

describe('a forecaster', () => {
  /** Outcomes that `overlap` neighbouring forecasts share. */
  const outcomes = (count: number, overlap: number, random: () => number, chance: number): Float64Array => {
    const y = new Float64Array(count)
    let now = 0
    for (let at = 0; at < count; at++) {
      if (at % overlap === 0) now = random() < chance ? 1 : 0
      y[at] = now
    }
    return y
  }

  it.each([1, 100])('without skill is not called significant in 95 % of trials, each outcome shared by %i', (overlap) => {
    const count = overlap === 1 ? 400 : 4000
    let called = 0
    for (let trial = 0; trial < TRIALS; trial++) {
      const random = seededRandom(7000 + trial)
      const y = outcomes(count, overlap, random, 0.6)
      // Confidence hangs together as the outcomes do, so that chance makes it look wise or foolish for long.
      const said = outcomes(count, overlap, random, 0.5)
      const p = said.map((value) => (value === 1 ? 0.65 : 0.55))
      const { skill } = calibrationIntervals({ p, y, medianResolution: overlap, seed: trial, resamples: 200 })
      if (skill !== null && skill.low > 0) called++
    }
    expect(called / TRIALS).toBeLessThanOrEqual(0.05)
  })

  it('with skill is called so, and the interval holds the true skill', () => {
    const random = seededRandom(3)
    const p = Float64Array.from({ length: 4000 }, () => 0.1 + 0.8 * random())
    const y = p.map((chance) => (random() < chance ? 1 : 0))
    const { skill, ece } = calibrationIntervals({ p, y, medianResolution: 1, seed: 1, resamples: 500 })
    // Uniform confidence that is true: variance of p ÷ (¼).
    const truth = (0.8 * 0.8) / 12 / 0.25
    expect(skill!.low).toBeLessThan(truth)
    expect(skill!.high).toBeGreaterThan(truth)
    expect(skill!.low).toBeGreaterThan(0.1)
    expect(brierSkill(p, y)).toBeGreaterThan(skill!.low)
    expect(ece.low).toBeLessThan(0.03)
  })

  it('whose outcomes overlap has fewer of them', () => {
    const random = seededRandom(11)
    expect(effectiveCount(outcomes(5000, 1, random, 0.5))).toBeGreaterThan(3000)
    const shared = effectiveCount(outcomes(5000, 100, random, 0.5))
    expect(shared).toBeGreaterThan(20)
    expect(shared).toBeLessThan(130)
  })
})

it('the best of 200 strategies without skill has a deflated Sharpe ratio below 0.95 in 95 % of trials', () => {
  let called = 0
  let naive = 0
  for (let trial = 0; trial < TRIALS; trial++) {
    const random = seededRandom(400 + trial)
    const columns = Array.from({ length: 200 }, () => normals(120, random))
    const sharpes = columns.map((column) => mean(column) / deviation(column)!)
    const best = sharpes.indexOf(Math.max(...sharpes))
    const measured = { sharpe: sharpes[best], periods: 120, skewness: skewness(columns[best])!, kurtosis: kurtosis(columns[best])! }
    const spread = deviation(sharpes)!
    if (deflatedSharpe(measured, 200, spread * spread).probability >= 0.95) called++
    if (deflatedSharpe(measured, 1, 0).probability >= 0.95) naive++
  }
  expect(called / TRIALS).toBeLessThanOrEqual(0.05)
  // Without counting the trials nearly every best one would pass.
  expect(naive / TRIALS).toBeGreaterThan(0.9)
})

it('overfitting is likely where nobody has skill, and unlikely where one has', () => {
  const random = seededRandom(77)
  const noise = Array.from({ length: 20 }, () => normals(320, random))
  expect(probabilityOfOverfitting(noise)!.probability).toBeGreaterThan(0.25)
  const skilled = [...noise.slice(1), noise[0].map((value) => value + 0.5)]
  expect(probabilityOfOverfitting(skilled)!.probability).toBeLessThan(0.02)
})
