import type { CandleColumns } from '../core/candle.ts'
import { DAY_MS, type EpochMs } from '../core/time.ts'

/**
 * Equity over time, from marks at candle closes. A mark counts when the next one comes or at the end, so that what
 * happens at the last close can still correct it. Days without marks repeat the last value; so do lanes that sleep.
 */
export class EquityCurve {
  #value: number
  #peak: number
  #maxDrawdown = 0
  #firstDay = -1
  #day = -1
  #days = new Float64Array(64)
  #length = 0

  constructor(startCash: number) {
    this.#value = this.#peak = startCash
  }

  copy(): EquityCurve {
    const copy = new EquityCurve(this.#value)
    copy.#peak = this.#peak
    copy.#maxDrawdown = this.#maxDrawdown
    copy.#firstDay = this.#firstDay
    copy.#day = this.#day
    copy.#days = this.#days.slice()
    copy.#length = this.#length
    return copy
  }

  /** The tape's first candle, whether or not the lane has anything to mark there. */
  start(time: EpochMs): void {
    this.#firstDay = this.#day = Math.floor(time / DAY_MS)
  }

  /** Newest equity. */
  get value(): number {
    return this.#value
  }

  /** `closeTime` is the candle's last millisecond, so that midnight's close belongs to the day that ends. */
  mark(closeTime: EpochMs, value: number): void {
    this.#commit()
    if (closeTime >= (this.#day + 1) * DAY_MS) this.#fillUpTo(Math.floor(closeTime / DAY_MS))
    this.#value = value
  }

  /**
   * Marks `cash + quantity × close` at the closes of rows `row …` for as long as they stay strictly between two prices.
   * Returns the first row that does not, or `until`. The same as {@link mark} row by row, without its bookkeeping.
   */
  glide(
    { openTime, low: lows, high: highs, close: closes }: CandleColumns, row: number, until: number, low: number, high: number,
    cash: number, quantity: number, candleMs: number,
  ): number {
    let value = this.#value
    let peak = this.#peak
    let worst = this.#maxDrawdown
    let dayEnd = (this.#day + 1) * DAY_MS
    const span = candleMs - 1
    for (; row < until; row++) {
      if (lows[row] <= low || highs[row] >= high) break
      if (value > peak) peak = value
      else {
        const drawdown = value / peak - 1
        if (drawdown < worst) worst = drawdown
      }
      if (openTime[row] + span >= dayEnd) {
        this.#value = value
        this.#fillUpTo(Math.floor((openTime[row] + span) / DAY_MS))
        dayEnd = (this.#day + 1) * DAY_MS
      }
      value = cash + quantity * closes[row]
    }
    this.#value = value
    this.#peak = peak
    this.#maxDrawdown = worst
    return row
  }

  /** Corrects the newest mark. */
  remark(value: number): void {
    this.#value = value
  }

  /** Ends the curve at the last candle's time. */
  finish(lastTime: EpochMs): { dailyEquity: Float64Array; firstDay: number; maxDrawdown: number } {
    this.#commit()
    this.#fillUpTo(Math.floor(lastTime / DAY_MS) + 1)
    return { dailyEquity: this.#days.slice(0, this.#length), firstDay: this.#firstDay, maxDrawdown: this.#maxDrawdown }
  }

  #commit(): void {
    const value = this.#value
    if (value > this.#peak) this.#peak = value
    else {
      const drawdown = value / this.#peak - 1
      if (drawdown < this.#maxDrawdown) this.#maxDrawdown = drawdown
    }
  }

  #fillUpTo(day: number): void {
    for (; this.#day < day; this.#day++) this.#push(this.#value)
  }

  #push(value: number): void {
    if (this.#length === this.#days.length) {
      const grown = new Float64Array(this.#length * 2)
      grown.set(this.#days)
      this.#days = grown
    }
    this.#days[this.#length++] = value
  }
}
