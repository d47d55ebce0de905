import type { Candle } from '../../engine/core/candle.ts'
import { floorToLot } from '../../engine/core/instrument.ts'
import { matchPair, type FillModel } from '../../engine/core/matching.ts'
import type { EpochMs } from '../../engine/core/time.ts'
import type { Book } from './book.ts'
import type { Listing } from './listing.ts'
import { isOpen, type BookOrder, type OrderList } from './orders.ts'

/** What a closed candle does to a symbol's resting orders. */
export interface Closing {
  readonly listing: Listing
  readonly candle: Candle
  /** The candle's last millisecond: what it fills, fills then. */
  readonly closeTime: EpochMs
  readonly model: FillModel
  /** Asked when a target is hit: the share of it that fills. */
  readonly targetShare: (symbol: string) => number
}

/** Lets every open order meet the candle, in the order of their ids; the two legs of a pair meet it together. */
export function meetCandle(book: Book, open: Iterable<BookOrder>, closing: Closing): void {
  const met = new Set<OrderList>()
  for (const order of [...open]) {
    const { list } = order
    // A leg that fills in part goes on alone, but not in the candle that its pair has already met.
    if (!isOpen(order) || (list !== null && met.has(list))) continue
    if (list !== null) met.add(list)
    if (order.side === 'BUY' || order.type === 'LIMIT') meetLimit(book, order, closing)
    else if (order.type === 'STOP_LOSS_LIMIT' && order.workingTime >= 0) meetLimit(book, order, closing)
    else meetPair(book, (list?.legs ?? [order]).filter(isOpen), closing)
  }
}

/** A limit order in the book fills at its price when the candle reaches it. */
function meetLimit(book: Book, order: BookOrder, { listing, candle, closeTime }: Closing): void {
  const reached = order.side === 'BUY' ? candle.low <= order.price : candle.high >= order.price
  if (reached) book.execute(listing, order, book.remaining(order), order.price, 'maker', closeTime)
}

function meetPair(book: Book, legs: readonly BookOrder[], closing: Closing): void {
  const { listing, candle, closeTime, model } = closing
  const stopLeg = legs.find(({ stopPrice }) => stopPrice > 0) ?? null
  const targetLeg = legs.find(({ stopPrice }) => stopPrice === 0) ?? null
  const pair = { stop: stopLeg?.stopPrice ?? 0, target: targetLeg?.price ?? Infinity, raised: false }
  const hit = matchPair(pair, candle, model, legs[0].time >= candle.openTime)
  if (hit === null) return
  if (hit.liquidity === 'taker') hitStop(book, stopLeg!, hit.price, closing)
  else {
    const share = closing.targetShare(listing.symbol)
    const remaining = book.remaining(targetLeg!)
    const quantity = share < 1 ? floorToLot(remaining * share, listing.instrument.lotSize) : remaining
    if (quantity > 0) book.execute(listing, targetLeg!, quantity, hit.price, 'maker', closeTime)
  }
}

/** A stop sells at the market; one with a limit that the market is already below waits there instead. */
function hitStop(book: Book, order: BookOrder, price: number, { listing, closeTime }: Closing): void {
  if (order.type === 'STOP_LOSS_LIMIT' && book.stopFill(listing, order, price) < order.price) {
    book.expireOther(order, closeTime)
    order.workingTime = order.updateTime = closeTime
  } else {
    book.execute(listing, order, book.remaining(order), price, 'taker', closeTime)
  }
}
