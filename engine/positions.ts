import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'
import { readTrail, type TrailLine } from './audit/reader.ts'
import type { Fill } from './core/order.ts'
import { applyFill, createPortfolio, voidPosition, type Holding } from './core/portfolio.ts'
import type { EpochMs } from './core/time.ts'
import { messageOf } from './errors.ts'
import type { LaneTerms } from './assemble.ts'
import { termsOf } from './live.ts'
import type { PastLine, Venue } from './ports.ts'
import { hint } from './report/hint.ts'
import { LiveDirectory, readRun, recordsIn, type RunRecord } from './session/live-directory.ts'
import { haltOf, resumePending } from './session/operator-box.ts'
import { fillOf } from './session/past.ts'
import { recordedVenue } from './venue.ts'

/** What `tapedeck panic` did to a run, beside the trail that only the run itself may write. */
export const PANIC_FILE = 'panic.jsonl'

export interface OpenPosition {
  readonly symbol: string
  readonly quote: string
  /** Base units. */
  readonly quantity: number
  readonly entryPrice: number
  readonly entryTime: EpochMs
  /** Resting prices; null = none. */
  readonly stop: number | null
  readonly target: number | null
  /** Close of the newest candle that the run has seen, or the entry's price before there was one. */
  readonly price: number
  /** By the venue's time, up to the newest thing that the run has seen. */
  readonly ageMs: number
  /** Quote won or lost if it were sold at `price`, fees of the entry in, those of the exit not. */
  readonly unrealised: number
  /** The same as a share of what the position cost. */
  readonly unrealisedShare: number
}

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
  (record['kind'] === 'live' ? hint(path, 'live', 'SCENARIO') : hint(path, 'rehearse', 'SCENARIO', '--resume'))

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
function openPositions(
  lines: readonly TrailLine[], { cash, instruments }: LaneTerms, beside: readonly Fill[],
): OpenPosition[] {
  const symbols = Object.keys(instruments)
  const portfolio = createPortfolio(cash, symbols.map((symbol) => instruments[symbol]))
  const holdings = new Map(portfolio.holdings.map((holding) => [holding.instrument.symbol, holding]))
  const told = new Set<string>()
  const book = (fill: Fill): void => {
    const holding = holdings.get(fill.symbol)
    if (holding !== undefined) applyFill(portfolio, holding, fill, 0)
  }
  let now: EpochMs = 0
  for (const { fields } of lines) {
    if (fields.type === 'fill') {
      const fill = fillOf(fields)
      told.add(fingerprint(fill))
      book(fill)
    } else if (fields.type === 'market') {
      if (fields.timestamp !== null) now = Math.max(now, Date.parse(fields.timestamp))
      const rows = fields['rows'] as readonly (readonly number[])[] | undefined
      const holding = holdings.get(String(fields['symbol']))
      if (rows !== undefined && holding !== undefined) holding.mark = rows.at(-1)![4]
    } else follow(fields, holdings.get(String(fields['symbol'])), (holding) => voidPosition(portfolio, holding))
  }
  for (const fill of beside) {
    const holding = holdings.get(fill.symbol)
    if (!told.has(fingerprint(fill)) && holding?.open === true && fill.time >= holding.entryTime) book(fill)
  }
  return portfolio.holdings.filter(({ open }) => open).map((holding) => positionOf(holding, now))
}

/** Levels that moved, and books that were set back. */
function follow(
  { type, ...fields }: PastLine, holding: Holding | undefined, setBack: (holding: Holding) => void,
): void {
  if (holding === undefined) return
  if (type === 'order' && fields['event'] === 'stop-raised') holding.stop = fields['to'] as number
  else if (type === 'order' && fields['state'] === 'void') setBack(holding)
  else if (type === 'intent' && fields['purpose'] === 'protect') {
    holding.stop = (fields['stop'] as number | null) ?? NaN
    holding.target = (fields['target'] as number | null) ?? NaN
  }
}

/** One execution, whoever wrote it down. */
const fingerprint = ({ symbol, side, time, price, quantity }: Fill): string =>
  [symbol, side, time, price, quantity].join(' ')

const level = (price: number): number | null => (Number.isNaN(price) ? null : price)

function positionOf(holding: Holding, now: EpochMs): OpenPosition {
  const { instrument: { symbol, quote }, quantity, entryPrice, entryTime, stop, target, mark, cost } = holding
  const unrealised = quantity * mark - cost
  return {
    symbol, quote, quantity, entryPrice, entryTime, stop: level(stop), target: level(target), price: mark,
    ageMs: Math.max(0, now - entryTime), unrealised, unrealisedShare: unrealised / cost,
  }
}
