import type { TradeColumns } from '../core/figures.ts'
import { EXIT_REASONS } from '../core/order.ts'
import { isoTime } from '../core/time.ts'

const price = (value: number): number | null => (Number.isNaN(value) ? null : value)

/** A closed trade as the audit shows it. */
export const tradeFields = (trades: TradeColumns, row: number, symbol: string): Record<string, unknown> => ({
  symbol,
  entryTime: isoTime(trades.entryTime[row]),
  entryPrice: trades.entryPrice[row],
  exitTime: isoTime(trades.exitTime[row]),
  exitPrice: trades.exitPrice[row],
  quantity: trades.quantity[row],
  reason: EXIT_REASONS[trades.reason[row]],
  fees: trades.fees[row],
  pnl: trades.pnl[row],
  netReturn: trades.pnl[row] / trades.cost[row],
  stop: price(trades.stop[row]),
  target: price(trades.target[row]),
  candles: trades.held[row],
})

export const TRADES_HEADER = 'symbol,entryTime,entryPrice,exitTime,exitPrice,quantity,reason,fees,pnl,netReturn\n'

/** One row of trades.csv. Symbols may hold no comma or quote; scenarios are checked for that. */
export const tradeRow = (trades: TradeColumns, row: number, symbols: readonly string[]): string =>
  `${symbols[trades.symbol[row]]},${trades.entryTime[row]},${trades.entryPrice[row]},${trades.exitTime[row]},` +
  `${trades.exitPrice[row]},${trades.quantity[row]},${EXIT_REASONS[trades.reason[row]]},${trades.fees[row]},` +
  `${trades.pnl[row]},${trades.pnl[row] / trades.cost[row]}\n`
