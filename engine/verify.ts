import { join } from 'node:path'
import { verifyTrail, type RecordedTrail, type TrailCheck } from './audit/reader.ts'
import { TapedeckError } from './errors.ts'
import { readRun, type RunRecord } from './session/live-directory.ts'

/** What was found of a run's audit trail. */
export interface Verification extends Omit<TrailCheck, 'head'> {
  readonly run: string
  /** As run.json tells: running, stopped, finished or interrupted. */
  readonly state: string | null
  /** run.json says how the trail ended, so that lines missing at its end are noticed. */
  readonly endKnown: boolean
}

/**
 * Checks the audit trail of the run in `directory`, and that it is run.json's own and as long as run.json says. Throws
 * TD_RUN_MISSING when there is no run, or one without a trail.
 */
export function verifyRun(directory: string): Verification {
  const record = readRun(directory)
  const recorded = recordedTrail(record)
  const { head: _, run: told, ...check } = verifyTrail(join(directory, 'audit.jsonl'), recorded)
  const state = typeof record['state'] === 'string' ? record['state'] : null
  const run = typeof record['run'] === 'string' ? record['run'] : (told ?? '')
  const fault = check.firstFault ?? faultWith(check, { run, told, state, recorded })
  return { ...check, run, state, endKnown: recorded !== null, firstFault: fault, sound: fault === null }
}

/** What a trail that is sound in itself has not in common with its run.json. */
function faultWith(
  { lines, torn, ended }: Omit<TrailCheck, 'head' | 'run'>, { run, told, state, recorded }: {
    readonly run: string; readonly told: string | null; readonly state: string | null
    readonly recorded: RecordedTrail | null
  },
): TrailCheck['firstFault'] {
  if (told !== run) return { line: 1, what: `it is of run ${told ?? '(none)'}, but run.json is of ${run}` }
  const over = state === 'finished' || state === 'interrupted'
  if (!over && state !== 'stopped') return null
  if (torn !== null) return { line: lines + 1, what: `it is torn, although the run ${over ? 'has ended' : 'was stopped'}` }
  if (recorded !== null && lines > recorded.lines) {
    return { line: recorded.lines + 1, what: `it is one too many: run.json recorded ${recorded.lines} lines` }
  }
  // One that is stopped while it is still going through its own trail adds no line to it.
  if (!over || ended) return null
  return { line: lines + 1, what: 'the end of the session is missing, although the run has ended' }
}

function recordedTrail({ audit }: RunRecord): RecordedTrail | null {
  if (typeof audit !== 'object' || audit === null) return null
  const { lines, head } = audit as Readonly<Record<string, unknown>>
  return typeof lines === 'number' && typeof head === 'string' ? { lines, head } : null
}

/** What to tell of a trail in which `fault` was found, where something was to be proved with it. */
export const changed = (directory: string, { line, what }: NonNullable<Verification['firstFault']>): TapedeckError =>
  new TapedeckError('TD_REPLAY_DIFFERS',
    `${directory}: line ${line} of audit.jsonl: ${what}; a trail that was changed proves nothing`)
