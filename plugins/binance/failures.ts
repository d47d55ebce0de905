import { z } from 'zod'
import { messageOf } from '../../engine/errors.ts'
import { CallError, type CallFailure } from './call-error.ts'
import type { RawAnswer } from './rest-client.ts'

/** What Binance said instead of an answer. */
export interface Refusal {
  readonly failure: CallFailure
  /** Name of the filter for failure `filter`, else null. */
  readonly filter: string | null
}

const BY_CODE: Readonly<Record<number, CallFailure>> = {
  [-1000]: 'unknown-outcome',
  [-1001]: 'unknown-outcome',
  [-1006]: 'unknown-outcome',
  [-1007]: 'unknown-outcome',
  [-1003]: 'not-executed',
  [-1008]: 'not-executed',
  [-1015]: 'not-executed',
  [-1021]: 'not-executed',
  [-1002]: 'forbidden',
  [-1022]: 'forbidden',
  [-2014]: 'forbidden',
  [-2015]: 'forbidden',
  [-2011]: 'not-found',
  [-2013]: 'not-found',
  [-2021]: 'cancel-replace-partial',
  [-2022]: 'cancel-replace-failed',
  [-2026]: 'archived',
}

/** One code stands for many refusals: −1013 and −2010 are told apart by their text only. */
const BY_TEXT: readonly (readonly [RegExp, CallFailure])[] = [
  [/would trigger immediately|relationship of the prices|immediately match and take/i, 'would-trigger'],
  [/duplicate order/i, 'duplicate'],
  [/insufficient balance/i, 'insufficient-funds'],
]

/** The meaning of a Binance error code with its text; also for the halves of a cancelReplace answer. */
export function refusalOf(code: number, text: string): Refusal {
  const filter = /filter failure: ([A-Z_]+)/i.exec(text)?.[1] ?? null
  if (filter !== null) return { failure: 'filter', filter: filter.toUpperCase() }
  const known = BY_CODE[code]
  const failure = known ?? BY_TEXT.find(([pattern]) => pattern.test(text))?.[1] ?? 'rejected'
  return { failure, filter: null }
}

/** The meaning of an HTTP status that came without a Binance code: from a proxy, a firewall or a dying server. */
export function failureOfStatus(status: number): CallFailure {
  if (status === 429 || status === 418) return 'not-executed'
  if (status === 401 || status === 403 || status === 451 || (status >= 300 && status < 400)) return 'forbidden'
  // 408 and 409 say that something was begun; every other 4xx is a refusal of the request as such.
  return status >= 400 && status < 500 && status !== 408 && status !== 409 ? 'rejected' : 'unknown-outcome'
}

/** What a failed request means, from the raw answer where one came and else from what the transport threw. */
export function callErrorOf(place: string, raw: RawAnswer, cause: unknown): CallError {
  const said = raw.status === null ? null : refusalBody(raw.body)
  if (said !== null) {
    const { failure, filter } = refusalOf(said.code, said.msg)
    const limited = (raw.status === 429 || raw.status === 418) && !failure.startsWith('cancel-replace')
    // A server that broke down is believed only in what it says of itself.
    const broken = (raw.status ?? 0) >= 500 && failure === 'rejected'
    return new CallError(limited ? 'not-executed' : broken ? 'unknown-outcome' : failure,
      `${place}: ${said.msg} (code ${said.code}, HTTP ${raw.status})`,
      { code: said.code, filter: limited ? null : filter, retryAfterMs: raw.retryAfterMs, data: said.data, cause })
  }
  if (raw.status !== null) {
    return new CallError(failureOfStatus(raw.status), `${place}: HTTP ${raw.status} without an answer from the exchange`,
      { retryAfterMs: raw.retryAfterMs, cause })
  }
  return new CallError(failureOfTransport(cause), `${place}: ${transportMessage(cause)}`, { cause })
}

const refusalSchema = z.object({ code: z.number(), msg: z.string().default(''), data: z.unknown().optional() })

function refusalBody(body: string): z.output<typeof refusalSchema> | null {
  try {
    return refusalSchema.safeParse(JSON.parse(body)).data ?? null
  } catch {
    return null
  }
}

const NEVER_LEFT = /ECONNREFUSED|ENOTFOUND|EAI_AGAIN/

/** ccxt turns transport errors into its own classes and keeps the reason in the message only. */
function failureOfTransport(cause: unknown): CallFailure {
  const name = cause instanceof Error ? cause.constructor.name : ''
  if (name === 'AuthenticationError') return 'forbidden'
  if (LOCAL_REFUSALS.has(name)) return 'not-executed'
  return NEVER_LEFT.test(messageOf(cause)) ? 'not-executed' : 'unknown-outcome'
}

/** Thrown by ccxt while it builds a request. */
const LOCAL_REFUSALS = new Set(['ArgumentsRequired', 'BadRequest', 'NotSupported'])

/** Without the address: it holds the signature. */
const transportMessage = (cause: unknown): string =>
  messageOf(cause).replaceAll(/https?:\/\/\S+/g, '').replace(/^binance (GET|POST|DELETE)\s+/, '').trim() || 'no answer'
