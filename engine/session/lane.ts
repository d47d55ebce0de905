import { orderFields, type PendingDecision, type Trail } from '../audit/trail.ts'
import type { Candle } from '../core/candle.ts'
import type { Instrument } from '../core/instrument.ts'
import { breakEvenPrice, raisedStop, type Costs } from '../core/matching.ts'
import { NO_EXECUTIONS, type Approved, type EntryOrder, type Execution, type ExitOrder, type Fill, type Order } from '../core/order.ts'
import type { Policy } from '../core/policy.ts'
import { applyFill, createPortfolio, equity, type Holding, type Portfolio } from '../core/portfolio.ts'
import { approve, RiskWatch, watchesLoss, type RiskContext } from '../core/risk.ts'
import type { EpochMs } from '../core/time.ts'
import type { Consultation } from '../pipeline/consultation.ts'
import { emptyJudgement, judge } from '../pipeline/pipeline.ts'
import type { Account, Broker, OrderReceipt } from '../ports.ts'
import { EquityCurve } from './equity-curve.ts'
import { OutcomeTally } from './tally.ts'
import type { Track } from './track.ts'
import { tradeFields } from './trade-record.ts'

/** An order that has been sent and whose outcome is not known yet. */
interface Sent {
  readonly order: Order
  readonly decision: PendingDecision | null
  /** Sent for a decision, not for a rule of the policy. */
  readonly decided: boolean
}

/** A promise only when a port needed one. */
type Step = Promise<void> | undefined

export interface LanePlan {
  readonly policy: Policy
  readonly broker: Broker
  readonly account: Account
  readonly instruments: readonly Instrument[]
  readonly timeframeMs: number
  readonly trail: Trail | null
}

/** One policy with its own broker and portfolio. Lanes share market, snapshot and opinion, and nothing else. */
export class Lane {
  readonly policy: Policy
  readonly broker: Broker
  readonly portfolio: Portfolio
  readonly curve: EquityCurve
  readonly outcomes = new OutcomeTally()
  readonly trail: Trail | null
  /** False while nothing is held, pending or resting: candles then cannot change the lane. */
  awake = false
  /** The session has it on its list of lanes to settle and mark. */
  listed = false
  /** The policy moves stops or ends positions by time. */
  readonly manages: boolean
  momentsInPosition = 0
  readonly #costs: Costs
  readonly #watch: RiskWatch | null
  readonly #sent: (Sent | null)[]
  readonly #judgement = emptyJudgement()
  readonly #context: RiskContext
  readonly #calmLow: Float64Array
  readonly #calmHigh: Float64Array
  #pendingSpend = 0
  #heldAtMark = false

  constructor({ policy, broker, account, instruments, timeframeMs, trail }: LanePlan) {
    this.policy = policy
    this.broker = broker
    this.trail = trail
    this.portfolio = createPortfolio(account.cash, instruments)
    this.curve = new EquityCurve(account.cash)
    this.manages = policy.maxHold !== null || policy.trailingStop !== null || policy.breakEvenAt !== null
    this.#costs = account.costs
    this.#watch = watchesLoss(policy) ? new RiskWatch(policy, account.cash) : null
    this.#sent = instruments.map(() => null)
    this.#calmLow = new Float64Array(instruments.length).fill(Infinity)
    this.#calmHigh = new Float64Array(instruments.length)
    this.#context = {
      state: 'ACTIVE', policy, instrument: instruments[0], costs: account.costs, price: 0, marketAgeMs: 0,
      maxMarketAgeMs: timeframeMs, latencyMs: 0, deadlineMs: Math.min(30_000, timeframeMs / 2), inPosition: false, openPositions: 0,
      exposure: 0, equity: account.cash, wantedSpend: 0, equityAtDayStart: account.cash, peakEquity: account.cash,
      consecutiveLosses: 0, candlesSinceExit: Infinity,
    }
  }

  /**
   * A candle closed: the broker tells what happened and fills go into the portfolio. Where the broker can say that
   * nothing can have happened, it is not asked.
   */
  settle(now: EpochMs, track: Track, candle: Candle): Step {
    const { index } = track
    const holding = this.portfolio.holdings[index]
    if (candle.low > this.#calmLow[index] && candle.high < this.#calmHigh[index]) {
      holding.mark = candle.close
      if (this.manages && candle.high > holding.highestHigh) holding.highestHigh = candle.high
      return undefined
    }
    this.#watch?.roll(now - 1)
    const executions = this.broker.settle(now, track.symbol, candle)
    if (executions instanceof Promise) return executions.then((known) => this.#settled(known, track, candle))
    this.#settled(executions, track, candle)
    return undefined
  }

  /** Nothing closed, but orders may have met the market. */
  async wake(now: EpochMs, track: Track): Promise<void> {
    this.#book(await this.broker.settle(now, track.symbol), track, track.count)
    this.#calmDown(track)
  }

  #settled(executions: readonly Execution[], track: Track, candle: Candle): void {
    if (executions !== NO_EXECUTIONS) {
      this.#book(executions, track, track.count)
      this.#calmDown(track)
    }
    const holding = this.portfolio.holdings[track.index]
    holding.mark = candle.close
    if (candle.high > holding.highestHigh) holding.highestHigh = candle.high
  }

  /** Learns anew between which prices candles cannot concern the lane. */
  #calmDown({ index, symbol }: Track): void {
    const range = this.broker.calm?.(symbol) ?? null
    this.#calmLow[index] = range === null ? Infinity : range.low
    this.#calmHigh[index] = range === null ? -Infinity : range.high
  }

  /** Marks the equity at a moment's close, once all its candles are settled. */
  mark(closeTime: EpochMs, day: number): void {
    const { portfolio } = this
    const value = equity(portfolio)
    this.curve.mark(day, value)
    this.#heldAtMark = portfolio.openPositions > 0
    if (this.#heldAtMark) this.momentsInPosition++
    this.awake = !this.broker.idle || value !== portfolio.cash
    if (this.#watch === null) return
    const breached = this.#watch.mark(closeTime, value)
    if (breached !== null) {
      this.trail?.line('risk', closeTime + 1, { rule: breached, state: this.#watch.state, equity: value })
    }
  }

  /** A limit has stopped the lane until a person resumes it. */
  get halted(): boolean {
    return this.#watch?.state === 'HALTED'
  }

  /** Whether the lane holds the symbol. */
  holds(track: Track): boolean {
    return this.portfolio.holdings[track.index].open
  }

  /** Phases 3 and 4 of a BUY or SELL, and the order if both agree. */
  act(track: Track, consultation: Consultation): Step {
    const { opinion } = consultation
    const holding = this.portfolio.holdings[track.index]
    const context = this.#look(track, holding, consultation.latencyMs)
    const order = opinion.action === 'BUY' ? this.#entry(track, consultation.latencyMs) : this.#exit(track, 'signal', consultation.latencyMs)
    context.inPosition = order.side === 'buy' ? holding.open || this.#sent[track.index] !== null : this.#leavable(track, holding)
    const { trail } = this
    const approved = judge(order, opinion, context, this.#judgement, trail !== null)
    if (typeof approved === 'string') {
      this.outcomes.count('REJECTED', approved)
      if (trail !== null && trail.full) {
        trail.decided(track.snapshot, consultation, this.#judgement, { status: 'REJECTED', reason: approved, order })
      }
      return undefined
    }
    return this.#send(track, approved, trail?.begin(track.snapshot, consultation, this.#judgement) ?? null, true)
  }

  /** After the decision: the time stop, and stops that follow the price. Both act from the next candle on. */
  manage(track: Track): Step {
    const holding = this.portfolio.holdings[track.index]
    if (!this.#leavable(track, holding)) return undefined
    const { maxHold } = this.policy
    if (maxHold !== null && track.count - holding.entryIndex >= maxHold) {
      const context = this.#look(track, holding, 0)
      context.inPosition = true
      const approved = approve(this.#exit(track, 'time', 0), context, null)
      // Refused only when halted or too small to sell; the next close asks again.
      return typeof approved === 'string' ? undefined : this.#send(track, approved, null, false)
    }
    const resting = Number.isNaN(holding.stop) ? 0 : holding.stop
    const breakEven = breakEvenPrice(holding.entryPrice, this.#costs)
    const { tickSize } = holding.instrument
    const wanted = raisedStop(resting, this.policy, holding.entryPrice, holding.highestHigh, breakEven, tickSize)
    if (wanted <= resting) return undefined
    holding.stop = wanted
    this.trail?.line('order', track.snapshot.time, { event: 'stop-raised', symbol: track.symbol, from: resting || null, to: wanted })
    const raised = this.broker.raiseStop(track.symbol, wanted)
    if (raised instanceof Promise) return raised.then(() => this.#calmDown(track))
    this.#calmDown(track)
    return undefined
  }

  /** The tape ends: whatever is pending is cancelled, whatever is held is sold at the last close. */
  closeAtEnd(track: Track, candle: Candle): void {
    const executions = this.broker.closeAt?.(track.symbol, candle)
    if (executions === undefined) throw new Error('this broker cannot close positions at the end of a tape')
    this.#book(executions, track, track.count - 1)
    this.curve.remark(equity(this.portfolio))
    if (this.#heldAtMark && this.portfolio.openPositions === 0) {
      this.#heldAtMark = false
      this.momentsInPosition--
    }
  }

  #leavable(track: Track, holding: Holding): boolean {
    return holding.open && this.#sent[track.index] === null
  }

  #look(track: Track, holding: Holding, latencyMs: number): RiskContext {
    const context = this.#context
    const { portfolio } = this
    const watch = this.#watch
    const value = equity(portfolio)
    context.instrument = holding.instrument
    context.price = track.snapshot.price
    context.latencyMs = latencyMs
    context.equity = value
    context.openPositions = portfolio.openPositions + this.#pendingEntries()
    context.exposure = value - portfolio.cash + this.#pendingSpend
    context.wantedSpend = this.policy.positionSize * value
    context.candlesSinceExit = holding.exitIndex < 0 ? Infinity : track.count - 1 - holding.exitIndex
    if (watch !== null) {
      watch.roll(track.snapshot.time)
      context.state = watch.state
      context.equityAtDayStart = watch.equityAtDayStart
      context.peakEquity = watch.peakEquity
      context.consecutiveLosses = watch.consecutiveLosses
    }
    return context
  }

  #pendingEntries(): number {
    let pending = 0
    for (let index = 0; index < this.#sent.length; index++) if (this.#sent[index]?.order.side === 'buy') pending++
    return pending
  }

  #entry(track: Track, latencyMs: number): EntryOrder {
    return {
      id: track.orderId('entry'),
      symbol: track.symbol,
      side: 'buy',
      spend: Math.max(0, Math.min(this.#context.wantedSpend, this.portfolio.cash - this.#pendingSpend)),
      protection: this.policy,
      decidedAt: track.snapshot.time,
      latencyMs,
    }
  }

  #exit(track: Track, reason: ExitOrder['reason'], latencyMs: number): ExitOrder {
    return {
      id: track.orderId('exit'),
      symbol: track.symbol,
      side: 'sell',
      quantity: this.portfolio.holdings[track.index].quantity,
      reason,
      decidedAt: track.snapshot.time,
      latencyMs,
    }
  }

  #send(track: Track, order: Approved<Order>, decision: PendingDecision | null, decided: boolean): Step {
    this.#sent[track.index] = { order, decision, decided }
    if (order.side === 'buy') this.#pendingSpend += order.spend
    this.awake = true
    this.trail?.line('intent', order.decidedAt, { symbol: order.symbol, order: orderFields(order) })
    const receipt = this.broker.submit(order)
    if (receipt instanceof Promise) return receipt.then((known) => this.#received(track, known))
    this.#received(track, receipt)
    return undefined
  }

  #received(track: Track, { orderId, state, reason }: OrderReceipt): void {
    this.trail?.line('order', track.snapshot.time, { id: orderId, symbol: track.symbol, state, reason })
    if (state === 'rejected') this.#ended(track, orderId, 'FAILED', reason)
    this.#calmDown(track)
  }

  #book(executions: readonly Execution[], track: Track, candleIndex: number): void {
    for (const execution of executions) {
      if (execution.kind === 'fill') {
        this.#filled(execution, track, candleIndex)
        continue
      }
      const { orderId, symbol, time, state, reason } = execution
      this.trail?.line('order', time, { id: orderId, symbol, state, reason })
      this.#ended(track, orderId, 'FAILED', reason)
    }
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
    this.#pendingSpend = this.#sent.reduce((sum, one) => sum + (one?.order.side === 'buy' ? one.order.spend : 0), 0)
    if (!sent.decided) return
    this.outcomes.count(status, reason)
    if (sent.decision !== null) this.trail!.conclude(sent.decision, { status, reason, order: sent.order })
  }
}

/** Its line's timestamp is the open time of the candle in which it happened. */
const fillFields = (fields: Fill): Record<string, unknown> => ({
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
