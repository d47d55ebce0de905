import { parseAnswer } from '../../engine/core/answer.ts'
import { failureOfStatus, hide, redact, safeHeaders } from '../../engine/core/http-failure.ts'
import { ProviderFailure, type FailureKind } from '../../engine/core/provider-failure.ts'
import { messageOf } from '../../engine/errors.ts'
import type { Answer, Conversation, DecisionProvider, Deps, ProviderRequest } from '../../engine/ports.ts'
import { baseOf, type Base } from './base.ts'
import type { ServiceOptions } from './options.ts'
import { Wire } from './wire.ts'

/** One request, for an SDK to send. */
export interface Call {
  readonly request: ProviderRequest
  readonly key: string
  readonly baseURL: string
  readonly fetch: typeof fetch
  readonly signal: AbortSignal
}

/** What a service's answer says, in whatever words. */
export interface Reading {
  /** What the model wrote. */
  readonly text: string
  /** Why the text is not an answer. */
  readonly fault: { readonly kind: FailureKind; readonly why: string } | null
  readonly usage: { readonly inputTokens: number; readonly outputTokens: number } | null
  readonly modelVersion: unknown
  readonly responseId: unknown
}

/** What differs between services. */
export interface Dialect {
  readonly provider: string
  /** Where the service is, up to what its SDK adds. */
  readonly url: string
  readonly keyName: string
  /** What the SDK adds, with the model where it is part of it. */
  path(model: string): string
  readonly schema: object
  /** Loads the SDK and sends. */
  send(call: Call): Promise<unknown>
  /** Throws whatever it likes when `response` is no answer of this service. */
  read(response: unknown): Reading
  /** What 403 means; left out = the key may not do that. */
  readonly forbidden?: FailureKind
}

/** More is no answer to our question, and would only fill recordings. */
const MAX_RAW = 40_000
const MAX_BODY = 2_000
const MAX_NAME = 200
const MAX_WHY = 300
/** A server on this machine asks for no key, but SDKs insist on one. */
const NO_KEY = 'none'

/** What is sampled with, in the service's own names, by where the question goes; undefined and null are left out. */
export type Sampling = (base: Base) => Readonly<Record<string, unknown>>

/** An AI service as a provider; asks nothing yet. Throws TD_PLUGIN_OPTIONS for an address that may not be sent a key. */
export function serviceOf(dialect: Dialect, options: ServiceOptions, sampling: Sampling, deps: Deps): DecisionProvider {
  const { provider, url: own, keyName } = dialect
  const base = baseOf(options.baseURL, { provider, own, keyName, env: deps.env })
  const key = deps.env[keyName]?.trim() ?? ''
  const service = new AskedService(dialect, options, sampling, deps, base, key)
  return key === '' && !base.local ? Object.assign(service, { lacks: keyName }) : service
}

class AskedService implements DecisionProvider {
  readonly refines = true
  readonly model: string
  readonly maxTokens: number
  readonly #dialect: Dialect
  readonly #timeoutMs: number
  readonly #sampling: Readonly<Record<string, unknown>>
  readonly #deps: Deps
  readonly #base: Base
  readonly #key: string

  constructor(
    dialect: Dialect, { model, maxTokens, timeoutMs }: ServiceOptions, sampling: Sampling, deps: Deps, base: Base,
    key: string,
  ) {
    this.model = model
    this.maxTokens = maxTokens
    this.#dialect = dialect
    this.#timeoutMs = timeoutMs
    const given = Object.entries(sampling(base)).filter(([, value]) => value !== undefined && value !== null)
    this.#sampling = Object.fromEntries(given)
    this.#deps = deps
    this.#base = base
    this.#key = key
  }

  request({ system, messages }: Conversation): ProviderRequest {
    const { provider, schema } = this.#dialect
    const endpoint = this.#base.foreign + this.#base.path + this.#dialect.path(this.model)
    return { provider, model: this.model, endpoint, system, messages, schema, sampling: this.#sampling }
  }

  async answer(conversation: Conversation, signal: AbortSignal): Promise<Answer> {
    signal.throwIfAborted()
    const { clock } = this.#deps
    const key = this.#usableKey()
    const begun = clock.now()
    const over = new AbortController()
    const timer = setTimeout(() => over.abort(), this.#timeoutMs)
    const either = AbortSignal.any([signal, over.signal])
    const wire = new Wire(this.#base.origin, this.#deps.fetch, either)
    let reading: Reading
    try {
      const request = this.request(conversation)
      reading = this.#dialect.read(
        await this.#dialect.send({ request, key, baseURL: this.#base.url, fetch: wire.fetch, signal: either }),
      )
    } catch (error) {
      signal.throwIfAborted()
      if (over.signal.aborted) {
        throw new ProviderFailure('timeout', `${this.#dialect.provider} gave no answer within ${this.#timeoutMs} ms`)
      }
      throw this.#failureOf(wire, error)
    } finally {
      clearTimeout(timer)
    }
    return this.#answerOf(reading, clock.now() - begun)
  }

  #usableKey(): string {
    const { keyName } = this.#dialect
    if (this.#key === '' && this.#base.local) return NO_KEY
    if (this.#key === '') throw new ProviderFailure('key', `${keyName} is not set`)
    // Anything else would be refused as a header, in a message that quotes it.
    if (/^[\x21-\x7e]+$/.test(this.#key)) return this.#key
    throw new ProviderFailure('key', `${keyName} holds characters that no key has`)
  }

  #answerOf(reading: Reading, latencyMs: number): Answer {
    const { fault } = reading
    const text = this.#hidden(reading.text)
    const raw = text.slice(0, MAX_RAW)
    const usage = countable(reading.usage)
    if (fault !== null) {
      // Cut last: half a key would not be recognised as one.
      const why = `${this.#dialect.provider}: ${this.#redacted(fault.why).slice(0, MAX_WHY)}`
      throw new ProviderFailure(fault.kind, why, { answer: raw, usage })
    }
    try {
      return {
        ...parseAnswer(text), model: this.model, latencyMs, raw,
        ...(usage === null ? {} : { usage }),
        ...this.#name('modelVersion', reading.modelVersion),
        ...this.#name('responseId', reading.responseId),
      }
    } catch (error) {
      if (!(error instanceof ProviderFailure)) throw new ProviderFailure('invalid', 'the answer cannot be read', { answer: raw, usage })
      throw new ProviderFailure(error.kind, error.message, { answer: raw, usage })
    }
  }

  #name<K extends string>(field: K, value: unknown): Partial<Record<K, string>> {
    return typeof value === 'string' ? { [field]: this.#hidden(value).slice(0, MAX_NAME) } as Record<K, string> : {}
  }

  /** Judged by what came over the line: SDKs differ in what they make of it, and quote what was sent. */
  #failureOf({ failure, seen }: Wire, error: unknown): ProviderFailure {
    const { provider, forbidden = 'key' } = this.#dialect
    if (failure !== null) return failure
    if (seen === null) return new ProviderFailure('error', `${provider}: ${this.#redacted(messageOf(error))}`)
    const secrets = [this.#key]
    if (seen.status !== 200) {
      return failureOfStatus(seen, { service: provider, now: this.#deps.clock.now(), secrets, forbidden })
    }
    return new ProviderFailure('server', `${provider} answered 200 with something that is not its answer`, {
      status: 200, headers: safeHeaders(seen.headers, secrets), body: this.#redacted(seen.body).slice(0, MAX_BODY),
    })
  }

  #hidden(text: string): string {
    return hide(text, [this.#key])
  }

  #redacted(text: string): string {
    return redact(text, [this.#key])
  }
}

/** No answer has more tokens: sums of what is beyond could not be told in JSON. */
const MOST_TOKENS = 1e9

/** Budgets count with it, so it has to be numbers. */
function countable(usage: Reading['usage']): Reading['usage'] {
  const isCount = (value: unknown): boolean => typeof value === 'number' && value >= 0 && value <= MOST_TOKENS
  return usage !== null && isCount(usage.inputTokens) && isCount(usage.outputTokens) ? usage : null
}
