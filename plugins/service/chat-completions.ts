import type { OpenAI as Api } from 'openai'
import { ANSWER_SCHEMA } from '../../engine/core/answer.ts'
import type { Call, Dialect, Reading } from './service.ts'

export type ChatService = Pick<Dialect, 'provider' | 'url' | 'keyName' | 'forbidden'>

/** OpenAI's chat completions, which many other services and servers speak as well. */
export const chatCompletions = (service: ChatService): Dialect =>
  ({ ...service, path: () => '/chat/completions', schema: ANSWER_SCHEMA, send, read })

async function send({ request, key, baseURL, fetch, signal }: Call): Promise<unknown> {
  const { model, system, messages, schema, sampling } = request
  const { OpenAI } = await import('openai')
  // Said outright, or the SDK would take it from the environment.
  const client = new OpenAI({
    apiKey: key, baseURL, fetch, maxRetries: 0, organization: null, project: null, adminAPIKey: null, logLevel: 'off',
  })
  const turns = messages.map(({ role, text }) => ({ role, content: text }))
  const body: Api.ChatCompletionCreateParamsNonStreaming = {
    model,
    messages: system === '' ? turns : [{ role: 'system', content: system }, ...turns],
    response_format: {
      type: 'json_schema', json_schema: { name: 'opinion', strict: true, schema: schema as Record<string, unknown> },
    },
    ...sampling,
  }
  return client.chat.completions.create(body, { signal })
}

function read(response: unknown): Reading {
  const { choices, usage, model, id } = response as Pick<Api.ChatCompletion, 'choices'> & Partial<Api.ChatCompletion>
  const [{ message, finish_reason: finish }] = choices
  const refusal = message.refusal ?? null
  return {
    text: message.content ?? '',
    fault: refusal !== null && refusal !== '' ? { kind: 'refused', why: `the model refused: ${refusal}` }
      : finish === 'content_filter' ? { kind: 'refused', why: 'the answer was held back (content_filter)' }
        : finish === 'length' ? { kind: 'truncated', why: 'the answer was cut off (length)' } : null,
    usage: usage === undefined || usage === null ? null
      : { inputTokens: usage.prompt_tokens, outputTokens: usage.completion_tokens },
    modelVersion: model,
    responseId: id,
  }
}
