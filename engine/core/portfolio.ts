import type { TradeColumns } from './figures.ts'
import { carried, sellable, type Instrument } from './instrument.ts'
import { EXIT_REASONS, type Fill } from './order.ts'
import type { EpochMs } from './time.ts'

/** One symbol's base units and the trade that is being made with them. */
export interface Holding {
  readonly index: number
  readonly instrument: Instrument
  /** Base units held, dust included. */
  quantity: number
  /** What they cost in quote, fees included. */
  cost: number
  /** A position is held. False with a quantity left: that is dust. */
  open: boolean
  entryTime: EpochMs
  entryPrice: number
  /** Number of the decision candle in which it was entered. */
  entryIndex: number
  /** Number of the decision candle in which the last position ended; −1 before the first. */
  exitIndex: number
  highestHigh: number
  /** Resting prices; NaN = none. */
  stop: number
  target: number
  /** Sums over the present trade. */
  sold: number
  soldFor: number
  soldCost: number
  exitFees: number
  fees: number
  slippage: number
  /** Newest price, for marking. */
  mark: number
}

/** Cash and holdings of one lane. Cash and quantities change only through {@link applyFill} and {@link voidPosition}. */
export interface Portfolio {
  cash: number
  readonly startCash: number
  readonly holdings: readonly Holding[]
  openPositions: number
  readonly trades: TradeLog
  /** Sums in quote over all fills. */
  fees: number
  slippage: number
  traded: number
  ambiguousCandles: number
}

export function createPortfolio(cash: number, instruments: readonly Instrument[]): Portfolio {
  const holdings = instruments.map((instrument, index): Holding => ({
    index, instrument, quantity: 0, cost: 0, open: false, entryTime: 0, entryPrice: 0, entryIndex: -1, exitIndex: -1,
    highestHigh: 0, stop: NaN, target: NaN, sold: 0, soldFor: 0, soldCost: 0, exitFees: 0, fees: 0, slippage: 0,
    mark: 0,
  }))
  return {
    cash, startCash: cash, holdings, openPositions: 0, trades: new TradeLog(), fees: 0, slippage: 0, traded: 0,
    ambiguousCandles: 0,
  }
}

/** An independent portfolio in the same state. */
export const copyPortfolio = (portfolio: Portfolio): Portfolio => ({
  ...portfolio, holdings: portfolio.holdings.map((holding) => ({ ...holding })), trades: portfolio.trades.copy(),
})

/** Cash plus everything held at its newest price, in quote. */
export function equity(portfolio: Portfolio): number {
  const { holdings } = portfolio
  let value = portfolio.cash
  for (let index = 0; index < holdings.length; index++) {
    const holding = holdings[index]
    if (holding.quantity !== 0) value += holding.quantity * holding.mark
  }
  return value
}

/**
 * Books one execution: the only way in which cash and quantities change. `candleIndex` numbers the decision candle in
 * progress. Returns whether the fill closed the position; its trade is then the last row of `portfolio.trades`.
 *
 * What is held costs its average: a sale of part of a holding takes its share of the cost, so that dust keeps its own.
 */
export function applyFill(portfolio: Portfolio, holding: Holding, fill: Fill, candleIndex: number): boolean {
  const fees = fill.feeQuote + fill.feeBase * fill.price
  portfolio.fees += fees
  portfolio.slippage += fill.slippage
  portfolio.traded += fill.notional
  if (fill.ambiguous) portfolio.ambiguousCandles++
  holding.mark = fill.price
  if (fill.side === 'buy') {
    const before = holding.quantity
    portfolio.cash -= fill.notional + fill.feeQuote
    holding.quantity = carried(before + fill.quantity - fill.feeBase, holding.instrument)
    holding.cost += fill.notional + fill.feeQuote
    if (holding.open) {
      // More of the same entry: the position goes on, at its average price.
      holding.entryPrice = (holding.entryPrice * before + fill.price * (holding.quantity - before)) / holding.quantity
      holding.fees += fees
      holding.slippage += fill.slippage
      return false
    }
    // What cannot be sold again is dust, not a position.
    holding.open = sellable(holding.quantity, fill.price, holding.instrument) > 0
    if (holding.open) portfolio.openPositions++
    holding.entryTime = fill.time
    holding.entryPrice = fill.price
    holding.entryIndex = candleIndex
    holding.highestHigh = fill.price
    holding.stop = fill.stop ?? NaN
    holding.target = fill.target ?? NaN
    holding.sold = holding.soldFor = holding.soldCost = holding.exitFees = 0
    holding.fees = fees
    holding.slippage = fill.slippage
    return false
  }
  const all = fill.quantity >= holding.quantity
  const soldCost = all ? holding.cost : holding.cost * (fill.quantity / holding.quantity)
  portfolio.cash += fill.notional - fill.feeQuote
  holding.quantity = all ? 0 : carried(holding.quantity - fill.quantity, holding.instrument)
  holding.cost = all ? 0 : holding.cost - soldCost
  holding.sold += fill.quantity
  holding.soldFor += fill.notional
  holding.soldCost += soldCost
  holding.exitFees += fill.feeQuote
  holding.fees += fees
  holding.slippage += fill.slippage
  if (holding.quantity !== 0 && sellable(holding.quantity, fill.price, holding.instrument) > 0) return false
  portfolio.openPositions--
  holding.open = false
  holding.exitIndex = candleIndex
  portfolio.trades.add(holding, fill, candleIndex)
  return true
}

/** The position never was: what it cost is cash again, and no trade is counted. See `Voided`. */
export function voidPosition(portfolio: Portfolio, holding: Holding): void {
  portfolio.cash += holding.cost
  if (holding.open) portfolio.openPositions--
  holding.quantity = holding.cost = 0
  holding.open = false
}

const FIRST_CAPACITY = 64
const F64 = ['entryTime', 'exitTime', 'entryPrice', 'exitPrice', 'quantity', 'fees', 'slippage', 'cost', 'pnl', 'stop', 'target', 'held'] as const

/** Closed trades as columns that grow by doubling. */
export class TradeLog implements TradeColumns {
  length = 0
  symbol = new Uint8Array(FIRST_CAPACITY)
  reason = new Uint8Array(FIRST_CAPACITY)
  entryTime = new Float64Array(FIRST_CAPACITY)
  exitTime = new Float64Array(FIRST_CAPACITY)
  entryPrice = new Float64Array(FIRST_CAPACITY)
  exitPrice = new Float64Array(FIRST_CAPACITY)
  quantity = new Float64Array(FIRST_CAPACITY)
  fees = new Float64Array(FIRST_CAPACITY)
  slippage = new Float64Array(FIRST_CAPACITY)
  cost = new Float64Array(FIRST_CAPACITY)
  pnl = new Float64Array(FIRST_CAPACITY)
  stop = new Float64Array(FIRST_CAPACITY)
  target = new Float64Array(FIRST_CAPACITY)
  held = new Float64Array(FIRST_CAPACITY)

  add(holding: Holding, fill: Fill, candleIndex: number): void {
    const row = this.length++
    if (row === this.symbol.length) this.#grow()
    this.symbol[row] = holding.index
    this.reason[row] = EXIT_REASONS.indexOf(fill.reason!)
    this.entryTime[row] = holding.entryTime
    this.exitTime[row] = fill.time
    this.entryPrice[row] = holding.entryPrice
    // One fill closes nearly every position, and its price is then exact; several give their average.
    this.exitPrice[row] = holding.sold === fill.quantity ? fill.price : holding.soldFor / holding.sold
    this.quantity[row] = holding.sold
    this.fees[row] = holding.fees
    this.slippage[row] = holding.slippage
    this.cost[row] = holding.soldCost
    // Sale fees are in quote; a buy's fee is part of the cost in either asset.
    const pnl = holding.soldFor - holding.soldCost - holding.exitFees
    // An exit that breaks even is neither won nor lost, whatever the last bits say.
    this.pnl[row] = Math.abs(pnl) <= 1e-12 * holding.soldCost ? 0 : pnl
    this.stop[row] = holding.stop
    this.target[row] = holding.target
    this.held[row] = candleIndex - holding.entryIndex
  }

  copy(): TradeLog {
    const copy = new TradeLog()
    copy.length = this.length
    copy.symbol = this.symbol.slice()
    copy.reason = this.reason.slice()
    for (const name of F64) copy[name] = this[name].slice()
    return copy
  }

  #grow(): void {
    const capacity = this.symbol.length * 2
    const grown = <A extends Uint8Array | Float64Array>(from: A, to: A): A => (to.set(from), to)
    this.symbol = grown(this.symbol, new Uint8Array(capacity))
    this.reason = grown(this.reason, new Uint8Array(capacity))
    for (const name of F64) this[name] = grown(this[name], new Float64Array(capacity))
  }
}
