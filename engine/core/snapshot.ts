import type { IndicatorBook } from './indicators.ts'
import type { EpochMs } from './time.ts'

export type Trend = 'UP' | 'DOWN' | 'SIDEWAYS'

/** What a decision may see: built from closed candles only, so that looking ahead is impossible by construction. */
export interface Snapshot {
  readonly symbol: string
  /** The decision's timestamp: open time + timeframe of the newest closed candle. */
  readonly time: EpochMs
  /** Newest close. */
  readonly price: number
  /** Base volume of the newest candle. */
  readonly volume: number
  /** `ma_short` against `ma_long`; SIDEWAYS when equal or when the strategy has no such indicators. */
  readonly trend: Trend
  /** The names of the strategy's indicators, in its order. */
  readonly names: readonly string[]
  /** An indicator `back` candles ago, 0 ≤ back ≤ warm-up; NaN before it has a value. Throws on an unknown name. */
  value(name: string, back?: number): number
  /** Whether the asking lane holds the symbol. Only for strategies with `usesPortfolio`; others may not ask. */
  readonly inPosition: boolean
}

/** The one implementation: a view that moves over the indicator book's rows and allocates nothing. */
export class SnapshotView implements Snapshot {
  readonly symbol: string
  readonly names: readonly string[]
  time: EpochMs = 0
  price = 0
  volume = 0
  readonly #book: IndicatorBook
  readonly #short: number
  readonly #long: number
  #row = 0
  #position: boolean | null = null

  constructor(symbol: string, book: IndicatorBook) {
    this.symbol = symbol
    this.#book = book
    this.names = book.names
    this.#short = book.names.indexOf('ma_short')
    this.#long = book.names.indexOf('ma_long')
  }

  move(row: number, time: EpochMs, price: number, volume: number): this {
    this.#row = row
    this.time = time
    this.price = price
    this.volume = volume
    return this
  }

  value(name: string, back = 0): number {
    const names = this.names
    for (let index = 0; index < names.length; index++) {
      if (names[index] === name) return this.#book.at(index, this.#row, back)
    }
    throw new RangeError(`snapshot has no indicator "${name}"; this strategy declares: ${names.join(', ') || 'none'}`)
  }

  /** An indicator by its position in `names`. */
  nth(index: number): number {
    return this.#book.at(index, this.#row, 0)
  }

  get trend(): Trend {
    if (this.#short < 0 || this.#long < 0) return 'SIDEWAYS'
    const short = this.nth(this.#short)
    const long = this.nth(this.#long)
    return short > long ? 'UP' : short < long ? 'DOWN' : 'SIDEWAYS'
  }

  /** Tells whose position the snapshot shows; null hides it. */
  show(inPosition: boolean | null): void {
    this.#position = inPosition
  }

  get inPosition(): boolean {
    if (this.#position === null) throw new Error('only a strategy with usesPortfolio: true may ask for the position')
    return this.#position
  }
}
