import type { EpochMs } from './time.ts'

/**
 * Why a position was closed; `trailing` is a raised stop, `time` the time stop, `end` the end of the tape, `operator` a
 * person's wish, `unprotected` a position that the venue would not protect. Runs keep the position in this list: new
 * reasons come last.
 */
export const EXIT_REASONS = ['signal', 'stop', 'stop_gap', 'target', 'target_gap', 'time', 'trailing', 'end', 'operator', 'unprotected'] as const
export type ExitReason = (typeof EXIT_REASONS)[number]

/** Stop and target as fractions of the entry's fill price; null = none, on purpose. */
export interface Protection {
  readonly stopLoss: number | null
  readonly takeProfit: number | null
}

/** A market order that spends an amount of quote and arms its protection at the fill. */
export interface EntryOrder {
  readonly id: string
  readonly symbol: string
  readonly side: 'buy'
  /** Quote to spend, fees in quote included. */
  readonly spend: number
  readonly protection: Protection
  readonly decidedAt: EpochMs
  readonly latencyMs: number
}

/** A market order that sells the symbol's whole position. */
export interface ExitOrder {
  readonly id: string
  readonly symbol: string
  readonly side: 'sell'
  /** Base units held at the decision. */
  readonly quantity: number
  readonly reason: 'signal' | 'time' | 'operator'
  readonly decidedAt: EpochMs
  readonly latencyMs: number
}

export type Order = EntryOrder | ExitOrder

declare const approved: unique symbol
/** An order that passed risk validation. Only `core/risk.ts` makes one, so a broker cannot be handed anything else. */
export type Approved<T> = T & { readonly [approved]: true }

/**
 * An execution. Valid until the broker's next `settle`: brokers may reuse the object.
 * A buy that pays its fee in base receives `quantity − feeBase`.
 */
export interface Fill {
  readonly kind: 'fill'
  readonly orderId: string
  readonly symbol: string
  readonly side: 'buy' | 'sell'
  /** Open time of the candle in which it happened. */
  readonly time: EpochMs
  readonly price: number
  /** Base units executed, before a fee in base. */
  readonly quantity: number
  /** price × quantity, as rounded by the venue. */
  readonly notional: number
  readonly feeBase: number
  readonly feeQuote: number
  /** Quote lost against the price without slippage. */
  readonly slippage: number
  readonly liquidity: 'maker' | 'taker'
  /** null for a buy. */
  readonly reason: ExitReason | null
  /** The candle touched stop and target, so its inner order of events is unknown. */
  readonly ambiguous: boolean
  /** The pair armed by an entry's fill: prices, null = none. */
  readonly stop: number | null
  readonly target: number | null
}

/** An order that ended without (further) fills. */
export interface OrderUpdate {
  readonly kind: 'order'
  readonly orderId: string
  readonly symbol: string
  readonly time: EpochMs
  readonly state: 'cancelled' | 'rejected' | 'expired'
  readonly reason: string
}

/**
 * The venue forgot the account's past, as test networks do now and then: the position no longer exists and nothing was
 * sold. The books return to what they were before the entry, outside all figures.
 */
export interface Voided {
  readonly kind: 'void'
  readonly symbol: string
  readonly time: EpochMs
  readonly reason: 'reset'
}

export type Execution = Fill | OrderUpdate | Voided

/** Shared by brokers that have nothing to tell, so that the hot path allocates nothing. */
export const NO_EXECUTIONS: readonly Execution[] = Object.freeze([])
