import { CandleView, copyCandle, type Candle } from '../core/candle.ts'
import type { IndicatorBook } from '../core/indicators.ts'
import { SnapshotView } from '../core/snapshot.ts'
import type { EpochMs } from '../core/time.ts'
import { emptyConsultation, type Consultation } from '../pipeline/consultation.ts'
import { StrategyConversation } from '../pipeline/conversation.ts'
import type { CandleBatch, Strategy } from '../ports.ts'

/** What all lanes share of one symbol: candles, indicators, snapshot, opinion. */
export class Track {
  readonly index: number
  readonly symbol: string
  readonly snapshot: SnapshotView
  readonly conversation: StrategyConversation
  readonly consultation: Consultation = emptyConsultation()
  readonly candle = new CandleView()
  /** Decision candles closed so far; also the number of the one in progress. */
  count = 0
  /** Copy of the newest closed decision candle. */
  last: Candle | null = null
  readonly #book: IndicatorBook
  #idTime: EpochMs = -1
  #entryId = ''
  #exitId = ''

  constructor(index: number, symbol: string, book: IndicatorBook, strategy: Strategy, params: unknown) {
    this.index = index
    this.symbol = symbol
    this.#book = book
    this.snapshot = new SnapshotView(symbol, book)
    this.conversation = new StrategyConversation(strategy, params, this.snapshot)
  }

  /** Feeds a batch to the indicators; returns the offset from the batch's rows to the book's. */
  append({ columns, start, end }: CandleBatch): number {
    return this.#book.append(columns, start, end) - start
  }

  /** The candle in `this.candle` has closed at `time` and sits in the book at `row`. */
  close(row: number, time: EpochMs): void {
    this.count++
    this.snapshot.move(row, time, this.candle.close, this.candle.volume)
  }

  /** Keeps the newest candle beyond the life of its batch. */
  keep(): void {
    this.last = copyCandle(this.candle)
  }

  /** Order ids derive from symbol, decision and purpose, so that the same decision always names the same order. */
  orderId(purpose: 'entry' | 'exit'): string {
    if (this.#idTime !== this.snapshot.time) {
      this.#idTime = this.snapshot.time
      // Seconds, since no timeframe is shorter, and since they are integers that print fast.
      const stem = `${this.index}-${Math.floor(this.snapshot.time / 1000)}`
      this.#entryId = `${stem}-entry`
      this.#exitId = `${stem}-exit`
    }
    return purpose === 'entry' ? this.#entryId : this.#exitId
  }
}
