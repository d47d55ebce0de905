import { closeSync, constants, copyFileSync, fstatSync, openSync, readSync, statSync, truncateSync } from 'node:fs'
import { writeAll } from '../durable-file.ts'
import { rawLines, textOf } from '../raw-lines.ts'
import { parseTrailLine } from '../reader.ts'
import { misfit, type LineField } from './line-fields.ts'

/** A line that could not be used and is in no table. */
export interface Flaw {
  readonly file: string
  /** Counts from 1. */
  readonly line: number
  readonly what: string
}

const BLOCK = 1 << 16
const NEWLINE = 10

/** How many bytes follow the last newline: a line that is being written, or that a crash left. */
export function tornBytes(path: string): number {
  const file = openSync(path, 'r')
  try {
    const { size } = fstatSync(file)
    const block = Buffer.alloc(Math.min(BLOCK, size))
    for (let end = size; end > 0; end -= block.length) {
      const from = Math.max(0, end - block.length)
      const at = block.subarray(0, readSync(file, block, 0, end - from, from)).lastIndexOf(NEWLINE)
      if (at >= 0) return size - (from + at + 1)
    }
    return size
  } finally {
    closeSync(file)
  }
}

/** A copy of a trail up to its last whole line. The trail may go on growing meanwhile. */
export function copyWhole(path: string, to: string): void {
  copyFileSync(path, to, constants.COPYFILE_FICLONE)
  const torn = tornBytes(to)
  if (torn > 0) truncateSync(to, statSync(to).size - torn)
}

/** What came of going through a trail line by line. */
export interface Mended {
  readonly flaws: readonly Flaw[]
  /** Bytes behind the last newline. */
  readonly torn: number
}

/**
 * Writes the lines of a trail that can be used to `to`, and says which cannot: those that are no line of a trail, and those in
 * which one of the `wanted` fields is not what it should be. Lines are written anew, since a parser may
 * be stricter than JSON.parse: about a key that is there twice, or half a surrogate pair in what an AI said.
 */
export function mend(path: string, to: string, wanted: readonly LineField[]): Mended {
  const flaws: Flaw[] = []
  let torn = 0
  let line = 0
  let block = ''
  const file = openSync(to, 'w')
  try {
    for (const { bytes, whole } of rawLines(path)) {
      if (!whole) {
        torn = bytes.length
        continue
      }
      line++
      const fields = parseTrailLine(textOf(bytes))?.fields ?? null
      const what = fields === null ? 'it is not a line of a trail' : flawOf(fields, wanted)
      if (what !== null) {
        flaws.push({ file: path, line, what })
        continue
      }
      block += `${JSON.stringify(fields, wellFormed)}\n`
      if (block.length < BLOCK) continue
      writeAll(file, Buffer.from(block))
      block = ''
    }
    writeAll(file, Buffer.from(block))
  } finally {
    closeSync(file)
  }
  return { flaws, torn }
}

const flawOf = (fields: Readonly<Record<string, unknown>>, wanted: readonly LineField[]): string | null =>
  (Number.isSafeInteger(fields['seq']) ? misfit(fields, wanted) : 'its seq is not a whole number')

const LONE = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g
const wellFormed = (_: string, value: unknown): unknown => (typeof value === 'string' ? value.replaceAll(LONE, '\uFFFD') : value)
