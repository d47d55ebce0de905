import { messageOf, TapedeckError } from '../errors.ts'
import type { Answer, DecisionProvider, MaybePromise } from '../ports.ts'
import { NO_FALLBACKS, NO_TURNS, type Consultation, type Fallback } from './consultation.ts'
import type { StrategyConversation } from './conversation.ts'
import { initialAnalysis } from './initial-analysis.ts'
import { refine } from './refinement.ts'

const REMEMBERED = 4

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
  /** The newest consultations of rules. */
  readonly #known: Consultation[] = []
  #oldest = 0

  constructor(links: readonly ChainLink[], refinementTurns: number, signal: AbortSignal) {
    this.links = links
    this.#turns = refinementTurns
    this.#signal = signal
  }

  /** Phases 1 and 2; a promise only when a provider needed one. */
  consult(conversation: StrategyConversation): MaybePromise<Consultation> {
    const { provider } = this.links[0]
    if (provider.refines) return this.#converse(0, conversation, NO_FALLBACKS)
    // Rules: what they throw is a defect of the strategy, not an outage, and passes through.
    conversation.begin()
    const answer = initialAnalysis(provider, conversation, this.#signal)
    return answer instanceof Promise ? answer.then((known) => this.#plain(known)) : this.#plain(answer)
  }

  /** Rules answer with the same few objects over and over, so nothing is made anew for them. */
  #plain(answer: Answer): Consultation {
    const known = this.#known
    for (let index = 0; index < known.length; index++) if (known[index].initial === answer) return known[index]
    const made = this.#conclude(0, answer, NO_TURNS, NO_FALLBACKS)
    if (known.length < REMEMBERED) known.push(made)
    else known[this.#oldest++ % REMEMBERED] = made
    return made
  }

  async #converse(index: number, conversation: StrategyConversation, failed: readonly Fallback[]): Promise<Consultation> {
    const { name, provider } = this.links[index]
    conversation.begin()
    if (!provider.refines) return this.#conclude(index, await initialAnalysis(provider, conversation, this.#signal), NO_TURNS, failed)
    try {
      const initial = await initialAnalysis(provider, conversation, this.#signal)
      const turns = await refine(provider, conversation, initial, this.#turns, this.#signal)
      return this.#conclude(index, initial, turns, failed)
    } catch (error) {
      if (this.#signal.aborted) throw error
      const fallbacks = [...failed, { provider: name, error: messageOf(error) }]
      if (index + 1 < this.links.length) return this.#converse(index + 1, conversation, fallbacks)
      const tried = fallbacks.map((one) => `${one.provider}: ${one.error}`).join('; ')
      throw new TapedeckError('TD_PROVIDER_FAILED', `no provider answered (${tried})`, { cause: error })
    }
  }

  #conclude(link: number, initial: Answer, turns: readonly Answer[], fallbacks: readonly Fallback[]): Consultation {
    let latencyMs = initial.latencyMs ?? 0
    let inputTokens = initial.usage?.inputTokens ?? 0
    let outputTokens = initial.usage?.outputTokens ?? 0
    for (const answer of turns) {
      latencyMs += answer.latencyMs ?? 0
      inputTokens += answer.usage?.inputTokens ?? 0
      outputTokens += answer.usage?.outputTokens ?? 0
    }
    const opinion = turns.length === 0 ? initial : turns[turns.length - 1]
    return {
      link, provider: this.links[link].name, model: initial.model ?? null, initial, turns, opinion, fallbacks, latencyMs,
      inputTokens, outputTokens,
    }
  }
}
