/** Rows per block of the finer and of the coarser level. */
const FINE = 32
const COARSE = 1024

/** Finds the first row of a series of lows and highs that leaves a range, without looking at every row. */
export class RangeIndex {
  readonly #lows: Float64Array
  readonly #highs: Float64Array
  readonly #length: number
  readonly #fine: Extremes
  readonly #coarse: Extremes

  constructor(lows: Float64Array, highs: Float64Array, length: number) {
    this.#lows = lows
    this.#highs = highs
    this.#length = length
    this.#fine = extremes(lows, highs, length, FINE)
    this.#coarse = extremes(this.#fine.low, this.#fine.high, this.#fine.low.length, COARSE / FINE)
  }

  /** The first row ≥ `from` and < `until` with a low at or under `below` or a high at or over `above`; `until` where there is none. */
  firstOutside(from: number, until: number, below: number, above: number): number {
    const end = Math.min(until, this.#length)
    let row = from
    while (row < end) {
      if (row % COARSE === 0 && within(this.#coarse, row / COARSE, below, above)) row += COARSE
      else if (row % FINE === 0 && within(this.#fine, row / FINE, below, above)) row += FINE
      else if (this.#lows[row] > below && this.#highs[row] < above) row++
      else return row
    }
    return end
  }
}

interface Extremes {
  readonly low: Float64Array
  readonly high: Float64Array
}

const within = ({ low, high }: Extremes, block: number, below: number, above: number): boolean => low[block] > below && high[block] < above

function extremes(lows: Float64Array, highs: Float64Array, length: number, size: number): Extremes {
  const blocks = Math.ceil(length / size)
  const low = new Float64Array(blocks).fill(Infinity)
  const high = new Float64Array(blocks).fill(-Infinity)
  for (let row = 0; row < length; row++) {
    const block = Math.floor(row / size)
    if (lows[row] < low[block]) low[block] = lows[row]
    if (highs[row] > high[block]) high[block] = highs[row]
  }
  return { low, high }
}
