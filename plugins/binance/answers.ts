import { z } from 'zod'
import { brokenRule, type Candle } from '../../engine/core/candle.ts'

/** A decimal string, as Binance writes amounts and prices, as a finite number. */
export const amount = z.string().regex(/^-?\d+(\.\d+)?$/, 'expected a decimal string').transform(Number)
  .refine(Number.isFinite, 'expected a finite number')
const id = z.int().nonnegative()
/** −1 where an order belongs to no list. */
const listId = z.int().min(-1)
/** Epoch ms; −1 for what has not happened, such as the working time of a stop that waits. */
const time = z.int().min(-1)

export const orderStatus = z.enum([
  'NEW', 'PENDING_NEW', 'PARTIALLY_FILLED', 'FILLED', 'CANCELED', 'PENDING_CANCEL', 'REJECTED', 'EXPIRED', 'EXPIRED_IN_MATCH',
])
export type OrderStatus = z.output<typeof orderStatus>
const side = z.enum(['BUY', 'SELL'])

/** GET time */
export const serverTime = z.object({ serverTime: z.int().positive() })

/** What every answer about an order that exists says of it. */
const orderReport = z.object({
  symbol: z.string(), orderId: id, orderListId: listId, clientOrderId: z.string(),
  price: amount, origQty: amount, executedQty: amount, cummulativeQuoteQty: amount,
  status: orderStatus, type: z.string(), side, stopPrice: amount.optional(),
})

/** POST order with newOrderRespType ACK: it was accepted, and that is all. */
export const orderAck = z.object({
  symbol: z.string(), orderId: id, orderListId: listId, clientOrderId: z.string(), transactTime: time,
})

/** POST order with newOrderRespType RESULT, and the reports inside order lists. */
export const orderResult = orderReport.extend({ transactTime: time })

export const orderFill = z.object({
  price: amount, qty: amount, commission: amount, commissionAsset: z.string(), tradeId: z.int(),
})
export type OrderFill = z.output<typeof orderFill>

/** POST order with newOrderRespType FULL. */
export const orderFull = orderResult.extend({ fills: z.array(orderFill) })

/** GET order, and the rows of openOrders and allOrders. */
export const queriedOrder = orderReport.extend({ time, updateTime: time, isWorking: z.boolean() })
export const queriedOrders = z.array(queriedOrder)

/** DELETE order, and the reports of a cancelled list: `origClientOrderId` is the order's own id, `clientOrderId` the cancel's. */
export const cancelledOrder = orderResult.extend({ origClientOrderId: z.string() })

/** GET orderList and the rows of openOrderList. */
export const orderList = z.object({
  orderListId: id, contingencyType: z.string(), listStatusType: z.string(),
  listOrderStatus: z.enum(['EXECUTING', 'ALL_DONE', 'REJECT']), listClientOrderId: z.string(), transactionTime: time,
  symbol: z.string(), orders: z.array(z.object({ symbol: z.string(), orderId: id, clientOrderId: z.string() })),
})
export type OrderList = z.output<typeof orderList>
export const orderLists = z.array(orderList)

/** POST orderList/oco */
export const placedList = orderList.extend({ orderReports: z.array(orderResult) })

/** DELETE orderList */
export const cancelledList = orderList.extend({ orderReports: z.array(cancelledOrder) })

/** DELETE order on one leg of a list answers with the whole list. */
export const cancelAnswer = z.union([cancelledList, cancelledOrder])

const refused = z.object({ code: z.int(), msg: z.string() })
const half = z.enum(['SUCCESS', 'FAILURE', 'NOT_ATTEMPTED'])

/** POST order/cancelReplace where both halves worked. Cancelling one leg of a list reports the list. */
export const cancelReplace = z.object({
  cancelResult: z.literal('SUCCESS'), newOrderResult: z.literal('SUCCESS'),
  cancelResponse: cancelAnswer, newOrderResponse: orderFull.or(orderResult).or(orderAck),
})

/** `data` of the refusals −2021 and −2022. */
export const cancelReplaceData = z.object({
  cancelResult: half, newOrderResult: half,
  cancelResponse: cancelAnswer.or(refused).nullable(),
  newOrderResponse: orderFull.or(orderResult).or(orderAck).or(refused).nullable(),
})

/** GET account */
export const account = z.object({
  canTrade: z.boolean(), accountType: z.string(), permissions: z.array(z.string()),
  balances: z.array(z.object({ asset: z.string(), free: amount, locked: amount })),
})
export type AccountAnswer = z.output<typeof account>

const rates = z.object({ maker: amount, taker: amount, buyer: amount, seller: amount })

/** GET account/commission: rates as fractions. */
export const commission = z.object({
  symbol: z.string(), standardCommission: rates, specialCommission: rates.optional(), taxCommission: rates,
  discount: z.object({
    enabledForAccount: z.boolean(), enabledForSymbol: z.boolean(), discountAsset: z.string(), discount: amount,
  }),
})
export type Commission = z.output<typeof commission>

/** GET myTrades */
export const myTrades = z.array(z.object({
  symbol: z.string(), id: z.int(), orderId: id, orderListId: listId, price: amount, qty: amount, quoteQty: amount,
  commission: amount, commissionAsset: z.string(), time, isBuyer: z.boolean(), isMaker: z.boolean(),
}))

/** GET ticker/bookTicker of one symbol. An empty side of the book is 0. */
export const bookTicker = z.object({ symbol: z.string(), bidPrice: amount, bidQty: amount, askPrice: amount, askQty: amount })

const kline = z.tuple([z.int().positive(), amount, amount, amount, amount, amount, z.int().positive()], z.unknown())
  .transform(([openTime, open, high, low, close, volume], context): Candle => {
    const broken = brokenRule(open, high, low, close, volume)
    if (broken !== null) context.addIssue({ code: 'custom', message: broken })
    return { openTime, open, high, low, close, volume }
  })

/** GET klines: sound candles with rising times; the newest may still be in progress. */
export const klines = z.array(kline).refine(
  (rows) => rows.every(({ openTime }, index) => index === 0 || openTime > rows[index - 1].openTime), 'open times must rise')
