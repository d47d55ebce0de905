import { dailyReturns, mean } from '../core/metrics.ts'
import { meanInterval } from '../core/statistics/bootstrap.ts'
import { pairedDifference } from '../core/statistics/paired.ts'
import type { Cell, Comparison, PairedRow, ThresholdCurve, Window } from './comparison.ts'
import type { KeptCell } from './kept.ts'

const SEED = 1
/** Against the best, as many as a reader looks at; the others are farther away. */
const MOST_AGAINST_BEST = 25

type Curve = Pick<Cell, 'firstDay' | 'dailyEquity'>

function pair(a: { readonly id: string; readonly curve: Curve }, b: { readonly id: string; readonly curve: Curve }, against: string): PairedRow {
  const [one, other] = sameDays(a.curve, b.curve)
  const { days, mean: difference, low, high, verdict } = pairedDifference(one, other, { seed: SEED })
  return { a: a.id, b: b.id, against, days, mean: difference, interval: low === null || high === null ? null : { low, high }, verdict }
}

/** Daily returns of the days that both curves have. */
export function sameDays(a: Curve, b: Curve): readonly [Float64Array, Float64Array] {
  const from = Math.max(a.firstDay, b.firstDay)
  const until = Math.min(a.firstDay + a.dailyEquity.length, b.firstDay + b.dailyEquity.length)
  const cut = ({ firstDay, dailyEquity }: Curve): Float64Array => dailyReturns(dailyEquity.slice(Math.max(0, from - firstDay), Math.max(0, until - firstDay)))
  return [cut(a), cut(b)]
}

/** Differences that a reader asks for: against the best, against holding, and between providers where all else is equal. */
export function pairsOf(window: Window, cells: readonly Cell[]): PairedRow[] {
  const curveOf = (cell: Cell): { id: string; curve: Curve } => ({ id: cell.id, curve: cell })
  const best = cells.find(({ id }) => id === window.best)
  const rows: PairedRow[] = []
  if (best !== undefined) {
    const others = cells.filter(({ id, baseline }) => id !== best.id && !baseline).toSorted((a, b) => b.netReturn - a.netReturn || (a.id < b.id ? -1 : 1))
    rows.push(pair(curveOf(best), { id: 'buy and hold', curve: window.buyAndHold }, 'buy-and-hold'))
    for (const other of others.slice(0, MOST_AGAINST_BEST)) rows.push(pair(curveOf(best), curveOf(other), 'best'))
  }
  for (const [at, a] of cells.entries()) {
    for (const b of cells.slice(at + 1)) {
      if (a.provider === b.provider || !equalBut('providers', a.labels, b.labels) || rows.some((row) => row.a === a.id && row.b === b.id)) continue
      rows.push(pair(curveOf(a), curveOf(b), a.baseline || b.baseline ? 'baseline' : 'provider'))
      if (rows.length > 400) return rows
    }
  }
  return rows
}

function equalBut(key: string, a: Cell['labels'], b: Cell['labels']): boolean {
  const keys = new Set([...Object.keys(a), ...Object.keys(b)])
  keys.delete(key)
  return [...keys].every((one) => a[one] === b[one])
}

/** Cells that differ in their threshold only, as curves. */
export function curvesOf(cells: readonly Cell[], kept: ReadonlyMap<string, KeptCell>): ThresholdCurve[] {
  const groups = new Map<string, Cell[]>()
  for (const cell of cells) {
    const rest = Object.entries(cell.labels).filter(([label]) => label !== 'minConfidence')
    const key = JSON.stringify([cell.scenario, cell.provider, rest])
    groups.set(key, [...(groups.get(key) ?? []), cell])
  }
  return [...groups.values()].filter((group) => new Set(group.map(({ policy }) => policy.minConfidence)).size > 1).map((group) => {
    const [{ scenario, provider, labels, calibration: { walkRate, breakEven } }] = group
    const rest = Object.entries(labels).filter(([label]) => label !== 'minConfidence' && label !== 'providers').map(([label, value]) => `${label} ${value}`)
    return {
      name: [provider, ...rest].join(' '), scenario, provider, baseRate: walkRate, breakEven,
      points: group.toSorted((a, b) => a.policy.minConfidence - b.policy.minConfidence).map(({ id, policy, coverage, figures }) => ({
        threshold: policy.minConfidence, cell: id, coverage, trades: figures.trades, expectancy: figures.expectancy, interval: kept.get(id)!.expectancyInterval,
      })),
    }
  })
}

/** Setups that ran on several scenarios: days that lie in more than one count once, with the mean of that day. */
export function acrossOf(cells: readonly Cell[]): Comparison['across'] {
  const groups = new Map<string, Cell[]>()
  for (const cell of cells) if (!cell.baseline) groups.set(cell.setup, [...(groups.get(cell.setup) ?? []), cell])
  return [...groups].filter(([, group]) => new Set(group.map(({ scenario }) => scenario)).size > 1).map(([setup, group]) => {
    const byDay = new Map<number, number[]>()
    for (const { firstDay, dailyEquity } of group) {
      for (const [index, value] of dailyReturns(dailyEquity).entries()) byDay.set(firstDay + 1 + index, [...(byDay.get(firstDay + 1 + index) ?? []), value])
    }
    const daily = [...byDay].sort(([a], [b]) => a - b).map(([, values]) => mean(values))
    const name = group[0].name.replace(`${group[0].scenario} `, '')
    return { setup, name, scenarios: group.length, days: daily.length, meanDaily: mean(daily), interval: daily.length < 60 ? null : meanInterval(daily, { seed: SEED }) }
  }).toSorted((a, b) => b.meanDaily - a.meanDaily || (a.setup < b.setup ? -1 : 1))
}

