import { join } from 'node:path'
import { assemble } from '../../engine/assemble.ts'
import { record } from '../../engine/record.ts'
import { runSession } from '../../engine/session/session.ts'
import { resolveInMemory } from '../support/in-memory.ts'
import { MemoryMarket, randomWalk } from '../support/memory-market.ts'
import { quietWorld } from '../support/run-scenario.ts'

/** Candles that nothing is asked about: 50 for the averages and some more. */
const WARMUP = 300

export interface Replayed {
  readonly exchanges: number
  readonly decisions: number
  /** Reading the recording and all that is put together before the first candle. */
  readonly loadMs: number
  /** Each run's loop, in ms. */
  readonly loopMs: readonly number[]
}

/** Records what a stand-in says with `turns` turns of refinement, then runs on the recording alone. */
export async function replayRecorded(folder: string, exchanges: number, turns: number, rounds: number): Promise<Replayed> {
  const scenario = {
    name: 'replayed', symbol: 'BTC/USDT', timeframe: '1m', strategy: { name: 'autonomous-scalper' }, policy: { minConfidence: 0.6 },
    providers: ['simulated', 'technical'], refinement: { turns }, recording: { path: join(folder, `answers-${turns}`) },
  }
  const tape = randomWalk(exchanges / (turns + 1) + WARMUP, 7)
  const resolve = async () => resolveInMemory(scenario, { market: new MemoryMarket(tape, '1m') })
  const { asked } = await record(await resolve(), quietWorld(), {
    mode: 'record-missing', concurrency: 16, perMinute: null, budget: null, samples: 1, retryFailed: false, dryRun: false,
    estimated: () => {}, onProgress: () => {},
  })
  const loopMs: number[] = []
  let loadMs = 0
  let kept = 0
  for (let round = 0; round < rounds; round++) {
    const begun = performance.now()
    const { plan, answers } = await assemble(await resolve(), quietWorld(), 'close')
    loadMs = performance.now() - begun
    loopMs.push((await runSession(plan)).elapsedMs)
    const { exchanges: held, unused } = answers!.replayed()!
    if (unused > 0) throw new Error(`${unused} recorded exchanges answered nothing`)
    kept = held
  }
  return { exchanges: kept, decisions: asked, loadMs, loopMs }
}
