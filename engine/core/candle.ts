import type { EpochMs } from './time.ts'

/** One closed candle. Prices are in quote per base, volume in base. `closeTime = openTime + timeframe − 1`. */
export interface Candle {
  readonly openTime: EpochMs
  readonly open: number
  readonly high: number
  readonly low: number
  readonly close: number
  readonly volume: number
}

/** Candles as columns: row `i` of every array is one candle. */
export interface CandleColumns {
  readonly openTime: Float64Array
  readonly open: Float64Array
  readonly high: Float64Array
  readonly low: Float64Array
  readonly close: Float64Array
  readonly volume: Float64Array
}

export const candleColumns = (rows: number): CandleColumns => ({
  openTime: new Float64Array(rows),
  open: new Float64Array(rows),
  high: new Float64Array(rows),
  low: new Float64Array(rows),
  close: new Float64Array(rows),
  volume: new Float64Array(rows),
})

const NO_COLUMNS = candleColumns(0)

/**
 * A candle that is a window onto one row of columns: moving it costs nothing and allocates nothing.
 * Whoever keeps a candle copies it with {@link copyCandle}.
 */
export class CandleView implements Candle {
  #columns: CandleColumns = NO_COLUMNS
  #row = 0

  move(columns: CandleColumns, row: number): this {
    this.#columns = columns
    this.#row = row
    return this
  }

  get openTime(): EpochMs { return this.#columns.openTime[this.#row] }
  get open(): number { return this.#columns.open[this.#row] }
  get high(): number { return this.#columns.high[this.#row] }
  get low(): number { return this.#columns.low[this.#row] }
  get close(): number { return this.#columns.close[this.#row] }
  get volume(): number { return this.#columns.volume[this.#row] }
}

export const copyCandle = ({ openTime, open, high, low, close, volume }: Candle): Candle => ({
  openTime, open, high, low, close, volume,
})

/** Writes a candle into row `row`. */
export function setRow(columns: CandleColumns, row: number, candle: Candle): void {
  columns.openTime[row] = candle.openTime
  columns.open[row] = candle.open
  columns.high[row] = candle.high
  columns.low[row] = candle.low
  columns.close[row] = candle.close
  columns.volume[row] = candle.volume
}

/** A candle as a row of numbers: open time, open, high, low, close, volume. */
export type CandleRow = readonly [EpochMs, number, number, number, number, number]

export function columnsOfRows(rows: readonly CandleRow[]): CandleColumns {
  const columns = candleColumns(rows.length)
  rows.forEach(([openTime, open, high, low, close, volume], row) =>
    setRow(columns, row, { openTime, open, high, low, close, volume }))
  return columns
}

export const rowOf = (columns: CandleColumns, row: number): CandleRow => [
  columns.openTime[row], columns.open[row], columns.high[row], columns.low[row], columns.close[row], columns.volume[row],
]

/** The rule that a candle's numbers break, in words, or null when it is sound. Times are checked by whoever knows the grid. */
export function brokenRule(open: number, high: number, low: number, close: number, volume: number): string | null {
  if (low > 0 && low <= open && low <= close && open <= high && close <= high && volume >= 0 && high < Infinity && volume < Infinity) {
    return null
  }
  for (const [name, price] of [['open', open], ['high', high], ['low', low], ['close', close]] as const) {
    if (!(price > 0 && price < Infinity)) return `${name} ${price} must be a finite price above 0`
  }
  if (high < low) return `high ${high} is below low ${low}`
  if (open < low || open > high) return `open ${open} is outside low ${low} … high ${high}`
  if (close < low || close > high) return `close ${close} is outside low ${low} … high ${high}`
  return `volume ${volume} must be finite and not negative`
}
