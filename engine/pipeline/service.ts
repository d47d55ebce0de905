import { messageOf } from '../errors.ts'
import { ProviderFailure } from '../core/provider-failure.ts'
import type { EpochMs } from '../core/time.ts'
import type { Answer, Clock, Conversation, DecisionProvider } from '../ports.ts'
import type { Budget } from './budget.ts'
import { NO_USAGE, type Failure, type Reply, type Skip, type Usage } from './consultation.ts'
import {
  charged, failed, isProbe, isWorthRetrying, NEW_SERVICE, refusal, succeeded, type HealthBook, type ServiceHealth,
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
  /** As it was told last; null before anything was. */
  #told: ServiceHealth | null = null

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
    this.#tellOthers(health)
    const refused = refusal(health, clock.now())
    if (refused !== null) return refused
    // One question finds out whether it is back; nobody else waits for the same.
    if (isProbe(health) && this.#probing) return health.state === 'DISABLED' ? 'disabled' : 'cooling'
    return budget.allows(this.provider, conversation, clock.now()) ? null : 'budget'
  }

  /** The newest question, with retries where they are worth while, not beyond `deadline`. Rejects only when `signal` aborts. */
  async ask(conversation: Conversation, deadline: EpochMs, signal: AbortSignal): Promise<Reply> {
    const { book, budget, clock } = this.#plan
    const begun = clock.now()
    // Kept through pauses and until the book knows the cost: nobody else may spend what this question still can.
    const release = budget.reserve(this.provider, conversation)
    const probes = isProbe(book.read(this.name))
    if (probes) this.#probing = true
    let usage = NO_USAGE
    try {
      for (let attempts = 1; ; attempts++) {
        const outcome = await this.#attempt(conversation, deadline, signal)
        const now = clock.now()
        usage = this.#usage(outcome, conversation)
        // A stand-in tells how long it would have taken.
        const latencyMs = Math.ceil(Math.max(now - begun, outcome instanceof ProviderFailure ? 0 : amount(outcome.latencyMs)))
        if (!(outcome instanceof ProviderFailure)) {
          this.#note((health) => succeeded(health, now, { ...usage, latencyMs }, begun))
          return { answer: outcome, failure: null, latencyMs, attempts, usage }
        }
        const { kind, retryAfterMs } = outcome
        const pause = this.#pause(attempts, retryAfterMs)
        // What was paid for is not asked again: one question's worst case is reserved, not two.
        const again = attempts < ATTEMPTS && isWorthRetrying(kind, retryAfterMs) && now + pause < deadline && !probes && usage.costUsd === 0
        if (!again) {
          this.#note((health) => failed(charged(health, now, usage), now, outcome, begun))
          return { answer: null, failure: failureOf(outcome), latencyMs, attempts, usage }
        }
        await clock.sleep(pause, signal)
      }
    } finally {
      release(usage.costUsd)
      if (probes) this.#probing = false
    }
  }

  /** One request. A provider that does not listen to signals is not waited for. */
  async #attempt(conversation: Conversation, deadline: EpochMs, signal: AbortSignal): Promise<Answer | ProviderFailure> {
    signal.throwIfAborted()
    const { clock } = this.#plan
    const own = new AbortController()
    const over = new AbortController()
    const left = deadline - clock.now()
    if (left <= 0) return new ProviderFailure('timeout', 'no time was left before the decision\'s deadline')
    const timer = clock.sleep(left, own.signal).then(() => over.abort(), () => {})
    const stop = AbortSignal.any([signal, over.signal])
    let leave = (): void => {}
    const stopped = new Promise<never>((_, reject) => { leave = () => reject(stop.reason as Error) })
    stopped.catch(() => {})
    stop.addEventListener('abort', leave)
    try {
      return this.#redactedAnswer(await Promise.race([this.provider.answer(conversation, stop), stopped]))
    } catch (error) {
      signal.throwIfAborted()
      if (over.signal.aborted) return new ProviderFailure('timeout', 'no answer before the decision\'s deadline', { cause: error })
      return this.#redacted(error)
    } finally {
      stop.removeEventListener('abort', leave)
      own.abort()
      await timer
    }
  }

  #redactedAnswer(answer: Answer): Answer {
    const { redact } = this.#plan
    return Object.fromEntries(Object.entries(answer).map(([name, value]) => [name, typeof value === 'string' ? redact(value) : value])) as unknown as Answer
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

  /** A service that has answered wants to be paid, whether it says how much or not: silence may not outwit a budget. */
  #usage(outcome: Answer | ProviderFailure, conversation: Conversation): Usage {
    const { usage } = outcome
    if (usage === undefined || usage === null) {
      const answered = !(outcome instanceof ProviderFailure) || outcome.status === 200 || outcome.answer !== null
      return answered ? this.#plan.budget.worstUsage(this.provider, conversation) : NO_USAGE
    }
    const [inputTokens, outputTokens] = [amount(usage.inputTokens), amount(usage.outputTokens)]
    return { inputTokens, outputTokens, costUsd: this.#plan.budget.cost(this.provider, inputTokens, outputTokens) }
  }

  /** Full jitter: anything up to a bound that doubles; what the server asks for is the least. */
  #pause(attempts: number, hint: number | null): number {
    const bound = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (attempts - 1))
    return (hint ?? 0) + Math.ceil(this.#plan.random() * bound)
  }

  #note(change: (health: ServiceHealth) => ServiceHealth): void {
    let before = NEW_SERVICE
    const after = this.#plan.book.update(this.name, (health) => change(before = health))
    // From here on only a person can enable it: that is news also of one that was disabled before.
    const shut = after.state === 'DISABLED' && after.until === null && before.until !== null
    this.#told = after
    if (after.state !== before.state || shut) this.#plan.changed(this.name, after)
  }

  /** A person, or another process, has spoken since. */
  #tellOthers(health: ServiceHealth): void {
    if (this.#told !== null && health.state !== this.#told.state) this.#plan.changed(this.name, health)
    this.#told = health
  }
}

/** Beyond it nothing is counted, neither tokens nor ms: sums of such amounts could not be told in JSON. */
const MOST = 1e12
/** What a plugin counts, where it is an amount: nothing else may get into the book. */
const amount = (value: number | undefined): number => (value !== undefined && value >= 0 && value <= MOST ? value : 0)

const failureOf = ({ kind, message, status, retryAfterMs, headers, body, answer }: ProviderFailure): Failure =>
  ({ kind, message, status, retryAfterMs, headers, body, answer })
