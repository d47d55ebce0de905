import type { FoundLine, TrailSearch } from '../audit/trail-search.ts'
import { timeKey } from '../audit/trail-search.ts'
import { isoTime } from '../core/time.ts'
import { orderIdOf } from './find.ts'

/** What became of a decision: its order, fills, and the trade that it opened or closed. */
export interface Story {
  readonly decision: FoundLine | null
  readonly orders: readonly FoundLine[]
  readonly fills: readonly FoundLine[]
  readonly trade: FoundLine | null
  /** The decision that sold what the first one had bought. */
  readonly exit: FoundLine | null
}

/** Lines of an order stand that near to its decision's line: before it, and behind it where fills come in parts. */
const NEAR = 1 << 22

const timeOf = ({ fields }: FoundLine): number => Date.parse(fields.timestamp ?? '')

const linesOfOrder = (search: TrailSearch, id: string, from: number, until: number): FoundLine[] =>
  [...search.holding(JSON.stringify(id), from, Math.min(until, search.size))].filter((line) => orderIdOf(line) === id)

/** From a decision on. */
export function storyOf(search: TrailSearch, decision: FoundLine, candleMs: number): Story {
  const order = decision.fields['order'] as { readonly id: string; readonly side: string } | null | undefined
  const status = decision.fields['status']
  if (order === null || order === undefined || (status !== 'EXECUTED' && status !== 'FAILED')) {
    return { decision, orders: [], fills: [], trade: null, exit: null }
  }
  const begin = search.seek(timeKey, timeOf(decision) - 2 * candleMs)
  const lines = linesOfOrder(search, order.id, begin, decision.end + NEAR).filter(({ fields }) => fields.type !== 'decision')
  const fills = lines.filter(({ fields }) => fields.type === 'fill')
  const orders = lines.filter(({ fields }) => fields.type === 'order' || fields.type === 'intent')
  if (fills.length === 0) return { decision, orders, fills, trade: null, exit: null }
  if (order.side === 'sell') {
    const trade = tradeWith(search, 'exitTime', fills.at(-1)!, fills[0].at)
    return { decision, orders, fills, trade, exit: null }
  }
  const trade = tradeWith(search, 'entryTime', fills[0], fills[0].at)
  const sold = trade === null ? [] : exitFills(search, fills.at(-1)!, trade)
  return { decision, orders, fills: [...fills, ...sold], trade, exit: exitOf(search, sold) }
}

/** From a closed trade back to what opened it. */
export function storyOfTrade(search: TrailSearch, trade: FoundLine, candleMs: number): Story {
  const { symbol, entryTime } = trade.fields as unknown as { readonly symbol: string; readonly entryTime: string }
  const from = search.seek(timeKey, Date.parse(entryTime) - 2 * candleMs)
  let entry: FoundLine | null = null
  for (const line of search.holding(`"timestamp": "${entryTime}"`, from, trade.end)) {
    const { type, side } = line.fields
    if (type !== 'fill' || side !== 'buy' || line.fields['symbol'] !== symbol) continue
    entry = line
    break
  }
  if (entry === null) return { decision: null, orders: [], fills: [], trade, exit: null }
  const id = orderIdOf(entry)!
  const begin = search.seek(timeKey, Date.parse(entryTime) - 8 * candleMs)
  const lines = linesOfOrder(search, id, begin, entry.end + NEAR)
  const bought = lines.filter(({ fields }) => fields.type === 'fill')
  const sold = exitFills(search, bought.at(-1)!, trade)
  return {
    decision: lines.find(({ fields }) => fields.type === 'decision') ?? null,
    orders: lines.filter(({ fields }) => fields.type === 'order' || fields.type === 'intent'),
    fills: [...bought, ...sold], trade, exit: exitOf(search, sold),
  }
}

function tradeWith(search: TrailSearch, key: 'entryTime' | 'exitTime', fill: FoundLine, from: number): FoundLine | null {
  for (const line of search.starting('{"type": "trade", ', from, search.size, `"${key}": "${isoTime(timeOf(fill))}"`)) {
    if (line.fields['symbol'] === fill.fields['symbol']) return line
  }
  return null
}

const exitFills = (search: TrailSearch, entry: FoundLine, trade: FoundLine): FoundLine[] =>
  [...search.starting('{"type": "fill", ', entry.end, trade.end)]
    .filter(({ fields }) => fields['symbol'] === trade.fields['symbol'] && fields['side'] === 'sell')

/** A stop, a target or the end of the tape sells without a decision. */
function exitOf(search: TrailSearch, sold: readonly FoundLine[]): FoundLine | null {
  const last = sold.at(-1)
  if (last === undefined) return null
  return linesOfOrder(search, orderIdOf(last)!, last.at, last.end + NEAR).find(({ fields }) => fields.type === 'decision') ?? null
}
