import { z } from 'zod'
import type { Candle } from '../../engine/core/candle.ts'
import { carried, floorToLot, sellable, type Instrument } from '../../engine/core/instrument.ts'
import {
  armPair, buy, FILL_MODELS, matchPair, sell, type Amounts, type Costs, type FillModel, type FillModelName, type ProtectivePair,
} from '../../engine/core/matching.ts'
import {
  NO_EXECUTIONS, type Approved, type EntryOrder, type Execution, type ExitReason, type Fill, type Order,
  type OrderUpdate,
} from '../../engine/core/order.ts'
import { timeframeMs, type Timeframe } from '../../engine/core/timeframe.ts'
import type { EpochMs } from '../../engine/core/time.ts'
import { timeframeOption } from '../../engine/options.ts'
import { definePlugin, type Broker, type CalmRange, type OrderReceipt } from '../../engine/ports.ts'

const rate = z.number().min(0).lt(1)

const options = z.strictObject({
  cash: z.number().positive().default(10_000).describe('start capital in quote'),
  fees: z.strictObject({
    maker: rate.default(0.001),
    taker: rate.default(0.001),
    asset: z.enum(['received', 'quote']).default('received').describe('received: a buy pays in base, as Binance does'),
  }).prefault({}),
  slippageBps: z.number().min(0).lt(10_000).default(5).describe('on market and stop fills, in basis points'),
  fillModel: z.enum(Object.keys(FILL_MODELS) as [FillModelName, ...FillModelName[]]).default('conservative'),
  fillTimeframe: timeframeOption.nullable().default(null).describe('settle orders on finer candles'),
  latencyCandles: z.int().min(0).default(0).describe('candles by which every market order is late'),
})
export type PaperOptions = z.infer<typeof options>

type MutableFill = { -readonly [K in keyof Fill]: Fill[K] } & Amounts

/** One symbol's pending order, position and resting pair. */
interface Slot {
  readonly symbol: string
  readonly instrument: Instrument
  pending: Order | null
  /** The pending order fills at the first candle that opens at or after this. */
  notBefore: EpochMs
  /** Newest order, so that sending one twice does nothing the second time. */
  lastOrder: Order | null
  entryId: string
  open: boolean
  quantity: number
  readonly pair: ProtectivePair
}

const emptyFill = (): MutableFill => ({
  kind: 'fill', orderId: '', symbol: '', side: 'buy', time: 0, price: 0, quantity: 0, notional: 0, feeBase: 0, feeQuote: 0,
  slippage: 0, liquidity: 'taker', reason: null, ambiguous: false, stop: null, target: null,
})

const finite = (price: number): number | null => (price === 0 || price === Infinity ? null : price)

/** Fills orders against candles by `core/matching.ts`. Everything it assumes is an option. */
export class PaperBroker implements Broker {
  readonly costs: Costs
  readonly #options: PaperOptions
  readonly #model: FillModel
  readonly #timeframe: Timeframe
  readonly #timeframeMs: number
  readonly #slots = new Map<string, Slot>()
  #slot: Slot
  #busy = 0
  readonly #calm = { low: -Infinity, high: Infinity }
  // Reused: executions are valid until the next settle.
  readonly #fill = emptyFill()
  readonly #second = emptyFill()
  readonly #one: Execution[] = [this.#fill]
  readonly #two: Execution[] = [this.#fill, this.#second]

  constructor(options: PaperOptions, instruments: readonly Instrument[], timeframe: Timeframe) {
    this.#options = options
    this.#model = FILL_MODELS[options.fillModel]
    this.#timeframe = timeframe
    this.#timeframeMs = timeframeMs(timeframe)
    const { maker, taker, asset } = options.fees
    this.costs = { maker, taker, feeAsset: asset, slippageBps: options.slippageBps }
    for (const instrument of instruments) {
      this.#slots.set(instrument.symbol, {
        symbol: instrument.symbol, instrument, pending: null, notBefore: 0, lastOrder: null, entryId: '', open: false,
        quantity: 0, pair: { stop: 0, target: Infinity, raised: false },
      })
    }
    this.#slot = [...this.#slots.values()][0]
  }

  fork(): PaperBroker {
    const instruments = [...this.#slots.values()].map(({ instrument }) => instrument)
    const copy = new PaperBroker(this.#options, instruments, this.#timeframe)
    for (const [symbol, slot] of this.#slots) copy.#slots.set(symbol, { ...slot, pair: { ...slot.pair } })
    copy.#slot = copy.#slots.get(this.#slot.symbol)!
    copy.#busy = this.#busy
    return copy
  }

  get idle(): boolean {
    return this.#busy === 0
  }

  account(): { cash: number; costs: Costs } {
    return { cash: this.#options.cash, costs: this.costs }
  }

  submit(order: Approved<Order>): OrderReceipt {
    const slot = this.#at(order.symbol)
    const known = slot.lastOrder !== null && (slot.lastOrder.id === order.id || order.decidedAt < slot.lastOrder.decidedAt)
    if (!known) {
      if (slot.pending !== null) return { orderId: order.id, state: 'rejected', reason: 'order-pending' }
      if (order.side === 'sell' && !slot.open) return { orderId: order.id, state: 'rejected', reason: 'no-position' }
      if (order.side === 'buy' && slot.open) return { orderId: order.id, state: 'rejected', reason: 'already-in-position' }
      slot.pending = slot.lastOrder = order
      const latency = this.#options.fillTimeframe === null ? 0 : order.latencyMs
      slot.notBefore = order.decidedAt + this.#options.latencyCandles * this.#timeframeMs + latency
      this.#busy++
    }
    return { orderId: order.id, state: 'accepted', reason: null }
  }

  cancel(orderId: string): OrderUpdate | null {
    for (const slot of this.#slots.values()) {
      if (slot.pending?.id === orderId) return this.#drop(slot, slot.notBefore, 'cancelled', 'cancelled')
    }
    return null
  }

  raiseStop(symbol: string, stop: number): void {
    const { pair, open } = this.#at(symbol)
    if (!open || stop <= pair.stop) return
    pair.stop = stop
    pair.raised = true
  }

  calm(symbol: string): CalmRange | null {
    const slot = this.#at(symbol)
    if (slot.pending !== null) return null
    this.#calm.low = slot.open ? slot.pair.stop : -Infinity
    this.#calm.high = slot.open ? slot.pair.target : Infinity
    return this.#calm
  }

  settle(_now: EpochMs, symbol: string, candle?: Candle): readonly Execution[] {
    if (candle === undefined || this.#busy === 0) return NO_EXECUTIONS
    const slot = this.#at(symbol)
    if (slot.pending !== null && candle.openTime >= slot.notBefore) return this.#atOpen(slot, candle)
    if (!slot.open) return NO_EXECUTIONS
    const hit = matchPair(slot.pair, candle, this.#model, false)
    if (hit === null) return NO_EXECUTIONS
    this.#sell(slot, this.#fill, candle.openTime, hit.price, hit.liquidity, hit.reason, hit.ambiguous, this.#legId(slot, hit.reason))
    if (slot.pending === null) return this.#one
    // The pair was faster than an exit that is still under way.
    return [this.#fill, this.#drop(slot, candle.openTime, 'cancelled', 'position-closed')]
  }

  closeAt(symbol: string, candle: Candle): readonly Execution[] {
    const slot = this.#at(symbol)
    const executions: Execution[] = []
    if (slot.pending !== null) executions.push(this.#drop(slot, candle.openTime, 'cancelled', 'end-of-tape'))
    if (slot.open) {
      this.#sell(slot, this.#fill, candle.openTime, candle.close, 'taker', 'end', false, `${slot.entryId}-end`)
      executions.push(this.#fill)
    }
    return executions
  }

  #at(symbol: string): Slot {
    if (this.#slot.symbol === symbol) return this.#slot
    const slot = this.#slots.get(symbol)
    if (slot === undefined) throw new Error(`paper broker has no instrument for ${symbol}`)
    return (this.#slot = slot)
  }

  /** The pending market order meets a candle's open; what it opened may end in the same candle. */
  #atOpen(slot: Slot, candle: Candle): readonly Execution[] {
    const order = slot.pending!
    if (order.side === 'sell') {
      slot.pending = null
      this.#busy--
      this.#sell(slot, this.#fill, candle.openTime, candle.open, 'taker', (order).reason, false, order.id)
      return this.#one
    }
    const refusal = this.#buy(slot, order, candle)
    if (refusal !== null) return [this.#drop(slot, candle.openTime, 'rejected', refusal)]
    if (!slot.open) return this.#one
    const hit = matchPair(slot.pair, candle, this.#model, true)
    if (hit === null) return this.#one
    this.#sell(slot, this.#second, candle.openTime, hit.price, hit.liquidity, hit.reason, hit.ambiguous, this.#legId(slot, hit.reason))
    return this.#two
  }

  /** The reason why nothing was bought, or null. */
  #buy(slot: Slot, order: EntryOrder, candle: Candle): string | null {
    const fill = this.#fill
    buy(fill, order.spend, candle.open, this.costs, slot.instrument)
    if (!(fill.quantity > 0)) return 'below-lot'
    if (fill.notional < slot.instrument.minNotional) return 'below-min-notional'
    armPair(slot.pair, fill.price, order.protection, slot.instrument.tickSize)
    slot.pending = null
    slot.entryId = order.id
    slot.quantity = carried(slot.quantity + fill.quantity - fill.feeBase, slot.instrument)
    // What cannot be sold again is dust: there is nothing to protect.
    slot.open = sellable(slot.quantity, fill.price, slot.instrument) > 0
    if (!slot.open) this.#busy--
    fill.orderId = order.id
    fill.symbol = slot.symbol
    fill.side = 'buy'
    fill.time = candle.openTime
    fill.liquidity = 'taker'
    fill.reason = null
    fill.ambiguous = false
    fill.stop = slot.open ? finite(slot.pair.stop) : null
    fill.target = slot.open ? finite(slot.pair.target) : null
    return null
  }

  /** Sells all that a lot allows; the pair is down from here on. */
  #sell(
    slot: Slot, fill: MutableFill, time: EpochMs, price: number, liquidity: 'maker' | 'taker', reason: ExitReason,
    ambiguous: boolean, orderId: string,
  ): void {
    sell(fill, floorToLot(slot.quantity, slot.instrument.lotSize), price, liquidity, this.costs, slot.instrument)
    slot.quantity = carried(slot.quantity - fill.quantity, slot.instrument)
    slot.open = false
    this.#busy--
    fill.orderId = orderId
    fill.symbol = slot.symbol
    fill.side = 'sell'
    fill.time = time
    fill.liquidity = liquidity
    fill.reason = reason
    fill.ambiguous = ambiguous
    fill.stop = fill.target = null
  }

  #legId(slot: Slot, reason: ExitReason): string {
    return `${slot.entryId}-${reason === 'target' || reason === 'target_gap' ? 'target' : 'stop'}`
  }

  #drop(slot: Slot, time: EpochMs, state: OrderUpdate['state'], reason: string): OrderUpdate {
    const { id, symbol } = slot.pending!
    slot.pending = null
    this.#busy--
    return { kind: 'order', orderId: id, symbol, time, state, reason }
  }
}

export default definePlugin({
  kind: 'broker',
  name: 'paper',
  description: 'Simulated fills against candles: market orders at the next open, one stop and target pair per position.',
  options,
  create: (parsed, _deps, { instruments, timeframe }) => new PaperBroker(parsed, Object.values(instruments), timeframe),
})
