import type { Answer, DecisionProvider } from '../ports.ts'
import type { StrategyConversation } from './conversation.ts'
import { initialAnalysis } from './initial-analysis.ts'

/**
 * Phase 2: the same provider, in the same conversation, is asked whether it stands by its answer. Every turn is kept and
 * the last one counts.
 */
export async function refine(
  provider: DecisionProvider,
  conversation: StrategyConversation,
  initial: Answer,
  turns: number,
  signal: AbortSignal,
): Promise<readonly Answer[]> {
  const answers: Answer[] = []
  let last = initial
  for (let turn = 1; turn <= turns; turn++) {
    conversation.ask(last, turn)
    last = await initialAnalysis(provider, conversation, signal)
    answers.push(last)
  }
  return answers
}
