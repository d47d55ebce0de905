import type { Candle } from '../../../engine/core/candle.ts'
import type { EpochMs } from '../../../engine/core/time.ts'
import type { CandleFeed } from './candle-feed.ts'

/** Candles between decisions, on which orders are settled: told up to the close that is decided on next, and no further. */
export class FineCandles {
  readonly #feeds: readonly CandleFeed[]
  readonly #step: number

  /** `step` is their length in ms. */
  constructor(feeds: readonly CandleFeed[], step: number) {
    this.#feeds = feeds
    this.#step = step
  }

  /** Whether all that closes up to `close` is known. */
  reached(close: EpochMs): boolean {
    return this.#feeds.every(({ next }) => next !== null && next >= close)
  }

  /** Takes what has closed up to `close`, symbol by symbol. */
  *take(close: EpochMs): Generator<{ readonly symbol: string; readonly candles: readonly Candle[] }> {
    for (const { symbol, ready } of this.#feeds) {
      const count = ready.filter(({ openTime }) => openTime + this.#step <= close).length
      if (count > 0) yield { symbol, candles: ready.splice(0, count) }
    }
  }
}
