import type { Trail } from '../audit/trail.ts'
import type { Candle, CandleColumns } from '../core/candle.ts'
import { breakEvenPrice, raisedStop } from '../core/matching.ts'
import type { EntryOrder, ExitOrder } from '../core/order.ts'
import type { Policy } from '../core/policy.ts'
import { equity, type Holding, type Portfolio } from '../core/portfolio.ts'
import { Recalibration } from '../core/recalibration.ts'
import { approve, RiskWatch, watchesLoss, type RiskContext } from '../core/risk.ts'
import type { EpochMs } from '../core/time.ts'
import { decisionDeadlineMs } from '../core/timeframe.ts'
import type { Consultation } from '../pipeline/consultation.ts'
import { emptyJudgement, judge } from '../pipeline/pipeline.ts'
import type { Broker, CandleBatch } from '../ports.ts'
import type { DecisionRuns } from './decision-runs.ts'
import { EquityCurve } from './equity-curve.ts'
import { OrderDesk, type DeskPlan, type Step } from './order-desk.ts'
import type { OutcomeTally } from './tally.ts'
import type { Track } from './track.ts'

export interface LanePlan extends DeskPlan {
  readonly policy: Policy
  readonly timeframeMs: number
  /** False: decisions are noted as SIGNAL and nothing is sent. Left out = true. */
  readonly sends?: boolean
  /** Notes what became of each BUY and SELL, for whoever wants to know what refusals cost. */
  readonly notes?: DecisionRuns
  /** Thresholds that take the policy's place from a time on, ascending; before the first of them the policy's own are in force. */
  readonly thresholds?: readonly ThresholdStep[]
}

export interface ThresholdStep {
  readonly from: EpochMs
  readonly minConfidence: number
  readonly minExitConfidence: number
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
  /** With the thresholds of its members: what all of them have in common decides, until it no longer does. */
  readonly policy: Policy
  readonly curve: EquityCurve
  /** Which of the run's variants it stands for. More than one as long as they cannot differ. */
  members: readonly Member[]
  /** False while nothing is held, pending or resting: candles then cannot change the lane. */
  awake: boolean
  momentsInPosition: number
  readonly notes: DecisionRuns | null
  readonly #plan: LanePlan
  readonly #desk: OrderDesk
  readonly #watch: RiskWatch | null
  /** What confidence was worth so far, per symbol; null where it is taken as it is said. */
  readonly #worth: readonly Recalibration[] | null
  /** The policy moves stops or ends positions by time. */
  readonly #manages: boolean
  /** Nothing but price and levels can change it between decisions. */
  readonly #glides: boolean
  /** Who has stopped the lane, unless it was a limit: a person, or books that were set back. */
  #stopped: string | null = null
  /** A person wants exits only. */
  #reducing = false
  /** Steps of the plan's thresholds that have been taken. */
  #steps = 0
  readonly #parted: Parted[] = []
  readonly #judgement = emptyJudgement()
  readonly #context: RiskContext

  /** `members` share all but their thresholds. With `like`, the lane begins in that lane's present state. */
  constructor(plan: LanePlan, members: readonly Member[], like: Lane | null = null) {
    const { account, instruments, timeframeMs } = plan
    const [{ minConfidence, minExitConfidence }] = members
    const policy = { ...plan.policy, minConfidence, minExitConfidence }
    this.#plan = plan
    this.members = members
    this.policy = policy
    this.#watch = like === null ? (watchesLoss(policy) ? new RiskWatch(policy, account.cash) : null) : (like.#watch?.copy() ?? null)
    this.#desk = new OrderDesk(plan, this.#watch, like === null ? null : like.#desk)
    this.notes = like === null ? (plan.notes ?? null) : (like.notes?.copy() ?? null)
    this.curve = like?.curve.copy() ?? new EquityCurve(account.cash)
    this.#worth = policy.calibrate === undefined ? null
      : like === null || like.#worth === null ? instruments.map(({ tickSize }) => new Recalibration(policy, account.costs, tickSize)) : like.#worth.map((one) => one.copy())
    this.awake = like?.awake ?? this.#worth !== null
    this.momentsInPosition = like?.momentsInPosition ?? 0
    this.#stopped = like === null ? null : like.#stopped
    this.#manages = policy.maxHold !== null || policy.trailingStop !== null || policy.breakEvenAt !== null
    this.#glides = !this.#manages && this.#watch === null && this.#worth === null && instruments.length === 1
    this.#context = {
      state: 'ACTIVE', policy, instrument: instruments[0], costs: account.costs, price: 0, marketAgeMs: 0,
      maxMarketAgeMs: timeframeMs, latencyMs: 0, deadlineMs: decisionDeadlineMs(timeframeMs), inPosition: false, openPositions: 0,
      exposure: 0, equity: account.cash, wantedSpend: 0, equityAtDayStart: account.cash, peakEquity: account.cash,
      consecutiveLosses: 0, candlesSinceExit: Infinity,
    }
  }

  get broker(): Broker {
    return this.#desk.broker
  }

  get portfolio(): Portfolio {
    return this.#desk.portfolio
  }

  get trail(): Trail | null {
    return this.#desk.trail
  }

  get outcomes(): OutcomeTally {
    return this.#desk.outcomes
  }

  /** A limit or a person has stopped the lane until a person resumes it. */
  get halted(): boolean {
    return this.haltedBy !== null
  }

  /** What stopped it, in words; null while it trades. */
  get haltedBy(): string | null {
    return this.#stopped ?? (this.#watch?.state === 'HALTED' ? 'the drawdown limit (maxDrawdown)' : null)
  }

  /** An order of the symbol has been sent whose outcome is not known yet. */
  awaits(symbol: string): boolean {
    return this.portfolio.holdings.some(({ instrument }, index) => instrument.symbol === symbol && this.#desk.isBusy(index))
  }

  /** No orders from here on; protection stays. `cause` tells a reader what the trail's `rule` means. */
  halt(time: EpochMs, rule: string, cause: string): void {
    if (this.#stopped !== null) return
    this.#stopped = cause
    this.trail?.line('risk', time, { rule, state: 'HALTED', equity: equity(this.portfolio) })
  }

  /** No entries from here on; what is held may be left. */
  reduce(time: EpochMs): void {
    if (this.#reducing) return
    this.#reducing = true
    this.trail?.line('risk', time, { rule: 'operator', state: this.halted ? 'HALTED' : 'REDUCING', equity: equity(this.portfolio) })
  }

  /** A person lets the lane trade again: limits that count from a peak or a streak start afresh. */
  resume(time: EpochMs): void {
    if (!this.halted && !this.#reducing) return
    this.#stopped = null
    this.#reducing = false
    this.#watch?.resume()
    this.trail?.line('risk', time, { rule: 'operator', state: this.#watch?.state ?? 'ACTIVE', equity: equity(this.portfolio) })
  }

  /** A person wants to be out of a symbol, halted or not. */
  closeFor(track: Track, time: EpochMs): Step {
    const holding = this.portfolio.holdings[track.index]
    if (this.#desk.isBusy(track.index)) {
      // Whoever asked has to hear that it was not done; an order of ours is on its way and decides first.
      this.trail?.line('risk', time, { rule: 'order-under-way', state: this.halted ? 'HALTED' : 'ACTIVE', symbol: track.symbol })
      return undefined
    }
    if (!holding.open) return undefined
    const context = this.#look(track, holding, 0)
    context.inPosition = true
    context.state = 'ACTIVE'
    context.marketAgeMs = 0
    const wanted = { ...this.#exit(track, 'operator', 0), id: track.operatorId(time), decidedAt: time }
    const approved = approve(wanted, context, null)
    if (typeof approved !== 'string') return this.#desk.send(track, approved, null, false)
    this.trail?.line('risk', time, { rule: approved, state: this.halted ? 'HALTED' : 'ACTIVE', symbol: track.symbol, order: wanted.id })
    return undefined
  }

  /** Nobody was asked about the candle: during warm-up, or because it became known too late, which is recorded. */
  unasked(track: Track): void {
    this.#worth?.[track.index].candle(track.candle)
    if (!track.missed) return
    this.outcomes.count('SKIPPED', 'missed')
    this.trail?.missed(track.snapshot)
  }

  /** Whether the lane holds the symbol. */
  holds(track: Track): boolean {
    return this.portfolio.holdings[track.index].open
  }

  /**
   * Goes through rows `from … end − 1` of a batch, whose opinions are known: asleep from one BUY or SELL to the next,
   * gliding while a position is held and no level is touched, and row by row where something can happen.
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
    if (said !== null) return this.decide(track, said)
    this.unasked(track)
    return undefined
  }

  /** Marks rows that only move the price of what is held. Returns the first row that may do more. */
  #glide(track: Track, columns: CandleColumns, row: number, until: number): number {
    const { index } = track
    const { portfolio } = this
    const holding = portfolio.holdings[index]
    const { calmLow, calmHigh } = this.#desk
    const reached = this.curve.glide(columns, row, until, calmLow[index], calmHigh[index], portfolio.cash, holding.quantity, this.#plan.timeframeMs)
    if (reached === row) return row
    holding.mark = columns.close[reached - 1]
    if (portfolio.openPositions > 0) this.momentsInPosition += reached - row
    return reached
  }

  /** A candle closed: orders meet it. */
  settle(now: EpochMs, track: Track, candle: Candle): Step {
    const step = this.#desk.settle(now, track, candle)
    if (step !== undefined) return step.then(() => this.#haltIfVoided(now))
    this.#haltIfVoided(now)
    return undefined
  }

  /** Nothing closed, but orders may have met the market. */
  async wake(now: EpochMs, track: Track): Promise<void> {
    await this.#desk.wake(now, track)
    this.#haltIfVoided(now)
  }

  /** Books that were set back are for a person to look at before anything is bought with them. */
  #haltIfVoided(now: EpochMs): void {
    if (this.#desk.takeVoided()) this.halt(now, 'reset', 'a reset of the exchange, which set the books back')
  }

  /** Marks the equity at a moment's close, once all its candles are settled. */
  mark(openTime: EpochMs): void {
    const { portfolio } = this
    const value = equity(portfolio)
    const closeTime = openTime + this.#plan.timeframeMs - 1
    this.curve.mark(closeTime, value)
    if (portfolio.openPositions > 0) this.momentsInPosition++
    this.awake = !this.broker.idle || value !== portfolio.cash || this.#worth !== null
    if (this.#watch === null) return
    const breached = this.#watch.mark(closeTime, value)
    if (breached !== null) this.trail?.line('risk', closeTime + 1, { rule: breached, state: this.#watch.state, equity: value })
  }

  /** Phases 3 and 4, the order if both agree, and then what the policy does by itself. */
  decide(track: Track, consultation: Consultation): Step {
    return this.#decide(track, this.#worth === null ? consultation : this.#weigh(track, consultation, this.#worth[track.index]))
  }

  /** The same with a confidence that is worth what it came to so far; turns stay as they were said. */
  #weigh(track: Track, consultation: Consultation, worth: Recalibration): Consultation {
    const { opinion } = consultation
    worth.candle(track.candle)
    if (opinion.action === 'HOLD') return consultation
    const confidence = worth.heard(opinion.action, opinion.confidence)
    return confidence === opinion.confidence ? consultation : { ...consultation, opinion: { ...opinion, confidence } }
  }

  #decide(track: Track, consultation: Consultation): Step {
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
    context.inPosition = order.side === 'buy' ? holding.open || this.#desk.isBusy(track.index) : this.#leavable(track, holding)
    const judged = judge(order, opinion, context, this.#judgement, trail !== null)
    const parted = this.members.length > 1 ? this.#part(track, consultation) : undefined
    this.notes?.note(track.index, order.side, track.number, typeof judged === 'string' ? judged : null)
    if (typeof judged !== 'string' && this.#plan.sends === false) {
      this.outcomes.count('SIGNAL', null)
      trail?.decided(track.snapshot, consultation, this.#judgement, { status: 'SIGNAL', reason: null, order })
      return parted
    }
    if (typeof judged !== 'string') {
      this.awake = true
      const sent = this.#desk.send(track, judged, trail?.begin(track.snapshot, consultation, this.#judgement) ?? null, true)
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
    return lane.#decide(track, consultation)
  }

  /** Lanes that parted from this one since the last call, and the row at which each has already decided. */
  takeParted(): readonly Parted[] {
    return this.#parted.length === 0 ? NOBODY : this.#parted.splice(0)
  }

  /** After the decision: the time stop, and stops that follow the price. Both act from the next candle on. */
  #manage(track: Track): Step {
    const holding = this.portfolio.holdings[track.index]
    if (this.#stopped !== null || !this.#leavable(track, holding)) return undefined
    const { maxHold } = this.policy
    if (maxHold !== null && track.number + 1 - holding.entryIndex >= maxHold) {
      const context = this.#look(track, holding, 0)
      context.inPosition = true
      const approved = approve(this.#exit(track, 'time', 0), context, null)
      // Refused only when halted or too small to sell; the next close asks again.
      return typeof approved === 'string' ? undefined : this.#desk.send(track, approved, null, false)
    }
    const resting = Number.isNaN(holding.stop) ? 0 : holding.stop
    const breakEven = breakEvenPrice(holding.entryPrice, this.#plan.account.costs)
    const { tickSize } = holding.instrument
    const wanted = raisedStop(resting, this.policy, holding.entryPrice, holding.highestHigh, breakEven, tickSize)
    if (wanted <= resting) return undefined
    holding.stop = wanted
    this.trail?.line('order', track.snapshot.time, { event: 'stop-raised', symbol: track.symbol, from: resting || null, to: wanted })
    return this.#desk.raiseStop(track, wanted)
  }

  /** The tape ends: whatever is pending is cancelled, whatever is held is sold at the last close. */
  closeAtEnd(track: Track, candle: Candle): void {
    const heldBefore = this.portfolio.openPositions > 0
    const executions = this.broker.closeAt?.(track.symbol, candle)
    if (executions === undefined) throw new Error('this broker cannot close positions at the end of a tape')
    this.#desk.book(executions, track, track.number - 1)
    // What is left as dust is worth the close, not what the sale got.
    this.portfolio.holdings[track.index].mark = candle.close
    this.curve.remark(equity(this.portfolio))
    // The last close counted as one with a position; it no longer is.
    if (heldBefore && this.portfolio.openPositions === 0) this.momentsInPosition--
  }

  #leavable(track: Track, holding: Holding): boolean {
    return holding.open && !this.#desk.isBusy(track.index)
  }

  #look(track: Track, holding: Holding, latencyMs: number): RiskContext {
    const context = this.#context
    const { portfolio } = this
    const watch = this.#watch
    const value = equity(portfolio)
    if (this.#plan.thresholds !== undefined) this.#step(this.#plan.thresholds, track.snapshot.time)
    context.instrument = holding.instrument
    context.price = track.snapshot.price
    context.latencyMs = latencyMs
    context.marketAgeMs = track.arrivedLateMs
    context.state = this.#stopped !== null ? 'HALTED' : 'ACTIVE'
    context.exitsOnly = this.#reducing
    context.equity = value
    context.openPositions = portfolio.openPositions + this.#desk.pendingEntries
    context.exposure = value - portfolio.cash + this.#desk.pendingSpend
    context.wantedSpend = this.policy.positionSize * value
    context.candlesSinceExit = holding.exitIndex < 0 ? Infinity : track.number - holding.exitIndex
    if (watch !== null) {
      watch.roll(track.snapshot.time)
      if (this.#stopped === null) context.state = watch.state
      context.equityAtDayStart = watch.equityAtDayStart
      context.peakEquity = watch.peakEquity
      context.consecutiveLosses = watch.consecutiveLosses
    }
    return context
  }

  /** Takes the thresholds that are in force at a time. */
  #step(steps: readonly ThresholdStep[], time: EpochMs): void {
    while (this.#steps < steps.length && steps[this.#steps].from <= time) {
      const { minConfidence, minExitConfidence } = steps[this.#steps++]
      this.#context.policy = { ...this.policy, minConfidence, minExitConfidence }
    }
  }

  #entry(track: Track, latencyMs: number): EntryOrder {
    return {
      id: track.orderId('entry'),
      symbol: track.symbol,
      side: 'buy',
      spend: Math.max(0, Math.min(this.#context.wantedSpend, this.portfolio.cash - this.#desk.pendingSpend)),
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
}
