import { CandleView, type Candle, type CandleColumns } from '../../engine/core/candle.ts'
import { timeframeMs, type Timeframe } from '../../engine/core/timeframe.ts'
import type { EpochMs } from '../../engine/core/time.ts'

/** One symbol's candles; rows 0 … rows − 1, ascending, gaps possible. */
export interface PracticeTape {
  /** 'BTC/USDT'. */
  readonly symbol: string
  readonly timeframe: Timeframe
  readonly columns: CandleColumns
  readonly rows: number
  /** Finer candles that resting orders meet at their own closes instead; null = whole candles. */
  readonly finer: { readonly timeframe: Timeframe; readonly columns: CandleColumns; readonly rows: number } | null
}

/** Candles of one timeframe, and how far time has come in them. */
export class Series {
  readonly timeframe: Timeframe
  /** Length of a candle in ms. */
  readonly step: number
  readonly columns: CandleColumns
  readonly rows: number
  readonly #view = new CandleView()
  /** The first row that has not closed. */
  #cursor = 0

  constructor({ timeframe, columns, rows }: { readonly timeframe: Timeframe; readonly columns: CandleColumns; readonly rows: number }) {
    this.timeframe = timeframe
    this.step = timeframeMs(timeframe)
    this.columns = columns
    this.rows = rows
  }

  /** How many rows have closed. */
  get closed(): number {
    return this.#cursor
  }

  /** When the candle in progress, or the next one, closes; Infinity after the last. */
  get nextClose(): EpochMs {
    return this.#cursor < this.rows ? this.columns.openTime[this.#cursor] + this.step : Infinity
  }

  get end(): EpochMs {
    return this.rows === 0 ? -Infinity : this.columns.openTime[this.rows - 1] + this.step
  }

  /** Time only moves forward. */
  reach(now: EpochMs): void {
    while (this.nextClose <= now) this.#cursor++
  }

  /** The newest closed candle; valid until the next call. */
  newest(): Candle {
    return this.#view.move(this.columns, this.#cursor - 1)
  }

  inProgress(now: EpochMs): boolean {
    return this.#cursor < this.rows && this.columns.openTime[this.#cursor] <= now
  }

  /** The open of the candle in progress; between candles the last close; before all of them the first open. */
  price(now: EpochMs): number {
    if (this.inProgress(now)) return this.columns.open[this.#cursor]
    return this.#cursor > 0 ? this.columns.close[this.#cursor - 1] : this.columns.open[0]
  }

  /** The first row that opens at or after `time`. */
  rowAt(time: EpochMs): number {
    let low = 0
    let high = this.rows
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.columns.openTime[middle] < time) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** One symbol's market: what its clients see, and what its resting orders meet. */
export class Tape {
  readonly candles: Series
  /** Orders meet these: the finer candles where there are some. */
  readonly settling: Series

  constructor(tape: PracticeTape) {
    this.candles = new Series(tape)
    this.settling = tape.finer === null ? this.candles : new Series(tape.finer)
  }

  get nextClose(): EpochMs {
    return Math.min(this.candles.nextClose, this.settling.nextClose)
  }

  get end(): EpochMs {
    return Math.max(this.candles.end, this.settling.end)
  }

  /** Moves to `now`, no further than the next close; true when a candle that orders meet has closed. */
  reach(now: EpochMs): boolean {
    const closes = this.settling.nextClose <= now
    this.candles.reach(now)
    this.settling.reach(now)
    return closes
  }

  price(now: EpochMs): number {
    return this.settling.price(now)
  }

  series(interval: string): Series | null {
    return [this.candles, this.settling].find(({ timeframe }) => timeframe === interval) ?? null
  }
}
