import { z } from 'zod'
import type { GenerateContentResponse, Part, ResponseSchema } from '@google/generative-ai'
import { ANSWER_SCHEMA } from '../../engine/core/answer.ts'
import { definePlugin } from '../../engine/ports.ts'
import { envOf } from '../service/base.ts'
import { serviceOptions } from '../service/options.ts'
import { serviceOf, type Dialect, type Reading } from '../service/service.ts'
import { withFetch } from './gemini/scoped-fetch.ts'

const KEY = 'GEMINI_API_KEY'
const options = z.strictObject({
  ...serviceOptions('gemini'),
  maxTokens: z.int().min(1).default(4096).describe('longest answer, thoughts included'),
  seed: z.int().optional().describe('asks for the same answer to the same question; no promise of the service'),
  thinkingBudget: z.int().min(-1).optional()
    .describe('tokens to think with, for models that take a number: 0 = none, -1 = as it likes'),
})

/** Google's own kind of schema knows neither `additionalProperties` nor the order of its fields. */
const { additionalProperties: _, ...fields } = ANSWER_SCHEMA
const schema = { ...fields, propertyOrdering: ANSWER_SCHEMA.required }

const dialect: Dialect = {
  provider: 'gemini',
  url: 'https://generativelanguage.googleapis.com',
  keyName: KEY,
  path: (model) => `/v1beta/models/${model}:generateContent`,
  schema,
  async send({ request: { model, system, messages, sampling }, key, baseURL, fetch, signal }) {
    const { GoogleGenerativeAI } = await import('@google/generative-ai')
    const responseSchema = schema as unknown as ResponseSchema
    const generationConfig = { ...sampling, responseMimeType: 'application/json', responseSchema }
    const asked = new GoogleGenerativeAI(key).getGenerativeModel(
      { model, generationConfig, ...(system === '' ? {} : { systemInstruction: system }) }, { baseUrl: baseURL },
    )
    const contents = messages.map(({ role, text }) => ({ role: role === 'user' ? 'user' : 'model', parts: [{ text }] }))
    const { response } = await withFetch(fetch, () => asked.generateContent({ contents }, { signal }))
    return response
  },
  read,
}

/** With what the SDK's types do not know yet. */
type Told = GenerateContentResponse & {
  readonly modelVersion?: string
  readonly responseId?: string
  readonly usageMetadata?: { readonly thoughtsTokenCount?: number }
}

function read(response: unknown): Reading {
  const { promptFeedback, candidates, usageMetadata, modelVersion, responseId } = response as Told
  const [candidate] = candidates ?? []
  const blocked = promptFeedback?.blockReason
  if (candidate === undefined && blocked === undefined) throw new Error('neither a candidate nor a reason')
  const finish: string = candidate?.finishReason ?? 'STOP'
  const { parts = [] }: { parts?: (Part & { thought?: boolean })[] } = candidate?.content ?? {}
  return {
    text: parts.map(({ text, thought }) => (thought === true ? '' : text ?? '')).join(''),
    fault: blocked !== undefined ? { kind: 'refused', why: `the question was blocked (${blocked})` }
      : finish === 'MAX_TOKENS' ? { kind: 'truncated', why: 'the answer was cut off (MAX_TOKENS)' }
        : finish !== 'STOP' ? { kind: 'refused', why: `the answer was held back (${finish})` } : null,
    usage: usageMetadata === undefined ? null : {
      inputTokens: usageMetadata.promptTokenCount ?? 0,
      outputTokens: (usageMetadata.candidatesTokenCount ?? 0) + (usageMetadata.thoughtsTokenCount ?? 0),
    },
    modelVersion,
    responseId,
  }
}

export default definePlugin({
  kind: 'provider',
  name: 'gemini',
  description: 'Google Gemini. Needs GEMINI_API_KEY.',
  options,
  env: envOf('gemini', KEY),
  create: (parsed, deps) => serviceOf(dialect, parsed, () => ({
    temperature: parsed.temperature, maxOutputTokens: parsed.maxTokens, topP: parsed.topP, seed: parsed.seed,
    thinkingConfig: parsed.thinkingBudget === undefined ? undefined : { thinkingBudget: parsed.thinkingBudget },
  }), deps),
})
