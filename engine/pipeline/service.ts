import { messageOf } from '../errors.ts'
import { ProviderFailure } from '../core/provider-failure.ts'
import type { EpochMs } from '../core/time.ts'
import type { Answer, Clock, Conversation, DecisionProvider } from '../ports.ts'
import type { Budget } from './budget.ts'
import { NO_USAGE, type Failure, type Reply, type Skip, type Usage } from './consultation.ts'
import {
  charged, failed, isProbe, isWorthRetrying, refusal, succeeded, type HealthBook, type ServiceHealth,
} from './provider-health.ts'

const ATTEMPTS = 3
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 8_000

export interface ServicePlan {
  readonly name: string
  readonly provider: DecisionProvider
  readonly book: HealthBook
  readonly budget: Budget
  /** Time of the network, which is the machine's own also where the market's is simulated. */
  readonly clock: Clock
  /** Uniform in [0, 1), for pauses. */
  readonly random: () => number
  /** Strikes out secrets: what services say, of failures above all, is kept and shown in many places. */
  readonly redact: (text: string) => string
  /** Told of every change of state. */
  readonly changed: (service: string, health: ServiceHealth) => void
}

/** One AI service: asked with patience, left alone when it is down, never asked for more than the budget has. */
export class Service {
  readonly name: string
  readonly provider: DecisionProvider
  readonly #plan: ServicePlan
  #probing = false

  constructor(plan: ServicePlan) {
    this.name = plan.name
    this.provider = plan.provider
    this.#plan = plan
  }

  /** Why it may not be asked this, or null. */
  refusal(conversation: Conversation): Skip | null {
    const { book, budget, clock } = this.#plan
    if (this.provider.lacks !== undefined) return 'no-key'
    const health = book.read(this.name)
    const refused = refusal(health, clock.now())
    if (refused !== null) return refused
    // One question finds out whether it is back; nobody else waits for the same.
    if (isProbe(health) && this.#probing) return health.state === 'DISABLED' ? 'disabled' : 'cooling'
    return budget.allows(this.provider, conversation, clock.now()) ? null : 'budget'
  }

  /** The newest question, with retries where they are worth while, not beyond `deadline`. Rejects only when `signal` aborts. */
  async ask(conversation: Conversation, deadline: EpochMs, signal: AbortSignal): Promise<Reply> {
    const { book, clock } = this.#plan
    const begun = clock.now()
    const before = book.read(this.name)
    if (isProbe(before)) this.#probing = true
    try {
      for (let attempts = 1; ; attempts++) {
        const outcome = await this.#attempt(conversation, deadline, signal)
        const now = clock.now()
        // A stand-in tells how long it would have taken.
        const latencyMs = Math.ceil(Math.max(now - begun, outcome instanceof ProviderFailure ? 0 : outcome.latencyMs ?? 0))
        if (!(outcome instanceof ProviderFailure)) {
          const usage = this.#usage(outcome.usage)
          this.#note(before, (health) => succeeded(health, now, { ...usage, latencyMs }))
          return { answer: outcome, failure: null, latencyMs, attempts, usage }
        }
        const { kind, retryAfterMs } = outcome
        const pause = this.#pause(attempts, retryAfterMs)
        const again = attempts < ATTEMPTS && isWorthRetrying(kind, retryAfterMs) && now + pause < deadline && !isProbe(before)
        if (!again) {
          const usage = this.#usage(outcome.usage)
          this.#note(before, (health) => failed(charged(health, now, usage), now, outcome))
          return { answer: null, failure: failureOf(outcome), latencyMs, attempts, usage }
        }
        await clock.sleep(pause, signal)
        signal.throwIfAborted()
      }
    } finally {
      this.#probing = false
    }
  }

  /** One request, whose worst case is reserved before it leaves. */
  async #attempt(conversation: Conversation, deadline: EpochMs, signal: AbortSignal): Promise<Answer | ProviderFailure> {
    const { clock, budget } = this.#plan
    const own = new AbortController()
    const over = new AbortController()
    const left = deadline - clock.now()
    if (left <= 0) return new ProviderFailure('timeout', 'no time was left before the decision\'s deadline')
    const release = budget.reserve(this.provider, conversation)
    const timer = clock.sleep(left, own.signal).then(() => over.abort(), () => {})
    let spent = 0
    try {
      const answer = await this.provider.answer(conversation, AbortSignal.any([signal, over.signal]))
      spent = this.#usage(answer.usage).costUsd
      const { redact } = this.#plan
      return typeof answer.reasoning !== 'string' ? answer
        : { ...answer, reasoning: redact(answer.reasoning), ...(answer.raw === undefined ? {} : { raw: redact(answer.raw) }) }
    } catch (error) {
      signal.throwIfAborted()
      if (over.signal.aborted) return new ProviderFailure('timeout', 'no answer before the decision\'s deadline', { cause: error })
      const failure = this.#redacted(error)
      spent = this.#usage(failure.usage).costUsd
      return failure
    } finally {
      release(spent)
      own.abort()
      await timer
    }
  }

  /** Without its cause, which may hold what must not be told. */
  #redacted(error: unknown): ProviderFailure {
    const { redact } = this.#plan
    if (!(error instanceof ProviderFailure)) return new ProviderFailure('error', redact(messageOf(error)))
    const { kind, message, headers, body, answer, ...facts } = error
    return new ProviderFailure(kind, redact(message), {
      ...facts, body: body === null ? null : redact(body), answer: answer === null ? null : redact(answer),
      headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, redact(value)])),
    })
  }

  #usage(usage: Answer['usage'] | null): Usage {
    if (usage === undefined || usage === null) return NO_USAGE
    const { inputTokens, outputTokens } = usage
    return { inputTokens, outputTokens, costUsd: this.#plan.budget.cost(this.provider, inputTokens, outputTokens) }
  }

  /** Full jitter: anything up to a bound that doubles; what the server asks for is the least. */
  #pause(attempts: number, hint: number | null): number {
    const bound = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (attempts - 1))
    return (hint ?? 0) + Math.ceil(this.#plan.random() * bound)
  }

  #note(before: ServiceHealth, change: (health: ServiceHealth) => ServiceHealth): void {
    const after = this.#plan.book.update(this.name, change)
    if (after.state !== before.state) this.#plan.changed(this.name, after)
  }
}

const failureOf = ({ kind, message, status, retryAfterMs, headers, body, answer }: ProviderFailure): Failure =>
  ({ kind, message, status, retryAfterMs, headers, body, answer })
