import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { MODELS, AS_OF, costOf, defaultModel, factsOf } from '../../engine/core/models.ts'
import { FORMATS } from '../support/llm-formats.ts'
import { hasShared, shared, sharedNote } from '../support/shared.ts'

type Json = Record<string, unknown>
const read = (path: string): unknown => JSON.parse(readFileSync(shared(`fixtures/llm/${path}`), 'utf8'))

/** The paths of a value's fields: `choices.0.message`. */
const paths = (value: unknown, at = ''): string[] => (typeof value !== 'object' || value === null ? [at]
  : [at, ...Object.entries(value).flatMap(([name, inner]) => paths(inner, at === '' ? name : `${at}.${name}`))])

describe.runIf(hasShared)(`our own server answers as the services do${sharedNote}`, () => {
  it('Gemini', () => {
    const { interactions } = read('gemini/generate-content-system-instruction.json') as {
      interactions: { response: { bodySegments: [Json] } }[]
    }
    const recorded = paths(interactions[0].response.bodySegments[0])
    expect(recorded).toEqual(expect.arrayContaining(paths(FORMATS.gemini.render('low', 'whole'))))
  })

  it('Anthropic', () => {
    const [, { response }] = read('anthropic/recorded-messages-with-tools.json') as { response: Json }[]
    expect(paths(response)).toEqual(expect.arrayContaining(paths(FORMATS.anthropic.render('done', 'whole'))))
  })

  it.each([['openai', 'CreateChatCompletionResponse'], ['together', 'ChatCompletionResponse']] as const)('%s', (service, name) => {
    const { [name]: { required, properties } } = read(`${service}/schemas.json`) as Record<string, { required: string[]; properties: Json }>
    const answer = Object.keys(FORMATS[service].render('x', 'whole'))
    expect(answer).toEqual(expect.arrayContaining(required))
    expect([...Object.keys(properties), 'prompt']).toEqual(expect.arrayContaining(answer))
  })
})

describe('the table of models', () => {
  it('has prices, sources and dates that are dates', () => {
    const rows = Object.values(MODELS).flatMap((models) => Object.values(models))
    expect(rows.length).toBeGreaterThan(10)
    for (const { input, output, cutoff, source } of rows) {
      expect(output).toBeGreaterThanOrEqual(input)
      expect(source).not.toBe('')
      if (cutoff !== null) expect(new Date(cutoff).toISOString().slice(0, 10)).toBe(cutoff)
    }
    expect(new Date(AS_OF).toISOString().slice(0, 10)).toBe(AS_OF)
  })

  it('knows every default, and says so when it does not know', () => {
    for (const provider of Object.keys(MODELS)) expect(factsOf(defaultModel(provider))).not.toBeNull()
    expect(factsOf('gpt-99')).toBeNull()
    expect(factsOf('toString')).toBeNull()
    expect(factsOf(undefined)).toBeNull()
    expect(() => defaultModel('nobody')).toThrow('engine/core/models.ts names no model of provider nobody')
  })

  it('has one entry for a model, so that its price does not depend on who is asked for it', () => {
    const models = Object.values(MODELS).flatMap((known) => Object.keys(known))
    expect(new Set(models).size).toBe(models.length)
    expect(costOf({ input: 2, output: 8 }, 500_000, 250_000)).toBe(3)
  })
})
