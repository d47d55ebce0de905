import type { Approved, Order } from '../core/order.ts'
import { approve, type RiskContext } from '../core/risk.ts'
import type { Judgement } from './consultation.ts'

/** Phase 3: every risk rule looks at the proposed order. null: refused, and `judgement.riskReason` says why. */
export function validateRisk<T extends Order>(
  order: T, context: RiskContext, judgement: Judgement, record: boolean,
): Approved<T> | null {
  const result = approve(order, context, record ? judgement.checks : null)
  judgement.riskReason = typeof result === 'string' ? result : null
  return typeof result === 'string' ? null : result
}
