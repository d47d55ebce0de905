import { candleColumns, type CandleColumns } from '../core/candle.ts'
import type { CandleBatch } from '../ports.ts'

const FIRST_ROOM = 4096

/** One symbol's decision candles, all of them; row = candle number. */
export class SymbolTape {
  columns: CandleColumns = candleColumns(FIRST_ROOM)
  length = 0

  add(from: CandleColumns, start: number, end: number): void {
    const room = this.columns.openTime.length
    const needed = this.length + end - start
    if (needed > room) {
      const grown = candleColumns(Math.max(needed, room * 2))
      for (const name of NAMES) grown[name].set(this.columns[name].subarray(0, this.length))
      this.columns = grown
    }
    for (const name of NAMES) this.columns[name].set(from[name].subarray(start, end), this.length)
    this.length = needed
  }
}

const NAMES = ['openTime', 'open', 'high', 'low', 'close', 'volume'] as const

/** A tape's decision candles by symbol, for questions that only the whole tape answers. */
export class TapeColumns {
  readonly symbols: readonly SymbolTape[]
  readonly #names: readonly string[]

  constructor(symbols: readonly string[]) {
    this.#names = symbols
    this.symbols = symbols.map(() => new SymbolTape())
  }

  readonly observe = ({ decides, symbol, columns, start, end }: CandleBatch): void => {
    if (decides) this.symbols[this.#names.indexOf(symbol)].add(columns, start, end)
  }
}
