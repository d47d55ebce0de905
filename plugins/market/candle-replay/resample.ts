import { candleColumns, type CandleColumns } from '../../../engine/core/candle.ts'
import { floorToGrid } from '../../../engine/core/timeframe.ts'
import type { EpochMs } from '../../../engine/core/time.ts'
import { BATCH_ROWS } from './file/rows.ts'
import type { Slice } from './series.ts'

/** Coarser candles in the making: row `rows` of the columns is the block that is still open. */
class Blocks {
  readonly columns: CandleColumns = candleColumns(BATCH_ROWS)
  rows = 0
  readonly #step: number
  readonly #length: number
  #end: EpochMs = -Infinity
  /** Whether the open block may be yielded: the series' first is dropped when its beginning is missing. */
  #whole = false
  #last: EpochMs = NaN
  /** What rounding has added to the open block's volume: Kahan's sum, to agree with pandas to the last bit. */
  #excess = 0

  constructor(step: number, length: number) {
    this.#step = step
    this.#length = length
  }

  /** Takes rows until the columns are full; returns the first row not taken. */
  take({ columns, start, end }: Slice): number {
    const { openTime, open, high, low, close, volume } = this.columns
    let block = this.rows
    for (let row = start; row < end; row++) {
      const time = columns.openTime[row]
      if (time >= this.#end) {
        if (this.#whole && ++block === openTime.length) {
          this.#whole = false
          this.rows = block
          return row
        }
        const begin = floorToGrid(time, this.#length)
        this.#whole = !Number.isNaN(this.#last) || begin === time
        this.#end = begin + this.#length
        openTime[block] = begin
        open[block] = columns.open[row]
        high[block] = columns.high[row]
        low[block] = columns.low[row]
        close[block] = columns.close[row]
        volume[block] = columns.volume[row]
        this.#excess = 0
      } else {
        if (columns.high[row] > high[block]) high[block] = columns.high[row]
        if (columns.low[row] < low[block]) low[block] = columns.low[row]
        close[block] = columns.close[row]
        const added = columns.volume[row] - this.#excess
        const sum = volume[block] + added
        this.#excess = sum - volume[block] - added
        volume[block] = sum
      }
      this.#last = time
    }
    this.rows = block
    return end
  }

  /** The series is over: the last block counts when its last row is there. */
  finish(): void {
    if (this.#whole && this.#last + this.#step === this.#end) this.rows++
  }
}

/**
 * Candles of `step` milliseconds aggregated to blocks of `length` milliseconds, aligned to UTC (weeks to Monday).
 * A block that is incomplete inside the series aggregates what is there, an incomplete first or last one is dropped.
 */
export async function* resample(slices: AsyncIterable<Slice>, step: number, length: number): AsyncGenerator<Slice> {
  if (step === length) {
    yield* slices
    return
  }
  const blocks = new Blocks(step, length)
  for await (const slice of slices) {
    let start = slice.start
    while ((start = blocks.take({ ...slice, start })) < slice.end) {
      yield { columns: blocks.columns, start: 0, end: blocks.rows }
      blocks.rows = 0
    }
  }
  blocks.finish()
  if (blocks.rows > 0) yield { columns: blocks.columns, start: 0, end: blocks.rows }
}
