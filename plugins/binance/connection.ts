import type { ZodType } from 'zod'
import type { Deps, Venue } from '../../engine/ports.ts'
import { serverTime } from './answers.ts'
import { CallError } from './call-error.ts'
import { callErrorOf } from './failures.ts'
import { restClient, type Method, type RawAnswer, type RestClient } from './rest-client.ts'
import { exchangeInfo, venueMarket, type VenueMarket } from './venue-market.ts'
import { checkVenue, type Site } from './venue-guard.ts'

export { CallError, type CallFailure } from './call-error.ts'
export { refusalOf, type Refusal } from './failures.ts'
export { checkVenue } from './venue-guard.ts'
export type { VenueMarket } from './venue-market.ts'

/** One account at one venue, over HTTP. */
export interface Connection {
  readonly venue: Site
  /**
   * One API call by Binance's path below `/api/v3`, such as `order/cancelReplace`. The answer is what `schema` makes of it.
   * Throws only CallError. An answer that does not fit the schema is `unknown-outcome`, for a GET too: nothing is known,
   * least of all that something does not exist. Nothing is sent again here but, once, a request that −1021 refused.
   * `signed` is told from the path where it is left out.
   */
  call<T>(
    method: Method, path: string, params: Readonly<Record<string, string | number>>, schema: ZodType<T>, signed?: boolean,
  ): Promise<T>
  /** Filters and flags of one symbol, such as `BTC/USDT`; asked once. Throws CallError. */
  market(symbol: string): Promise<VenueMarket>
  /** Reads the venue's clock, signs with it from now on, and returns its drift in ms: venue − own clock. Throws CallError. */
  syncTime(): Promise<number>
  /** Requests that were really sent, by kind. */
  readonly counts: { readonly signed: number; readonly public: number }
  /** Nothing is sent afterwards. */
  close(): Promise<void>
}

export interface ConnectOptions {
  /** A request without a whole answer after this many real ms is given up; default 10,000. */
  readonly timeoutMs?: number
  /** Told the drift, in ms, when the venue refused a request because of its time and the clock was read anew. */
  readonly resynced?: (driftMs: number) => void
}

/** `BTC/USDT` → `BTCUSDT`, as Binance writes it. */
export const marketId = (symbol: string): string => symbol.replace('/', '')

const PUBLIC_PATHS = /^(ping|time|exchangeInfo|klines|uiKlines|depth|trades|aggTrades|avgPrice|ticker(\/.*)?)$/

/** JavaScript writes small numbers as 1e-8, which Binance refuses. */
function parameter(name: string, value: string | number): string {
  if (typeof value === 'string') return value
  if (!Number.isFinite(value)) throw new CallError('not-executed', `parameter ${name} is ${value}, expected a finite number`)
  const text = String(value)
  return text.includes('e') ? value.toFixed(8) : text
}

class VenueConnection implements Connection {
  readonly venue: Site
  readonly counts = { signed: 0, public: 0 }
  readonly #deps: Deps
  readonly #resynced: (driftMs: number) => void
  readonly #markets = new Map<string, VenueMarket>()
  #client: RestClient | null = null
  #drift = 0

  constructor(venue: Site, deps: Deps, resynced: (driftMs: number) => void) {
    this.venue = venue
    this.#deps = deps
    this.#resynced = resynced
  }

  async open(timeoutMs: number): Promise<this> {
    this.#client = await restClient(this.venue, this.#deps, {
      timeoutMs,
      now: () => this.#deps.clock.now() + this.#drift,
      sent: (signed) => { this.counts[signed ? 'signed' : 'public']++ },
    })
    return this
  }

  async call<T>(
    method: Method, path: string, params: Readonly<Record<string, string | number>>, schema: ZodType<T>,
    signed = !PUBLIC_PATHS.test(path),
  ): Promise<T> {
    try {
      return await this.#attempt(method, path, params, schema, signed)
    } catch (error) {
      if (!(signed && error instanceof CallError && error.code === -1021)) throw error
      try {
        this.#resynced(await this.syncTime())
      } catch {
        // The refusal says more than a failed look at the clock.
        throw error
      }
      return this.#attempt(method, path, params, schema, signed)
    }
  }

  async market(symbol: string): Promise<VenueMarket> {
    const known = this.#markets.get(symbol)
    if (known !== undefined) return known
    const { symbols } = await this.call('GET', 'exchangeInfo', { symbol: marketId(symbol) }, exchangeInfo)
    const row = symbols.find((one) => one.symbol === marketId(symbol))
    if (row === undefined) throw new CallError('rejected', `${this.venue.name} does not list ${symbol}`)
    const market = venueMarket(symbol, row)
    this.#markets.set(symbol, market)
    return market
  }

  async syncTime(): Promise<number> {
    const before = this.#deps.clock.now()
    const { serverTime: theirs } = await this.call('GET', 'time', {}, serverTime)
    this.#drift = theirs - Math.round((before + this.#deps.clock.now()) / 2)
    return this.#drift
  }

  async close(): Promise<void> {
    this.#client = null
  }

  async #attempt<T>(
    method: Method, path: string, params: Readonly<Record<string, string | number>>, schema: ZodType<T>, signed: boolean,
  ): Promise<T> {
    const place = `${method} ${path}`
    if (this.#client === null) throw new CallError('not-executed', `${place}: the connection is closed`)
    const raw: RawAnswer = { status: null, body: '', retryAfterMs: null }
    const texts = Object.fromEntries(Object.entries(params).map(([name, value]) => [name, parameter(name, value)]))
    let answer: unknown
    try {
      answer = await this.#client.send(method, path, texts, signed, raw)
    } catch (error) {
      throw error instanceof CallError ? error : callErrorOf(place, raw, error)
    }
    const parsed = schema.safeParse(answer)
    if (parsed.success) return parsed.data
    const [issue] = parsed.error.issues
    throw new CallError('unknown-outcome',
      `${place}: the answer cannot be used: ${issue.path.join('.') || 'all of it'}: ${issue.message}`, { cause: parsed.error })
  }
}

/**
 * A connection to `venue`; asks nothing yet. Throws TD_VENUE for a venue that must not be contacted or has no keys, see
 * {@link checkVenue}.
 */
export async function connect(
  venue: Venue, deps: Deps, { timeoutMs = 10_000, resynced = () => {} }: ConnectOptions = {},
): Promise<Connection> {
  checkVenue(venue, deps.env)
  return new VenueConnection(venue, deps, resynced).open(Math.min(timeoutMs, venue.timeoutMs ?? Infinity))
}

/** A connection without keys to `origin`, whose public part answers as Binance's does; asks nothing yet. */
export function connectPublic(origin: string, deps: Deps, timeoutMs: number): Promise<Connection> {
  const site: Site = { name: 'public', url: origin, apiKey: '', apiSecret: '' }
  return new VenueConnection(site, deps, () => {}).open(timeoutMs)
}
