import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { parseTrailLine } from './reader.ts'
import type { PastLine } from '../ports.ts'

/** Lines that are added to a trail from now on, read by somebody who does not write it. */
export class TrailTail {
  readonly #path: string
  #at: number
  #rest = ''

  /** Begins at byte `from`, or behind what is there now. Throws when there is no such file. */
  constructor(path: string, from = statSync(path).size) {
    this.#path = path
    this.#at = from
  }

  /** Whole lines since the last call. A line that is none of a trail is left out. */
  read(): PastLine[] {
    const size = statSync(this.#path).size
    if (size <= this.#at) return []
    const bytes = Buffer.alloc(size - this.#at)
    const file = openSync(this.#path, 'r')
    try {
      this.#at += readSync(file, bytes, 0, bytes.length, this.#at)
    } finally {
      closeSync(file)
    }
    const rows = (this.#rest + bytes.toString('latin1')).split('\n')
    // A character may be split between two reads, so bytes are put together before they become text.
    this.#rest = rows.pop()!
    return rows.flatMap((row) => parseTrailLine(Buffer.from(row, 'latin1').toString('utf8'))?.fields ?? [])
  }
}
