import { join } from 'node:path'
import { loadExchange, registry, type World } from './assemble.ts'
import type { Resolution } from './config/resolve.ts'
import { practiceClock } from './clocks.ts'
import { liveBrokerOptions, paperBlock } from './live-broker.ts'
import { liveRunId, runLive, type Connected, type LiveResult } from './live.ts'
import type { Venue } from './ports.ts'
import { readLiveRun } from './positions.ts'
import { newestRehearsal } from './rehearsals.ts'
import { utcMinute } from './report/format.ts'
import { hint } from './report/hint.ts'
import { leavePending } from './session/operator-box.ts'
import { loadTape, openTape, startOf, writtenInstruments } from './tape.ts'
import { PRACTICE } from './venue.ts'

export interface RehearseOptions {
  /** Parent folder of run directories. */
  readonly out: string
  /** Go on with the newest rehearsal of the scenario that was stopped or killed. */
  readonly resume: boolean
  /** Simulated ms per real ms at most; null as fast as it can. */
  readonly speed: number | null
  /** Faults of the practice exchange, in its own notation. */
  readonly faults: readonly string[]
  readonly seed: number
  /** A practice exchange that runs already, and is fed by the same candles; null starts one. */
  readonly exchange: Pick<Venue, 'url' | 'apiKey' | 'apiSecret'> | null
  readonly checkIntervalMs: number
  readonly decisions: string | null
  readonly onCandles?: (share: number | null, candles: number) => void
  readonly now: () => number
}

const WHOLE_TRAIL = 'A rehearsal always writes the whole audit trail, which replay and parity need'
const ABOUT = 'A rehearsal: the live path, on a practice exchange that plays the recorded candles. '
  + 'It proves the machine, not the profit.'

/**
 * Runs a backtest's scenario through the live path: a practice exchange plays its tape, and market and broker are those
 * that trade for real. Throws what the tape throws, and TD_SCENARIO_INVALID for what cannot be rehearsed.
 */
export async function rehearse(resolution: Resolution, world: World, options: RehearseOptions): Promise<LiveResult> {
  const { scenario } = resolution
  const paper = paperBlock(scenario, 'a rehearsal')
  const rules = options.faults.length === 0 ? [] : options.faults.map((await loadExchange()).parseFault)
  if (scenario.audit !== 'full') world.log.warn(`${WHOLE_TRAIL}; audit: ${scenario.audit} is for backtests`)
  const market = await openTape(resolution, world)
  const found = options.resume ? newestRehearsal(scenario, options.out) : null
  if (found !== null) tellHalt(found.path, world)
  const run = found?.run ?? liveRunId(scenario, options.now())
  const tapes = await loadTape(market, scenario.symbols)
  const warmup = resolution.plugins.strategy.warmup(scenario.strategy.params)
  const instruments = writtenInstruments(scenario)
  const { onCandles } = options
  const total = tapes.reduce((sum, { rows }) => sum + rows, 0)
  const { maker, taker, asset } = paper.fees
  const startTime = startOf(tapes, warmup)
  const connect = async (directory: string): Promise<Connected> => {
    const exchange = options.exchange !== null ? null : await (await loadExchange()).startExchange({
      tapes, instruments, costs: { maker, taker, feeAsset: asset, slippageBps: paper.slippageBps }, fillModel: paper.fillModel,
      balances: { [instruments[scenario.symbols[0]].quote]: paper.cash }, startTime, pace: 'stepped', apiKey: PRACTICE, apiSecret: PRACTICE,
      faults: { seed: options.seed, rules }, journal: join(directory, 'exchange.jsonl'),
    })
    const { url, apiKey, apiSecret } = options.exchange ?? { url: exchange!.url, apiKey: PRACTICE, apiSecret: PRACTICE }
    const venue: Venue = { name: 'practice', url, apiKey, apiSecret }
    try {
      return { venue, clock: await practiceClock(venue, options.speed), close: async () => { await exchange?.close() } }
    } catch (error) {
      await exchange?.close()
      throw error
    }
  }
  const marketPlugin = await registry.plugin('market', 'binance')
  const brokerPlugin = await registry.plugin('broker', 'binance')
  return runLive(resolution, world, {
    run, out: options.out, resume: found?.path ?? null, connect,
    market: { plugin: marketPlugin, options: {} },
    broker: { plugin: brokerPlugin, options: liveBrokerOptions(scenario.broker.options) },
    checkIntervalMs: options.checkIntervalMs, asksLive: false, mode: 'AUTONOMOUS', decisions: options.decisions,
    about: {
      kind: 'rehearsal', checkIntervalMs: options.checkIntervalMs, faults: options.faults, faultSeed: options.seed,
      folder: resolution.folder, exchange: options.exchange === null ? 'own' : 'external',
    },
    notes: [ABOUT, ...(scenario.audit === 'full' ? [] : [`${WHOLE_TRAIL}: audit: ${scenario.audit} was not followed.`])],
    atMarketEnd: 'finished', tape: market, now: options.now,
    ...(onCandles === undefined ? {} : { onCandles: (candles: number) => onCandles(candles / total, candles) }),
  })
}

/** A run that was halted does not look like one that has nothing to do. */
function tellHalt(path: string, { log }: World): void {
  const { run, halted, haltedAt } = readLiveRun(path)
  if (halted === null) return
  const leaving = [...leavePending(path)].join(', ')
  log.warn(`${run} is HALTED since ${utcMinute(haltedAt!)} UTC: ${halted}; ${leaving === '' ? '' : `${leaving} is left first, then `}`
    + `it sends no order until \`${hint(path, 'resume', run)}\``)
}
