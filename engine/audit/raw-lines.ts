import { closeSync, openSync, readSync } from 'node:fs'

const BLOCK = 1 << 20
const NEWLINE = 10

export interface RawLine {
  /** Without its newline. */
  readonly bytes: Buffer
  /** False for a rest at the file's end that no newline closes. */
  readonly whole: boolean
}

/** A file's lines in order, read block by block, so that a trail of any length fits. Throws as `node:fs` does. */
export function* rawLines(path: string): Generator<RawLine, void, undefined> {
  const file = openSync(path, 'r')
  try {
    let pieces: Buffer[] = []
    for (;;) {
      const block = Buffer.allocUnsafe(BLOCK)
      const read = block.subarray(0, readSync(file, block))
      if (read.length === 0) break
      let from = 0
      for (let at = read.indexOf(NEWLINE); at >= 0; at = read.indexOf(NEWLINE, from)) {
        const tail = read.subarray(from, at)
        yield { bytes: pieces.length === 0 ? tail : Buffer.concat([...pieces, tail]), whole: true }
        pieces = []
        from = at + 1
      }
      if (from < read.length) pieces.push(read.subarray(from))
    }
    if (pieces.length > 0) yield { bytes: Buffer.concat(pieces), whole: false }
  } finally {
    closeSync(file)
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** A line as text; null where its bytes are not UTF-8, which a lenient reading would hide. */
export function textOf(bytes: Uint8Array): string | null {
  try {
    return decoder.decode(bytes)
  } catch {
    return null
  }
}

/** A line's fields; null where it is not one JSON object. */
export function fieldsOf(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null
  } catch {
    return null
  }
}
