import { costOf, type ModelFacts } from '../core/models.ts'
import type { EpochMs } from '../core/time.ts'
import type { Conversation, DecisionProvider } from '../ports.ts'
import { NO_USAGE, type Usage } from './consultation.ts'
import type { HealthBook } from './provider-health.ts'

export interface BudgetPlan {
  /** Most that a run may spend, in USD; null = no bound. */
  readonly run: number | null
  /** Most that all runs together may spend on a UTC day, in USD; null = no bound. */
  readonly day: number | null
  /** null for a model whose price is not known. */
  readonly priceOf: (provider: DecisionProvider) => Pick<ModelFacts, 'input' | 'output'> | null
  readonly book: HealthBook
}

/** A token is rarely shorter than this many characters, in the languages of prompts. */
const CHARACTERS_PER_TOKEN = 2.5
/** Schema and framing that a service adds, in tokens. */
const OVERHEAD_TOKENS = 400

/** Money for answers: the worst case of a question is reserved before it is sent, so that no bound is ever overrun. */
export class Budget {
  readonly #plan: BudgetPlan
  #spent = 0
  /** One number per question that is under way. Their sum is made anew each time: one that is kept would gather rounding errors. */
  readonly #held = new Set<{ readonly worst: number }>()

  constructor(plan: BudgetPlan) {
    this.#plan = plan
  }

  /** USD that this run's answers have cost. */
  get spent(): number {
    return this.#spent
  }

  /** USD of so many tokens; 0 where no price is known. */
  cost(provider: DecisionProvider, inputTokens: number, outputTokens: number): number {
    const price = this.#plan.priceOf(provider)
    return price === null ? 0 : costOf(price, inputTokens, outputTokens)
  }

  /** The most that one question can cost. */
  worstCase(provider: DecisionProvider, conversation: Conversation): number {
    return this.worstUsage(provider, conversation).costUsd
  }

  /** The most that one question can take, which is also what an answer is charged with whose service does not say. */
  worstUsage(provider: DecisionProvider, conversation: Conversation): Usage {
    // Whoever costs nothing is not asked to render what it would be sent.
    if (this.#plan.priceOf(provider) === null) return NO_USAGE
    const { system, messages } = conversation
    const characters = messages.reduce((sum, { text }) => sum + text.length, system.length)
    const inputTokens = Math.ceil(characters / CHARACTERS_PER_TOKEN) + OVERHEAD_TOKENS
    const outputTokens = provider.maxTokens ?? 0
    return { inputTokens, outputTokens, costUsd: this.cost(provider, inputTokens, outputTokens) }
  }

  allows(provider: DecisionProvider, conversation: Conversation, now: EpochMs): boolean {
    const { run, day, book } = this.#plan
    if (run === null && day === null) return true
    const worst = this.worstCase(provider, conversation)
    if (worst === 0) return true
    let wanted = worst
    for (const held of this.#held) wanted += held.worst
    return (run === null || this.#spent + wanted <= run) && (day === null || book.spentToday(now) + wanted <= day)
  }

  /** Sets the worst case aside; the function that is returned gives it back and takes what it really cost. */
  reserve(provider: DecisionProvider, conversation: Conversation): (costUsd: number) => void {
    const held = { worst: this.worstCase(provider, conversation) }
    this.#held.add(held)
    return (costUsd) => {
      this.#held.delete(held)
      this.#spent += costUsd
    }
  }
}

