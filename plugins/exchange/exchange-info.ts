import type { EpochMs } from '../../engine/core/time.ts'
import { decimal } from './decimal.ts'
import type { Listing } from './listing.ts'

export const WEIGHT_LIMIT = 6_000
export const ORDER_LIMITS = { SECOND: 100, DAY: 200_000 } as const

const RATE_LIMITS = [
  { rateLimitType: 'REQUEST_WEIGHT', interval: 'MINUTE', intervalNum: 1, limit: WEIGHT_LIMIT },
  { rateLimitType: 'ORDERS', interval: 'SECOND', intervalNum: 10, limit: ORDER_LIMITS.SECOND },
  { rateLimitType: 'ORDERS', interval: 'DAY', intervalNum: 1, limit: ORDER_LIMITS.DAY },
] as const

function filters({ instrument: { tickSize, lotSize, minNotional }, flags }: Listing): readonly object[] {
  const [up, down] = [flags.priceMultiplierUp, flags.priceMultiplierDown].map(String)
  return [
    { filterType: 'PRICE_FILTER', minPrice: decimal(tickSize), maxPrice: decimal(flags.maxPrice), tickSize: decimal(tickSize) },
    { filterType: 'LOT_SIZE', minQty: decimal(lotSize), maxQty: decimal(flags.maxQuantity), stepSize: decimal(lotSize) },
    { filterType: 'MARKET_LOT_SIZE', minQty: decimal(0), maxQty: decimal(flags.maxMarketQuantity), stepSize: decimal(0) },
    {
      filterType: 'PERCENT_PRICE_BY_SIDE', bidMultiplierUp: up, bidMultiplierDown: down, askMultiplierUp: up, askMultiplierDown: down,
      avgPriceMins: 5,
    },
    {
      filterType: 'NOTIONAL', minNotional: decimal(minNotional), applyMinToMarket: flags.applyMinToMarket,
      maxNotional: decimal(flags.maxNotional), applyMaxToMarket: false, avgPriceMins: 5,
    },
    { filterType: 'MAX_NUM_ORDERS', maxNumOrders: flags.maxNumOrders },
    { filterType: 'MAX_NUM_ALGO_ORDERS', maxNumAlgoOrders: flags.maxNumAlgoOrders },
    { filterType: 'MAX_NUM_ORDER_LISTS', maxNumOrderLists: flags.maxNumOrderLists },
  ]
}

const symbolInfo = (listing: Listing): object => {
  const { id, instrument: { base, quote }, flags } = listing
  return {
    symbol: id, status: flags.status, baseAsset: base, baseAssetPrecision: 8, quoteAsset: quote, quotePrecision: 8, quoteAssetPrecision: 8,
    baseCommissionPrecision: 8, quoteCommissionPrecision: 8, orderTypes: flags.orderTypes, icebergAllowed: false,
    ocoAllowed: flags.ocoAllowed, otoAllowed: false, opoAllowed: false, quoteOrderQtyMarketAllowed: flags.quoteOrderQtyMarketAllowed,
    allowTrailingStop: false, cancelReplaceAllowed: flags.cancelReplaceAllowed, amendAllowed: false, pegInstructionsAllowed: false,
    isSpotTradingAllowed: true, isMarginTradingAllowed: false, filters: filters(listing), permissions: [], permissionSets: [['SPOT']],
    defaultSelfTradePreventionMode: 'NONE', allowedSelfTradePreventionModes: ['NONE'],
  }
}

export const exchangeInfo = (listings: readonly Listing[], serverTime: EpochMs): object => ({
  timezone: 'UTC', serverTime, rateLimits: RATE_LIMITS, exchangeFilters: [], symbols: listings.map(symbolInfo), sors: [],
})
