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

  /** The tape's first candle, whether or not the lane has anything to mark there. */
  start(time: EpochMs): void {
    this.#firstDay = this.#day = Math.floor(time / DAY_MS)
  }

  /** Newest equity. */
  get value(): number {
    return this.#value
  }

  /** `day`: whole days since 1970-01-01 of the candle's close. */
  mark(day: number, value: number): void {
    this.#commit()
    if (day !== this.#day) this.#fillUpTo(day)
    this.#value = value
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
