import { opinionFault } from '../core/opinion.ts'
import type { Reply, Step } from '../pipeline/consultation.ts'
import type { StrategyConversation } from '../pipeline/conversation.ts'
import { converse } from '../pipeline/refinement.ts'
import type { PastLine } from '../ports.ts'
import type { Exchange, ServiceTalk, Talk } from './explanation.ts'

interface Said {
  readonly action: string
  readonly confidence: number | null
  readonly reasoning: string
}

/** What was asked and answered, with the prompts written again where `conversation` shows the candle that was asked about. */
export const talkOf = (
  steps: readonly Step[], conversation: StrategyConversation | null, refinements: number, source: Talk['source'],
): Talk => ({
  system: conversation === null ? null : conversation.system,
  services: steps.map((step) => serviceTalk(step, conversation, refinements)),
  source,
})

function serviceTalk({ provider, skipped, replies, turns, failure }: Step, conversation: StrategyConversation | null, refinements: number): ServiceTalk {
  const exchanges: Exchange[] = []
  const talking = conversation === null ? null : converse(conversation.begin(), refinements)
  let next = talking?.next()
  let answered = 0
  let again = false
  for (const reply of replies) {
    const question = next === undefined || next.done === true ? null : next.value.messages.at(-1)?.text ?? null
    const fault = faultOf(reply)
    exchanges.push({
      question, ...said(reply, fault), phase: `${phaseName(answered)}${again ? ', asked again' : ''}`,
      latencyMs: reply.latencyMs, attempts: reply.attempts,
    })
    again = fault !== null
    if (fault === null) answered++
    if (talking !== null && next?.done !== true) next = talking.next(reply)
  }
  return { provider, model: turns.at(-1)?.model ?? null, skipped, failure: failure === null ? null : `${failure.kind}: ${failure.message}`, exchanges }
}

const phaseName = (answered: number): string => (answered === 0 ? 'initial analysis' : `refinement ${answered}`)

const faultOf = ({ answer, failure }: Reply): string | null =>
  (failure !== null ? `${failure.kind}: ${failure.message}` : answer === null ? 'no answer' : opinionFault(answer))

const said = ({ answer }: Reply, fault: string | null): Pick<Exchange, 'action' | 'confidence' | 'reasoning' | 'failure'> =>
  ({ action: answer?.action ?? null, confidence: answer?.confidence ?? null, reasoning: answer?.reasoning ?? null, failure: fault })

/**
 * The same from the decision's own line alone, which holds the answers that counted and why others fell out. The
 * prompts are written again from those answers.
 */
export function talkOfLine(line: PastLine, conversation: StrategyConversation | null): Talk {
  const { provider, model, fallbacks } = line as unknown as {
    readonly provider: string; readonly model: string | null; readonly fallbacks: readonly { readonly provider: string; readonly error: string }[]
  }
  const failed = fallbacks.map((one): ServiceTalk => ({ provider: one.provider, model: null, skipped: null, failure: one.error, exchanges: [] }))
  const answers = answersOf(line)
  // Rules are not asked anything: their answer is the decision itself.
  if (provider === 'technical') return { system: conversation?.system ?? null, services: failed, source: 'decision' }
  const dialogue = conversation?.begin() ?? null
  const exchanges = answers.map(({ action, confidence, reasoning }, turn): Exchange => {
    if (turn > 0) dialogue?.refine(answers[turn - 1] as never, turn)
    return {
      question: dialogue?.messages.at(-1)?.text ?? null, action, confidence, reasoning, failure: null,
      phase: phaseName(turn), latencyMs: null, attempts: null,
    }
  })
  return { system: conversation?.system ?? null, services: [...failed, { provider, model, skipped: null, failure: null, exchanges }], source: 'decision' }
}

/** Phase 1's answer and those of phase 2, as a decision's line holds them. */
export function answersOf(line: PastLine): readonly Said[] {
  const phases = line['phases'] as { readonly initial?: Said; readonly refinement?: readonly Said[] } | null
  return phases === null || typeof phases !== 'object' || phases.initial === undefined ? [] : [phases.initial, ...(phases.refinement ?? [])]
}

/** Somebody beside the rules was asked, or was to be. */
export const wasAsked = (line: PastLine): boolean =>
  (typeof line['provider'] === 'string' && line['provider'] !== 'technical') || (Array.isArray(line['fallbacks']) && line['fallbacks'].length > 0)

/** The steps came to what the decision's line holds. */
export function agrees(steps: readonly Step[], line: PastLine): boolean {
  const turns = steps.at(-1)?.turns ?? []
  const answers = line['provider'] === 'technical' ? [] : answersOf(line)
  return answers.length === 0 || (turns.length === answers.length && answers.every(({ action, confidence, reasoning }, index) =>
    turns[index].action === action && turns[index].confidence === confidence && turns[index].reasoning === reasoning))
}
