import { hashUniform } from '../../engine/core/random.ts'
import type { EpochMs } from '../../engine/core/time.ts'
import type { FaultKind, FaultPlan, FaultRule } from './faults.ts'

/** A fault that struck. */
export interface Strike {
  readonly value: number | undefined
  /** In [0, 1), for what the fault leaves to chance. */
  readonly draw: number
}
export type Strikes = ReadonlyMap<FaultKind, Strike>

/** What a rule may match. */
export interface Occasion {
  /** `POST /order`. */
  readonly name: string
  /** The request places a market order. */
  readonly market: boolean
}

const NO_STRIKES: Strikes = new Map()
const CANDLE_FAULTS: readonly FaultKind[] = ['stale-candles', 'missing-candle', 'revised-candle']

/** Faults that can only strike where they mean something; the others strike anywhere. */
function concerns(fault: FaultKind, { name, market }: Occasion): boolean {
  if (fault === 'partial-fill' || fault === 'expired') return market
  if (fault === 'partial-leg') return name === 'TARGET'
  if (name === 'TARGET') return false
  if (fault === 'duplicate') return /^POST \/order(List\/oco|\/cancelReplace)?$/.test(name)
  return CANDLE_FAULTS.includes(fault) ? name === 'GET /klines' : true
}

/** Decides when faults strike: by the plan's seed and the count of matching requests, so that it can be told where it was. */
export class Misfortune {
  readonly #seed: number
  readonly #rules: readonly FaultRule[]
  #counts: number[]

  constructor({ seed = 1, rules }: FaultPlan) {
    this.#seed = seed
    this.#rules = rules
    this.#counts = rules.map(() => 0)
  }

  /** Matching requests so far, by rule. */
  get counts(): readonly number[] {
    return this.#counts
  }

  /** Goes on from where another one was, where the plan still has as many rules. */
  resume(counts: readonly number[]): void {
    if (counts.length === this.#rules.length) this.#counts = [...counts]
  }

  strikes(occasion: Occasion, now: EpochMs): Strikes {
    if (this.#rules.length === 0) return NO_STRIKES
    const strikes = new Map<FaultKind, Strike>()
    this.#rules.forEach((rule, index) => {
      if (!concerns(rule.fault, occasion) || !inTime(rule, now)) return
      if (rule.on !== undefined && !`${occasion.name} `.includes(rule.on)) return
      const count = ++this.#counts[index]
      if (this.#hits(rule, index, count)) strikes.set(rule.fault, { value: rule.value, draw: hashUniform(this.#seed, count, 2 * index + 1) })
    })
    return strikes
  }

  /** The share of a target that fills when a candle hits it. */
  targetShare(now: EpochMs): number {
    const strike = this.strikes({ name: 'TARGET', market: false }, now).get('partial-leg')
    return strike === undefined ? 1 : strike.value ?? 0.5
  }

  /** A rule says that every market order of this time expires. */
  emptyBook(now: EpochMs): boolean {
    return this.#rules.some((rule) => rule.fault === 'expired' && rule.at === undefined && (rule.rate ?? 1) === 1 && inTime(rule, now))
  }

  #hits({ fault, rate, at }: FaultRule, index: number, count: number): boolean {
    if (at !== undefined) return at.includes(count)
    if (rate !== undefined) return hashUniform(this.#seed, count, 2 * index) < rate
    return fault === 'reset' ? count === 1 : true
  }
}

const inTime = ({ from = -Infinity, to = Infinity }: FaultRule, now: EpochMs): boolean => now >= from && now < to
