import { orderFields, type PendingDecision, type Trail } from '../audit/trail.ts'
import type { Candle } from '../core/candle.ts'
import type { Instrument } from '../core/instrument.ts'
import { NO_EXECUTIONS, type Approved, type Execution, type Fill, type Order, type Voided } from '../core/order.ts'
import { applyFill, copyPortfolio, createPortfolio, voidPosition, type Portfolio } from '../core/portfolio.ts'
import type { RiskWatch } from '../core/risk.ts'
import type { EpochMs } from '../core/time.ts'
import type { Account, Broker, OrderReceipt } from '../ports.ts'
import { OutcomeTally } from './tally.ts'
import type { Track } from './track.ts'
import { tradeFields } from './trade-record.ts'

/** A promise only when a port needed one. */
export type Step = Promise<void> | undefined

/** An order that has been sent and whose outcome is not known yet. */
interface Sent {
  readonly order: Order
  readonly decision: PendingDecision | null
  /** Sent for a decision, not for a rule of the policy. */
  readonly decided: boolean
}

export interface DeskPlan {
  readonly broker: Broker
  readonly account: Account
  readonly instruments: readonly Instrument[]
  readonly trail: Trail | null
}

/** Where a lane's orders leave and come back: broker, portfolio, and the record of what became of each. */
export class OrderDesk {
  readonly broker: Broker
  readonly portfolio: Portfolio
  readonly outcomes: OutcomeTally
  readonly trail: Trail | null
  /** Per symbol: while candles stay strictly between these prices, the broker need not be asked. */
  readonly calmLow: Float64Array
  readonly calmHigh: Float64Array
  /** Quote reserved by entries that are under way. */
  pendingSpend: number
  pendingEntries: number
  readonly #watch: RiskWatch | null
  readonly #sent: (Sent | null)[]
  #voided = false

  /** With `like`, begins in that desk's present state, with a broker of its own. */
  constructor({ broker, account, instruments, trail }: DeskPlan, watch: RiskWatch | null, like: OrderDesk | null) {
    this.trail = trail
    this.#watch = watch
    this.broker = like === null ? broker : like.broker.fork!()
    this.portfolio = like === null ? createPortfolio(account.cash, instruments) : copyPortfolio(like.portfolio)
    this.outcomes = like === null ? new OutcomeTally() : like.outcomes.copy()
    this.calmLow = like === null ? new Float64Array(instruments.length).fill(Infinity) : like.calmLow.slice()
    this.calmHigh = like === null ? new Float64Array(instruments.length) : like.calmHigh.slice()
    this.pendingSpend = like === null ? 0 : like.pendingSpend
    this.pendingEntries = like === null ? 0 : like.pendingEntries
    this.#sent = like === null ? instruments.map(() => null) : like.#sent.slice()
  }

  /** An order for the symbol is under way. */
  isBusy(index: number): boolean {
    return this.#sent[index] !== null
  }

  /** `decision` is what the trail holds of it so far; `decided` says whether an opinion or the policy wants the order. */
  send(track: Track, order: Approved<Order>, decision: PendingDecision | null, decided: boolean): Step {
    this.#sent[track.index] = { order, decision, decided }
    this.#reserve()
    this.trail?.line('intent', order.decidedAt, { symbol: order.symbol, order: orderFields(order) })
    const receipt = this.broker.submit(order)
    if (receipt instanceof Promise) return receipt.then((known) => this.#received(track, known))
    this.#received(track, receipt)
    return undefined
  }

  /**
   * A candle closed: the broker tells what happened and fills go into the portfolio. Where the broker can say that
   * nothing can have happened, it is not asked.
   */
  settle(now: EpochMs, track: Track, candle: Candle): Step {
    const { index } = track
    if (candle.low > this.calmLow[index] && candle.high < this.calmHigh[index]) {
      this.#passed(index, candle)
      return undefined
    }
    this.#watch?.roll(now - 1)
    const executions = this.broker.settle(now, track.symbol, candle)
    if (executions instanceof Promise) {
      return executions.then((known) => {
        this.book(known, track, track.number)
        this.#passed(index, candle)
      })
    }
    this.book(executions, track, track.number)
    this.#passed(index, candle)
    return undefined
  }

  /** Nothing closed, but orders may have met the market. */
  async wake(now: EpochMs, track: Track): Promise<void> {
    this.book(await this.broker.settle(now, track.symbol), track, track.number)
  }

  raiseStop(track: Track, stop: number): Step {
    const raised = this.broker.raiseStop(track.symbol, stop)
    if (raised instanceof Promise) return raised.then(() => this.#calmDown(track))
    this.#calmDown(track)
    return undefined
  }

  /** Puts executions into the books. `candleIndex` numbers the decision candle in which they happened. */
  book(executions: readonly Execution[], track: Track, candleIndex: number): void {
    if (executions === NO_EXECUTIONS) return
    for (const execution of executions) {
      if (execution.kind === 'fill') {
        this.#filled(execution, track, candleIndex)
        continue
      }
      if (execution.kind === 'void') {
        this.#void(execution, track)
        continue
      }
      const { orderId, symbol, time, state, reason } = execution
      this.trail?.line('order', time, { id: orderId, symbol, state, reason })
      this.#ended(track, orderId, 'FAILED', reason)
    }
    this.#calmDown(track)
  }

  /** Whether books were set back since the last call. */
  takeVoided(): boolean {
    const voided = this.#voided
    this.#voided = false
    return voided
  }

  #void({ symbol, time, reason }: Voided, track: Track): void {
    voidPosition(this.portfolio, this.portfolio.holdings[track.index])
    this.#voided = true
    this.trail?.line('order', time, { id: null, symbol, state: 'void', reason })
    const sent = this.#sent[track.index]
    if (sent !== null) this.#ended(track, sent.order.id, 'FAILED', reason)
  }

  #received(track: Track, { orderId, state, reason }: OrderReceipt): void {
    this.trail?.line('order', track.snapshot.time, { id: orderId, symbol: track.symbol, state, reason })
    if (state === 'rejected') this.#ended(track, orderId, 'FAILED', reason)
    this.#calmDown(track)
  }

  #passed(index: number, { close, high }: Candle): void {
    const holding = this.portfolio.holdings[index]
    holding.mark = close
    if (high > holding.highestHigh) holding.highestHigh = high
  }

  #filled(fill: Fill, track: Track, candleIndex: number): void {
    const { portfolio, trail } = this
    const holding = portfolio.holdings[track.index]
    if (trail !== null) trail.line('fill', fill.time, fillFields(fill))
    const closed = applyFill(portfolio, holding, fill, candleIndex)
    this.#ended(track, fill.orderId, 'EXECUTED', null)
    if (!closed) return
    const row = portfolio.trades.length - 1
    this.#watch?.traded(portfolio.trades.pnl[row])
    trail?.line('trade', fill.time, tradeFields(portfolio.trades, row, track.symbol))
  }

  /** The outcome of a sent order is known; its decision's line can be written. */
  #ended(track: Track, orderId: string, status: 'EXECUTED' | 'FAILED', reason: string | null): void {
    const sent = this.#sent[track.index]
    if (sent === null || sent.order.id !== orderId) return
    this.#sent[track.index] = null
    this.#reserve()
    if (!sent.decided) return
    this.outcomes.count(status, reason)
    if (sent.decision !== null) this.trail!.conclude(sent.decision, { status, reason, order: sent.order })
  }

  /** Summed anew each time, so that adding and taking away leaves no remainder. */
  #reserve(): void {
    this.pendingSpend = this.pendingEntries = 0
    for (let index = 0; index < this.#sent.length; index++) {
      const order = this.#sent[index]?.order
      if (order?.side !== 'buy') continue
      this.pendingSpend += order.spend
      this.pendingEntries++
    }
  }

  #calmDown({ index, symbol }: Track): void {
    const range = this.broker.calm?.(symbol) ?? null
    this.calmLow[index] = range === null ? Infinity : range.low
    this.calmHigh[index] = range === null ? -Infinity : range.high
  }
}

/** Its line's timestamp is the open time of the candle in which it happened. */
export const fillFields = (fields: Fill): Record<string, unknown> => ({
  id: fields.orderId,
  symbol: fields.symbol,
  side: fields.side,
  price: fields.price,
  quantity: fields.quantity,
  notional: fields.notional,
  fee_base: fields.feeBase,
  fee_quote: fields.feeQuote,
  slippage: fields.slippage,
  liquidity: fields.liquidity,
  reason: fields.reason,
  ambiguous: fields.ambiguous,
  stop: fields.stop,
  target: fields.target,
})
