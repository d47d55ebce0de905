import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Figures } from '../core/figures.ts'
import type { Baselines } from '../report/report-data.ts'
import { cellsOf, daysIn, type ListedCell } from './list.ts'
import { chosenSettings, type Setting } from './settings.ts'
import type { Subject } from './subject.ts'

export interface RunFile {
  readonly name: string
  readonly bytes: number
}

/** What a run's record and directory tell. */
export interface ShownRun {
  readonly run: string
  readonly directory: string
  readonly kind: string
  readonly state: string
  readonly scenario: string | null
  readonly quote: string
  readonly venue: string | null
  readonly startedAt: string | null
  readonly finishedAt: string | null
  readonly from: string | null
  readonly to: string | null
  readonly settings: readonly Setting[]
  /** Null while there are none, and for a comparison. */
  readonly figures: Figures | null
  readonly baselines: Partial<Baselines> | null
  readonly warnings: readonly string[]
  /** Comparisons only. */
  readonly cells: readonly ListedCell[] | null
  readonly files: readonly RunFile[]
}

export async function showRun(subject: Subject): Promise<ShownRun> {
  const { record, scenario, path } = subject
  const { venue, startedAt, finishedAt, figures, baselines, warnings } = record as {
    readonly venue?: { readonly name?: unknown }; readonly startedAt?: unknown; readonly finishedAt?: unknown
    readonly figures?: Figures; readonly baselines?: Baselines; readonly warnings?: readonly unknown[]
  }
  const text = (value: unknown): string | null => (typeof value === 'string' ? value : null)
  const [from, to] = daysIn(join(path, 'equity.csv'))
  return {
    run: subject.id, directory: path, kind: subject.kind, state: subject.state, scenario: scenario?.name ?? text(record['name']),
    quote: scenario?.symbols[0].split('/').at(1) ?? '', venue: text(venue?.name), startedAt: text(startedAt), finishedAt: text(finishedAt), from, to,
    settings: scenario === null ? [] : await chosenSettings(scenario),
    figures: figuresOf(figures), baselines: typeof baselines === 'object' ? baselines : null,
    warnings: Array.isArray(warnings) ? warnings.filter((warning) => typeof warning === 'string') : [],
    cells: subject.kind === 'comparison' ? cellsOf(record) : null,
    files: filesIn(path),
  }
}

/** A record's figures, where it has any. */
export const figuresOf = (figures: unknown): Figures | null =>
  (typeof figures === 'object' && figures !== null && typeof (figures as Figures).finalEquity === 'number'
    ? { ...(figures as Figures), undefinedBecause: (figures as Partial<Figures>).undefinedBecause ?? {} } : null)

/** Of a directory and all below it, in their order by name; links are not followed. */
export function filesIn(path: string, below = ''): RunFile[] {
  return readdirSync(join(path, below), { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1)).flatMap((entry) => {
    const name = below === '' ? entry.name : `${below}/${entry.name}`
    if (entry.isDirectory()) return filesIn(path, name)
    return entry.isFile() ? [{ name, bytes: statSync(join(path, name)).size }] : []
  })
}
