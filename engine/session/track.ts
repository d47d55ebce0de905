import { CandleView, copyCandle, type Candle } from '../core/candle.ts'
import type { IndicatorBook } from '../core/indicators.ts'
import { SnapshotView } from '../core/snapshot.ts'
import { timeframeMs, type Timeframe } from '../core/timeframe.ts'
import type { EpochMs } from '../core/time.ts'
import type { WordingPlan } from '../core/wording.ts'
import type { Consultation } from '../pipeline/consultation.ts'
import { StrategyConversation } from '../pipeline/conversation.ts'
import type { CandleBatch, Strategy } from '../ports.ts'

export interface TrackPlan extends Pick<WordingPlan, 'tickSize' | 'blind'> {
  readonly index: number
  readonly symbol: string
  readonly timeframe: Timeframe
  readonly book: IndicatorBook
  readonly strategy: Strategy
  readonly params: unknown
}

/** What all lanes share of one symbol: candles, indicators, snapshot, opinions. Always looks at one row of a batch. */
export class Track {
  readonly index: number
  readonly symbol: string
  readonly snapshot: SnapshotView
  readonly conversation: StrategyConversation
  readonly candle = new CandleView()
  /** Row of the batch that is looked at. */
  row = 0
  /** Number of the decision candle that is looked at; between batches, of the one in progress. */
  number = 0
  /** Open time of the candle that is looked at. */
  openTime: EpochMs = 0
  /** How long after its close the candle became known, in ms. */
  arrivedLateMs = 0
  /** The candle became known too late to decide on. */
  missed = false
  /** Rows of the batch at which BUY or SELL was said, ascending, `actingCount` of them. */
  acting = new Int32Array(64)
  actingCount = 0
  /** Copy of the newest closed decision candle. */
  last: Candle | null = null
  /** Copy of the newest candle, finer ones included, that orders have met. */
  settled: Candle | null = null
  readonly #book: IndicatorBook
  readonly #ms: number
  #batch: CandleBatch | null = null
  /** What was said at each row since `begin`; null during warm-up. */
  readonly #said: (Consultation | null)[] = []
  #start = 0
  #offset = 0
  #base = 0
  #idTime: EpochMs = -1
  #entryId = ''
  #exitId = ''

  constructor({ index, symbol, timeframe, book, strategy, params, tickSize, blind }: TrackPlan) {
    this.index = index
    this.symbol = symbol
    this.#book = book
    this.#ms = timeframeMs(timeframe)
    this.snapshot = new SnapshotView(symbol, book)
    this.conversation = new StrategyConversation(strategy, params, this.snapshot, { tickSize, blind, timeframe })
  }

  /** Takes a batch of decision candles: its indicators are computed, its rows can be looked at. */
  open(batch: CandleBatch): void {
    const { columns, start, end } = batch
    this.#offset = this.#book.append(columns, start, end) - start
    this.#base = this.number - start
    this.#batch = batch
    this.begin(start)
  }

  /** Forgets what was said: opinions are noted anew from `row` on. */
  begin(row: number): void {
    this.#start = row
    this.actingCount = 0
  }

  /** Looks at the candle of one row, closed. */
  at(row: number): void {
    const { columns } = this.#batch!
    this.row = row
    this.number = this.#base + row
    this.openTime = columns.openTime[row]
    this.candle.move(columns, row)
    this.snapshot.move(row + this.#offset, this.openTime + this.#ms, columns.close[row], columns.volume[row])
  }

  /** Notes what was said at the row that is looked at; null during warm-up. */
  note(consultation: Consultation | null): void {
    this.#said[this.row - this.#start] = consultation
    if (consultation === null || consultation.opinion.action === 'HOLD') return
    if (this.actingCount === this.acting.length) {
      const grown = new Int32Array(this.acting.length * 2)
      grown.set(this.acting)
      this.acting = grown
    }
    this.acting[this.actingCount++] = this.row
  }

  /** What was said at the row that is looked at. */
  get said(): Consultation | null {
    return this.#said[this.row - this.#start]
  }

  /** Copies the batch's last candle: its columns may change once the next event is asked for. */
  keep(): void {
    this.at(this.#batch!.end - 1)
    this.last = copyCandle(this.candle)
    if (this.#batch!.settles) this.settled = this.last
  }

  /** The candles of the batch have been decided on; the next one is in progress. */
  advance(): void {
    this.number = this.#base + this.#batch!.end
  }

  /** An order of a person's, at the moment in which it was asked for. */
  operatorId(time: EpochMs): string {
    return `${this.index}-${Math.floor(time / 1000)}-close`
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
