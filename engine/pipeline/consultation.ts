import type { Opinion } from '../core/opinion.ts'
import type { Answer } from '../ports.ts'

/** A provider that was asked and could not answer. */
export interface Fallback {
  readonly provider: string
  readonly error: string
}

/**
 * What phases 1 and 2 came to. The pipeline reuses one object per symbol, so whoever keeps it copies it.
 * `turns` holds phase 2's answers; the last answer is the opinion.
 */
export interface Consultation {
  /** Position of the answering provider in the chain. */
  link: number
  provider: string
  model: string | null
  initial: Answer
  turns: readonly Answer[]
  opinion: Opinion
  fallbacks: readonly Fallback[]
  latencyMs: number
  inputTokens: number
  outputTokens: number
}

export const NO_TURNS: readonly Answer[] = Object.freeze([])
export const NO_FALLBACKS: readonly Fallback[] = Object.freeze([])

const SILENT: Answer = Object.freeze({ action: 'HOLD', confidence: 0, reasoning: '' })

export const emptyConsultation = (): Consultation => ({
  link: 0, provider: '', model: null, initial: SILENT, turns: NO_TURNS, opinion: SILENT, fallbacks: NO_FALLBACKS, latencyMs: 0,
  inputTokens: 0, outputTokens: 0,
})

/** Phases 3 and 4 of one proposed order. One object per lane, filled anew. */
export interface Judgement {
  /** Result per rule of RISK_RULES: 1 passed, 0 failed, 2 does not concern this order. Filled only when somebody records it. */
  readonly checks: Uint8Array
  riskReason: string | null
  confidence: number
  required: number
  confident: boolean
}
