import type { Candle } from './candle.ts'
import { armPair, FILL_MODELS, matchPair, type Costs, type ProtectivePair } from './matching.ts'
import type { Action } from './opinion.ts'
import type { Policy } from './policy.ts'
import { isotonicFit, recalibrate, type Isotonic } from './statistics/isotonic.ts'

/** What was foretold and is not decided yet. */
interface Foretold {
  readonly action: Action
  readonly confidence: number
  readonly pair: ProtectivePair
  /** Candles since the open at which its bet began; −1 until then. */
  age: number
}

/** A new fit is worth its time when this share of outcomes is new. */
const REFIT = 1.05

/**
 * What confidence has been worth so far: for every BUY and SELL of one symbol the event that it foretold is watched, from the next
 * open on, with the policy's pair and horizon (stop first where a candle touches both). Once `need` outcomes are resolved,
 * confidences are replaced by the share of events that came at such a confidence (isotonic). Only outcomes that lie in the past
 * of a decision are ever used.
 */
export class Recalibration {
  readonly #policy: Policy
  readonly #costs: Costs
  readonly #tickSize: number
  readonly #need: number
  #open: Foretold[] = []
  readonly #p: number[] = []
  readonly #y: number[] = []
  #fit: Isotonic | null = null
  #fitted = 0

  constructor(policy: Policy, costs: Costs, tickSize: number, like: Recalibration | null = null) {
    this.#policy = policy
    this.#costs = costs
    this.#tickSize = tickSize
    this.#need = policy.calibrate ?? Infinity
    if (like === null) return
    this.#open = like.#open.map((one) => ({ ...one, pair: { ...one.pair } }))
    this.#p.push(...like.#p)
    this.#y.push(...like.#y)
    this.#fit = like.#fit
    this.#fitted = like.#fitted
  }

  copy(): Recalibration {
    return new Recalibration(this.#policy, this.#costs, this.#tickSize, this)
  }

  /** A candle has closed: what it decides is decided. To be told of every candle, before what is said about it. */
  candle(candle: Candle): void {
    let kept = 0
    for (const one of this.#open) if (!this.#decide(one, candle)) this.#open[kept++] = one
    this.#open.length = kept
  }

  /** What a confidence is worth by now, and a promise to watch what becomes of it. Unchanged until enough is known. */
  heard(action: Action, confidence: number): number {
    this.#open.push({ action, confidence, pair: { stop: 0, target: Infinity, raised: false }, age: -1 })
    if (this.#p.length < this.#need) return confidence
    if (this.#fit === null || this.#p.length >= this.#fitted * REFIT) {
      this.#fit = isotonicFit(this.#p, this.#y)
      this.#fitted = this.#p.length
    }
    return recalibrate(this.#fit, confidence)
  }

  /** True when it is over: the event came, the other did, or the horizon passed, which says nothing about either. */
  #decide(one: Foretold, candle: Candle): boolean {
    const { maxHold } = this.#policy
    one.age++
    if (one.age === 0) armPair(one.pair, candle.open * (1 + this.#costs.slippageBps / 10_000), this.#policy, this.#tickSize)
    const hit = matchPair(one.pair, candle, FILL_MODELS.conservative, one.age === 0)
    if (hit === null) return maxHold !== null && one.age + 1 >= maxHold
    const first = hit.reason === 'target' || hit.reason === 'target_gap' ? 'BUY' : 'SELL'
    this.#p.push(one.confidence)
    this.#y.push(one.action === first ? 1 : 0)
    return true
  }
}

