import type { EpochMs } from './time.ts'

/** `error`: a plugin failed in a way that it does not name. */
export const FAILURE_KINDS = [
  'timeout', 'network', 'server', 'rate-limit', 'quota', 'key', 'payment', 'model-gone', 'bad-request', 'refused', 'too-long',
  'truncated', 'not-json', 'invalid', 'error',
] as const
export type FailureKind = (typeof FAILURE_KINDS)[number]

/** An answer came that cannot be used: the model may mend it when it is told what is wrong. */
export const isRepairable = (kind: FailureKind): boolean => kind === 'truncated' || kind === 'not-json' || kind === 'invalid'

export interface FailureFacts {
  readonly status?: number | null
  readonly retryAfterMs?: number | null
  readonly resetAtMs?: EpochMs | null
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | null
  readonly answer?: string | null
  readonly usage?: { readonly inputTokens: number; readonly outputTokens: number } | null
  readonly cause?: unknown
}

/** Why a service gave no answer that can be used. Neither message nor body ever holds a key. */
export class ProviderFailure extends Error {
  override readonly name = 'ProviderFailure'
  readonly kind: FailureKind
  /** HTTP status; null where there was none. */
  readonly status: number | null
  /** What the service asked to wait. */
  readonly retryAfterMs: number | null
  /** When a quota begins anew. */
  readonly resetAtMs: EpochMs | null
  /** Allow-listed response headers. */
  readonly headers: Readonly<Record<string, string>>
  /** Beginning of the response's text. */
  readonly body: string | null
  /** The text of an answer that cannot be used. */
  readonly answer: string | null
  /** Tokens that were counted all the same. */
  readonly usage: { readonly inputTokens: number; readonly outputTokens: number } | null

  constructor(kind: FailureKind, message: string, facts: FailureFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause })
    this.kind = kind
    this.status = facts.status ?? null
    this.retryAfterMs = facts.retryAfterMs ?? null
    this.resetAtMs = facts.resetAtMs ?? null
    this.headers = facts.headers ?? {}
    this.body = facts.body ?? null
    this.answer = facts.answer ?? null
    this.usage = facts.usage ?? null
  }
}
