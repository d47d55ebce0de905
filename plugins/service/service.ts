import { parseAnswer } from '../../engine/core/answer.ts'
import { failureOfStatus, hide, redact } from '../../engine/core/http-failure.ts'
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
  readonly modelVersion: string | null
  readonly responseId: string | null
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
/** A server on this machine asks for no key, but SDKs insist on one. */
const NO_KEY = 'none'

/** What is sampled with, in the service's own names; what is undefined or null is left out. Told where the question goes. */
export type Sampling = (base: Base) => Readonly<Record<string, unknown>>

/** An AI service as a provider. Throws TD_PLUGIN_OPTIONS for an address that may not be sent a key; loads and asks nothing yet. */
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
    dialect: Dialect, { model, maxTokens, timeoutMs }: ServiceOptions, sampling: Sampling, deps: Deps, base: Base, key: string,
  ) {
    this.model = model
    this.maxTokens = maxTokens
    this.#dialect = dialect
    this.#timeoutMs = timeoutMs
    this.#sampling = Object.fromEntries(Object.entries(sampling(base)).filter(([, value]) => value !== undefined && value !== null))
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
      const response = await this.#dialect.send({ request, key, baseURL: this.#base.url, fetch: wire.fetch, signal: either })
      reading = this.#dialect.read(response)
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
    if (!/^[\x21-\x7e]+$/.test(this.#key)) throw new ProviderFailure('key', `${keyName} holds characters that no key has`)
    return this.#key
  }

  #answerOf(reading: Reading, latencyMs: number): Answer {
    const { fault, usage, modelVersion, responseId } = reading
    const text = hide(reading.text, [this.#key])
    const raw = text.slice(0, MAX_RAW)
    if (fault !== null) {
      throw new ProviderFailure(fault.kind, `${this.#dialect.provider}: ${this.#redacted(fault.why)}`, { answer: raw, usage })
    }
    try {
      return {
        ...parseAnswer(text), model: this.model, latencyMs, raw,
        ...(usage === null ? {} : { usage }),
        ...(modelVersion === null ? {} : { modelVersion }),
        ...(responseId === null ? {} : { responseId }),
      }
    } catch (error) {
      const { kind, message } = error as ProviderFailure
      throw new ProviderFailure(kind, message, { answer: raw, usage })
    }
  }

  /** Judged by what came over the line: SDKs differ in what they make of it, and quote what was sent. */
  #failureOf({ failure, seen }: Wire, error: unknown): ProviderFailure {
    const { provider, forbidden } = this.#dialect
    if (failure !== null) return failure
    if (seen === null) return new ProviderFailure('error', `${provider}: ${this.#redacted(messageOf(error))}`)
    const context = {
      service: provider, now: this.#deps.clock.now(), secrets: [this.#key], ...(forbidden === undefined ? {} : { forbidden }),
    }
    if (seen.status !== 200) return failureOfStatus(seen, context)
    const { headers } = failureOfStatus(seen, context)
    const body = this.#redacted(seen.body).slice(0, MAX_BODY)
    return new ProviderFailure('server', `${provider} answered 200 with something that is not its answer`, { status: 200, headers, body })
  }

  #redacted(text: string): string {
    return redact(text, [this.#key])
  }
}
