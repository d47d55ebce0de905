import { LLMock } from '@copilotkit/aimock'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Conversation, Deps, DecisionProvider, Plugin } from '../../engine/ports.ts'
import anthropic from '../../plugins/provider/anthropic.ts'
import gemini from '../../plugins/provider/gemini.ts'
import openai from '../../plugins/provider/openai.ts'
import together from '../../plugins/provider/together.ts'
import { providerDeps } from '../support/provider-deps.ts'

const GOOD = { action: 'SELL', confidence: 0.55, reasoning: 'the trend has turned' }
const services: readonly { readonly plugin: Plugin<'provider', unknown>; readonly base: string }[] = [
  { plugin: gemini, base: '' }, { plugin: openai, base: '/v1' }, { plugin: anthropic, base: '' }, { plugin: together, base: '/v1' },
]

/** A server that others wrote: our clients read its answers, which follow the services' own. */
describe.each(services)('$plugin.name against aimock', ({ plugin, base }) => {
  const mock = new LLMock({ port: 0, host: '127.0.0.1' })
  beforeAll(async () => {
    mock.onMessage('first question', { content: JSON.stringify(GOOD) })
    mock.onMessage('second question', { content: JSON.stringify({ ...GOOD, action: 'HOLD' }) })
    mock.onMessage('busy', { error: { message: 'slow down', type: 'rate_limit_error' }, status: 429 })
    mock.onMessage('chatty', { content: 'I would rather not say.' })
    await mock.start()
  })
  afterAll(() => mock.stop())

  const make = (deps: Partial<Deps> = {}): DecisionProvider | Promise<DecisionProvider> => plugin.create(
    plugin.options.parse({ baseURL: mock.url + base }),
    providerDeps({ env: { [`${plugin.name.toUpperCase()}_API_KEY`]: 'mock' }, ...deps }), undefined,
  )
  const talk = (...texts: readonly string[]): Conversation => ({
    system: 'You are an analyst.',
    messages: texts.map((text, index) => ({ role: index % 2 === 0 ? 'user' : 'assistant', text })),
    snapshot: {} as Conversation['snapshot'], rules: () => ({ action: 'HOLD', confidence: 0, reasoning: '' }),
  })
  const { signal } = new AbortController()

  it('reads an answer', async () => {
    const answer = await (await make()).answer(talk('first question'), signal)
    expect(answer).toMatchObject({ ...GOOD, raw: JSON.stringify(GOOD) })
    expect(answer.usage!.inputTokens).toBeGreaterThanOrEqual(0)
    expect(answer.usage!.outputTokens).toBeGreaterThanOrEqual(0)
  })

  it('goes on with a conversation', async () => {
    const answer = await (await make()).answer(talk('first question', JSON.stringify(GOOD), 'second question'), signal)
    expect(answer.action).toBe('HOLD')
  })

  it('classes its errors', async () => {
    const asked = await make()
    await expect(asked.answer(talk('busy'), signal)).rejects.toMatchObject({ kind: 'rate-limit', status: 429 })
    await expect(asked.answer(talk('chatty'), signal)).rejects.toMatchObject({ kind: 'not-json', answer: 'I would rather not say.' })
  })
})
