import type { IncomingHttpHeaders } from 'node:http'

/** The four languages in which AI services are asked. */
export const SERVICES = ['gemini', 'openai', 'anthropic', 'together'] as const
export type ServiceName = (typeof SERVICES)[number]

export interface Received {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** How an answer ends: by itself, cut off, or withheld in one of the ways that a service has. */
export type Ending = 'whole' | 'truncated' | 'no-parts' | 'refused' | 'blocked' | 'filtered'

interface Format {
  readonly key: string
  /** What a base URL has to end with. */
  readonly base: string
  /** What is wrong with a request, or null. */
  readonly fault: (request: Received, body: Json) => string | null
  readonly render: (text: string, ending: Ending) => object
  readonly error: (status: number, message: string) => object
}

type Json = Readonly<Record<string, unknown>>
const object = (value: unknown): Json => (typeof value === 'object' && value !== null ? value as Json : {})
const list = (value: unknown): readonly Json[] => (Array.isArray(value) ? value.map(object) : [])

/** What is asked of every schema, in whatever dialect: three fields, all required. */
function schemaFault(schema: unknown, closed: boolean): string | null {
  const { type, properties, required, additionalProperties } = object(schema)
  if (String(type).toLowerCase() !== 'object') return 'the schema is no object'
  if (Object.keys(object(properties)).join() !== 'action,confidence,reasoning') return 'the schema has other properties'
  if (!Array.isArray(required) || required.length !== 3) return 'a property is not required'
  if (closed && additionalProperties !== false) return 'the schema allows additional properties'
  return !closed && additionalProperties !== undefined ? 'unknown name "additionalProperties"' : null
}

function rolesFault(roles: readonly unknown[], user: string, model: string): string | null {
  if (roles.length === 0) return 'no messages'
  const wrong = roles.findIndex((role, index) => role !== (index % 2 === 0 ? user : model))
  if (wrong >= 0) return `message ${wrong} is of ${String(roles[wrong])}`
  return roles.length % 2 === 0 ? `the last message is not of ${user}` : null
}

const commonFault = ({ method, headers }: Received): string | null =>
  (method !== 'POST' ? `method ${method}` : !/^application\/json\b/.test(headers['content-type'] ?? '') ? 'no JSON' : null)

const chat = (key: string): Format => ({
  key,
  base: '/v1',
  fault: (request, body) => {
    const messages = list(body['messages'])
    const turns = messages[0]?.['role'] === 'system' ? messages.slice(1) : messages
    const format = object(body['response_format'])
    const described = object(format['json_schema'])
    return commonFault(request)
      ?? (request.path !== '/v1/chat/completions' ? `path ${request.path}` : null)
      ?? (request.headers.authorization !== `Bearer ${key}` ? 'authorization' : null)
      ?? (typeof body['model'] !== 'string' ? 'model' : null)
      ?? rolesFault(turns.map(({ role }) => role), 'user', 'assistant')
      ?? (messages.some(({ content }) => typeof content !== 'string' || content === '') ? 'empty content' : null)
      ?? (format['type'] !== 'json_schema' || described['strict'] !== true || typeof described['name'] !== 'string' ? 'response_format' : null)
      ?? schemaFault(described['schema'], true)
  },
  render: (text, ending) => ({
    id: 'chatcmpl-1', object: 'chat.completion', created: 1_700_000_000, model: 'some-model-2026-01-01', prompt: [],
    choices: [{
      index: 0, logprobs: null,
      message: {
        role: 'assistant',
        content: ending === 'refused' || ending === 'no-parts' ? null : text,
        refusal: ending === 'refused' ? 'I cannot help with that.' : null,
      },
      finish_reason: ending === 'truncated' || ending === 'no-parts' ? 'length'
        : ending === 'filtered' || ending === 'blocked' ? 'content_filter' : 'stop',
    }],
    usage: { prompt_tokens: 120, completion_tokens: 30, total_tokens: 150 },
  }),
  error: (status, message) => ({ error: { message, type: `error_${status}`, param: null, code: null } }),
})

const anthropic: Format = {
  key: 'sk-ant-test-0123456789',
  base: '',
  fault: (request, body) => {
    const format = object(object(body['output_config'])['format'])
    return commonFault(request)
      ?? (request.path !== '/v1/messages' ? `path ${request.path}` : null)
      ?? (request.headers.authorization !== `Bearer ${anthropic.key}` ? 'authorization' : null)
      ?? (request.headers['anthropic-version'] !== '2026-10-21' ? 'anthropic-version' : null)
      ?? (typeof body['model'] !== 'string' ? 'model' : null)
      ?? (!Number.isInteger(body['max_tokens']) ? 'max_tokens: field required' : null)
      ?? (typeof body['system'] !== 'string' ? 'system' : null)
      ?? ['temperature', 'top_p', 'top_k', 'seed'].find((name) => body[name] !== undefined)
      ?? rolesFault(list(body['messages']).map(({ role }) => role), 'user', 'assistant')
      ?? (format['type'] !== 'json_schema' ? 'output_config.format.type' : null)
      ?? schemaFault(format['schema'], true)
  },
  render: (text, ending) => ({
    id: 'msg_1', type: 'message', role: 'assistant', model: 'some-model-2026-01-01',
    content: ending === 'no-parts' || ending === 'refused' ? [] : [{ type: 'text', text }],
    stop_reason: ending === 'whole' ? 'end_turn' : ending === 'truncated' || ending === 'no-parts' ? 'max_tokens' : 'refusal',
    stop_sequence: null,
    usage: { input_tokens: 100, cache_creation_input_tokens: 5, cache_read_input_tokens: 15, output_tokens: 30 },
  }),
  error: (status, message) => ({ type: 'error', error: { type: `error_${status}`, message }, request_id: 'req_1' }),
}

const gemini: Format = {
  key: 'AIzaTest0123456789',
  base: '',
  fault: (request, body) => {
    const contents = list(body['contents'])
    const config = object(body['generationConfig'])
    return commonFault(request)
      ?? (!/^\/v1beta\/models\/[\w.-]+:generateContent$/.test(request.path) ? `path ${request.path}` : null)
      ?? (request.headers['x-goog-api-key'] !== gemini.key ? 'x-goog-api-key' : null)
      ?? rolesFault(contents.map(({ role }) => role), 'user', 'model')
      ?? (contents.some(({ parts }) => typeof list(parts)[0]?.['text'] !== 'string') ? 'parts' : null)
      ?? (typeof list(object(body['systemInstruction'])['parts'])[0]?.['text'] !== 'string' ? 'systemInstruction' : null)
      ?? (config['responseMimeType'] !== 'application/json' ? 'responseMimeType' : null)
      ?? (!Number.isInteger(config['maxOutputTokens']) ? 'maxOutputTokens' : null)
      ?? schemaFault(config['responseSchema'], false)
  },
  render: (text, ending) => ({
    ...(ending === 'blocked' ? { promptFeedback: { blockReason: 'SAFETY' } } : {
      candidates: [{
        content: ending === 'no-parts' || ending === 'filtered' ? { role: 'model' } : { parts: [{ text }], role: 'model' },
        finishReason: ending === 'whole' ? 'STOP' : ending === 'truncated' || ending === 'no-parts' ? 'MAX_TOKENS' : 'SAFETY',
        index: 0,
      }],
    }),
    modelVersion: 'some-model-2026-01-01', responseId: 'response-1',
    usageMetadata: { promptTokenCount: 120, candidatesTokenCount: 20, thoughtsTokenCount: 10, totalTokenCount: 150 },
  }),
  error: (status, message) => ({ error: { code: status, message, status: 'SOME_STATUS' } }),
}

export const FORMATS: Readonly<Record<ServiceName, Format>> = {
  gemini, anthropic, openai: chat('sk-test-openai-0123456789'), together: chat('tgp_test_0123456789'),
}
