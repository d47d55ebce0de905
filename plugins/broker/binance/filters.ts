import { floorToLot, type Instrument } from '../../../engine/core/instrument.ts'
import { armPair } from '../../../engine/core/matching.ts'
import type { EntryOrder } from '../../../engine/core/order.ts'
import type { VenueMarket } from '../../binance/connection.ts'
import type { Report } from './venue-orders.ts'

/**
 * The filter that would refuse an entry at `price` or the protection that it needs afterwards, or null. Asked before
 * anything is sent: an entry whose exit the venue would refuse is worse than none.
 */
export function refusedByFilters(
  market: VenueMarket, { lotSize, tickSize }: Instrument, { spend, protection }: EntryOrder, price: number, open: readonly Report[],
): string | null {
  if (market.status !== 'TRADING') return `market-${market.status.toLowerCase()}`
  if (!market.quoteOrderQtyMarketAllowed) return 'quote-order-quantity-not-allowed'
  const quantity = floorToLot(spend / price, Math.max(lotSize, market.marketLot.step))
  if (quantity < Math.max(market.lot.min, market.marketLot.min) || quantity === 0) return 'filter-MARKET_LOT_SIZE'
  if (quantity > Math.min(market.lot.max, market.marketLot.max)) return 'filter-MARKET_LOT_SIZE'
  if (market.minNotionalForMarket && spend < market.minNotional) return 'filter-NOTIONAL'
  if (market.maxNotionalForMarket && spend > market.maxNotional) return 'filter-NOTIONAL'
  const pair = { stop: 0, target: Infinity, raised: false }
  armPair(pair, price, protection, tickSize)
  const stop = pair.stop === 0 ? null : pair.stop
  const target = pair.target === Infinity ? null : pair.target
  for (const level of [stop, target]) {
    if (level === null) continue
    if (level < tickSize) return 'filter-PRICE_FILTER'
    if (quantity * level > market.maxNotional) return 'filter-NOTIONAL'
    const { percentPriceBySide: percent } = market
    if (percent !== null && (level > price * percent.askMultiplierUp || level < price * percent.askMultiplierDown)) {
      return 'filter-PERCENT_PRICE_BY_SIDE'
    }
  }
  const legs = (stop === null ? 0 : 1) + (target === null ? 0 : 1)
  if (legs === 2 && !market.ocoAllowed) return 'oco-not-allowed'
  if (open.length + legs > market.maxNumOrders) return 'filter-MAX_NUM_ORDERS'
  if (open.filter(({ algo }) => algo).length + (stop === null ? 0 : 1) > market.maxNumAlgoOrders) return 'filter-MAX_NUM_ALGO_ORDERS'
  return null
}
