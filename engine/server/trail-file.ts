import { open, type FileHandle } from 'node:fs/promises'
import { parseTrailLine } from '../audit/reader.ts'
import type { PastLine } from '../ports.ts'

/** Lines between two places that are remembered. */
const STEP = 256
const BLOCK = 1 << 16
const NEWLINE = 10
/** Blocks of lines that one question may read: an address bar is no reason to read a file of gigabytes. */
const MOST_BLOCKS = 64

/**
 * Reads single lines of a trail that may still grow, by their number. Where each {@link STEP}th line begins is found
 * once, without ever holding the file in memory or the process up.
 */
export class TrailFile {
  readonly #path: string
  /** Byte at which line 1, 257, 513 … begin; as far as the file has been looked through. */
  readonly #starts: number[] = [0]
  #lines = 0
  #end = 0
  #looking: Promise<void> = Promise.resolve()

  constructor(path: string) {
    this.#path = path
  }

  /**
   * Up to `limit` lines that fit, from line `before` − 1 backwards, newest first. Ends early after so many lines that
   * fitted nothing. Nothing where there is no such file.
   */
  async backwards(before: number, limit: number, fits: (line: PastLine) => boolean): Promise<PastLine[]> {
    const found: PastLine[] = []
    await this.#look()
    let block = Math.min(this.#starts.length - 1, Math.floor((before - 2) / STEP))
    for (let read = 0; block >= 0 && found.length < limit && read < MOST_BLOCKS; block--, read++) {
      const lines = await this.#block(block)
      for (let index = lines.length - 1; index >= 0 && found.length < limit; index--) {
        if (block * STEP + index + 1 < before && fits(lines[index])) found.push(lines[index])
      }
    }
    return found
  }

  /** One after another: several questions at a time look through the file only once. */
  #look(): Promise<void> {
    this.#looking = this.#looking.then(() => this.#extend())
    return this.#looking
  }

  async #extend(): Promise<void> {
    const file = await this.#open()
    if (file === null) return
    try {
      const buffer = Buffer.allocUnsafe(BLOCK)
      for (;;) {
        const { bytesRead } = await file.read(buffer, 0, BLOCK, this.#end)
        if (bytesRead === 0) return
        let whole = 0
        for (let at = buffer.indexOf(NEWLINE); at >= 0 && at < bytesRead; at = buffer.indexOf(NEWLINE, at + 1)) {
          whole = at + 1
          if (++this.#lines % STEP === 0) this.#starts.push(this.#end + whole)
        }
        // A line longer than what was read, or one that is still being written.
        this.#end += whole > 0 ? whole : bytesRead === BLOCK ? bytesRead : 0
        if (whole === 0 && bytesRead < BLOCK) return
      }
    } finally {
      await file.close()
    }
  }

  async #block(block: number): Promise<PastLine[]> {
    const file = await this.#open()
    if (file === null) return []
    try {
      const from = this.#starts[block]
      const until = this.#starts[block + 1] ?? this.#end
      const bytes = Buffer.alloc(until - from)
      const { bytesRead } = await file.read(bytes, 0, bytes.length, from)
      return bytes.toString('utf8', 0, bytesRead).split('\n').slice(0, -1).map((row) => parseTrailLine(row)?.fields ?? NOTHING)
    } finally {
      await file.close()
    }
  }

  async #open(): Promise<FileHandle | null> {
    try {
      return await open(this.#path, 'r')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
      throw error
    }
  }
}

/** Keeps the place of a line that is none of a trail. */
const NOTHING: PastLine = { type: 'none', timestamp: null }
