import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { prepareIndicators } from '../../../engine/core/indicators.ts'
import type { Opinion } from '../../../engine/core/opinion.ts'
import { ProviderFailure, type FailureFacts, type FailureKind } from '../../../engine/core/provider-failure.ts'
import { SnapshotView } from '../../../engine/core/snapshot.ts'
import type { Reply, Step } from '../../../engine/pipeline/consultation.ts'
import { StrategyConversation } from '../../../engine/pipeline/conversation.ts'
import type { ChainLink } from '../../../engine/pipeline/provider-chain.ts'
import { disabled, MemoryBook } from '../../../engine/pipeline/provider-health.ts'
import type { AnswerTape } from '../../../engine/pipeline/service-chain.ts'
import type { Answer, Clock, DecisionProvider, Message, ProviderRequest, Strategy } from '../../../engine/ports.ts'
import { chainOf, type ChainOptions } from '../../support/chains.ts'
import { EventClock } from '../../support/event-clock.ts'

const SECOND = 1_000
const BUY: Opinion = { action: 'BUY', confidence: 0.8, reasoning: 'up' }
const SELL: Opinion = { action: 'SELL', confidence: 0.7, reasoning: 'down' }
const HOLD: Opinion = { action: 'HOLD', confidence: 0.5, reasoning: 'rules wait' }
const OPENING: Message = { role: 'user', text: 'BTC/USDT at 100?' }
const RULES: ChainLink = { name: 'technical', provider: { refines: false, answer: (conversation) => conversation.rules() } }

const strategy: Strategy<null> = {
  name: 'asking', description: '', params: z.null(), warmup: () => 0, indicators: () => ({}), technical: () => HOLD,
  prompts: {
    system: () => 'be calm', initial: ({ symbol, price }) => `${symbol} at ${price}?`, refinement: ({ action }, turn) => `${action}? (${turn})`,
  },
}
const snapshot = new SnapshotView('BTC/USDT', (await prepareIndicators({}))(0))
snapshot.price = 100
const asked = (): StrategyConversation<null> => new StrategyConversation(strategy, null, snapshot)

/** An answer, a failure, or what to do until there is one. */
type Act = unknown
const fail = (kind: FailureKind, facts: FailureFacts = {}): ProviderFailure => new ProviderFailure(kind, `${kind} it is`, facts)

interface Scripted extends ChainLink {
  /** What was asked, question by question. */
  readonly heard: (readonly Message[])[]
}

/** A service that gives these answers one after the other; an error is thrown, a function is called. */
function ai(name: string, script: readonly Act[], own: Partial<DecisionProvider> = {}): Scripted {
  const heard: (readonly Message[])[] = []
  const acts = [...script]
  return {
    name, heard,
    provider: {
      refines: true, model: 'm', maxTokens: 100,
      answer(conversation, signal) {
        heard.push(conversation.messages)
        if (acts.length === 0) throw new Error(`${name} was asked too often`)
        const act = acts.shift()
        if (act instanceof Error) throw act
        return (typeof act === 'function' ? (act as (signal: AbortSignal) => unknown)(signal) : act) as Answer
      },
      ...own,
    },
  }
}
const after = (clock: Clock, ms: number, answer: Opinion = BUY) => async (signal: AbortSignal): Promise<Opinion> => {
  await clock.sleep(ms, signal)
  return answer
}
const consult = (links: readonly ChainLink[], options: ChainOptions = {}) => chainOf([...links, RULES], options).consult(asked())

describe('an answer that cannot be used', () => {
  it.each<[string, Act, string, string]>([
    ['not JSON', fail('not-json', { answer: 'Sure! BUY.' }), 'Sure! BUY.', 'not-json it is'],
    ['cut off', fail('truncated', { answer: '{"action":"B' }), '{"action":"B', 'truncated it is'],
    ['cut off before it began', fail('truncated', { answer: '' }), '(no answer)', 'truncated it is'],
    ['against the schema', fail('invalid', { answer: '{}' }), '{}', 'invalid it is'],
    ['confidence 7', { ...BUY, confidence: 7, raw: '{"confidence":7}' }, '{"confidence":7}', 'confidence 7 is outside [0, 1]'],
    ['confidence "high", without its text', { ...BUY, confidence: 'high' }, '(no answer)', 'confidence high is outside [0, 1]'],
    ['an unknown action', { ...BUY, action: 'YOLO', raw: 'YOLO' }, 'YOLO', 'action "YOLO" is not BUY, SELL or HOLD'],
  ])('is given back once with what is wrong with it: %s', async (_, broken, said, fault) => {
    const one = ai('one', [broken, BUY, SELL])
    const { provider, turns, opinion, steps } = await consult([one])
    expect({ provider, turns: turns.length, opinion }).toEqual({ provider: 'one', turns: 1, opinion: SELL })
    expect(steps[0].replies).toHaveLength(3)
    expect(one.heard[1]).toEqual([
      OPENING, { role: 'assistant', text: said },
      { role: 'user', text: `That answer cannot be used: ${fault}. Answer again with nothing but the JSON object.` },
    ])
    // The conversation goes on from what was mended.
    expect(one.heard[2].slice(3)).toEqual([{ role: 'assistant', text: JSON.stringify(BUY) }, { role: 'user', text: 'BUY? (1)' }])
  })

  it('twice: the next one is asked, from phase 1', async () => {
    const broken = { ...BUY, confidence: 7, raw: '7' }
    const [one, two] = [ai('one', [broken, broken]), ai('two', [SELL, SELL])]
    expect(await consult([one, two])).toMatchObject({
      provider: 'two', fallbacks: [{ provider: 'one', error: 'invalid: confidence 7 is outside [0, 1]' }],
    })
    expect(two.heard[0]).toEqual([OPENING])
  })

  it('may come once at each turn', async () => {
    const broken = fail('not-json', { answer: 'hm' })
    const one = ai('one', [broken, BUY, broken, SELL])
    expect(await consult([one])).toMatchObject({ provider: 'one', opinion: SELL, initial: BUY })
    expect(one.heard.map(({ length }) => length)).toEqual([1, 3, 5, 7])
  })

  it('keeps nothing of the repair from the budget', async () => {
    const usage = { inputTokens: 100, outputTokens: 50 }
    const one = ai('one', [fail('not-json', { answer: 'hm', usage }), { ...BUY, usage }, { ...SELL, usage }])
    const price = { input: 1_000, output: 1_000 }
    const { usage: told } = await consult([one], { budget: { priceOf: () => price } })
    expect(told).toEqual({ inputTokens: 300, outputTokens: 150, costUsd: expect.closeTo(0.45, 12) as number })
  })
})

describe('what is no fault of the answer\'s form', () => {
  it.each<FailureKind>(['refused', 'too-long', 'key', 'bad-request', 'rate-limit', 'timeout'])('%s: the next one is asked at once', async (kind) => {
    const [one, two] = [ai('one', [fail(kind)]), ai('two', [SELL, SELL])]
    expect(await consult([one, two])).toMatchObject({ link: 1, provider: 'two', fallbacks: [{ provider: 'one', error: `${kind}: ${kind} it is` }] })
    expect(one.heard).toHaveLength(1)
  })
})

describe('a conversation', () => {
  it('is never taken over: who fails midway is left, and the next starts at phase 1', async () => {
    const [one, two] = [ai('one', [BUY, fail('refused')]), ai('two', [SELL, { ...SELL, confidence: 0.6 }])]
    const { initial, turns, opinion, steps } = await consult([one, two])
    expect({ initial, turns, opinion }).toEqual({ initial: SELL, turns: [{ ...SELL, confidence: 0.6 }], opinion: { ...SELL, confidence: 0.6 } })
    expect(two.heard[0]).toEqual([OPENING])
    expect(JSON.stringify(two.heard)).not.toContain('BUY')
    // What it said is kept, and what it cost.
    expect(steps[0]).toMatchObject({ provider: 'one', skipped: null, turns: [BUY], failure: { kind: 'refused' } })
  })

  it('shows the model its own words without what the plugin adds', async () => {
    const one = ai('one', [{ ...BUY, raw: 'raw', responseId: 'r-1', usage: { inputTokens: 1, outputTokens: 1 } }, SELL])
    await consult([one])
    expect(one.heard[1][1]).toEqual({ role: 'assistant', text: JSON.stringify(BUY) })
  })

  it('has as many turns as are asked for', async () => {
    const one = ai('one', [BUY, SELL, BUY, SELL])
    expect(await consult([one], { turns: 3 })).toMatchObject({ initial: BUY, turns: [SELL, BUY, SELL], opinion: SELL })
    expect(await consult([ai('one', [BUY])], { turns: 0 })).toMatchObject({ initial: BUY, turns: [], opinion: BUY })
  })
})

describe('time', () => {
  it('one of several has half of what is left, so that others can answer', async () => {
    const clock = new EventClock()
    const begun = clock.now()
    const links = ['one', 'two', 'three'].map((name) => ai(name, [after(clock, 900 * SECOND)]))
    const { steps, provider, latencyMs } = await consult(links, { clock, deadlineMs: 40 * SECOND })
    expect(provider).toBe('technical')
    expect(steps.map(({ replies }) => replies[0].latencyMs)).toEqual([20 * SECOND, 10 * SECOND, 10 * SECOND])
    expect(steps.map(({ failure }) => failure!.kind)).toEqual(['timeout', 'timeout', 'timeout'])
    expect([latencyMs, clock.now() - begun]).toEqual([40 * SECOND, 40 * SECOND])
  })

  it('half of it is for the whole conversation, not for each turn', async () => {
    const clock = new EventClock()
    const one = ai('one', [after(clock, 15 * SECOND), after(clock, 15 * SECOND)])
    const two = ai('two', [after(clock, SECOND, SELL), after(clock, SECOND, SELL)])
    const { provider, steps } = await consult([one, two], { clock, deadlineMs: 40 * SECOND })
    expect(provider).toBe('two')
    expect(steps[0]).toMatchObject({ turns: [BUY], failure: { kind: 'timeout' } })
    expect(steps[0].replies.map(({ latencyMs }) => latencyMs)).toEqual([15 * SECOND, 5 * SECOND])
  })

  it.each<[string, Partial<DecisionProvider>, boolean]>([
    ['have no key', { lacks: 'SOME_KEY' }, false], ['are disabled', {}, true],
  ])('is all one\'s own where others %s', async (_, own, shut) => {
    const clock = new EventClock()
    const book = new MemoryBook()
    if (shut) book.update('two', (health) => disabled(health, clock.now(), 'too dear'))
    const links = [ai('one', [after(clock, 25 * SECOND), SELL]), ai('two', [], own)]
    expect(await consult(links, { clock, book, deadlineMs: 30 * SECOND })).toMatchObject({ provider: 'one', opinion: SELL })
  })

  it('that is over is said of those who were not asked', async () => {
    const clock = new EventClock()
    const one = ai('one', [after(clock, 20 * SECOND), SELL])
    const { fallbacks, provider } = await consult([one], { clock, deadlineMs: 20 * SECOND })
    expect(provider).toBe('technical')
    expect(fallbacks).toEqual([{ provider: 'one', error: expect.stringMatching(/^(deadline|timeout: .*)$/) as string }])
    expect(clock.now()).toBe(Date.UTC(2025, 0, 1) + 20 * SECOND)
  })
})

describe('who is not asked', () => {
  it('is named with the reason, and the rules say so at the end', async () => {
    const book = new MemoryBook()
    const clock = new EventClock()
    book.update('off', (health) => disabled(health, clock.now(), 'too dear'))
    const dear = { input: 1e6, output: 1e6 }
    const cooling = ai('cooling', [fail('timeout')])
    const links = [
      ai('keyless', [], { lacks: 'SOME_KEY' }), ai('off', []), cooling, ai('dear', [], { model: 'dear' }),
    ]
    const chain = chainOf([...links, RULES], { book, clock, budget: { run: 1, priceOf: ({ model }) => (model === 'dear' ? dear : null) } })
    await chain.consult(asked())
    expect(await chain.consult(asked())).toMatchObject({
      link: 4, provider: 'technical', opinion: HOLD, turns: [], latencyMs: 0, usage: { costUsd: 0 },
      fallbacks: [
        { provider: 'keyless', error: 'no-key' }, { provider: 'off', error: 'disabled' }, { provider: 'cooling', error: 'cooling' },
        { provider: 'dear', error: 'budget' },
      ],
      steps: [{ skipped: 'no-key' }, { skipped: 'disabled' }, { skipped: 'cooling' }, { skipped: 'budget' }],
    })
    expect(links.map(({ heard }) => heard.length)).toEqual([0, 0, 1, 0])
  })

  it('may be left midway for want of money: what it said costs and does not count', async () => {
    const usage = { inputTokens: 400, outputTokens: 100 }
    const { provider, fallbacks, usage: told, steps } = await consult([ai('one', [{ ...BUY, usage }, SELL])], {
      budget: { run: 0.9, priceOf: () => ({ input: 1_000, output: 1_000 }) },
    })
    expect({ provider, fallbacks }).toEqual({ provider: 'technical', fallbacks: [{ provider: 'one', error: 'budget' }] })
    expect(told).toEqual({ ...usage, costUsd: 0.5 })
    expect(steps[0]).toMatchObject({ skipped: 'budget', turns: [], failure: null })
  })

  it('does not keep the next one from answering', async () => {
    expect(await consult([ai('keyless', [], { lacks: 'K' }), ai('two', [SELL, SELL])])).toMatchObject({
      link: 1, provider: 'two', fallbacks: [{ provider: 'keyless', error: 'no-key' }],
    })
  })
})

describe('the end of the chain', () => {
  it('is the rules, with all that was spent before them', async () => {
    const clock = new EventClock()
    const slow = async (signal: AbortSignal): Promise<never> => {
      await clock.sleep(2 * SECOND, signal)
      throw fail('refused', { usage: { inputTokens: 10, outputTokens: 5 } })
    }
    expect(await consult([ai('one', [slow]), ai('two', [slow])], { clock })).toMatchObject({
      provider: 'technical', model: null, latencyMs: 4 * SECOND, usage: { inputTokens: 20, outputTokens: 10 },
      fallbacks: [{ provider: 'one', error: 'refused: refused it is' }, { provider: 'two', error: 'refused: refused it is' }],
    })
  })

  it('is never reached when somebody answers', async () => {
    const silent = new StrategyConversation({ ...strategy, technical: () => { throw new Error('rules were asked') } }, null, snapshot)
    expect(await chainOf([ai('one', [BUY, BUY]), RULES]).consult(silent)).toMatchObject({ provider: 'one' })
  })

  it('is not reached by an abort: the decision is not made', async () => {
    const stop = new AbortController()
    const reason = new Error('Ctrl-C')
    const one = ai('one', [() => { stop.abort(reason); return new Promise(() => {}) }])
    const two = ai('two', [BUY, BUY])
    await expect(consult([one, two], { signal: stop.signal })).rejects.toBe(reason)
    expect(two.heard).toEqual([])
  })
})

describe('with a tape', () => {
  /** Knows what is in `known`, by the newest message. */
  function taped(known: Readonly<Record<string, Reply>>) {
    const kept: ProviderRequest[] = []
    const decisions: (readonly Step[])[] = []
    const tape: AnswerTape = {
      known: ({ messages }) => known[messages.at(-1)!.text] ?? null,
      keep: (request, asking) => {
        kept.push(request)
        return asking
      },
      decided: (_, steps) => { decisions.push(steps) },
    }
    return { tape, kept, decisions }
  }
  const request = (provider: string): Partial<DecisionProvider> => ({
    request: ({ system, messages }) => ({ provider, model: 'm', endpoint: '/', system, messages, schema: {}, sampling: {} }),
  })
  const reply: Reply = { answer: BUY, failure: null, latencyMs: 700, attempts: 1, usage: { inputTokens: 1, outputTokens: 1, costUsd: 0 } }

  it('asks nothing twice, whoever is disabled by now', async () => {
    const book = new MemoryBook()
    book.update('one', (health) => disabled(health, 0, 'too dear'))
    const { tape, kept, decisions } = taped({ [OPENING.text]: reply, 'BUY? (1)': { ...reply, answer: SELL } })
    const one = ai('one', [], request('one'))
    expect(await consult([one], { tape, book })).toMatchObject({ provider: 'one', opinion: SELL, latencyMs: 1_400 })
    expect([one.heard, kept]).toEqual([[], []])
    expect(decisions).toHaveLength(1)
  })

  it('asks what is missing, and keeps it', async () => {
    const { tape, kept, decisions } = taped({ [OPENING.text]: reply })
    const one = ai('one', [SELL], request('one'))
    expect(await consult([one], { tape })).toMatchObject({ provider: 'one', opinion: SELL })
    expect(kept.map(({ messages }) => messages.length)).toEqual([3])
    expect(decisions[0]).toMatchObject([{ provider: 'one', skipped: null, turns: [BUY, SELL] }])
  })

  it('tells also of decisions that nobody was there for', async () => {
    const { tape, decisions } = taped({})
    await consult([ai('keyless', [], { lacks: 'K', ...request('keyless') })], { tape })
    expect(decisions).toMatchObject([[{ provider: 'keyless', skipped: 'no-key' }]])
  })
})
