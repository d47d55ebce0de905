import { z } from 'zod'
import { hide } from '../../engine/core/http-failure.ts'
import { isLoopbackOrigin, spelledOut } from '../../engine/core/loopback.ts'
import { NOTICE_KINDS } from '../../engine/core/notice.ts'
import { messageOf, TapedeckError } from '../../engine/errors.ts'
import type { Deps } from '../../engine/ports.ts'

/** Options that every notifier has. */
export const commonOptions = {
  events: z.array(z.enum(NOTICE_KINDS)).min(1).default([...NOTICE_KINDS]).describe('what is told'),
  timeoutMs: z.int().min(100).max(60_000).default(10_000).describe('ms to wait for an answer'),
  attempts: z.int().min(1).max(10).default(4).describe('how often a message is sent at most'),
}

/** What came back. */
export interface Answer {
  readonly status: number
  readonly body: string
  readonly headers: Headers
}

/** A message that was not delivered. The text tells neither address nor secrets. */
export class DeliveryFailure extends Error {
  override readonly name = 'DeliveryFailure'
  /** null when no answer came. */
  readonly status: number | null
  readonly retryAfterMs: number | null

  constructor(message: string, status: number | null, retryAfterMs: number | null = null) {
    super(message)
    this.status = status
    this.retryAfterMs = retryAfterMs
  }
}

export interface Delivery {
  /** Named in messages. */
  readonly who: string
  readonly url: string
  readonly body: string
  readonly headers?: Readonly<Record<string, string>>
  /** Never told on, whoever says them. */
  readonly secrets: readonly string[]
  readonly timeoutMs: number
  readonly attempts: number
  /** How long the receiver wants to be left alone, in ms, where it says so in its own way. */
  readonly pause?: (answer: Answer) => number | null
  /** What the receiver says went wrong. */
  readonly reason?: (answer: Answer) => string | null
}

const BACKOFF_MS = { first: 500, most: 30_000 }
/** Who wants more patience, in ms, misses the message. */
const LONGEST_WAIT_MS = 120_000
const MAX_REASON = 200

/**
 * One POST of JSON, again after 429, 5xx and where no answer came, with full jitter and as long as the receiver asks. Returns
 * the 2xx answer; throws {@link DeliveryFailure}, or the signal's reason when it aborts. Redirects are not followed.
 */
export async function deliver(delivery: Delivery, deps: Pick<Deps, 'fetch' | 'clock' | 'random'>, signal: AbortSignal): Promise<Answer> {
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted()
    const failure = await post(delivery, deps.fetch, signal)
    if (!(failure instanceof DeliveryFailure)) return failure
    signal.throwIfAborted()
    const { status, retryAfterMs } = failure
    const passes = status === null || status === 408 || status === 429 || status >= 500
    if (!passes || attempt >= delivery.attempts || (retryAfterMs ?? 0) > LONGEST_WAIT_MS) throw failure
    const wait = deps.random() * Math.min(BACKOFF_MS.most, BACKOFF_MS.first * 2 ** (attempt - 1))
    await deps.clock.sleep(Math.max(wait, retryAfterMs ?? 0), signal)
  }
}

async function post(
  { who, url, body, headers, secrets, timeoutMs, pause, reason }: Delivery, fetch: Deps['fetch'], signal: AbortSignal,
): Promise<Answer | DeliveryFailure> {
  let answer: Answer
  try {
    const response = await fetch(url, {
      method: 'POST', body, redirect: 'manual', headers: { 'content-type': 'application/json', ...headers },
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    })
    answer = { status: response.status, body: await response.text(), headers: response.headers }
  } catch (error) {
    // The transport's own words may hold the address, and the address a secret.
    const timedOut = error instanceof Error && error.name === 'TimeoutError'
    const { code } = (error instanceof Error ? error.cause ?? {} : {}) as { code?: unknown }
    const why = timedOut ? `no answer within ${timeoutMs} ms` : typeof code === 'string' ? code : messageOf(error)
    return new DeliveryFailure(hide(`${who}: ${why}`, [url, ...secrets]), null)
  }
  if (answer.status >= 200 && answer.status < 300) return answer
  const said = reason?.(answer) ?? null
  const why = said === null ? '' : `: ${hide(said, [url, ...secrets]).replaceAll(/\s+/g, ' ').slice(0, MAX_REASON)}`
  return new DeliveryFailure(`${who} answered ${answer.status}${why}`, answer.status, pause?.(answer) ?? retryAfter(answer.headers))
}

function retryAfter(headers: Headers): number | null {
  const seconds = Number(headers.get('retry-after') ?? NaN)
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : null
}

/** An environment variable that has to be set. Throws TD_SETTING_INVALID, which never tells its value. */
export function needed(who: string, name: string, env: Deps['env'], fits: RegExp, expected: string): string {
  const value = env[name]?.trim() ?? ''
  if (fits.test(value)) return value
  throw new TapedeckError('TD_SETTING_INVALID', `${name} ${value === '' ? 'is not set' : 'cannot be right'}: notifier "${who}" needs ${expected}; `
    + 'correct it in the environment or in .env, or leave the notifier out of the scenario')
}

/** https anywhere, http on this machine, without a password. Throws TD_SETTING_INVALID, which never tells the address. */
export function addressFrom(who: string, name: string, given: string): string {
  const text = spelledOut(given)
  const url = URL.canParse(text) ? new URL(text) : null
  const safe = url !== null && (url.protocol === 'https:' || isLoopbackOrigin(url.origin))
  if (safe && url.username === '' && url.password === '') return url.href
  throw new TapedeckError('TD_SETTING_INVALID', `${name} cannot be right: notifier "${who}" needs an https address without a password, or http `
    + 'on this machine; correct it in the environment or in .env')
}
