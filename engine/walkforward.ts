import { createHash } from 'node:crypto'
import { registry, type World } from './assemble.ts'
import { playVariants } from './compare-pass.ts'
import { readWindow } from './compare-window.ts'
import { FEWEST_DAYS, FEWEST_TRADES } from './compare/evaluate.ts'
import type { Interval } from './compare/comparison.ts'
import { choose, foldsOf, THIN_TRAINING, type Choice } from './compare/walk-forward.ts'
import { resolveScenario, type ResolvedScenario } from './config/resolve.ts'
import { blameFlags, loadScenario, type Override } from './config/scenario-file.ts'
import type { Settings } from './config/settings.ts'
import { computeFigures, dailyReturns, growth, sharpe } from './core/metrics.ts'
import { growthInterval } from './core/statistics/bootstrap.ts'
import { DAY_MS } from './core/time.ts'
import { timeframeMs } from './core/timeframe.ts'
import { TapedeckError } from './errors.ts'
import { measureLane } from './session/measures.ts'
import { laneOf } from './session/session.ts'

export interface WalkForwardRequest {
  readonly path: string
  readonly overrides: readonly Override[]
  readonly thresholds: readonly number[]
  /** Milliseconds. */
  readonly train: number
  readonly test: number
  readonly settings: Settings
}

export interface WalkForwardFold extends Choice {
  /** What the test window came to, continuously traded: equity at its end ÷ at its begin − 1, and trades entered in it. */
  readonly testReturn: number
  readonly testTrades: number
  /** The same window under the best fixed threshold of the whole tape, known only in hindsight. */
  readonly hindsightReturn: number
}

export interface WalkForward {
  readonly format: 1
  readonly id: string
  readonly scenario: ResolvedScenario
  readonly candles: string
  readonly thresholds: readonly number[]
  readonly trainDays: number
  readonly testDays: number
  readonly folds: readonly WalkForwardFold[]
  /** Mean return per day of the chosen thresholds: where they were chosen, and where they then traded. */
  readonly inSampleDaily: number
  readonly outOfSampleDaily: number
  /** Out of sample ÷ in sample; null where in sample was not above 0. */
  readonly efficiency: number | null
  /** Over all test windows, one after the other. */
  readonly outOfSample: {
    readonly netReturn: number
    readonly interval: Interval | null
    readonly tooShort: string | null
    readonly days: number
    readonly trades: number
    readonly sharpe: number | null
    readonly maxDrawdown: number
  }
  /** The same days: the scenario's own threshold, the best fixed one in hindsight, holding. */
  readonly beside: readonly { readonly name: string; readonly netReturn: number }[]
  readonly firstDay: number
  readonly dailyEquity: readonly number[]
  readonly verdict: string
  readonly warnings: readonly string[]
}

/**
 * Walk-forward: on each training window the threshold is chosen from trades that were resolved by its end; the next window trades
 * it, in one continuous run whose thresholds change at the windows' bounds. Before the first test window nothing is bought.
 */
export async function walkForward({ path, overrides, thresholds, train, test, settings }: WalkForwardRequest, world: World): Promise<WalkForward> {
  const changes = [...overrides, { path: 'audit', value: 'off', flag: '--audit' }]
  const resolution = await (async () => {
    try {
      const { input, ...rest } = loadScenario(path, changes)
      const { notify: _notify, shadow: _shadow, matrix: _matrix, ...own } = input
      const writtenExit = own.policy?.minExitConfidence !== undefined
      return { resolved: await resolveScenario({ ...rest, input: own }, settings, registry), writtenExit }
    } catch (error) {
      throw blameFlags(error, path, changes)
    }
  })()
  const { resolved: { scenario, folder }, writtenExit } = resolution
  const ms = timeframeMs(scenario.timeframe)
  const { window } = await readWindow(resolution.resolved, world)
  const from = Math.floor(window.firstOpen / DAY_MS) * DAY_MS
  const to = window.lastOpen + ms
  const folds = foldsOf(from, to, train, test)
  if (folds.length === 0) {
    throw new TapedeckError('TD_USAGE', `${path}: the tape has ${Math.floor((to - from) / DAY_MS)} days, too few to train on ${train / DAY_MS} and test afterwards; shorten --train`)
  }
  const exitOf = (threshold: number): number => (writtenExit ? scenario.policy.minExitConfidence : threshold)
  const request = { scenario, folder }
  const fixed = await playVariants(request, world, thresholds.map((minConfidence) => ({ policy: { ...scenario.policy, minConfidence, minExitConfidence: exitOf(minConfidence) } })))
  // Lanes that never parted are one, and can be measured once.
  const measured = new Map<unknown, ReturnType<typeof measureLane>>()
  const candidates = thresholds.map((threshold, variant) => {
    const lane = laneOf(fixed.session, variant)
    const opinions = fixed.session.opinions[fixed.session.opinions.length === 1 ? 0 : variant]
    const measures = measured.get(lane) ?? measureLane(lane, fixed.session, opinions, fixed.plan.chain.links)
    measured.set(lane, measures)
    return { threshold, trades: measures.trades, measures }
  })
  const choices = folds.map((fold) => choose(fold, candidates, scenario.policy.positionSize, ms, scenario.policy.minConfidence))
  const never = { ...scenario.policy, minConfidence: NEVER, minExitConfidence: exitOf(scenario.policy.minConfidence) }
  const steps = choices.map(({ trainTo, threshold }) => ({ from: trainTo, minConfidence: threshold, minExitConfidence: exitOf(threshold) }))
  const own = { policy: { ...never, minConfidence: NEVER }, thresholds: [{ from: folds[0].trainTo, minConfidence: scenario.policy.minConfidence, minExitConfidence: never.minExitConfidence }] }
  const walked = await playVariants(request, world, [{ policy: never, thresholds: steps }, own])
  const measuresOf = (variant: number): ReturnType<typeof measureLane> =>
    measureLane(laneOf(walked.session, variant), walked.session, walked.session.opinions[walked.session.opinions.length === 1 ? 0 : variant], walked.plan.chain.links)
  const [out, owned] = [measuresOf(0), measuresOf(1)]
  const inSample = candidates.toSorted((a, b) => b.measures.finalEquity - a.measures.finalEquity)[0]
  const first = Math.floor(folds[0].trainTo / DAY_MS)
  // The value at the end of the day before is what the first test day begins with.
  const slice = (curve: { readonly dailyEquity: ArrayLike<number>; readonly firstDay: number }): number[] => Array.from(curve.dailyEquity).slice(Math.max(0, first - curve.firstDay - 1))
  const equity = slice(out)
  const totalOf = (values: readonly number[]): number => values[values.length - 1] / values[0] - 1
  const rows = choices.map((choice): WalkForwardFold => ({
    ...choice, ...windowResult(out, choice), hindsightReturn: windowResult(inSample.measures, choice).testReturn,
  }))
  const returns = dailyReturns(equity)
  const trades = rows.reduce((sum, { testTrades }) => sum + testTrades, 0)
  const tooShort = returns.length < FEWEST_DAYS ? `${returns.length} days, an interval needs ${FEWEST_DAYS}`
    : trades < FEWEST_TRADES ? `${trades} trades, an interval needs ${FEWEST_TRADES}` : null
  const interval = tooShort === null ? growthInterval(returns, { seed: scenario.seed }) : null
  const inDays = rows.reduce((sum, { trainFrom, trainTo }) => sum + (trainTo - trainFrom) / DAY_MS, 0)
  const inSampleDaily = rows.reduce((sum, { trainReturn }) => sum + Math.log1p(trainReturn), 0) / inDays
  const outOfSampleDaily = Math.log1p(growth(returns) - 1) / Math.max(1, returns.length)
  const thin = rows.filter(({ trainTrades, undecided }) => undecided || trainTrades < THIN_TRAINING).length
  const figures = computeFigures(out)
  const id = createHash('sha256').update(JSON.stringify([scenario, window.candles, thresholds, train, test])).digest('hex').slice(0, 12)
  return {
    format: 1, id: `walkforward-${scenario.name}-${id}`, scenario, candles: window.candles, thresholds, trainDays: train / DAY_MS, testDays: test / DAY_MS, folds: rows,
    inSampleDaily, outOfSampleDaily, efficiency: inSampleDaily > 0 ? outOfSampleDaily / inSampleDaily : null,
    outOfSample: { netReturn: totalOf(equity), interval, tooShort, days: returns.length, trades, sharpe: sharpe(returns), maxDrawdown: figures.maxDrawdown },
    beside: [
      { name: `own threshold ${scenario.policy.minConfidence}`, netReturn: totalOf(slice(owned)) },
      { name: `${inSample.threshold}, the best fixed one in hindsight`, netReturn: totalOf(slice(inSample.measures)) },
      { name: 'buy and hold', netReturn: totalOf(slice(window.buyAndHold)) },
    ],
    firstDay: first - 1, dailyEquity: equity,
    verdict: verdictOf(interval, tooShort, totalOf(equity)),
    warnings: [...(thin === 0 ? [] : [`${thin} of ${rows.length} training windows had fewer than ${THIN_TRAINING} resolved trades: what they chose is mostly chance; lengthen --train`])],
  }
}

/** Confidence is at most 1, so that nothing is bought. */
const NEVER = 2

function windowResult(
  { dailyEquity, firstDay, startCash, trades }: ReturnType<typeof measureLane>, { trainTo, testTo }: Choice,
): { readonly testReturn: number; readonly testTrades: number } {
  const at = (time: number): number => {
    const index = Math.floor(time / DAY_MS) - 1 - firstDay
    return index < 0 ? startCash : dailyEquity[Math.min(index, dailyEquity.length - 1)]
  }
  let count = 0
  for (let row = 0; row < trades.length; row++) if (trades.entryTime[row] >= trainTo && trades.entryTime[row] < testTo) count++
  // A last window that ends inside a day counts that day.
  return { testReturn: at(Math.ceil(testTo / DAY_MS) * DAY_MS) / at(trainTo) - 1, testTrades: count }
}

function verdictOf(interval: Interval | null, tooShort: string | null, total: number): string {
  if (interval === null) return `Too short to tell: ${tooShort}.`
  if (interval.low > 0) return 'Out of sample the chosen thresholds gained; the interval excludes 0.'
  return interval.high < 0 ? 'Out of sample the chosen thresholds lost; the interval excludes 0.'
    : `No significant ${total >= 0 ? 'gain' : 'loss'} out of sample: the interval includes 0.`
}
