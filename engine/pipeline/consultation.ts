import type { Opinion } from '../core/opinion.ts'
import type { Answer } from '../ports.ts'

/** A provider that was asked and could not answer. */
export interface Fallback {
  readonly provider: string
  readonly error: string
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
  readonly latencyMs: number
  readonly inputTokens: number
  readonly outputTokens: number
}

export const NO_TURNS: readonly Answer[] = Object.freeze([])
export const NO_FALLBACKS: readonly Fallback[] = Object.freeze([])

/** Phases 3 and 4 of one proposed order. One object per lane, filled anew. */
export interface Judgement {
  /** Result per rule of RISK_RULES: 1 passed, 0 failed, 2 does not concern this order. Filled only when somebody records it. */
  readonly checks: Uint8Array
  riskReason: string | null
  confidence: number
  required: number
  confident: boolean
}
