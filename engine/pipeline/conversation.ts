import type { Opinion } from '../core/opinion.ts'
import type { SnapshotView } from '../core/snapshot.ts'
import type { Conversation, Message, Strategy } from '../ports.ts'

/** One decision's conversation. Reused per symbol; prompts are rendered only when a provider reads them. */
export class StrategyConversation<P = unknown> implements Conversation {
  readonly snapshot: SnapshotView
  readonly #strategy: Strategy<P>
  readonly #params: P
  #exchanges: { opinion: Opinion; turn: number }[] = []

  constructor(strategy: Strategy<P>, params: P, snapshot: SnapshotView) {
    this.#strategy = strategy
    this.#params = params
    this.snapshot = snapshot
  }

  /** Back to phase 1: nothing has been said. */
  begin(): void {
    if (this.#exchanges.length > 0) this.#exchanges = []
  }

  /** The provider said `opinion`; the next question is refinement turn `turn`, from 1. */
  ask(opinion: Opinion, turn: number): void {
    this.#exchanges.push({ opinion, turn })
  }

  get system(): string {
    return this.#strategy.prompts?.system(this.#params) ?? ''
  }

  get messages(): readonly Message[] {
    const { prompts } = this.#strategy
    if (prompts === undefined) throw new Error(`strategy ${this.#strategy.name} has no prompts, so only its rules can answer`)
    const messages: Message[] = [{ role: 'user', text: prompts.initial(this.snapshot, this.#params) }]
    for (const { opinion, turn } of this.#exchanges) {
      messages.push({ role: 'assistant', text: JSON.stringify(opinion) }, { role: 'user', text: prompts.refinement(opinion, turn) })
    }
    return messages
  }

  rules(): Opinion {
    return this.#strategy.technical(this.snapshot, this.#params)
  }
}
