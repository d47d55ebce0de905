import type { Badge, Cell, Comparison, Interval, PairedRow, Window } from '../../compare/comparison.ts'
import { change, count, fixed, percent, plural, ratio, signed, UNDEFINED, usd } from '../format.ts'

/** A figure's column: its heading, and what stands in it. Every figure is worded here and nowhere else. */
export interface FigureColumn {
  readonly key: string
  readonly title: string
  /** The smaller, the longer it stays where there is little room. 0 always stays. */
  readonly rank: number
  readonly text: (cell: Cell) => string
}

/** `+1.20 % [-0.40, +2.90]` */
export const returnText = ({ netReturn, interval }: Pick<Cell, 'netReturn' | 'interval'>): string => `${change(netReturn)}${boundsText(interval)}`

const boundsText = (interval: Interval | null, scale = 100, digits = 2): string =>
  (interval === null ? '' : ` [${signed(interval.low * scale, digits)}, ${signed(interval.high * scale, digits)}]`)

const ambiguousText = ({ ambiguousCandles, bounds }: Cell): string =>
  (bounds === null ? count(ambiguousCandles) : `${count(ambiguousCandles)} (${signed(bounds.conservative * 100, 2)} … ${signed(bounds.optimistic * 100, 2)} %)`)

export const FIGURES: readonly FigureColumn[] = [
  { key: 'netReturn', title: 'Net return [95 %]', rank: 0, text: returnText },
  { key: 'trades', title: 'Trades', rank: 0, text: ({ figures }) => count(figures.trades) },
  { key: 'maxDrawdown', title: 'Max DD', rank: 1, text: ({ figures }) => percent(figures.maxDrawdown) },
  { key: 'sharpe', title: 'Sharpe', rank: 2, text: ({ figures }) => ratio(figures.sharpe) },
  { key: 'skill', title: 'Brier skill', rank: 3, text: ({ calibration }) => signed(calibration.skill, 3) },
  { key: 'coverage', title: 'Coverage', rank: 4, text: ({ coverage }) => percent(coverage, 0) },
  { key: 'answered', title: 'Answered', rank: 7, text: ({ answered }) => percent(answered, 0) },
  { key: 'aiCost', title: 'AI cost', rank: 5, text: ({ aiCost }) => usd(aiCost) },
  { key: 'latencyP95', title: 'p95', rank: 8, text: ({ latencyP95 }) => (latencyP95 === null ? UNDEFINED : `${count(latencyP95)} ms`) },
  { key: 'random', title: 'Beats random', rank: 6, text: ({ random }) => (random === null ? UNDEFINED : percent(random.percentile, 0)) },
  { key: 'ambiguous', title: 'Ambiguous', rank: 9, text: ambiguousText },
]

/** Marks beside words: nobody has to see colours. */
const MARKS: Readonly<Partial<Record<Badge['kind'], string>>> = { best: '★', significant: '✓', dubious: '?' }

export const badgeText = ({ kind }: Badge): string => (MARKS[kind] === undefined ? kind : `${MARKS[kind]} ${kind}`)
export const badgesText = ({ badges }: Cell): string => badges.map(badgeText).join(', ')

/** Rows that stand under the cells of a window. */
export function baselineRows({ buyAndHold, quote, startCash }: Window): readonly (readonly [string, string, string])[] {
  return [
    ['buy and hold', change(buyAndHold.totalReturn), `${buyAndHold.note}; max drawdown ${percent(buyAndHold.maxDrawdown)}`],
    ['flat', change(0), `no trade at all: ${fixed(startCash, 2)} ${quote} stay what they are`],
  ]
}

/** What the honest reader is told of a window, one sentence each. */
export function honestLines(window: Window, cells: readonly Cell[]): string[] {
  const best = cells.find(({ id }) => id === window.best)
  const stats = best?.sharpeStats ?? null
  const { trials, effectiveTrials, expectedMaximumSharpe, overfitting, realityCheck, minimumLengthYears } = window
  return [
    window.verdict,
    `${plural(trials, 'distinct trial')} ever made on these candles, worth about ${fixed(effectiveTrials, 1)} independent ones`
      + (expectedMaximumSharpe === null ? '' : `; the best of so many without skill is expected to show a Sharpe ratio of ${ratio(expectedMaximumSharpe)} a year`),
    ...(stats === null ? [] : [
      `Deflated Sharpe ratio of the best: ${ratio(stats.deflatedRaw)} with all trials, ${ratio(stats.deflatedEffective)} with the independent ones; from 0.95 on it counts`,
      stats.minimumTrackRecord === null ? 'Minimum track record: none, since its Sharpe ratio is not above 0'
        : `Minimum track record: ${plural(Math.ceil(stats.minimumTrackRecord), 'day')} to tell its Sharpe ratio from 0; there are ${count(stats.periods)}`,
    ]),
    ...(minimumLengthYears === null ? [] : [`Minimum backtest length for so many trials: ${fixed(minimumLengthYears, 1)} years`]),
    overfitting === null ? 'Probability of overfitting: not known, it needs two cells that differ and enough days'
      : `Probability of overfitting (PBO): ${ratio(overfitting.probability)} over ${plural(overfitting.columns, 'series', 'series')}`
        + `${overfitting.left > 0 ? `, ${overfitting.left} without variance left out` : ''}: how often the best of one half is below the middle of the other`,
    realityCheck === null ? 'Reality check: not known, it needs 60 days'
      : `Reality check against ${realityCheck.against}: p = ${fixed(realityCheck.p, 3)}; a difference as large as the best one's has this chance where nobody is better`,
  ]
}

const AGAINST: Readonly<Record<string, string>> = { best: 'against the best', 'buy-and-hold': 'against holding', baseline: 'against the rules', provider: 'between providers', sample: 'between samples' }

/** `a − b: +0.012 % a day [..]: no significant difference` */
export const pairText = ({ days, mean, interval, verdict }: PairedRow): string =>
  `${signed(mean * 100, 4)} % a day${boundsText(interval, 100, 4)} on ${plural(days, 'same day', 'same days')}: ${verdict}`

export const pairKind = ({ against }: PairedRow): string => AGAINST[against] ?? against

/** A cell's name by its id; baselines have names of their own. */
export const namesOf = ({ cells }: Comparison): ((id: string) => string) => {
  const names = new Map(cells.map(({ id, name }) => [id, name]))
  return (id) => names.get(id) ?? id
}

/** Axes that do not vary, said once. */
export const fixedAxes = ({ axes }: Comparison): string => axes.filter(({ values }) => values.length === 1).map(({ key, values }) => `${key} ${values[0]}`).join(', ')

/** One sentence of calibration per provider and pair; cells that differ in their threshold have it in common. */
export function calibrationLines(cells: readonly Cell[]): string[] {
  const lines = new Map<string, string>()
  for (const { provider, scenario, calibration: one, policy, refinement } of cells) {
    if (one.scored === 0) continue
    const key = JSON.stringify([provider, scenario, policy.stopLoss, policy.takeProfit, policy.maxHold])
    if (lines.has(key)) continue
    const skill = one.skill === null ? 'no skill to measure' : `Brier skill ${signed(one.skill, 3)}${boundsText(one.skillInterval, 1, 3)}`
    const turn = refinement === null ? '' : `; refinement flipped ${count(refinement.flipped)} of ${count(refinement.answered)}: ${refinement.verdict}`
    lines.set(key, `${provider} (stop ${percent(policy.stopLoss, 1)}, target ${percent(policy.takeProfit, 1)}): ${skill}, Brier ${fixed(one.brier, 4)}, ECE ${fixed(one.ece, 3)}; `
      + `${count(one.resolved)} of ${count(one.scored)} opinions resolved, worth about ${fixed(one.effective, 0)} independent ones, ${count(one.censored)} left open; `
      + `the event came in ${percent(one.baseRate, 1)}, a walk without skill reaches the target in ${percent(one.walkRate, 1)}, paying needs ${percent(one.breakEven, 1)}${turn}`)
  }
  return [...lines.values()]
}

/** Refusals of one cell that matter, dearest first. */
export const regretLines = ({ regret }: Cell): string[] =>
  regret.filter(({ resolved }) => resolved > 0).map(({ reason, side, count: n, resolved, unknown, mean, total, winRate }) =>
    `${reason} (${side}): ${plural(n, 'refusal')}, ${change(mean)} each on average, ${percent(winRate, 0)} would have won, ${change(total)} in sum of single bets`
    + `${unknown > 0 ? `; ${count(unknown)} of ${count(resolved + unknown)} not known` : ''}`)
