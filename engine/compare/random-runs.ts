import type { TradeColumns } from '../core/figures.ts'
import { seededRandom } from '../core/random.ts'
import type { Bets } from './bets.ts'
import type { Cell } from './comparison.ts'
import type { SymbolTape } from './tape-columns.ts'

const DRAWS = 1_000
const FEWEST = 100
/** Entries of all draws together, beyond which fewer are drawn: which number it was is told. */
const MOST_ENTRIES = 10_000_000

/**
 * The random baseline of a comparison: runs that enter at random candles as often as the cell did and leave by the same exits,
 * one position at a time per symbol, with the same size and costs. `percentile`: the share of them that did worse.
 */
export function randomRuns(
  trades: Pick<TradeColumns, 'length' | 'symbol'>, tapes: readonly SymbolTape[], bets: readonly Bets[],
  { delay, warmup, positionSize, netReturn, seed }: {
    readonly delay: number
    readonly warmup: number
    readonly positionSize: number
    readonly netReturn: number
    readonly seed: number
  },
): Cell['random'] {
  if (trades.length === 0) return null
  const counts = tapes.map(() => 0)
  for (let row = 0; row < trades.length; row++) counts[trades.symbol[row]]++
  const draws = Math.max(FEWEST, Math.min(DRAWS, Math.floor(MOST_ENTRIES / trades.length)))
  const random = seededRandom(seed)
  const returns = new Float64Array(draws)
  for (let draw = 0; draw < draws; draw++) {
    let growth = 1
    for (const [symbol, { length }] of tapes.entries()) {
      const entries = place(counts[symbol], Math.min(warmup, length), length - delay, random)
      let free = 0
      for (const entry of entries) {
        const row = Math.max(entry, free)
        if (row + delay >= length) break
        const { netReturn: won, exitRow } = bets[symbol].at(row)!
        growth *= 1 + positionSize * won
        // The next order may go out at the close of the candle in which this one ended.
        free = exitRow
      }
    }
    returns[draw] = growth - 1
  }
  returns.sort()
  let below = 0
  while (below < draws && returns[below] < netReturn) below++
  const quantile = (share: number): number => returns[Math.min(draws - 1, Math.floor(share * draws))]
  return { percentile: below / draws, draws, median: quantile(0.5), low: quantile(0.05), high: quantile(0.95) }
}

/** `count` candle numbers from `from` on and below `to`, ascending: sums of exponential gaps are uniform places in order. */
function place(count: number, from: number, to: number, random: () => number): Int32Array {
  const room = Math.max(1, to - from)
  const sums = new Float64Array(count)
  let sum = 0
  for (let index = 0; index < count; index++) sums[index] = sum -= Math.log(1 - random())
  const whole = sum - Math.log(1 - random())
  return Int32Array.from(sums, (one) => from + Math.floor((one / whole) * room))
}
