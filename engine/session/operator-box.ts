import { existsSync, linkSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { syncFolder, writeDurably } from '../audit/durable-file.ts'
import { isoTime, type EpochMs } from '../core/time.ts'
import { messageOf, TapedeckError } from '../errors.ts'
import type { OperatorAct } from '../ports.ts'
import { makeFolder } from './run-directory.ts'

const HALTED = 'HALTED.json'
const FOLDER = 'operator'

const haltSchema = z.object({ time: z.number(), reason: z.string() })
/** What may be asked of a run; a halt has a file of its own, which is read before every order. */
const REQUESTS = ['close', 'leave', 'reduce', 'resume'] as const

const requestSchema = z.object({
  time: z.number(), act: z.enum(REQUESTS), symbol: z.string().nullable(), reason: z.string(),
})

/** From now on no order leaves the run in `path`, whoever runs it: on disk when this returns. Throws TD_RUN_WRITE. */
export function halt(path: string, reason: string, now: EpochMs): void {
  guarded(path, () => writeDurably(join(path, HALTED), document({ time: now, at: isoTime(now), reason })))
}

/** Why no order may leave the run, or null. Made to be asked before every order; what cannot be read halts as well. */
export function haltReason(path: string): string | null {
  return readHalt(path)?.reason ?? null
}

/** When the halt in {@link haltReason} was written, or what cannot be read appeared. */
export function haltOf(path: string): { readonly time: EpochMs; readonly reason: string } | null {
  return readHalt(path)
}

/** Lifts a halt durably and tells the run to start its limits afresh. Throws TD_RUN_WRITE. */
export function resume(path: string, reason: string, now: EpochMs): void {
  guarded(path, () => {
    // First the file: a run that saw the request beside it would take the halt for a newer one.
    rmSync(join(path, HALTED), { force: true })
    syncFolder(path)
  })
  request(path, 'resume', null, reason, now)
}

/**
 * Leaves a request for the run in directory `path`: on disk when this returns. `close` is done or refused at the next
 * wake-up; `leave` is a close that waits until no order of the symbol is under way. Throws TD_RUN_WRITE.
 */
export function request(
  path: string, act: (typeof REQUESTS)[number], symbol: string | null, reason: string, now: EpochMs,
): void {
  guarded(path, () => {
    const folder = join(path, FOLDER)
    // What is not there has nobody who would read the request.
    statSync(path)
    makeFolder(folder)
    syncFolder(path)
    const own = join(folder, `${now}.${process.pid}.tmp`)
    try {
      writeFileSync(own, document({ time: now, at: isoTime(now), act, symbol, reason }), { flush: true })
      let number = 1
      while (!appear(own, join(folder, `${now}-${number}.json`))) number++
    } finally {
      rmSync(own, { force: true })
    }
    syncFolder(folder)
  })
}

/** Whether a person has resumed the run and it has not taken note yet, since no process runs it or has not woken up. */
export function resumePending(path: string): boolean {
  return requestsIn(join(path, FOLDER)).some(({ file }) => readRequest(file)?.act === 'resume')
}

/** Symbols that the run is still to leave as soon as it can. */
export const leavePending = (path: string): ReadonlySet<string | null> =>
  new Set(requestsIn(join(path, FOLDER)).flatMap(({ file }) => {
    const read = readRequest(file)
    return read?.act === 'leave' ? [read.symbol] : []
  }))

/** What people tell the run in one directory, as the run reads it. Remembers which halt it has told. */
export class OperatorBox {
  readonly #path: string
  #told: string | null = null

  constructor(path: string) {
    this.#path = path
  }

  /** Why no order may leave, or null. */
  haltReason(): string | null {
    return haltReason(this.#path)
  }

  /**
   * Requests in order, each gone from the folder once the next thing is asked for: until then it may not be in the trail,
   * and a process that is killed finds it again. A halt in force comes last, once. A request that cannot be read is kept
   * as `*.unreadable`. A `leave` comes as a close, once its symbol is not `busy`. Throws TD_RUN_WRITE when a request
   * cannot be taken away.
   */
  *acts(busy: (symbol: string) => boolean = () => false): Generator<OperatorAct, void, undefined> {
    const folder = join(this.#path, FOLDER)
    for (const { file } of guarded(this.#path, () => requestsIn(folder))) {
      const read = readRequest(file)
      if (read === null) {
        guarded(this.#path, () => renameSync(file, `${file}.unreadable`))
        continue
      }
      if (read.act === 'leave' && read.symbol !== null && busy(read.symbol)) continue
      // A halt that is still there after somebody resumed is a newer one, even if it says the same.
      if (read.act === 'resume') this.#told = null
      try {
        yield { kind: 'operator', ...read, act: read.act === 'leave' ? 'close' : read.act }
      } finally {
        guarded(this.#path, () => {
          rmSync(file, { force: true })
          syncFolder(folder)
        })
      }
    }
    const halt = readHalt(this.#path)
    if (halt === null) this.#told = null
    else if (halt.text !== this.#told) {
      this.#told = halt.text
      yield { kind: 'operator', time: halt.time, act: 'halt', symbol: null, reason: halt.reason }
    }
  }
}

/** Files of requests in the order in which they were made. */
function requestsIn(folder: string): readonly { readonly file: string }[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder).flatMap((name) => {
    const parts = /^(-?\d+)-(\d+)\.json$/.exec(name)
    return parts === null ? [] : [{ file: join(folder, name), time: Number(parts[1]), number: Number(parts[2]) }]
  }).sort((a, b) => a.time - b.time || a.number - b.number)
}

interface Halt {
  /** The file's content, which tells one halt from another. */
  readonly text: string
  readonly time: EpochMs
  readonly reason: string
}

function readHalt(path: string): Halt | null {
  const file = join(path, HALTED)
  let time = 0
  try {
    const found = statSync(file, { throwIfNoEntry: false })
    if (found === undefined) return null
    time = Math.round(found.mtimeMs)
    const text = readFileSync(file, 'utf8')
    return { text, ...haltSchema.parse(JSON.parse(text)) }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT') return null
    const why = `${HALTED} cannot be read (${code ?? 'damaged'}), which halts as well`
    return { text: `${time} ${why}`, time, reason: why }
  }
}

function readRequest(file: string): z.infer<typeof requestSchema> | null {
  try {
    return requestSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    return null
  }
}

const document = (value: object): string => `${JSON.stringify(value)}\n`

/** False when the name is taken: two people may ask for something at one time. */
function appear(own: string, file: string): boolean {
  try {
    linkSync(own, file)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

function guarded<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof TapedeckError) throw error
    throw new TapedeckError('TD_RUN_WRITE',
      `${path}: cannot write what the run is told (${messageOf(error)}); free space or make the folder writable`,
      { cause: error })
  }
}
