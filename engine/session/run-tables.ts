import type { TradeColumns } from '../core/figures.ts'
import { EXIT_REASONS } from '../core/order.ts'
import { isoDay } from '../core/time.ts'

/** trades.csv, a row at a time. Times are open times in ms; scenario symbols hold no comma and no quote. */
export function* tradesCsv(trades: TradeColumns, symbols: readonly string[]): Iterable<string> {
  yield 'symbol,entryTime,entryPrice,exitTime,exitPrice,quantity,reason,fees,pnl,netReturn\n'
  for (let row = 0; row < trades.length; row++) {
    yield `${symbols[trades.symbol[row]]},${trades.entryTime[row]},${trades.entryPrice[row]},${trades.exitTime[row]},` +
      `${trades.exitPrice[row]},${trades.quantity[row]},${EXIT_REASONS[trades.reason[row]]},${trades.fees[row]},` +
      `${trades.pnl[row]},${trades.pnl[row] / trades.cost[row]}\n`
  }
}

/** equity.csv: the last equity of each UTC day. */
export function* equityCsv(dailyEquity: Float64Array, firstDay: number): Iterable<string> {
  yield 'date,equity\n'
  for (let index = 0; index < dailyEquity.length; index++) yield `${isoDay(firstDay + index)},${dailyEquity[index]}\n`
}
