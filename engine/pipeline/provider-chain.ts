import { messageOf, TapedeckError } from '../errors.ts'
import type { Answer, DecisionProvider, MaybePromise } from '../ports.ts'
import { NO_FALLBACKS, NO_TURNS, type Consultation, type Fallback } from './consultation.ts'
import type { StrategyConversation } from './conversation.ts'
import { initialAnalysis } from './initial-analysis.ts'
import { refine } from './refinement.ts'

export interface ChainLink {
  readonly name: string
  readonly provider: DecisionProvider
}

/**
 * Providers in order of preference. The first that gives a valid answer decides; one that fails midway is left and the
 * next starts again at phase 1. Rules that throw are a defect of the strategy, not an outage, and end the run.
 */
export class ProviderChain {
  readonly links: readonly ChainLink[]
  readonly #turns: number
  readonly #signal: AbortSignal

  constructor(links: readonly ChainLink[], refinementTurns: number, signal: AbortSignal) {
    this.links = links
    this.#turns = refinementTurns
    this.#signal = signal
  }

  /** Phases 1 and 2. Fills `into` and returns it; a promise only when a provider needed one. */
  consult(conversation: StrategyConversation, into: Consultation): MaybePromise<Consultation> {
    into.fallbacks = NO_FALLBACKS
    return this.#ask(0, conversation, into)
  }

  #ask(index: number, conversation: StrategyConversation, into: Consultation): MaybePromise<Consultation> {
    const { provider } = this.links[index]
    conversation.begin()
    if (!provider.refines) {
      const answer = this.#rules(provider, conversation)
      if (!(answer instanceof Promise)) return this.#conclude(index, answer, NO_TURNS, into)
    }
    return this.#converse(index, conversation, into)
  }

  /** Answers without conversation; what they throw is a defect and passes through. */
  #rules(provider: DecisionProvider, conversation: StrategyConversation): MaybePromise<Answer> {
    return initialAnalysis(provider, conversation, this.#signal)
  }

  async #converse(index: number, conversation: StrategyConversation, into: Consultation): Promise<Consultation> {
    const { name, provider } = this.links[index]
    try {
      const initial = await initialAnalysis(provider, conversation, this.#signal)
      const turns = provider.refines ? await refine(provider, conversation, initial, this.#turns, this.#signal) : NO_TURNS
      return this.#conclude(index, initial, turns, into)
    } catch (error) {
      if (this.#signal.aborted) throw error
      const fallback: Fallback = { provider: name, error: messageOf(error) }
      into.fallbacks = [...into.fallbacks, fallback]
      if (index + 1 < this.links.length) return this.#ask(index + 1, conversation, into)
      const tried = into.fallbacks.map((one) => `${one.provider}: ${one.error}`).join('; ')
      throw new TapedeckError('TD_PROVIDER_FAILED', `no provider answered (${tried})`, { cause: error })
    }
  }

  #conclude(index: number, initial: Answer, turns: readonly Answer[], into: Consultation): Consultation {
    const last = turns.length === 0 ? initial : turns[turns.length - 1]
    into.link = index
    into.provider = this.links[index].name
    into.model = initial.model ?? null
    into.initial = initial
    into.turns = turns
    into.opinion = last
    into.latencyMs = initial.latencyMs ?? 0
    into.inputTokens = initial.usage?.inputTokens ?? 0
    into.outputTokens = initial.usage?.outputTokens ?? 0
    for (const { latencyMs, usage } of turns) {
      into.latencyMs += latencyMs ?? 0
      into.inputTokens += usage?.inputTokens ?? 0
      into.outputTokens += usage?.outputTokens ?? 0
    }
    return into
  }
}
