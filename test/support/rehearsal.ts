import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { registry } from '../../engine/assemble.ts'
import { resolveScenario, type Resolution } from '../../engine/config/resolve.ts'
import { loadScenario } from '../../engine/config/scenario-file.ts'
import { readSettings } from '../../engine/config/settings.ts'
import { instrumentOf } from '../../engine/core/instrument.ts'
import type { Costs, FillModelName } from '../../engine/core/matching.ts'
import type { LiveResult } from '../../engine/live.ts'
import type { PastLine } from '../../engine/ports.ts'
import { rehearse, type RehearseOptions } from '../../engine/rehearse.ts'
import { loadTape, openTape, startOf } from '../../engine/tape.ts'
import { PRACTICE } from '../../engine/venue.ts'
import { startExchange, type PracticeExchange, type PracticeOptions } from '../../plugins/exchange/exchange.ts'
import { quietWorld, temporaryFolder } from './run-scenario.ts'

/** A scenario in a folder of its own, in which it can be rehearsed, stopped and gone on with. */
export interface Stage {
  readonly folder: string
  readonly resolution: Resolution
}

export interface RehearsalOptions extends Partial<RehearseOptions> {
  readonly signal?: AbortSignal
  /** Told what a user would be warned of. */
  readonly warn?: (message: string) => void
}

/** Resolves a scenario through the same files and checks as the command line does. */
export async function stage(scenario: object, folder = temporaryFolder()): Promise<Stage> {
  mkdirSync(folder, { recursive: true })
  const file = join(folder, 'scenario.yaml')
  writeFileSync(file, stringify(scenario))
  return { folder, resolution: await resolveScenario(loadScenario(file), readSettings({}), registry) }
}

/** Runs it through the live path in this process: wake-ups once a minute, into `<folder>/runs`. */
export function rehearseOn({ folder, resolution }: Stage, { signal, warn, ...options }: RehearsalOptions = {}): Promise<LiveResult> {
  const world = quietWorld(signal)
  return rehearse(resolution, { ...world, log: { ...world.log, ...(warn === undefined ? {} : { warn }) } }, {
    out: join(folder, 'runs'), resume: false, speed: null, faults: [], seed: 1, exchange: null, checkIntervalMs: 60_000,
    decisions: null, now: () => Date.UTC(2025, 0, 1), ...options,
  })
}

/** A practice exchange on the scenario's own candles and terms, like the one that a rehearsal starts for itself. */
export async function practiceOn(
  { resolution }: Stage, options: Partial<PracticeOptions> = {},
): Promise<{ readonly exchange: PracticeExchange; readonly venue: { url: string; apiKey: string; apiSecret: string } }> {
  const { scenario, plugins: { strategy } } = resolution
  const { cash, fees, slippageBps, fillModel } = scenario.broker.options as {
    cash: number; fees: { maker: number; taker: number; asset: Costs['feeAsset'] }; slippageBps: number; fillModel: FillModelName
  }
  const tapes = await loadTape(await openTape(resolution, quietWorld()), scenario.symbols)
  const instruments = Object.fromEntries(scenario.symbols.map((symbol) => [symbol, instrumentOf(symbol, scenario.instruments[symbol])]))
  const exchange = await startExchange({
    tapes, instruments, costs: { maker: fees.maker, taker: fees.taker, feeAsset: fees.asset, slippageBps }, fillModel,
    balances: { [instruments[scenario.symbols[0]].quote]: cash }, startTime: startOf(tapes, strategy.warmup(scenario.strategy.params)),
    pace: 'stepped', apiKey: PRACTICE, apiSecret: PRACTICE, ...options,
  })
  return { exchange, venue: { url: exchange.url, apiKey: PRACTICE, apiSecret: PRACTICE } }
}

/** Lines of a run's trail, parsed. */
export const trailOf = (directory: string): PastLine[] =>
  readFileSync(join(directory, 'audit.jsonl'), 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line) as PastLine)
