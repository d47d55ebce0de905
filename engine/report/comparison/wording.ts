import type { CalibrationSummary, Comparison, Disagreement, Interval, PairedRow, RefinementValue, Regret, Window } from '../../compare/comparison.ts'
import { DAY_MS } from '../../core/time.ts'
import { change, count, fixed, percent, plural, signed, utcMinute } from '../format.ts'
import { bracket } from './columns.ts'
import { axesOf, shortName } from './rows.ts'

/** What was compared: `BTC/USDT · 4h · 2022-01-03 00:00 – 2022-07-21 20:00 UTC, 200 days`. */
export function windowText({ symbols, timeframe, firstOpen, lastOpen }: Window): string {
  const days = Math.round((lastOpen - firstOpen) / DAY_MS)
  return `${symbols.join(', ')} · ${timeframe} · ${utcMinute(firstOpen)} – ${utcMinute(lastOpen)} UTC, ${plural(days, 'day')}`
}

/** `+0.121 % a day [+0.061, +0.191] over 200 days: better`. */
export const pairText = ({ mean, interval, days, verdict }: PairedRow): string =>
  `${change(mean, 3)} a day ${interval === null ? '' : `${bracket(interval, 3)} `}over ${plural(days, 'day')}: ${verdict}`

/** A reason's name with its side: `confidence, entries`. */
export const regretName = ({ reason, side }: Regret): string => `${reason}, ${side === 'entry' ? 'entries' : 'exits'}`

/** What refusing for a reason cost or saved. */
export function regretText({ side, count: refused, resolved, unknown, mean, total, winRate }: Regret): string {
  const known = `${plural(refused, 'refusal')}, ${count(resolved)} with a known outcome${unknown > 0 ? ` (${count(unknown)} open or untold)` : ''}`
  if (mean === null || resolved === 0) return `${known}.`
  const what = side === 'entry' ? 'would have earned' : 'leaving would have saved'
  const verdict = total > 0 ? 'the rule cost money' : total < 0 ? 'the rule paid' : 'the rule made no difference'
  const won = winRate === null ? '' : `, ${percent(winRate, 0)} would have won`
  return `${known}; ${what} ${change(mean)} a bet, ${change(total)} of one bet’s stake in all${won}: ${verdict}.`
}

/** What became of each reason, the dearest first. */
export const byCost = (regret: readonly Regret[]): Regret[] =>
  regret.toSorted((a, b) => b.total - a.total || (a.reason < b.reason ? -1 : a.reason > b.reason ? 1 : 0))

const between = (interval: Interval | null, digits = 3): string =>
  interval === null ? '' : ` [${signed(interval.low, digits)}, ${signed(interval.high, digits)}]`

/** How well confidences told outcomes, in a sentence. */
export function calibrationText(summary: CalibrationSummary): string {
  const { scored, resolved, censored, effective, brier, skill, ece, baseRate, breakEven, ambiguous } = summary
  if (scored === 0) return 'no scored opinion of its own.'
  const worth = effective === null ? '' : ` (worth ${fixed(effective, 1)} independent ones)`
  const counted = `${plural(scored, 'opinion')}, ${count(resolved)} resolved${worth}, ${count(censored)} censored, ${count(ambiguous)} ambiguous`
  if (brier === null) return `${counted}; too few for a score.`
  const { brierInterval: spread, skillBounds } = summary
  const bounds = skillBounds === null
    ? '' : `, between ${signed(skillBounds.low, 3)} and ${signed(skillBounds.high, 3)} as ambiguous candles are read`
  return `${counted}; Brier ${fixed(brier, 4)}${spread === null ? '' : ` [${fixed(spread.low, 4)}, ${fixed(spread.high, 4)}]`}, `
    + `skill ${signed(skill, 3)}${between(summary.skillInterval)}${bounds}, ECE ${fixed(ece, 3)}; `
    + `the event came in ${percent(baseRate, 1)}, break-even ${percent(breakEven, 1)}.`
}

/** What asking again was worth. */
export function refinementText({ answered, flipped, compared, brierFirst, brierLast, difference, interval, verdict }: RefinementValue): string {
  const changed = `it changed its action in ${count(flipped)} of ${plural(answered, 'answer')}`
  if (difference === null) return `${changed}: ${verdict}.`
  return `${changed}; Brier ${fixed(brierFirst, 4)} at first, ${fixed(brierLast, 4)} at last over ${count(compared)} `
    + `(${signed(difference, 4)}${between(interval, 4)}): ${verdict}.`
}

export function disagreementText({ a, b, decisions, agreement, aRight, bRight }: Disagreement): string {
  if (agreement === null) return `${plural(decisions, 'decision')} in common, too few to tell.`
  const right = aRight === null || bRight === null
    ? '' : `; where they differ and the outcome is known, ${a} was right in ${percent(aRight, 1)} and ${b} in ${percent(bRight, 1)}`
  return `the same action in ${percent(agreement, 1)} of ${plural(decisions, 'decision')}${right}.`
}

/** One provider's own answers under one set of exits: cells that differ in the threshold alone share them. */
export interface ProviderFacts {
  readonly name: string
  readonly scenario: string
  readonly provider: string
  readonly calibration: CalibrationSummary
  readonly refinement: RefinementValue | null
}

/** Calibration and refinement per scenario and provider, and per set of exits where these differ. */
export function providerFacts(comparison: Comparison): ProviderFacts[] {
  const varying = axesOf(comparison).varying.filter((key) => key.split('.').at(-1) !== 'minConfidence')
  const found = new Map<string, ProviderFacts>()
  for (const cell of comparison.cells) {
    if (cell.calibration.scored === 0) continue
    const { scenario, provider, calibration, refinement } = cell
    const key = JSON.stringify([scenario, provider, calibration, refinement])
    if (!found.has(key)) found.set(key, { name: shortName({ ...cell, name: provider }, varying), scenario, provider, calibration, refinement })
  }
  return [...found.values()]
}

/** A setup over several scenarios. */
export const acrossText = ({ scenarios, days, meanDaily, interval }: Comparison['across'][number]): string =>
  `${change(meanDaily, 3)} a day ${interval === null ? '(too short)' : bracket(interval, 3)} over ${plural(scenarios, 'scenario')}, ${plural(days, 'day')}`

