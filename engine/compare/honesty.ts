import { factsOf } from '../core/models.ts'
import { dailyReturns, deviation, mean } from '../core/metrics.ts'
import { blockLength } from '../core/statistics/bootstrap.ts'
import { kurtosis, skewness } from '../core/statistics/moments.ts'
import { probabilityOfOverfitting } from '../core/statistics/overfitting.ts'
import { realityCheck } from '../core/statistics/reality-check.ts'
import { deflatedSharpe, expectedMaximum, minimumLengthYears, minimumTrackRecord } from '../core/statistics/sharpe.ts'
import { effectiveTrials } from '../core/statistics/trials.ts'
import { DAY_MS } from '../core/time.ts'
import type { Badge, Cell, SharpeStats, Window } from './comparison.ts'
import type { KeptCell } from './kept.ts'
import type { Trial } from './ledger.ts'

/** A cell with its place in the comparison, before it is judged beside the others. */
export interface Placed {
  readonly kept: KeptCell
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly scenario: string
  readonly provider: string
  readonly setup: string
  readonly baseline: boolean
  /** Its key in the ledger. */
  readonly trial: string
  readonly folder: string | null
}

/** A window's candles as the comparison read them. */
export type ReadWindow = Pick<Window, 'scenario' | 'symbols' | 'timeframe' | 'candles' | 'firstOpen' | 'lastOpen' | 'quote' | 'startCash' | 'buyAndHold'>

/** Daily returns of the days that both have; equal folders of candles make equal days. */
const returnsOf = ({ dailyEquity }: { readonly dailyEquity: readonly number[] }): Float64Array => dailyReturns(dailyEquity)

const SEED = 1

/** Per-period Sharpe ratio with the moments that its distribution needs; null with too few returns, or when they do not vary. */
export function sharpeOf(returns: Float64Array): Omit<SharpeStats, 'deflatedRaw' | 'deflatedEffective'> | null {
  const std = deviation(returns)
  if (!std) return null
  const sharpe = mean(returns) / std
  const [third, fourth] = [skewness(returns), kurtosis(returns)]
  if (third === null || fourth === null) return null
  const stats = { sharpe, periods: returns.length, skewness: third, kurtosis: fourth }
  return { ...stats, minimumTrackRecord: minimumTrackRecord(stats, 0) }
}

/** Judges the cells of one window together: what the best of them proves, given everything that was ever tried on it. */
export function judgeWindow(read: ReadWindow, placed: readonly Placed[], trials: readonly Trial[]): { readonly window: Window; readonly cells: readonly Cell[] } {
  const candidates = placed.filter(({ baseline }) => !baseline)
  const columns = candidates.map(({ kept }) => returnsOf(kept))
  const stats = new Map(placed.map(({ kept }) => [kept.id, sharpeOf(returnsOf(kept))]))
  const sharpes = trials.map(({ sharpe }) => sharpe).filter((sharpe): sharpe is number => sharpe !== null)
  const spread = deviation(sharpes)
  const variance = spread === null ? 0 : spread * spread
  const here = effectiveTrials(distinct(columns))
  const strangers = trials.filter(({ trial }) => !candidates.some((one) => one.trial === trial)).length
  // Trials of other days cannot be laid beside these, so each of them counts as one of its own.
  const effective = Math.max(1, Math.min(trials.length, here + strangers))
  const deflated = (id: string, count: number): number | null => {
    const one = stats.get(id)
    return one === null || one === undefined ? null : deflatedSharpe(one, count, variance).probability
  }
  const overfitting = probabilityOfOverfitting(distinct(columns))
  const base = dailyReturns(read.buyAndHold.dailyEquity)
  const reality = checkAgainst(columns, base, overfitting?.left ?? 0)
  const ranked = candidates.filter(({ kept }) => kept.figures.trades > 0).toSorted((a, b) => b.kept.netReturn - a.kept.netReturn || (a.kept.id < b.kept.id ? -1 : 1))
  const best = ranked.at(0)?.kept ?? null
  const cells = placed.map((one): Cell => {
    const { kept } = one
    const sharpe = stats.get(kept.id) ?? null
    const sharpeStats = sharpe === null ? null : { ...sharpe, deflatedRaw: deflated(kept.id, trials.length), deflatedEffective: deflated(kept.id, effective) }
    const judged = { sharpeStats, best: best !== null && !one.baseline && kept.netReturn === best.netReturn && kept.figures.trades > 0, realityP: reality?.p ?? null, overfitting: overfitting?.probability ?? null }
    return cellOf(one, sharpeStats, badgesOf(one, judged))
  })
  const winner = cells.find(({ id }) => id === best?.id) ?? null
  const window: Window = {
    ...read, trials: trials.length, effectiveTrials: effective,
    expectedMaximumSharpe: trials.length < 2 ? null : expectedMaximum(trials.length, variance),
    overfitting: overfitting === null ? null : { probability: overfitting.probability, columns: distinct(columns).length - overfitting.left, left: overfitting.left, blocks: overfitting.blocks },
    realityCheck: reality,
    minimumBacktestYears: trials.length < 2 ? null : minimumLengthYears(trials.length, 1),
    best: best?.id ?? null, verdict: verdictOf(winner, trials.length, overfitting?.probability ?? null, reality?.p ?? null),
  }
  return { window, cells }
}

/** Columns that are the same day by day are one trial. */
function distinct(columns: readonly Float64Array[]): Float64Array[] {
  const seen = new Set<string>()
  return columns.filter((column) => {
    const key = Buffer.from(column.buffer, column.byteOffset, column.byteLength).toString('latin1')
    if (seen.has(key)) return false
    seen.add(key)
    return true
  })
}

/** White's reality check of all candidates against buying and holding the same candles. */
function checkAgainst(columns: readonly Float64Array[], base: Float64Array, left: number): Window['realityCheck'] {
  const usable = distinct(columns).filter((column) => column.length === base.length)
  if (usable.length === 0 || base.length < 60) return null
  const differences = usable.map((column) => column.map((value, day) => value - base[day]))
  const meanBlock = Math.max(...differences.slice(0, 50).map((one) => blockLength(one)))
  return { p: realityCheck(differences, { seed: SEED, meanBlock }).p, against: 'buy and hold', columns: usable.length - Math.min(left, 0) }
}

interface Judged {
  readonly sharpeStats: SharpeStats | null
  readonly best: boolean
  readonly realityP: number | null
  readonly overfitting: number | null
}

function badgesOf({ kept, provider, baseline }: Placed, { sharpeStats, best, realityP, overfitting }: Judged): Badge[] {
  const badges: Badge[] = []
  if (baseline) badges.push({ kind: 'baseline', why: 'the strategy\'s own rules, for comparison; no candidate' })
  if (best) badges.push({ kind: 'best', why: 'highest net return of the candidates on these candles; that alone proves nothing' })
  const cut = cutOff(kept, provider)
  if (cut !== null) badges.push(cut)
  if (kept.tooShort !== null) badges.push({ kind: 'too short', why: kept.tooShort })
  const doubts = doubtsAbout(kept, best ? overfitting : null)
  if (doubts.length > 0) badges.push({ kind: 'dubious', why: doubts.join('; ') })
  const deflated = sharpeStats?.deflatedRaw ?? null
  const clean = cut === null || cut.kind === 'after cut-off'
  if (!baseline && clean && kept.interval !== null && kept.interval.low > 0 && deflated !== null && deflated >= 0.95 && realityP !== null && realityP <= 0.05 && doubts.length === 0) {
    badges.push({ kind: 'significant', why: `interval above 0, deflated Sharpe ratio ${deflated.toFixed(3)}, reality check p = ${realityP.toFixed(3)}` })
  }
  return badges
}

/** What a model may remember of the candles it was asked about. */
function cutOff({ model, firstDay, dailyEquity, scenario }: KeptCell, provider: string): Badge | null {
  if (provider === 'technical') return null
  if (provider === 'simulated') return { kind: 'simulated', why: 'a simulated analyst answered; it says nothing about any real service' }
  const blind = scenario.ai?.blind === true ? '; questions were blind' : ''
  const facts = factsOf(model ?? undefined)
  if (facts === null || facts.cutoff === null) return { kind: 'cut-off unknown', why: `it is not published what ${model ?? provider} has seen${blind}` }
  const cutDay = Math.floor(Date.parse(facts.cutoff) / DAY_MS)
  const lastDay = firstDay + dailyEquity.length - 1
  const source = `${model} knows the world up to ${facts.cutoff} (${facts.source})${blind}`
  if (firstDay > cutDay) return { kind: 'after cut-off', why: source }
  const atCut = dailyEquity[Math.min(dailyEquity.length - 1, Math.max(0, cutDay - firstDay))]
  const gained = (to: number, from: number): string => `${((to / from - 1) * 100).toFixed(2)} %`
  const split = `${gained(atCut, dailyEquity[0])} up to then, ${gained(dailyEquity[dailyEquity.length - 1], atCut)} afterwards`
  return lastDay <= cutDay ? { kind: 'before cut-off', why: `${source}: it may remember these candles` } : { kind: 'spans cut-off', why: `${source}: it may remember the earlier candles (${split})` }
}

function doubtsAbout({ warnings, bounds, netReturn, answered }: KeptCell, overfitting: number | null): string[] {
  return [
    ...warnings,
    ...(bounds !== null && Math.sign(bounds.conservative) !== Math.sign(bounds.optimistic) && netReturn !== 0
      ? ['whether it gained depends on what came first inside ambiguous candles'] : []),
    ...(answered !== null && answered < 0.9 ? [`only ${Math.round(answered * 100)} % of the questions were answered; the rest is HOLD`] : []),
    ...(overfitting !== null && overfitting > 0.5 ? [`probability of overfitting ${overfitting.toFixed(2)}: the best of the past was more often below the middle afterwards`] : []),
  ]
}

function verdictOf(best: Cell | null, trials: number, overfitting: number | null, reality: number | null): string {
  if (best === null) return 'No candidate traded.'
  if (best.badges.some(({ kind }) => kind === 'significant')) return `${best.name} stands out beyond what the best of ${trials} trials reaches by luck.`
  const deflated = best.sharpeStats?.deflatedRaw ?? null
  const reasons = [
    ...(best.tooShort === null ? [] : [`too short (${best.tooShort})`]),
    ...(best.interval !== null && best.interval.low <= 0 ? ['the interval of its return includes 0'] : []),
    ...(deflated !== null && deflated < 0.95 ? [`deflated Sharpe ratio ${deflated.toFixed(2)} after ${trials} trials`] : []),
    ...(reality !== null && reality > 0.05 ? [`reality check p = ${reality.toFixed(2)} against buy and hold`] : []),
    ...(overfitting !== null && overfitting > 0.5 ? [`probability of overfitting ${overfitting.toFixed(2)}`] : []),
    ...best.badges.filter(({ kind }) => kind === 'before cut-off' || kind === 'spans cut-off' || kind === 'cut-off unknown' || kind === 'simulated').map(({ why }) => why),
  ]
  return `No significant difference: ${best.name} is best${reasons.length === 0 ? '' : `, but ${reasons.join('; ')}`}.`
}

function cellOf({ kept, name, labels, scenario, provider, setup, baseline, folder }: Placed, sharpeStats: SharpeStats | null, badges: readonly Badge[]): Cell {
  const {
    id, pass, model, netReturn, interval, tooShort, figures, exits, decisions, calibration, refinement, answered, coverage, aiCost, latencyP95,
    ambiguousCandles, bounds, random, regret, warnings, firstDay, dailyEquity, scenario: { policy },
  } = kept
  return {
    id, pass, name, labels, scenario, provider, model, policy, setup, baseline, netReturn, interval, tooShort, figures, exits, decisions, calibration,
    refinement, answered, coverage, aiCost, latencyP95, ambiguousCandles, bounds, random, sharpeStats, regret, badges, warnings, firstDay, dailyEquity, folder,
  }
}
