import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { ChainedLog } from '../audit/chain.ts'
import { syncFolder, writeDurably } from '../audit/durable-file.ts'
import { messageOf, TapedeckError } from '../errors.ts'
import { ProcessLock } from './process-lock.ts'
import { makeFolder } from './run-directory.ts'

const RECORD = 'run.json'
const TRAIL = 'audit.jsonl'

/** What run.json holds. */
export type RunRecord = Readonly<Record<string, unknown>>

/**
 * The directory of a run that has to survive a crash: everything is written straight into its final place, nothing is
 * ever replaced or removed once something is recorded, and one process writes at a time. Every failure to write is TD_RUN_WRITE.
 */
export class LiveDirectory {
  readonly path: string
  readonly #trail: ChainedLog
  #abandoned = false
  #lock: ProcessLock | null

  private constructor(path: string, lock: ProcessLock) {
    this.path = path
    this.#lock = lock
    try {
      this.#trail = ChainedLog.open(join(path, TRAIL))
    } catch (error) {
      this.release()
      throw error
    }
  }

  /** Makes `<parent>/<run>/` and claims it. Throws TD_RUN_WRITE when it exists already. */
  static create(parent: string, run: string): LiveDirectory {
    const path = resolve(parent, run)
    guarded(path, () => {
      makeFolder(resolve(parent))
      mkdirSync(path)
      syncFolder(resolve(parent))
    })
    return new LiveDirectory(path, claimed(path))
  }

  /**
   * Claims a run's directory and opens its trail to go on with it. Throws TD_RUN_MISSING when there is none, TD_LOCKED
   * when another process has it, TD_TRAIL_BROKEN when its trail is damaged.
   */
  static resume(path: string): LiveDirectory {
    const whole = resolve(path)
    if (!existsSync(join(whole, RECORD))) throw missing(whole)
    return new LiveDirectory(whole, claimed(whole))
  }

  /** The living process that writes the run in `path`, or null. */
  static writer(path: string): number | null {
    return ProcessLock.holder(claimOf(path))
  }

  get trail(): ChainedLog {
    return this.#trail
  }

  /** Files that keep what a crash left of a last line, found at this start or at an earlier one. */
  tornEnds(): readonly string[] {
    return guarded(this.path, () => readdirSync(this.path)).filter((name) => /^audit\.torn-\d+\.txt$/.test(name))
      .map((name) => join(this.path, name))
  }

  /** Replaces run.json in one step, durably. */
  writeRun(document: object): void {
    this.write(RECORD, `${JSON.stringify(document, null, 2)}\n`)
  }

  readRun(): RunRecord {
    return readRun(this.path)
  }

  /** Replaces a file in one step, durably. */
  write(name: string, text: string): void {
    guarded(this.path, () => writeDurably(join(this.path, name), text))
  }

  /** The same for a text that is made piece by piece, so that a large table is never one string. */
  writePieces(name: string, pieces: Iterable<string>): void {
    guarded(this.path, () => writeDurably(join(this.path, name), pieces))
  }

  /** Takes the directory again after {@link release}; `create` and `resume` have taken it already. Throws TD_LOCKED. */
  claim(): void {
    this.#lock ??= claimed(this.path)
  }

  /** The run never reached its venue: what it began to write is no run, unless an exchange of its own has written beside it. */
  abandon(): void {
    this.#abandoned = !existsSync(join(this.path, 'exchange.jsonl'))
  }

  /** Removes the directory when nothing was recorded: a start that failed is no run. Close the trail before. */
  discardStump(): void {
    if (!this.#abandoned && (existsSync(join(this.path, RECORD)) || !isEmpty(this.path))) return
    guarded(this.path, () => { rmSync(this.path, { recursive: true, force: true }) })
  }

  /** Lets another process have the directory. Close the trail before. */
  release(): void {
    this.#lock?.release()
    this.#lock = null
  }
}

/** run.json of a run's directory. Throws TD_RUN_MISSING when there is none, TD_TRAIL_BROKEN when it is damaged. */
export function readRun(path: string): RunRecord {
  const file = join(path, RECORD)
  if (!existsSync(file)) throw missing(path)
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as RunRecord
  } catch (error) {
    throw new TapedeckError('TD_TRAIL_BROKEN', `${file}: cannot be read (${messageOf(error)}); restore the file`,
      { cause: error })
  }
}

/** What run.json calls the state of the run in `path`, and `crashed` where it says `running` and no process writes it. */
export function standingIn(path: string, { state }: RunRecord): string {
  if (typeof state !== 'string') return 'finished'
  return state === 'running' && LiveDirectory.writer(path) === null ? 'crashed' : state
}

/**
 * Runs below `parent` with what their run.json says, newest first by `startedAt`. Damaged ones are left out; `broken` is
 * told of them, and of one that is just being started. What a start left that failed before anything was recorded is
 * no run.
 */
export function recordsIn(
  parent: string, broken: (path: string, error: unknown) => void = () => {},
): { readonly path: string; readonly record: RunRecord }[] {
  if (!existsSync(parent)) return []
  const runs = readdirSync(parent).filter((name) => !name.startsWith('.')).flatMap((name) => {
    const path = resolve(parent, name)
    try {
      const record = readRun(path)
      const { startedAt } = record
      return [{ path, record, startedAt: typeof startedAt === 'string' ? startedAt : '' }]
    } catch (error) {
      if (existsSync(join(path, TRAIL)) && !isStump(path)) broken(path, error)
      return []
    }
  })
  runs.sort((a, b) => (a.startedAt < b.startedAt ? 1 : a.startedAt > b.startedAt ? -1 : a.path < b.path ? 1 : -1))
  return runs.map(({ path, record }) => ({ path, record }))
}

const isEmpty = (path: string): boolean => (statSync(join(path, TRAIL), { throwIfNoEntry: false })?.size ?? 0) === 0

const isStump = (path: string): boolean =>
  !existsSync(join(path, RECORD)) && isEmpty(path) && LiveDirectory.writer(path) === null

const claimOf = (path: string): string => join(path, 'writer')

function claimed(path: string): ProcessLock {
  const lock = guarded(path, () => ProcessLock.take(claimOf(path)))
  if (typeof lock !== 'number') return lock
  throw new TapedeckError('TD_LOCKED',
    `${path}: process ${lock} is writing this run; stop it, or wait until it has ended`)
}

const missing = (path: string): TapedeckError =>
  new TapedeckError('TD_RUN_MISSING', `${path}: not the directory of a run: it has no run.json`)

function guarded<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof TapedeckError) throw error
    throw new TapedeckError('TD_RUN_WRITE',
      `${path}: cannot write the run (${messageOf(error)}); free space or give another --out`, { cause: error })
  }
}
