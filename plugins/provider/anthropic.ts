import { z } from 'zod'
import type { Anthropic as Api } from '@anthropic-ai/sdk'
import { ANSWER_SCHEMA } from '../../engine/core/answer.ts'
import { definePlugin } from '../../engine/ports.ts'
import { envOf } from '../service/base.ts'
import { serviceOptions } from '../service/options.ts'
import { serviceOf, type Dialect, type Reading } from '../service/service.ts'

const KEY = 'ANTHROPIC_API_KEY'
/** Longer than any of our own deadlines: there is one, and it is not the SDK's. */
const SDK_TIMEOUT_MS = 3_600_000

const dialect: Dialect = {
  provider: 'anthropic',
  url: 'https://api.anthropic.com',
  keyName: KEY,
  path: () => '/v1/messages',
  schema: ANSWER_SCHEMA,
  async send({ request, key, baseURL, fetch, signal }) {
    const { model, system, messages, schema, sampling: { effort, ...sampling } } = request
    const { Anthropic } = await import('@anthropic-ai/sdk')
    const client = new Anthropic({
      apiKey: key, baseURL, fetch, maxRetries: 0, timeout: SDK_TIMEOUT_MS, logLevel: 'off', openTelemetry: false,
    })
    const body = {
      model,
      ...(system === '' ? {} : { system }),
      messages: messages.map(({ role, text }) => ({ role, content: text })),
      output_config: {
        format: { type: 'json_schema', schema: schema as Record<string, unknown> },
        ...(effort === undefined ? {} : { effort }),
      },
      ...sampling,
    } as Api.MessageCreateParamsNonStreaming
    return client.messages.create(body, { signal })
  },
  read,
}

function read(response: unknown): Reading {
  const { content, stop_reason: stop, usage, model, id } = response as Api.Message
  return {
    text: content.map((block) => (block.type === 'text' ? block.text : '')).join(''),
    fault: stop === 'refusal' ? { kind: 'refused', why: 'the model refused (refusal)' }
      : stop === 'max_tokens' ? { kind: 'truncated', why: 'the answer was cut off (max_tokens)' }
        : stop === 'model_context_window_exceeded' ? { kind: 'too-long', why: `the conversation does not fit (${stop})` }
          : null,
    usage: {
      inputTokens: usage.input_tokens + (usage.cache_creation_input_tokens ?? 0) + (usage.cache_read_input_tokens ?? 0),
      outputTokens: usage.output_tokens,
    },
    modelVersion: model,
    responseId: id,
  }
}

/** Since its version 2026-10-21 the API samples in its own way: how hard the model tries is all that can be said. */
const { temperature: _, topP: __, ...common } = serviceOptions('anthropic')

export default definePlugin({
  kind: 'provider',
  name: 'anthropic',
  description: 'Anthropic Claude. Needs ANTHROPIC_API_KEY.',
  options: z.strictObject({
    ...common,
    effort: z.enum(['low', 'medium', 'high', 'xhigh', 'max']).optional()
      .describe('how hard models that know it try; left out = their own way'),
  }),
  env: envOf('anthropic', KEY),
  create: (parsed, deps) =>
    serviceOf(dialect, parsed, () => ({ max_tokens: parsed.maxTokens, effort: parsed.effort }), deps),
})
