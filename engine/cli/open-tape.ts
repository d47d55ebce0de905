import { makeDeps, registry, SimulatedClock } from '../assemble.ts'
import { instrumentOf } from '../core/instrument.ts'
import type { Timeframe } from '../core/timeframe.ts'
import type { MarketSource } from '../ports.ts'
import { parseOptions } from '../registry.ts'
import type { Terminal } from './terminal.ts'

/**
 * One symbol's market source by itself, for commands that look at candles without trading. `label` takes the place of
 * the symbol, which nobody gave: errors and notes begin with it.
 */
export async function openTape(
  source: string, label: string, options: unknown, timeframe: Timeframe, terminal: Terminal,
): Promise<MarketSource> {
  const plugin = await registry.plugin('market', source)
  return plugin.create(
    parseOptions(plugin.options, options, source, [], 'TD_PLUGIN_OPTIONS'),
    makeDeps(terminal.world, new SimulatedClock(), 1, plugin.env),
    { symbols: [label], timeframe, fillTimeframe: null, instruments: { [label]: instrumentOf(label) },
      folder: process.cwd() },
  )
}
