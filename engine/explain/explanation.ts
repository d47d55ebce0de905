import type { CandleRow } from '../core/candle.ts'

/** A question that a service was asked, and what came of it. */
export interface Exchange {
  /** What was said to the service since its last answer. */
  readonly question: string | null
  readonly action: string | null
  readonly confidence: number | null
  readonly reasoning: string | null
  /** Why there is no usable answer, in words. */
  readonly failure: string | null
  /** Phase 1, a turn of phase 2, or the same question once more after an answer that could not be used. */
  readonly phase: string
  /** Null where only the answers are known, not how they came. */
  readonly latencyMs: number | null
  readonly attempts: number | null
}

/** A conversation with one service of the chain. */
export interface ServiceTalk {
  readonly provider: string
  readonly model: string | null
  /** Why it was not asked, or not asked to the end. */
  readonly skipped: string | null
  readonly failure: string | null
  readonly exchanges: readonly Exchange[]
}

/** How an opinion came about. */
export interface Talk {
  /** What every conversation began with; null where prompts cannot be written again. */
  readonly system: string | null
  readonly services: readonly ServiceTalk[]
  /** Where the steps are from: the trail, the recording, or only the decision's own line. */
  readonly source: 'trail' | 'recording' | 'decision'
}

export interface RuleCheck {
  readonly rule: string
  readonly passed: boolean
}

/** One decision line, with what led to it. */
export interface ExplainedDecision {
  readonly seq: number
  readonly time: string
  readonly symbol: string
  readonly action: string
  readonly confidence: number | null
  readonly reasoning: string
  readonly provider: string | null
  readonly model: string | null
  readonly fallbacks: readonly { readonly provider: string; readonly error: string }[]
  readonly status: string
  readonly reason: string | null
  /** What the snapshot showed. */
  readonly market: Readonly<Record<string, number | string | null>>
  /** Null where nobody but the rules was asked. */
  readonly talk: Talk | null
  /** In words, where only the rules decided. */
  readonly rules: string | null
  readonly checks: {
    readonly order: string
    readonly validated: boolean
    readonly rules: readonly RuleCheck[]
  } | null
  readonly threshold: { readonly confidence: number; readonly required: number; readonly verified: boolean } | null
  readonly order: Readonly<Record<string, unknown>> | null
  readonly usage: Readonly<Record<string, unknown>> | null
  readonly latencyMs: number | null
}

/** Lines of the trail about one order or position, as they stand there. */
export type TrailEvent = Readonly<Record<string, unknown>>

/** All that is known of one decision or trade. Times are ISO in UTC, as in the trail. */
export interface Explanation {
  readonly run: string
  readonly kind: string
  readonly directory: string
  readonly scenario: string | null
  readonly timeframe: string | null
  readonly quote: string
  readonly about: 'decision' | 'trade'
  /** The decision that was asked for, or the one that opened the trade; null where the trail does not hold it. */
  readonly decision: ExplainedDecision | null
  /** Candles around it, oldest first; null where they are not there any more. */
  readonly candles: { readonly symbol: string; readonly from: 'trail' | 'tape'; readonly rows: readonly CandleRow[] } | null
  /** The decision's order on its way: intents, receipts, what became of it. */
  readonly orders: readonly TrailEvent[]
  readonly fills: readonly TrailEvent[]
  /** The closed trade that it opened or ended; null where there is none. */
  readonly trade: (TrailEvent & { readonly number: number }) | null
  /** The decision that ended the trade, where it was not a stop, a target or a person. */
  readonly exit: ExplainedDecision | null
  /** What is missing and why. */
  readonly notes: readonly string[]
}
