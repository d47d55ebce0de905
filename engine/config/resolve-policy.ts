import type { Costs } from '../core/matching.ts'
import { DEFAULT_POLICY, breakEvenRate, roundTripCosts, type Policy } from '../core/policy.ts'
import { TapedeckError } from '../errors.ts'
import type { Strategy } from '../ports.ts'
import { parseOptions } from '../registry.ts'
import type { Origin } from './origins.ts'
import type { LoadedScenario } from './scenario-file.ts'
import { policySchema, type PolicyInput } from './scenario-schema.ts'
import { SETTING_NAMES, type Settings } from './settings.ts'

/**
 * Settles every value of the policy and notes its origin: scenario, strategy, environment, default. Throws TD_PLUGIN_OPTIONS
 * for a strategy's policy that is none, TD_SCENARIO_INVALID for a threshold that cannot be derived.
 */
export function resolvePolicy(
  { input, path }: LoadedScenario, settings: Settings, strategy: Strategy, brokerOptions: unknown,
  origins: Map<string, Origin>, written: (at: string) => Origin,
): Policy {
  const chosen: Record<string, unknown> = {}
  const own = parseOptions(policySchema, strategy.policy ?? {}, `strategy ${strategy.name}`, ['policy'],
    'TD_PLUGIN_OPTIONS') as Record<string, unknown>
  for (const key of Object.keys(DEFAULT_POLICY) as (keyof Policy)[]) {
    const variable = Object.entries(SETTING_NAMES).find(([, name]) => name === key)?.[0]
    const setting = (settings as unknown as Record<string, unknown>)[key]
    const candidates: readonly (readonly [unknown, Origin])[] = [
      [(input.policy as Record<string, unknown> | undefined)?.[key], written(`policy.${key}`)],
      [own[key], `strategy ${strategy.name}`],
      [setting, `environment ${variable}`],
    ]
    const [value, origin] = candidates.find(([candidate]) => candidate !== undefined)
      ?? [DEFAULT_POLICY[key], 'default' as const]
    chosen[key] = value
    origins.set(`policy.${key}`, origin)
  }
  const input_ = chosen as unknown as Policy & PolicyInput
  const threshold = (value: number | string | undefined, key: string): number => {
    if (typeof value !== 'string') return value!
    const rate = breakEvenRate(chosen.stopLoss as number | null, chosen.takeProfit as number | null,
      costsOf(brokerOptions))
    if (rate === null) {
      throw new TapedeckError('TD_SCENARIO_INVALID',
        `${path}: policy.${key}: "${value}" needs both stopLoss and takeProfit; give them, or a number from 0 to 1`)
    }
    const sum = rate + Number(value.replace('breakeven', '').replaceAll(' ', '') || 0)
    const rounded = Math.round(sum * 1e12) / 1e12
    if (rounded < 0 || rounded > 1) {
      throw new TapedeckError('TD_SCENARIO_INVALID',
        `${path}: policy.${key}: "${value}" comes to ${rounded}, expected 0 … 1`)
    }
    return rounded
  }
  // Absent where it is off, so that runs of older versions stay the same runs.
  const calibrate = input.policy?.calibrate ?? (own['calibrate'] as number | null | undefined) ?? null
  if (calibrate !== null && (chosen['stopLoss'] === null || chosen['takeProfit'] === null)) {
    throw new TapedeckError('TD_SCENARIO_INVALID', `${path}: policy.calibrate: without a stop and a target there is no event to be right about; give both, or leave calibrate out`)
  }
  if (calibrate !== null) origins.set('policy.calibrate', input.policy?.calibrate === undefined ? `strategy ${strategy.name}` : written('policy.calibrate'))
  const minConfidence = threshold(input_.minConfidence, 'minConfidence')
  const follows = origins.get('policy.minExitConfidence') === 'default'
  if (follows) origins.set('policy.minExitConfidence', 'derived')
  return {
    ...(chosen as unknown as Policy),
    minConfidence,
    minExitConfidence: follows ? minConfidence : threshold(input_.minExitConfidence, 'minExitConfidence'),
    ...(calibrate === null ? {} : { calibrate }),
  }
}

/** Round-trip costs from a broker's options, where it has such options. */
export function costsOf(options: unknown): number {
  const { fees, slippageBps = 0 } = options as { fees?: { maker: number; taker: number }; slippageBps?: number }
  const costs: Costs = { maker: fees?.maker ?? 0, taker: fees?.taker ?? 0, feeAsset: 'quote', slippageBps }
  return roundTripCosts(costs)
}
