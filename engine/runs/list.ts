import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { kindOf } from '../server/run-list.ts'
import { recordsIn, type RunRecord } from '../session/live-directory.ts'
import { standingOf } from './subject.ts'

/** A run as a list shows it. Fractions; drawdowns ≤ 0; null where its record does not tell. */
export interface ListedRun {
  readonly run: string
  readonly directory: string
  readonly kind: string
  readonly state: string
  readonly scenario: string | null
  readonly symbols: readonly string[]
  readonly timeframe: string | null
  /** First and last UTC day of its equity. */
  readonly from: string | null
  readonly to: string | null
  readonly netReturn: number | null
  readonly trades: number | null
  readonly maxDrawdown: number | null
  readonly startedAt: string | null
  /** Comparisons only: cells that are there. */
  readonly cells: number | null
}

/** Runs and comparisons below `out`, newest first; `broken` is told of those whose record cannot be read. */
export const listRuns = (out: string, broken: (path: string, error: unknown) => void): readonly ListedRun[] =>
  recordsIn(out, broken).filter(({ record }) => typeof record === 'object' && record !== null).map(({ path, record }) => listed(path, record))

function listed(path: string, record: RunRecord): ListedRun {
  const { scenario, figures, startedAt } = record as { readonly scenario?: Scenario; readonly figures?: Readonly<Record<string, unknown>>; readonly startedAt?: unknown }
  const [from, to] = daysIn(join(path, 'equity.csv'))
  return {
    run: basename(path), directory: path, kind: kindOf(record), state: standingOf(path, record),
    scenario: textOf(scenario?.name) ?? textOf(record['name']),
    symbols: Array.isArray(scenario?.symbols) ? scenario.symbols.filter((symbol) => typeof symbol === 'string') : [],
    timeframe: textOf(scenario?.timeframe),
    from, to,
    netReturn: numberOf(figures?.['totalReturn']), trades: numberOf(figures?.['trades']), maxDrawdown: numberOf(figures?.['maxDrawdown']),
    startedAt: textOf(startedAt),
    cells: record['kind'] === 'comparison' ? cellsOf(record).length : null,
  }
}

interface Scenario {
  readonly name?: unknown
  readonly symbols?: readonly unknown[]
  readonly timeframe?: unknown
}

const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null)
const numberOf = (value: unknown): number | null => (typeof value === 'number' && Number.isFinite(value) ? value : null)

export interface ListedCell {
  readonly id: string
  readonly name: string
}

/** A comparison's cells as its run.json names them; they are kept beside it, for every comparison that has them. */
export const cellsOf = ({ cells }: RunRecord): readonly ListedCell[] =>
  Array.isArray(cells) ? (cells as readonly Partial<ListedCell>[]).flatMap(({ id, name }) => (typeof id === 'string' ? [{ id, name: name ?? '' }] : [])) : []

const DAY = /^\d{4}-\d{2}-\d{2}/
/** More than one line of equity.csv takes. */
const LINE = 256

/** First and last day of equity.csv, from its ends alone: there may be thousands of runs. */
export function daysIn(file: string): readonly [string | null, string | null] {
  let handle: number
  try {
    handle = openSync(file, 'r')
  } catch {
    return [null, null]
  }
  try {
    const { size } = statSync(file)
    const buffer = Buffer.alloc(LINE)
    const text = (at: number): string => buffer.toString('utf8', 0, readSync(handle, buffer, 0, LINE, at))
    const first = DAY.exec(text(0).split('\n').at(1) ?? '')?.[0] ?? null
    const last = DAY.exec(text(Math.max(0, size - LINE)).trimEnd().split('\n').at(-1) ?? '')?.[0] ?? null
    return [first, last]
  } finally {
    closeSync(handle)
  }
}
