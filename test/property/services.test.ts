import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { prepareIndicators } from '../../engine/core/indicators.ts'
import { FAILURE_KINDS, ProviderFailure } from '../../engine/core/provider-failure.ts'
import { SnapshotView } from '../../engine/core/snapshot.ts'
import { StrategyConversation } from '../../engine/pipeline/conversation.ts'
import { MemoryBook, refusal } from '../../engine/pipeline/provider-health.ts'
import type { ChainLink } from '../../engine/pipeline/provider-chain.ts'
import type { Answer, Strategy } from '../../engine/ports.ts'
import { chainOf } from '../support/chains.ts'
import { EventClock } from '../support/event-clock.ts'

const DEADLINE_MS = 30_000
const PRICE = { input: 1_000, output: 1_000 }
const MAX_TOKENS = 100

const strategy: Strategy = {
  name: 'asking', description: '', params: z.unknown(), warmup: () => 0, indicators: () => ({}),
  technical: () => ({ action: 'SELL', confidence: 0.9, reasoning: 'rules leave' }),
  prompts: { system: () => 'system', initial: () => 'what now?', refinement: () => 'sure?' },
}
const snapshot = new SnapshotView('BTC/USDT', (await prepareIndicators({}))(0))
const RULES: ChainLink = { name: 'technical', provider: { refines: false, answer: (conversation) => conversation.rules() } }

/** What a service does with one request. */
const act = fc.record({
  latencyMs: fc.integer({ min: 0, max: 20_000 }),
  outcome: fc.oneof(
    { weight: 3, arbitrary: fc.constant('answer' as const) },
    { weight: 2, arbitrary: fc.constantFrom(...FAILURE_KINDS) },
    { weight: 1, arbitrary: fc.constantFrom('hang' as const, 'nonsense' as const) },
  ),
  retryAfterMs: fc.option(fc.integer({ min: 0, max: 60_000 })),
})
const plan = fc.record({
  services: fc.array(fc.array(act, { minLength: 1, maxLength: 30 }), { minLength: 1, maxLength: 4 }),
  decisions: fc.integer({ min: 1, max: 12 }),
  /** Between decisions. */
  pauseMs: fc.integer({ min: 0, max: 1_800_000 }),
  budget: fc.option(fc.double({ min: 0.1, max: 5, noNaN: true })),
})

describe('whatever services do', () => {
  it('each decision is made once, in time, within the budget, and by nobody who is left alone', async () => {
    let fallbacks = 0
    let answered = 0
    await fc.assert(fc.asyncProperty(plan, async ({ services, decisions, pauseMs, budget }) => {
      const clock = new EventClock()
      const book = new MemoryBook()
      let spent = 0
      let open = 0
      const calls: { readonly name: string; readonly at: number }[] = []
      const links = services.map((script, index): ChainLink => {
        const name = `service-${index}`
        let next = 0
        return {
          name,
          provider: {
            refines: true, model: 'm', maxTokens: MAX_TOKENS,
            async answer(conversation, signal): Promise<Answer> {
              const health = book.read(name)
              // A service that is left alone is asked by nobody but its own probe.
              expect(refusal(health, clock.now())).toBeNull()
              calls.push({ name, at: clock.now() })
              expect(conversation.messages.map(({ role }) => role)).toEqual(conversation.messages.map((_, at) => (at % 2 === 0 ? 'user' : 'assistant')))
              open++
              try {
                const { latencyMs, outcome, retryAfterMs } = script[next++ % script.length]
                await clock.sleep(outcome === 'hang' ? 10 * DEADLINE_MS : latencyMs, signal)
                const usage = { inputTokens: 100, outputTokens: MAX_TOKENS }
                if (outcome === 'answer') {
                  spent += (200 * 1_000) / 1e6
                  return { action: 'BUY', confidence: 0.7, reasoning: 'said', usage }
                }
                if (outcome === 'nonsense') {
                  spent += (200 * 1_000) / 1e6
                  return { action: 'BUY', confidence: 7, reasoning: 'said', usage }
                }
                throw new ProviderFailure(outcome as 'server', 'scripted', { retryAfterMs })
              } finally {
                open--
              }
            },
          },
        }
      })
      const chain = chainOf([...links, RULES], {
        clock, book, deadlineMs: DEADLINE_MS,
        budget: { run: budget, priceOf: () => PRICE },
      })
      for (let count = 0; count < decisions; count++) {
        const begun = clock.now()
        const consultation = await chain.consult(new StrategyConversation(strategy, null, snapshot))
        expect(clock.now() - begun).toBeLessThanOrEqual(DEADLINE_MS)
        expect(open).toBe(0)
        const { provider, steps, fallbacks: before, opinion, turns } = consultation
        expect(['BUY', 'SELL']).toContain(opinion.action)
        if (provider === 'technical') {
          fallbacks++
          // Every service is accounted for, and the rules' exit comes through.
          expect(before).toHaveLength(services.length)
          expect(opinion.action).toBe('SELL')
        } else {
          answered++
          expect(provider).toBe(`service-${steps.length - 1}`)
          expect(turns).toHaveLength(1)
          expect(before).toHaveLength(steps.length - 1)
        }
        for (const { replies } of steps) for (const { attempts } of replies) expect(attempts).toBeLessThanOrEqual(3)
        await clock.sleep(pauseMs)
      }
      if (budget !== null) expect(spent).toBeLessThanOrEqual(budget)
    }), { numRuns: 120 })
    // The property would hold for services that never answer, or always do.
    expect(fallbacks).toBeGreaterThan(10)
    expect(answered).toBeGreaterThan(10)
  }, 120_000)

  it('who is disabled for a person\'s sake is never asked again', async () => {
    await fc.assert(fc.asyncProperty(fc.constantFrom('key', 'payment', 'model-gone'), fc.integer({ min: 1, max: 20 }), async (kind, decisions) => {
      const clock = new EventClock()
      let asked = 0
      const link: ChainLink = {
        name: 'one', provider: { refines: true, answer: () => { asked++; throw new ProviderFailure(kind, 'no') } },
      }
      const chain = chainOf([link, RULES], { clock })
      for (let count = 0; count < decisions; count++) {
        expect((await chain.consult(new StrategyConversation(strategy, null, snapshot))).provider).toBe('technical')
        await clock.sleep(86_400_000)
      }
      expect(asked).toBe(1)
    }), { numRuns: 15 })
  })
})
