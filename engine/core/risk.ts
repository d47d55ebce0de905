import { floorToLot, type Instrument } from './instrument.ts'
import type { Costs } from './matching.ts'
import type { Approved, EntryOrder, Order } from './order.ts'
import type { Policy } from './policy.ts'
import type { EpochMs } from './time.ts'
import { DAY_MS } from './time.ts'

/** What the lane may do: everything, exits only, or nothing (protection stays). */
export type TradingState = 'ACTIVE' | 'REDUCING' | 'HALTED'

/** What the rules look at. One object per lane, filled anew for each proposed order. */
export interface RiskContext {
  state: TradingState
  /** A person wants no new entries. Left out = false. */
  exitsOnly?: boolean
  policy: Policy
  instrument: Instrument
  costs: Costs
  /** Newest close, quote per base. */
  price: number
  /** Age of the newest close, and how old it may be. */
  marketAgeMs: number
  maxMarketAgeMs: number
  latencyMs: number
  deadlineMs: number
  inPosition: boolean
  /** Positions and pending entries, all symbols. */
  openPositions: number
  /** Quote in positions and pending entries, all symbols. */
  exposure: number
  equity: number
  /** Spend that the policy asks for, before cash limits it. */
  wantedSpend: number
  equityAtDayStart: number
  peakEquity: number
  consecutiveLosses: number
  /** Candles since the symbol's last position ended; Infinity before the first. */
  candlesSinceExit: number
}

interface RiskRule {
  readonly name: string
  /** The rule can refuse an exit too. Everything else refuses entries only: leaving must stay possible. */
  readonly exits: boolean
  readonly passes: (order: Order, context: RiskContext) => boolean
}

const entryRule = (name: string, passes: (order: EntryOrder, context: RiskContext) => boolean): RiskRule => ({
  name,
  exits: false,
  passes: (order, context) => order.side === 'sell' || passes(order, context),
})

const lots = (order: Order, { price, instrument }: RiskContext): number =>
  floorToLot(order.side === 'buy' ? order.spend / price : order.quantity, instrument.lotSize)

/** Binary noise in products of fractions must not refuse what is exactly at a limit. */
const within = (value: number, limit: number): boolean => value <= limit * (1 + 1e-12)

/** The lowest price at which the entry's protection may have to sell. */
const lowestLeg = ({ protection: { stopLoss, takeProfit } }: EntryOrder, price: number): number =>
  stopLoss !== null ? price * (1 - stopLoss) : takeProfit !== null ? price * (1 + takeProfit) : price

/** Phase 3's rules, in the order in which they are asked and recorded. The first that fails is the reason. */
export const RISK_RULES: readonly RiskRule[] = [
  { name: 'halted', exits: true, passes: ({ side }, { state, exitsOnly = false }) => state !== 'HALTED' && !(exitsOnly && side === 'buy') },
  { name: 'stale-market', exits: true, passes: (_, { marketAgeMs, maxMarketAgeMs }) => marketAgeMs <= maxMarketAgeMs },
  entryRule('late', (_, { latencyMs, deadlineMs }) => latencyMs <= deadlineMs),
  { name: 'no-position', exits: true, passes: ({ side }, { inPosition }) => side === 'buy' || inPosition },
  entryRule('already-in-position', (_, { inPosition }) => !inPosition),
  entryRule('max-open-positions', (_, { policy, openPositions }) =>
    policy.maxOpenPositions === null || openPositions < policy.maxOpenPositions),
  entryRule('max-exposure', ({ spend }, { policy, exposure, equity }) =>
    policy.maxExposure === null || within(exposure + spend, policy.maxExposure * equity)),
  entryRule('position-too-large', ({ spend }, { policy, equity }) =>
    policy.maxPositionSize === null || within(spend, policy.maxPositionSize * equity)),
  entryRule('stop-loss-missing', ({ protection }, { policy }) => policy.stopLoss === null || protection.stopLoss !== null),
  entryRule('stop-loss-side', ({ protection: { stopLoss } }) => stopLoss === null || (stopLoss > 0 && stopLoss < 1)),
  entryRule('take-profit-side', ({ protection: { takeProfit } }) => takeProfit === null || takeProfit > 0),
  entryRule('insufficient-cash', ({ spend }, { wantedSpend, instrument }) =>
    spend > 0 && (spend >= wantedSpend || spend >= instrument.minNotional)),
  { name: 'below-lot', exits: true, passes: (order, context) => lots(order, context) > 0 },
  { name: 'below-min-notional', exits: true, passes: (order, context) =>
    lots(order, context) * context.price >= context.instrument.minNotional },
  entryRule('exit-below-min-notional', (order, context) => {
    const { instrument, costs, price } = context
    if (instrument.minNotional === 0 && instrument.lotSize === 0) return true
    const kept = lots(order, context) * (costs.feeAsset === 'received' ? 1 - costs.taker : 1)
    const sold = floorToLot(kept, instrument.lotSize)
    return sold > 0 && sold * lowestLeg(order, price) >= instrument.minNotional
  }),
  entryRule('max-daily-loss', (_, { state, policy, equity, equityAtDayStart }) =>
    state !== 'REDUCING' && !lossReached(equity, equityAtDayStart, policy.maxDailyLoss)),
  entryRule('max-drawdown', (_, { policy, equity, peakEquity }) => !lossReached(equity, peakEquity, policy.maxDrawdown)),
  entryRule('consecutive-losses', (_, { policy, consecutiveLosses }) =>
    policy.maxConsecutiveLosses === null || consecutiveLosses < policy.maxConsecutiveLosses),
  entryRule('cooldown', (_, { policy, candlesSinceExit }) =>
    policy.cooldown === null || candlesSinceExit >= policy.cooldown),
]

const lossReached = (equity: number, reference: number, limit: number | null): boolean =>
  limit !== null && equity <= reference * (1 - limit)

/**
 * Phase 3. Returns the name of the first rule that fails, or null. With `checks` every rule runs and writes 1 (passed),
 * 0 (failed) or 2 (does not concern an exit) at its index; without, nobody would read the rest.
 */
export function firstRefusal(order: Order, context: RiskContext, checks: Uint8Array | null): string | null {
  let refusal: string | null = null
  for (let index = 0; index < RISK_RULES.length; index++) {
    const rule = RISK_RULES[index]
    if (order.side === 'sell' && !rule.exits) {
      if (checks !== null) checks[index] = 2
      continue
    }
    const passed = rule.passes(order, context)
    if (checks !== null) checks[index] = passed ? 1 : 0
    if (!passed && refusal === null) {
      refusal = rule.name
      if (checks === null) break
    }
  }
  return refusal
}

/** The only place that makes an approved order. Otherwise the name of the rule that refuses it. */
export function approve<T extends Order>(order: T, context: RiskContext, checks: Uint8Array | null): Approved<T> | string {
  return firstRefusal(order, context, checks) ?? (order as Approved<T>)
}

/** All that the watch remembers, in one object, so that a copy cannot forget a part. */
interface WatchState {
  state: TradingState
  equityAtDayStart: number
  peakEquity: number
  consecutiveLosses: number
  day: number
  equity: number
}

/** Limits that depend on what was, watched at every mark of a lane whose policy sets one ({@link watchesLoss}). */
export class RiskWatch {
  readonly #policy: Policy
  readonly #now: WatchState

  constructor(policy: Policy, startEquity: number, like: WatchState | null = null) {
    this.#policy = policy
    this.#now = like === null
      ? { state: 'ACTIVE', equityAtDayStart: startEquity, peakEquity: startEquity, consecutiveLosses: 0, day: -1, equity: startEquity }
      : { ...like }
  }

  copy(): RiskWatch {
    return new RiskWatch(this.#policy, this.#now.equity, this.#now)
  }

  get state(): TradingState {
    return this.#now.state
  }

  get equityAtDayStart(): number {
    return this.#now.equityAtDayStart
  }

  get peakEquity(): number {
    return this.#now.peakEquity
  }

  get consecutiveLosses(): number {
    return this.#now.consecutiveLosses
  }

  /** Begins a new UTC day when `time` lies in one: the last equity becomes the day's base, and what a limit stopped goes on. */
  roll(time: EpochMs): void {
    const now = this.#now
    const day = Math.floor(time / DAY_MS)
    if (day === now.day) return
    now.day = day
    now.equityAtDayStart = now.equity
    const { maxConsecutiveLosses } = this.#policy
    if (maxConsecutiveLosses !== null && now.consecutiveLosses >= maxConsecutiveLosses) now.consecutiveLosses = 0
    if (now.state === 'REDUCING') now.state = 'ACTIVE'
  }

  /** Takes the equity at a candle's close; returns the rule that changed the state, or null. */
  mark(closeTime: EpochMs, equity: number): string | null {
    this.roll(closeTime)
    const now = this.#now
    now.equity = equity
    if (equity > now.peakEquity) now.peakEquity = equity
    if (now.state === 'HALTED') return null
    if (lossReached(equity, now.peakEquity, this.#policy.maxDrawdown)) {
      now.state = 'HALTED'
      return 'max-drawdown'
    }
    if (now.state === 'ACTIVE' && lossReached(equity, now.equityAtDayStart, this.#policy.maxDailyLoss)) {
      now.state = 'REDUCING'
      return 'max-daily-loss'
    }
    return null
  }

  /** A person resumes: drawdown and losses in a row count from here. */
  resume(): void {
    const now = this.#now
    now.state = 'ACTIVE'
    now.peakEquity = now.equity
    now.consecutiveLosses = 0
  }

  traded(pnl: number): void {
    this.#now.consecutiveLosses = pnl < 0 ? this.#now.consecutiveLosses + 1 : 0
  }
}

/**
 * Whether a policy sets a limit that needs the watch. A new limit that does belongs into this list: lanes without any
 * are not watched at all.
 */
export const watchesLoss = ({ maxDailyLoss, maxDrawdown, maxConsecutiveLosses }: Policy): boolean =>
  maxDailyLoss !== null || maxDrawdown !== null || maxConsecutiveLosses !== null
