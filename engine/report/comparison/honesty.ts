import type { Cell, Window } from '../../compare/comparison.ts'
import { count, fixed, percent, plural } from '../format.ts'

/** A fact below the matrix: what it is about, and one sentence. `alert`: it speaks against believing the matrix. */
export interface Fact {
  readonly label: string
  readonly text: string
  readonly alert?: boolean
}

const YEAR = Math.sqrt(365)

function luck({ trials, effectiveTrials, expectedMaximumSharpe: sharpe }: Window): Fact[] {
  const independent = `${fixed(effectiveTrials, 1)} independent ${effectiveTrials === 1 ? 'one' : 'ones'}`
  return [
    { label: 'Trials', text: `${plural(trials, 'distinct trial')} on these candles so far, worth ${independent}.` },
    {
      label: 'Best Sharpe by luck',
      text: sharpe === null
        ? 'not told: too few trials or days.'
        : `${fixed(sharpe, 3)} a day (${fixed(sharpe * YEAR, 2)} a year) is what the best of so many trials without skill reaches.`,
    },
  ]
}

function deflated(best: Cell | undefined): Fact {
  const label = 'Deflated Sharpe'
  const stats = best?.sharpeStats
  if (!stats || (stats.deflatedRaw === null && stats.deflatedEffective === null)) return { label, text: 'not told: nothing traded for long enough.' }
  const { deflatedRaw: raw, deflatedEffective: effective } = stats
  return {
    label,
    alert: Math.min(raw ?? 1, effective ?? 1) < 0.95,
    text: `${percent(raw, 1)} by all trials, ${percent(effective, 1)} by independent ones: `
      + 'how probable it is that the best is better than luck (95 % convinces).',
  }
}

function overfitting({ overfitting: found }: Window): Fact {
  const label = 'Overfitting'
  if (found === null) return { label, text: 'not told: too few days or cells.' }
  const { probability, columns, left, blocks } = found
  return {
    label,
    alert: probability >= 0.5,
    text: `${percent(probability, 1)} probability that the best in one half of the days is below the middle in the other `
      + `(${plural(columns, 'cell')}, ${left === 0 ? 'none' : count(left)} left out without variance, ${count(blocks)} blocks).`,
  }
}

function realityCheck({ realityCheck: found }: Window): Fact {
  const label = 'Reality check'
  if (found === null) return { label, text: 'not told: too few days or cells.' }
  const verdict = found.p < 0.05 ? 'is more than luck explains' : 'is no more than luck explains'
  return {
    label,
    alert: found.p >= 0.05,
    text: `p = ${fixed(found.p, 4)} against ${found.against.replaceAll('-', ' ')}, over ${plural(found.columns, 'cell')}: the best ${verdict}.`,
  }
}

function trackRecord(best: Cell | undefined): Fact {
  const label = 'Track record'
  const stats = best?.sharpeStats
  if (!stats) return { label, text: 'not told: nothing traded for long enough.' }
  const { minimumTrackRecord: needed, periods } = stats
  if (needed === null) return { label, alert: true, text: 'no number of days would do: the Sharpe ratio of the best is not above 0.' }
  return { label, alert: needed > periods, text: `${plural(Math.ceil(needed), 'day')} needed to tell the best from 0, ${plural(periods, 'day')} there.` }
}

/** What luck and search explain of one window's results; the verdict first. */
export function honesty(window: Window, cells: readonly Cell[]): Fact[] {
  const best = cells.find(({ id }) => id === window.best)
  const years = window.minimumBacktestYears
  return [
    { label: 'Verdict', text: window.verdict },
    ...luck(window), deflated(best), overfitting(window), realityCheck(window), trackRecord(best),
    ...(years === null ? [] : [{
      label: 'Minimum backtest',
      text: `${fixed(years, 2)} years of candles, or the best of so many trials shows a yearly Sharpe ratio of 1 by luck.`,
    }]),
  ]
}
