import { z } from 'zod'
import { instrumentOf, type Instrument } from '../../engine/core/instrument.ts'
import { amount } from './answers.ts'

/** What a symbol's filters and flags allow. Amounts are numbers; a filter that is absent is null, or allows everything. */
export interface VenueMarket {
  /** Binance's name: `BTCUSDT`. */
  readonly id: string
  /** Only `TRADING` takes orders. */
  readonly status: string
  /** Price step in quote; 0 = any price. */
  readonly tickSize: number
  /** Quantity step in base (LOT_SIZE); 0 = any quantity. */
  readonly lotSize: number
  /** Quantity limits of every order, in base. */
  readonly lot: { readonly min: number; readonly max: number }
  /** Further limits of market orders; a step of 0 sets none beside `lotSize`. */
  readonly marketLot: { readonly min: number; readonly max: number; readonly step: number }
  /** Smallest price × quantity in quote; for market orders only where `minNotionalForMarket`. */
  readonly minNotional: number
  readonly minNotionalForMarket: boolean
  /** Largest price × quantity in quote; for market orders only where `maxNotionalForMarket`. */
  readonly maxNotional: number
  readonly maxNotionalForMarket: boolean
  /** Prices of orders as multiples of the average price, by side of the order. */
  readonly percentPriceBySide: PercentPriceBySide | null
  /** Open orders that a symbol may have; Infinity = no limit. */
  readonly maxNumOrders: number
  readonly maxNumAlgoOrders: number
  readonly maxNumOrderLists: number
  readonly ocoAllowed: boolean
  readonly quoteOrderQtyMarketAllowed: boolean
  readonly cancelReplaceAllowed: boolean
  readonly orderTypes: readonly string[]
  readonly instrument: Instrument
}

export interface PercentPriceBySide {
  /** Buys. */
  readonly bidMultiplierUp: number
  readonly bidMultiplierDown: number
  /** Sells. */
  readonly askMultiplierUp: number
  readonly askMultiplierDown: number
}

/** Filters by type; those that nobody reads stay as they are. */
const filters = z.array(z.looseObject({ filterType: z.string() }))

const symbolInfo = z.object({
  symbol: z.string(), status: z.string(), baseAsset: z.string(), quoteAsset: z.string(), orderTypes: z.array(z.string()),
  ocoAllowed: z.boolean(), quoteOrderQtyMarketAllowed: z.boolean(), cancelReplaceAllowed: z.boolean(), filters,
}).transform((row, context) => {
  try {
    return { ...row, filters: knownFilters(row.filters) }
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error
    const [issue] = error.issues
    context.addIssue({ code: 'custom', message: `${row.symbol} filter ${issue.path.join('.')}: ${issue.message}` })
    return z.NEVER
  }
})
type SymbolInfo = z.output<typeof symbolInfo>

/** GET exchangeInfo */
export const exchangeInfo = z.object({ symbols: z.array(symbolInfo) })

const FILTERS = z.object({
  PRICE_FILTER: z.object({ tickSize: amount }).optional(),
  LOT_SIZE: z.object({ minQty: amount, maxQty: amount, stepSize: amount }).optional(),
  MARKET_LOT_SIZE: z.object({ minQty: amount, maxQty: amount, stepSize: amount }).optional(),
  NOTIONAL: z.object({
    minNotional: amount, applyMinToMarket: z.boolean(), maxNotional: amount, applyMaxToMarket: z.boolean(),
  }).optional(),
  MIN_NOTIONAL: z.object({ minNotional: amount, applyToMarket: z.boolean() }).optional(),
  PERCENT_PRICE_BY_SIDE: z.object({
    bidMultiplierUp: amount, bidMultiplierDown: amount, askMultiplierUp: amount, askMultiplierDown: amount,
  }).optional(),
  MAX_NUM_ORDERS: z.object({ maxNumOrders: z.int() }).optional(),
  MAX_NUM_ALGO_ORDERS: z.object({ maxNumAlgoOrders: z.int() }).optional(),
  MAX_NUM_ORDER_LISTS: z.object({ maxNumOrderLists: z.int() }).optional(),
})

function knownFilters(rows: z.output<typeof filters>): z.output<typeof FILTERS> {
  return FILTERS.parse(Object.fromEntries(rows.map((row) => [row.filterType, row])))
}

const ANY = { minQty: 0, maxQty: Infinity, stepSize: 0 }

/** Binance writes 0 where a maximum is off. */
const limit = (max: number): number => (max === 0 ? Infinity : max)

/** The market of `symbol` from its row in exchangeInfo. */
export function venueMarket(symbol: string, { filters: set, ...row }: SymbolInfo): VenueMarket {
  const lot = set.LOT_SIZE ?? ANY
  const market = set.MARKET_LOT_SIZE ?? ANY
  const notional = set.NOTIONAL
  const tickSize = set.PRICE_FILTER?.tickSize ?? 0
  const minNotional = notional?.minNotional ?? set.MIN_NOTIONAL?.minNotional ?? 0
  return {
    id: row.symbol,
    status: row.status,
    tickSize,
    lotSize: lot.stepSize,
    lot: { min: lot.minQty, max: limit(lot.maxQty) },
    marketLot: { min: market.minQty, max: limit(market.maxQty), step: market.stepSize },
    minNotional,
    minNotionalForMarket: notional?.applyMinToMarket ?? set.MIN_NOTIONAL?.applyToMarket ?? false,
    maxNotional: notional === undefined ? Infinity : limit(notional.maxNotional),
    maxNotionalForMarket: notional?.applyMaxToMarket ?? false,
    percentPriceBySide: set.PERCENT_PRICE_BY_SIDE ?? null,
    maxNumOrders: set.MAX_NUM_ORDERS?.maxNumOrders ?? Infinity,
    maxNumAlgoOrders: set.MAX_NUM_ALGO_ORDERS?.maxNumAlgoOrders ?? Infinity,
    maxNumOrderLists: set.MAX_NUM_ORDER_LISTS?.maxNumOrderLists ?? Infinity,
    ocoAllowed: row.ocoAllowed,
    quoteOrderQtyMarketAllowed: row.quoteOrderQtyMarketAllowed,
    cancelReplaceAllowed: row.cancelReplaceAllowed,
    orderTypes: row.orderTypes,
    instrument: instrumentOf(symbol, { tickSize, lotSize: lot.stepSize, minNotional }),
  }
}
