import type { Candle } from './candle.ts'
import { floorTo8, floorToLot, roundToTick, type Instrument } from './instrument.ts'
import type { ExitReason, Protection } from './order.ts'

/** What trading costs. Rates are fractions of the notional; slippage in basis points, on market and stop fills. */
export interface Costs {
  readonly maker: number
  readonly taker: number
  /** `received`: a buy pays in base, a sale in quote, as Binance does. `quote`: both pay in quote. */
  readonly feeAsset: 'received' | 'quote'
  readonly slippageBps: number
}

/** One answer to the question what a candle that only shows four prices did to a resting pair. */
export interface FillModel {
  /** A candle that reaches the target exactly fills it. */
  readonly touchFillsTarget: boolean
  /** An open beyond the target pays the open; otherwise the target. */
  readonly gapPaysOpen: boolean
  /** In a candle that touches both, the target came first. */
  readonly targetBeforeStop: boolean
}

export const FILL_MODELS = {
  conservative: { touchFillsTarget: false, gapPaysOpen: false, targetBeforeStop: false },
  'open-on-gap': { touchFillsTarget: true, gapPaysOpen: true, targetBeforeStop: false },
  optimistic: { touchFillsTarget: true, gapPaysOpen: true, targetBeforeStop: true },
} as const satisfies Record<string, FillModel>
export type FillModelName = keyof typeof FILL_MODELS

/** A resting stop and target. 0 and Infinity stand for none, so that comparisons need no branch. */
export interface ProtectivePair {
  stop: number
  target: number
  /** The stop has been raised above where the entry put it. */
  raised: boolean
}

/** Sets the pair at the entry's fill price, rounded to the tick. */
export function armPair(pair: ProtectivePair, fillPrice: number, { stopLoss, takeProfit }: Protection, tickSize: number): void {
  pair.stop = stopLoss === null ? 0 : roundToTick(fillPrice * (1 - stopLoss), tickSize)
  pair.target = takeProfit === null ? Infinity : roundToTick(fillPrice * (1 + takeProfit), tickSize)
  pair.raised = false
}

export interface PairHit {
  readonly reason: ExitReason
  /** Before slippage. */
  readonly price: number
  readonly liquidity: 'maker' | 'taker'
  readonly ambiguous: boolean
}

/**
 * What one candle does to a resting pair, or null. On the entry candle the open is the entry itself, so only the
 * candle's range counts; later, an open at or beyond a level is settled first.
 */
export function matchPair(pair: ProtectivePair, candle: Candle, model: FillModel, entryCandle: boolean): PairHit | null {
  const { stop, target } = pair
  const { low, high } = candle
  if (low > stop && high < target) return null
  const stopReason = pair.raised ? 'trailing' : 'stop'
  if (!entryCandle) {
    const { open } = candle
    if (open <= stop) return { reason: pair.raised ? 'trailing' : 'stop_gap', price: open, liquidity: 'taker', ambiguous: false }
    if (model.gapPaysOpen && open >= target) return { reason: 'target_gap', price: open, liquidity: 'maker', ambiguous: false }
    if (open > target) return { reason: 'target', price: target, liquidity: 'maker', ambiguous: false }
  }
  const stopHit = low <= stop
  const targetHit = model.touchFillsTarget ? high >= target : high > target
  const ambiguous = stopHit && high >= target
  // A stop closer than the entry's slippage already lies above the open: it sells there, not at a price nobody paid.
  if (stopHit && !(targetHit && model.targetBeforeStop)) return { reason: stopReason, price: Math.min(stop, candle.open), liquidity: 'taker', ambiguous }
  return targetHit ? { reason: 'target', price: target, liquidity: 'maker', ambiguous } : null
}

/**
 * The reason of an exchange-side fill of a pair's leg, by the same rules, for a broker that sees fills instead of candles.
 * `open` is the open of the candle in which the leg filled, `price` what was paid.
 */
export function legReason(pair: ProtectivePair, leg: 'stop' | 'target', open: number, price: number, entryCandle: boolean): ExitReason {
  if (leg === 'target') return !entryCandle && price > pair.target ? 'target_gap' : 'target'
  if (pair.raised) return 'trailing'
  return !entryCandle && open <= pair.stop ? 'stop_gap' : 'stop'
}

/**
 * Where the stop should rest from the next candle on, given the highest high since entry. Never below where it is.
 * `breakEven` is the stop price at which a sale pays entry and costs.
 */
export function raisedStop(
  stop: number,
  { trailingStop, breakEvenAt }: { readonly trailingStop: number | null; readonly breakEvenAt: number | null },
  entryPrice: number,
  highestHigh: number,
  breakEven: number,
  tickSize: number,
): number {
  let wanted = stop
  if (trailingStop !== null) wanted = Math.max(wanted, roundToTick(highestHigh * (1 - trailingStop), tickSize))
  if (breakEvenAt !== null && highestHigh >= entryPrice * (1 + breakEvenAt)) {
    wanted = Math.max(wanted, roundToTick(breakEven, tickSize))
  }
  return wanted
}

/** The stop price whose fill, after slippage and both fees, returns exactly what the entry cost. */
export function breakEvenPrice(entryPrice: number, { taker, feeAsset, slippageBps }: Costs): number {
  const kept = (1 - taker) * (1 - slippageBps / 10_000)
  return feeAsset === 'quote' ? (entryPrice * (1 + taker)) / kept : entryPrice / ((1 - taker) * kept)
}

/** The amounts of an execution, written in place. Fields as in `Fill`. */
export interface Amounts {
  price: number
  quantity: number
  notional: number
  feeBase: number
  feeQuote: number
  slippage: number
}

/**
 * A market buy that spends up to `spend` quote (fees in quote included) at `open` worsened by slippage.
 * With a lot size, amounts are rounded down to 8 decimals as Binance carries them. Quantity 0: nothing could be bought.
 */
export function buy(into: Amounts, spend: number, open: number, costs: Costs, { lotSize }: Instrument): void {
  const price = open * (1 + costs.slippageBps / 10_000)
  const inQuote = costs.feeAsset === 'quote'
  const unit = inQuote ? price * (1 + costs.taker) : price
  const rounded = lotSize !== 0
  const quantity = rounded ? floorToLot(floorTo8(spend) / unit, lotSize) : spend / unit
  const notional = rounded ? Math.min(floorTo8(quantity * price), floorTo8(spend)) : quantity * price
  const fee = (inQuote ? notional : quantity) * costs.taker
  into.price = price
  into.quantity = quantity
  into.notional = notional
  into.feeBase = inQuote ? 0 : rounded ? floorTo8(fee) : fee
  into.feeQuote = !inQuote ? 0 : rounded ? floorTo8(fee) : fee
  into.slippage = quantity * (price - open)
}

/** A sale of `quantity` at `price`; a taker's price is worsened by slippage. Its fee is always in quote. */
export function sell(
  into: Amounts,
  quantity: number,
  price: number,
  liquidity: 'maker' | 'taker',
  costs: Costs,
  { lotSize }: Instrument,
): void {
  const worsened = liquidity === 'taker' ? price * (1 - costs.slippageBps / 10_000) : price
  const rounded = lotSize !== 0
  const notional = rounded ? floorTo8(quantity * worsened) : quantity * worsened
  const fee = notional * (liquidity === 'taker' ? costs.taker : costs.maker)
  into.price = worsened
  into.quantity = quantity
  into.notional = notional
  into.feeBase = 0
  into.feeQuote = rounded ? floorTo8(fee) : fee
  into.slippage = quantity * (price - worsened)
}
