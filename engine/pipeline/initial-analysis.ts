import { opinionFault } from '../core/opinion.ts'
import type { Answer, Conversation, DecisionProvider, MaybePromise } from '../ports.ts'

/** An answer that may not be acted on. */
export class InvalidAnswer extends Error {
  override readonly name = 'InvalidAnswer'
}

/** Passes a valid answer through; throws {@link InvalidAnswer} otherwise. */
export function checkAnswer(answer: Answer): Answer {
  const fault = opinionFault(answer)
  if (fault !== null) throw new InvalidAnswer(fault)
  return answer
}

/** Phase 1: the provider's first opinion on the snapshot. */
export function initialAnalysis(provider: DecisionProvider, conversation: Conversation, signal: AbortSignal): MaybePromise<Answer> {
  const answer = provider.answer(conversation, signal)
  return answer instanceof Promise ? answer.then(checkAnswer) : checkAnswer(answer)
}
