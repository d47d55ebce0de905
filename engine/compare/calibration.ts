import { baseRate, breakEvenRate, roundTripCosts, type Policy } from '../core/policy.ts'
import type { Costs } from '../core/matching.ts'
import { mean } from '../core/metrics.ts'
import { brierSkill, expectedCalibrationError, murphy, reliabilityBins, wilson } from '../core/statistics/calibration.ts'
import { calibrationIntervals } from '../core/statistics/calibration-intervals.ts'
import { meanInterval } from '../core/statistics/bootstrap.ts'
import { answeredBy, type OpinionLog } from './opinion-log.ts'
import type { CalibrationSummary, RefinementValue } from './comparison.ts'
import type { Outcomes } from './outcomes.ts'

const BINS = 10
/** Blocks of neighbouring outcomes below which there is no interval. */
const FEWEST_BLOCKS = 10
/** Resamples of a bootstrap, fewer where there are so many opinions that it would take minutes. */
const RESAMPLES = 2_000
const MOST_WORK = 20_000_000

const resamplesFor = (count: number): number => Math.max(200, Math.min(RESAMPLES, Math.floor(MOST_WORK / Math.max(1, count))))

interface Resolved {
  readonly p: Float64Array
  readonly y: Float64Array
  readonly otherwise: Float64Array
  readonly took: number[]
}

/** Confidences and labels of the opinions whose event is known. */
function resolvedOf(log: OpinionLog, outcomes: Outcomes): Resolved {
  const rows: number[] = []
  for (let at = 0; at < outcomes.length; at++) if (outcomes.came[at] >= 0) rows.push(at)
  return {
    p: Float64Array.from(rows, (at) => log.symbols[outcomes.symbol[at]].said[outcomes.place[at]].opinion.confidence),
    y: Float64Array.from(rows, (at) => outcomes.came[at]),
    otherwise: Float64Array.from(rows, (at) => outcomes.otherwise[at]),
    took: rows.map((at) => outcomes.took[at]),
  }
}

/** How far a provider's confidence was the share of events that came, over its own opinions. */
export function calibrationOf(log: OpinionLog, outcomes: Outcomes, policy: Policy, costs: Costs, candlesBetween: number, seed: number): CalibrationSummary {
  const { p, y, otherwise, took } = resolvedOf(log, outcomes)
  const resolved = p.length
  const median = resolved === 0 ? null : took.toSorted((a, b) => a - b)[Math.floor((resolved - 1) / 2)]
  const { stopLoss, takeProfit } = policy
  const rates = { walkRate: baseRate(stopLoss, takeProfit), breakEven: breakEvenRate(stopLoss, takeProfit, roundTripCosts(costs)) }
  const counts = { scored: outcomes.length, resolved, censored: outcomes.length - resolved, ambiguous: countDifferent(y, otherwise), medianResolution: median }
  if (resolved === 0) {
    return {
      ...counts, ...rates, effective: null, brier: null, brierInterval: null, skill: null, skillInterval: null, skillBounds: null, ece: null,
      reliability: null, resolution: null, uncertainty: null, baseRate: null, bins: [],
    }
  }
  // Blocks count opinions, a resolution counts candles.
  const overlap = Math.max(1, Math.ceil(median! / Math.max(1, candlesBetween)))
  const intervals = calibrationIntervals({ p, y, medianResolution: overlap, seed, resamples: resamplesFor(resolved) })
  // A bootstrap of a handful of blocks knows nothing of its own spread.
  const enough = resolved / intervals.meanBlock >= FEWEST_BLOCKS
  const { brier, reliability, resolution, uncertainty } = murphy(p, y, BINS)
  const skill = brierSkill(p, y)
  const other = counts.ambiguous === 0 ? null : brierSkill(p, otherwise)
  return {
    ...counts, ...rates, effective: intervals.effectiveCount, brier, brierInterval: enough ? intervals.brier : null, skill, skillInterval: enough ? intervals.skill : null,
    skillBounds: skill === null || other === null ? null : { low: Math.min(skill, other), high: Math.max(skill, other) },
    ece: expectedCalibrationError(p, y, BINS).mean, reliability, resolution, uncertainty, baseRate: mean(y),
    bins: binsOf(p, y, intervals),
  }
}

/**
 * Bins with intervals that are as wide as the wider of two: of the bootstrap, which knows that neighbours share outcomes, and Wilson's
 * for as many independent outcomes as the bin is worth, which knows that few equal ones prove little.
 */
function binsOf(p: Float64Array, y: Float64Array, { bins, effectiveCount }: ReturnType<typeof calibrationIntervals>): CalibrationSummary['bins'] {
  return reliabilityBins(p, y, BINS).flatMap((bin, index) => {
    if (bin.n === 0) return []
    const worth = Math.max(1, (bin.n * effectiveCount) / p.length)
    const [low, high] = wilson(bin.accuracy * worth, worth)
    const drawn = bins[index]
    return [{ ...bin, low: Math.min(low, drawn?.low ?? low), high: Math.max(high, drawn?.high ?? high) }]
  })
}

const countDifferent = (a: Float64Array, b: Float64Array): number => a.reduce((count, value, index) => count + (value === b[index] ? 0 : 1), 0)

/** Whether asking twice was worth it: first and last turn scored on the same event, the one that the last turn foretold. */
export function refinementOf(log: OpinionLog, outcomes: Outcomes, seed: number): RefinementValue | null {
  let answered = 0
  let flipped = 0
  for (const { said } of log.symbols) {
    for (const one of said) {
      if (answeredBy(one) !== true || one.turns.length === 0) continue
      answered++
      if (one.initial.action !== one.opinion.action) flipped++
    }
  }
  if (answered === 0) return null
  const first: number[] = []
  const last: number[] = []
  for (let at = 0; at < outcomes.length; at++) {
    const one = log.symbols[outcomes.symbol[at]].said[outcomes.place[at]]
    if (outcomes.came[at] < 0 || one.turns.length === 0 || one.initial.action === 'HOLD') continue
    const came = outcomes.came[at]
    const p = one.initial.action === one.opinion.action ? one.initial.confidence : 1 - one.initial.confidence
    first.push((p - came) ** 2)
    last.push((one.opinion.confidence - came) ** 2)
  }
  const compared = first.length
  if (compared === 0) {
    return { answered, flipped, compared, brierFirst: null, brierLast: null, difference: null, interval: null, verdict: 'too few outcomes are known' }
  }
  const differences = first.map((value, index) => last[index] - value)
  const interval = compared < 30 ? null : meanInterval(differences, { seed, resamples: resamplesFor(compared) })
  const verdict = interval === null ? 'too few outcomes are known'
    : interval.high < 0 ? 'the last turn was better' : interval.low > 0 ? 'the first turn was better' : 'no significant difference'
  return { answered, flipped, compared, brierFirst: mean(first), brierLast: mean(last), difference: mean(differences), interval, verdict }
}
