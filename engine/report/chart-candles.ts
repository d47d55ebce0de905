import type { CandleColumns } from '../core/candle.ts'
import { floorToGrid, TIMEFRAMES } from '../core/timeframe.ts'
import type { ChartCandles } from './report-data.ts'

const LENGTHS = Object.values(TIMEFRAMES).filter((ms) => ms <= TIMEFRAMES['1d'])

/**
 * The next longer candle that people read easily and that holds a whole number of the present ones: 1h → 2h → 4h → 8h →
 * 1d, from there on doubling. Each length divides the next, so joining twice equals joining once.
 */
const nextStep = (stepMs: number): number => LENGTHS.find((ms) => ms > stepMs && ms % stepMs === 0) ?? stepMs * 2

/**
 * Collects one symbol's candles for a chart within bounded memory. Whenever more than `limit` would be kept, neighbours
 * are joined into longer candles on the epoch grid, so the result depends on the candles alone, not on how they arrive.
 */
export class ChartCollector {
  readonly #symbol: string
  readonly #timeframeMs: number
  readonly #limit: number
  readonly #columns: Record<'openTime' | 'open' | 'high' | 'low' | 'close', Float64Array>
  #stepMs: number
  #length = 0

  /** @param limit most candles kept, at least 1. */
  constructor(symbol: string, timeframeMs: number, limit = 20_000) {
    if (!(Number.isSafeInteger(limit) && limit >= 1)) throw new RangeError(`a limit of ${limit} is not a count above 0`)
    this.#symbol = symbol
    this.#timeframeMs = timeframeMs
    this.#stepMs = timeframeMs
    this.#limit = limit
    const column = (): Float64Array => new Float64Array(limit + 1)
    this.#columns = { openTime: column(), open: column(), high: column(), low: column(), close: column() }
  }

  /** Adds the rows `start ≤ row < end`, which must follow what was added before. */
  add(columns: CandleColumns, start: number, end: number): void {
    for (let row = start; row < end; row++) {
      this.#push(columns.openTime[row], columns.open[row], columns.high[row], columns.low[row], columns.close[row])
      while (this.#length > this.#limit) this.#coarsen()
    }
  }

  /** What was collected so far, copied. */
  result(): ChartCandles {
    const { openTime, open, high, low, close } = this.#columns
    const kept = (column: Float64Array): Float64Array => column.slice(0, this.#length)
    return {
      symbol: this.#symbol,
      stepMs: this.#stepMs,
      factor: this.#stepMs / this.#timeframeMs,
      openTime: kept(openTime),
      open: kept(open),
      high: kept(high),
      low: kept(low),
      close: kept(close),
      length: this.#length,
    }
  }

  #push(openTime: number, open: number, high: number, low: number, close: number): void {
    const kept = this.#columns
    const block = this.#stepMs === this.#timeframeMs ? openTime : floorToGrid(openTime, this.#stepMs)
    const last = this.#length - 1
    if (last >= 0 && kept.openTime[last] === block) {
      if (high > kept.high[last]) kept.high[last] = high
      if (low < kept.low[last]) kept.low[last] = low
      kept.close[last] = close
      return
    }
    const row = this.#length++
    kept.openTime[row] = block
    kept.open[row] = open
    kept.high[row] = high
    kept.low[row] = low
    kept.close[row] = close
  }

  /** Joins in place: a block is never longer than what was read to make it, so writing stays behind reading. */
  #coarsen(): void {
    const { openTime, open, high, low, close } = this.#columns
    const rows = this.#length
    this.#stepMs = nextStep(this.#stepMs)
    this.#length = 0
    for (let row = 0; row < rows; row++) this.#push(openTime[row], open[row], high[row], low[row], close[row])
  }
}
