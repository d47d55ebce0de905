import type { FoundLine, Key, TrailSearch } from '../audit/trail-search.ts'
import { seqKey, timeKey } from '../audit/trail-search.ts'
import { isoTime, type EpochMs } from '../core/time.ts'
import { TapedeckError } from '../errors.ts'
import { count, plural, utcMinute } from '../report/format.ts'
import type { Wish } from './wish.ts'

/** The line that is meant: a decision's, or a closed trade's with its number. */
export type Meant =
  | { readonly kind: 'decision'; readonly line: FoundLine }
  | { readonly kind: 'trade'; readonly line: FoundLine; readonly number: number }

export interface FindOptions {
  /** Where several symbols decided at one time. */
  readonly symbol: string | null
  readonly candleMs: number
}

const TRADE_LINE = '{"type": "trade", '
/** Lines of orders whose outcome was waited for stand so many candles later than their time at most; beyond, all is looked through. */
const LATE_CANDLES = 8

/** Decisions' times alone. */
const decisionKey: Key = (head) => (head.startsWith('{"type": "decision", ') ? timeKey(head) : null)

/** The line that `wish` means. Throws TD_USAGE, saying what there is instead, where there is none. */
export function findMeant(search: TrailSearch, wish: Wish, options: FindOptions): Meant {
  switch (wish.kind) {
    case 'seq': return bySeq(search, wish.seq, options)
    case 'time': return { kind: 'decision', line: byTime(search, wish.time, options) }
    case 'trade': return nthTrade(search, wish.number)
    case 'order': return byOrder(search, wish.id, options)
  }
}

const isDecision = ({ fields }: FoundLine): boolean => fields.type === 'decision'

function bySeq(search: TrailSearch, seq: number, options: FindOptions): Meant {
  const at = search.seek(seqKey, seq)
  const [line] = search.lines(at)
  if (line === undefined || line.fields['seq'] !== seq) {
    const last = newest(search)
    throw missed(search, `there is no line ${count(seq)}`, last === null ? 'the trail has no whole line' : `the last is ${count(Number(last.fields['seq']))}`)
  }
  if (isDecision(line)) return { kind: 'decision', line }
  if (line.fields.type === 'trade') return { kind: 'trade', line, number: tradeNumber(search, line) }
  const id = orderIdOf(line)
  if (id !== null) return byOrder(search, id, options)
  const time = Date.parse(line.fields.timestamp ?? '')
  const near = Number.isNaN(time) ? '' : `; ${nearText(around(search, time, options))}`
  throw missed(search, `line ${count(seq)} is no decision but of type ${line.fields.type}`, `name a decision${near}`)
}

/** Of an order, a fill or an intent. */
export function orderIdOf({ fields }: FoundLine): string | null {
  const { id, order } = fields as { readonly id?: unknown; readonly order?: unknown }
  if (typeof id === 'string') return id
  const inner = typeof order === 'object' && order !== null ? (order as { readonly id?: unknown }).id : order
  return typeof inner === 'string' ? inner : null
}

function byTime(search: TrailSearch, time: EpochMs, options: FindOptions): FoundLine {
  const { symbol, candleMs } = options
  const wanted = isoTime(time)
  const fits = (line: FoundLine): boolean => isDecision(line) && line.fields.timestamp === wanted
  const from = search.seek(decisionKey, time)
  const until = search.seek(decisionKey, time + LATE_CANDLES * candleMs)
  let found = [...search.lines(from, until)].filter(fits)
  if (found.length === 0) found = [...search.holding(`"timestamp": "${wanted}"`)].filter(fits)
  if (symbol !== null) {
    const own = found.find(({ fields }) => fields['symbol'] === symbol)
    if (own !== undefined) return own
    const others = found.map(({ fields }) => String(fields['symbol'])).join(', ')
    if (others !== '') throw missed(search, `${symbol} was not decided on at ${utcMinute(time)} UTC`, `${others} was`)
  }
  const symbols = new Set(found.map(({ fields }) => fields['symbol']))
  if (symbols.size > 1) {
    throw new TapedeckError('TD_USAGE',
      `${utcMinute(time)} UTC: several symbols were decided on: ${[...symbols].join(', ')}; give one of them with --symbol`)
  }
  if (found.length > 0) return found[0]
  throw missed(search, `no decision at ${utcMinute(time)} UTC`, nearText(around(search, time, options)))
}

/** The decisions next to a time, before and after. */
function around(search: TrailSearch, time: EpochMs, { symbol }: FindOptions): { readonly before: FoundLine | null; readonly after: FoundLine | null } {
  const own = (line: FoundLine): boolean => isDecision(line) && (symbol === null || line.fields['symbol'] === symbol)
  const middle = search.seek(decisionKey, time)
  let before: FoundLine | null = null
  // Backwards by ever longer stretches: a trail may hold few decisions among many other lines.
  for (let reach = 1 << 16; before === null; reach *= 8) {
    const from = Math.max(0, middle - reach)
    const start = from === 0 ? 0 : search.lineAfter(from)
    for (const line of search.lines(start, middle)) if (own(line)) before = line
    if (from === 0) break
  }
  let after: FoundLine | null = null
  for (const line of search.lines(middle)) {
    if (!own(line)) continue
    after = line
    break
  }
  return { before, after }
}

function nearText({ before, after }: ReturnType<typeof around>): string {
  const near = [before, after].filter((line) => line !== null)
    .map(({ fields }) => `${utcMinute(Date.parse(fields.timestamp!))} (${String(fields['symbol'])}, line ${String(fields['seq'])})`)
  return near.length === 0 ? 'the trail holds no decision' : `nearest: ${near.join(' and ')}`
}

function nthTrade(search: TrailSearch, number: number): Meant {
  const { line, seen } = search.nth(TRADE_LINE, number)
  if (line !== null) return { kind: 'trade', line, number }
  if (seen === number) {
    throw new TapedeckError('TD_TRAIL_BROKEN', `${search.path}: the line of trade ${count(number)} is damaged; see tapedeck verify`)
  }
  throw missed(search, `there is no trade ${count(number)}`, seen === 0 ? 'no trade was closed' : `the trail holds ${plural(seen, 'closed trade')}`)
}

/** Which of the closed trades a line is, from 1. */
export const tradeNumber = (search: TrailSearch, { end }: FoundLine): number => search.count(TRADE_LINE, end)

/** Ids of the engine's orders tell the second of their decision. */
const DECIDED_AT = /^\d+-(\d{8,11})-/

function byOrder(search: TrailSearch, id: string, { candleMs }: FindOptions): Meant {
  const [, second] = DECIDED_AT.exec(id) ?? []
  const from = second === undefined ? 0 : search.seek(timeKey, Number(second) * 1000 - 2 * candleMs)
  let known = false
  let filled: FoundLine | null = null
  for (const line of search.holding(JSON.stringify(id), from)) {
    if (orderIdOf(line) !== id) continue
    known = true
    if (isDecision(line)) return { kind: 'decision', line }
    if (line.fields.type === 'fill') filled = line
  }
  // An order that no decision sent, such as a stop: what it ended is what there is to tell.
  const trade = filled === null ? null : tradeAfter(search, filled)
  if (trade !== null) return { kind: 'trade', line: trade, number: tradeNumber(search, trade) }
  throw missed(search, known ? `order ${id} belongs to no decision and no closed trade yet` : `no order ${id}`,
    'ids of orders stand in the trail, such as 0-1705399200-entry')
}

/** The trade that a selling fill closed. */
function tradeAfter(search: TrailSearch, { at, fields }: FoundLine): FoundLine | null {
  for (const line of search.starting(TRADE_LINE, at)) {
    if (line.fields['symbol'] === fields['symbol'] && line.fields['exitTime'] === fields.timestamp) return line
    if (line.fields['symbol'] === fields['symbol']) return null
  }
  return null
}

function newest(search: TrailSearch): FoundLine | null {
  let last: FoundLine | null = null
  for (const line of search.lines(search.lineAfter(Math.max(0, search.size - (1 << 17))))) last = line
  return last
}

/** What is not there, and what is. */
const missed = (search: TrailSearch, what: string, instead: string): TapedeckError =>
  new TapedeckError('TD_USAGE', `${search.path}: ${what}; ${instead}${search.damaged > 0 ? `; ${plural(search.damaged, 'damaged line')} passed over` : ''}`)
