import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'
import { readTrail, type TrailLine } from './audit/reader.ts'
import type { Fill } from './core/order.ts'
import type { EpochMs } from './core/time.ts'
import { messageOf } from './errors.ts'
import type { LaneTerms } from './assemble.ts'
import { termsOf } from './live.ts'
import type { PastLine, Venue } from './ports.ts'
import { hint } from './report/hint.ts'
import { LiveDirectory, readRun, recordsIn, type RunRecord } from './session/live-directory.ts'
import { haltOf, resumePending } from './session/operator-box.ts'
import { fillOf } from './session/past.ts'
import { TrailBook, type OpenPosition } from './session/trail-book.ts'
import { recordedVenue } from './venue.ts'

/** What `tapedeck panic` did to a run, beside the trail that only the run itself may write. */
export const PANIC_FILE = 'panic.jsonl'

export type { OpenPosition } from './session/trail-book.ts'

/** A run of the live path, as its directory tells without asking any venue. */
export interface LiveRun {
  readonly run: string
  readonly path: string
  readonly record: RunRecord
  /** As run.json says; `running` without a writer is a run that crashed. */
  readonly state: string
  /** The living process that runs it, or null. */
  readonly writer: number | null
  /** Why no order may leave, or null. */
  readonly halted: string | null
  /** When that was: by the machine's time for a person, by the venue's for a limit; null while it trades. */
  readonly haltedAt: EpochMs | null
  readonly venue: Pick<Venue, 'name' | 'url'>
  readonly lines: readonly TrailLine[]
  /** null: it never reached its venue. */
  readonly terms: LaneTerms | null
  readonly positions: readonly OpenPosition[]
  /** Symbols whose entry has been sent, and of which the trail does not say more yet. */
  readonly entering: readonly string[]
}

/** A run whose files are damaged. */
export interface UnreadableRun {
  readonly path: string
  readonly why: string
}

/** What brings a run back whose practice exchange ended with its process. */
export const restartHint = ({ path, record }: Pick<LiveRun, 'path' | 'record'>): string =>
  (record['kind'] === 'live' || record['kind'] === 'paper' ? hint(path, record['kind'], 'SCENARIO') : hint(path, 'rehearse', 'SCENARIO', '--resume'))

/** Still to be gone on with, whether a process does or not. */
export const isUnfinished = ({ state }: Pick<LiveRun, 'state'>): boolean => state === 'running' || state === 'stopped'

/** Runs of the live path below `out`, newest first, and what could not be read. Backtests are left out. */
export function liveRuns(
  out: string, wanted: (record: RunRecord) => boolean,
): { readonly runs: readonly LiveRun[]; readonly unreadable: readonly UnreadableRun[] } {
  const runs: LiveRun[] = []
  const unreadable: UnreadableRun[] = []
  const broken = (path: string, error: unknown): void => { unreadable.push({ path, why: messageOf(error) }) }
  for (const { path, record } of recordsIn(out, broken)) {
    if (record['venue'] === undefined || !wanted(record)) continue
    try {
      runs.push(readLiveRun(path, record))
    } catch (error) {
      broken(path, error)
    }
  }
  return { runs, unreadable }
}

/** Throws TD_RUN_MISSING, TD_TRAIL_BROKEN, and TD_USAGE for a backtest. */
export function readLiveRun(path: string, record: RunRecord = readRun(path)): LiveRun {
  const venue = recordedVenue(record)
  const trail = join(path, 'audit.jsonl')
  // A process that is killed at once leaves no trail yet.
  const lines = existsSync(trail) ? readTrail(trail).lines : []
  const terms = termsOf(lines)
  const halt = haltOf(path) ?? (resumePending(path) ? null : haltedByRule(lines))
  return {
    run: typeof record['run'] === 'string' ? record['run'] : basename(path), path, record, venue, lines, terms,
    state: String(record['state']), writer: LiveDirectory.writer(path),
    halted: halt?.reason ?? null, haltedAt: halt?.time ?? null,
    positions: terms === null ? [] : openPositions(lines, terms, salesBeside(path)),
    entering: entriesUnderWay(lines),
  }
}

const OVER = new Set(['rejected', 'expired', 'cancelled', 'void'])

function entriesUnderWay(lines: readonly TrailLine[]): string[] {
  const sent = new Map<string, string>()
  for (const { fields: { type, symbol, order, id, state } } of lines) {
    const entry = order as { readonly id: string; readonly side?: string } | undefined
    if (type === 'intent' && entry?.side === 'buy') sent.set(String(symbol), entry.id)
    else if (type === 'fill' || (type === 'order' && OVER.has(String(state)))) {
      if (id === null || sent.get(String(symbol)) === id) sent.delete(String(symbol))
    }
  }
  return [...sent.keys()]
}

/** A limit that halted the run, unless somebody has resumed it. */
function haltedByRule(lines: readonly TrailLine[]): { readonly time: EpochMs; readonly reason: string } | null {
  const last = lines.findLast(({ fields }) => fields.type === 'risk' && fields['order'] === undefined)?.fields
  return last?.['state'] === 'HALTED' ? { time: Date.parse(last.timestamp ?? ''), reason: String(last['rule']) } : null
}

/** Lines of panic's own file; none where there was no panic. */
export function panicLines(path: string): readonly PastLine[] {
  const file = join(path, PANIC_FILE)
  return existsSync(file) ? readTrail(file).lines.map(({ fields }) => fields) : []
}

const salesBeside = (path: string): readonly Fill[] =>
  panicLines(path).filter(({ type }) => type === 'fill').map(fillOf)

/** The books of the trail, and of the sales that the run has not taken in yet. */
function openPositions(lines: readonly TrailLine[], terms: LaneTerms, beside: readonly Fill[]): OpenPosition[] {
  const book = new TrailBook(terms, true)
  for (const { fields } of lines) book.see(fields)
  for (const fill of beside) book.beside(fill)
  return book.positions()
}
