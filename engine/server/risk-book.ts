import { DAY_MS } from '../core/time.ts'
import type { PastLine } from '../ports.ts'

export interface Risk {
  readonly state: 'RUNNING' | 'REDUCING' | 'HALTED'
  readonly reason: string | null
  readonly since: string | null
}

const RUNNING: Risk = { state: 'RUNNING', reason: null, since: null }
/** Limits of the policy; whatever else stops a run waits for a person. */
const LIMITS = new Set(['max-daily-loss', 'max-drawdown'])

/** Whether a run may trade, as the risk and operator lines of its trail tell. */
export class RiskBook {
  #act: string | null = null
  #words: string | null = null
  /** By a limit of the policy. */
  #limit = RUNNING
  /** By a person, or a reset of the exchange: no new day lifts it. */
  #held: Risk | null = null

  /** A person has spoken; what comes of it is told by the risk line behind. */
  operator({ act, reason }: PastLine): void {
    this.#act = String(act)
    this.#words = typeof reason === 'string' ? reason : null
  }

  /** Returns whether the line is about the state: those with an order or a symbol refuse one wish. */
  see({ order, symbol, rule, state, timestamp: since }: PastLine): boolean {
    if (order !== undefined || symbol !== undefined) return false
    const stopped = state === 'HALTED' || state === 'REDUCING' ? state : null
    if (stopped === null || (rule === 'operator' && this.#act === 'resume')) {
      // A day that has lost too much stays one.
      this.#limit = stopped === null ? { ...RUNNING, since } : { state: stopped, reason: 'max-daily-loss', since }
      this.#held = null
    } else if (LIMITS.has(String(rule))) this.#limit = { state: stopped, reason: String(rule), since }
    else this.#held = { state: stopped, reason: rule === 'operator' ? (this.#words ?? 'a person') : String(rule), since }
    return true
  }

  /** `newest` is the time of the newest line: a loss limit ends with its UTC day, of which the trail says nothing. */
  at(newest: string | null): Risk {
    const { state, since } = this.#limit
    const day = (iso: string): number => Math.floor((Date.parse(iso) - 1) / DAY_MS)
    const over = state === 'REDUCING' && since !== null && newest !== null && day(newest) > day(since)
    const limit = over ? RUNNING : this.#limit
    return this.#held !== null && (this.#held.state === 'HALTED' || limit.state !== 'HALTED') ? this.#held : limit
  }
}
