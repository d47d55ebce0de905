import type { Status } from '../core/opinion.ts'
import { hasAnswered, type Consultation } from '../pipeline/consultation.ts'

/** What providers said: shared by lanes that share opinions. */
export class OpinionTally {
  held = 0
  total = 0
  /** Answers per position in the chain. */
  readonly byLink: Float64Array
  /** Decisions at which an AI was to be asked, those that one answered, and what all answers cost in USD. */
  asked = 0
  answered = 0
  /** Of those answered, how many ended with another action than they began with. */
  flipped = 0
  costUsd = 0

  readonly #latencies: number[] = []

  constructor(links: number) {
    this.byLink = new Float64Array(links)
  }

  count({ link, opinion, latencyMs, steps, usage }: Consultation): void {
    this.total++
    if (steps.length > 0) {
      this.asked++
      this.costUsd += usage.costUsd
      const { turns } = steps[steps.length - 1]
      if (hasAnswered(steps[steps.length - 1])) {
        this.answered++
        if (turns[0].action !== opinion.action) this.flipped++
      }
    }
    this.byLink[link]++
    if (opinion.action === 'HOLD') this.held++
    // Rules take no time, so only what was waited for is kept.
    if (latencyMs > 0) this.#latencies.push(latencyMs)
  }

  /** 95th percentile of the answers that took time, in ms (nearest rank); null when none did. */
  latencyP95(): number | null {
    const sorted = this.#latencies.toSorted((a, b) => a - b)
    return sorted.length === 0 ? null : sorted[Math.ceil(0.95 * sorted.length) - 1]
  }
}

/** What became of one lane's decisions other than HOLD. */
export class OutcomeTally {
  readonly #status = new Map<Status, Counter>()
  readonly #reason = new Map<string, Counter>()
  // Refusals come in rows of the same kind, and a sweep counts hundreds of millions.
  #newestStatus: Status | null = null
  #newestReason: string | null = null
  #statusCounter: Counter = { count: 0 }
  #reasonCounter: Counter = { count: 0 }

  copy(): OutcomeTally {
    const copy = new OutcomeTally()
    for (const [status, { count }] of this.#status) copy.#status.set(status, { count })
    for (const [reason, { count }] of this.#reason) copy.#reason.set(reason, { count })
    return copy
  }

  count(status: Status, reason: string | null): void {
    if (status !== this.#newestStatus) {
      this.#newestStatus = status
      this.#statusCounter = counterOf(this.#status, status)
    }
    this.#statusCounter.count++
    if (reason === null) return
    if (reason !== this.#newestReason) {
      this.#newestReason = reason
      this.#reasonCounter = counterOf(this.#reason, reason)
    }
    this.#reasonCounter.count++
  }

  /** Counts by status and by reason, each in the order of its names. */
  totals(): { readonly byStatus: readonly (readonly [Status, number])[]; readonly byReason: readonly (readonly [string, number])[] } {
    const sorted = <K extends string>(counters: Map<K, Counter>): [K, number][] =>
      [...counters].map(([key, { count }]): [K, number] => [key, count]).sort(([a], [b]) => (a < b ? -1 : 1))
    return { byStatus: sorted(this.#status), byReason: sorted(this.#reason) }
  }
}

interface Counter {
  count: number
}

function counterOf<K>(counters: Map<K, Counter>, key: K): Counter {
  const known = counters.get(key)
  if (known !== undefined) return known
  const fresh = { count: 0 }
  counters.set(key, fresh)
  return fresh
}
