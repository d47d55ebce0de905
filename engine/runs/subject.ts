import { existsSync, readFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import type { ResolvedScenario } from '../config/resolve.ts'
import { messageOf, TapedeckError } from '../errors.ts'
import { kindOf } from '../server/run-list.ts'
import { readRun, standingIn, type RunRecord } from '../session/live-directory.ts'

/** What a person asks about: a run, or one cell of a comparison. */
export interface Subject {
  readonly id: string
  readonly path: string
  /** backtest, rehearsal, paper, live, comparison, or cell. */
  readonly kind: string
  /** finished, running, stopped, interrupted, crashed. */
  readonly state: string
  /** run.json or cell.json. */
  readonly record: RunRecord
  /** As it was resolved then; null where the record does not tell it. */
  readonly scenario: ResolvedScenario | null
  /** Where the scenario's relative paths begin, seen from the directory; null where nobody noted it. */
  readonly folder: string | null
  /** The trail's path, whether or not there is one. */
  readonly trail: string
}

const CELL = 'cell.json'

export const isCell = (path: string): boolean => existsSync(join(path, CELL))

/** Reads a run's or a cell's directory. Throws TD_RUN_MISSING when it is neither, TD_TRAIL_BROKEN when it is damaged. */
export function readSubject(path: string): Subject {
  const record = isCell(path) && !existsSync(join(path, 'run.json')) ? readCell(path) : readRun(path)
  if (typeof record !== 'object' || record === null || Array.isArray(record)) {
    throw new TapedeckError('TD_TRAIL_BROKEN', `${path}: its record is no JSON object; restore the file`)
  }
  const cell = typeof record['cell'] === 'string' ? record['cell'] : null
  const { scenario, folder, run } = record
  return {
    id: cell ?? (typeof run === 'string' ? run : basename(resolve(path))),
    path: resolve(path),
    kind: cell === null ? kindOf(record) : 'cell',
    state: cell === null ? standingOf(path, record) : 'finished',
    record,
    scenario: isScenario(scenario) ? scenario : null,
    folder: typeof folder === 'string' ? folder : null,
    trail: join(path, 'audit.jsonl'),
  }
}

/** A comparison has no writer of its own that could be asked. */
export const standingOf = (path: string, record: RunRecord): string =>
  (record['kind'] === 'comparison' && typeof record['state'] === 'string' ? record['state'] : standingIn(path, record))

const isScenario = (value: unknown): value is ResolvedScenario => {
  if (typeof value !== 'object' || value === null) return false
  const { symbols, timeframe, market, strategy, providers, policy } = value as Readonly<Record<string, unknown>>
  return Array.isArray(symbols) && symbols.length > 0 && typeof timeframe === 'string' && typeof policy === 'object'
    && Array.isArray(providers) && typeof market === 'object' && typeof strategy === 'object'
}

function readCell(path: string): RunRecord {
  const file = join(path, CELL)
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as RunRecord
  } catch (error) {
    throw new TapedeckError('TD_TRAIL_BROKEN', `${file}: cannot be read (${messageOf(error)}); restore the file`, { cause: error })
  }
}

/** Where the scenario's relative paths begin: as noted, or else the first likely folder that holds the run's candle files. */
export function folderOf({ folder, record, path }: Subject): string {
  if (folder !== null) return resolve(path, folder)
  const files = Object.keys((record['data'] as { readonly files?: object } | null | undefined)?.files ?? {})
  const beside = resolve(path, '../..')
  const likely = ['.', 'scenarios', beside, join(beside, 'scenarios'), resolve(path, '..')]
  return resolve(likely.find((one) => files.every((file) => existsSync(resolve(one, file)))) ?? '.')
}
