import { opinionFault } from '../core/opinion.ts'
import { isRepairable } from '../core/provider-failure.ts'
import { TapedeckError } from '../errors.ts'
import type { Answer } from '../ports.ts'
import type { Failure, Reply } from './consultation.ts'
import type { Dialogue } from './conversation.ts'

/** Questions go out with `yield`, whoever carries them; what came of each comes back. */
export type Asking<T> = Generator<Dialogue, T, Reply>

const failed = (reply: Reply): Failure | null => {
  if (reply.failure !== null) return reply.failure
  const fault = opinionFault(reply.answer!)
  return fault === null ? null
    : { kind: 'invalid', message: fault, status: null, retryAfterMs: null, headers: {}, body: null, answer: reply.answer!.raw ?? null }
}

/**
 * Phase 1, and each turn of phase 2: the newest question, until there is a valid answer or none is to be had. An answer
 * that cannot be used is given back once, with what is wrong with it.
 */
export function* analyse(dialogue: Dialogue, replies: Reply[]): Asking<Answer | Failure> {
  for (let repaired = false; ; repaired = true) {
    const reply = yield dialogue
    replies.push(reply)
    const failure = failed(reply)
    if (failure === null) return reply.answer!
    if (repaired || !isRepairable(failure.kind)) return failure
    dialogue.repair(failure.answer, failure.message)
  }
}

/** Passes a valid answer of rules through; throws TD_PROVIDER_FAILED otherwise: what they say is a defect of the strategy. */
export function checkAnswer(answer: Answer): Answer {
  const fault = opinionFault(answer)
  if (fault !== null) throw new TapedeckError('TD_PROVIDER_FAILED', `the strategy's rules: ${fault}`)
  return answer
}

export const isFailure = (outcome: Answer | Failure): outcome is Failure => 'kind' in outcome
