import { ProviderFailure, type FailureKind } from './provider-failure.ts'
import { DAY_MS, type EpochMs } from './time.ts'

/** What a service answered instead of an answer. */
export interface HttpAnswer {
  readonly status: number
  readonly body: string
  readonly headers: Iterable<readonly [string, string]>
}

/** What is known of the service besides. */
export interface HttpContext {
  /** Named in the message. */
  readonly service: string
  readonly now: EpochMs
  /** Texts that must not be told on, such as the key. */
  readonly secrets: readonly string[]
  /** What 403 means there; left out = the key may not do that. */
  readonly forbidden?: FailureKind
}

const MAX_BODY = 2_000
const MAX_MESSAGE = 300
const SAFE_HEADER = /^(retry-after(-ms)?|x-request-id|request-id|x-ratelimit-.+|anthropic-ratelimit-.+)$/
const TOO_LONG = new RegExp([
  'context[_ ](length|window)', 'maximum context', 'too many (input )?tokens', 'token count.{0,80}exceeds',
  '(prompt|input) is too long', 'too large',
].join('|'), 'i')
const DAILY = /per[_ -]?day|daily|\bRPD\b|\bTPD\b/i
/** Waiting does not help against an empty purse, whatever the status: OpenAI says it with 429, Anthropic with 400. */
const UNPAID = /insufficient_quota|credit balance|billing_(error|hard_limit|not_active)|enable billing/i
const BAD_KEY = /API_KEY_INVALID|API key not valid|invalid_api_key|API key expired/i
const AGAINST_POLICY = /content_filter|content_policy|content management policy/i

/** Why a status other than 200 came, as the one class of failure that says what to do about it. */
export function failureOfStatus(answer: HttpAnswer, context: HttpContext): ProviderFailure {
  const { status } = answer
  const { service, secrets, now } = context
  const headers = safeHeaders(answer.headers, secrets)
  const body = redact(answer.body, secrets)
  const kind = kindOf(status, body, context.forbidden ?? 'key')
  const retryAfterMs = hintOf(headers, body, now)
  return new ProviderFailure(kind, `${service} answered ${status}${saying(body)}`, {
    status, headers, body: body.slice(0, MAX_BODY), retryAfterMs,
    resetAtMs: kind === 'quota' ? resetOf(body, now, retryAfterMs) : null,
  })
}

function kindOf(status: number, body: string, forbidden: FailureKind): FailureKind {
  if (status === 401) return 'key'
  if (status === 402) return 'payment'
  if (status === 403) return UNPAID.test(body) ? 'payment' : forbidden
  if (status === 404 || status === 410) return 'model-gone'
  if (status === 413) return 'too-long'
  if (status === 429) return UNPAID.test(body) ? 'payment' : DAILY.test(body) ? 'quota' : 'rate-limit'
  if (status === 408 || status === 409 || status >= 500) return 'server'
  if (UNPAID.test(body)) return 'payment'
  if (BAD_KEY.test(body)) return 'key'
  if (AGAINST_POLICY.test(body)) return 'refused'
  return TOO_LONG.test(body) ? 'too-long' : 'bad-request'
}

/** Without the texts that must not be told on. */
export const hide = (text: string, secrets: readonly string[]): string =>
  secrets.filter((secret) => secret !== '').reduce((rest, secret) => rest.replaceAll(secret, '[redacted]'), text)

/** Taken whole, whether it has parameters or not: looking for a `?` that never comes would begin anew at every address. */
const ADDRESS = /https?:\/\/[^\s"'<>]+/g

/** What a header or an error's text may tell: no key, and no address with its parameters, which may be signed. */
export const redact = (text: string, secrets: readonly string[]): string =>
  hide(text, secrets).replaceAll(ADDRESS, (address) => address.split('?', 1)[0])

/** Headers that say how long to wait and which request it was, by name in lower case. */
export function safeHeaders(headers: HttpAnswer['headers'], secrets: readonly string[]): Record<string, string> {
  const told: Record<string, string> = {}
  for (const [name, value] of headers) {
    if (SAFE_HEADER.test(name.toLowerCase())) told[name.toLowerCase()] = redact(value, secrets).slice(0, MAX_MESSAGE)
  }
  return told
}

/** `: the service's own words`, which stand in `error.message`, `error`, `message` or `detail`, whoever it is. */
function saying(body: string): string {
  const said = parsed(body)
  const error = field(said, 'error')
  const message = [field(error, 'message'), error, field(said, 'message'), field(said, 'detail')]
    .find((words): words is string => typeof words === 'string' && words !== '')
  if (message === undefined) return ''
  return `: ${message.replaceAll(/\s+/g, ' ').slice(0, MAX_MESSAGE)}`
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return null
  }
}

const field = (value: unknown, name: string): unknown =>
  (typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined)

/** How long the service asks to wait, in ms: by header, in Google's RetryInfo, or in its words. */
function hintOf(headers: Readonly<Record<string, string>>, body: string, now: EpochMs): number | null {
  const { 'retry-after-ms': inMs, 'retry-after': after } = headers
  if (inMs !== undefined && /^\d+(\.\d+)?$/.test(inMs)) return Math.ceil(Number(inMs))
  if (after !== undefined) {
    const ms = /^\d+(\.\d+)?$/.test(after) ? Number(after) * 1000 : Date.parse(after) - now
    if (Number.isFinite(ms)) return Math.max(0, Math.ceil(ms))
  }
  const delay = /"retryDelay"\s*:\s*"([\d.]+)s"/.exec(body)?.[1]
  if (delay !== undefined && Number.isFinite(Number(delay))) return Math.ceil(Number(delay) * 1000)
  return durationOf(/(?:try again|retry) in ((?:[\d.]+(?:ms|[dhms]))+)/i.exec(body)?.[1] ?? '')
}

const UNITS: Readonly<Record<string, number>> = { d: DAY_MS, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 }

/** `1h2m3.5s` in ms; null for anything else. */
function durationOf(text: string): number | null {
  const parts = [...text.matchAll(/([\d.]+)(ms|[dhms])/g)]
  const sum = parts.reduce((ms, [, number, unit]) => ms + Number(number) * UNITS[unit], 0)
  return parts.length === 0 || !Number.isFinite(sum) ? null : Math.ceil(sum)
}

/** Google's days begin at midnight in California, and the delay that it names is that of a minute's quota. */
const resetOf = (body: string, now: EpochMs, hint: number | null): EpochMs | null =>
  (/QuotaFailure|PerDay/.test(body) ? nextMidnightInCalifornia(now) : hint === null ? null : now + hint)

const CALIFORNIA = new Intl.DateTimeFormat('en-GB', {
  timeZone: 'America/Los_Angeles', hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23',
})

function nextMidnightInCalifornia(now: EpochMs): EpochMs {
  const sinceMidnight = (time: EpochMs): number => {
    const [hours, minutes, seconds] = CALIFORNIA.format(time).split(':').map(Number)
    return ((hours * 60 + minutes) * 60 + seconds) * 1000
  }
  const whole = Math.floor(now / 1000) * 1000
  const guess = whole + DAY_MS - sinceMidnight(whole)
  // A day in which clocks are changed has 23 or 25 hours.
  const off = sinceMidnight(guess)
  return off > DAY_MS / 2 ? guess + DAY_MS - off : guess - off
}
