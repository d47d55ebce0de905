/**
 * What a failed call means for whoever sent it.
 *
 * - `unknown-outcome`: the request may have been executed. Ask before sending it again.
 * - `not-executed`: it certainly was not (rate limit, overload, clock, never sent). It may be sent again.
 * - `insufficient-funds`, `would-trigger`, `filter`, `duplicate`, `not-found`, `archived`: Binance's own definite refusals.
 *   `would-trigger` is any refusal because the price is already beyond a level of the order.
 * - `cancel-replace-failed`: the cancel was refused and nothing was sent; `cancel-replace-partial`: one half worked, see `data`.
 * - `forbidden`: keys, permissions or signature are refused, the place is wrong, or somebody redirected the request.
 * - `rejected`: any other definite refusal.
 */
export type CallFailure =
  | 'unknown-outcome'
  | 'not-executed'
  | 'insufficient-funds'
  | 'would-trigger'
  | 'filter'
  | 'duplicate'
  | 'not-found'
  | 'cancel-replace-failed'
  | 'cancel-replace-partial'
  | 'archived'
  | 'forbidden'
  | 'rejected'

export interface CallErrorDetails {
  /** Binance's code, such as −2010; null when there was none. */
  readonly code?: number | null
  /** The filter's name, such as `LOT_SIZE`, for failure `filter`. */
  readonly filter?: string | null
  /** How long the venue wants to be left alone, in ms. */
  readonly retryAfterMs?: number | null
  /** `data` of a cancelReplace answer, unvalidated. */
  readonly data?: unknown
  readonly cause?: unknown
}

/** A call to the exchange that failed. The message names method and path, and never holds keys or signatures. */
export class CallError extends Error {
  readonly failure: CallFailure
  readonly code: number | null
  readonly filter: string | null
  readonly retryAfterMs: number | null
  readonly data: unknown
  override readonly name = 'CallError'

  constructor(failure: CallFailure, message: string, details: CallErrorDetails = {}) {
    super(message, { cause: details.cause })
    this.failure = failure
    this.code = details.code ?? null
    this.filter = details.filter ?? null
    this.retryAfterMs = details.retryAfterMs ?? null
    this.data = details.data ?? null
  }
}
