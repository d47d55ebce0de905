import type { Opinion } from '../core/opinion.ts'
import type { FailureKind } from '../core/provider-failure.ts'
import type { Answer } from '../ports.ts'

/** A provider that was to be asked and did not answer. */
export interface Fallback {
  readonly provider: string
  readonly error: string
}

/** Why a provider was not asked at all. */
export const SKIPS = ['no-key', 'disabled', 'cooling', 'budget', 'deadline'] as const
export type Skip = (typeof SKIPS)[number]

/** Why a question got no answer, as plain data. */
export interface Failure {
  readonly kind: FailureKind
  readonly message: string
  /** HTTP status; null where there was none. */
  readonly status: number | null
  /** What the service asked to wait; null where it did not. */
  readonly retryAfterMs: number | null
  /** Allow-listed response headers. */
  readonly headers: Readonly<Record<string, string>>
  /** Beginning of the response's text. */
  readonly body: string | null
  /** The text of an answer that cannot be used. */
  readonly answer: string | null
}

/** What came of one question to a service. */
export interface Reply {
  /** null when it failed. */
  readonly answer: Answer | null
  readonly failure: Failure | null
  /** From the question to its outcome, pauses between attempts included. */
  readonly latencyMs: number
  /** Requests that were sent for it. */
  readonly attempts: number
  readonly usage: Usage
}

/** What the service counts, and what that costs in USD: 0 where no price is known. */
export interface Usage {
  readonly inputTokens: number
  readonly outputTokens: number
  readonly costUsd: number
}

/** What became of one link of the chain at one decision. */
export interface Step {
  readonly provider: string
  /** null: it was asked. */
  readonly skipped: Skip | null
  readonly replies: readonly Reply[]
  /** Valid answers, phase 1 first. It decided when there is one for each turn. */
  readonly turns: readonly Answer[]
  /** Why it was left; null when it decided, or was not asked. */
  readonly failure: Failure | null
}

/** What phases 1 and 2 came to. `turns` holds phase 2's answers; the last answer is the opinion. */
export interface Consultation {
  /** Position of the answering provider in the chain. */
  readonly link: number
  readonly provider: string
  readonly model: string | null
  readonly initial: Answer
  readonly turns: readonly Answer[]
  readonly opinion: Opinion
  readonly fallbacks: readonly Fallback[]
  /** What happened link by link; empty when only rules were asked. */
  readonly steps: readonly Step[]
  /** From the first question to the last answer, whoever gave it. */
  readonly latencyMs: number
  /** Of all that was asked, used or not. */
  readonly usage: Usage
}

export const NO_TURNS: readonly Answer[] = Object.freeze([])
export const NO_FALLBACKS: readonly Fallback[] = Object.freeze([])
export const NO_STEPS: readonly Step[] = Object.freeze([])
export const NO_USAGE: Usage = Object.freeze({ inputTokens: 0, outputTokens: 0, costUsd: 0 })

/** Whether a link gave the decision its answer. */
export const hasAnswered = ({ skipped, failure }: Step): boolean => skipped === null && failure === null

/** Phases 3 and 4 of one proposed order. One object per lane, filled anew. */
export interface Judgement {
  /** Result per rule of RISK_RULES: 1 passed, 0 failed, 2 does not concern this order. Filled only when somebody records it. */
  readonly checks: Uint8Array
  riskReason: string | null
  confidence: number
  required: number
  confident: boolean
}
