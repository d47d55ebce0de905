import { describe, expect, it } from 'vitest'
import { mean } from '../../../../engine/core/metrics.ts'
import { brier, brierSkill, expectedCalibrationError, murphy, reliabilityBins, wilson } from '../../../../engine/core/statistics/calibration.ts'
import { isotonicFit, recalibrate } from '../../../../engine/core/statistics/isotonic.ts'
import { kurtosis, skewness } from '../../../../engine/core/statistics/moments.ts'
import { normalCdf, normalQuantile } from '../../../../engine/core/statistics/normal.ts'
import { probabilityOfOverfitting } from '../../../../engine/core/statistics/overfitting.ts'
import { realityCheck, resampledMaximum } from '../../../../engine/core/statistics/reality-check.ts'
import {
  deflatedSharpe, expectedMaximum, minimumLengthYears, minimumTrackRecord, probabilisticSharpe,
} from '../../../../engine/core/statistics/sharpe.ts'
import { effectiveTrials } from '../../../../engine/core/statistics/trials.ts'

describe('the normal distribution', () => {
  it('has the values of the tables, in the middle and far out', () => {
    expect(normalCdf(0)).toBe(0.5)
    expect(normalCdf(1.959963984540054)).toBeCloseTo(0.975, 15)
    expect(normalCdf(-1)).toBeCloseTo(0.15865525393145707, 15)
    expect(normalCdf(-6) / 9.865876450376946e-10).toBeCloseTo(1, 12)
    expect(normalCdf(6)).toBeCloseTo(1, 8)
    expect(normalQuantile(0.95)).toBeCloseTo(1.6448536269514722, 13)
    expect(normalQuantile(1e-9)).toBeCloseTo(-5.997807015007774, 10)
    expect([normalQuantile(0), normalQuantile(1)]).toEqual([-Infinity, Infinity])
    expect(normalQuantile(1.1)).toBeNaN()
  })

  it('meets itself where series and continued fraction meet', () => {
    for (const x of [-4.0001, -4, -3.9999, 3.9999, 4.0001]) expect(normalQuantile(normalCdf(x))).toBeCloseTo(x, 8)
  })
})

it('moments are those of a population, and null where nothing varies', () => {
  expect(skewness([1, 2, 3, 10])).toBeCloseTo(1.0182, 3)
  expect(kurtosis([1, 2, 3, 4])).toBeCloseTo(1.64, 10)
  expect([skewness([1, 1, 1]), kurtosis([2])]).toEqual([null, null])
})

describe('the Sharpe ratio of many trials', () => {
  it('expects so much of the best', () => {
    expect(expectedMaximum(100, 1)).toBeCloseTo(2.5306028932016846, 10)
    expect(expectedMaximum(10, 1)).toBeCloseTo(1.574598, 6)
    expect(expectedMaximum(45, 1)).toBeCloseTo(2.23564, 6)
    expect(expectedMaximum(1, 1)).toBe(0)
  })

  it('deflates', () => {
    const measured = { sharpe: 2.5 / Math.sqrt(250), periods: 1250, skewness: -3, kurtosis: 10 }
    const hundred = deflatedSharpe(measured, 100, 0.5 / 250)
    expect(hundred.benchmark).toBeCloseTo(0.113172, 6)
    expect(hundred.probability).toBeCloseTo(0.90039683, 7)
    expect(deflatedSharpe(measured, 46, 0.5 / 250).probability).toBeCloseTo(0.9505017, 6)
    expect(deflatedSharpe({ ...measured, skewness: 0, kurtosis: 3 }, 88, 0.5 / 250).probability).toBeCloseTo(0.9504908, 6)
  })

  it('is probable', () => {
    expect(probabilisticSharpe({ sharpe: 1.585 / Math.sqrt(12), periods: 24, skewness: -2.448, kurtosis: 10.164 })).toBeCloseTo(0.91323431, 7)
  })

  it('needs a track record', () => {
    const years = (periods: number): number => minimumTrackRecord({ sharpe: 2 / Math.sqrt(periods), skewness: 0, kurtosis: 3 }, 1 / Math.sqrt(periods))! / periods
    expect(years(250)).toBeCloseTo(2.7311878, 6)
    expect(years(52)).toBeCloseTo(2.8288336, 6)
    expect(years(12)).toBeCloseTo(3.2398007, 6)
    expect(minimumTrackRecord({ sharpe: 0.1, skewness: 0, kurtosis: 3 }, 0.1)).toBeNull()
    expect(minimumLengthYears(45, 1)).toBeCloseTo(4.998087, 6)
  })
})

const ROWS = [
  [12, 5, -3, 2], [-4, 7, 6, 1], [9, -8, 4, 3], [15, 2, -6, -2], [-7, 11, 3, 5], [6, -1, 8, -4],
  [-2, 4, -5, 7], [10, 3, 1, -6], [1, -9, 7, 4], [-3, 6, 2, 8], [5, 1, -4, -1], [8, -2, 9, 3],
]
const COLUMNS = [0, 1, 2, 3].map((column) => ROWS.map((row) => row[column] / 1000))

describe('the probability of overfitting', () => {
  it('is that of the worked example', () => {
    const four = probabilityOfOverfitting(COLUMNS, 4)!
    expect(four.probability).toBeCloseTo(1 / 3, 12)
    const expected = [1.386294, 0.405465, -1.386294, 0.405465, -1.386294, 1.386294]
    expect([...four.logits].map((value) => value.toFixed(5))).toEqual(expected.map((value) => value.toFixed(5)))
    const six = probabilityOfOverfitting(COLUMNS, 6)!
    expect(six.probability).toBeCloseTo(0.9, 12)
    expect(mean(six.logits)).toBeCloseTo(-0.765745, 5)
  })

  it('leaves out what does not vary, and says how many', () => {
    const flat = new Float64Array(12)
    const result = probabilityOfOverfitting([...COLUMNS, flat], 4)!
    expect([result.left, result.probability]).toEqual([1, probabilityOfOverfitting(COLUMNS, 4)!.probability])
    expect(probabilityOfOverfitting([COLUMNS[0], flat], 4)).toBeNull()
    expect(probabilityOfOverfitting(COLUMNS.map((column) => column.slice(0, 3)))).toBeNull()
  })
})

describe('the reality check', () => {
  const means = COLUMNS.map((column) => mean(column))

  it('has the statistics of the worked example', () => {
    expect(realityCheck(COLUMNS, { seed: 1, resamples: 10, meanBlock: 3 }).statistic).toBeCloseTo(0.014433757, 9)
    const of = (rows: number[]): number => resampledMaximum(COLUMNS, means, Int32Array.from(rows))
    expect(of([0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3])).toBeCloseTo(0.013279056, 9)
    expect(of([4, 5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7])).toBeCloseTo(0.009237604, 9)
    expect(of([8, 9, 10, 11, 8, 9, 10, 11, 0, 1, 2, 3])).toBeCloseTo(0.003464102, 9)
  })

  it('tells a steady advantage from none', () => {
    const steady = Array.from({ length: 200 }, (_, day) => 0.01 + 0.001 * Math.sin(day * 7))
    expect(realityCheck([steady], { seed: 1, resamples: 999 }).p).toBeCloseTo(1 / 1000, 12)
    const nothing = Array.from({ length: 200 }, (_, day) => 0.01 * Math.sin(day * 7) - 0.0001)
    expect(realityCheck([nothing], { seed: 1, resamples: 999 }).p).toBeGreaterThan(0.2)
  })
})

describe('calibration', () => {
  const p = [0.25, 0.25, 0.55, 0.75, 0.75]
  const y = [0, 0, 1, 1, 1]

  it('has the worked figures', () => {
    const { mean: l1, max } = expectedCalibrationError(p, y, 2)
    expect(l1).toBeCloseTo(0.29, 12)
    expect(max).toBeCloseTo(0.316666666, 8)
    const parts = murphy(p, y)
    expect(parts.brier).toBeCloseTo(0.0905, 12)
    expect(parts.reliability).toBeCloseTo(0.0905, 12)
    expect(parts.resolution).toBeCloseTo(0.24, 12)
    expect(parts.uncertainty).toBeCloseTo(0.24, 12)
    expect(parts.reliability - parts.resolution + parts.uncertainty).toBeCloseTo(parts.brier, 12)
    expect(brier([0.1, 0.9, 0.8, 0.3], [0, 1, 1, 0])).toBeCloseTo(0.0375, 12)
    expect(brierSkill(p, y)).toBeCloseTo(1 - 0.0905 / 0.24, 12)
    expect(brierSkill([0.5], [1])).toBeNull()
  })

  it('has Wilson\'s intervals', () => {
    const [low, high] = wilson(81, 263)
    expect([low.toFixed(5), high.toFixed(5)]).toEqual(['0.25529', '0.36621'])
    const [below, above] = wilson(8, 10)
    expect([below.toFixed(5), above.toFixed(5)]).toEqual(['0.49016', '0.94332'])
    expect(wilson(0, 0)).toEqual([0, 1])
  })

  it('puts a bound into the bin above it, and 1 into the last', () => {
    expect(reliabilityBins([0.1, 0.3, 0.7, 1], [0, 1, 1, 1], 10).map(({ n }) => n)).toEqual([0, 1, 0, 1, 0, 0, 0, 1, 0, 1])
  })
})

it('isotonic recalibration pools what falls', () => {
  const fit = isotonicFit([0.2, 0.4, 0.6, 0.8, 0.4], [0, 1, 0, 1, 1])
  expect([...fit.x]).toEqual([0.2, 0.4, 0.8])
  expect([...fit.y].map((value) => value.toFixed(4))).toEqual(['0.0000', '0.6667', '1.0000'])
  expect([0, 0.2, 0.3, 0.5, 0.79, 0.8, 1].map((one) => recalibrate(fit, one).toFixed(2))).toEqual(['0.00', '0.00', '0.00', '0.67', '0.67', '1.00', '1.00'])
  expect(recalibrate(isotonicFit([], []), 0.4)).toBe(0.4)
})

it('trials that move together count as few', () => {
  const a = [1, -1, 1, -1, 1, -1, 1, -1]
  const b = [1, 1, -1, -1, 1, 1, -1, -1]
  expect(effectiveTrials([a, b])).toBeCloseTo(2, 12)
  expect(effectiveTrials([a, a.map((one) => one * 3 + 1), b])).toBeCloseTo(9 / 5, 12)
  expect(effectiveTrials([a, a.map(() => 0.1)])).toBe(1)
  expect(effectiveTrials([])).toBe(0)
})
