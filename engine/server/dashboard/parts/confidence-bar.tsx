import { percent } from '../data/format.ts'
import type { Decision, Run } from '../data/types.ts'

/** The confidence that this decision needed: what the run's policy asks of such an order, where it was not written down. */
export function requiredFor({ action, required }: Pick<Decision, 'action' | 'required'>, policy: Run['policy']): number | null {
  if (required !== null) return required
  return (action === 'SELL' ? policy['min_exit_confidence'] ?? policy['min_confidence'] : policy['min_confidence']) ?? null
}

/** How sure a decision was, beside what it needed and what it takes to earn the costs back. */
export function ConfidenceBar({ decision, policy, breakEven, compact = false }: {
  readonly decision: Pick<Decision, 'action' | 'confidence' | 'required'>
  readonly policy: Run['policy']
  readonly breakEven: number | null
  /** The break-even has a mark, and no words. */
  readonly compact?: boolean
}) {
  const { confidence } = decision
  const required = requiredFor(decision, policy)
  if (confidence === null) return <p class="soft small">No confidence was told.</p>
  const short = (value: number): string => percent(value, { digits: 0 })
  const proposed = decision.action !== 'HOLD'
  const enough = proposed && required !== null && confidence >= required
  return (
    <div class="confidence">
      <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true" focusable="false">
        <rect class="track" x="0" y="2" width="100" height="6" rx="1" />
        <rect class={enough ? 'fill enough' : 'fill'} x="0" y="2" width={clamp(confidence)} height="6" rx="1" />
        {breakEven !== null && <rect class="mark break-even" x={clamp(breakEven) - 0.3} y="0" width="0.6" height="10" />}
        {required !== null && <rect class="mark required" x={clamp(required) - 0.4} y="0" width="0.8" height="10" />}
      </svg>
      <p class="small">
        <span>Confidence <strong>{short(confidence)}</strong></span>
        {required !== null && <span class={proposed ? '' : 'soft'}>{!proposed ? 'an order needs' : enough ? '≥ needed' : '< needed'} {short(required)}</span>}
        {breakEven !== null && !compact && <span class="soft">break-even {short(breakEven)}</span>}
      </p>
    </div>
  )
}

const clamp = (fraction: number): number => Math.min(100, Math.max(0, fraction * 100))
