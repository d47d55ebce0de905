import { TapedeckError } from '../errors.ts'
import type { Answer, DecisionProvider, MaybePromise } from '../ports.ts'
import {
  hasAnswered, NO_FALLBACKS, NO_STEPS, NO_TURNS, NO_USAGE, type Consultation, type Fallback, type Step, type Usage,
} from './consultation.ts'
import type { StrategyConversation } from './conversation.ts'
import { checkAnswer } from './initial-analysis.ts'
import type { StepSource } from './service-chain.ts'

const REMEMBERED = 4
const UNANSWERED: Answer = Object.freeze({ action: 'HOLD', confidence: 0, reasoning: 'nobody answered, and nobody else may' })

export interface ChainLink {
  readonly name: string
  readonly provider: DecisionProvider
}

/**
 * Providers in order of preference, the strategy's own rules at the end. Who is asked before the rules, live or from a
 * tape, tells what became of each link; without an answer the rules decide, and the decision says why. Rules that throw
 * are a defect of the strategy, not an outage, and end the run.
 */
export class ProviderChain {
  readonly links: readonly ChainLink[]
  readonly #rules: ChainLink
  readonly #source: StepSource | null
  readonly #signal: AbortSignal
  readonly #alone: boolean
  /** The newest consultations of rules. */
  readonly #known: Consultation[] = []
  #oldest = 0

  /**
   * `source` answers for all links but the last, the rules; null when there are no others. `alone`: what the others leave
   * unanswered is HOLD, so that nobody is judged by what the rules said in their stead.
   */
  constructor(links: readonly ChainLink[], source: StepSource | null, signal: AbortSignal, alone = false) {
    this.#alone = alone
    this.links = links
    this.#rules = links[links.length - 1]
    this.#source = source
    this.#signal = signal
  }

  /** Phases 1 and 2; a promise only when a provider needed one. */
  consult(conversation: StrategyConversation): MaybePromise<Consultation> {
    if (this.#source === null) {
      const answer = this.#rules.provider.answer(conversation, this.#signal)
      return answer instanceof Promise ? answer.then((known) => this.#plain(known)) : this.#plain(answer)
    }
    const steps = this.#source.steps(conversation)
    return steps instanceof Promise ? steps.then((known) => this.#conclude(known, conversation)) : this.#conclude(steps, conversation)
  }

  /** Rules answer with the same few objects over and over, so nothing is made anew for them. */
  #plain(answer: Answer): Consultation {
    const known = this.#known
    for (let index = 0; index < known.length; index++) if (known[index].initial === answer) return known[index]
    const made = this.#ruled(checkAnswer(answer), NO_STEPS, NO_FALLBACKS)
    if (known.length < REMEMBERED) known.push(made)
    else known[this.#oldest++ % REMEMBERED] = made
    return made
  }

  #conclude(steps: readonly Step[], conversation: StrategyConversation): MaybePromise<Consultation> {
    const last = steps.at(-1)
    if (last === undefined || !hasAnswered(last)) {
      const fallbacks = steps.map(fallbackOf)
      if (this.#alone) return this.#ruled(UNANSWERED, steps, fallbacks)
      const answer = this.#rules.provider.answer(conversation, this.#signal)
      return answer instanceof Promise ? answer.then((known) => this.#ruled(checkAnswer(known), steps, fallbacks))
        : this.#ruled(checkAnswer(answer), steps, fallbacks)
    }
    const [initial, ...turns] = last.turns
    const fallbacks = steps.length === 1 ? NO_FALLBACKS : steps.slice(0, -1).map(fallbackOf)
    return {
      link: this.#linkOf(last.provider), provider: last.provider, model: initial.model ?? null, initial, turns,
      opinion: turns.at(-1) ?? initial, fallbacks, steps, latencyMs: latencyOf(steps), usage: usageOf(steps),
    }
  }

  #ruled(initial: Answer, steps: readonly Step[], fallbacks: readonly Fallback[]): Consultation {
    return {
      link: this.links.length - 1, provider: this.#rules.name, model: initial.model ?? null, initial, turns: NO_TURNS,
      opinion: initial, fallbacks, steps, latencyMs: latencyOf(steps) + (initial.latencyMs ?? 0), usage: usageOf(steps),
    }
  }

  #linkOf(provider: string): number {
    const link = this.links.findIndex(({ name }) => name === provider)
    if (link < 0) throw new TapedeckError('TD_PROVIDER_FAILED', `${provider} answered, which is not in the chain`)
    return link
  }
}

const fallbackOf = ({ provider, skipped, failure }: Step): Fallback =>
  ({ provider, error: skipped ?? `${failure!.kind}: ${failure!.message}` })

const latencyOf = (steps: readonly Step[]): number => {
  let sum = 0
  for (const { replies } of steps) for (const { latencyMs } of replies) sum += latencyMs
  return sum
}

function usageOf(steps: readonly Step[]): Usage {
  if (steps.length === 0) return NO_USAGE
  let inputTokens = 0
  let outputTokens = 0
  let costUsd = 0
  for (const { replies } of steps) {
    for (const { usage } of replies) {
      inputTokens += usage.inputTokens
      outputTokens += usage.outputTokens
      costUsd += usage.costUsd
    }
  }
  return { inputTokens, outputTokens, costUsd }
}
