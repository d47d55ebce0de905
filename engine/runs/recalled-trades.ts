import type { TrailSearch } from '../audit/trail-search.ts'
import type { TradeColumns } from '../core/figures.ts'
import { EXIT_REASONS } from '../core/order.ts'
import type { TradeRow } from './diff.ts'

const key = (symbol: string, entryTime: number, exitTime: number): string => `${symbol} ${entryTime} ${exitTime}`

interface Told {
  readonly stop: unknown
  readonly target: unknown
  readonly candles: unknown
}

/** What only the trail tells of closed trades. */
function toldIn(search: TrailSearch | null): ReadonlyMap<string, Told> {
  const told = new Map<string, Told>()
  if (search === null) return told
  for (const { fields } of search.starting('{"type": "trade", ')) {
    const { symbol, entryTime, exitTime, stop, target, candles } = fields as unknown as Told & { readonly symbol: string; readonly entryTime: string; readonly exitTime: string }
    told.set(key(symbol, Date.parse(entryTime), Date.parse(exitTime)), { stop, target, candles })
  }
  return told
}

const level = (value: unknown): number => (typeof value === 'number' ? value : NaN)

/** A run's closed trades from trades.csv, with their stops and targets where there is a trail; slippage is not known any more. */
export function recalledTrades(rows: readonly TradeRow[], symbols: readonly string[], candleMs: number, search: TrailSearch | null): TradeColumns {
  const told = toldIn(search)
  const column = (of: (row: TradeRow) => number): Float64Array => Float64Array.from(rows, of)
  const more = (row: TradeRow): Told | undefined => told.get(key(row['symbol'], Number(row['entryTime']), Number(row['exitTime'])))
  const cost = (row: TradeRow): number => {
    const [pnl, netReturn] = [Number(row['pnl']), Number(row['netReturn'])]
    return netReturn === 0 ? Number(row['entryPrice']) * Number(row['quantity']) : pnl / netReturn
  }
  return {
    length: rows.length,
    symbol: Uint8Array.from(rows, ({ symbol }) => Math.max(0, symbols.indexOf(symbol))),
    entryTime: column((row) => Number(row['entryTime'])), exitTime: column((row) => Number(row['exitTime'])),
    entryPrice: column((row) => Number(row['entryPrice'])), exitPrice: column((row) => Number(row['exitPrice'])),
    quantity: column((row) => Number(row['quantity'])),
    reason: Uint8Array.from(rows, ({ reason }) => Math.max(0, EXIT_REASONS.findIndex((one) => one === reason))),
    fees: column((row) => Number(row['fees'])), slippage: column(() => NaN), cost: column(cost), pnl: column((row) => Number(row['pnl'])),
    stop: column((row) => level(more(row)?.stop)), target: column((row) => level(more(row)?.target)),
    held: column((row) => {
      const candles = more(row)?.candles
      return typeof candles === 'number' ? candles : Math.round((Number(row['exitTime']) - Number(row['entryTime'])) / candleMs)
    }),
  }
}
