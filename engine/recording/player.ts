import type { StepSource } from '../pipeline/service-chain.ts'
import type { Reply, Step } from '../pipeline/consultation.ts'
import type { Dialogue, StrategyConversation } from '../pipeline/conversation.ts'
import { converse } from '../pipeline/refinement.ts'
import { TapedeckError } from '../errors.ts'
import type { DecisionProvider, Message } from '../ports.ts'
import { chainHash } from './recorder.ts'
import { miss } from './miss.ts'
import type { TapeIndex, Known } from './tape-index.ts'
import type { DecisionLine } from './tape-lines.ts'

export interface PlayerPlan {
  readonly folder: string
  readonly index: TapeIndex
  readonly links: readonly { readonly name: string; readonly provider: DecisionProvider }[]
  readonly refinements: number
}

const sameTalk = (recorded: readonly Message[], asked: readonly Message[]): boolean =>
  recorded.length === asked.length && recorded.every(({ role, text }, index) => text === asked[index].text && role === asked[index].role)

const marked = (marks: Uint8Array): ReadonlySet<number> => new Set([...marks.keys()].filter((seq) => marks[seq] === 1))

/**
 * Answers from a recording, and from nothing else. A decision that was recorded with the same providers goes the same way
 * link by link, outages included; with other providers, answers are found by what is asked. What is not there is an error.
 */
export class Player implements StepSource {
  readonly #plan: PlayerPlan
  /** By `seq`: 1 where it was needed. */
  readonly #used: Uint8Array
  readonly #walked: Uint8Array
  #chain: string | null = null

  constructor(plan: PlayerPlan) {
    this.#plan = plan
    this.#used = new Uint8Array(plan.index.newest + 1)
    this.#walked = new Uint8Array(plan.index.newest + 1)
  }

  /** Exchanges that answered something. */
  get used(): ReadonlySet<number> {
    return marked(this.#used)
  }

  /** Decisions that were gone through again as they are recorded. */
  get walked(): ReadonlySet<number> {
    return marked(this.#walked)
  }

  steps(conversation: StrategyConversation): readonly Step[] {
    const { index, links, refinements } = this.#plan
    const { symbol, time } = conversation.snapshot
    const decision = index.decision(symbol, time)
    if (decision !== null) {
      this.#chain ??= chainHash(links.map(({ provider }) => provider), refinements, conversation)
      if (decision.chain === this.#chain) return this.#walk(decision, conversation)
    }
    return this.#search(conversation)
  }

  #walk(decision: DecisionLine, conversation: StrategyConversation): readonly Step[] {
    this.#walked[decision.seq] = 1
    const steps: Step[] = []
    for (const { provider, skipped, exchanges } of decision.steps) {
      let at = 0
      const step = this.#talk(provider, conversation, skipped, (dialogue) => {
        if (at === exchanges.length) return null
        const known = this.#plan.index.exchange(exchanges[at++])
        return known !== null && sameTalk(known.line.request.messages, dialogue.messages) ? known : this.#miss(provider, dialogue, known)
      })
      steps.push(step)
    }
    return steps
  }

  #search(conversation: StrategyConversation): readonly Step[] {
    const steps: Step[] = []
    for (const { name, provider } of this.#plan.links) {
      const step = this.#talk(name, conversation, null, (dialogue) =>
        this.#plan.index.find(provider.request!(dialogue)) ?? this.#miss(name, dialogue, null))
      steps.push(step)
      if (step.failure === null) break
    }
    return steps
  }

  /** A conversation whose answers `find` knows; null ends it as the recorded one ended, with `skipped`. */
  #talk(name: string, conversation: StrategyConversation, skipped: Step['skipped'], find: (dialogue: Dialogue) => Known | null): Step {
    const replies: Reply[] = []
    const talking = converse(conversation.begin(), this.#plan.refinements)
    let next = talking.next()
    while (next.done !== true) {
      const known = find(next.value)
      if (known === null) {
        if (skipped === null) this.#miss(name, next.value, null)
        return { provider: name, skipped, replies, turns: [], failure: null }
      }
      this.#used[known.line.seq] = 1
      replies.push(known.reply)
      next = talking.next(known.reply)
    }
    return { provider: name, skipped: null, ...next.value }
  }

  #miss(name: string, dialogue: Dialogue, expected: Known | null): never {
    const { folder, index, links } = this.#plan
    const link = links.find((one) => one.name === name)
    if (link === undefined) {
      throw new TapedeckError('TD_RECORDING_BROKEN', `${folder}: a decision names ${name}, which was not in its chain; see tapedeck recordings verify`)
    }
    const { provider } = link
    throw miss(folder, provider.request!(dialogue), dialogue.snapshot, index, expected)
  }
}
