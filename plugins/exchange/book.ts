import type { Amounts, Costs } from '../../engine/core/matching.ts'
import { floorTo8, floorToLot } from '../../engine/core/instrument.ts'
import type { EpochMs } from '../../engine/core/time.ts'
import type { Balances, Hold } from './balances.ts'
import { add, fromUnits, subtract, toUnits } from './decimal.ts'
import { refusals } from './errors.ts'
import { buyFor, buyQuantity, sellQuantity } from './fills.ts'
import { checkFilters, checkRoom } from './filters.ts'
import type { Ledger } from './ledger.ts'
import type { Listing } from './listing.ts'
import type { NewOrder, NewPair } from './order-request.ts'
import { isOpen, type BookOrder, type OrderList, type OrderStatus } from './orders.ts'

/** How much of a market order the book has liquidity for: 1 all of it, 0 nothing. */
export type Liquidity = number

/** Takes orders, keeps them, moves money. It knows the last price, never a candle. */
export class Book {
  readonly #ledger: Ledger
  readonly #balances: Balances
  readonly #costs: Costs

  constructor(ledger: Ledger, balances: Balances, costs: Costs) {
    this.#ledger = ledger
    this.#balances = balances
    this.#costs = costs
  }

  /** Everything that can be refused before any order of the account is touched. */
  check(listing: Listing, order: NewOrder, last: number): void {
    if (listing.flags.status !== 'TRADING') throw refusals.invalidMessage('Market is closed.')
    if (order.type === 'MARKET') {
      const { quantity, notional } = this.#market(listing, order, last, 1)
      checkFilters(listing, { ...order, quantity, notional }, last)
    } else {
      checkFilters(listing, { ...order, notional: order.quantity * (order.price || order.stopPrice) }, last)
    }
  }

  place(listing: Listing, order: NewOrder, now: EpochMs, liquidity: Liquidity = 1): BookOrder {
    const last = listing.tape.price(now)
    this.check(listing, order, last)
    this.#refuseDuplicate(listing.symbol, order.clientOrderId)
    if (order.type === 'MARKET') return this.#placeMarket(listing, order, now, last, liquidity)
    checkRoom(listing, this.#ledger.of(listing.symbol).open, [order.type], false)
    return order.side === 'BUY' ? this.#placeBuy(listing, order, now, last) : this.#placeSell(listing, order, now, last)
  }

  placePair(listing: Listing, pair: NewPair, now: EpochMs): OrderList {
    const last = listing.tape.price(now)
    const { above, below, quantity, listClientOrderId } = pair
    for (const leg of [above, below]) this.check(listing, leg, last)
    if (above.price <= below.stopPrice || above.price <= last) throw refusals.priceRelationship()
    if (last <= below.stopPrice) throw refusals.wouldTrigger()
    checkRoom(listing, this.#ledger.of(listing.symbol).open, [below.type, above.type], true)
    for (const { clientOrderId } of [above, below]) this.#refuseDuplicate(listing.symbol, clientOrderId)
    const sameIds = above.clientOrderId !== null && above.clientOrderId === below.clientOrderId
    const used = this.#ledger.openLists.some((list) => list.listClientOrderId === listClientOrderId)
    if (sameIds || used) throw refusals.duplicate()
    const hold = this.#balances.hold(listing.instrument.base, quantity)
    const list: OrderList = {
      orderListId: this.#ledger.nextListId(), listClientOrderId: listClientOrderId ?? this.#ledger.nextClientId(),
      symbol: listing.symbol, legs: [], status: 'EXECUTING', time: now,
    }
    this.#ledger.addList(list)
    for (const leg of [below, above]) list.legs.push(this.#rest(listing, leg, now, hold, list))
    return list
  }

  /** Cancels an open order; with a leg, the whole list. Returns what was cancelled. */
  cancel(order: BookOrder, now: EpochMs): BookOrder[] {
    const cancelled = (order.list?.legs ?? [order]).filter(isOpen)
    for (const one of cancelled) this.#end(one, 'CANCELED', now)
    return cancelled
  }

  /** An execution of an open order; all that remains of the other leg expires. */
  execute(listing: Listing, order: BookOrder, quantity: number, price: number, liquidity: 'maker' | 'taker', time: EpochMs): void {
    const amounts = order.side === 'SELL'
      ? sellQuantity(quantity, price, liquidity, this.#costs, listing.instrument)
      : buyQuantity(quantity, price, liquidity, this.#costs, listing.instrument)
    this.expireOther(order, time)
    this.#settle(listing, order, amounts, liquidity, time)
    if (toUnits(order.executedQuantity) >= toUnits(order.quantity)) this.#end(order, 'FILLED', time)
    else order.status = 'PARTIALLY_FILLED'
  }

  /** One leg of a list is executing: the other one is over. */
  expireOther(order: BookOrder, time: EpochMs): void {
    for (const leg of order.list?.legs ?? []) {
      if (leg !== order && isOpen(leg)) this.#end(leg, 'EXPIRED', time)
    }
  }

  /** What an order has not executed yet. */
  remaining(order: BookOrder): number {
    return subtract(order.quantity, order.executedQuantity)
  }

  /** Where a stop would sell. */
  stopFill(listing: Listing, order: BookOrder, price: number): number {
    return sellQuantity(this.remaining(order), price, 'taker', this.#costs, listing.instrument).price
  }

  #market({ instrument }: Listing, order: NewOrder, last: number, share: number): Amounts {
    if (order.quoteQuantity > 0) return buyFor(order.quoteQuantity * share, last, this.#costs, instrument)
    const quantity = share === 1 ? order.quantity : floorToLot(order.quantity * share, instrument.lotSize)
    const fill = order.side === 'BUY' ? buyQuantity : sellQuantity
    return fill(quantity, last, 'taker', this.#costs, instrument)
  }

  #placeMarket(listing: Listing, order: NewOrder, now: EpochMs, last: number, liquidity: Liquidity): BookOrder {
    const { base, quote } = listing.instrument
    const whole = this.#market(listing, order, last, 1)
    if (order.side === 'SELL') this.#balances.demand(base, whole.quantity)
    else this.#balances.demand(quote, Math.max(order.quoteQuantity, add(whole.notional, whole.feeQuote)))
    const made = this.#open(listing, { ...order, quantity: whole.quantity }, now, null, null, liquidity < 1 ? 'EXPIRED' : 'FILLED')
    this.#ledger.addOrder(made)
    const filled = liquidity === 1 ? whole : this.#market(listing, order, last, liquidity)
    if (filled.quantity > 0) this.#settle(listing, made, filled, 'taker', now)
    return made
  }

  #placeSell(listing: Listing, order: NewOrder, now: EpochMs, last: number): BookOrder {
    const { base } = listing.instrument
    if (order.stopPrice > 0 && last <= order.stopPrice) throw refusals.wouldTrigger()
    if (order.type === 'LIMIT_MAKER' && order.price <= last) throw refusals.wouldMatch()
    this.#balances.demand(base, order.quantity)
    const taker = order.type === 'LIMIT' ? sellQuantity(order.quantity, last, 'taker', this.#costs, listing.instrument) : null
    const hold = this.#balances.hold(base, order.quantity)
    return this.#takeOrRest(listing, order, now, hold, taker !== null && taker.price >= order.price ? last : null)
  }

  #placeBuy(listing: Listing, order: NewOrder, now: EpochMs, last: number): BookOrder {
    if (order.type === 'LIMIT_MAKER' && order.price >= last) throw refusals.wouldMatch()
    const { costs, instrument } = { costs: this.#costs, instrument: listing.instrument }
    const taker = buyQuantity(order.quantity, last, 'taker', costs, instrument)
    const rate = costs.feeAsset === 'quote' ? 1 + Math.max(costs.maker, costs.taker) : 1
    const hold = this.#balances.hold(instrument.quote, fromUnits(toUnits(floorTo8(order.quantity * order.price * rate)) + 1n))
    return this.#takeOrRest(listing, order, now, hold, order.type === 'LIMIT' && taker.price <= order.price ? last : null)
  }

  /** A limit order that the last price already satisfies takes it; otherwise it rests, where its time in force lets it. */
  #takeOrRest(listing: Listing, order: NewOrder, now: EpochMs, hold: Hold, takes: number | null): BookOrder {
    const made = this.#rest(listing, order, now, hold, null)
    if (takes !== null) this.execute(listing, made, order.quantity, takes, 'taker', now)
    else if (order.timeInForce !== 'GTC' && order.type === 'LIMIT') this.#end(made, 'EXPIRED', now)
    return made
  }

  #rest(listing: Listing, order: NewOrder, now: EpochMs, hold: Hold, list: OrderList | null): BookOrder {
    const made = this.#open(listing, order, now, hold, list, 'NEW')
    this.#ledger.addOrder(made)
    return made
  }

  #open(
    { symbol }: Listing, order: NewOrder, now: EpochMs, hold: Hold | null, list: OrderList | null, status: OrderStatus,
  ): BookOrder {
    const { side, type, timeInForce, price, stopPrice, quantity, quoteQuantity, clientOrderId } = order
    return {
      orderId: this.#ledger.nextOrderId(), orderListId: list?.orderListId ?? -1,
      clientOrderId: clientOrderId ?? this.#ledger.nextClientId(), symbol, side, type, timeInForce, price, stopPrice, quantity,
      quoteQuantity, executedQuantity: 0, executedNotional: 0, status, time: now, updateTime: now,
      workingTime: stopPrice > 0 ? -1 : now, hold, list, fills: [],
    }
  }

  #settle({ instrument }: Listing, order: BookOrder, amounts: Amounts, liquidity: 'maker' | 'taker', time: EpochMs): void {
    const { base, quote } = instrument
    const { quantity, notional, feeBase, feeQuote } = amounts
    const selling = order.side === 'SELL'
    const [paid, paidAsset] = selling ? [quantity, base] : [add(notional, feeQuote), quote]
    if (order.hold === null) this.#balances.add(paidAsset, -paid)
    else this.#balances.spend(order.hold, paid)
    if (selling) this.#balances.add(quote, subtract(notional, feeQuote))
    else this.#balances.add(base, subtract(quantity, feeBase))
    order.executedQuantity = add(order.executedQuantity, quantity)
    order.executedNotional = add(order.executedNotional, notional)
    order.updateTime = time
    if (order.workingTime < 0) order.workingTime = time
    const inBase = !selling && this.#costs.feeAsset === 'received'
    this.#ledger.addTrade(order, {
      price: fromUnits(toUnits(amounts.price)), quantity, notional, fee: inBase ? feeBase : feeQuote, feeAsset: inBase ? base : quote,
      liquidity, time,
    })
  }

  /** An order is over; what nobody needs any more is no longer locked. */
  #end(order: BookOrder, status: OrderStatus, time: EpochMs): void {
    order.status = status
    order.updateTime = time
    const { hold } = order
    order.hold = null
    const needed = order.list?.legs.some((leg) => leg !== order && isOpen(leg) && leg.hold === hold) ?? false
    if (hold !== null && !needed) this.#balances.release(hold)
    this.#ledger.close(order, time)
  }

  #refuseDuplicate(symbol: string, clientOrderId: string | null): void {
    if (clientOrderId === null) return
    const known = this.#ledger.orderByClientId(symbol, clientOrderId)
    if (known !== null && isOpen(known)) throw refusals.duplicate()
  }
}
