import { refusals } from './errors.ts'
import type { Listing } from './listing.ts'
import { ORDER_TYPES, type OrderType, type Side, type TimeInForce } from './orders.ts'
import type { Params } from './params.ts'

/** A single order as a client asks for it; 0 where it has no such amount. */
export interface NewOrder {
  readonly side: Side
  readonly type: OrderType
  readonly timeInForce: TimeInForce
  readonly quantity: number
  readonly quoteQuantity: number
  readonly price: number
  readonly stopPrice: number
  readonly clientOrderId: string | null
}

/** A resting target above and a stop below, for one quantity. */
export interface NewPair {
  readonly quantity: number
  readonly above: NewOrder
  readonly below: NewOrder
  readonly listClientOrderId: string | null
}

const BINANCE_TYPES = [...ORDER_TYPES, 'TAKE_PROFIT', 'TAKE_PROFIT_LIMIT']
const isOurs = (type: string): type is OrderType => (ORDER_TYPES as readonly string[]).includes(type)

/** 'STOP_LOSS_LIMIT' → 'Stop loss limit orders', as in Binance's messages. */
const inWords = (type: string): string => `${type[0]}${type.slice(1).toLowerCase().replaceAll('_', ' ')} orders`

function readSide(params: Params): Side {
  const side = params.needText('side')
  if (side !== 'BUY' && side !== 'SELL') throw refusals.side()
  return side
}

function readType(params: Params, name: string, { flags }: Listing): OrderType {
  const type = params.needText(name)
  if (!BINANCE_TYPES.includes(type)) throw refusals.orderType()
  if (!isOurs(type) || !flags.orderTypes.includes(type)) throw refusals.unsupported(inWords(type))
  return type
}

function readTimeInForce(params: Params, name: string, needed: boolean): TimeInForce {
  const value = needed ? params.needText(name) : params.text(name)
  if (value === null) return 'GTC'
  if (!needed) throw refusals.notRequired(name)
  if (value !== 'GTC' && value !== 'IOC' && value !== 'FOK') throw refusals.timeInForce()
  return value
}

/** A price that this type of order needs, or must not have. */
function readPrice(params: Params, name: string, needed: boolean): number {
  if (needed) return params.needAmount(name)
  if (params.has(name)) throw refusals.notRequired(name)
  return 0
}

const takesPrice = (type: OrderType): boolean => type === 'LIMIT' || type === 'LIMIT_MAKER' || type === 'STOP_LOSS_LIMIT'
const takesStop = (type: OrderType): boolean => type === 'STOP_LOSS' || type === 'STOP_LOSS_LIMIT'
const takesTime = (type: OrderType): boolean => type === 'LIMIT' || type === 'STOP_LOSS_LIMIT'

export function readOrder(params: Params, listing: Listing): NewOrder {
  const side = readSide(params)
  const type = readType(params, 'type', listing)
  if (side === 'BUY' && takesStop(type)) throw refusals.unsupported(`Buying ${inWords(type).toLowerCase()}`)
  const market = type === 'MARKET'
  const quantity = market ? params.amount('quantity') : params.needAmount('quantity')
  const quoteQuantity = market ? params.amount('quoteOrderQty') : readPrice(params, 'quoteOrderQty', false)
  if (market && quantity === null && quoteQuantity === null) throw refusals.oneOf('quantity', 'quoteOrderQty')
  if (market && quantity !== null && quoteQuantity !== null) throw refusals.notRequired('quoteOrderQty')
  if (market && quoteQuantity !== null && !listing.flags.quoteOrderQtyMarketAllowed) {
    throw refusals.invalidMessage('Quote order qty market orders are not support for this symbol.')
  }
  if (market && quoteQuantity !== null && side === 'SELL') throw refusals.unsupported('Selling quote order qty market orders')
  return {
    side, type,
    timeInForce: readTimeInForce(params, 'timeInForce', takesTime(type)),
    quantity: quantity ?? 0,
    quoteQuantity: quoteQuantity ?? 0,
    price: readPrice(params, 'price', takesPrice(type)),
    stopPrice: readPrice(params, 'stopPrice', takesStop(type)),
    clientOrderId: params.clientId('newClientOrderId'),
  }
}

/** A sell pair: the practice exchange knows no pair that buys. */
export function readPair(params: Params, listing: Listing): NewPair {
  if (!listing.flags.ocoAllowed) throw refusals.unsupported('OCO orders')
  if (readSide(params) === 'BUY') throw refusals.unsupported('Buying OCO orders')
  const quantity = params.needAmount('quantity')
  const leg = (where: 'above' | 'below', types: readonly OrderType[]): NewOrder => {
    const type = readType(params, `${where}Type`, listing)
    if (!types.includes(type)) throw refusals.unsupported(`${inWords(type)} ${where} a pair`)
    return {
      side: 'SELL', type, quantity, quoteQuantity: 0,
      timeInForce: readTimeInForce(params, `${where}TimeInForce`, takesTime(type)),
      price: readPrice(params, `${where}Price`, takesPrice(type)),
      stopPrice: readPrice(params, `${where}StopPrice`, takesStop(type)),
      clientOrderId: params.clientId(`${where}ClientOrderId`),
    }
  }
  return {
    quantity,
    above: leg('above', ['LIMIT_MAKER']),
    below: leg('below', ['STOP_LOSS', 'STOP_LOSS_LIMIT']),
    listClientOrderId: params.clientId('listClientOrderId'),
  }
}
