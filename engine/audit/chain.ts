import { createHash } from 'node:crypto'
import { closeSync, existsSync, fdatasyncSync, fstatSync, ftruncateSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { messageOf, TapedeckError } from '../errors.ts'
import { bytesOf, setAside, syncFolder, writeAll } from './durable-file.ts'
import { fieldsOf, rawLines, textOf } from './raw-lines.ts'

const OPENING = ', "prev": "'
const TAIL = OPENING.length + 64 + 2
const CLOSED = Buffer.from('}\n')

/** What the first line of a chain names as the line before it. */
export const NO_LINE = '0'.repeat(64)

/** What the next line of a chain says about this one: SHA-256 of the raw line without its newline, as hexadecimal. */
export const lineHash = (raw: Uint8Array): string => createHash('sha256').update(raw).digest('hex')

/** Splits a raw chained line into what it was before it was chained, and the hash it carries. null: not chained. */
export function unchain(raw: string): { readonly line: string; readonly prev: string } | null {
  const at = raw.length - TAIL
  if (at < 1 || !raw.startsWith(OPENING, at) || !raw.endsWith('"}')) return null
  const prev = raw.slice(at + OPENING.length, -2)
  return /^[0-9a-f]{64}$/.test(prev) ? { line: `${raw.slice(0, at)}}`, prev } : null
}

/** The torn end of a file, cut off and kept in a file of its own. */
export interface Torn {
  readonly text: string
  /** Path of the file that keeps it. */
  readonly file: string
}

/**
 * A JSON Lines file that only grows. Each line ends with `, "prev": "<hash of the line before>"}`, so that nothing in
 * it can be changed, dropped or moved unnoticed. One process may have it open at a time.
 */
export class ChainedLog {
  /** Raw lines that were there when it was opened, without newline. */
  readonly past: readonly string[]
  /** A last line that a crash left unfinished, or null. */
  readonly torn: Torn | null
  readonly #path: string
  readonly #file: number
  #size: number
  #length: number
  #head: string
  #closed = false
  #lost: TapedeckError | null = null

  private constructor(path: string, file: number, { past, head, size, torn }: Contents) {
    this.#path = path
    this.#file = file
    this.past = past
    this.torn = torn
    this.#size = size
    this.#length = past.length
    this.#head = head
  }

  /**
   * Opens the file for appending, or creates it. A last line without its newline, or that is not JSON, is cut off and
   * kept beside the file. Throws TD_TRAIL_BROKEN when any other line is damaged or the chain does not hold, and
   * TD_RUN_WRITE when the file cannot be written.
   */
  static open(path: string): ChainedLog {
    return guarded(path, () => {
      const isNew = !existsSync(path)
      const file = openSync(path, 'a')
      try {
        if (isNew) syncFolder(dirname(path))
        const contents = readContents(path)
        // Only what is safe elsewhere is cut off here.
        if (contents.size < fstatSync(file).size) {
          ftruncateSync(file, contents.size)
          fdatasyncSync(file)
        }
        return new ChainedLog(path, file, contents)
      } catch (error) {
        closeSync(file)
        throw error
      }
    })
  }

  /** Lines so far. */
  get length(): number {
    return this.#length
  }

  /** Hash of the newest line; {@link NO_LINE} while there is none. */
  get head(): string {
    return this.#head
  }

  /**
   * Adds one line as the trail writes it: a JSON object with at least one field, ending in `}\n`, without `prev`. With
   * `durable` it is on disk before this returns, and all lines before it too. Throws TD_RUN_WRITE; the file then ends
   * with the line before.
   */
  append(line: Uint8Array | string, durable: boolean): void {
    const bytes = bytesOf(line)
    if (bytes.length < 4 || !bytes.subarray(-2).equals(CLOSED) || bytes.indexOf(10) !== bytes.length - 1) {
      throw new TypeError('a chained log takes one whole line at a time')
    }
    const raw = Buffer.concat([bytes.subarray(0, -2), Buffer.from(`${OPENING}${this.#head}"}\n`)])
    this.#work(() => {
      try {
        writeAll(this.#file, raw)
      } catch (error) {
        // What was written of it may not stand in the way of the next line.
        ftruncateSync(this.#file, this.#size)
        throw new TapedeckError('TD_RUN_WRITE', cannotWrite(this.#path, error), { cause: error })
      }
      this.#size += raw.length
      this.#length++
      this.#head = lineHash(raw.subarray(0, -1))
      if (durable) fdatasyncSync(this.#file)
    })
  }

  /** Everything so far is on disk when this returns. Throws TD_RUN_WRITE. */
  sync(): void {
    this.#work(() => fdatasyncSync(this.#file))
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    closeSync(this.#file)
  }

  #work(work: () => void): void {
    if (this.#closed) throw new TypeError('the log is closed')
    if (this.#lost !== null) throw this.#lost
    try {
      work()
    } catch (error) {
      if (error instanceof TapedeckError) throw error
      // A failed flush or cut leaves the file in a state that nobody knows: no line may follow.
      this.#lost = new TapedeckError('TD_RUN_WRITE', cannotWrite(this.#path, error), { cause: error })
      throw this.#lost
    }
  }
}

interface Contents {
  readonly past: readonly string[]
  readonly head: string
  /** Bytes of all whole lines. */
  readonly size: number
  readonly torn: Torn | null
}

function readContents(path: string): Contents {
  const past: string[] = []
  let head = NO_LINE
  let size = 0
  let rest: Buffer | null = null
  for (const { bytes, whole } of rawLines(path)) {
    if (rest !== null) throw broken(path, past.length + 1, 'it is not JSON')
    const text = textOf(bytes)
    if (!whole || text === null || fieldsOf(text) === null) {
      rest = whole ? Buffer.concat([bytes, Buffer.from('\n')]) : bytes
      continue
    }
    const fault = chainFault(text, head)
    if (fault !== null) throw broken(path, past.length + 1, fault)
    past.push(text)
    head = lineHash(bytes)
    size += bytes.length + 1
  }
  return { past, head, size, torn: rest === null ? null : { text: rest.toString('utf8'), file: setAside(path, rest) } }
}

/** What is wrong with a line's place in the chain, `head` being the hash of the line before it; null: nothing. */
export function chainFault(raw: string, head: string): string | null {
  const prev = unchain(raw)?.prev
  if (prev === undefined) return 'it does not name the line before it'
  if (prev === head) return null
  return head === NO_LINE ? 'lines before it are missing'
    : 'it does not follow the line before it: one of the two was changed, or lines between them are missing'
}

function broken(path: string, line: number, what: string): TapedeckError {
  return new TapedeckError('TD_TRAIL_BROKEN',
    `${path}: line ${line} is damaged: ${what}; `
    + 'a run cannot go on from a damaged trail: restore the file, or start a new run')
}

const cannotWrite = (path: string, error: unknown): string =>
  `${path}: cannot write the trail (${messageOf(error)}); free space or make the folder writable`

function guarded<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof TapedeckError) throw error
    throw new TapedeckError('TD_RUN_WRITE', cannotWrite(path, error), { cause: error })
  }
}
