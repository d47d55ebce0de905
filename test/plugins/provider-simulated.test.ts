import { describe, expect, it } from 'vitest'
import { opinionFault, type Action, type Opinion } from '../../engine/core/opinion.ts'
import { FAILURE_KINDS, ProviderFailure } from '../../engine/core/provider-failure.ts'
import { seededRandom } from '../../engine/core/random.ts'
import type { Snapshot, Trend } from '../../engine/core/snapshot.ts'
import type { Answer, Conversation, DecisionProvider, Message } from '../../engine/ports.ts'
import simulated from '../../plugins/provider/simulated.ts'
import { providerDeps } from '../support/provider-deps.ts'

const make = async (options: object = {}): Promise<DecisionProvider> =>
  simulated.create(simulated.options.parse(options), providerDeps(), undefined)
const { signal } = new AbortController()

function about(candle: number, rules: Partial<Opinion> = {}, trend: Trend = 'UP', later: readonly string[] = []): Conversation {
  const messages: Message[] = [{ role: 'user', text: `candle ${candle}` }]
  for (const text of later) messages.push({ role: messages.length % 2 === 0 ? 'user' : 'assistant', text })
  return {
    system: 'You are an analyst.', messages, snapshot: { trend } as Snapshot,
    rules: () => ({ action: 'HOLD', confidence: 0.5, reasoning: '', ...rules }),
  }
}

async function ask(asked: DecisionProvider, conversation: Conversation): Promise<Answer | ProviderFailure> {
  try {
    return await asked.answer(conversation, signal)
  } catch (error) {
    return error as ProviderFailure
  }
}

const CANDLES = Array.from({ length: 2_000 }, (_, index) => index)

describe('simulated', () => {
  it('gives valid answers that say what they are', async () => {
    const asked = await make()
    const answer = await asked.answer(about(1, { action: 'BUY', confidence: 0.8 }), signal)
    expect(opinionFault(answer)).toBeNull()
    expect(answer).toMatchObject({ action: 'BUY', confidence: 0.625, model: 'simulated-1', modelVersion: 'simulated-1' })
    expect(answer.reasoning).toMatch(/^simulated: /)
    expect(JSON.parse(answer.raw!)).toEqual({ action: 'BUY', confidence: 0.625, reasoning: answer.reasoning })
    expect(answer.usage).toEqual({ inputTokens: 7, outputTokens: Math.ceil(answer.raw!.length / 4) })
    expect(asked.request!(about(1))).toMatchObject({ provider: 'simulated', model: 'simulated-1', sampling: { seed: 1 } })
  })

  it('answers by seed and question, in whatever order it is asked', async () => {
    const options = { failureRate: 0.2, flipRate: 0.5 }
    const talks = CANDLES.slice(0, 200).map((candle) => about(candle, {}, 'DOWN', candle % 2 === 0 ? [] : ['said', 'do you stand by it?']))
    const [forth, back, other] = await Promise.all([make(options), make(options), make({ ...options, seed: 2 })])
    const inOrder = await Promise.all(talks.map((talk) => ask(forth, talk)))
    const reversed = await Promise.all([...talks].reverse().map((talk) => ask(back, talk)))
    expect(reversed.reverse()).toEqual(inOrder)
    expect(await Promise.all(talks.map((talk) => ask(other, talk)))).not.toEqual(inOrder)
  })

  it('says what happens on prices without drift', async () => {
    const asked = await make()
    const random = seededRandom(7)
    let said = 0
    let happened = 0
    for (const candle of CANDLES) {
      const { confidence } = await asked.answer(about(candle, { action: 'BUY' }), signal)
      let steps = 0
      while (steps > -5 && steps < 3) steps += random() < 0.5 ? 1 : -1
      said += confidence
      happened += Number(steps === 3)
    }
    expect(said / CANDLES.length).toBeCloseTo(0.625, 10)
    // Three standard errors of 2,000 tries.
    expect(Math.abs(happened - said) / CANDLES.length).toBeLessThan(0.033)
  })

  it('leans on the rules with skill, and says too much without calibration', async () => {
    const confidence = async (options: object, action: Action): Promise<number> =>
      (await (await make(options)).answer(about(1, { action, confidence: 0.9 }), signal)).confidence
    expect(await confidence({}, 'SELL')).toBe(0.375)
    expect(await confidence({ skill: 1 }, 'BUY')).toBe(0.865)
    expect(await confidence({ skill: 1 }, 'SELL')).toBe(0.615)
    expect(await confidence({ calibration: 0.5 }, 'BUY')).toBe(0.8125)
    expect(await confidence({ calibration: 0 }, 'SELL')).toBe(1)
    expect(await confidence({ baseRate: 0.5 }, 'BUY')).toBe(0.5)
  })

  it('changes its mind as often as it is told to', async () => {
    const rate = async (flipRate: number): Promise<number> => {
      const asked = await make({ flipRate })
      let changed = 0
      for (const candle of CANDLES) {
        const { action } = await asked.answer(about(candle, { action: 'BUY' }, 'UP', ['said', 'do you stand by it?']), signal)
        changed += Number(action !== 'BUY')
      }
      return changed / CANDLES.length
    }
    expect(await rate(0)).toBe(0)
    expect(await rate(1)).toBe(1)
    expect(Math.abs(await rate(0.3) - 0.3)).toBeLessThan(0.04)
  })

  it('fails as often as it is told to, in ways that a service fails', async () => {
    const asked = await make({ failureRate: 0.25 })
    const failures = (await Promise.all(CANDLES.map((candle) => ask(asked, about(candle)))))
      .filter((one) => one instanceof ProviderFailure)
    expect(Math.abs(failures.length / CANDLES.length - 0.25)).toBeLessThan(0.04)
    expect(failures.every(({ kind, message }) => FAILURE_KINDS.includes(kind) && message.startsWith('simulated '))).toBe(true)
    expect(new Set(failures.map(({ kind }) => kind)).size).toBeGreaterThan(5)
  })

  it('tells how long it would have taken', async () => {
    const asked = await make({ latencyMs: 1_000 })
    const times = await Promise.all(CANDLES.map(async (candle) => (await asked.answer(about(candle), signal)).latencyMs!))
    expect(Math.min(...times)).toBeGreaterThanOrEqual(500)
    expect(Math.max(...times)).toBeLessThanOrEqual(1_500)
    expect(Math.abs(times.reduce((sum, one) => sum + one) / times.length - 1_000)).toBeLessThan(30)
  })

  it('stops when its caller does', async () => {
    const reason = new Error('stop')
    const asked = await make()
    expect(() => asked.answer(about(1), AbortSignal.abort(reason))).toThrow(reason)
  })
})
