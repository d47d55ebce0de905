import type { Instrument } from '../../engine/core/instrument.ts'
import { ORDER_TYPES } from './orders.ts'
import { Tape, type PracticeTape } from './tape.ts'

/** What the exchange says about a symbol besides its steps. The defaults let everything through that a real symbol would. */
export interface SymbolFlags {
  readonly status: 'TRADING' | 'HALT' | 'BREAK'
  readonly orderTypes: readonly string[]
  readonly ocoAllowed: boolean
  readonly quoteOrderQtyMarketAllowed: boolean
  readonly cancelReplaceAllowed: boolean
  /** The smallest notional holds for market orders too. */
  readonly applyMinToMarket: boolean
  readonly maxPrice: number
  readonly maxQuantity: number
  readonly maxMarketQuantity: number
  readonly maxNotional: number
  /** Limit prices may lie this many times above and below the last price. */
  readonly priceMultiplierUp: number
  readonly priceMultiplierDown: number
  readonly maxNumOrders: number
  readonly maxNumAlgoOrders: number
  readonly maxNumOrderLists: number
}

const DEFAULT_FLAGS: SymbolFlags = {
  status: 'TRADING', orderTypes: ORDER_TYPES, ocoAllowed: true, quoteOrderQtyMarketAllowed: true, cancelReplaceAllowed: true,
  applyMinToMarket: true, maxPrice: 1e9, maxQuantity: 9e9, maxMarketQuantity: 9e9, maxNotional: 9e9, priceMultiplierUp: 5,
  priceMultiplierDown: 0.2, maxNumOrders: 200, maxNumAlgoOrders: 5, maxNumOrderLists: 20,
}

/** A symbol that is traded here. Its instrument has a tick and a lot of at least 1e-8. */
export interface Listing {
  /** 'BTCUSDT'. */
  readonly id: string
  readonly symbol: string
  readonly instrument: Instrument
  readonly flags: SymbolFlags
  readonly tape: Tape
}

/** The smallest step of anything on Binance. */
const LEAST_STEP = 1e-8

export function listingOf(tape: PracticeTape, instrument: Instrument, flags: Partial<SymbolFlags> = {}): Listing {
  return {
    id: `${instrument.base}${instrument.quote}`,
    symbol: tape.symbol,
    instrument: { ...instrument, tickSize: instrument.tickSize || LEAST_STEP, lotSize: instrument.lotSize || LEAST_STEP },
    flags: { ...DEFAULT_FLAGS, ...flags },
    tape: new Tape(tape),
  }
}
