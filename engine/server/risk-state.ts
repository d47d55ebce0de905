import { DAY_MS } from '../core/time.ts'
import type { PastLine } from '../ports.ts'

export interface Risk {
  readonly state: 'RUNNING' | 'REDUCING' | 'HALTED'
  readonly reason: string | null
  readonly since: string | null
}

const RUNNING: Risk = { state: 'RUNNING', reason: null, since: null }

/** Whether a run may trade, and who or what said so, from the risk and operator lines of its trail. */
export class RiskState {
  #now = RUNNING
  /** What a person said last: risk lines name only that it was one. */
  #saidReason: string | null = null

  /** Takes an operator line. */
  said({ reason }: PastLine): void {
    this.#saidReason = typeof reason === 'string' ? reason : null
  }

  /** Takes a risk line. False for those with an order or a symbol: they refuse one wish, and the state stood before. */
  see({ rule, state, order, symbol, timestamp: since }: PastLine): boolean {
    if (order !== undefined || symbol !== undefined) return false
    const reason = rule === 'operator' ? (this.#saidReason ?? 'a person') : String(rule)
    this.#now = state === 'ACTIVE' ? { ...RUNNING, since } : { state: state === 'HALTED' ? 'HALTED' : 'REDUCING', reason, since }
    return true
  }

  /** As of `time`, an ISO time: what a loss limit stopped goes on with the next UTC day, of which the trail says nothing. */
  at(time: string | null): Risk {
    const { state, since, reason } = this.#now
    if (state !== 'REDUCING' || reason !== 'max-daily-loss' || since === null || time === null) return this.#now
    const day = (iso: string): number => Math.floor((Date.parse(iso) - 1) / DAY_MS)
    return day(time) > day(since) ? RUNNING : this.#now
  }
}
