import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { backtest, type BacktestResult } from '../../engine/backtest.ts'
import type { MarketEvent, MarketSource } from '../../engine/ports.ts'
import { resolveInMemory } from '../support/in-memory.ts'
import { MemoryMarket, randomWalk } from '../support/memory-market.ts'
import { quietWorld, temporaryFolder } from '../support/run-scenario.ts'

/** A run whose tape is read a second time for the random baseline; Ctrl-C comes after `batches` of that. */
async function interruptedAfter(batches: number): Promise<{ result: BacktestResult; state: unknown }> {
  const abort = new AbortController()
  const tape = new MemoryMarket(randomWalk(2_000, 5, '1h'), '1h', 'BTC/USDT', 100)
  let passes = 0
  const market: MarketSource = {
    instrument: (symbol) => tape.instrument(symbol),
    async *events(): AsyncGenerator<MarketEvent> {
      const second = ++passes === 2
      let sent = 0
      for await (const event of tape.events()) {
        if (second && sent++ === batches) abort.abort()
        // As sources do: an aborted signal ends them early.
        if (abort.signal.aborted) return
        yield event
      }
    },
  }
  const resolution = await resolveInMemory({
    name: 'twice', symbol: 'BTC/USDT', timeframe: '1h', strategy: { name: 'random', params: { buy: 0.1, sell: 0.1 } },
    policy: { minConfidence: 0.7 },
  }, { market })
  const out = temporaryFolder()
  const result = await backtest(resolution, quietWorld(abort.signal), { out, report: true, now: () => 0 })
  const record = JSON.parse(readFileSync(join(out, result.run, 'run.json'), 'utf8')) as { state: unknown }
  return { result, state: record.state }
}

describe('Ctrl-C while the random baseline is drawn', () => {
  it.each([0, 10])('after %i batches marks the run and leaves the baseline out', async (batches) => {
    const { result, state } = await interruptedAfter(batches)
    expect(result.figures.trades).toBeGreaterThan(20)
    expect(result.figures.candles).toBe(2_000)
    expect({ state, interrupted: result.interrupted, random: result.baselines.random })
      .toEqual({ state: 'interrupted', interrupted: true, random: null })
  })
})
