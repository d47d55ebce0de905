import { candleColumns, setRow, type Candle, type CandleColumns } from '../../engine/core/candle.ts'
import { seededRandom } from '../../engine/core/random.ts'
import { timeframeMs, type Timeframe } from '../../engine/core/timeframe.ts'
import type { CandleBatch, MarketSource } from '../../engine/ports.ts'
import { instrumentOf } from '../../engine/core/instrument.ts'

/** A market of one symbol whose candles are already in memory, in batches of `batch` rows. */
export class MemoryMarket implements MarketSource {
  readonly #columns: CandleColumns
  readonly #timeframe: Timeframe
  readonly #symbol: string
  readonly #batch: number

  constructor(columns: CandleColumns, timeframe: Timeframe, symbol = 'BTC/USDT', batch = 4096) {
    this.#columns = columns
    this.#timeframe = timeframe
    this.#symbol = symbol
    this.#batch = batch
  }

  instrument(symbol: string): ReturnType<typeof instrumentOf> {
    return instrumentOf(symbol)
  }

  async *events(): AsyncGenerator<CandleBatch> {
    const rows = this.#columns.openTime.length
    for (let start = 0; start < rows; start += this.#batch) {
      yield {
        kind: 'candles', symbol: this.#symbol, timeframe: this.#timeframe, columns: this.#columns, start,
        end: Math.min(rows, start + this.#batch), settles: true, decides: true, more: false,
      }
    }
  }
}

export function columnsOf(candles: readonly Candle[]): CandleColumns {
  const columns = candleColumns(candles.length)
  candles.forEach((candle, row) => setRow(columns, row, candle))
  return columns
}

/** The same tape, cut short. */
export function firstRows(columns: CandleColumns, rows: number): CandleColumns {
  const cut = candleColumns(rows)
  for (const name of ['openTime', 'open', 'high', 'low', 'close', 'volume'] as const) {
    cut[name].set(columns[name].subarray(0, rows))
  }
  return cut
}

/** A seeded random walk on a grid of cents, sound candle by candle. */
export function randomWalk(rows: number, seed: number, timeframe: Timeframe = '1m', volatility = 0.002): CandleColumns {
  const columns = candleColumns(rows)
  const random = seededRandom(seed)
  const ms = timeframeMs(timeframe)
  const first = 1_577_836_800_000
  const cents = (price: number): number => Math.max(1, Math.round(price * 100)) / 100
  let price = 10_000
  for (let row = 0; row < rows; row++) {
    const open = price
    // A pull towards the start keeps ten million candles in a plausible range.
    const drift = (10_000 - open) / 10_000 * 0.0005
    const close = cents(open * (1 + drift + (random() + random() - 1) * volatility))
    const high = cents(Math.max(open, close) * (1 + random() * volatility * 0.5))
    const low = cents(Math.min(open, close) * (1 - random() * volatility * 0.5))
    setRow(columns, row, {
      openTime: first + row * ms, open, high: Math.max(high, open, close), low: Math.min(low, open, close), close,
      volume: Math.round(random() * 1e5) / 1e3,
    })
    price = close
  }
  return columns
}

/** `candles` candles made of one tape over and over, time going on, in one batch that is reused. */
export class LoopingMarket implements MarketSource {
  readonly #tape: CandleColumns
  readonly #timeframe: Timeframe
  readonly #candles: number

  constructor(tape: CandleColumns, timeframe: Timeframe, candles: number) {
    this.#tape = tape
    this.#timeframe = timeframe
    this.#candles = candles
  }

  instrument(symbol: string): ReturnType<typeof instrumentOf> {
    return instrumentOf(symbol)
  }

  async *events(): AsyncGenerator<CandleBatch> {
    const rows = this.#tape.openTime.length
    const columns = candleColumns(4096)
    const ms = timeframeMs(this.#timeframe)
    for (let row = 0; row < this.#candles;) {
      const from = row % rows
      const count = Math.min(4096, rows - from, this.#candles - row)
      for (const name of ['open', 'high', 'low', 'close', 'volume'] as const) columns[name].set(this.#tape[name].subarray(from, from + count))
      for (let index = 0; index < count; index++) columns.openTime[index] = this.#tape.openTime[0] + (row + index) * ms
      row += count
      yield {
        kind: 'candles', symbol: 'BTC/USDT', timeframe: this.#timeframe, columns, start: 0, end: count, settles: true,
        decides: true, more: false,
      }
    }
  }
}
