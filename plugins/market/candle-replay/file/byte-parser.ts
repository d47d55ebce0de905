import type { CandleColumns } from '../../../../engine/core/candle.ts'
import { TapedeckError } from '../../../../engine/errors.ts'
import { rowError } from '../wording.ts'
import { readRowText, type Layout } from './line-text.ts'

const COMMA = 44 - 48
const DOT = 46 - 48
const NEWLINE = 10 - 48
const RETURN = 13 - 48

/** Integers below this are exact, and so are powers of ten up to 1e22: one division of them rounds as Number() does. */
const EXACT = 2 ** 53
const POWERS = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`))

/**
 * The number in `bytes[start, end)`, digits and at most one dot, that is too long for 32-bit arithmetic. Trailing zeros
 * of the fraction do not count. NaN when the text has anything else in it.
 */
export function longNumber(bytes: Buffer, start: number, end: number): number {
  let mantissa = 0
  let zeros = 0
  let decimals = -1
  for (let at = start; at < end; at++) {
    const digit = bytes[at] - 48
    if (digit === DOT && decimals < 0 && at > start) decimals = 0
    else if (digit >>> 0 > 9) return NaN
    else if (decimals >= 0 && digit === 0) zeros++
    else {
      if (decimals >= 0) decimals += zeros + 1
      const scale = POWERS[zeros + 1] ?? Infinity
      mantissa = mantissa * scale + digit
      zeros = 0
      if (mantissa >= EXACT || decimals > 22) return Number(bytes.toString('latin1', start, end))
    }
  }
  return decimals > 0 ? mantissa / POWERS[decimals] : mantissa
}

/**
 * Turns lines of digits into columns without making a string per cell. A number of up to nine digits before and after
 * the dot is two 32-bit integers; put together they are an exact integer, and dividing it by an exact power of ten
 * rounds once, like Number(). Everything else takes a slower way to the same result.
 */
export class ByteParser {
  readonly columns: CandleColumns
  /** Rows in the columns. */
  rows = 0
  /** The line number of row 0. */
  firstLine: number
  /** What is wrong with the line after the last row: to be thrown once the rows have been used. */
  failure: TapedeckError | null = null
  readonly #file: string
  readonly #layout: Layout
  readonly #prices: readonly Float64Array[]
  #emptyLine = 0

  constructor(file: string, layout: Layout, columns: CandleColumns) {
    this.#file = file
    this.#layout = layout
    this.columns = columns
    this.#prices = [columns.open, columns.high, columns.low, columns.close, columns.volume]
    this.firstLine = layout.header ? 2 : 1
  }

  get full(): boolean {
    return this.rows === this.columns.openTime.length
  }

  /** The rows have been used: makes room. */
  clear(): void {
    this.firstLine += this.rows
    this.rows = 0
  }

  /** Parses whole lines until the columns are full, a line is wrong or `end` is reached; returns where it stopped. */
  parse(bytes: Buffer, start: number, end: number): number {
    const times = this.columns.openTime
    const prices = this.#prices
    const capacity = times.length
    const wide = this.#layout.cells === 12
    const lastCell = wide ? COMMA : NEWLINE
    let row = this.rows
    let line = start
    while (line < end && row < capacity) {
      let at = line
      let digit = 0
      let head = 0
      const nine = at + 9
      while (at < nine && (digit = bytes[at] - 48) >>> 0 < 10) {
        head = (Math.imul(head, 10) + digit) | 0
        at++
      }
      let tail = 0
      const middle = at
      while ((digit = bytes[at] - 48) >>> 0 < 10) {
        tail = (Math.imul(tail, 10) + digit) | 0
        at++
      }
      let good = digit === COMMA && at > line && at - middle <= 9
      times[row] = head * POWERS[(at - middle) & 15] + tail
      for (let cell = 0; good && cell < 5; cell++) {
        const from = ++at
        let whole = 0
        while ((digit = bytes[at] - 48) >>> 0 < 10) {
          whole = (Math.imul(whole, 10) + digit) | 0
          at++
        }
        let value = whole
        let exact = at - from <= 9 && at > from
        if (digit === DOT) {
          const dot = at++
          let fraction = 0
          while ((digit = bytes[at] - 48) >>> 0 < 10) {
            fraction = (Math.imul(fraction, 10) + digit) | 0
            at++
          }
          const decimals = at - dot - 1
          exact &&= decimals <= 9
          const power = POWERS[decimals & 15]
          value = whole * power + fraction
          exact &&= value < EXACT
          value /= power
        }
        if (digit === RETURN && cell === 4 && !wide && bytes[at + 1] === 10) {
          digit = NEWLINE
          at++
        }
        if (!exact) {
          const to = digit === NEWLINE && bytes[at - 1] === 13 ? at - 1 : at
          value = to > from ? longNumber(bytes, from, to) : NaN
        }
        good = digit === (cell === 4 ? lastCell : COMMA) && value === value
        prices[cell][row] = value
      }
      if (good && wide) {
        let commas = 1
        while ((digit = bytes[++at] - 48) !== NEWLINE) if (digit === COMMA) commas++
        good = commas === 6
      }
      if (!good || this.#emptyLine > 0) {
        this.rows = row
        const next = bytes.indexOf(10, line) + 1
        if (this.#slowly(bytes, line, next)) row++
        if (this.failure !== null) return line
        line = next
      } else {
        row++
        line = at + 1
      }
    }
    this.rows = row
    return line
  }

  /** Reads one line as text into row `rows`; false when it was empty or wrong, the latter with `failure` set. */
  #slowly(bytes: Buffer, start: number, next: number): boolean {
    const end = next - 1 > start && bytes[next - 2] === 13 ? next - 2 : next - 1
    const number = this.firstLine + this.rows
    if (end <= start) {
      this.#emptyLine ||= number
      return false
    }
    try {
      if (this.#emptyLine > 0) throw rowError(this.#file, this.#emptyLine, null, 'is empty')
      const [time, ...values] = readRowText(bytes.toString('utf8', start, end), this.#layout, this.#file, number)
      this.columns.openTime[this.rows] = time
      values.forEach((value, cell) => { this.#prices[cell][this.rows] = value })
      return true
    } catch (error) {
      if (!(error instanceof TapedeckError)) throw error
      this.failure = error
      return false
    }
  }
}
