import type { Opinion } from '../core/opinion.ts'
import type { Policy } from '../core/policy.ts'
import type { Judgement } from './consultation.ts'

/** Phase 4: entries need `minConfidence`, exits `minExitConfidence`. */
export function verifyConfidence({ action, confidence }: Opinion, policy: Policy, judgement: Judgement): boolean {
  judgement.confidence = confidence
  judgement.required = action === 'BUY' ? policy.minConfidence : policy.minExitConfidence
  judgement.confident = confidence >= judgement.required
  return judgement.confident
}
