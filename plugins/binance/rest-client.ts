import { AsyncLocalStorage } from 'node:async_hooks'
import type { Deps } from '../../engine/ports.ts'
import { CallError } from './call-error.ts'
import { checkHost, originOf, type Site } from './venue-guard.ts'

export type Method = 'GET' | 'POST' | 'DELETE'

/** The raw answer to one request, which ccxt's error classes do not carry. */
export interface RawAnswer {
  status: number | null
  body: string
  retryAfterMs: number | null
}

export interface RestClient {
  /** The decoded answer, whatever it is; rejects with what ccxt or the transport threw. `raw` is filled as the answer comes. */
  send(method: Method, path: string, params: Readonly<Record<string, string>>, signed: boolean, raw: RawAnswer): Promise<unknown>
}

export interface RestOptions {
  readonly timeoutMs: number
  /** The venue's time, in epoch ms: requests are signed with it. */
  readonly now: () => number
  /** Told about every request that is really sent. */
  readonly sent: (signed: boolean) => void
}

/** `GET`, `account/commission` → `privateGetAccountCommission`, as ccxt names its implicit methods. */
export function implicitMethod(method: Method, path: string, signed: boolean): string {
  const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1)
  return `${signed ? 'private' : 'public'}${capital(method.toLowerCase())}${path.split('/').map(capital).join('')}`
}

const retryAfter = (headers: Headers): number | null => {
  const seconds = Number(headers.get('retry-after') ?? Number.NaN)
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : null
}

/** fetch says "unexpected redirect" only in the cause of a plain TypeError. */
const isRedirect = (error: unknown): boolean =>
  error instanceof TypeError && /redirect/i.test(`${error.message} ${error.cause instanceof Error ? error.cause.message : ''}`)

/** ccxt as a signing HTTP client: its implicit methods only, since the unified ones lose parameters. */
export async function restClient(venue: Site, deps: Deps, { timeoutMs, now, sent }: RestOptions): Promise<RestClient> {
  const { binance } = await import('ccxt')
  const calls = new AsyncLocalStorage<{ raw: RawAnswer; signed: boolean }>()

  const fetchAtVenue = async (url: string, init: RequestInit): Promise<Response> => {
    checkHost(venue, url)
    const call = calls.getStore()
    sent(call?.signed ?? false)
    try {
      const answer = await deps.fetch(url, { ...init, redirect: 'error' })
      // The body is read here, inside ccxt's own time limit, which otherwise ends with the headers.
      const body = await answer.text()
      if (call !== undefined) Object.assign(call.raw, { status: answer.status, body, retryAfterMs: retryAfter(answer.headers) })
      return new Response(answer.status === 204 ? null : body, answer)
    } catch (error) {
      if (isRedirect(error)) throw new CallError('forbidden', 'a request was redirected, which is never followed', { cause: error })
      throw error
    }
  }

  const client = new binance({
    apiKey: venue.apiKey,
    secret: venue.apiSecret,
    sandbox: venue.name === 'testnet',
    enableRateLimit: venue.name !== 'practice',
    timeout: timeoutMs,
    fetchImplementation: fetchAtVenue,
    options: {
      defaultType: 'spot', fetchMarkets: { types: ['spot'] }, fetchMargins: false, adjustForTimeDifference: false,
      recvWindow: 5000,
    },
  })
  if (venue.name === 'demo') client.enableDemoTrading(true)
  if (venue.name === 'practice' || venue.name === 'public') {
    const api = client.urls['api'] as Record<string, string>
    api['public'] = api['private'] = `${originOf(venue)}/api/v3`
  }
  client.milliseconds = client.nonce = now

  const methods = client as unknown as Readonly<Record<string, ((params: object) => Promise<unknown>) | undefined>>
  return {
    async send(method, path, params, signed, raw) {
      const name = implicitMethod(method, path, signed)
      const call = methods[name]
      if (call === undefined) throw new CallError('not-executed', `${method} ${path}: ccxt knows no ${name}`)
      return calls.run({ raw, signed }, () => call.call(client, { ...params }))
    },
  }
}
