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
