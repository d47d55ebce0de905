import { messageOf, TapedeckError } from '../errors.ts'
import type { PastLine } from '../ports.ts'
import { chainFault, lineHash, NO_LINE, unchain } from './chain.ts'
import { shapeFault } from './line-shape.ts'
import { fieldsOf, rawLines, textOf, type RawLine } from './raw-lines.ts'

export interface TrailLine {
  /** As in the file, without newline. */
  readonly raw: string
  /** Without `prev`: what the trail wrote. */
  readonly text: string
  /** The text, parsed. */
  readonly fields: PastLine
}

export interface TrailContents {
  readonly lines: readonly TrailLine[]
  /** What follows the last newline, or null. */
  readonly torn: string | null
}

/**
 * A trail's lines, chained or not; the chain itself is {@link verifyTrail}'s business. Throws TD_RUN_MISSING when there
 * is no such file and TD_TRAIL_BROKEN when a whole line is not one of a trail.
 */
export function readTrail(path: string): TrailContents {
  const lines: TrailLine[] = []
  let torn: string | null = null
  for (const { bytes, whole } of linesOf(path)) {
    if (!whole) torn = bytes.toString('utf8')
    else lines.push(parseTrailLine(textOf(bytes)) ?? damaged(path, lines.length + 1))
  }
  return { lines, torn }
}

/**
 * Throws TD_TRAIL_BROKEN for the first line whose fields cannot be gone through again; `path` is the trail's file,
 * `symbols` those of the run.
 */
export function checkShapes(path: string, lines: readonly TrailLine[], symbols: readonly string[]): void {
  for (const [index, { fields }] of lines.entries()) {
    const what = shapeFault(fields, symbols)
    if (what === null) continue
    throw new TapedeckError('TD_TRAIL_BROKEN',
      `${path}: line ${index + 1}, a ${fields.type} line, is damaged: ${what}; restore the file`)
  }
}

/** One raw line, chained or not; null where it is none of a trail. */
export function parseTrailLine(raw: string | null): TrailLine | null {
  if (raw === null) return null
  const text = unchain(raw)?.line ?? raw
  const fields = fieldsOf(text)
  return fields !== null && isPast(fields) ? { raw, text, fields } : null
}

const isPast = (fields: Readonly<Record<string, unknown>>): fields is PastLine =>
  typeof fields['type'] === 'string' && (fields['timestamp'] === null || typeof fields['timestamp'] === 'string')

function damaged(path: string, line: number): never {
  throw new TapedeckError('TD_TRAIL_BROKEN',
    `${path}: line ${line} is not a line of a trail; \`tapedeck verify\` tells what else is wrong; restore the file`)
}

function* linesOf(path: string): Generator<RawLine, void, undefined> {
  try {
    yield* rawLines(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new TapedeckError('TD_RUN_MISSING',
        `${path}: the run has no audit trail, as runs with audit: off have none`, { cause: error })
    }
    throw new TapedeckError('TD_TRAIL_BROKEN', `${path}: cannot be read (${messageOf(error)})`, { cause: error })
  }
}

/** What a trail was when its run ended, as run.json records it. */
export interface RecordedTrail {
  readonly lines: number
  /** Hash of the last line. */
  readonly head: string
}

export interface TrailCheck {
  /** Whole lines. */
  readonly lines: number
  readonly sound: boolean
  /** `line` counts from 1. */
  readonly firstFault: { readonly line: number; readonly what: string } | null
  /** What follows the last newline, or null: a line that was never finished, or one that is being written. */
  readonly torn: string | null
  /** How often `seq` does not go on from the line before. */
  readonly seqGaps: number
  /** Each line carries the hash of the one before. */
  readonly chained: boolean
  /** Hash of the last whole line. */
  readonly head: string
  /** The run id that the first line tells. */
  readonly run: string | null
  /** The last line is the session's end. */
  readonly ended: boolean
}

/**
 * Checks every line (JSON, type, timestamp), `seq` (1, 2, 3, …), one run id throughout, the session's start on the
 * first line, and the chain where the first line has one, and fields that can be
 * gone through again. With `recorded` the line of that number must have that hash.
 * Throws TD_RUN_MISSING when there is no such file.
 */
export function verifyTrail(path: string, recorded: RecordedTrail | null = null): TrailCheck {
  let lines = 0
  let seq = 0
  let seqGaps = 0
  let head = NO_LINE
  let chained = false
  let run: string | null = null
  let ended = false
  let torn: string | null = null
  let firstFault: TrailCheck['firstFault'] = null
  const fault = (line: number, what: string): void => { firstFault ??= { line, what } }
  for (const { bytes, whole } of linesOf(path)) {
    if (!whole) {
      torn = bytes.toString('utf8')
      continue
    }
    const number = ++lines
    const line = parseTrailLine(textOf(bytes))
    if (line === null) fault(number, 'it is not a line of a trail')
    else {
      const { raw, fields } = line
      if (number === 1) {
        chained = unchain(raw) !== null
        run = typeof fields['run'] === 'string' ? fields['run'] : null
        if (fields.type !== 'session' || fields['event'] !== 'start') fault(1, 'it is not the start of a session')
      }
      const misshapen = shapeFault(fields)
      const broken = chained || unchain(raw) !== null ? chainFault(raw, head) : null
      if (broken !== null) fault(number, broken)
      if (misshapen !== null) fault(number, misshapen)
      if (run === null || fields['run'] !== run) {
        fault(number, `its run is ${said(fields['run'])}, expected ${said(run)}`)
      }
      if (fields.timestamp !== null && !isTime(fields.timestamp)) {
        fault(number, `its timestamp ${said(fields.timestamp)} is no time`)
      }
      if (fields['seq'] !== seq + 1) {
        seqGaps++
        fault(number, `its seq is ${said(fields['seq'])}, expected ${seq + 1}`)
      }
      seq = Number.isSafeInteger(fields['seq']) ? Number(fields['seq']) : seq + 1
      ended = endsSession(fields)
    }
    head = lineHash(bytes)
    if (recorded?.lines === number && recorded.head !== head) {
      fault(number, 'it is not the line that run.json recorded as the last')
    }
  }
  if (lines === 0) fault(1, 'there is none')
  if (recorded !== null && lines < recorded.lines) {
    fault(lines + 1, `it is missing: run.json recorded ${recorded.lines} lines`)
  }
  return { lines, sound: firstFault === null, firstFault, torn, seqGaps, chained, head, run, ended }
}

/** What a backtest writes last, and what a run of the live path does that was not killed. */
const ENDS: ReadonlySet<unknown> = new Set(['end', 'interrupted', 'stopped', 'finished'])

/** A process wrote this line as its last. */
export const endsSession = ({ type, event }: PastLine): boolean => type === 'session' && ENDS.has(event)

const said = (value: unknown): string => JSON.stringify(value) ?? 'missing'

/** ISO 8601 in UTC, as the trail writes it. */
function isTime(text: string): boolean {
  const time = Date.parse(text)
  return Number.isFinite(time) && new Date(time).toISOString() === text
}
