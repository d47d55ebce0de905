import type { Answer } from '../ports.ts'
import type { Failure, Reply } from './consultation.ts'
import type { Dialogue } from './conversation.ts'
import { analyse, isFailure, type Asking } from './initial-analysis.ts'

/** What a conversation with one provider came to. */
export interface Talk {
  readonly replies: readonly Reply[]
  readonly turns: readonly Answer[]
  /** Why it ended before its last turn; null when it did not. */
  readonly failure: Failure | null
}

/**
 * Phases 1 and 2: after the first answer, the same provider is asked in the same conversation whether it stands by it,
 * `refinements` times. Every turn is kept; a failure at any of them ends the conversation.
 */
export function* converse(dialogue: Dialogue, refinements: number): Asking<Talk> {
  const replies: Reply[] = []
  const turns: Answer[] = []
  for (let turn = 0; turn <= refinements; turn++) {
    if (turn > 0) dialogue.refine(turns[turn - 1], turn)
    const outcome = yield* analyse(dialogue, replies)
    if (isFailure(outcome)) return { replies, turns, failure: outcome }
    turns.push(outcome)
  }
  return { replies, turns, failure: null }
}
