import { makeDeps, registry, SimulatedClock } from '../assemble.ts'
import { instrumentOf } from '../core/instrument.ts'
import type { Timeframe } from '../core/timeframe.ts'
import type { MarketSource } from '../ports.ts'
import { parseOptions } from '../registry.ts'
import type { Terminal } from './terminal.ts'

/** What errors call candles that no scenario gave a symbol. */
export const TAPE = 'tape'

/** One symbol's market source by itself, for commands that look at candles without trading. */
export async function openTape(
  source: string, options: unknown, timeframe: Timeframe, terminal: Terminal,
): Promise<MarketSource> {
  const plugin = await registry.plugin('market', source)
  return plugin.create(
    parseOptions(plugin.options, options, source, [], 'TD_PLUGIN_OPTIONS'),
    makeDeps(terminal.world, new SimulatedClock(), 1, plugin.env),
    { symbols: [TAPE], timeframe, fillTimeframe: null, instruments: { [TAPE]: instrumentOf(TAPE) }, folder: process.cwd() },
  )
}
