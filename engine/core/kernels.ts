import type { CandleColumns } from './candle.ts'

/** A price or volume column that an indicator reads. */
export type Source = 'open' | 'high' | 'low' | 'close' | 'volume'

/** Fills `out[at + k]` from row `start + k`, k = 0 … end − start − 1, carrying its state from call to call. NaN before the first value. */
export interface IndicatorKernel {
  run(columns: CandleColumns, start: number, end: number, out: Float64Array, at: number): void
}

/** The column itself, so that a strategy can look back at plain prices. */
export class SourceKernel implements IndicatorKernel {
  readonly #source: Source

  constructor(source: Source) {
    this.#source = source
  }

  run(columns: CandleColumns, start: number, end: number, out: Float64Array, at: number): void {
    out.set(columns[this.#source].subarray(start, end), at)
  }
}

/**
 * Simple moving average: Σ of the last n values ÷ n; the first value is at row n − 1.
 *
 * A plain running sum drifts, and a crossing of two averages can turn on its last bit. This one carries the rounding
 * error of every addition beside the sum (Knuth's TwoSum; Ogita, Rump & Oishi, "Accurate sum and dot product", 2005), so
 * that the sum is the correctly rounded sum of the window as long as its values span fewer than about 100 bits.
 */
export class SmaKernel implements IndicatorKernel {
  readonly #source: Source
  /** The window; `#slot` is its oldest value. Starts as zeros, whose leaving changes nothing. */
  readonly #ring: Float64Array
  #slot = 0
  #seen = 0
  /** The window's sum is `#sum + #rest`. */
  #sum = 0
  #rest = 0

  constructor(period: number, source: Source) {
    this.#source = source
    this.#ring = new Float64Array(period)
  }

  run(columns: CandleColumns, start: number, end: number, out: Float64Array, at: number): void {
    const values = columns[this.#source]
    const ring = this.#ring
    const n = ring.length
    let slot = this.#slot
    let sum = this.#sum
    let rest = this.#rest
    for (let row = start, to = at; row < end; row++, to++) {
      const value = values[row]
      const leaving = ring[slot]
      ring[slot] = value
      // value − leaving = change + changeError, and sum + change = next + sumError, exactly.
      const change = value - leaving
      const a = change - value
      const changeError = (value - (change - a)) - (leaving + a)
      const next = sum + change
      const b = next - sum
      const sumError = (sum - (next - b)) + (change - b)
      sum = next
      rest += sumError
      rest += changeError
      out[to] = (sum + rest) / n
      if (++slot === n) {
        // Once a window the error goes back into the sum and stays small for ever. Counted in rows, never in batches:
        // cutting the tape elsewhere must not change a bit.
        slot = 0
        const whole = sum + rest
        const c = whole - sum
        rest = (sum - (whole - c)) + (rest - c)
        sum = whole
      }
    }
    this.#slot = slot
    this.#sum = sum
    this.#rest = rest
    out.fill(NaN, at, at + Math.max(0, Math.min(end - start, n - 1 - this.#seen)))
    this.#seen = Math.min(n, this.#seen + end - start)
  }
}

/**
 * Exponential moving average: e ← e + (x − e)·2/(n + 1), seeded at row n − 1 with the mean of the first n values
 * (StockCharts ChartSchool, "Moving Averages").
 */
export class EmaKernel implements IndicatorKernel {
  readonly #source: Source
  readonly #period: number
  #seen = 0
  /** The sum of the values seen before the seed, then the average. */
  #state = 0

  constructor(period: number, source: Source) {
    this.#source = source
    this.#period = period
  }

  run(columns: CandleColumns, start: number, end: number, out: Float64Array, at: number): void {
    const values = columns[this.#source]
    const n = this.#period
    const weight = 2 / (n + 1)
    let state = this.#state
    let row = start
    let to = at
    for (; row < end && this.#seen < n; row++, to++) {
      state += values[row]
      if (++this.#seen === n) state /= n
      out[to] = this.#seen === n ? state : NaN
    }
    for (; row < end; row++, to++) {
      state += (values[row] - state) * weight
      out[to] = state
    }
    this.#state = state
  }
}

/** RSI of an average gain and an average loss, both ≥ 0: 100 − 100/(1 + gain/loss); 100 without losses, 50 when nothing moved. */
export const relativeStrength = (gain: number, loss: number): number =>
  loss > 0 ? 100 - 100 / (1 + gain / loss) : gain > 0 ? 100 : 50

/**
 * Relative strength index (J. W. Wilder, "New Concepts in Technical Trading Systems", 1978), unrounded. The first value
 * is at row n, from the plain means of the first n gains and losses; then mean ← (mean·(n − 1) + x)/n.
 */
export class RsiKernel implements IndicatorKernel {
  readonly #source: Source
  readonly #period: number
  /** Values seen, up to n + 1. */
  #seen = 0
  #previous = 0
  /** Sums until the first value, then means. */
  #gain = 0
  #loss = 0

  constructor(period: number, source: Source) {
    this.#source = source
    this.#period = period
  }

  run(columns: CandleColumns, start: number, end: number, out: Float64Array, at: number): void {
    const row = this.#start(columns[this.#source], start, end, out, at)
    this.#continue(columns[this.#source], row, end, out, at + row - start)
  }

  /** Rows up to the first value; returns the row after them. */
  #start(values: Float64Array, start: number, end: number, out: Float64Array, at: number): number {
    const n = this.#period
    let row = start
    for (; row < end && this.#seen <= n; row++) {
      const value = values[row]
      const change = this.#seen === 0 ? 0 : value - this.#previous
      if (change > 0) this.#gain += change
      else this.#loss -= change
      this.#previous = value
      if (this.#seen++ === n) {
        this.#gain /= n
        this.#loss /= n
      }
      out[at + row - start] = this.#seen > n ? relativeStrength(this.#gain, this.#loss) : NaN
    }
    return row
  }

  #continue(values: Float64Array, start: number, end: number, out: Float64Array, at: number): void {
    const n = this.#period
    const keep = n - 1
    let previous = this.#previous
    let gain = this.#gain
    let loss = this.#loss
    for (let row = start, to = at; row < end; row++, to++) {
      const value = values[row]
      const change = value - previous
      previous = value
      // |x| ± x is 2x or 0, exactly, and unlike a comparison it cannot be predicted wrongly on every other candle.
      const size = Math.abs(change)
      gain = (gain * keep + (size + change) * 0.5) / n
      loss = (loss * keep + (size - change) * 0.5) / n
      out[to] = relativeStrength(gain, loss)
    }
    this.#previous = previous
    this.#gain = gain
    this.#loss = loss
  }
}
