import { decimal } from './decimal.ts'
import type { OrderList, BookOrder, PracticeTrade } from './orders.ts'

/** An order's or list's answers, with the field names and strings of Binance. `symbol` is Binance's: 'BTCUSDT'. */

export const orderAck = (symbol: string, order: BookOrder) => ({
  symbol, orderId: order.orderId, orderListId: order.orderListId, clientOrderId: order.clientOrderId, transactTime: order.updateTime,
})

const amounts = (order: BookOrder) => ({
  price: decimal(order.price), origQty: decimal(order.quantity), executedQty: decimal(order.executedQuantity),
  origQuoteOrderQty: decimal(order.quoteQuantity), cummulativeQuoteQty: decimal(order.executedNotional), status: order.status,
  timeInForce: order.timeInForce, type: order.type, side: order.side,
})

const stop = ({ stopPrice }: BookOrder) => (stopPrice > 0 ? { stopPrice: decimal(stopPrice) } : {})

export const orderResult = (symbol: string, order: BookOrder) => ({
  ...orderAck(symbol, order), ...amounts(order), ...stop(order), workingTime: order.workingTime, selfTradePreventionMode: 'NONE',
})

export const orderFull = (symbol: string, order: BookOrder) => ({
  ...orderResult(symbol, order),
  fills: order.fills.map(({ price, quantity, fee, feeAsset, tradeId }) => ({
    price: decimal(price), qty: decimal(quantity), commission: decimal(fee), commissionAsset: feeAsset, tradeId,
  })),
})

export type ResponseType = 'ACK' | 'RESULT' | 'FULL'
export const RESPONSES = { ACK: orderAck, RESULT: orderResult, FULL: orderFull } as const

export const cancelReport = (symbol: string, order: BookOrder, cancelId: string) => ({
  symbol, origClientOrderId: order.clientOrderId, orderId: order.orderId, orderListId: order.orderListId, clientOrderId: cancelId,
  transactTime: order.updateTime, ...amounts(order), ...stop(order), selfTradePreventionMode: 'NONE',
})

export const queriedOrder = (symbol: string, order: BookOrder) => ({
  symbol, orderId: order.orderId, orderListId: order.orderListId, clientOrderId: order.clientOrderId, ...amounts(order),
  stopPrice: decimal(order.stopPrice), icebergQty: decimal(0), time: order.time, updateTime: order.updateTime,
  isWorking: order.workingTime >= 0, workingTime: order.workingTime, selfTradePreventionMode: 'NONE',
})

export const queriedList = (symbol: string, list: OrderList) => ({
  orderListId: list.orderListId,
  contingencyType: 'OCO',
  listStatusType: list.status === 'ALL_DONE' ? 'ALL_DONE' : 'EXEC_STARTED',
  listOrderStatus: list.status,
  listClientOrderId: list.listClientOrderId,
  transactionTime: list.time,
  symbol,
  orders: list.legs.map(({ orderId, clientOrderId }) => ({ symbol, orderId, clientOrderId })),
})

export const placedList = (symbol: string, list: OrderList, type: ResponseType) => ({
  ...queriedList(symbol, list), orderReports: list.legs.map((leg) => RESPONSES[type](symbol, leg)),
})

export const cancelledList = (symbol: string, list: OrderList, cancelId: string) => ({
  ...queriedList(symbol, list), orderReports: list.legs.map((leg) => cancelReport(symbol, leg, cancelId)),
})

export const accountTrade = (symbol: string, trade: PracticeTrade) => ({
  symbol, id: trade.tradeId, orderId: trade.orderId, orderListId: trade.orderListId, price: decimal(trade.price),
  qty: decimal(trade.quantity), quoteQty: decimal(trade.notional), commission: decimal(trade.fee), commissionAsset: trade.feeAsset,
  time: trade.time, isBuyer: trade.side === 'BUY', isMaker: trade.liquidity === 'maker', isBestMatch: true,
})
