import { describe, expect, it } from 'vitest'
import { failureOfStatus, redact } from '../../../engine/core/http-failure.ts'
import type { ProviderFailure } from '../../../engine/core/provider-failure.ts'

const NOW = Date.UTC(2025, 0, 1, 12)
const at = (status: number, body: string | object = '', headers: Record<string, string> = {}, now = NOW): ProviderFailure => failureOfStatus(
  { status, body: typeof body === 'string' ? body : JSON.stringify(body), headers: Object.entries(headers) },
  { service: 'someone', now, secrets: ['s3cret'] },
)

/** As the services say it. */
const OPENAI = (message: string, code: string | null) => ({ error: { message, type: 'x', param: null, code } })
const ANTHROPIC = (type: string, message: string) => ({ type: 'error', error: { type, message }, request_id: 'req_1' })
const quota = (quotaId: string, retryDelay: string) => ({ error: { code: 429, message: 'You exceeded your current quota', status: 'RESOURCE_EXHAUSTED', details: [
  { '@type': 'type.googleapis.com/google.rpc.QuotaFailure', violations: [{ quotaMetric: 'requests', quotaId }] },
  { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay },
] } })

describe('a status', () => {
  it.each([
    [429, OPENAI('You exceeded your current quota, please check your plan', 'insufficient_quota'), 'payment'],
    [429, OPENAI('Rate limit reached on requests per day (RPD): Limit 200', 'rate_limit_exceeded'), 'quota'],
    [429, OPENAI('Rate limit reached on tokens per min (TPM)', 'rate_limit_exceeded'), 'rate-limit'],
    [429, quota('GenerateRequestsPerMinutePerProjectPerModel-FreeTier', '34s'), 'rate-limit'],
    [429, quota('GenerateRequestsPerDayPerProjectPerModel-FreeTier', '34s'), 'quota'],
    [429, ANTHROPIC('rate_limit_error', 'This would exceed your rate limit'), 'rate-limit'],
    [400, ANTHROPIC('invalid_request_error', 'Your credit balance is too low to access the API'), 'payment'],
    [400, ANTHROPIC('invalid_request_error', 'prompt is too long: 210000 tokens > 200000 maximum'), 'too-long'],
    [413, ANTHROPIC('request_too_large', 'Request exceeds the maximum size'), 'too-long'],
    [529, ANTHROPIC('overloaded_error', 'Overloaded'), 'server'],
    [400, OPENAI('This model\'s maximum context length is 8192 tokens', 'context_length_exceeded'), 'too-long'],
    [400, OPENAI('Your request was flagged', 'content_policy_violation'), 'refused'],
    [400, OPENAI('Unsupported value: temperature', 'unsupported_value'), 'bad-request'],
    [404, OPENAI('The model does not exist', 'model_not_found'), 'model-gone'],
    [410, '', 'model-gone'],
    [400, { error: { code: 400, message: 'API key not valid.', status: 'INVALID_ARGUMENT', details: [{ reason: 'API_KEY_INVALID' }] } }, 'key'],
    [400, { error: { code: 400, message: 'The input token count (1200000) exceeds the maximum number of tokens allowed' } }, 'too-long'],
    [422, '', 'bad-request'],
    [409, '', 'server'],
    [520, '<html>', 'server'],
    [301, '', 'bad-request'],
  ] as const)('%i with %j is %s', (status, body, kind) => expect(at(status, body)).toMatchObject({ kind, status }))

  it('says what the service said, in one line of bounded length', () => {
    expect(at(400, OPENAI('one\n\ttwo', null)).message).toBe('someone answered 400: one two')
    expect(at(400, { error: 'plain' }).message).toBe('someone answered 400: plain')
    expect(at(400, { object: 'error', message: 'flat', code: 400 }).message).toBe('someone answered 400: flat')
    expect(at(401, { detail: 'Unauthorized' }).message).toBe('someone answered 401: Unauthorized')
    expect(at(422, { detail: [{ loc: ['body'], msg: 'extra' }] }).message).toBe('someone answered 422')
    expect(at(502, '<html>').message).toBe('someone answered 502')
    expect(at(400, OPENAI('x'.repeat(9_999), null)).message.length).toBeLessThan(400)
    expect(at(500, 'y'.repeat(9_999)).body!.length).toBe(2_000)
  })

  it('keeps only headers that are safe', () => {
    const { headers } = at(429, '', {
      'Retry-After': '3', 'X-RateLimit-Remaining-Requests': '0', 'anthropic-ratelimit-tokens-limit': '9', 'Request-Id': 'r-s3cret',
      'set-cookie': 'session=1', 'anthropic-organization-id': 'org', authorization: 'Bearer s3cret',
    })
    expect(headers).toEqual({
      'retry-after': '3', 'x-ratelimit-remaining-requests': '0', 'anthropic-ratelimit-tokens-limit': '9', 'request-id': 'r-[redacted]',
    })
  })

  it('tells no key and no signed address', () => {
    const told = at(500, OPENAI('key s3cret at https://a.example/x?sig=abc&key=s3cret', null))
    expect(told.message).toBe('someone answered 500: key [redacted] at https://a.example/x')
    expect(told.body).not.toMatch(/s3cret|sig=/)
    // Cut after hiding: half a key would tell the other half.
    expect(at(500, `${'z'.repeat(1_997)}s3cret`).body).toBe(`${'z'.repeat(1_997)}[re`)
    expect(redact('nothing', [''])).toBe('nothing')
  })
})

describe('a hint', () => {
  it.each([
    [{ 'retry-after': '2.5' }, '', 2_500],
    [{ 'retry-after': 'Wed, 01 Jan 2025 12:00:30 GMT' }, '', 30_000],
    [{ 'retry-after': 'Wed, 01 Jan 2025 11:00:00 GMT' }, '', 0],
    [{ 'retry-after-ms': '150', 'retry-after': '9' }, '', 150],
    [{ 'retry-after': 'soon' }, '', null],
    [{}, quota('PerMinute', '34.07s'), 34_070],
    [{}, OPENAI('Please try again in 7m12.5s. Visit', null), 432_500],
    [{}, OPENAI('Please try again in 120ms.', null), 120],
    [{}, OPENAI('Please retry in 1h.', null), 3_600_000],
    [{}, OPENAI('Please try again in a while', null), null],
  ] as const)('%j %j is %s ms', (headers, body, ms) => expect(at(429, body, headers).retryAfterMs).toBe(ms))

  it.each([
    ['2025-01-01T12:00:00.500Z', '2025-01-02T08:00:00.000Z'],
    ['2025-07-01T06:59:59.000Z', '2025-07-01T07:00:00.000Z'],
    ['2025-03-09T09:00:00.000Z', '2025-03-10T07:00:00.000Z'],
    ['2025-03-09T20:00:00.000Z', '2025-03-10T07:00:00.000Z'],
    ['2025-11-02T07:30:00.000Z', '2025-11-03T08:00:00.000Z'],
    ['2025-11-02T20:00:00.000Z', '2025-11-03T08:00:00.000Z'],
  ])('Google\'s day that holds %s ends at %s', (now, reset) => {
    const told = at(429, quota('GenerateRequestsPerDayPerProjectPerModel-FreeTier', '34s'), {}, Date.parse(now))
    expect(new Date(told.resetAtMs!).toISOString()).toBe(reset)
  })

  it('is when another daily limit ends; only for a daily limit', () => {
    expect(at(429, OPENAI('requests per day. Please try again in 2h', null)).resetAtMs).toBe(NOW + 7_200_000)
    expect(at(429, OPENAI('requests per day', null)).resetAtMs).toBeNull()
    expect(at(429, OPENAI('requests per min. Please try again in 2s', null)).resetAtMs).toBeNull()
  })
})

it('goes once through a text that is nothing but beginnings of addresses', () => {
  const text = 'http://'.repeat(500_000)
  expect(redact(text, [])).toBe(text)
  expect(redact(`${text}x?signed=1 end`, [])).toBe(`${text}x end`)
})
