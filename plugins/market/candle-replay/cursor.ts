import { candleColumns } from '../../../engine/core/candle.ts'
import type { EpochMs } from '../../../engine/core/time.ts'
import type { Slice } from './series.ts'

const NOTHING: Slice = { columns: candleColumns(0), start: 0, end: 0 }

/** A place in a stream of candles. */
export class Cursor {
  readonly #slices: AsyncIterator<Slice>
  slice: Slice = NOTHING
  /** The next row of the slice. */
  row = 0
  #over = false

  constructor(slices: AsyncIterable<Slice>) {
    this.#slices = slices[Symbol.asyncIterator]()
  }

  /** The slice is used up and more may come: `refill` before looking at `head`. */
  get dry(): boolean {
    return this.row === this.slice.end && !this.#over
  }

  /** Open time of the next candle; Infinity after the last. */
  get head(): EpochMs {
    return this.row < this.slice.end ? this.slice.columns.openTime[this.row] : Infinity
  }

  async refill(): Promise<void> {
    const next = await this.#slices.next()
    this.#over = next.done === true
    this.slice = next.done === true ? NOTHING : next.value
    this.row = this.slice.start
  }

  /** Moves over the rows of this slice that open before `time`. */
  passUntil(time: EpochMs): void {
    const { columns: { openTime }, end } = this.slice
    if (this.row < end && openTime[end - 1] < time) this.row = end
    while (this.row < end && openTime[this.row] < time) this.row++
  }

  async close(): Promise<void> {
    await this.#slices.return?.()
  }
}
