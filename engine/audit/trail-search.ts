import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { messageOf, TapedeckError } from '../errors.ts'
import type { PastLine } from '../ports.ts'
import { textOf } from './raw-lines.ts'
import { parseTrailLine } from './reader.ts'

const NEWLINE = 10
/** Bytes read at once where only few lines are wanted, and where a whole file is looked through. */
const SMALL = 1 << 15
const LARGE = 1 << 20
/** Halving a file ends here: from then on lines are read one after another. */
const STRETCH = 1 << 16

/** A line and the bytes that it takes, its newline included. */
interface Placed {
  readonly at: number
  readonly end: number
  readonly bytes: Buffer
}

/** A line of a trail and where it stands. */
export interface FoundLine {
  /** Byte at which it begins. */
  readonly at: number
  /** Byte behind its newline. */
  readonly end: number
  readonly fields: PastLine
}

/** Something that ascends with the lines, or null for a line that does not have it. Told the beginning of a line. */
export type Key = (head: string) => number | null

const SEQ = /^\{"type": "[a-z]+", "seq": (\d+), /
const TIME = /"timestamp": "([^"]+)"/
/** Keys and times stand at the front of a line, before anything that a service said. */
const HEAD = 400

/** Lines count upwards without exception. */
export const seqKey: Key = (head) => {
  const [, seq] = SEQ.exec(head) ?? []
  return seq === undefined ? null : Number(seq)
}

/** Times of lines ascend but for a few: an order's fill is dated with the candle in which it happened. */
export const timeKey: Key = (head) => {
  const [, time] = TIME.exec(head) ?? []
  const ms = time === undefined ? NaN : Date.parse(time)
  return Number.isNaN(ms) ? null : ms
}

/**
 * Finds lines of a trail without reading all of it: by halving the file where something ascends, by its bytes otherwise.
 * Looks at what was there when it was opened, so that a trail may go on being written. Damaged lines are passed over.
 */
export class TrailSearch {
  readonly path: string
  /** Bytes of all whole lines. */
  readonly size: number
  /** Bytes of a last line that is not whole: it is being written, or a crash left it. */
  readonly torn: number
  readonly #file: number
  readonly #damaged = new Set<number>()

  /** Throws TD_RUN_MISSING when there is no such file, TD_TRAIL_BROKEN when it cannot be read. */
  constructor(path: string) {
    this.path = path
    this.#file = opened(path)
    const { size } = fstatSync(this.#file)
    this.size = this.#lineStart(size)
    this.torn = size - this.size
  }

  /** Damaged lines that were come across. */
  get damaged(): number {
    return this.#damaged.size
  }

  close(): void {
    closeSync(this.#file)
  }

  /** Whole lines that begin at `from` or later and before `until`; those that are none of a trail are left out. */
  *lines(from: number, until = this.size): Generator<FoundLine, void, undefined> {
    for (const placed of this.#raw(from, until, SMALL)) {
      const line = this.#parsed(placed)
      if (line !== null) yield line
    }
  }

  /** Byte at which the first line begins whose key is at least `target`, in the order in which keys ascend. */
  seek(key: Key, target: number): number {
    let low = 0
    let high = this.size
    while (high - low > STRETCH) {
      const middle = this.#lineStart(low + Math.floor((high - low) / 2))
      const probe = this.#probe(key, middle, high)
      if (probe === null) high = middle <= low ? low : middle
      else if (probe.key < target) low = probe.end
      else if (middle <= low) break
      else high = middle
    }
    for (const { at, bytes } of this.#raw(low, this.size, SMALL)) {
      const own = key(headOf(bytes))
      if (own !== null && own >= target) return at
    }
    return this.size
  }

  /** Lines in which `text` occurs as it stands, each once, in order. */
  *holding(text: string, from = 0, until = this.size): Generator<FoundLine, void, undefined> {
    const needle = Buffer.from(text, 'utf8')
    let beyond = from
    for (const at of this.#hits(needle, from, until)) {
      if (at < beyond) continue
      const begin = this.#lineStart(at)
      const [placed] = this.#raw(begin, begin + 1, SMALL)
      if (placed === undefined) return
      beyond = placed.end
      const line = this.#parsed(placed)
      if (line !== null) yield line
    }
  }

  /**
   * Lines that begin with `prefix`, and where `having` is given hold that too. Hops from line to line, so that a file of
   * a million is looked through in a fraction of a second.
   */
  *starting(prefix: string, from = 0, until = this.size, having = ''): Generator<FoundLine, void, undefined> {
    const needle = Buffer.from(having, 'utf8')
    for (const placed of this.#starting(Buffer.from(prefix, 'utf8'), from, until)) {
      if (needle.length > 0 && !placed.bytes.includes(needle)) continue
      const line = this.#parsed(placed)
      if (line !== null) yield line
    }
  }

  /** How many lines begin with `prefix`; the line that is the `wanted`th of them, from 1, or null. */
  nth(prefix: string, wanted: number): { readonly line: FoundLine | null; readonly seen: number } {
    let seen = 0
    for (const placed of this.#starting(Buffer.from(prefix, 'utf8'), 0, this.size)) {
      if (++seen === wanted) return { line: this.#parsed(placed), seen }
    }
    return { line: null, seen }
  }

  /** How many lines before byte `until` begin with `prefix`. */
  count(prefix: string, until: number): number {
    let seen = 0
    for (const _ of this.#starting(Buffer.from(prefix, 'utf8'), 0, until)) seen++
    return seen
  }

  /** Where the first line begins that does not begin before `position`. */
  lineAfter(position: number): number {
    if (position <= 0) return 0
    const begin = this.#lineStart(position)
    if (begin === position) return begin
    const [line] = this.#raw(begin, begin + 1, SMALL)
    return line?.end ?? this.size
  }

  /** The first line's key from `from` on, and where that line ends. */
  #probe(key: Key, from: number, until: number): { readonly key: number; readonly end: number } | null {
    for (const { end, bytes } of this.#raw(from, until, SMALL)) {
      const own = key(headOf(bytes))
      if (own !== null) return { key: own, end }
    }
    return null
  }

  #parsed({ at, end, bytes }: Placed): FoundLine | null {
    const line = parseTrailLine(textOf(bytes))
    if (line === null) this.#damaged.add(at)
    return line === null ? null : { at, end, fields: line.fields }
  }

  *#raw(from: number, until: number, block: number): Generator<Placed, void, undefined> {
    let at = from
    let held: Buffer = Buffer.alloc(0)
    let read = from
    while (at < until) {
      const end = held.indexOf(NEWLINE)
      if (end >= 0) {
        yield { at, end: at + end + 1, bytes: held.subarray(0, end) }
        at += end + 1
        held = held.subarray(end + 1)
        continue
      }
      // A line longer than a block takes ever larger ones.
      const more = this.#read(read, Math.max(block, held.length))
      if (more.length === 0) return
      read += more.length
      held = held.length === 0 ? more : Buffer.concat([held, more])
    }
  }

  /** Its bytes are good until the next one is asked for. */
  *#starting(prefix: Buffer, from: number, until: number): Generator<Placed, void, undefined> {
    let buffer = Buffer.allocUnsafe(LARGE)
    let held = 0
    for (let at = from; at < until;) {
      if (held === buffer.length) buffer = Buffer.concat([buffer], 2 * buffer.length)
      const got = readSync(this.#file, buffer, held, Math.min(buffer.length - held, this.size - at - held), at + held)
      if (got === 0) return
      held += got
      let begin = 0
      for (let end = buffer.indexOf(NEWLINE); end >= 0 && end < held && at + begin < until; end = buffer.indexOf(NEWLINE, begin)) {
        if (beginsWith(buffer, begin, prefix)) yield { at: at + begin, end: at + end + 1, bytes: buffer.subarray(begin, end) }
        begin = end + 1
      }
      buffer.copyWithin(0, begin, held)
      held -= begin
      at += begin
    }
  }

  *#hits(needle: Buffer, from: number, until: number): Generator<number, void, undefined> {
    let carried = 0
    const buffer = Buffer.allocUnsafe(LARGE + needle.length)
    for (let at = from; at < until;) {
      const got = readSync(this.#file, buffer, carried, Math.min(LARGE, until - at), at)
      if (got === 0) return
      const known = buffer.subarray(0, carried + got)
      const base = at - carried
      for (let hit = known.indexOf(needle); hit >= 0; hit = known.indexOf(needle, hit + 1)) yield base + hit
      at += got
      const rest = Math.min(known.length, needle.length - 1)
      known.copyWithin(0, known.length - rest)
      carried = rest
    }
  }

  /** Where the line begins that holds the byte before `position`'s line break, or `position` itself. */
  #lineStart(position: number): number {
    for (let end = position; end > 0;) {
      const from = Math.max(0, end - SMALL)
      const at = this.#read(from, end - from).lastIndexOf(NEWLINE)
      if (at >= 0) return from + at + 1
      end = from
    }
    return 0
  }

  #read(from: number, length: number): Buffer {
    const buffer = Buffer.allocUnsafe(length)
    const got = readSync(this.#file, buffer, 0, length, from)
    return buffer.subarray(0, got)
  }
}

/** From behind: lines of a trail all begin alike. */
function beginsWith(bytes: Buffer, at: number, prefix: Buffer): boolean {
  for (let index = prefix.length - 1; index >= 0; index--) if (bytes[at + index] !== prefix[index]) return false
  return true
}

const headOf = (bytes: Buffer): string => bytes.toString('latin1', 0, HEAD)

function opened(path: string): number {
  try {
    return openSync(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new TapedeckError('TD_RUN_MISSING',
        `${path}: the run has no audit trail, as runs with audit: off have none`, { cause: error })
    }
    throw new TapedeckError('TD_TRAIL_BROKEN', `${path}: cannot be read (${messageOf(error)})`, { cause: error })
  }
}
