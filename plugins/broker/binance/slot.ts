import { carried, sellable, type Instrument } from '../../../engine/core/instrument.ts'
import { armPair, type ProtectivePair } from '../../../engine/core/matching.ts'
import type { Execution, ExitReason, Fill, Protection } from '../../../engine/core/order.ts'
import type { EpochMs } from '../../../engine/core/time.ts'
import type { PastLine } from '../../../engine/ports.ts'
import type { VenueMarket } from '../../binance/connection.ts'

/** Cumulative amounts, base and quote. */
export interface Sums {
  quantity: number
  notional: number
  feeBase: number
  feeQuote: number
}

/** One order that was, or may have been, sent to the venue. */
export interface Ref {
  readonly clientId: string
  /** What the loop and the trail call it. */
  readonly orderId: string
  readonly role: 'entry' | 'stop' | 'target' | 'sale'
  /** Why a sale was sent; legs find their reason when they fill. */
  readonly reason: ExitReason | null
  /** The protective pair it belongs to, from 1; 0 for others. */
  readonly pair: number
  /** When it was last sent. */
  sentAt: EpochMs
  /** The venue has shown it, and nothing was sent since that would end it. */
  seen: boolean
  /** It may still execute, or its end is not known. */
  live: boolean
  /** We have taken it down ourselves, so that nobody else can have done it to sell. */
  withdrawn: boolean
  /** A sale of which it is known whether the venue executed it more than once. */
  counted: boolean
  /** The levels with which a leg was placed. */
  readonly levels: ProtectivePair | null
  /** What has been told to the loop of its executions. */
  readonly booked: Sums
}

/** Everything the broker knows about one symbol: what it meant to do, what is known to have happened. */
export interface Slot {
  readonly symbol: string
  readonly instrument: Instrument
  readonly market: VenueMarket
  /** The entry order of the present position. */
  entry: { readonly orderId: string; readonly protection: Protection; readonly decidedAt: EpochMs; price: number; candle: EpochMs } | null
  /** Base units held, dust included. */
  held: number
  /** Price of the newest fill: by it the loop's books tell dust from a position, and so must we. */
  newestPrice: number
  /** Orders of the present position, in the order in which they were meant. */
  refs: Ref[]
  /** Levels that are wanted; 0 and Infinity for none. */
  readonly wanted: ProtectivePair
  /** The stop price of the newest pair that was sent, and the quantity that it is to sell. */
  restingStop: number
  guarded: number
  pairs: number
  sales: number
  exit: { readonly orderId: string; readonly reason: ExitReason } | null
  /** When the newest entry was decided, so that an older one is never sent after it. */
  newestDecision: EpochMs
  /** Told to the loop at the next settle. */
  queue: Execution[]
  /** A stop limit has triggered and did not fill yet. */
  triggered: boolean
  /** A pair was taken down and not by this process: somebody may have sold. */
  unexplained: boolean
  /** The venue did not know orders that it had executed, once. */
  doubted: boolean
  /** By the trail nothing is left of it; whether the process had looked at all of it by then is not in there, so it is finished anew. */
  ended: boolean
  /** The venue has been asked whether it executed the entry more than once. */
  counted: boolean
  /** Since when no pair could be placed; Infinity while none was refused. */
  refusedSince: EpochMs
  /** Less than is held when the account turned out to have less; Infinity otherwise. */
  available: number
}

export const emptySlot = (instrument: Instrument, market: VenueMarket): Slot => ({
  symbol: instrument.symbol, instrument, market, entry: null, held: 0, newestPrice: NaN, refs: [], wanted: { stop: 0, target: Infinity, raised: false },
  restingStop: 0, guarded: 0, pairs: 0, sales: 0, exit: null, newestDecision: -1, queue: [], triggered: false,
  unexplained: false, doubted: false, ended: false, counted: false, refusedSince: Infinity, available: Infinity,
})

export const noSums = (): Sums => ({ quantity: 0, notional: 0, feeBase: 0, feeQuote: 0 })

export const newRef = (
  clientId: string, orderId: string, role: Ref['role'], sentAt: EpochMs, more: Partial<Pick<Ref, 'reason' | 'pair' | 'levels'>> = {},
): Ref => ({
  clientId, orderId, role, reason: more.reason ?? null, pair: more.pair ?? 0, sentAt, seen: false, live: true, withdrawn: false, counted: false, levels: more.levels ?? null,
  booked: noSums(),
})

/** `0-1577836800-entry` → `0-1577836800`: symbol and decision, from which all ids of a position derive. */
export const stemOf = (orderId: string): string => orderId.replace(/-[a-z]+$/, '')

/** Client ids derive from run, decision and purpose, so that a restarted process finds what it has sent. */
export const clientIds = (prefix: string, entryId: string) => {
  const stem = `${prefix}-${stemOf(entryId)}`
  return {
    entry: `${stem}-e`,
    list: (pair: number) => `${stem}-p${pair}`,
    stop: (pair: number) => `${stem}-s${pair}`,
    target: (pair: number) => `${stem}-t${pair}`,
    /** x: an exit that was decided, m: a forced one, k: a person's. */
    sale: (kind: 'x' | 'm' | 'k', sale: number) => `${stem}-${kind}${sale}`,
  }
}

/** A leg's name in the trail; the first pair's are those that every broker uses. */
export const legId = (entryId: string, role: 'stop' | 'target', pair: number): string =>
  pair === 1 ? `${entryId}-${role}` : `${entryId}-${role}-${pair}`

export function begin(slot: Slot, order: { readonly id: string; readonly protection: Protection }, decidedAt: EpochMs, ref: Ref): void {
  slot.entry = { orderId: order.id, protection: order.protection, decidedAt, price: NaN, candle: NaN }
  slot.newestDecision = decidedAt
  slot.refs = [ref]
  slot.pairs = slot.sales = slot.restingStop = slot.guarded = 0
  slot.wanted.stop = 0
  slot.wanted.target = Infinity
  slot.wanted.raised = false
  slot.exit = null
  slot.triggered = slot.ended = slot.unexplained = slot.doubted = slot.counted = false
  slot.available = slot.refusedSince = Infinity
}

/** Takes a fill into what is held. The first buy arms the levels. */
export function take(slot: Slot, { side, quantity, feeBase, price, time }: Fill): void {
  slot.newestPrice = price
  if (side === 'sell') {
    slot.held = quantity >= slot.held ? 0 : carried(slot.held - quantity, slot.instrument)
    return
  }
  slot.held = carried(slot.held + quantity - feeBase, slot.instrument)
  if (slot.entry === null || !Number.isNaN(slot.entry.price)) return
  slot.entry.price = price
  slot.entry.candle = time
  armPair(slot.wanted, price, slot.entry.protection, slot.instrument.tickSize)
}

/**
 * What of the holding an order can sell at `price`, also by the filters that the scenario's instrument does not know. A
 * position is what our own fills made: 0 means that it is dust, never that the account is short of it.
 */
export function sellableQuantity({ held, instrument, market }: Slot, price: number): number {
  const quantity = sellable(held, price, instrument)
  return quantity >= market.lot.min ? Math.min(quantity, market.lot.max) : 0
}

/** What an order can offer now: less than {@link sellableQuantity} while the account is short of it. */
export const offered = (slot: Slot, price: number): number =>
  sellableQuantity({ ...slot, held: Math.min(slot.held, slot.available) }, price)

/** The position is over; what is left is dust. */
export function clear(slot: Slot): void {
  slot.entry = null
  slot.refs = []
  slot.exit = null
  slot.triggered = slot.ended = slot.unexplained = slot.doubted = false
  slot.available = slot.refusedSince = Infinity
}

/** Tells the loop that an exit found nothing left to sell. */
export const overtaken = (symbol: string, orderId: string, time: EpochMs): Execution => ({
  kind: 'order', orderId, symbol, time, state: 'cancelled', reason: 'position-closed',
})

/** Goes through the trail of the run so far. What the venue did since is asked for afterwards. */
export function recall(slot: Slot, prefix: string, past: readonly PastLine[]): void {
  // What was rejected changed nothing, beside a position least of all.
  const rejected = new Set(past.filter(({ type, state }) => type === 'order' && state === 'rejected').map(({ id }) => id))
  for (const line of past) {
    if (line['symbol'] !== slot.symbol) continue
    if (line.type === 'intent') recallIntent(slot, prefix, line, rejected)
    else if (line.type === 'order') recallOrder(slot, line)
    else if (line.type === 'fill') recallFill(slot, prefix, line)
  }
}

function recallIntent(slot: Slot, prefix: string, line: PastLine, rejected: ReadonlySet<unknown>): void {
  const at = Date.parse(line.timestamp!)
  const { purpose } = line
  if (purpose === undefined) {
    const order = line['order'] as { id: string; side: string; stopLoss: number | null; takeProfit: number | null; reason: ExitReason }
    if (order.side === 'buy') slot.newestDecision = at
    if (rejected.has(order.id)) return
    if (order.side === 'sell') slot.exit = { orderId: order.id, reason: order.reason }
    else {
      const protection = { stopLoss: order.stopLoss, takeProfit: order.takeProfit }
      begin(slot, { id: order.id, protection }, at, newRef(clientIds(prefix, order.id).entry, order.id, 'entry', at))
    }
    return
  }
  const entryId = slot.entry?.orderId
  if (entryId === undefined) return
  if (purpose === 'protect') {
    const { pair, quantity, stop, target, raised } = line as unknown as {
      pair: number; quantity: number; stop: number | null; target: number | null; raised: boolean
    }
    const ids = clientIds(prefix, entryId)
    slot.pairs = pair
    slot.wanted.stop = stop ?? 0
    slot.wanted.target = target ?? Infinity
    slot.wanted.raised = raised
    slot.restingStop = stop ?? 0
    slot.guarded = quantity
    const more = { pair, levels: { ...slot.wanted } }
    if (stop !== null) slot.refs.push(newRef(ids.stop(pair), legId(entryId, 'stop', pair), 'stop', at, more))
    if (target !== null) slot.refs.push(newRef(ids.target(pair), legId(entryId, 'target', pair), 'target', at, more))
  } else if (purpose === 'sale') {
    const { id, order, reason, sale, with: leg } = line as unknown as { id: string; order: string; reason: ExitReason; sale: number; with: string | null }
    slot.sales = sale
    const ref = newRef(id, order, 'sale', at, { reason })
    ref.counted = leg !== null
    slot.refs.push(ref)
    // A forced sale that was begun is finished first.
    slot.exit ??= { orderId: order, reason }
  }
}

function recallOrder(slot: Slot, line: PastLine): void {
  if (line['event'] === 'stop-raised') {
    slot.wanted.stop = line['to'] as number
    slot.wanted.raised = true
    return
  }
  const { id, state } = line as unknown as { id: string | null; state: string }
  if (state === 'void') {
    slot.held = 0
    clear(slot)
  } else if (state === 'rejected' || state === 'expired' || state === 'cancelled') {
    if (slot.exit?.orderId === id) slot.exit = null
    if (slot.entry?.orderId === id && Number.isNaN(slot.entry.price)) clear(slot)
  }
}

/** The order behind a sale that another process of ours began, and of which the run's own trail has no intent. */
function otherSale(slot: Slot, prefix: string, orderId: string, at: EpochMs): Ref | undefined {
  const entryId = slot.entry?.orderId
  if (entryId === undefined || !orderId.startsWith(`${entryId}-`)) return undefined
  const [whole, again, kind = 'k', number = again ?? '1'] = /^(?:operator(?:-(\d+))?|([xm])(\d+))$/.exec(orderId.slice(entryId.length + 1)) ?? []
  if (whole === undefined) return undefined
  const ref = newRef(clientIds(prefix, entryId).sale(kind as 'k' | 'x' | 'm', Number(number)), orderId, 'sale', at, { reason: 'operator' })
  slot.refs.push(ref)
  return ref
}

function recallFill(slot: Slot, prefix: string, line: PastLine): void {
  const fill = {
    side: line['side'], quantity: line['quantity'], feeBase: line['fee_base'], price: line['price'], time: Date.parse(line.timestamp!),
  } as Fill
  // A sale that never arrived has left its name to the next one.
  const ref = slot.refs.findLast(({ orderId }) => orderId === line['id'])
    ?? (fill.side === 'sell' ? otherSale(slot, prefix, String(line['id']), fill.time) : undefined)
  if (ref !== undefined) {
    ref.seen = true
    ref.booked.quantity += fill.quantity
    ref.booked.notional += line['notional'] as number
    ref.booked.feeBase += fill.feeBase
    ref.booked.feeQuote += line['fee_quote'] as number
  }
  take(slot, fill)
  slot.ended = fill.side === 'sell' && sellableQuantity(slot, fill.price) === 0
}
