import { BinanceError, refusals } from './errors.ts'
import type { Listing } from './listing.ts'
import { readOrder, readPair } from './order-request.ts'
import { isOpen, type BookOrder, type OrderList, type OrderType } from './orders.ts'
import type { Params } from './params.ts'
import { cancelledList, cancelReport, placedList, queriedList, RESPONSES, type ResponseType } from './render.ts'
import { idOf, listingIn, type Call, type Endpoint, type World } from './world.ts'

function responseType(params: Params, standard: ResponseType): ResponseType {
  const type = params.text('newOrderRespType')
  if (type === null) return standard
  if (type !== 'ACK' && type !== 'RESULT' && type !== 'FULL') throw refusals.invalidParameter('newOrderRespType')
  return type
}

const standardResponse = (type: OrderType): ResponseType => (type === 'MARKET' || type === 'LIMIT' ? 'FULL' : 'ACK')

/** The order that `idName` or `clientIdName` names, or null when there is none. */
export function findOrder({ ledger }: World, { symbol }: Listing, params: Params, idName: string, clientIdName: string): BookOrder | null {
  const orderId = params.whole(idName)
  const clientId = params.text(clientIdName)
  if (orderId !== null) {
    const order = ledger.order(symbol, orderId)
    return order === null || (clientId !== null && order.clientOrderId !== clientId) ? null : order
  }
  if (clientId === null) throw refusals.oneOf(clientIdName, idName)
  return ledger.orderByClientId(symbol, clientId)
}

function place(world: World, call: Call): unknown {
  const listing = listingIn(world, call.params)
  const order = readOrder(call.params, listing)
  const type = responseType(call.params, standardResponse(order.type))
  return RESPONSES[type](listing.id, world.book.place(listing, order, call.now, call.liquidity))
}

function test(world: World, { params, now }: Call): unknown {
  const listing = listingIn(world, params)
  world.book.check(listing, readOrder(params, listing), listing.tape.price(now))
  if (params.text('computeCommissionRates') !== 'true') return {}
  const { maker, taker } = world.costs
  const none = { maker: '0.00000000', taker: '0.00000000' }
  return {
    standardCommissionForOrder: { maker: maker.toFixed(8), taker: taker.toFixed(8) },
    specialCommissionForOrder: none,
    taxCommissionForOrder: none,
    discount: { enabledForAccount: false, enabledForSymbol: false, discountAsset: 'BNB', discount: '0.25000000' },
  }
}

/** Cancels an order or, with a leg, its whole list; the answer is the order's or the list's. */
function cancelAndReport({ book, ledger }: World, id: string, order: BookOrder, call: Call, newClientId: string | null): unknown {
  book.cancel(order, call.now)
  const cancelId = newClientId ?? ledger.nextClientId()
  return order.list === null ? cancelReport(id, order, cancelId) : cancelledList(id, order.list, cancelId)
}

function cancel(world: World, call: Call): unknown {
  const listing = listingIn(world, call.params)
  const order = findOrder(world, listing, call.params, 'orderId', 'origClientOrderId')
  if (order === null || !isOpen(order)) throw refusals.unknownOrder()
  return cancelAndReport(world, listing.id, order, call, call.params.clientId('newClientOrderId'))
}

function cancelAll(world: World, call: Call): unknown {
  const listing = listingIn(world, call.params)
  const open = [...world.ledger.of(listing.symbol).open]
  if (open.length === 0) throw refusals.unknownOrder()
  // The second leg of a list is gone with the first.
  return open.filter((order) => order.list === null || order.list.legs.find(isOpen) === order)
    .map((order) => cancelAndReport(world, listing.id, order, call, null))
}

/** Runs one half of a cancel-replace: what it answered, or how it was refused. */
function half(run: () => unknown): { readonly ok: boolean; readonly response: unknown } {
  try {
    return { ok: true, response: run() }
  } catch (error) {
    if (!(error instanceof BinanceError)) throw error
    return { ok: false, response: error.body }
  }
}

const outcome = (ok: boolean): 'SUCCESS' | 'FAILURE' => (ok ? 'SUCCESS' : 'FAILURE')

function cancelReplace(world: World, call: Call): unknown {
  const { params, now } = call
  const listing = listingIn(world, params)
  if (!listing.flags.cancelReplaceAllowed) throw refusals.unsupported('Cancel-replace orders')
  const mode = params.needText('cancelReplaceMode')
  if (mode !== 'STOP_ON_FAILURE' && mode !== 'ALLOW_FAILURE') throw refusals.invalidParameter('cancelReplaceMode')
  const order = readOrder(params, listing)
  const type = responseType(params, standardResponse(order.type))
  const cancelId = params.clientId('cancelNewClientOrderId')
  const old = findOrder(world, listing, params, 'cancelOrderId', 'cancelOrigClientOrderId')
  // Filters come before anything is cancelled.
  world.book.check(listing, order, listing.tape.price(now))
  const cancelled = half(() => {
    if (old === null || !isOpen(old)) throw refusals.unknownOrder()
    return cancelAndReport(world, listing.id, old, call, cancelId)
  })
  const failed = { cancelResult: outcome(cancelled.ok), cancelResponse: cancelled.response }
  if (!cancelled.ok && mode === 'STOP_ON_FAILURE') {
    throw refusals.cancelReplaceFailed({ ...failed, newOrderResult: 'NOT_ATTEMPTED', newOrderResponse: null })
  }
  const placed = half(() => RESPONSES[type](listing.id, world.book.place(listing, order, now, call.liquidity)))
  const data = { ...failed, newOrderResult: outcome(placed.ok), newOrderResponse: placed.response }
  if (cancelled.ok && placed.ok) return data
  throw cancelled.ok || placed.ok ? refusals.cancelReplacePartly(data) : refusals.cancelReplaceFailed(data)
}

function placePair(world: World, call: Call): unknown {
  const listing = listingIn(world, call.params)
  const type = responseType(call.params, 'RESULT')
  return placedList(listing.id, world.book.placePair(listing, readPair(call.params, listing), call.now), type)
}

function findList({ ledger }: World, params: Params, clientIdName: string): OrderList | null {
  const listId = params.whole('orderListId')
  const clientId = params.text(clientIdName)
  if (listId === null && clientId === null) throw refusals.oneOf(clientIdName, 'orderListId')
  return listId === null ? ledger.listByClientId(clientId!) : ledger.list(listId)
}

function cancelList(world: World, { params, now }: Call): unknown {
  const listing = listingIn(world, params)
  const list = findList(world, params, 'listClientOrderId')
  const leg = list?.legs.find(isOpen)
  if (list === null || leg === undefined || list.symbol !== listing.symbol) throw refusals.unknownList()
  const cancelId = params.clientId('newClientOrderId') ?? world.ledger.nextClientId()
  world.book.cancel(leg, now)
  return cancelledList(listing.id, list, cancelId)
}

function queryList(world: World, { params }: Call): unknown {
  const list = findList(world, params, params.has('listClientOrderId') ? 'listClientOrderId' : 'origClientOrderId')
  if (list === null) throw refusals.noList()
  return queriedList(idOf(list.symbol), list)
}

const trading = { signed: true, changes: true, weight: 1 } as const
const reading = { method: 'GET', signed: true, changes: false } as const

export const orderEndpoints: readonly Endpoint[] = [
  { ...trading, method: 'POST', path: '/order', answer: place },
  { ...trading, method: 'POST', path: '/order/test', changes: false, answer: test },
  { ...trading, method: 'DELETE', path: '/order', answer: cancel },
  { ...trading, method: 'POST', path: '/order/cancelReplace', answer: cancelReplace },
  { ...trading, method: 'DELETE', path: '/openOrders', answer: cancelAll },
  { ...trading, method: 'POST', path: '/orderList/oco', answer: placePair },
  { ...trading, method: 'DELETE', path: '/orderList', answer: cancelList },
  { ...reading, path: '/orderList', weight: 4, answer: queryList },
  {
    ...reading, path: '/openOrderList', weight: 6,
    answer: ({ ledger }) => ledger.openLists.map((list) => queriedList(idOf(list.symbol), list)),
  },
  {
    ...reading, path: '/allOrderList', weight: 20,
    answer: ({ ledger }, { params }) =>
      ledger.lists.filter(({ orderListId }) => orderListId >= (params.whole('fromId') ?? 0)).slice(-params.limit(500, 1000))
        .map((list) => queriedList(idOf(list.symbol), list)),
  },
]
