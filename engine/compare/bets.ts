import { CandleView } from '../core/candle.ts'
import { instrumentOf } from '../core/instrument.ts'
import {
  armPair, breakEvenPrice, buy, matchPair, raisedStop, sell, type Amounts, type Costs, type FillModel, type PairHit, type ProtectivePair,
} from '../core/matching.ts'
import type { Policy } from '../core/policy.ts'
import { RangeIndex } from './range-index.ts'
import type { SymbolTape } from './tape-columns.ts'

/** How a bet ended. `open`: the tape ended first; its return is what the last close would have paid. */
export const BET_ENDS = ['target', 'stop', 'time', 'signal', 'open'] as const
export type BetEnd = (typeof BET_ENDS)[number]

/** What decides how a bet goes, beside the candles. */
export interface BetTerms extends Pick<Policy, 'stopLoss' | 'takeProfit' | 'maxHold' | 'trailingStop' | 'breakEvenAt'> {
  readonly costs: Costs
  readonly model: FillModel
  readonly tickSize: number
  /** Candles between a decision and the open that fills its order; 1 = the next one. */
  readonly delay: number
}

/** One entry of its own. `exitRow` is the candle in which it was left. */
export interface Bet {
  end: BetEnd
  entryRow: number
  exitRow: number
  /** Fraction of what was spent, after fees and slippage. */
  netReturn: number
  ambiguous: boolean
}

/** What has been looked at once, by candle number: refusals and random entries come upon the same candles over and over. */
class KnownBets {
  /** Exit row + 1; 0 = not looked at. */
  readonly exits: Int32Array
  readonly returns: Float64Array
  readonly ends: Uint8Array

  constructor(length: number) {
    this.exits = new Int32Array(length)
    this.returns = new Float64Array(length)
    this.ends = new Uint8Array(length)
  }
}

const NO_LOTS = { ...instrumentOf('BET/BET'), lotSize: 0 }

/**
 * What an entry decided at a candle's close would have come to by itself: bought at the open that fills its order, left by the
 * pair, the time stop, stops that follow the price, or at the first candle after it whose SELL is obeyed. Sizes do not
 * matter: returns are fractions, without lots. All stop and target arithmetic is core/matching.ts's.
 */
export class Bets {
  readonly #tape: SymbolTape
  readonly #terms: BetTerms
  readonly #index: RangeIndex
  /** Candle numbers with a SELL that is obeyed, ascending. */
  readonly #exits: Int32Array
  readonly #candle = new CandleView()
  readonly #pair: ProtectivePair = { stop: 0, target: Infinity, raised: false }
  readonly #amounts: Amounts = { price: 0, quantity: 0, notional: 0, feeBase: 0, feeQuote: 0, slippage: 0 }
  #known: KnownBets | null = null
  readonly #bet: Bet = { end: 'open', entryRow: 0, exitRow: 0, netReturn: 0, ambiguous: false }

  constructor(tape: SymbolTape, index: RangeIndex, terms: BetTerms, exits: Int32Array = new Int32Array(0)) {
    this.#tape = tape
    this.#terms = terms
    this.#index = index
    this.#exits = exits
  }

  /** The bet decided at the close of candle `row`; null where no candle is left to fill it. Valid until the next call. */
  at(row: number): Bet | null {
    const entry = row + this.#terms.delay
    if (entry >= this.#tape.length) return null
    const known = this.#known ??= new KnownBets(this.#tape.length)
    const bet = this.#bet
    if (known.exits[row] !== 0) {
      bet.entryRow = entry
      bet.exitRow = known.exits[row] - 1
      bet.netReturn = known.returns[row]
      bet.end = BET_ENDS[known.ends[row] >> 1]
      bet.ambiguous = (known.ends[row] & 1) === 1
      return bet
    }
    this.#play(entry)
    known.exits[row] = bet.exitRow + 1
    known.returns[row] = bet.netReturn
    known.ends[row] = (BET_ENDS.indexOf(bet.end) << 1) | (bet.ambiguous ? 1 : 0)
    return bet
  }

  #play(entry: number): Bet {
    const { columns, length } = this.#tape
    const { delay, costs, maxHold, tickSize } = this.#terms
    const amounts = this.#amounts
    buy(amounts, 1, columns.open[entry], costs, NO_LOTS)
    const held = amounts.quantity - amounts.feeBase
    const paid = amounts.price
    armPair(this.#pair, paid, this.#terms, tickSize)
    // A SELL at a close is filled like any order: `delay` candles later; so is what the time stop sends.
    const signal = this.#nextExit(entry)
    const signalled = signal < 0 ? Infinity : signal + delay
    const timed = maxHold === null ? Infinity : entry + maxHold - 1 + delay
    const ordered = Math.min(signalled, timed)
    const until = Math.min(length, ordered)
    const bet = this.#bet
    bet.entryRow = entry
    const hit = this.#moves ? this.#walk(entry, until, ordered - delay, paid) : this.#leap(entry, until)
    if (hit !== null) {
      bet.end = hit.reason === 'target' || hit.reason === 'target_gap' ? 'target' : 'stop'
      bet.ambiguous = hit.ambiguous
      return this.#close(held, hit.price, hit.liquidity)
    }
    bet.ambiguous = false
    if (until === length) {
      bet.end = 'open'
      bet.exitRow = length - 1
      return this.#close(held, columns.close[length - 1], 'taker')
    }
    bet.end = signalled <= timed ? 'signal' : 'time'
    bet.exitRow = until
    return this.#close(held, columns.open[until], 'taker')
  }

  get #moves(): boolean {
    return this.#terms.trailingStop !== null || this.#terms.breakEvenAt !== null
  }

  #close(held: number, price: number, liquidity: 'maker' | 'taker'): Bet {
    sell(this.#amounts, held, price, liquidity, this.#terms.costs, NO_LOTS)
    this.#bet.netReturn = this.#amounts.notional - this.#amounts.feeQuote - 1
    return this.#bet
  }

  /** From one candle that touches a level to the next. */
  #leap(entry: number, until: number): PairHit | null {
    const { columns } = this.#tape
    const { stop, target } = this.#pair
    for (let row = entry; row < until; row++) {
      row = this.#index.firstOutside(row, until, stop, target)
      if (row >= until) return null
      const hit = matchPair(this.#pair, this.#candle.move(columns, row), this.#terms.model, row === entry)
      if (hit !== null) {
        this.#bet.exitRow = row
        return hit
      }
    }
    return null
  }

  /** Candle by candle, raising the stop at each close until an order to leave is under way. */
  #walk(entry: number, until: number, leaving: number, paid: number): PairHit | null {
    const { columns } = this.#tape
    const { costs, tickSize, model } = this.#terms
    const breakEven = breakEvenPrice(paid, costs)
    let highest = paid
    for (let row = entry; row < until; row++) {
      const hit = matchPair(this.#pair, this.#candle.move(columns, row), model, row === entry)
      if (hit !== null) {
        this.#bet.exitRow = row
        return hit
      }
      highest = Math.max(highest, columns.high[row])
      if (row >= leaving) continue
      const wanted = raisedStop(this.#pair.stop, this.#terms, paid, highest, breakEven, tickSize)
      if (wanted > this.#pair.stop) {
        this.#pair.stop = wanted
        this.#pair.raised = true
      }
    }
    return null
  }

  /** The first obeyed SELL at or after a candle; −1 without one. */
  #nextExit(row: number): number {
    const exits = this.#exits
    let low = 0
    let high = exits.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (exits[middle] < row) low = middle + 1
      else high = middle
    }
    return low === exits.length ? -1 : exits[low]
  }
}
