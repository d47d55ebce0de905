import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Candle, CandleColumns } from '../../engine/core/candle.ts'
import { leapingWalk, runs, TradedCases } from '../support/random-runs.ts'
import { runScenario, temporaryFolder } from '../support/run-scenario.ts'
import { csvOf } from '../support/tape-files.ts'

const ROWS = 200

const candles = (columns: CandleColumns): Candle[] => Array.from({ length: columns.openTime.length }, (_, row) => ({
  openTime: columns.openTime[row], open: columns.open[row], high: columns.high[row], low: columns.low[row],
  close: columns.close[row], volume: columns.volume[row],
}))

it('the same scenario twice leaves the same bytes', async () => {
  const cases = new TradedCases()
  let id = 0
  await fc.assert(fc.asyncProperty(runs, fc.constantFrom('full', 'trades'), async (random, audit) => {
    const { policy, broker, instrument, tape, dice } = random
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'tape.csv'), csvOf(candles(leapingWalk(ROWS, tape))))
    const scenario = {
      name: `twice-${++id}`, symbol: 'BTC/USDT', timeframe: '1h', market: { source: 'candle-replay', file: 'tape.csv' },
      instrument, broker, strategy: { name: 'random', params: { seed: dice, buy: 0.2, sell: 0.1 } }, policy, audit,
      seed: tape,
    }
    const run = async (out: string, now: number): ReturnType<typeof runScenario> =>
      runScenario(scenario, { out: join(folder, out), now: () => now }, {}, folder)
    const first = await run('first', 1_000)
    const second = await run('second', 2_000)
    expect(second.run).toBe(first.run)
    for (const name of ['audit.jsonl', 'trades.csv', 'equity.csv']) {
      const [left, right] = [first, second].map(({ directory }) => readFileSync(join(directory!, name)))
      expect(left.equals(right), name).toBe(true)
      expect(left.length).toBeGreaterThan(20)
    }
    // Once more into the same place: an older run of that id is replaced by one that says the same.
    const before = readFileSync(join(first.directory!, 'audit.jsonl'))
    await run('first', 3_000)
    expect(readFileSync(join(first.directory!, 'audit.jsonl')).equals(before)).toBe(true)
    // The files say what the result says.
    const rows = readFileSync(join(first.directory!, 'trades.csv'), 'utf8').trimEnd().split('\n')
    expect(rows.length - 1).toBe(first.figures.trades)
    const equity = readFileSync(join(first.directory!, 'equity.csv'), 'utf8').trimEnd().split('\n')
    expect(Number(equity.at(-1)!.split(',')[1])).toBe(first.figures.finalEquity)
    expect(equity).toHaveLength(1 + Math.ceil(ROWS / 24))
    cases.count(first.figures.trades)
  }), { numRuns: 20 })
  expect(cases.share).toBeGreaterThanOrEqual(0.8)
})
