import { setImmediate as nextTurn } from 'node:timers/promises'
import { z } from 'zod'
import { candleColumns } from '../../engine/core/candle.ts'
import { instrumentOf, type Instrument } from '../../engine/core/instrument.ts'
import { hashUniform } from '../../engine/core/random.ts'
import { ceilToGrid, timeframeMs, type Timeframe } from '../../engine/core/timeframe.ts'
import { TapedeckError } from '../../engine/errors.ts'
import { timeOption } from '../../engine/options.ts'
import { definePlugin } from '../../engine/ports.ts'
import type { CandleBatch, MarketPlan, MarketSource, TapeFacts } from '../../engine/ports.ts'
import { candleWalk } from './synthetic/walk.ts'

const BATCH_ROWS = 4096

const options = z.strictObject({
  seed: z.int().default(1).describe('the same seed makes the same candles'),
  from: timeOption.default(Date.UTC(2024, 0, 1)).describe('first open time'),
  candles: z.int().positive().default(5000).describe('how many candles each symbol gets'),
  startPrice: z.number().positive().default(30_000).describe('in quote per base, at least 1,000 ticks'),
  tickSize: z.number().positive().default(0.01).describe('price step'),
}).refine(({ startPrice, tickSize }) => startPrice >= 1000 * tickSize, {
  message: 'startPrice must be at least 1,000 times tickSize', path: ['startPrice'],
})
type Options = z.output<typeof options>

class Synthetic implements MarketSource {
  readonly #options: Options
  readonly #plan: MarketPlan
  readonly #signal: AbortSignal
  #made = 0

  constructor(parsed: Options, plan: MarketPlan, signal: AbortSignal) {
    this.#options = parsed
    this.#plan = plan
    this.#signal = signal
  }

  instrument(symbol: string): Instrument {
    return this.#plan.instruments[symbol] ?? instrumentOf(symbol)
  }

  ownTimeframe(): Timeframe {
    return this.#plan.timeframe
  }

  async *events(): AsyncGenerator<CandleBatch> {
    const { seed, candles, startPrice, tickSize } = this.#options
    const { symbols, timeframe } = this.#plan
    const step = timeframeMs(timeframe)
    const from = ceilToGrid(this.#options.from, step)
    const lanes = symbols.map((symbol, index) => {
      const own = index === 0 ? seed : Math.floor(hashUniform(seed, index, 0) * 2 ** 32)
      const columns = candleColumns(Math.min(BATCH_ROWS, candles))
      return { symbol, columns, write: candleWalk({ seed: own, from, step, startPrice, tickSize }) }
    })
    const common = { kind: 'candles', timeframe, settles: true, decides: true } as const
    this.#made = 0
    while (this.#made < candles && !this.#signal.aborted) {
      const rows = Math.min(BATCH_ROWS, candles - this.#made)
      for (const { write, columns } of lanes) write(columns, rows)
      this.#made += rows
      if (lanes.length === 1) {
        yield { ...common, symbol: lanes[0].symbol, columns: lanes[0].columns, start: 0, end: rows, more: false }
      } else {
        for (let row = 0; row < rows && !this.#signal.aborted; row++) {
          for (const [index, { symbol, columns }] of lanes.entries()) {
            yield { ...common, symbol, columns, start: row, end: row + 1, more: index < lanes.length - 1 }
          }
        }
      }
      // Nothing here waits for the outside world: without a pause, Ctrl-C would never be heard.
      await nextTurn()
    }
  }

  progress(): number {
    return this.#made / this.#options.candles
  }

  facts(): TapeFacts {
    return { files: {}, notes: [`synthetic candles, seed ${this.#options.seed}`] }
  }
}

/**
 * Made-up candles from a seed: rises, falls, quiet stretches and crashes, with volatility that comes in clusters. For
 * trying things out; no result on them says anything about a market. Throws TD_PLUGIN_OPTIONS for a fill timeframe.
 */
export default definePlugin({
  kind: 'market',
  name: 'synthetic',
  description: 'Made-up candles from a seed, the same on every machine.',
  options,
  create(parsed, deps, plan) {
    if (plan.fillTimeframe === null) return new Synthetic(parsed, plan, deps.signal)
    throw new TapedeckError('TD_PLUGIN_OPTIONS',
      `market "synthetic" has no ${plan.fillTimeframe} candles to settle orders on: `
      + 'leave out fillTimeframe, or replay recorded candles')
  },
})
