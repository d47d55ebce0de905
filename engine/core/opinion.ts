export const ACTIONS = ['BUY', 'SELL', 'HOLD'] as const
export type Action = (typeof ACTIONS)[number]

/**
 * What a provider proposes. `confidence` in [0, 1] is the probability of the action's own event, from the next open,
 * within the policy's horizon: BUY = target before stop, SELL = stop before target, HOLD is not scored.
 */
export interface Opinion {
  readonly action: Action
  readonly confidence: number
  readonly reasoning: string
}

/** Whether `value` is an opinion that may be acted on; the reason if not. */
export function opinionFault(value: Opinion): string | null {
  const { action, confidence, reasoning } = value
  if (action !== 'BUY' && action !== 'SELL' && action !== 'HOLD') return `action ${JSON.stringify(action)} is not BUY, SELL or HOLD`
  if (typeof confidence !== 'number' || !(confidence >= 0 && confidence <= 1)) return `confidence ${String(confidence)} is outside [0, 1]`
  if (typeof reasoning !== 'string') return 'reasoning is not text'
  return null
}

/** How a decision ended. */
export const STATUSES = ['EXECUTED', 'SKIPPED', 'REJECTED', 'FAILED', 'SIGNAL'] as const
export type Status = (typeof STATUSES)[number]
