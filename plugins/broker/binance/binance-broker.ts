import type { Candle } from '../../../engine/core/candle.ts'
import { legReason, type Costs } from '../../../engine/core/matching.ts'
import type { Approved, EntryOrder, Execution, ExitOrder, ExitReason, Fill, Order } from '../../../engine/core/order.ts'
import { isoTime, type EpochMs } from '../../../engine/core/time.ts'
import { decisionDeadlineMs, floorToGrid, intervalOf, timeframeMs, type Timeframe } from '../../../engine/core/timeframe.ts'
import type { Broker, Deps, LiveBrokerPlan, OrderReceipt } from '../../../engine/ports.ts'
import { CallError, type Connection } from '../../binance/connection.ts'
import { refusedByFilters } from './filters.ts'
import {
  begin, clear, clientIds, legId, newRef, noSums, offered, overtaken, sellableQuantity, take, type Ref, type Slot, type Sums,
} from './slot.ts'
import { isFinal, VenueOrders, type Report, type VenueTrade } from './venue-orders.ts'

/** A request is no longer accepted this long after it was signed; after it and some reserve, an unknown order never arrived. */
const DEFINITE_MS = 5_000 + 10_000
/** After this long without an answer the loop goes on; the order stays unresolved and is asked for at each wake-up. */
const PATIENCE_MS = 25_000
const ATTEMPTS = 6
const RECONCILE_MS = 600_000
/** The venue's clock may be this far off ours when an order is looked for by its time. */
const CLOCK_TOLERANCE_MS = 60_000
/** Longer bans are not slept through: wake-ups ask again. */
const LONGEST_WAIT_MS = 10_000

export interface BinanceOptions {
  /** Capital of the scenario: the account may hold more, which is not ours. */
  readonly cash: number
  readonly costs: Costs
}

/** What is to be cancelled may be gone already. */
function ignoreGone(error: unknown): void {
  if (!(error instanceof CallError) || error.failure !== 'not-found') throw error
}

/** Something rests at the venue whose end would tell of a sale by another process. */
const hasLegs = ({ refs }: Slot): boolean => refs.some(({ live, role }) => live && (role === 'stop' || role === 'target'))

/** Something is, or may be, held below which no stop is known to stand, although one is wanted. */
function isUnguarded(slot: Slot): boolean {
  const { entry, refs, wanted } = slot
  if (entry === null) return false
  if (Number.isNaN(entry.price)) return refs[0].live
  if (wanted.stop === 0 || sellableQuantity(slot, slot.newestPrice) === 0) return false
  const stands = refs.some(({ live, seen, role }) => live && seen && role === 'stop')
  return !stands || !slot.counted || refs.some(({ live, role }) => live && role === 'sale')
}

const sum = <T>(items: readonly T[], of: (item: T) => number): number => items.reduce((total, item) => total + of(item), 0)

/** The order certainly did not arrive, or was refused. */
class Refused extends Error {
  readonly reason: string
  constructor(reason: string, cause: unknown) {
    super(reason, { cause })
    this.reason = reason
  }
}

/**
 * Orders at Binance. Level-triggered: whatever it does begins with finding out what is true, and whatever is missing —
 * an answer, a protective pair, the rest of an exit — is made up for at the next wake-up, by the same code after a lost
 * answer, a refusal or a crash. What it means to do is in the journal before any request leaves.
 */
export class BinanceBroker implements Broker {
  /** Something may always have happened at the venue. */
  readonly idle = false
  readonly #options: BinanceOptions
  readonly #deps: Deps
  readonly #plan: LiveBrokerPlan
  readonly #slots: ReadonlyMap<string, { readonly slot: Slot; readonly orders: VenueOrders }>
  /** Candles by which fills are dated. */
  readonly #timeframe: Timeframe
  readonly #ms: number
  readonly #connection: Connection
  readonly #deadlineMs: number
  readonly #episodes = new Set<string>()
  /** Symbols whose naked position has been told of in this wake-up. */
  readonly #saidNaked = new Set<string>()
  #quietUntil: EpochMs = 0
  #reconciledAt: EpochMs = -Infinity

  constructor(
    options: BinanceOptions, deps: Deps, plan: LiveBrokerPlan,
    slots: ReadonlyMap<string, { readonly slot: Slot; readonly orders: VenueOrders }>,
    { timeframe, fillTimeframe }: { readonly timeframe: Timeframe; readonly fillTimeframe: Timeframe | null }, connection: Connection,
  ) {
    this.#connection = connection
    this.#options = options
    this.#deps = deps
    this.#plan = plan
    this.#slots = slots
    this.#timeframe = fillTimeframe ?? timeframe
    this.#ms = timeframeMs(this.#timeframe)
    this.#deadlineMs = decisionDeadlineMs(timeframeMs(timeframe))
    for (const { slot } of slots.values()) {
      if (slot.entry === null || !Number.isNaN(slot.entry.price)) continue
      // The trail tells when it was decided; it may have left, or may still leave, until its deadline.
      slot.refs[0].sentAt = slot.entry.decidedAt + this.#deadlineMs
    }
  }

  account(): BinanceOptions {
    return this.#options
  }

  async submit(order: Approved<Order>): Promise<OrderReceipt> {
    const { slot, orders } = this.#at(order.symbol)
    const rejected = (reason: string): OrderReceipt => ({ orderId: order.id, state: 'rejected', reason })
    const accepted: OrderReceipt = { orderId: order.id, state: 'accepted', reason: null }
    try {
      if (order.side === 'sell') {
        const halted = order.reason === 'operator' ? null : this.#plan.halted()
        if (halted !== null) {
          // Rejected is rejected: it may not be carried out after somebody has resumed.
          if (slot.exit?.orderId === order.id) slot.exit = null
          return rejected('halted')
        }
        await this.#exit(slot, orders, order)
        return accepted
      }
      return await this.#enter(slot, orders, order) ? accepted : rejected('already-in-position')
    } catch (error) {
      if (error instanceof Refused) return rejected(error.reason)
      if (!(error instanceof CallError)) throw error
      this.#unreachable(slot.symbol, error)
      // An order that may have left is not refused: the next settle finds out. One that never left is.
      return slot.entry?.orderId === order.id || slot.exit?.orderId === order.id ? accepted : rejected(error.failure)
    }
  }

  async settle(now: EpochMs, symbol: string, candle?: Candle): Promise<readonly Execution[]> {
    const { slot, orders } = this.#at(symbol)
    this.#saidNaked.delete(symbol)
    // A shortage may have passed; who is short now finds it out again.
    slot.available = Infinity
    if (this.#deps.clock.now() >= this.#quietUntil) {
      try {
        await this.#reconcile()
        await this.#sync(slot, orders)
        await this.#mend(slot, orders)
        if (await this.#countEntries(slot, orders)) await this.#mend(slot, orders)
        this.#over('venue-unreachable', symbol)
      } catch (error) {
        if (!(error instanceof CallError)) throw error
        this.#unreachable(symbol, error)
      }
    }
    if (isUnguarded(slot) && !this.#saidNaked.has(symbol)) {
      this.#naked(slot, this.#episodes.has(`venue-unreachable ${symbol}`) ? 'venue-unreachable' : this.#plan.halted() !== null ? 'halted' : 'outcome-unknown')
    }
    // What happened after this candle belongs to the next one; that books are void has to be known before the next decision.
    const told = candle === undefined ? slot.queue : slot.queue.filter(({ kind, time }) => kind === 'void' || time < now)
    slot.queue = slot.queue.filter((one) => !told.includes(one))
    return told
  }

  async raiseStop(symbol: string, stop: number): Promise<void> {
    const { slot, orders } = this.#at(symbol)
    if (slot.entry === null || stop < slot.wanted.stop || stop <= slot.restingStop) return
    slot.wanted.stop = stop
    slot.wanted.raised = true
    try {
      // Right after a restart: what became of the pairs that were recalled is not known yet.
      await this.#reconcile()
      await this.#follow(slot, orders)
    } catch (error) {
      if (!(error instanceof CallError)) throw error
      this.#unreachable(symbol, error)
    }
  }

  /** Requests that were sent. */
  get requests(): { readonly signed: number; readonly public: number } {
    return this.#connection.counts
  }

  /** Market orders fill or end at once: there is nothing to take back. */
  cancel(): null {
    return null
  }

  /** Sells what is ours of a symbol and nothing else, for a person who wants to be out. Returns whether nothing is left. */
  async flatten(symbol: string): Promise<boolean> {
    const { slot, orders } = this.#at(symbol)
    await this.#sync(slot, orders)
    if (slot.ended) await this.#mend(slot, orders)
    if (slot.entry === null) return true
    // An entry that may still arrive is not over before its fate is known.
    if (Number.isNaN(slot.entry.price) || slot.doubted) return false
    slot.exit = { orderId: `${slot.entry.orderId}-operator`, reason: 'operator' }
    await this.#leave(slot, orders, 'k')
    return sellableQuantity(slot, await orders.bid()) === 0
  }

  /** Executions that {@link flatten} found or made. */
  takeExecutions(symbol: string): readonly Execution[] {
    return this.#at(symbol).slot.queue.splice(0)
  }

  #at(symbol: string): { readonly slot: Slot; readonly orders: VenueOrders } {
    const found = this.#slots.get(symbol)
    if (found === undefined) throw new Error(`broker binance has no instrument for ${symbol}`)
    return found
  }

  async #enter(slot: Slot, orders: VenueOrders, order: EntryOrder): Promise<boolean> {
    const known = slot.entry?.orderId === order.id
    if (!known && slot.ended) await this.#mend(slot, orders)
    if (!known && (slot.entry !== null || order.decidedAt <= slot.newestDecision)) return false
    const now = this.#deps.clock.now()
    if (known) {
      // A crash came between the intent and its outcome: an old order is looked for, never sent again.
      const [ref] = slot.refs
      if (ref.booked.quantity > 0) return true
      ref.sentAt = now
      const report = await this.#look(ref, orders)
      if (report === 'absent') return this.#neverWas(slot, 'not-sent')
      if (report !== null) await this.#entered(slot, orders, ref, report)
      return true
    }
    if (this.#plan.halted() !== null) throw new Refused('halted', null)
    if (this.#late(order)) throw new Refused('late', null)
    const open = await this.#openOrders(orders)
    const filter = refusedByFilters(slot.market, slot.instrument, order, await orders.bid(), open)
    if (filter !== null) throw new Refused(filter, null)
    const ref = newRef(clientIds(this.#plan.idPrefix, order.id).entry, order.id, 'entry', now)
    begin(slot, order, order.decidedAt, ref)
    try {
      const report = await this.#send(ref, orders, () => orders.buy(ref.clientId, order.spend), order.decidedAt + this.#deadlineMs)
      if (report !== null) await this.#entered(slot, orders, ref, report)
      return true
    } catch (error) {
      if (error instanceof Refused && Number.isNaN(slot.entry?.price ?? NaN)) clear(slot)
      throw error
    }
  }

  /** No order for an old candle, for example one that was decided on before a crash. */
  #late({ decidedAt }: Order): boolean {
    return this.#deps.clock.now() - decidedAt > this.#deadlineMs
  }

  #neverWas(slot: Slot, reason: string): never {
    clear(slot)
    throw new Refused(reason, null)
  }

  async #entered(slot: Slot, orders: VenueOrders, ref: Ref, report: Report): Promise<void> {
    await this.#update(slot, orders, ref, report)
    if (ref.live) return
    if (ref.booked.quantity === 0) this.#neverWas(slot, report.status.toLowerCase())
    await this.#mend(slot, orders)
  }

  async #exit(slot: Slot, orders: VenueOrders, order: ExitOrder): Promise<void> {
    if (slot.entry === null) throw new Refused('no-position', null)
    slot.exit = { orderId: order.id, reason: order.reason }
    await this.#leave(slot, orders, 'x')
  }

  /**
   * Sends an order whose client id is `ref`'s, until its fate is known: an unknown outcome is looked up, never repeated
   * before it is certain that nothing arrived. null: it could not be found out yet. Throws Refused or CallError.
   */
  async #send(ref: Ref, orders: VenueOrders, attempt: () => Promise<Report>, until: EpochMs): Promise<Report | null> {
    const { clock } = this.#deps
    for (let tried = 1; ; tried++) {
      await this.#quiet()
      // Right before it leaves: somebody may have said so while filters were read or an answer was waited for.
      if (this.#plan.halted() !== null) throw new Refused('halted', null)
      ref.sentAt = clock.now()
      try {
        return await attempt()
      } catch (error) {
        if (!(error instanceof CallError)) throw error
        const again = tried < ATTEMPTS && clock.now() <= until
        if (error.failure === 'unknown-outcome' || error.failure === 'duplicate') {
          this.#alarm('outcome-unknown', { order: ref.orderId, id: ref.clientId, error: error.message })
          const report = await this.#look(ref, orders)
          if (report !== 'absent') return report
          // Looking for it took its time.
          if (!again || clock.now() > until) throw new Refused('not-arrived', error)
        } else if (error.failure === 'not-executed') {
          this.#alarm('not-executed', { order: ref.orderId, error: error.message })
          this.#keepQuiet(error)
          if (!again || this.#quietUntil > until) throw new Refused('not-executed', error)
          await clock.sleep(1_000, this.#deps.signal)
        } else throw new Refused(error.filter === null ? error.failure : `filter-${error.filter}`, error)
      }
    }
  }

  /** What became of an order: its report, `absent` once it is certain that it never arrived, null while nobody can tell. */
  async #look(ref: Ref, orders: VenueOrders): Promise<Report | 'absent' | null> {
    const { clock, signal } = this.#deps
    const since = ref.sentAt
    for (let wait = 500; ; wait = Math.min(4_000, wait * 2)) {
      let failed: CallError | null = null
      try {
        await this.#quiet()
        const report = await orders.find(ref.clientId)
        if (report !== null) {
          ref.seen = true
          return report
        }
        if (clock.now() - since > DEFINITE_MS) return 'absent'
      } catch (error) {
        if (!(error instanceof CallError)) throw error
        this.#keepQuiet(error)
        failed = error
      }
      if (failed !== null && (clock.now() - since > PATIENCE_MS || signal.aborted)) {
        this.#alarm('outcome-still-unknown', { order: ref.orderId, id: ref.clientId, error: failed.message })
        return null
      }
      await clock.sleep(wait, signal)
      // A process that is being stopped does not wait for the answer; the next one asks again.
      if (signal.aborted) return null
    }
  }

  /** Takes in what the venue says of an order: its new executions become a fill. */
  async #update(slot: Slot, orders: VenueOrders, ref: Ref, report: Report): Promise<void> {
    ref.seen = true
    if (report.executed > ref.booked.quantity + 1e-12) {
      if (!await this.#book(slot, orders, ref, report, report.trades ?? await orders.trades(report.venueId))) return
    }
    if (isFinal(report)) ref.live = false
  }

  /** False while the venue does not yet show all trades. */
  async #book(slot: Slot, orders: VenueOrders, ref: Ref, report: Report, trades: readonly VenueTrade[]): Promise<boolean> {
    const sums = { ...this.#sum(slot, trades), notional: report.quote }
    if (Math.abs(sums.quantity - report.executed) > 1e-9) {
      this.#alarm('trades-lag', { symbol: slot.symbol, order: ref.orderId, executed: report.executed, shown: sums.quantity })
      return false
    }
    const { booked } = ref
    const executed = sums.quantity - booked.quantity
    const last = trades[trades.length - 1]
    const price = trades.length === 1 ? last.price : (sums.notional - booked.notional) / executed
    const buys = ref.role === 'entry'
    // A leg that filled while its pair was being replaced by a sale: more left the account than was ours. Only ours is booked.
    const share = buys || executed <= slot.held + 1e-9 ? 1 : slot.held / executed
    if (share < 1) this.#alarm('oversold', { symbol: slot.symbol, order: ref.orderId, executed, held: slot.held })
    const quantity = share < 1 ? slot.held : executed
    const notional = (sums.notional - booked.notional) * share
    const time = floorToGrid(last.time, this.#ms)
    const told = await orders.openAt(intervalOf(this.#timeframe), time)
    // Only the reason's name and the slippage depend on it: nothing waits for a second answer.
    if (told === null) this.#alarm('open-unknown', { symbol: slot.symbol, order: ref.orderId, candle: isoTime(time) })
    const open = told ?? NaN
    const { wanted, entry } = slot
    const sameCandle = entry !== null && entry.candle === time
    const reason = buys ? null
      : ref.role === 'stop' || ref.role === 'target' ? legReason(ref.levels ?? wanted, ref.role, open, price, sameCandle) : ref.reason!
    const fill: { -readonly [K in keyof Fill]: Fill[K] } = {
      kind: 'fill', orderId: ref.orderId, symbol: slot.symbol, side: buys ? 'buy' : 'sell', time, price, quantity, notional,
      feeBase: (sums.feeBase - booked.feeBase) * share, feeQuote: (sums.feeQuote - booked.feeQuote) * share,
      slippage: ref.role === 'target' ? 0 : this.#slippage(quantity, price, ref.role === 'stop' ? Math.min(wanted.stop, open) : open, buys),
      liquidity: last.maker ? 'maker' : 'taker', reason, ambiguous: false, stop: null, target: null,
    }
    Object.assign(booked, sums)
    if (quantity === 0) return true
    take(slot, fill)
    if (buys && sellableQuantity(slot, price) > 0) {
      fill.stop = wanted.stop === 0 ? null : wanted.stop
      fill.target = wanted.target === Infinity ? null : wanted.target
    }
    slot.queue.push(fill)
    return true
  }

  #sum({ instrument, symbol }: Slot, trades: readonly VenueTrade[]): Sums {
    const sums = noSums()
    for (const { quantity, fee, feeAsset } of trades) {
      sums.quantity += quantity
      if (feeAsset === instrument.base) sums.feeBase += fee
      else if (feeAsset === instrument.quote) sums.feeQuote += fee
      else if (fee > 0) this.#alarm('fee-in-other-asset', { symbol, asset: feeAsset, fee })
    }
    return sums
  }

  /** Against the open of the candle in which it happened, as everywhere; 0 where that is not known. */
  #slippage(quantity: number, price: number, reference: number, buys: boolean): number {
    return Number.isNaN(reference) ? 0 : quantity * (buys ? price - reference : reference - price)
  }

  /** Finds out what became of everything that may still execute. Throws CallError. */
  async #sync(slot: Slot, orders: VenueOrders): Promise<void> {
    const live = slot.refs.filter((ref) => ref.live)
    // Only the entry itself settles the doubt: a pair that was placed since proves nothing.
    if (slot.doubted && await this.#vanished(slot, orders, slot.refs[0])) return
    if (live.length === 0 && !slot.unexplained) return
    const open = new Map((await this.#openOrders(orders)).map((report) => [report.clientId, report]))
    for (const ref of live) {
      const report = open.get(ref.clientId) ?? await orders.find(ref.clientId)
      if (report !== null) {
        await this.#update(slot, orders, ref, report)
        slot.unexplained ||= report.status === 'CANCELED' && (ref.role === 'stop' || ref.role === 'target') && !ref.withdrawn
      } else if (this.#deps.clock.now() - ref.sentAt > DEFINITE_MS) {
        if (await this.#vanished(slot, orders, ref)) return
        ref.live = false
        if (ref.role === 'entry') this.#entryEnded(slot, ref, 'not-arrived')
      }
    }
    if (slot.unexplained) {
      await this.#findOtherSales(slot, orders)
      slot.unexplained = false
    }
    const [entry] = slot.refs
    if (entry?.role === 'entry' && !entry.live && entry.booked.quantity === 0 && slot.entry !== null) this.#entryEnded(slot, entry, 'expired')
  }

  #entryEnded(slot: Slot, ref: Ref, reason: string): void {
    if (ref.booked.quantity > 0) return
    const { symbol, entry } = slot
    slot.queue.push({
      kind: 'order', orderId: ref.orderId, symbol, time: entry?.decidedAt ?? ref.sentAt, state: reason === 'expired' ? 'expired' : 'rejected', reason,
    })
    clear(slot)
  }

  /**
   * The pair was taken down by another process of ours: by a person who wants out, or, if this is that person's, by the
   * bot that was selling at the same moment. Their sales have names that can be guessed; what they sold is not sold twice.
   */
  async #findOtherSales(slot: Slot, orders: VenueOrders): Promise<void> {
    const entryId = slot.entry?.orderId
    if (entryId === undefined) return
    const ids = clientIds(this.#plan.idPrefix, entryId)
    for (const kind of ['k', 'x', 'm'] as const) {
      for (let sale = 1, missed = 0; missed <= slot.sales + 1; sale++) {
        const clientId = ids.sale(kind, sale)
        if (slot.refs.some((ref) => ref.clientId === clientId)) continue
        const report = await orders.find(clientId)
        if (report === null) {
          missed++
          continue
        }
        const orderId = sale === 1 ? `${entryId}-operator` : `${entryId}-operator-${sale}`
        const ref = newRef(clientId, kind === 'k' ? orderId : `${entryId}-${kind}${sale}`, 'sale', report.time, { reason: 'operator' })
        slot.refs.push(ref)
        await this.#update(slot, orders, ref, report)
      }
    }
  }

  /**
   * Before anything is sold or protected without a pair that still stands: does the venue know the entry at all? After a
   * reset the account holds a fresh allowance, which is not ours. Not asked again while the entry's answer is fresh.
   */
  async #forgotten(slot: Slot, orders: VenueOrders): Promise<boolean> {
    const entry = slot.refs.find(({ role }) => role === 'entry')
    if (entry === undefined || this.#deps.clock.now() - entry.sentAt <= DEFINITE_MS) return false
    return this.#vanished(slot, orders, entry)
  }

  /** A venue that has forgotten an order which it had executed has been reset. */
  async #vanished(slot: Slot, orders: VenueOrders, missing: Ref): Promise<boolean> {
    // Nothing is held that a reset could have taken.
    if (slot.ended) return false
    const entry = slot.refs.find(({ role, booked }) => role === 'entry' && booked.quantity > 0)
    if (entry === undefined || await orders.find(entry.clientId) !== null) return slot.doubted = false
    // One look may be wrong; nothing is sent until the next one agrees.
    if (!slot.doubted) {
      slot.doubted = true
      this.#alarm('orders-unknown', { symbol: slot.symbol, order: missing.orderId, held: slot.held })
      return true
    }
    this.#alarm('reset', { symbol: slot.symbol, order: missing.orderId, held: slot.held })
    // A pair that was placed since would sell what is not ours.
    for (const leg of slot.refs.filter(({ live, role }) => live && (role === 'stop' || role === 'target'))) {
      await orders.cancel(null, leg.clientId).catch(ignoreGone)
    }
    slot.queue.push({ kind: 'void', symbol: slot.symbol, time: this.#deps.clock.now(), reason: 'reset' })
    slot.held = 0
    clear(slot)
    return true
  }

  /** A buy that reached the venue twice, by something on the way that repeats requests, bought twice: both are ours. True if so. */
  async #countEntries(slot: Slot, orders: VenueOrders): Promise<boolean> {
    const { entry, counted, refs: [ref], symbol } = slot
    if (entry === null || counted || Number.isNaN(entry.price) || slot.doubted) return false
    const all = await orders.namesakes(ref.clientId, entry.decidedAt - CLOCK_TOLERANCE_MS)
    // The list may lag behind; an order that nothing knows any more is another matter.
    if (all.length === 0) return this.#vanished(slot, orders, ref)
    const executed = sum(all, (report) => report.executed)
    slot.counted = executed <= ref.booked.quantity + 1e-9
    if (slot.counted) return false
    this.#alarm('bought-twice', { symbol, order: ref.orderId, orders: all.length, executed, known: ref.booked.quantity })
    const trades: VenueTrade[] = []
    for (const { venueId } of all) trades.push(...await orders.trades(venueId))
    await this.#update(slot, orders, ref, { ...all[0], executed, quote: sum(all, ({ quote }) => quote), trades })
    slot.counted = true
    return true
  }

  /** A sale that reached the venue twice sold what is not ours: nothing can undo that, but somebody has to know. */
  async #countSale({ symbol, held }: Slot, orders: VenueOrders, ref: Ref): Promise<void> {
    const all = await orders.namesakes(ref.clientId, ref.sentAt - CLOCK_TOLERANCE_MS)
    const executed = sum(all, (report) => report.executed)
    if (executed > ref.booked.quantity + 1e-9) this.#alarm('oversold', { symbol, order: ref.orderId, orders: all.length, executed, held })
    ref.counted = true
  }

  /** Makes up for what is missing: the end of an exit, protection, a pair that stands where it is wanted. Throws CallError. */
  async #mend(slot: Slot, orders: VenueOrders): Promise<void> {
    if (slot.entry === null || Number.isNaN(slot.entry.price) || slot.doubted) return
    if (this.#plan.halted() !== null && !hasLegs(slot)) await this.#findOtherSales(slot, orders)
    if (slot.exit !== null) return this.#leave(slot, orders, 'x')
    const legs = slot.refs.filter((ref) => ref.live && (ref.role === 'stop' || ref.role === 'target'))
    if (sellableQuantity(slot, slot.newestPrice) === 0) return this.#finished(slot, orders, legs)
    if (slot.refs.some(({ live, role }) => live && role === 'sale')) return
    if (legs.length === 0 && await this.#forgotten(slot, orders)) return
    const expected = (slot.wanted.stop > 0 ? 1 : 0) + (slot.wanted.target < Infinity ? 1 : 0)
    if (legs.length === 0) {
      if (expected > 0) await this.#protect(slot, orders)
    } else if (this.#plan.halted() !== null) {
      // What stands stays: a pair that is taken down could not be replaced.
      return
    } else if (await this.#watchTriggered(slot, orders, legs)) {
      this.#alarm('stop-unfilled', { symbol: slot.symbol, held: slot.held })
    } else if (legs.length < expected || legs.some(({ booked }) => booked.quantity > 0)) {
      // A leg that begins to fill ends the other: the rest gets a pair of its own.
      this.#alarm('pair-partial', { symbol: slot.symbol, held: slot.held })
      if (await this.#takeDown(slot, orders, legs)) await this.#mend(slot, orders)
    } else if (slot.wanted.stop > slot.restingStop) await this.#follow(slot, orders)
    else if (offered(slot, slot.newestPrice) > slot.guarded + 1e-9) {
      if (await this.#takeDown(slot, orders, legs)) await this.#mend(slot, orders)
    }
  }

  /** A stop limit that has triggered and did not fill until the next wake-up is sold at the market. True while it is on. */
  async #watchTriggered(slot: Slot, orders: VenueOrders, legs: readonly Ref[]): Promise<boolean> {
    const stop = legs.find(({ role }) => role === 'stop')
    if (stop === undefined || slot.market.orderTypes.includes('STOP_LOSS')) return false
    if ((await orders.find(stop.clientId))?.working !== true) return slot.triggered = false
    if (slot.triggered) await this.#force(slot, orders, slot.wanted.raised ? 'trailing' : 'stop')
    return slot.triggered = true
  }

  /** Nothing that can be sold is left. */
  async #finished(slot: Slot, orders: VenueOrders, legs: readonly Ref[]): Promise<void> {
    // Sold before it was known how much was bought: more may turn up.
    if (await this.#countEntries(slot, orders)) return this.#mend(slot, orders)
    if (slot.doubted) return
    for (const ref of slot.refs) if (ref.role === 'sale' && ref.booked.quantity > 0 && !ref.counted) await this.#countSale(slot, orders, ref)
    if (legs.length > 0 && !await this.#takeDown(slot, orders, legs)) return
    if (slot.exit !== null && slot.refs.every(({ orderId, booked }) => orderId !== slot.exit!.orderId || booked.quantity === 0)) {
      slot.queue.push(overtaken(slot.symbol, slot.exit.orderId, slot.queue.at(-1)?.time ?? this.#deps.clock.now()))
    }
    this.#over('naked', slot.symbol)
    clear(slot)
  }

  /** Places the pair where it is wanted. A price that is already beyond a level sells at once. */
  async #protect(slot: Slot, orders: VenueOrders): Promise<void> {
    const { wanted, symbol } = slot
    const entryId = slot.entry!.orderId
    const ids = clientIds(this.#plan.idPrefix, entryId)
    const stop = wanted.stop === 0 ? null : wanted.stop
    const target = wanted.target === Infinity ? null : wanted.target
    for (let attempt = 1; attempt <= ATTEMPTS - 1; attempt++) {
      await this.#quiet()
      if (this.#plan.halted() !== null) return this.#naked(slot, 'halted')
      if (sellableQuantity(slot, slot.newestPrice) === 0) return
      const quantity = offered(slot, slot.newestPrice)
      if (quantity === 0) return this.#naked(slot, 'balance-short')
      const pair = ++slot.pairs
      const at = this.#deps.clock.now()
      this.#plan.journal.note('intent', { purpose: 'protect', symbol, id: ids.list(pair), pair, quantity, stop, target, raised: wanted.raised })
      const legs: Ref[] = []
      const more = { pair, levels: { ...wanted } }
      if (stop !== null) legs.push(newRef(ids.stop(pair), legId(entryId, 'stop', pair), 'stop', at, more))
      if (target !== null) legs.push(newRef(ids.target(pair), legId(entryId, 'target', pair), 'target', at, more))
      slot.refs.push(...legs)
      slot.restingStop = wanted.stop
      slot.guarded = quantity
      try {
        for (const leg of legs) leg.sentAt = this.#deps.clock.now()
        await orders.protect({ quantity, stop, target, listId: ids.list(pair), stopId: ids.stop(pair), targetId: ids.target(pair) })
        for (const leg of legs) leg.seen = true
        slot.refusedSince = Infinity
        this.#over('naked', symbol)
        return
      } catch (error) {
        if (!(error instanceof CallError)) throw error
        const placed = error.failure === 'unknown-outcome' || error.failure === 'duplicate' ? await this.#placed(legs, orders) : false
        if (placed !== false) {
          this.#alarm('protection-answer-lost', { symbol, id: ids.list(pair), found: placed === true, error: error.message })
          return
        }
        for (const leg of legs) leg.live = false
        if (error.failure === 'would-trigger') {
          const beyondTarget = await orders.bid() >= wanted.target
          return this.#force(slot, orders, beyondTarget ? 'target_gap' : wanted.raised ? 'trailing' : 'stop_gap')
        }
        this.#alarm('protection-refused', { symbol, attempt, error: error.message })
        this.#keepQuiet(error)
        slot.refusedSince = Math.min(slot.refusedSince, at)
        // Attempts whose answers take long, or that waited a ban out, are not made five times.
        if (this.#deps.clock.now() - slot.refusedSince > PATIENCE_MS) break
        if (error.failure === 'insufficient-funds') {
          await this.#limitToBalance(slot, orders)
          await this.#findOtherSales(slot, orders)
          if (sellableQuantity(slot, slot.newestPrice) === 0) return this.#finished(slot, orders, [])
        }
        // Not cut short by a stop: whoever stops wants the position protected first.
        await this.#deps.clock.sleep(500 * attempt)
      }
    }
    await this.#force(slot, orders, 'unprotected')
  }

  /** The account has less than the trail says: what is there is all that can be protected or sold. */
  async #limitToBalance(slot: Slot, orders: VenueOrders): Promise<void> {
    const { free, locked } = await orders.balance()
    // What our own pair locks is ours.
    const ours = free + (hasLegs(slot) ? slot.guarded : 0)
    if (ours >= slot.held) return
    this.#episode('balance-short', slot.symbol, { held: slot.held, free, locked })
    slot.available = ours
  }

  /** Whether the pair stands after all: true, false once that is certain, null while nobody can tell. */
  async #placed(legs: readonly Ref[], orders: VenueOrders): Promise<boolean | null> {
    for (const leg of legs) {
      const report = await this.#look(leg, orders)
      if (report === null) return null
      if (report !== 'absent') return true
    }
    return false
  }

  /** Moves the pair up to a raised stop; a target that the price has already reached is left to fill. */
  async #follow(slot: Slot, orders: VenueOrders): Promise<void> {
    // A pair that is taken down now would not be replaced; what is left to do is done once that is over.
    if (slot.entry === null || slot.exit !== null || this.#plan.halted() !== null) return
    const legs = slot.refs.filter((ref) => ref.live && (ref.role === 'stop' || ref.role === 'target'))
    if (legs.length > 0) {
      const bid = await orders.bid()
      if (bid >= slot.wanted.target) return
      if (bid <= slot.wanted.stop) return this.#force(slot, orders, 'trailing')
      if (!await this.#takeDown(slot, orders, legs)) return
    }
    if (slot.exit === null && sellableQuantity(slot, slot.newestPrice) > 0) await this.#protect(slot, orders)
  }

  /** Takes a pair down and finds out what it executed. False when that could not be learnt. */
  async #takeDown(slot: Slot, orders: VenueOrders, legs: readonly Ref[]): Promise<boolean> {
    const [leg] = legs
    const ids = clientIds(this.#plan.idPrefix, slot.entry!.orderId)
    const both = slot.refs.filter(({ pair }) => pair === leg.pair).length > 1
    this.#plan.journal.note('intent', { purpose: 'take-down', symbol: slot.symbol, id: both ? ids.list(leg.pair) : leg.clientId })
    try {
      await this.#quiet()
      for (const one of legs) one.seen = false
      await orders.cancel(both && legs.length > 1 ? ids.list(leg.pair) : null, leg.clientId)
      for (const one of legs) one.withdrawn = true
    } catch (error) {
      if (!(error instanceof CallError)) throw error
      // Whatever went wrong, what stands at the venue decides.
      this.#keepQuiet(error)
      if (error.failure !== 'not-found') this.#alarm('cancel-failed', { symbol: slot.symbol, error: error.message })
    }
    await this.#sync(slot, orders)
    return legs.every(({ live }) => !live)
  }

  /** Sells at the market for a reason that no decision gave. */
  async #force(slot: Slot, orders: VenueOrders, reason: ExitReason): Promise<void> {
    slot.exit = { orderId: `${slot.entry!.orderId}-sale`, reason }
    await this.#leave(slot, orders, 'm')
  }

  /**
   * Sells the position and takes its pair down, in one request where the venue can. Begins with the truth each time, so
   * that a pair that fired first, a half-done request and a crash between its halves all end the same way.
   */
  async #leave(slot: Slot, orders: VenueOrders, kind: 'x' | 'm' | 'k'): Promise<void> {
    const { symbol, market } = slot
    let inOne = market.cancelReplaceAllowed
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      await this.#sync(slot, orders)
      if (slot.entry === null || slot.exit === null || slot.doubted) return
      const legs = slot.refs.filter((ref) => ref.live && (ref.role === 'stop' || ref.role === 'target'))
      if (sellableQuantity(slot, slot.newestPrice) === 0) return this.#finished(slot, orders, legs)
      if (offered(slot, slot.newestPrice) === 0) return this.#naked(slot, 'balance-short')
      // A sale whose fate is unknown is not joined by a second one.
      if (slot.refs.some(({ live, role }) => live && role === 'sale')) return
      if (legs.length === 0 && await this.#forgotten(slot, orders)) return
      if (slot.exit.reason !== 'operator' && this.#plan.halted() !== null) return legs.length > 0 ? undefined : this.#naked(slot, 'halted')
      if (legs.length > 0 && !inOne) await this.#takeDown(slot, orders, legs)
      else inOne = await this.#sell(slot, orders, kind, legs[0] ?? null) && inOne
    }
    this.#alarm('exit-failed', { symbol, order: slot.exit?.orderId, held: slot.held })
    if (slot.refs.every(({ live, role }) => !live || role === 'entry')) this.#naked(slot, 'exit-failed')
  }

  /** One attempt. `leg`: its pair is cancelled in the same request. False: the next attempt goes without that. */
  async #sell(slot: Slot, orders: VenueOrders, kind: 'x' | 'm' | 'k', leg: Ref | null): Promise<boolean> {
    await this.#quiet()
    const { orderId, reason } = slot.exit!
    // Said while a ban was waited out: whoever asked for the sale looks again.
    if (reason !== 'operator' && this.#plan.halted() !== null) return true
    const quantity = offered(slot, slot.newestPrice)
    const sale = ++slot.sales
    const clientId = clientIds(this.#plan.idPrefix, slot.entry!.orderId).sale(kind, sale)
    // The loop knows the order by its first execution; what comes after that has names of its own.
    const told = slot.refs.some((ref) => ref.orderId === orderId && ref.booked.quantity > 0) ? `${orderId}-${sale}` : orderId
    this.#plan.journal.note('intent', { purpose: 'sale', symbol: slot.symbol, id: clientId, order: told, reason, sale, quantity, with: leg?.clientId ?? null })
    const ref = newRef(clientId, told, 'sale', this.#deps.clock.now(), { reason })
    // Repeated on the way, a cancel-and-sell finds nothing to cancel and sells nothing.
    ref.counted = leg !== null
    slot.refs.push(ref)
    if (leg !== null) for (const one of slot.refs) if (one.pair === leg.pair) one.seen = false
    let report: Report | null
    try {
      const attempt = (): Promise<Report> => (leg === null ? orders.sell(clientId, quantity) : orders.cancelAndSell(leg.clientId, clientId, quantity))
      report = await this.#sendSale(ref, orders, attempt)
    } catch (error) {
      if (!(error instanceof CallError)) throw error
      ref.live = false
      this.#alarm('sale-refused', { symbol: slot.symbol, id: clientId, error: error.message })
      this.#keepQuiet(error)
      if (error.failure === 'insufficient-funds') await this.#limitToBalance(slot, orders)
      await this.#deps.clock.sleep(500)
      // After a pair that fired first the same request is refused the same way; one that went half-way leaves no pair.
      return error.failure !== 'cancel-replace-failed' && error.failure !== 'rejected'
    }
    // It has arrived: what cannot be read of it now is asked for later, and nothing else is sold until then.
    if (leg !== null && report !== null) for (const one of slot.refs) if (one.pair === leg.pair) one.withdrawn = true
    if (report !== null) await this.#update(slot, orders, ref, report)
    return true
  }

  /** As {@link #send}, but one attempt at a time: what stands is looked at anew before the next. */
  async #sendSale(ref: Ref, orders: VenueOrders, attempt: () => Promise<Report>): Promise<Report | null> {
    ref.sentAt = this.#deps.clock.now()
    try {
      return await attempt()
    } catch (error) {
      if (!(error instanceof CallError) || (error.failure !== 'unknown-outcome' && error.failure !== 'duplicate')) throw error
      this.#alarm('outcome-unknown', { order: ref.orderId, id: ref.clientId, error: error.message })
      const report = await this.#look(ref, orders)
      if (report === 'absent') {
        ref.live = false
        return null
      }
      return report
    }
  }

  /** At the start and every few minutes: open orders and balances against what the trail says. */
  async #reconcile(): Promise<void> {
    const now = this.#deps.clock.now()
    if (now - this.#reconciledAt < RECONCILE_MS) return
    for (const { slot, orders } of this.#slots.values()) {
      // What was given up as never arrived, and is there after all, is an orphan as well.
      const mine = new Set(slot.refs.filter(({ live }) => live).map(({ clientId }) => clientId))
      for (const { clientId } of await this.#openOrders(orders)) {
        if (!clientId.startsWith(`${this.#plan.idPrefix}-`) || mine.has(clientId)) continue
        this.#alarm('orphan-order', { symbol: slot.symbol, id: clientId })
        await orders.cancel(null, clientId).catch(ignoreGone)
      }
      await this.#sync(slot, orders)
      if (slot.entry !== null && slot.held > 0 && !hasLegs(slot)) await this.#findOtherSales(slot, orders)
      const { free, locked } = await orders.balance()
      if (free + locked < slot.held * (1 - 1e-9) - 1e-9) {
        this.#episode('balance-short', slot.symbol, { held: slot.held, free, locked })
      } else this.#over('balance-short', slot.symbol)
    }
    this.#reconciledAt = now
  }

  async #openOrders(orders: VenueOrders): Promise<readonly Report[]> {
    await this.#quiet()
    return orders.open()
  }

  /** Waits out a short ban; longer ones are refused here, before anything leaves. */
  async #quiet(): Promise<void> {
    const wait = this.#quietUntil - this.#deps.clock.now()
    if (wait <= 0) return
    if (wait > LONGEST_WAIT_MS) throw new CallError('not-executed', `the venue asked not to be called for ${Math.ceil(wait / 1000)} s`, { retryAfterMs: wait })
    await this.#deps.clock.sleep(wait)
  }

  #keepQuiet({ retryAfterMs }: CallError): void {
    if (retryAfterMs !== null) this.#quietUntil = Math.max(this.#quietUntil, this.#deps.clock.now() + retryAfterMs)
  }

  #unreachable(symbol: string, error: CallError): void {
    this.#keepQuiet(error)
    this.#episode('venue-unreachable', symbol, { error: error.message })
  }

  #naked(slot: Slot, why: string): void {
    this.#saidNaked.add(slot.symbol)
    this.#alarm('naked', { symbol: slot.symbol, held: slot.held, why })
  }

  #alarm(event: string, fields: Readonly<Record<string, unknown>>): void {
    this.#plan.journal.note('alarm', { event, ...fields })
  }

  /** One alarm when it begins, one when it is over. */
  #episode(event: string, symbol: string, fields: Readonly<Record<string, unknown>>): void {
    const key = `${event} ${symbol}`
    if (this.#episodes.has(key)) return
    this.#episodes.add(key)
    this.#alarm(event, { symbol, ...fields })
  }

  #over(event: string, symbol: string): void {
    if (this.#episodes.delete(`${event} ${symbol}`)) this.#alarm(`${event}-over`, { symbol })
  }
}
