import type { Opinion } from '../core/opinion.ts'
import type { Approved, Order } from '../core/order.ts'
import { RISK_RULES, type RiskContext } from '../core/risk.ts'
import { verifyConfidence } from './confidence-verification.ts'
import type { Judgement } from './consultation.ts'
import { validateRisk } from './risk-validation.ts'

export const emptyJudgement = (): Judgement => ({
  checks: new Uint8Array(RISK_RULES.length), riskReason: null, confidence: 0, required: 0, confident: false,
})

/**
 * Judge: phase 3, risk validation, and phase 4, confidence verification. Both always run, so that the record shows what
 * each would have said; the first refusal is the reason. Returns the approved order or the reason.
 */
export function judge<T extends Order>(
  order: T, opinion: Opinion, context: RiskContext, judgement: Judgement, record: boolean,
): Approved<T> | string {
  const sound = validateRisk(order, context, judgement, record)
  const confident = verifyConfidence(opinion, context.policy, judgement)
  if (sound === null) return judgement.riskReason!
  return confident ? sound : 'low-confidence'
}
