import { isMultiple } from './decimal.ts'
import { refusals } from './errors.ts'
import type { Listing } from './listing.ts'
import { isAlgo, type BookOrder, type OrderType, type Side } from './orders.ts'

/** What the filters ask of an order; 0 where it has no such price. */
export interface FilteredOrder {
  readonly side: Side
  readonly type: OrderType
  readonly quantity: number
  readonly price: number
  readonly stopPrice: number
  /** price × quantity, which a market order has from its fill. */
  readonly notional: number
}

/** Refuses an order that breaks one of the symbol's filters on its own. `last`: last price. */
export function checkFilters({ instrument, flags }: Listing, order: FilteredOrder, last: number): void {
  const { tickSize, lotSize, minNotional } = instrument
  const market = order.type === 'MARKET'
  for (const price of [order.price, order.stopPrice]) {
    if (price === 0) continue
    if (price < tickSize || price > flags.maxPrice || !isMultiple(price, tickSize)) throw refusals.filter('PRICE_FILTER')
  }
  const tooFar = order.price > last * flags.priceMultiplierUp || order.price < last * flags.priceMultiplierDown
  if (order.price !== 0 && tooFar) throw refusals.filter('PERCENT_PRICE_BY_SIDE')
  if (order.quantity < lotSize || order.quantity > flags.maxQuantity || !isMultiple(order.quantity, lotSize)) {
    throw refusals.filter('LOT_SIZE')
  }
  if (market && order.quantity > flags.maxMarketQuantity) throw refusals.filter('MARKET_LOT_SIZE')
  if ((!market || flags.applyMinToMarket) && order.notional < minNotional) throw refusals.filter('NOTIONAL')
  if (!market && order.notional > flags.maxNotional) throw refusals.filter('NOTIONAL')
}

/** Refuses new orders for which the symbol's book has no room left. */
export function checkRoom({ flags }: Listing, open: Iterable<BookOrder>, types: readonly OrderType[], list: boolean): void {
  let orders = types.length
  let algos = types.filter(isAlgo).length
  const lists = new Set<number>()
  for (const { type, orderListId } of open) {
    orders++
    if (isAlgo(type)) algos++
    if (orderListId >= 0) lists.add(orderListId)
  }
  if (orders > flags.maxNumOrders) throw refusals.filter('MAX_NUM_ORDERS')
  if (algos > flags.maxNumAlgoOrders && types.some(isAlgo)) throw refusals.filter('MAX_NUM_ALGO_ORDERS')
  if (list && lists.size + 1 > flags.maxNumOrderLists) throw refusals.filter('MAX_NUM_ORDER_LISTS')
}
