import { lstatSync, realpathSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { syncFolder } from '../audit/durable-file.ts'
import { messageOf, TapedeckError } from '../errors.ts'
import { readLiveRun } from '../positions.ts'
import { plural } from '../report/format.ts'
import { hint } from '../report/hint.ts'
import { LiveDirectory } from '../session/live-directory.ts'
import { ProcessLock } from '../session/process-lock.ts'
import { filesIn } from './show.ts'
import type { Subject } from './subject.ts'

export interface DeleteOptions {
  /** A person knows that positions at an exchange will belong to no run. */
  readonly forgetPositions: boolean
}

/** A run that may go, and what goes with it. */
export interface Doomed {
  readonly run: string
  readonly directory: string
  readonly kind: string
  readonly state: string
  readonly files: number
  readonly bytes: number
}

/**
 * Whether a run may be deleted, and what that takes away. Throws TD_USAGE for what is no run's own directory, TD_LOCKED
 * for one that a process is writing, TD_VENUE for one that holds something at an exchange.
 */
export function checkDeletable(subject: Subject, options: DeleteOptions): Doomed {
  const { path, id, kind, state, record } = subject
  const no = (why: string): TapedeckError => new TapedeckError('TD_USAGE', `${path}: ${why}; nothing is deleted`)
  if (kind === 'cell') throw no('a cell is part of its comparison; delete the comparison')
  if (!lstatSync(path).isDirectory()) throw no('it is a link, not the directory of a run')
  if (kind !== 'comparison' && record['run'] !== basename(path)) {
    throw no(`its run.json is of ${typeof record['run'] === 'string' ? record['run'] : 'no run'}, so that it is not a run's own directory; delete it by hand`)
  }
  if (kind === 'comparison' && !basename(path).startsWith('compare-')) throw no('a comparison is in a directory compare-…; delete it by hand')
  const whole = realpathSync(path)
  if (!relative(whole, realpathSync('.')).startsWith('..')) throw no('the working folder is inside it; go elsewhere first')
  const writer = LiveDirectory.writer(path)
  if (writer !== null) {
    throw new TapedeckError('TD_LOCKED', `${path}: process ${writer} runs it; stop it first (kill ${writer}); nothing is deleted`)
  }
  if (kind === 'comparison' && state === 'running' && !options.forgetPositions) {
    throw new TapedeckError('TD_LOCKED', `${path}: its record says that it is running; wait until it has ended, or give --forget-positions if nobody runs it any more; nothing is deleted`)
  }
  if (tradesForReal(subject) && !options.forgetPositions) refuseHolding(subject)
  const files = filesIn(path)
  return { run: id, directory: path, kind, state, files: files.length, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) }
}

/** Something outside this machine's files may hold what the run bought: not so on paper, or where the exchange ended with the run. */
function tradesForReal({ kind, record }: Subject): boolean {
  if (record['venue'] === undefined || kind === 'paper') return false
  return record['exchange'] !== 'own'
}

function refuseHolding({ path, record, id }: Subject): void {
  const advice = `; close it first (${hint(path, 'panic', id)}), or give --forget-positions if that is settled; nothing is deleted`
  let run: ReturnType<typeof readLiveRun>
  try {
    run = readLiveRun(path, record)
  } catch (error) {
    throw new TapedeckError('TD_VENUE', `${path}: what it holds at its exchange cannot be told (${messageOf(error)})${advice}`, { cause: error })
  }
  const held = run.positions.map(({ symbol }) => symbol)
  if (held.length > 0) throw new TapedeckError('TD_VENUE', `${path}: it holds ${held.join(', ')} at ${run.venue.name}${advice}`)
  if (run.entering.length > 0) {
    throw new TapedeckError('TD_VENUE', `${path}: an entry of ${run.entering.join(', ')} at ${run.venue.name} is under way${advice}`)
  }
}

/**
 * Takes a run's directory away in one step and then removes what was in it, so that no half of a run is left to be
 * found. Links inside are removed, never followed. Throws TD_RUN_WRITE, TD_LOCKED.
 */
export function deleteRun({ directory }: Doomed): void {
  // Whoever would go on with it from here on finds it taken.
  const lock = claim(directory)
  if (typeof lock === 'number') throw new TapedeckError('TD_LOCKED', `${directory}: process ${lock} runs it; nothing is deleted`)
  const gone = join(dirname(directory), `.${basename(directory)}.deleted-${process.pid}`)
  try {
    rmSync(gone, { recursive: true, force: true })
    renameSync(directory, gone)
    syncFolder(dirname(directory))
  } catch (error) {
    throw new TapedeckError('TD_RUN_WRITE', `${directory}: cannot be deleted (${messageOf(error)}); it is as it was`, { cause: error })
  } finally {
    lock.release()
  }
  try {
    rmSync(gone, { recursive: true, force: true })
  } catch (error) {
    throw new TapedeckError('TD_RUN_WRITE',
      `${directory}: it is no longer a run, but ${gone} is not empty yet (${messageOf(error)}); remove that folder by hand`, { cause: error })
  }
}

function claim(directory: string): ProcessLock | number {
  try {
    return ProcessLock.take(join(directory, 'writer'))
  } catch (error) {
    throw new TapedeckError('TD_RUN_WRITE', `${directory}: cannot be deleted (${messageOf(error)}); it is as it was`, { cause: error })
  }
}

/** `3 files, 1,234 bytes`. */
export const sizeText = ({ files, bytes }: Pick<Doomed, 'files' | 'bytes'>): string => `${plural(files, 'file')}, ${bytesText(bytes)}`

/** `1.2 MB`. */
export function bytesText(bytes: number): string {
  for (const [unit, size] of [['GB', 1e9], ['MB', 1e6], ['kB', 1e3]] as const) if (bytes >= size) return `${(bytes / size).toFixed(1)} ${unit}`
  return `${bytes} B`
}
