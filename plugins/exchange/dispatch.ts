import type { EpochMs } from '../../engine/core/time.ts'
import { CandleTroubles, NO_TROUBLE } from './candle-trouble.ts'
import type { Core } from './core.ts'
import { nameOf } from './core.ts'
import { BinanceError, refusals } from './errors.ts'
import type { Strike, Strikes } from './misfortune.ts'
import { parseParams, type Params } from './params.ts'
import { checkKey, checkSignature, checkTimestamp } from './signature.ts'
import { Weights } from './weights.ts'
import type { Endpoint } from './world.ts'

/** A request as it came in. */
export interface Incoming {
  readonly endpoint: Endpoint
  /** Raw, as it was signed. */
  readonly query: string
  readonly body: string
  readonly apiKey: string | undefined
}

export interface Answer {
  readonly kind: 'answer'
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly type: string
  /** Real milliseconds to wait before it leaves. */
  readonly delayMs: number
}
/** broken: the connection ends without an answer. silence: it stays open without one. */
export type Outcome = Answer | { readonly kind: 'broken' } | { readonly kind: 'silence' }

export interface RequestStep {
  readonly stage: 'received' | 'executed' | 'answered'
  readonly method: string
  /** Below /api/v3. */
  readonly path: string
  readonly params: Readonly<Record<string, string>>
  readonly signed: boolean
}

const JSON_TYPE = 'application/json;charset=UTF-8'
const HTML_TYPE = 'text/html; charset=utf-8'
const PAGE = '<html><head><title>503 Service Temporarily Unavailable</title></head><body><center><h1>503</h1></center></body></html>\n'

const isMarketOrder = ({ method, path }: Endpoint, params: Params): boolean =>
  method === 'POST' && (path === '/order' || path === '/order/cancelReplace') && params.text('type') === 'MARKET'

/** What the fault leaves to chance, out of `count` possibilities, unless its value says it. */
const choose = ({ value, draw }: Strike, count: number): number => value ?? Math.floor(draw * count)

/** Takes a request through keys, faults and execution to what its client will see. */
export class Dispatcher {
  readonly counts = { signed: 0, public: 0 }
  readonly #core: Core
  readonly #keys: { readonly apiKey: string; readonly apiSecret: string }
  readonly #onRequest: (step: RequestStep) => void
  readonly #weights = new Weights()
  readonly #troubles = new CandleTroubles()
  /** 429 or 418 until then. */
  #refusing: { readonly kind: 'rate-limit' | 'ban'; readonly until: EpochMs } | null = null

  constructor(core: Core, keys: { readonly apiKey: string; readonly apiSecret: string }, onRequest: (step: RequestStep) => void) {
    this.#core = core
    this.#keys = keys
    this.#onRequest = onRequest
  }

  handle(incoming: Incoming): Outcome {
    const { endpoint, query, body } = incoming
    this.counts[endpoint.signed ? 'signed' : 'public']++
    const params = parseParams(query, body)
    this.tell('received', endpoint, params)
    const arrived = this.#core.clock.now()
    const strikes = this.#core.misfortune.strikes({ name: nameOf(endpoint), market: isMarketOrder(endpoint, params) }, arrived)
    const headers = this.#weights.headers(endpoint.weight, endpoint.changes && endpoint.method === 'POST' ? 1 : 0, arrived)
    try {
      this.#refuseFloods(strikes, arrived)
      const early = this.#unexecuted(strikes)
      if (early !== null) return early
      const offset = strikes.has('drift') ? strikes.get('drift')!.value ?? 10_000 : 0
      if (endpoint.signed) this.#authenticate(incoming, params, arrived + offset)
      const delayMs = this.#delay(strikes)
      if (strikes.has('reset')) this.#core.reset()
      const answer = this.#execute(endpoint, params, strikes, offset, headers)
      this.tell('executed', endpoint, params)
      return this.#spoilt(answer, strikes, delayMs)
    } catch (error) {
      return refusal(error, headers)
    }
  }

  tell(stage: RequestStep['stage'], { method, path, signed }: Endpoint, params: Params): void {
    this.#onRequest({ stage, method, path, params: params.values, signed })
  }

  #authenticate({ query, body, apiKey }: Incoming, params: Params, serverTime: EpochMs): void {
    checkKey(apiKey, this.#keys.apiKey)
    checkSignature(params, query, body, this.#keys.apiSecret)
    checkTimestamp(params, serverTime)
  }

  /** Whoever was told to go away is told so again until the time has passed. */
  #refuseFloods(strikes: Strikes, now: EpochMs): void {
    for (const [kind, seconds] of [['rate-limit', 1], ['ban', 120]] as const) {
      const strike = strikes.get(kind)
      if (strike !== undefined) this.#refusing = { kind, until: now + (strike.value ?? seconds) * 1000 }
    }
    if (this.#refusing === null || now >= this.#refusing.until) return
    const { kind, until } = this.#refusing
    const left = Math.ceil((until - now) / 1000)
    throw kind === 'ban' ? refusals.banned(until, left) : refusals.tooManyRequests(left)
  }

  /** Faults that keep a request from being executed. */
  #unexecuted(strikes: Strikes): Outcome | null {
    if (strikes.has('lost-request')) return { kind: 'broken' }
    if (strikes.has('overloaded')) throw refusals.overloaded()
    const broken = strikes.get('server-error')
    if (broken !== undefined) {
      if (choose(broken, 2) === 1) throw refusals.unknownError()
      return { kind: 'answer', status: 503, headers: {}, body: PAGE, type: HTML_TYPE, delayMs: 0 }
    }
    const hang = strikes.get('hang')
    return hang !== undefined && choose(hang, 2) === 0 ? { kind: 'silence' } : null
  }

  /** A slow answer moves a stepped clock; a running one is waited for. */
  #delay(strikes: Strikes): number {
    const slow = strikes.get('slow')
    if (slow === undefined) return 0
    const ms = slow.value ?? 2_000
    const { clock } = this.#core
    if (clock.stepped) clock.moveTo(clock.now() + ms)
    return clock.realMs(ms)
  }

  #execute(endpoint: Endpoint, params: Params, strikes: Strikes, offset: number, headers: Readonly<Record<string, string>>): Answer {
    const { clock, misfortune } = this.#core
    const now = clock.now()
    const partial = strikes.get('partial-fill')
    const call = {
      params, now, serverTime: now + offset,
      liquidity: strikes.has('expired') ? 0 : partial === undefined ? 1 : partial.value ?? 0.5,
      emptyBook: misfortune.emptyBook(now),
      candles: endpoint.path === '/klines' ? this.#troubles.of(strikes) : NO_TROUBLE,
    }
    try {
      const body = JSON.stringify(this.#core.execute(endpoint, call, strikes.has('duplicate') ? 2 : 1))
      return { kind: 'answer', status: 200, headers, body, type: JSON_TYPE, delayMs: 0 }
    } catch (error) {
      return refusal(error, headers)
    }
  }

  /** Faults that come after the execution. */
  #spoilt(answer: Answer, strikes: Strikes, delayMs: number): Outcome {
    if (strikes.has('hang')) return { kind: 'silence' }
    if (strikes.has('lost-answer')) return { kind: 'broken' }
    if (strikes.has('server-error-executed')) return refusal(refusals.backendTimeout(), answer.headers)
    const garbage = strikes.get('garbage')
    if (garbage === undefined) return { ...answer, delayMs }
    const which = choose(garbage, 3)
    if (which === 0) return { ...answer, status: 200, body: PAGE, type: HTML_TYPE, delayMs }
    const body = which === 1 ? answer.body.slice(0, Math.ceil(answer.body.length / 2)) : JSON.stringify(scrambled(JSON.parse(answer.body)))
    return { ...answer, status: 200, body, delayMs }
  }
}

function refusal(error: unknown, headers: Readonly<Record<string, string>>): Answer {
  if (!(error instanceof BinanceError)) throw error
  const body = JSON.stringify(error.body)
  return { kind: 'answer', status: error.status, headers: { ...headers, ...error.headers }, body, type: JSON_TYPE, delayMs: 0 }
}

/** The same structure with nothing in it that is of the right type. */
function scrambled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(scrambled)
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, scrambled(inner)]))
  }
  return typeof value === 'string' ? null : typeof value === 'number' ? 'NaN' : 0
}
