import { closeSync, existsSync, fsyncSync, ftruncateSync, openSync, readSync, fstatSync, readFileSync, rmSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { writeAll, writeDurably } from '../audit/durable-file.ts'
import type { Candle } from '../core/candle.ts'
import type { EpochMs } from '../core/time.ts'
import { messageOf, TapedeckError } from '../errors.ts'
import { ProcessLock } from '../session/process-lock.ts'
import { makeFolder } from '../session/run-directory.ts'
import { CANDLE_HEADER, candleLine } from './candle-file.ts'

/** More than the longest row. */
const TAIL_BYTES = 1024

/**
 * The beginning of a candle file that is still being fetched: `<file>.part`, plain CSV of whole rows, and beside it
 * `<file>.part.json`, which says what it is part of. One process may write it at a time.
 */
export class PartFile {
  readonly path: string
  readonly #target: string
  readonly #lock: ProcessLock
  readonly #file: number
  #size: number
  #last: EpochMs | null = null
  #rows = 0
  #released = false

  /**
   * Opens the part of `target`, or begins one. `identity` is what both must agree on. Throws TD_USAGE for a part of something
   * else, TD_LOCKED while another process writes it, TD_RUN_WRITE.
   */
  constructor(target: string, identity: Readonly<Record<string, unknown>>) {
    this.#target = target
    this.path = `${resolve(target)}.part`
    const claimed = this.#guard(() => {
      makeFolder(dirname(this.path))
      return ProcessLock.take(this.path)
    })
    if (typeof claimed === 'number') {
      throw new TapedeckError('TD_LOCKED', `${target}: process ${claimed} is already downloading it; wait for it, or choose another --output`)
    }
    this.#lock = claimed
    try {
      this.#checkIdentity(JSON.stringify(identity))
      this.#file = this.#guard(() => openSync(this.path, 'a+'))
      this.#size = this.#guard(() => this.#mend())
    } catch (error) {
      this.#lock.release()
      throw error
    }
  }

  /** Open time of the newest candle in it; null for none. */
  get last(): EpochMs | null {
    return this.#last
  }

  /** Candles added since it was opened. */
  get rows(): number {
    return this.#rows
  }

  /** On disk when this returns, or not at all. */
  add(candles: readonly Candle[]): void {
    this.#write(candles.map(candleLine).join(''))
    this.#last = candles.at(-1)?.openTime ?? this.#last
    this.#rows += candles.length
  }

  /** Lets others go on with it. */
  release(): void {
    if (this.#released) return
    this.#released = true
    closeSync(this.#file)
    // Rows are what makes it worth going on with.
    if (this.#last === null) this.#remove()
    this.#lock.release()
  }

  /** Its work is done. */
  discard(): void {
    this.#remove()
    this.release()
  }

  #remove(): void {
    rmSync(this.path, { force: true })
    rmSync(`${this.path}.json`, { force: true })
  }

  #checkIdentity(identity: string): void {
    const beside = `${this.path}.json`
    const known = this.#guard(() => (existsSync(beside) ? readFileSync(beside, 'utf8').trim() : null))
    if (existsSync(this.path) && known !== identity) {
      throw new TapedeckError('TD_USAGE', `--output ${this.#target}: ${this.#target}.part is an interrupted download of something else `
        + `(${known ?? 'it is not known of what'}); give its arguments again, remove it, or choose another name`)
    }
    if (known !== identity) this.#guard(() => writeDurably(beside, `${identity}\n`))
  }

  /** Cuts off a row that was being written when the process died, and finds the newest candle. Returns the size. */
  #mend(): number {
    const { size } = fstatSync(this.#file)
    const from = Math.max(0, size - TAIL_BYTES)
    const tail = Buffer.alloc(size - from)
    readSync(this.#file, tail, 0, tail.length, from)
    const end = tail.lastIndexOf(0x0a) + 1
    const row = tail.toString('latin1', 0, Math.max(0, end - 1)).split('\n').at(-1) ?? ''
    const time = Number(/^(\d{10,15}),/.exec(row)?.[1] ?? NaN)
    if (end === 0 || (Number.isNaN(time) && row !== CANDLE_HEADER.trimEnd())) {
      if (end > 0) throw new Error('its last row is no candle; remove it')
      ftruncateSync(this.#file, 0)
      this.#size = 0
      this.#write(CANDLE_HEADER)
      return this.#size
    }
    if (!Number.isNaN(time)) this.#last = time
    if (from + end < size) ftruncateSync(this.#file, from + end)
    return from + end
  }

  #write(text: string): void {
    this.#guard(() => {
      const bytes = Buffer.from(text)
      try {
        writeAll(this.#file, bytes)
        fsyncSync(this.#file)
        this.#size += bytes.length
      } catch (error) {
        // What a full disk took of a row is no row.
        ftruncateSync(this.#file, this.#size)
        throw error
      }
    })
  }

  #guard<T>(act: () => T): T {
    try {
      return act()
    } catch (error) {
      if (error instanceof TapedeckError) throw error
      throw new TapedeckError('TD_RUN_WRITE', `${this.path}: cannot write (${messageOf(error)}); free space or choose another --output`,
        { cause: error })
    }
  }
}
