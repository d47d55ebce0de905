import { z } from 'zod'
import { prepareIndicators } from '../../engine/core/indicators.ts'
import { ProviderFailure } from '../../engine/core/provider-failure.ts'
import { SnapshotView } from '../../engine/core/snapshot.ts'
import { StrategyConversation } from '../../engine/pipeline/conversation.ts'
import type { Step } from '../../engine/pipeline/consultation.ts'
import type { ChainLink } from '../../engine/pipeline/provider-chain.ts'
import type { Answer, Conversation, Strategy } from '../../engine/ports.ts'

const strategy: Strategy = {
  name: 'asking', description: '', params: z.unknown(), warmup: () => 0, indicators: () => ({}),
  technical: () => ({ action: 'HOLD', confidence: 0.5, reasoning: 'rules wait' }),
  prompts: {
    system: () => 'be brief', initial: ({ symbol, price }) => `${symbol} costs ${price}\nWhat do you do?`, refinement: ({ action }) => `${action}? Sure?`,
  },
}
const plan = await prepareIndicators({})

/** What is asked in hour `hour` of 2024; the price tells questions apart, unless another one is given. */
export function talkAt(hour: number, price = 100 + hour, symbol = 'BTC/USDT'): StrategyConversation {
  const snapshot = new SnapshotView(symbol, plan(0))
  snapshot.price = price
  snapshot.time = Date.UTC(2024, 0, 1, hour)
  return new StrategyConversation(strategy, {}, snapshot)
}

/** An AI whose answers are these in turn, then BUY for ever; a {@link ProviderFailure} is thrown. */
export interface TalkingLink extends ChainLink {
  /** The newest question of each request. */
  readonly heard: string[]
  readonly script: (Answer | ProviderFailure)[]
}

export function talking(name: string, own: { readonly model?: string; readonly lacks?: string } = {}): TalkingLink {
  const heard: string[] = []
  const script: (Answer | ProviderFailure)[] = []
  const { model = 'm-1' } = own
  return {
    name, heard, script,
    provider: {
      refines: true, model, ...own,
      async answer({ messages }: Conversation): Promise<Answer> {
        heard.push(messages.at(-1)!.text)
        // Others get their turn, as they do when a network is in between.
        await Promise.resolve()
        const next = script.shift() ?? opinion('BUY', 0.7)
        if (next instanceof ProviderFailure) throw next
        return next
      },
      request: ({ system, messages }) => ({ provider: name, model, endpoint: '/ask', system, messages, schema: { type: 'object' }, sampling: { temperature: 0 } }),
    },
  }
}

export const opinion = (action: Answer['action'], confidence: number): Answer =>
  ({ action, confidence, reasoning: `${action} says it`, raw: '{}', modelVersion: 'v1', responseId: 'r1', usage: { inputTokens: 10, outputTokens: 5 } })

/** What nobody would ask again about at once. */
export const refused = (message = 'it will not'): ProviderFailure => new ProviderFailure('refused', message)

/** As a recording gives it back: what an answer cost stands beside it, once. */
export function withoutUsage(steps: readonly Step[]): readonly Step[] {
  const bare = ({ usage: _, ...answer }: Answer): Answer => answer
  return steps.map((step) => ({
    ...step, turns: step.turns.map(bare), replies: step.replies.map((reply) => ({ ...reply, answer: reply.answer === null ? null : bare(reply.answer) })),
  }))
}
