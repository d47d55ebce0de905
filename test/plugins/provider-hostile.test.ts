import { afterEach, describe, expect, it } from 'vitest'
import { ProviderFailure } from '../../engine/core/provider-failure.ts'
import type { Answer } from '../../engine/ports.ts'
import openai from '../../plugins/provider/openai.ts'
import { conversation, wordsOf } from '../contract/provider-suite.ts'
import { FORMATS } from '../support/llm-formats.ts'
import { GOOD, LlmServer } from '../support/llm-server.ts'
import { providerDeps } from '../support/provider-deps.ts'

const KEY = FORMATS.openai.key
const servers: LlmServer[] = []
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()))
})

interface Said {
  readonly content: string | null
  readonly refusal?: string
  readonly usage?: object
}

/** What comes of an answer with status 200. */
async function answered({ content, refusal = '', usage = { prompt_tokens: 1, completion_tokens: 1 } }: Said): Promise<Answer> {
  const body = { id: 'x', model: 'm', choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content, refusal } }], usage }
  const server = await LlmServer.start('openai', { status: 200, body })
  servers.push(server)
  const provider = await openai.create(openai.options.parse({ baseURL: server.baseURL }), providerDeps({ env: { OPENAI_API_KEY: KEY } }), undefined)
  return provider.answer(conversation(), new AbortController().signal)
}

const failure = async (said: Said): Promise<ProviderFailure> => {
  const error: unknown = await answered(said).then(() => null, (reason: unknown) => reason)
  expect(error).toBeInstanceOf(ProviderFailure)
  return error as ProviderFailure
}

describe('an answer that means harm', () => {
  it('is invalid when it is nested deeper than can be written', async () => {
    expect(await failure({ content: '['.repeat(1e5) + ']'.repeat(1e5) })).toMatchObject({ kind: 'invalid', message: expect.stringContaining('too deeply') as string })
  })

  it('tells no part of the key, wherever a refusal has it', async () => {
    for (let before = 0; before < 400; before += 25) {
      const error = await failure({ content: null, refusal: `${'x'.repeat(before)}${KEY}` })
      expect(wordsOf(error)).not.toContain(KEY.slice(0, 8))
    }
  })

  it.each([[1e308, 1e308], [1, 1e30], [-1, 5], ['7', 5]])('counts %s and %s tokens as none that were told', async (prompt, completion) => {
    const { usage } = await answered({ content: GOOD, usage: { prompt_tokens: prompt, completion_tokens: completion } })
    expect(usage).toBeUndefined()
  })
})
