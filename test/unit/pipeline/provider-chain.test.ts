import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { prepareIndicators } from '../../../engine/core/indicators.ts'
import type { Opinion } from '../../../engine/core/opinion.ts'
import { SnapshotView } from '../../../engine/core/snapshot.ts'
import { StrategyConversation } from '../../../engine/pipeline/conversation.ts'
import type { ChainLink } from '../../../engine/pipeline/provider-chain.ts'
import type { Answer, Conversation, Message, Strategy } from '../../../engine/ports.ts'
import { chainOf } from '../../support/chains.ts'

const BUY: Opinion = { action: 'BUY', confidence: 0.8, reasoning: 'up' }
const SELL: Opinion = { action: 'SELL', confidence: 0.7, reasoning: 'down' }
const HOLD: Opinion = { action: 'HOLD', confidence: 0.5, reasoning: 'rules wait' }

const strategy: Strategy<{ style: string }> = {
  name: 'asking', description: '', params: z.strictObject({ style: z.string() }), warmup: () => 0,
  indicators: () => ({}),
  technical: () => HOLD,
  prompts: {
    system: ({ style }) => `be ${style}`,
    initial: ({ symbol, price }, { style }) => `${symbol} at ${price}, ${style}?`,
    refinement: ({ action }, turn) => `${action}? sure? (${turn})`,
  },
}

async function conversationOf(asking: Strategy<{ style: string }> = strategy): Promise<StrategyConversation> {
  const snapshot = new SnapshotView('BTC/USDT', (await prepareIndicators({}))(0))
  snapshot.price = 100
  return new StrategyConversation(asking, { style: 'calm' }, snapshot)
}

interface Scripted extends ChainLink {
  /** What was asked, question by question. */
  readonly heard: (readonly Message[])[]
}

/** An AI that gives these answers one after the other; an error is thrown, a function is called. */
function ai(name: string, ...script: readonly (unknown)[]): Scripted {
  const heard: (readonly Message[])[] = []
  const answers = [...script]
  return {
    name, heard,
    provider: {
      refines: true,
      answer: (conversation: Conversation): Answer | Promise<Answer> => {
        heard.push(conversation.messages)
        const next = answers.shift()
        if (next instanceof Error) throw next
        return (typeof next === 'function' ? (next as () => unknown)() : next) as Answer
      },
    },
  }
}

const RULES: ChainLink = {
  name: 'technical', provider: { refines: false, answer: (conversation) => conversation.rules() },
}
describe('the chain', () => {
  it('takes the first valid answer and asks nobody else', async () => {
    const [first, second] = [ai('one', BUY, BUY), ai('two', SELL, SELL)]
    const consultation = await chainOf([first, second, RULES]).consult(await conversationOf())
    expect(consultation).toMatchObject({ link: 0, provider: 'one', opinion: BUY, fallbacks: [] })
    expect(second.heard).toEqual([])
  })

  it('keeps every turn; the last one counts', async () => {
    const later = { ...SELL, confidence: 0.9 }
    const asked = ai('one', BUY, SELL, later)
    const consultation = await chainOf([asked, RULES], { turns: 2 }).consult(await conversationOf())
    expect(consultation.initial).toEqual(BUY)
    expect(consultation.turns).toEqual([SELL, later])
    expect(consultation.opinion).toEqual(later)
    // The same conversation goes on: what was said before is in every later question.
    const opening = { role: 'user', text: 'BTC/USDT at 100, calm?' }
    expect(asked.heard).toEqual([
      [opening],
      [opening, { role: 'assistant', text: JSON.stringify(BUY) }, { role: 'user', text: 'BUY? sure? (1)' }],
      [
        opening, { role: 'assistant', text: JSON.stringify(BUY) }, { role: 'user', text: 'BUY? sure? (1)' },
        { role: 'assistant', text: JSON.stringify(SELL) }, { role: 'user', text: 'SELL? sure? (2)' },
      ],
    ])
  })

  it.each([
    ['an error', new Error('503 overloaded'), 'error: 503 overloaded'],
    ['a rejection', () => Promise.reject(new Error('socket closed')), 'error: socket closed'],
    ['text that is thrown', () => { throw 'plain' as unknown as Error }, 'error: plain'],
    ['an unknown action', { ...BUY, action: 'buy' }, 'invalid: action "buy" is not BUY, SELL or HOLD'],
    ['an impossible confidence', { ...BUY, confidence: 80 }, 'invalid: confidence 80 is outside [0, 1]'],
    ['confidence that is no number', { ...BUY, confidence: NaN }, 'invalid: confidence NaN is outside [0, 1]'],
    ['no reasoning', { action: 'BUY', confidence: 0.8 }, 'invalid: reasoning is not text'],
    ['a promise of nonsense', async () => ({ ...BUY, confidence: -1 }), 'invalid: confidence -1 is outside [0, 1]'],
  ])('leaves a provider for %s and starts again with the next', async (_what, broken, error) => {
    // An answer that cannot be used is asked for once more: it comes a second time.
    const [first, second] = [ai('one', broken, broken), ai('two', SELL, SELL)]
    const consultation = await chainOf([first, second, RULES]).consult(await conversationOf())
    expect(consultation).toMatchObject({ link: 1, provider: 'two', opinion: SELL })
    expect(consultation.fallbacks).toEqual([{ provider: 'one', error }])
  })

  it('leaves a provider that gives no answer at all', async () => {
    const consultation = await chainOf([ai('one', undefined), RULES]).consult(await conversationOf())
    expect(consultation).toMatchObject({ provider: 'technical', fallbacks: [{ provider: 'one' }] })
  })

  it('starts again at phase 1 when a provider fails midway: nothing of it is left', async () => {
    const [first, second] = [ai('one', BUY, new Error('cut off')), ai('two', SELL, { ...SELL, confidence: 0.6 })]
    const consultation = await chainOf([first, second, RULES]).consult(await conversationOf())
    expect(consultation).toMatchObject({
      provider: 'two', initial: SELL, fallbacks: [{ provider: 'one', error: 'error: cut off' }], opinion: { confidence: 0.6 },
    })
    expect(second.heard[0]).toEqual([{ role: 'user', text: 'BTC/USDT at 100, calm?' }])
    expect(second.heard[1][1].text).toBe(JSON.stringify(SELL))
  })

  it('ends with the rules, which are not asked whether they stand by it, and tells all that failed', async () => {
    const links = [ai('one', new Error('a')), ai('two', BUY, { ...BUY, action: 'MAYBE' }, { ...BUY, action: 'MAYBE' }), RULES]
    expect(await chainOf(links).consult(await conversationOf())).toMatchObject({
      link: 2, provider: 'technical', initial: HOLD, turns: [], opinion: HOLD,
      fallbacks: [
        { provider: 'one', error: 'error: a' }, { provider: 'two', error: 'invalid: action "MAYBE" is not BUY, SELL or HOLD' },
      ],
    })
  })

  it('asks once more for an answer that cannot be used, and says what is wrong with it', async () => {
    const asked = ai('one', { ...BUY, confidence: 7 }, BUY, BUY)
    const consultation = await chainOf([asked, RULES]).consult(await conversationOf())
    expect(consultation).toMatchObject({ provider: 'one', opinion: BUY, fallbacks: [] })
    expect(asked.heard[1].at(-1)!.text).toContain('confidence 7 is outside [0, 1]')
  })

  it('goes on from a clean slate at the next decision', async () => {
    const one = ai('one', BUY, BUY, SELL, SELL)
    const chain = chainOf([one, RULES])
    const conversation = await conversationOf()
    await chain.consult(conversation)
    expect((await chain.consult(conversation)).opinion).toEqual(SELL)
    expect(one.heard[2]).toHaveLength(1)
  })

  it('lets an abort pass through: nobody else is asked', async () => {
    const controller = new AbortController()
    const aborting = ai('one', () => { controller.abort(); throw new Error('stopped') })
    const second = ai('two', BUY, BUY)
    const consulting = chainOf([aborting, second, RULES], { signal: controller.signal }).consult(await conversationOf())
    await expect(consulting).rejects.toMatchObject({ name: 'AbortError' })
    expect(second.heard).toEqual([])
  })

  it('hands the signal to the providers', async () => {
    const controller = new AbortController()
    const signals: AbortSignal[] = []
    const answer = (_: Conversation, signal: AbortSignal): Answer => {
      signals.push(signal)
      return BUY
    }
    const links = [{ name: 'one', provider: { refines: true, answer } }, RULES]
    await chainOf(links, { signal: controller.signal }).consult(await conversationOf())
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, false])
    controller.abort()
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true])
  })

  it('adds up latency and tokens over all turns, and names the model', async () => {
    const answer = (inputTokens: number, latencyMs: number): Answer => ({
      ...BUY, model: 'm-1', latencyMs, usage: { inputTokens, outputTokens: 5 },
    })
    const link = ai('one', answer(100, 30), answer(150, 12))
    expect(await chainOf([link, RULES]).consult(await conversationOf()))
      .toMatchObject({ model: 'm-1', latencyMs: 42, usage: { inputTokens: 250, outputTokens: 10 } })
    expect(await chainOf([RULES]).consult(await conversationOf()))
      .toMatchObject({ model: null, latencyMs: 0, usage: { inputTokens: 0, outputTokens: 0, costUsd: 0 } })
  })
})

describe('rules', () => {
  const saying = (technical: () => Opinion): Strategy<{ style: string }> => ({ ...strategy, technical })

  it('need no promise', async () => {
    const consultation = chainOf([RULES]).consult(await conversationOf())
    expect(consultation).not.toBeInstanceOf(Promise)
    expect(consultation).toMatchObject({ link: 0, provider: 'technical', opinion: HOLD, turns: [], fallbacks: [] })
  })

  it('cost no new object for an answer they have given before', async () => {
    const answers = [HOLD, BUY, SELL, { ...HOLD, reasoning: 'other' }]
    let next = 0
    const chain = chainOf([RULES])
    const conversation = await conversationOf(saying(() => answers[next]))
    const first = answers.map((_, index) => { next = index; return chain.consult(conversation) })
    for (const [index, answer] of answers.entries()) {
      next = index
      expect(chain.consult(conversation)).toBe(first[index])
      expect(first[index]).toMatchObject({ opinion: answer })
    }
    // Ever new answers push old ones out, never mix them up.
    for (let count = 0; count < 20; count++) {
      answers[0] = { action: 'BUY', confidence: count / 20, reasoning: String(count) }
      next = 0
      expect(await chain.consult(conversation)).toMatchObject({ opinion: answers[0] })
      next = 1 + (count % 3)
      expect(await chain.consult(conversation)).toMatchObject({ opinion: answers[next] })
    }
  })

  it('that throw or talk nonsense are a defect of the strategy: the error passes through', async () => {
    const broken = await conversationOf(saying(() => { throw new RangeError('no such indicator') }))
    expect(() => chainOf([RULES]).consult(broken)).toThrow(new RangeError('no such indicator'))
    await expect(chainOf([ai('one', new Error('down')), RULES]).consult(broken)).rejects.toThrow(RangeError)
    const nonsense = await conversationOf(saying(() => ({ ...HOLD, confidence: 2 })))
    expect(() => chainOf([RULES]).consult(nonsense)).toThrow('confidence 2 is outside [0, 1]')
  })

  it('may also answer later', async () => {
    const answer = async (conversation: Conversation): Promise<Answer> => conversation.rules()
    const links = [{ name: 'slow', provider: { refines: false, answer } }]
    const consultation = chainOf(links).consult(await conversationOf())
    expect(consultation).toBeInstanceOf(Promise)
    expect(await consultation).toMatchObject({ provider: 'slow', opinion: HOLD })
  })
})

describe('a conversation', () => {
  it('shows the system prompt and what the rules would say', async () => {
    const conversation = await conversationOf()
    expect(conversation.system).toBe('be calm')
    expect(conversation.rules()).toBe(HOLD)
  })

  it('renders its messages only when they are read', async () => {
    let rendered = 0
    const counting: Strategy<{ style: string }> = {
      ...strategy, prompts: { ...strategy.prompts!, initial: () => `question ${++rendered}` },
    }
    const conversation = await conversationOf(counting)
    await chainOf([RULES]).consult(conversation)
    expect(rendered).toBe(0)
    expect(conversation.messages).toHaveLength(1)
    expect(rendered).toBe(1)
  })

  it('cannot be led with an AI when the strategy has no prompts: the rules answer', async () => {
    const { prompts: _, ...silent } = strategy
    const conversation = await conversationOf(silent)
    expect(conversation.system).toBe('')
    expect(() => conversation.messages).toThrow(/no prompts/)
    expect(await chainOf([ai('one', BUY), RULES]).consult(conversation))
      .toMatchObject({ provider: 'technical', fallbacks: [{ provider: 'one' }] })
  })
})
