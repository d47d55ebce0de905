import { moneyDigits, priceDecimals } from '../format.ts'
import type { ChartCandles, ReportData } from '../report-data.ts'

/** One symbol's candles as the page's script reads them. Times are steps after `start`, which keeps the file small. */
interface PageCandles {
  readonly symbol: string
  readonly stepMs: number
  readonly start: number
  readonly digits: number
  readonly steps: readonly number[]
  readonly open: readonly number[]
  readonly high: readonly number[]
  readonly low: readonly number[]
  readonly close: readonly number[]
}

/** Every closed trade, as columns. `entry` and `exit` number candles of the symbol's chart; −1: before its first. */
interface PageTrades {
  readonly symbol: readonly number[]
  readonly entry: readonly number[]
  readonly exit: readonly number[]
  readonly entryPrice: readonly number[]
  readonly exitPrice: readonly number[]
  readonly stop: readonly (number | null)[]
  readonly target: readonly (number | null)[]
  readonly reason: readonly number[]
  /** Net return in percent. */
  readonly percent: readonly number[]
}

/** What the page's script draws. Everything else is in the page already. */
export interface PageData {
  readonly quote: string
  readonly moneyDigits: number
  readonly startCash: number
  readonly markLimit: number
  readonly charts: readonly PageCandles[]
  readonly trades: PageTrades
  readonly equity: { readonly firstDay: number; readonly values: readonly number[] }
}

/** Most trades that the chart marks at once; with more in view it says so. */
export const MARK_LIMIT = 4_000

/** The number of the candle that contains `time`: the last that opens at or before it; −1 before the first. */
export function candleAt(openTime: ArrayLike<number>, time: number): number {
  let [low, high] = [0, openTime.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (openTime[middle] <= time) low = middle + 1
    else high = middle
  }
  return low - 1
}

/** Ten significant digits: more than a pixel can show, and a third of the bytes. */
const short = (value: number): number => Number(value.toPrecision(10))
const level = (value: number): number | null => (Number.isFinite(value) ? short(value) : null)

/** The first `length` values of a column: a column may have room for more than it holds. */
const column = <T>(values: ArrayLike<number>, length: number, as: (value: number, row: number) => T): T[] =>
  Array.from({ length }, (_, row) => as(values[row], row))

function candles(chart: ChartCandles): PageCandles {
  const { length } = chart
  const start = chart.openTime[0] ?? 0
  return {
    symbol: chart.symbol,
    stepMs: chart.stepMs,
    start,
    digits: priceDecimals(chart.close.subarray(0, length)),
    steps: column(chart.openTime, length, (time) => (time - start) / chart.stepMs),
    open: column(chart.open, length, short),
    high: column(chart.high, length, short),
    low: column(chart.low, length, short),
    close: column(chart.close, length, short),
  }
}

export function pageData(data: ReportData): PageData {
  const { trades } = data
  const { length } = trades
  // A trade whose symbol has no chart points at none: the script skips it, the table still shows it.
  const chartOf = data.symbols.map((symbol) => data.charts.findIndex((chart) => chart.symbol === symbol))
  const snap = (row: number, time: number): number => {
    const chart = data.charts[chartOf[trades.symbol[row]]]
    return chart ? candleAt(chart.openTime.subarray(0, chart.length), time) : -1
  }
  return {
    quote: data.quote,
    moneyDigits: moneyDigits(data.quote),
    startCash: data.startCash,
    markLimit: MARK_LIMIT,
    charts: data.charts.map(candles),
    trades: {
      symbol: column(trades.symbol, length, (symbol) => chartOf[symbol] ?? -1),
      entry: column(trades.entryTime, length, (time, row) => snap(row, time)),
      exit: column(trades.exitTime, length, (time, row) => snap(row, time)),
      entryPrice: column(trades.entryPrice, length, short),
      exitPrice: column(trades.exitPrice, length, short),
      stop: column(trades.stop, length, level),
      target: column(trades.target, length, level),
      reason: column(trades.reason, length, Number),
      percent: column(trades.pnl, length, (pnl, row) => Number(((pnl / trades.cost[row]) * 100).toFixed(2))),
    },
    equity: { firstDay: data.firstDay, values: Array.from(data.dailyEquity, short) },
  }
}
