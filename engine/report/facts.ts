import { EXIT_REASONS, type ExitReason } from '../core/order.ts'
import { change, count, percent, plural, utcMinute } from './format.ts'
import type { Baseline, BreakEven, Rehearsal, ReportData } from './report-data.ts'

/** Exit reasons in words. */
export const EXIT_LABELS: Readonly<Record<ExitReason, string>> = {
  signal: 'Signal', stop: 'Stop', stop_gap: 'Stop, gapped', target: 'Target', target_gap: 'Target, gapped',
  time: 'Time', trailing: 'Trailing stop', end: 'End of tape', operator: 'Operator', unprotected: 'Unprotected',
}

/** Quote won or lost by each exit reason. */
export function pnlByReason({ trades }: ReportData): ReadonlyMap<ExitReason, number> {
  const sums = new Map<ExitReason, number>()
  for (let row = 0; row < trades.length; row++) {
    const reason = EXIT_REASONS[trades.reason[row]]
    sums.set(reason, (sums.get(reason) ?? 0) + trades.pnl[row])
  }
  return sums
}

/** Most frequent first; equal counts by name, so that the order never depends on how they were counted. */
export const ranked = (counts: Readonly<Record<string, number>>): [string, number][] =>
  Object.entries(counts).filter(([, n]) => n > 0).sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))

/** The confidence threshold admits trades that lose money even when every confidence is right. */
export const belowBreakEven = ({ breakEven, minConfidence }: BreakEven): boolean =>
  breakEven !== null && minConfidence < breakEven

/** One sentence: what the threshold means against the break-even. */
export function breakEvenVerdict(line: BreakEven): string {
  if (line.breakEven === null) return 'No break-even: the policy has no stop or no target.'
  if (!belowBreakEven(line)) return 'The threshold is at or above break-even.'
  return 'The threshold is below break-even: a perfectly calibrated trader who acts at it loses money.'
}

/** How the random entries spread, in words, or null where nothing was drawn. */
export function randomSpread(random: Baseline): string | null {
  const parts: string[] = []
  if (random.low !== undefined && random.high !== undefined) {
    const draws = random.draws === undefined ? 'draws' : `${count(random.draws)} draws`
    parts.push(`90 % of ${draws} between ${change(random.low)} and ${change(random.high)}`)
  }
  if (random.beats !== undefined) parts.push(`the run beats ${percent(random.beats, 1)} of them`)
  return parts.length === 0 ? null : parts.join('; ')
}

/** Whole days between the first and the last open time. */
export const daysOf = (data: ReportData): number => Math.round((data.lastOpen - data.firstOpen) / 86_400_000)

/** How a rehearsal went: a name and a line each. */
export function rehearsalFacts({ faults, alarms, restarts, halts, requests }: Rehearsal): (readonly [string, string])[] {
  const least = requests.complete ? '' : 'at least '
  const total = alarms.reduce((sum, [, n]) => sum + n, 0)
  return [
    ['Requests', `${least}${count(requests.signed)} signed, ${least}${count(requests.public)} public, over HTTP to the practice exchange`],
    ['Faults asked for', faults.length === 0 ? 'none' : faults.join(', ')],
    ['Alarms', total === 0 ? 'none' : `${count(total)}: ${alarms.map(([kind, n]) => `${kind} ${count(n)}`).join(', ')}`],
    ['Restarts', restarts === 0 ? 'none' : plural(restarts, 'restart')],
    ['Halts', halts.length === 0 ? 'none' : halts.map(({ time, rule }) => `${utcMinute(time)} UTC (${rule})`).join(', ')],
  ]
}
