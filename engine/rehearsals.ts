import { basename } from 'node:path'
import { scenarioHash } from './backtest.ts'
import type { ResolvedScenario } from './config/resolve.ts'
import { isoTime } from './core/time.ts'
import { TapedeckError } from './errors.ts'
import { isUnfinished } from './positions.ts'
import { recordsIn, type RunRecord } from './session/live-directory.ts'

/** A run's id and directory. */
export interface FoundRun {
  readonly run: string
  readonly path: string
}

/** Differences that a message names before it stops counting them. */
const NAMED = 3
/** Numbers from here on are moments: no price or count comes near. */
const FIRST_MOMENT = Date.UTC(2000, 0, 1)

/**
 * The newest rehearsal of the scenario in `out` that was stopped or killed. Throws TD_RUN_MISSING, naming what differs
 * when there is one of another scenario of that name.
 */
export function newestRehearsal(scenario: ResolvedScenario, out: string): FoundRun {
  const hash = scenarioHash(scenario)
  const ofName = recordsIn(out).filter(({ record }) =>
    record['kind'] === 'rehearsal' && isUnfinished({ state: String(record['state']) }) && nameOf(record) === scenario.name)
  const found = ofName.find(({ record }) => record['scenarioSha256'] === hash)
  if (found !== undefined) return { run: basename(found.path), path: found.path }
  if (ofName.length === 0) {
    throw new TapedeckError('TD_RUN_MISSING',
      `${out}: no rehearsal of ${scenario.name} that was stopped or killed; leave --resume out to start one`)
  }
  const [{ path, record }] = ofName
  const all = differences(record['scenario'], scenario)
  const more = all.length > NAMED ? ` and ${all.length - NAMED} more` : ''
  throw new TapedeckError('TD_RUN_MISSING',
    `${out}: ${basename(path)} could be gone on with, but its scenario differs: ${all.slice(0, NAMED).join('; ')}${more}; `
    + 'give the same --from, --to, --set and settings as at its start, or leave --resume out to start another')
}

const nameOf = ({ scenario }: RunRecord): unknown => (scenario as { readonly name?: unknown } | undefined)?.name

const isBranch = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** `policy.stopLoss was 0.05 and is 0.02 now`, for each key that differs. */
function differences(then: unknown, now: unknown, path = ''): string[] {
  if (isBranch(then) && isBranch(now)) {
    const keys = new Set([...Object.keys(then), ...Object.keys(now)])
    return [...keys].flatMap((key) => differences(then[key], now[key], path === '' ? key : `${path}.${key}`))
  }
  return JSON.stringify(then) === JSON.stringify(now) ? [] : [`${path} was ${shown(then)} and is ${shown(now)} now`]
}

function shown(value: unknown): string {
  if (value === undefined || value === null) return 'not set'
  return typeof value === 'number' && value >= FIRST_MOMENT ? isoTime(value) : JSON.stringify(value)
}
