import type { EpochMs } from '../core/time.ts'
import type { Clock, MaybePromise, ProviderRequest } from '../ports.ts'
import { hasAnswered, type Reply, type Step } from './consultation.ts'
import type { Dialogue, StrategyConversation } from './conversation.ts'
import { converse } from './refinement.ts'
import type { Service } from './service.ts'

/** Who is asked before the rules: tells what became of each link, in the chain's order, up to the one that answered. */
export interface StepSource {
  steps(conversation: StrategyConversation): MaybePromise<readonly Step[]>
}

/** Answers that are known already, and a place for new ones. */
export interface AnswerTape {
  /** What was answered before, or is being answered to somebody else right now; null: it has to be asked. */
  known(request: ProviderRequest): MaybePromise<Reply | null>
  keep(request: ProviderRequest, asking: Promise<Reply>): Promise<Reply>
  decided(conversation: StrategyConversation, steps: readonly Step[]): void
}

export interface ServiceChainPlan {
  readonly services: readonly Service[]
  /** Turns of phase 2. */
  readonly refinements: number
  /** Ms from the first question of a decision to its last answer. */
  readonly deadlineMs: number
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly tape: AnswerTape | null
}

/** Services in order of preference: the first that answers every turn decides; one that fails midway is left for the next. */
export class ServiceChain implements StepSource {
  readonly #plan: ServiceChainPlan

  constructor(plan: ServiceChainPlan) {
    this.#plan = plan
  }

  async steps(conversation: StrategyConversation): Promise<readonly Step[]> {
    const { services, clock, deadlineMs, tape } = this.#plan
    const deadline = clock.now() + deadlineMs
    const steps: Step[] = []
    for (const [index, service] of services.entries()) {
      const opening = conversation.begin()
      const others = services.slice(index + 1).some((other) => other.refusal(opening) === null)
      const step = await this.#ask(service, opening, deadline, others)
      steps.push(step)
      if (hasAnswered(step)) break
    }
    tape?.decided(conversation, steps)
    return steps
  }

  async #ask(service: Service, dialogue: Dialogue, deadline: EpochMs, others: boolean): Promise<Step> {
    const { clock, refinements, signal, tape } = this.#plan
    const begun = clock.now()
    // While others could still answer, one service may not take all the time there is.
    const until = others ? begun + (deadline - begun) / 2 : deadline
    const talking = converse(dialogue, refinements)
    const replies: Reply[] = []
    let next = talking.next()
    while (next.done !== true) {
      const request = tape === null ? null : service.provider.request?.(next.value) ?? null
      let reply: Reply | null = null
      // Nobody may come between the answer that nothing is known and the question: two would ask the same.
      for (let known = request === null ? null : tape!.known(request); known !== null; known = tape!.known(request!)) {
        reply = await known
        if (reply !== null) break
      }
      if (reply === null) {
        signal.throwIfAborted()
        const skipped = clock.now() >= until ? 'deadline' : service.refusal(next.value)
        if (skipped !== null) return { provider: service.name, skipped, replies, turns: [], failure: null }
        const asking = service.ask(next.value, until, signal)
        reply = await (request === null ? asking : tape!.keep(request, asking))
      }
      replies.push(reply)
      next = talking.next(reply)
    }
    return { provider: service.name, skipped: null, ...next.value }
  }
}
