import type { CandleColumns } from '../core/candle.ts'
import type { TradeColumns } from '../core/figures.ts'
import type { Costs } from '../core/matching.ts'
import { seededRandom } from '../core/random.ts'
import type { Baseline } from './report-data.ts'

/** What is left of 1 quote after buying at `entry` and selling at `exit`, market orders both, ÷ 1. */
export function roundTrip(entry: number, exit: number, { taker, feeAsset, slippageBps }: Costs): number {
  const slip = slippageBps / 10_000
  const bought = (feeAsset === 'quote' ? 1 / (1 + taker) : 1 - taker) / (entry * (1 + slip))
  return bought * exit * (1 - slip) * (1 - taker)
}

/** Watches one symbol's candles for the buy-and-hold baseline: all cash at the first open, out at the last close. */
export class HoldWatch {
  #firstOpen = NaN
  #lastClose = NaN
  #highest = 0
  #worst = 0

  add({ open, close }: CandleColumns, start: number, end: number): void {
    // Entry costs lower the first mark, so the peak starts at the open; costs are applied in `drawdown`.
    if (Number.isNaN(this.#firstOpen) && end > start) this.#highest = this.#firstOpen = open[start]
    let highest = this.#highest
    let worst = this.#worst
    for (let row = start; row < end; row++) {
      const price = close[row]
      if (price > highest) highest = price
      else {
        const drawdown = price / highest - 1
        if (drawdown < worst) worst = drawdown
      }
    }
    this.#highest = highest
    this.#worst = worst
    if (end > start) this.#lastClose = close[end - 1]
  }

  growth(costs: Costs): number {
    return roundTrip(this.#firstOpen, this.#lastClose, costs)
  }

  /** Largest fall of the closes from their peak, the first open included: before costs. */
  get drawdown(): number {
    return this.#worst
  }
}

/** Buy and hold over several symbols: cash in equal parts. */
export function buyAndHold(watches: readonly HoldWatch[], startCash: number, costs: Costs): Baseline {
  const growth = watches.reduce((sum, watch) => sum + watch.growth(costs), 0) / watches.length
  const alone = watches.length === 1
  return {
    finalEquity: startCash * growth,
    totalReturn: growth - 1,
    maxDrawdown: alone ? watches[0].drawdown : null,
    note: `all cash${alone ? '' : `, in ${watches.length} equal parts,`} at the first open, out at the last close, same costs`,
  }
}

/** Draws are limited so that their entries together stay below this. */
const MOST_ENTRIES = 1_000_000
const MOST_DRAWS = 200

/**
 * The random baseline: for every symbol as many entries as the run made, drawn without overlap by the run's seed, held
 * for times resampled from the run, with the same costs and size. Prices come from a second pass over the tape.
 */
export class RandomEntries {
  readonly draws: number
  readonly #plans: readonly SymbolDraws[]

  constructor(trades: TradeColumns, candlesPerSymbol: readonly number[], seed: number) {
    this.draws = trades.length === 0 ? 0 : Math.max(1, Math.min(MOST_DRAWS, Math.floor(MOST_ENTRIES / trades.length)))
    const random = seededRandom(seed)
    this.#plans = candlesPerSymbol.map((candles, symbol) => {
      const held: number[] = []
      for (let row = 0; row < trades.length; row++) if (trades.symbol[row] === symbol) held.push(trades.held[row])
      return new SymbolDraws(held, candles, this.draws, random)
    })
  }

  add(symbol: number, columns: CandleColumns, start: number, end: number): void {
    this.#plans[symbol].add(columns, start, end)
  }

  /** Compounds every draw's trades, each with `positionSize` of equity, and compares the run's total return. */
  result(startCash: number, positionSize: number, costs: Costs, totalReturn: number): Baseline {
    if (this.draws === 0) return { finalEquity: null, totalReturn: null, note: 'the run made no trade to imitate' }
    const returns = new Float64Array(this.draws)
    for (let draw = 0; draw < this.draws; draw++) {
      let growth = 1
      for (const plan of this.#plans) growth *= plan.growth(draw, positionSize, costs)
      returns[draw] = growth - 1
    }
    returns.sort()
    const quantile = (share: number): number => returns[Math.min(this.draws - 1, Math.floor(share * this.draws))]
    let below = 0
    while (below < this.draws && returns[below] < totalReturn) below++
    return {
      finalEquity: startCash * (1 + quantile(0.5)),
      totalReturn: quantile(0.5),
      low: quantile(0.05),
      high: quantile(0.95),
      draws: this.draws,
      beats: below / this.draws,
      note: `median of ${this.draws} draws with as many entries, resampled holding times, same costs and size`,
    }
  }
}

class SymbolDraws {
  readonly #perDraw: number
  readonly #entry: Int32Array
  readonly #exit: Int32Array
  /** Candle numbers whose prices are needed, ascending, and those prices. */
  readonly #wanted: Int32Array
  readonly #open: Float64Array
  readonly #close: Float64Array
  #row = 0
  #next = 0

  constructor(held: readonly number[], candles: number, draws: number, random: () => number) {
    this.#perDraw = held.length
    const entry: number[] = []
    const exit: number[] = []
    for (let draw = 0; draw < draws; draw++) place(held, candles, random, entry, exit)
    this.#entry = Int32Array.from(entry)
    this.#exit = Int32Array.from(exit)
    const all = new Int32Array(entry.length * 2)
    all.set(this.#entry)
    all.set(this.#exit, entry.length)
    all.sort()
    let unique = 0
    for (let index = 0; index < all.length; index++) if (index === 0 || all[index] !== all[index - 1]) all[unique++] = all[index]
    this.#wanted = all.slice(0, unique)
    this.#open = new Float64Array(unique)
    this.#close = new Float64Array(unique)
  }

  add({ open, close }: CandleColumns, start: number, end: number): void {
    const last = this.#row + (end - start)
    for (; this.#next < this.#wanted.length && this.#wanted[this.#next] < last; this.#next++) {
      const row = start + this.#wanted[this.#next] - this.#row
      this.#open[this.#next] = open[row]
      this.#close[this.#next] = close[row]
    }
    this.#row = last
  }

  growth(draw: number, positionSize: number, costs: Costs): number {
    let growth = 1
    const from = draw * this.#perDraw
    for (let index = from; index < from + this.#perDraw; index++) {
      const at = this.#indexOf(this.#entry[index])
      const until = this.#indexOf(this.#exit[index])
      // Held for no whole candle: in at the open, out at the close of the same one.
      const exit = at === until ? this.#close[at] : this.#open[until]
      growth *= 1 + positionSize * (roundTrip(this.#open[at], exit, costs) - 1)
    }
    return growth
  }

  #indexOf(candle: number): number {
    let low = 0
    let high = this.#wanted.length - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#wanted[middle] < candle) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** Appends one draw: `held.length` holding times drawn with replacement, laid out in order with random gaps between. */
function place(held: readonly number[], candles: number, random: () => number, entry: number[], exit: number[]): void {
  const lengths = held.map(() => held[Math.floor(random() * held.length)])
  // A trade takes its candles plus the one in which the next may start.
  const room = candles - lengths.reduce((sum, length) => sum + length + 1, 0)
  if (room < 0) {
    // The resampled times do not fit the tape: keep the run's own, which do, in a random order.
    lengths.splice(0, lengths.length, ...held)
    for (let index = lengths.length - 1; index > 0; index--) {
      const other = Math.floor(random() * (index + 1))
      ;[lengths[index], lengths[other]] = [lengths[other], lengths[index]]
    }
  }
  const free = Math.max(0, candles - lengths.reduce((sum, length) => sum + length + 1, 0))
  const gaps = Float64Array.from(lengths, () => Math.floor(random() * (free + 1))).sort()
  let used = 0
  for (let index = 0; index < lengths.length; index++) {
    const start = Math.min(candles - 1, gaps[index] + used)
    entry.push(start)
    exit.push(Math.min(candles - 1, start + lengths[index]))
    used += lengths[index] + 1
  }
}
