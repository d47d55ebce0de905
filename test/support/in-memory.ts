import { assemble, registry, type Assembly, type LaneVariant } from '../../engine/assemble.ts'
import type { Trail } from '../../engine/audit/trail.ts'
import { resolveScenario, type Resolution } from '../../engine/config/resolve.ts'
import { scenarioSchema } from '../../engine/config/scenario-schema.ts'
import { readSettings } from '../../engine/config/settings.ts'
import type { MarketSource, Strategy } from '../../engine/ports.ts'
import { quietWorld } from './run-scenario.ts'

export interface InMemory {
  readonly market: MarketSource
  /** Takes the place of the scenario's strategy, with its own parameters. */
  readonly strategy?: { readonly strategy: Strategy; readonly params: unknown }
}

/** Resolves a scenario whose market is not a file but `market`. */
export async function resolveInMemory(scenario: object, { market, strategy }: InMemory): Promise<Resolution> {
  const input = scenarioSchema.parse({ market: { file: 'memory' }, ...scenario })
  const resolution = await resolveScenario({ path: 'memory', folder: '.', input, overridden: new Set() }, readSettings({}), registry)
  const plugins = {
    ...resolution.plugins,
    market: { ...resolution.plugins.market, create: () => market },
    ...(strategy === undefined ? {} : { strategy: strategy.strategy }),
  }
  const named = strategy === undefined ? resolution.scenario : { ...resolution.scenario, strategy: { name: strategy.strategy.name, params: strategy.params } }
  return { ...resolution, scenario: named, plugins }
}

/** Assembles a session on an in-memory market. */
export async function assembleInMemory(
  scenario: object, memory: InMemory, variants?: readonly LaneVariant[], trails?: readonly (Trail | null)[], atEnd: 'close' | 'keep' = 'close',
): Promise<Assembly> {
  return assemble(await resolveInMemory(scenario, memory), quietWorld(), atEnd, variants, trails)
}
