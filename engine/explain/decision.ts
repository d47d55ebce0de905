import type { ResolvedScenario } from '../config/resolve.ts'
import type { PastLine } from '../ports.ts'
import { decisionRow } from '../server/rows.ts'
import type { ExplainedDecision, Talk } from './explanation.ts'

interface Phases {
  readonly risk?: { readonly validated: boolean; readonly order: string; readonly checks: Readonly<Record<string, boolean>> } | null
  readonly confidence?: { readonly confidence: number; readonly required: number; readonly verified: boolean } | null
}

/** A decision's line as it is explained. */
export function explainedDecision(line: PastLine, talk: Talk | null, scenario: ResolvedScenario | null): ExplainedDecision {
  const { id, timestamp, symbol, action, confidence, reasoning, provider, model, fallbacks, status, reason } = decisionRow(line)
  const { risk = null, confidence: threshold = null } = (line['phases'] ?? {}) as Phases
  return {
    seq: id, time: timestamp, symbol, action, confidence, reasoning, provider, model, fallbacks, status, reason,
    market: (line['market_data'] ?? {}) as ExplainedDecision['market'],
    talk, rules: talk === null ? whyRules(line, scenario) : null,
    checks: risk === null ? null
      : { order: risk.order, validated: risk.validated, rules: Object.entries(risk.checks ?? {}).map(([rule, passed]) => ({ rule, passed })) },
    threshold,
    order: (line['order'] ?? null) as ExplainedDecision['order'],
    usage: (line['usage'] ?? null) as ExplainedDecision['usage'],
    latencyMs: typeof line['latency_ms'] === 'number' ? line['latency_ms'] : null,
  }
}

/** Why nobody was asked. */
function whyRules(line: PastLine, scenario: ResolvedScenario | null): string {
  if (line['reason'] === 'missed') return 'Nobody decided: the candle became known too late to act on.'
  if (scenario === null) return 'The rules decided; nobody was asked.'
  const { ai } = scenario
  if (ai === undefined) return `The rules of ${scenario.strategy.name} decided: the scenario asks no AI.`
  if (ai.consult === 'signal') return `The rules of ${scenario.strategy.name} decided: an AI is asked only where they see a signal.`
  if (ai.consult !== 'always') return `The rules of ${scenario.strategy.name} decided: an AI is asked every ${ai.consult.every} candles.`
  return `The rules of ${scenario.strategy.name} decided: nobody was asked.`
}
