import type { EpochMs } from '../../engine/core/time.ts'
import type { Hold } from './balances.ts'

export const ORDER_TYPES = ['LIMIT', 'LIMIT_MAKER', 'MARKET', 'STOP_LOSS', 'STOP_LOSS_LIMIT'] as const
export type OrderType = (typeof ORDER_TYPES)[number]
export type Side = 'BUY' | 'SELL'
export type TimeInForce = 'GTC' | 'IOC' | 'FOK'
export type OrderStatus = 'NEW' | 'PARTIALLY_FILLED' | 'FILLED' | 'CANCELED' | 'EXPIRED'

/** An order as it stands. Amounts in base units, prices in quote; 0 where an order has no such price. */
export interface PracticeOrder {
  readonly orderId: number
  /** −1: not part of a list. */
  readonly orderListId: number
  readonly clientOrderId: string
  /** 'BTC/USDT'. */
  readonly symbol: string
  readonly side: Side
  readonly type: OrderType
  readonly timeInForce: TimeInForce
  readonly price: number
  readonly stopPrice: number
  readonly quantity: number
  /** Quote to spend, for a market buy that was sized in quote. */
  readonly quoteQuantity: number
  readonly executedQuantity: number
  readonly executedNotional: number
  readonly status: OrderStatus
  readonly time: EpochMs
  readonly updateTime: EpochMs
  /** When it came to the book: −1 for a stop that has not been triggered. */
  readonly workingTime: EpochMs
}

/** One execution. */
export interface PracticeTrade {
  readonly tradeId: number
  readonly orderId: number
  readonly orderListId: number
  readonly symbol: string
  readonly side: Side
  readonly price: number
  readonly quantity: number
  readonly notional: number
  readonly fee: number
  readonly feeAsset: string
  readonly liquidity: 'maker' | 'taker'
  readonly time: EpochMs
}

/** An order in the book, with what it locks and what it traded. */
export type BookOrder = { -readonly [K in keyof PracticeOrder]: PracticeOrder[K] } & {
  /** Shared by the legs of a list; null once nothing is locked for it. */
  hold: Hold | null
  list: OrderList | null
  readonly fills: PracticeTrade[]
}

/** Two sell orders of which only one may execute. */
export interface OrderList {
  readonly orderListId: number
  readonly listClientOrderId: string
  readonly symbol: string
  /** In the order of their ids: the stop first. */
  readonly legs: BookOrder[]
  status: 'EXECUTING' | 'ALL_DONE'
  time: EpochMs
}

export const isOpen = ({ status }: PracticeOrder): boolean => status === 'NEW' || status === 'PARTIALLY_FILLED'

/** Orders that wait for a trigger: the exchange counts them apart. */
export const isAlgo = (type: OrderType): boolean => type === 'STOP_LOSS' || type === 'STOP_LOSS_LIMIT'

/** What an outsider may see of an order: a copy that stays as it is. */
export function copyOrder({ hold: _hold, list: _list, fills: _fills, ...order }: BookOrder): PracticeOrder {
  return order
}
