import { registry } from '../assemble.ts'
import type { ResolvedScenario } from '../config/resolve.ts'
import { DEFAULT_POLICY } from '../core/policy.ts'
import type { Schema } from '../ports.ts'

export const isBranch = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A value by its path, such as `policy.stopLoss`. */
export interface Setting {
  readonly path: string
  readonly value: unknown
}

/** A tree's leaves; lists and empty objects are leaves too. */
export function leaves(value: unknown, path = ''): Setting[] {
  if (!isBranch(value) || Object.keys(value).length === 0) return path === '' ? [] : [{ path, value }]
  return Object.entries(value).flatMap(([key, one]) => leaves(one, path === '' ? key : `${path}.${key}`))
}

/** As JSON. */
export const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)

/** Without one leaf; `path` as its keys. */
function without(tree: Readonly<Record<string, unknown>>, [key, ...rest]: readonly string[]): Record<string, unknown> {
  const { [key]: gone, ...others } = tree
  return rest.length === 0 || !isBranch(gone) ? others : { ...others, [key]: without(gone, rest) }
}

const valueAt = (tree: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>((node, key) => (isBranch(node) ? node[key] : undefined), tree)

/** Options that the schema would not have filled in like that by itself. */
function chosen(options: unknown, schema: Schema<unknown> | null, at: string): Setting[] {
  return leaves(options, '').filter(({ path, value }) => {
    if (schema === null) return true
    const keys = path.split('.')
    const filled = (schema as { safeParse(given: unknown): { readonly success: boolean; readonly data?: unknown } }).safeParse(without(options as Readonly<Record<string, unknown>>, keys))
    return !filled.success || !same(valueAt(filled.data, keys), value)
  }).map(({ path, value }) => ({ path: `${at}.${path}`, value }))
}

const NOT_ASKED = { recording: null, refinements: 1, consult: 'always', blind: false, budget: { run: null, day: null }, minCoverage: null }

/** Settings of a scenario that differ from what a scenario has that does not name them; what every scenario names stands first. */
export async function chosenSettings(scenario: ResolvedScenario): Promise<readonly Setting[]> {
  const schemaOf = async (loading: () => Promise<{ readonly options: Schema<unknown> }>): Promise<Schema<unknown> | null> => {
    try {
      return (await loading()).options
    } catch {
      // A plugin that is no longer there: then every one of its options is shown.
      return null
    }
  }
  const { market, broker, strategy, providers, policy, ai, notify = [], instruments, symbols, timeframe, audit, seed } = scenario
  const known = await registry.strategy(strategy.name).catch(() => null)
  const own: Readonly<Record<string, unknown>> = known?.policy ?? {}
  const byDefault: Readonly<Record<string, unknown>> = { ...DEFAULT_POLICY, ...own }
  const policyOf = Object.entries(policy as unknown as Readonly<Record<string, unknown>>).filter(([key, value]) =>
    (key === 'minExitConfidence' && own['minExitConfidence'] === undefined ? !same(value, policy.minConfidence) : !same(byDefault[key], value)))
  const settings: Setting[] = [
    { path: 'symbols', value: symbols }, { path: 'timeframe', value: timeframe }, { path: 'strategy', value: strategy.name },
    { path: 'providers', value: (providers ?? []).map(({ name }) => name) },
    ...(market.source === 'candle-replay' ? [] : [{ path: 'market.source', value: market.source }]),
    ...chosen(market.options, await schemaOf(() => registry.plugin('market', market.source)), 'market'),
    ...(broker?.name === 'paper' ? [] : [{ path: 'broker.name', value: broker?.name }]),
    ...(broker === undefined ? [] : chosen(broker.options, await schemaOf(() => registry.plugin('broker', broker.name)), 'broker')),
    ...leaves(instruments ?? {}, 'instruments').filter(({ value }) => value !== 0),
    ...chosen(strategy.params, known?.params ?? null, 'strategy.params'),
    ...policyOf.map(([key, value]) => ({ path: `policy.${key}`, value })),
    ...(ai === undefined ? [] : leaves(ai, 'ai')).filter(({ path, value }) => !same(valueAt({ ai: NOT_ASKED }, path.split('.')), value)),
    ...(audit === 'full' ? [] : [{ path: 'audit', value: audit }]),
    ...(seed === 1 ? [] : [{ path: 'seed', value: seed }]),
  ]
  for (const { name, options } of providers ?? []) settings.push(...chosen(options, await schemaOf(() => registry.plugin('provider', name)), name))
  for (const { name, options } of notify) settings.push(...chosen(options, await schemaOf(() => registry.plugin('notifier', name)), `notify.${name}`))
  return settings
}

/** Numbers from here on are moments: no price or count comes near. */
const FIRST_MOMENT = Date.UTC(2000, 0, 1)

/** A setting's value as a person reads it. */
export function settingText(value: unknown): string {
  if (value === undefined || value === null) return 'not set'
  if (typeof value === 'string') return value
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value.join(', ')
  return typeof value === 'number' && value >= FIRST_MOMENT ? new Date(value).toISOString() : JSON.stringify(value)
}
