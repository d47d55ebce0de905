import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalJson, frameOf, KEY_VERSION, requestKey, talkOf } from '../../../engine/recording/key.ts'
import type { Message, ProviderRequest } from '../../../engine/ports.ts'

const request: ProviderRequest = {
  provider: 'openai', model: 'm-1', endpoint: '/v1/chat/completions', system: 'be brief',
  messages: [{ role: 'user', text: 'what now?' }], schema: { type: 'object', properties: { a: { type: 'string' }, b: { type: 'number' } } },
  sampling: { temperature: 0, max_tokens: 1024 },
}

const message = fc.record<Message>({ role: fc.constantFrom('user', 'assistant'), text: fc.oneof(fc.string(), fc.constantFrom('', '4:user', 'user4:', '0:')) })

/** The same value, each object's keys the other way round. */
function turned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(turned)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).reverse().map(([name, part]) => [name, turned(part)]))
}

describe('requestKey', () => {
  it('is a SHA-256 that stays what it was, as recordings live longer than programs', () => {
    expect(KEY_VERSION).toBe(1)
    expect(requestKey(request)).toBe('11faa26f0ea59b44b76fbb49421fbfe7abee0661486179c45464879acd90707f')
    expect(requestKey(request, 1)).toBe('dbd2b8dabdebeed28aeb138e70e99e5127a9d456dd066c7f8822780420f3b1e9')
  })

  it('does not depend on the order in which things are named', () => {
    fc.assert(fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.dictionary(fc.string(), fc.jsonValue()), (schema, sampling) => {
      const one = { ...request, schema, sampling }
      expect(requestKey(turned(one) as ProviderRequest)).toBe(requestKey(one))
      expect(frameOf(turned(one) as ProviderRequest)).toBe(frameOf(one))
    }))
  })

  it.each<[string, Partial<ProviderRequest>]>([
    ['provider', { provider: 'together' }], ['model', { model: 'm-2' }], ['endpoint', { endpoint: '/v1/responses' }], ['system', { system: 'be long' }],
    ['messages', { messages: [{ role: 'user', text: 'what now? ' }] }], ['schema', { schema: { type: 'array' } }], ['sampling', { sampling: { temperature: 0.1 } }],
  ])('changes with the %s', (_, own) => {
    expect(requestKey({ ...request, ...own })).not.toBe(requestKey(request))
  })

  it('changes with the order of what was said, and with the sample', () => {
    const [a, b]: Message[] = [{ role: 'user', text: 'a' }, { role: 'user', text: 'b' }]
    expect(requestKey({ ...request, messages: [a, b] })).not.toBe(requestKey({ ...request, messages: [b, a] }))
    expect(new Set([0, 1, 2, 11].map((sample) => requestKey(request, sample))).size).toBe(4)
  })

  it('knows nothing but what is asked: headers, keys and times that somebody adds are left out', () => {
    const more = { ...request, headers: { authorization: 'Bearer planted-key' }, apiKey: 'planted-key', at: Date.now() }
    expect(requestKey(more)).toBe(requestKey(request))
    expect(frameOf(more)).toBe(frameOf(request))
    expect(frameOf(more)).not.toContain('planted')
  })
})

describe('canonicalJson', () => {
  it('is JSON of the same value, and equal exactly for equal values', () => {
    fc.assert(fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
      expect(JSON.parse(canonicalJson(a))).toEqual(JSON.parse(JSON.stringify(a)))
      expect(canonicalJson(turned(a))).toBe(canonicalJson(a))
      expect(canonicalJson(a) === canonicalJson(b)).toBe(canonicalJson(JSON.parse(JSON.stringify(a))) === canonicalJson(turned(b)))
    }))
  })
})

describe('talkOf', () => {
  it('is equal exactly for equal conversations', () => {
    const talk = fc.array(message, { maxLength: 4 })
    fc.assert(fc.property(talk, talk, (a, b) => {
      expect(talkOf(a) === talkOf(b)).toBe(JSON.stringify(a) === JSON.stringify(b))
      expect(talkOf([...a, ...b]) === talkOf([...b, ...a])).toBe(JSON.stringify([...a, ...b]) === JSON.stringify([...b, ...a]))
    }))
  })
})
