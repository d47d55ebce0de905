import type { CandleColumns } from './candle.ts'

/** A price or volume column that an indicator reads. */
export type Source = 'open' | 'high' | 'low' | 'close' | 'volume'

/**
 * Fills `out[at + k]` from row `start + k`, k = 0 … end − start − 1, carrying its state from call to call. NaN before
 * the first value.
 */
export interface IndicatorKernel {
  run(columns: CandleColumns, start: number, end: number, out: Float64Array, at: number): void
}

/** A strategy's indicators over one symbol's candles, computed batch by batch and kept as far back as may be asked. */
export interface IndicatorBook {
  readonly names: readonly string[]
  /** Takes rows `start … end − 1`; returns the book row of `start`. Rows over `history` before it are forgotten. */
  append(columns: CandleColumns, start: number, end: number): number
  /**
   * Indicator number `index` at book row `row − back`; NaN before its first value. Throws a RangeError when `back` is
   * negative, beyond the history or not whole.
   */
  at(index: number, row: number, back: number): number
}

const SLICE = 256

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
 * error of every addition beside the sum (Knuth's TwoSum; Ogita, Rump & Oishi, "Accurate Sum and Dot Product", 2005),
 * so that it is the correctly rounded sum of the window as long as its values span fewer than about 100 bits.
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
  /** The sum of the values until the seed, without and with only its rounding errors; then the average. */
  #state = 0
  #rest = 0

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
      const value = values[row]
      const sum = state + value
      const added = sum - state
      // As in the SMA, so that the first value is the SMA's to the last bit.
      this.#rest += (state - (sum - added)) + (value - added)
      state = ++this.#seen === n ? (sum + this.#rest) / n : sum
      out[to] = this.#seen === n ? state : NaN
    }
    for (; row < end; row++, to++) {
      state += (values[row] - state) * weight
      out[to] = state
    }
    this.#state = state
  }
}

/** RSI of a mean gain and a mean loss, both ≥ 0: 100 − 100/(1 + gain/loss); 100 without losses, 50 if nothing moved. */
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

/** One candle, copied: indicators that work row by row may keep it. */
export type Tick = Readonly<Record<Source, number>>
/** Takes one row's value (a number) or candle (a {@link Tick}); answers a number, lines by name, or nothing yet. */
export type Step = (input: never) => unknown

/** Any indicator that works row by row. What is not a finite number counts as no value. */
export class StepKernel implements IndicatorKernel {
  readonly #step: (input: number | Tick) => unknown
  readonly #source: Source | null
  readonly #line: string | null

  /** `source` null = feeds whole candles; `line` null = the answer is the value. */
  constructor(step: Step, source: Source | null, line: string | null) {
    this.#step = step as (input: number | Tick) => unknown
    this.#source = source
    this.#line = line
  }

  run(columns: CandleColumns, start: number, end: number, out: Float64Array, at: number): void {
    const line = this.#line
    for (let row = start, to = at; row < end; row++, to++) {
      const answer = this.#step(this.#source === null ? tickAt(columns, row) : columns[this.#source][row])
      const value = line === null ? answer : (answer as Record<string, unknown> | undefined)?.[line]
      out[to] = Number.isFinite(value) ? value as number : NaN
    }
  }
}

const tickAt = (columns: CandleColumns, row: number): Tick => ({
  open: columns.open[row],
  high: columns.high[row],
  low: columns.low[row],
  close: columns.close[row],
  volume: columns.volume[row],
})

/** The one implementation of a book: a column per kernel, of `history` older rows and room for batches. */
export class Book implements IndicatorBook {
  readonly names: readonly string[]
  readonly #kernels: readonly IndicatorKernel[]
  readonly #history: number
  #columns: Float64Array[]
  #end: number
  #capacity: number

  /** Kernel `i` belongs to `names[i]`. */
  constructor(names: readonly string[], kernels: readonly IndicatorKernel[], history: number) {
    if (!Number.isInteger(history) || history < 0) throw new RangeError(`history ${history} is not a count of candles`)
    this.names = names
    this.#kernels = kernels
    this.#history = history
    // The tape begins after `history` rows of NaN, so that looking back from its first rows needs no check.
    this.#columns = names.map(() => new Float64Array(history).fill(NaN))
    this.#capacity = this.#end = history
  }

  append(columns: CandleColumns, start: number, end: number): number {
    if (this.#end + end - start > this.#capacity) this.#makeRoom(end - start)
    const at = this.#end
    // Short calls, made often: a loop over a whole batch is compiled while it runs, and thrown away at its end.
    for (let row = start; row < end; row += SLICE) {
      const until = Math.min(end, row + SLICE)
      for (let index = 0; index < this.#kernels.length; index++) {
        this.#kernels[index].run(columns, row, until, this.#columns[index], at + row - start)
      }
    }
    this.#end = at + end - start
    return at
  }

  at(index: number, row: number, back: number): number {
    if (back >>> 0 !== back || back > this.#history) this.#refuse(index, back)
    return this.#columns[index][row - back]
  }

  #refuse(index: number, back: number): never {
    throw new RangeError(
      `"${this.names[index]}" was asked for ${back} candles back: it must be a whole number from 0 to ${this.#history}`,
    )
  }

  /** Keeps the last `history` rows. There is room for as many new ones as are moved: a row costs the same, always. */
  #makeRoom(rows: number): void {
    const from = this.#end - this.#history
    const needed = this.#history + rows
    if (needed <= this.#capacity) {
      for (const column of this.#columns) column.copyWithin(0, from, this.#end)
    } else {
      const capacity = Math.max(needed, 2 * this.#history, 256)
      this.#columns = this.#columns.map((old) => {
        const column = new Float64Array(capacity)
        column.set(old.subarray(from, this.#end))
        return column
      })
      this.#capacity = capacity
    }
    this.#end = this.#history
  }
}
