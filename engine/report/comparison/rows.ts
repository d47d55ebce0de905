import type { Cell, Comparison, Window } from '../../compare/comparison.ts'
import { change, count, percent } from '../format.ts'
import { bracket } from './columns.ts'

/** The cells of one stretch of candles, in the order in which they were made. */
export interface Group {
  readonly scenario: string
  /** null: nothing is known of its candles. */
  readonly window: Window | null
  readonly cells: readonly Cell[]
}

/** Windows in their order; then scenarios that have cells but no window, so that no cell is ever lost. */
export function groupsOf({ windows, cells }: Comparison): Group[] {
  const scenarios = new Set([...windows.map(({ scenario }) => scenario), ...cells.map(({ scenario }) => scenario)])
  return [...scenarios].map((scenario) => ({
    scenario,
    window: windows.find((window) => window.scenario === scenario) ?? null,
    cells: cells.filter((cell) => cell.scenario === scenario),
  }))
}

/** Keys of the axes by which cells of one group differ, and what all cells have in common, `key value`. */
export function axesOf({ axes, cells }: Comparison): { readonly varying: readonly string[]; readonly common: readonly string[] } {
  const own = axes.filter(({ key }) => key !== 'scenario')
  const valuesOf = (key: string): Set<string> => new Set(cells.flatMap(({ labels }) => labels[key] ?? []))
  return {
    varying: own.filter(({ key, values }) => values.length > 1 || valuesOf(key).size > 1).map(({ key }) => key),
    common: own.filter(({ key, values }) => values.length === 1 && valuesOf(key).size <= 1).map(({ key, values }) => `${axisName(key)} ${values[0]}`),
  }
}

/** `policy.stopLoss` → `stopLoss`: the block is clear from the word. */
export const axisName = (key: string): string => key.replace(/^(?:policy|strategy\.params)\./, '')

/** A cell by what sets it apart from the others of its group; its own name where nothing does. */
export function shortName(cell: Cell, varying: readonly string[]): string {
  const values = varying.flatMap((key) => cell.labels[key] ?? [])
  return values.length === 0 ? cell.name : values.join(' · ')
}

/** Names of cells by id, with the scenario where there are several; what is no cell keeps its own words. */
export function namesOf(comparison: Comparison): (id: string) => string {
  const { varying } = axesOf(comparison)
  const several = groupsOf(comparison).length > 1
  const names = new Map(comparison.cells.map((cell) => [cell.id, several ? `${cell.scenario} · ${shortName(cell, varying)}` : shortName(cell, varying)]))
  return (id) => names.get(id) ?? id.replaceAll('-', ' ')
}

/** What takes no skill, as lines of the matrix. */
export interface BaselineRow {
  readonly name: string
  readonly netReturn: number | null
  /** Spread of the draws, where there were any. */
  readonly interval: { readonly low: number; readonly high: number } | null
  readonly maxDrawdown: number | null
  readonly note: string
}

export function baselineRows({ window, cells }: Group, name: (id: string) => string): BaselineRow[] {
  if (window === null) return []
  const { buyAndHold, best } = window
  const rows: BaselineRow[] = [
    { name: 'Buy and hold', netReturn: buyAndHold.totalReturn, interval: null, maxDrawdown: buyAndHold.maxDrawdown, note: buyAndHold.note },
    { name: 'Flat', netReturn: 0, interval: null, maxDrawdown: 0, note: 'no trade at all' },
  ]
  const random = cells.find(({ id }) => id === best)?.random
  if (best === null || !random) return rows
  return [...rows, {
    name: 'Random entries', netReturn: random.median, interval: random, maxDrawdown: null,
    note: `median and 90 % of ${count(random.draws)} draws with the exits and number of trades of ${name(best)}, which beats ${percent(random.percentile, 1)} of them`,
  }]
}

/** A baseline's return: `-8.31 %`, with the spread of its draws where it has one. */
export const baselineReturn = ({ netReturn, interval }: BaselineRow): string => `${change(netReturn)}${interval ? ` ${bracket(interval)}` : ''}`
