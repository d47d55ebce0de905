import { makeDeps, openMarket, SimulatedClock, type World } from './assemble.ts'
import type { Resolution } from './config/resolve.ts'
import { candleColumns, type CandleColumns } from './core/candle.ts'
import { instrumentOf, type Instrument } from './core/instrument.ts'
import type { Timeframe } from './core/timeframe.ts'
import { TapedeckError } from './errors.ts'
import type { MarketSource } from './ports.ts'

interface Tape {
  readonly timeframe: Timeframe
  readonly columns: CandleColumns
  readonly rows: number
}

export interface LoadedTape extends Tape {
  readonly symbol: string
  readonly finer: Tape | null
}

/** The scenario's instruments as it writes them. */
export const writtenInstruments = (
  { symbols, instruments }: Resolution['scenario'],
): Readonly<Record<string, Instrument>> =>
  Object.fromEntries(symbols.map((symbol) => [symbol, instrumentOf(symbol, instruments[symbol])]))

/** The scenario's own market, read as a backtest reads it. */
export function openTape(
  { scenario, folder, plugins: { market } }: Resolution, world: World,
): Promise<MarketSource> | MarketSource {
  const deps = makeDeps(world, new SimulatedClock(), scenario.seed, market.env)
  return openMarket(scenario, folder, market, writtenInstruments(scenario), deps)
}

/** All candles of a tape, by symbol, in memory. */
export async function loadTape(market: MarketSource, symbols: readonly string[]): Promise<readonly LoadedTape[]> {
  const found = symbols.map((symbol) => ({ symbol, main: new Growing(), finer: new Growing() }))
  for await (const event of market.events()) {
    if (event.kind !== 'candles') continue
    const one = found.find(({ symbol }) => symbol === event.symbol)!
    const into = event.decides ? one.main : one.finer
    into.add(event.timeframe, event.columns, event.start, event.end)
  }
  return found.map(({ symbol, main, finer }) =>
    ({ symbol, ...main.tape(), finer: finer.rows === 0 ? null : finer.tape() }))
}

const COLUMNS = ['openTime', 'open', 'high', 'low', 'close', 'volume'] as const

class Growing {
  rows = 0
  #columns = candleColumns(4096)
  #timeframe: Timeframe = '1h'

  add(timeframe: Timeframe, columns: CandleColumns, start: number, end: number): void {
    this.#timeframe = timeframe
    const needed = this.rows + end - start
    if (needed > this.#columns.openTime.length) {
      const grown = candleColumns(Math.max(needed, 2 * this.#columns.openTime.length))
      for (const name of COLUMNS) grown[name].set(this.#columns[name])
      this.#columns = grown
    }
    for (const name of COLUMNS) this.#columns[name].set(columns[name].subarray(start, end), this.rows)
    this.rows = needed
  }

  tape(): Tape {
    return { timeframe: this.#timeframe, columns: this.#columns, rows: this.rows }
  }
}

/** The moment at which every symbol's warm-up has just closed: from there on decisions are made. */
export function startOf(tapes: readonly LoadedTape[], warmup: number): number {
  const short = tapes.find(({ rows }) => rows <= warmup)
  if (short !== undefined) {
    throw new TapedeckError('TD_TAPE_EMPTY',
      `${short.symbol}: the tape has ${short.rows} candle${short.rows === 1 ? '' : 's'}, and the strategy's warm-up takes ${warmup}: `
      + `none is left to rehearse; widen market.from and market.to (--from, --to) to at least ${warmup + 1}`)
  }
  return Math.max(...tapes.map(({ columns }) => columns.openTime[warmup]))
}
