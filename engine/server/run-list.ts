import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'
import { recordsIn, standingIn, type RunRecord } from '../session/live-directory.ts'
import type { Now } from './ports.ts'
import { withoutPaths } from './rows.ts'

/** Every file is read for it, so that the answer is used for a while. */
const FRESH_MS = 3_000

interface Found {
  readonly path: string
  readonly record: RunRecord
}

/** Runs below a folder, newest first. */
export class RunList {
  readonly #out: string
  readonly #now: Now
  #found: readonly Found[] = []
  #readAt = -Infinity

  constructor(out: string, now: Now) {
    this.#out = out
    this.#now = now
  }

  rows(): object[] {
    return this.#all().map(({ path, record }) => {
      const { scenario, figures } = record as { readonly scenario?: Scenario; readonly figures?: Record<string, unknown> }
      return {
        run: basename(path),
        kind: kindOf(record),
        state: standingIn(path, record),
        scenario: scenario?.name ?? null,
        symbols: scenario?.symbols ?? [],
        timeframe: scenario?.timeframe ?? null,
        started_at: textOf(record['startedAt']),
        net_return: numberOf(figures?.['totalReturn']),
        trades: numberOf(figures?.['trades']),
        has_report: existsSync(join(path, 'report.html')),
      }
    })
  }

  /** The directory of one run, or null. Only ids that are listed are found, whatever the name looks like. */
  find(id: string): Found | null {
    return this.#all().find(({ path }) => basename(path) === id) ?? null
  }

  #all(): readonly Found[] {
    if (this.#now() - this.#readAt >= FRESH_MS) {
      this.#found = recordsIn(this.#out)
      this.#readAt = this.#now()
    }
    return this.#found
  }
}

interface Scenario {
  readonly name?: string
  readonly symbols?: readonly string[]
  readonly timeframe?: string
  readonly strategy?: unknown
  readonly policy?: unknown
  readonly providers?: readonly { readonly name?: string }[]
}

const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null)
const numberOf = (value: unknown): number | null => (typeof value === 'number' ? value : null)

export function kindOf({ kind, venue }: RunRecord): string {
  if (typeof kind === 'string') return kind
  return venue === undefined ? 'backtest' : 'live'
}

/** What run.json tells that is nobody's secret: no folders, no addresses, no options of plugins. */
const PUBLIC = [
  'run', 'state', 'scenarioSha256', 'seed', 'faults', 'startedAt', 'finishedAt', 'requests', 'audit', 'versions', 'figures',
  'baselines', 'exits', 'decisions', 'warnings',
] as const

export function publicRecord(record: RunRecord): object {
  const { scenario, venue } = record as { readonly scenario?: Scenario; readonly venue?: { readonly name?: string } }
  const { name = null, symbols = [], timeframe = null, strategy = null, policy = null, providers = [] } = scenario ?? {}
  const told = Object.fromEntries(PUBLIC.filter((key) => record[key] !== undefined).map((key) => [key, record[key]]))
  return cleaned({
    kind: kindOf(record), venue: venue?.name ?? null, ...told,
    scenario: { name, symbols, timeframe, strategy, policy, providers: providers.map((one) => one.name ?? null) },
  }) as object
}

/** The same without paths in any text. */
function cleaned(value: unknown): unknown {
  if (typeof value === 'string') return withoutPaths(value)
  if (Array.isArray(value)) return value.map(cleaned)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, cleaned(one)]))
}
