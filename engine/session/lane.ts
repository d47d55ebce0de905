import { orderFields, type PendingDecision, type Trail } from '../audit/trail.ts'
import type { Candle, CandleColumns } from '../core/candle.ts'
import type { Instrument } from '../core/instrument.ts'
import { breakEvenPrice, raisedStop, type Costs } from '../core/matching.ts'
import { NO_EXECUTIONS, type Approved, type EntryOrder, type Execution, type ExitOrder, type Fill, type Order } from '../core/order.ts'
import type { Policy } from '../core/policy.ts'
import { applyFill, copyPortfolio, createPortfolio, equity, type Holding, type Portfolio } from '../core/portfolio.ts'
import { approve, RiskWatch, watchesLoss, type RiskContext } from '../core/risk.ts'
import type { EpochMs } from '../core/time.ts'
import type { Consultation } from '../pipeline/consultation.ts'
import { emptyJudgement, judge } from '../pipeline/pipeline.ts'
import type { Account, Broker, CandleBatch, OrderReceipt } from '../ports.ts'
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

/** One variant of a run: it differs from others of the same lane in thresholds only. */
export interface Member {
  readonly variant: number
  readonly minConfidence: number
  readonly minExitConfidence: number
}

export interface Parted {
  readonly lane: Lane
  readonly row: number
}

const NOBODY: readonly Parted[] = Object.freeze([])

/**
 * One policy with its own broker and portfolio. Lanes share market, snapshot and opinion, and nothing else. Variants that
 * differ only in their confidence thresholds are one lane until an opinion falls between those thresholds.
 */
export class Lane {
  readonly policy: Policy
  readonly broker: Broker
  readonly portfolio: Portfolio
  readonly curve: EquityCurve
  readonly outcomes: OutcomeTally
  /** Which of the run's variants it stands for. More than one as long as they cannot differ. */
  members: readonly Member[]
  readonly trail: Trail | null
  /** False while nothing is held, pending or resting: candles then cannot change the lane. */
  awake: boolean
  momentsInPosition: number
  /** The policy moves stops or ends positions by time. */
  readonly #manages: boolean
  /** Nothing but price and levels can change it between decisions. */
  readonly #glides: boolean
  readonly #timeframeMs: number
  readonly #plan: LanePlan
  readonly #parted: Parted[] = []
  readonly #costs: Costs
  readonly #watch: RiskWatch | null
  readonly #sent: (Sent | null)[]
  readonly #judgement = emptyJudgement()
  readonly #context: RiskContext
  readonly #calmLow: Float64Array
  readonly #calmHigh: Float64Array
  #pendingSpend: number

  /** `members` share all but their thresholds. With `like`, the lane begins in that lane's present state. */
  constructor(plan: LanePlan, members: readonly Member[], like: Lane | null = null) {
    const { account, instruments, timeframeMs, trail } = plan
    const [{ minConfidence, minExitConfidence }] = members
    const policy = { ...plan.policy, minConfidence, minExitConfidence }
    this.#plan = plan
    this.members = members
    this.policy = policy
    this.trail = trail
    this.broker = like === null ? plan.broker : like.broker.fork!()
    this.portfolio = like === null ? createPortfolio(account.cash, instruments) : copyPortfolio(like.portfolio)
    this.curve = like?.curve.copy() ?? new EquityCurve(account.cash)
    this.outcomes = like?.outcomes.copy() ?? new OutcomeTally()
    this.awake = like?.awake ?? false
    this.momentsInPosition = like?.momentsInPosition ?? 0
    this.#manages = policy.maxHold !== null || policy.trailingStop !== null || policy.breakEvenAt !== null
    this.#costs = account.costs
    this.#watch = like === null ? (watchesLoss(policy) ? new RiskWatch(policy, account.cash) : null) : like.#watch === null ? null : like.#watch.copy()
    this.#glides = !this.#manages && this.#watch === null && instruments.length === 1
    this.#timeframeMs = timeframeMs
    this.#sent = like === null ? instruments.map(() => null) : like.#sent.slice()
    this.#pendingSpend = like === null ? 0 : like.#pendingSpend
    this.#calmLow = like === null ? new Float64Array(instruments.length).fill(Infinity) : like.#calmLow.slice()
    this.#calmHigh = like === null ? new Float64Array(instruments.length) : like.#calmHigh.slice()
    this.#context = {
      state: 'ACTIVE', policy, instrument: instruments[0], costs: account.costs, price: 0, marketAgeMs: 0,
      maxMarketAgeMs: timeframeMs, latencyMs: 0, deadlineMs: Math.min(30_000, timeframeMs / 2), inPosition: false, openPositions: 0,
      exposure: 0, equity: account.cash, wantedSpend: 0, equityAtDayStart: account.cash, peakEquity: account.cash,
      consecutiveLosses: 0, candlesSinceExit: Infinity,
    }
  }

  /**
   * Goes through rows `from … end − 1` of a batch, whose opinions are known: asleep from one BUY or SELL to the next, gliding while a position is
   * held and no level is touched, and row by row where something can happen.
   */
  walk(track: Track, batch: CandleBatch, from: number, end: number): Step {
    return this.#walk(track, batch, from, end, 0)
  }

  #walk(track: Track, batch: CandleBatch, from: number, end: number, nextActing: number): Step {
    const { columns, settles } = batch
    const { acting, actingCount } = track
    const silent = this.trail === null || !this.trail.full
    for (let row = from, next = nextActing; row < end; row++) {
      while (next < actingCount && acting[next] < row) next++
      if (silent) {
        const until = next < actingCount ? acting[next] : end
        if (!this.awake) row = until
        else if (settles && this.#glides) row = this.#glide(track, columns, row, until)
        if (row === end) break
      }
      track.at(row)
      const step = this.#row(track, settles)
      if (step !== undefined) return step.then(() => this.#walk(track, batch, row + 1, end, next))
    }
    return undefined
  }

  #row(track: Track, settles: boolean): Step {
    const step = this.awake && settles ? this.settle(track.snapshot.time, track, track.candle) : undefined
    return step === undefined ? this.#closed(track) : step.then(() => this.#closed(track))
  }

  #closed(track: Track): Step {
    if (this.awake) this.mark(track.openTime)
    const { said } = track
    return said === null ? undefined : this.decide(track, said)
  }

  /** Marks rows that only move the price of what is held. Returns the first row that may do more. */
  #glide(track: Track, columns: CandleColumns, row: number, until: number): number {
    const { index } = track
    const { portfolio } = this
    const holding = portfolio.holdings[index]
    const low = this.#calmLow[index]
    const high = this.#calmHigh[index]
    const reached = this.curve.glide(columns, row, until, low, high, portfolio.cash, holding.quantity)
    if (reached === row) return row
    holding.mark = columns.close[reached - 1]
    if (portfolio.openPositions > 0) this.momentsInPosition += reached - row
    return reached
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
      if (candle.high > holding.highestHigh) holding.highestHigh = candle.high
      return undefined
    }
    this.#watch?.roll(now - 1)
    const executions = this.broker.settle(now, track.symbol, candle)
    if (executions instanceof Promise) return executions.then((known) => this.#settled(known, track, candle))
    this.#settled(executions, track, candle)
    return undefined
  }

  #settled(executions: readonly Execution[], track: Track, candle: Candle): void {
    if (executions !== NO_EXECUTIONS) {
      this.#book(executions, track, track.number)
      this.#calmDown(track)
    }
    const holding = this.portfolio.holdings[track.index]
    holding.mark = candle.close
    if (candle.high > holding.highestHigh) holding.highestHigh = candle.high
  }

  /** Nothing closed, but orders may have met the market. */
  async wake(now: EpochMs, track: Track): Promise<void> {
    this.#book(await this.broker.settle(now, track.symbol), track, track.number)
    this.#calmDown(track)
  }

  /** Learns anew between which prices candles cannot concern the lane. */
  #calmDown({ index, symbol }: Track): void {
    const range = this.broker.calm?.(symbol) ?? null
    this.#calmLow[index] = range === null ? Infinity : range.low
    this.#calmHigh[index] = range === null ? -Infinity : range.high
  }

  /** Marks the equity at a moment's close, once all its candles are settled. */
  mark(openTime: EpochMs): void {
    const { portfolio } = this
    const value = equity(portfolio)
    this.curve.mark(openTime, value)
    if (portfolio.openPositions > 0) this.momentsInPosition++
    this.awake = !this.broker.idle || value !== portfolio.cash
    if (this.#watch === null) return
    const closeTime = openTime + this.#timeframeMs
    const breached = this.#watch.mark(closeTime - 1, value)
    if (breached !== null) this.trail?.line('risk', closeTime, { rule: breached, state: this.#watch.state, equity: value })
  }

  /** A limit has stopped the lane until a person resumes it. */
  get halted(): boolean {
    return this.#watch?.state === 'HALTED'
  }

  /** Whether the lane holds the symbol. */
  holds(track: Track): boolean {
    return this.portfolio.holdings[track.index].open
  }

  /** Phases 3 and 4, the order if both agree, and then what the policy does by itself. */
  decide(track: Track, consultation: Consultation): Step {
    if (consultation.opinion.action === 'HOLD') {
      if (this.trail !== null && this.trail.full) this.trail.held(track.snapshot, consultation)
      return this.#manages ? this.#manage(track) : undefined
    }
    const step = this.#act(track, consultation)
    if (!this.#manages) return step
    return step === undefined ? this.#manage(track) : step.then(() => this.#manage(track))
  }

  #act(track: Track, consultation: Consultation): Step {
    const { opinion, latencyMs } = consultation
    const { trail } = this
    const holding = this.portfolio.holdings[track.index]
    const context = this.#look(track, holding, latencyMs)
    const order = opinion.action === 'BUY' ? this.#entry(track, latencyMs) : this.#exit(track, 'signal', latencyMs)
    context.inPosition = order.side === 'buy' ? holding.open || this.#sent[track.index] !== null : this.#leavable(track, holding)
    const judged = judge(order, opinion, context, this.#judgement, trail !== null)
    const parted = this.members.length > 1 ? this.#part(track, consultation) : undefined
    if (typeof judged !== 'string') {
      const sent = this.#send(track, judged, trail?.begin(track.snapshot, consultation, this.#judgement) ?? null, true)
      return parted === undefined ? sent : parted.then(() => sent)
    }
    this.outcomes.count('REJECTED', judged)
    if (trail !== null && trail.full) {
      trail.decided(track.snapshot, consultation, this.#judgement, { status: 'REJECTED', reason: judged, order })
    }
    return parted
  }

  /**
   * Members whose threshold says otherwise about this opinion go their own way, from the state that all had until now.
   * Nobody parts over an order that the risk rules refuse to all.
   */
  #part(track: Track, consultation: Consultation): Step {
    if (this.#judgement.riskReason !== null) return undefined
    const { action, confidence } = consultation.opinion
    const { confident } = this.#judgement
    const agrees = ({ minConfidence, minExitConfidence }: Member): boolean =>
      confidence >= (action === 'BUY' ? minConfidence : minExitConfidence) === confident
    const others = this.members.filter((member) => !agrees(member))
    if (others.length === 0) return undefined
    this.members = this.members.filter(agrees)
    const lane = new Lane(this.#plan, others, this)
    this.#parted.push({ lane, row: track.row })
    return lane.decide(track, consultation)
  }

  /** Lanes that parted from this one since the last call, and the row at which each has already decided. */
  takeParted(): readonly Parted[] {
    return this.#parted.length === 0 ? NOBODY : this.#parted.splice(0)
  }

  /** After the decision: the time stop, and stops that follow the price. Both act from the next candle on. */
  #manage(track: Track): Step {
    const holding = this.portfolio.holdings[track.index]
    if (!this.#leavable(track, holding)) return undefined
    const { maxHold } = this.policy
    if (maxHold !== null && track.number + 1 - holding.entryIndex >= maxHold) {
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
    const heldBefore = this.portfolio.openPositions > 0
    const executions = this.broker.closeAt?.(track.symbol, candle)
    if (executions === undefined) throw new Error('this broker cannot close positions at the end of a tape')
    this.#book(executions, track, track.number - 1)
    this.curve.remark(equity(this.portfolio))
    // The last close counted as one with a position; it no longer is.
    if (heldBefore && this.portfolio.openPositions === 0) this.momentsInPosition--
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
    context.candlesSinceExit = holding.exitIndex < 0 ? Infinity : track.number - holding.exitIndex
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
