import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { AuditLevel } from '../../../engine/audit/trail.ts'
import { instrumentOf } from '../../../engine/core/instrument.ts'
import type { MarketEvent } from '../../../engine/ports.ts'
import { columnsOf, MemoryMarket, randomWalk } from '../../support/memory-market.ts'
import { dice, EventMarket, playOne, type LaneRun } from '../../support/play.ts'
import { leapingWalk, runs, scenarioOf, TradedCases } from '../../support/random-runs.ts'

/** Everything that a lane leaves behind. */
const left = ({ audit, trades, daily, decisions, measures }: LaneRun): unknown => ({
  audit, trades, daily, decisions, maxDrawdown: measures.maxDrawdown, held: measures.momentsInPosition,
  finalEquity: measures.finalEquity, ambiguous: measures.ambiguousCandles,
})

it('one batch of N is N batches of 1, or any other cut: byte for byte', async () => {
  const cases = new TradedCases()
  const levels: readonly AuditLevel[] = ['full', 'trades', 'off']
  await fc.assert(fc.asyncProperty(
    runs, fc.constantFrom(...levels), fc.array(fc.integer({ min: 1, max: 150 }), { maxLength: 5 }),
    async (run, audit, cuts) => {
      const columns = leapingWalk(300, run.tape)
      const strategy = dice(run.dice)
      const whole = await playOne(scenarioOf(run), { market: new MemoryMarket(columns, '1h'), strategy, audit })
      const single = await playOne(scenarioOf(run), {
        market: new MemoryMarket(columns, '1h', 'BTC/USDT', 1), strategy, audit,
      })
      const events: MarketEvent[] = []
      for (let start = 0, next = 0; start < 300; next++) {
        const end = Math.min(300, start + (cuts[next % Math.max(1, cuts.length)] ?? 300))
        events.push({
          kind: 'candles', symbol: 'BTC/USDT', timeframe: '1h', columns, start, end, settles: true, decides: true,
          more: false,
        })
        start = end
      }
      const cut = await playOne(scenarioOf(run), { market: new EventMarket(events), strategy, audit })
      expect(left(single)).toEqual(left(whole))
      expect(left(cut)).toEqual(left(whole))
      cases.count(whole.trades.length)
    },
  ), { numRuns: 60 })
  expect(cases.share).toBeGreaterThanOrEqual(0.8)
})

it('a lane without a trail sleeps and glides, and comes to the same as one that writes every line', async () => {
  const cases = new TradedCases()
  await fc.assert(fc.asyncProperty(runs, async (run) => {
    const columns = leapingWalk(400, run.tape)
    const [full, trades, off] = await Promise.all((['full', 'trades', 'off'] as const).map((audit) => {
      const market = new MemoryMarket(columns, '1h')
      return playOne(scenarioOf(run), { market, strategy: dice(run.dice, 0.1, 0.05), audit })
    }))
    const { audit: _, ...silent } = left(off) as Record<string, unknown>
    expect(left(full)).toMatchObject(silent)
    expect(left(trades)).toMatchObject(silent)
    // The shorter trail is the longer one without HOLDs and refusals, numbered anew.
    const kept = full.lines.filter(({ status }) => status !== 'SKIPPED' && status !== 'REJECTED')
    expect(trades.lines).toEqual(kept.map((line, index) => ({ ...line, seq: index + 1 })))
    cases.count(off.trades.length)
  }), { numRuns: 60 })
  expect(cases.share).toBeGreaterThanOrEqual(0.8)
})

it('so are the finer candles on which orders are settled', async () => {
  const cases = new TradedCases()
  await fc.assert(fc.asyncProperty(runs, fc.constantFrom<AuditLevel>('full', 'off'), async (run, audit) => {
    const fine = leapingWalk(400, run.tape)
    for (let row = 0; row < 400; row++) fine.openTime[row] = fine.openTime[0] + row * 900_000
    const hours = columnsOf(Array.from({ length: 100 }, (_, hour) => {
      const quarters = [0, 1, 2, 3].map((quarter) => hour * 4 + quarter)
      return {
        openTime: fine.openTime[hour * 4], open: fine.open[hour * 4], close: fine.close[hour * 4 + 3], volume: 1,
        high: Math.max(...quarters.map((row) => fine.high[row])),
        low: Math.min(...quarters.map((row) => fine.low[row])),
      }
    }))
    const settling = (start: number, end: number): MarketEvent => ({
      kind: 'candles', symbol: 'BTC/USDT', timeframe: '15m', columns: fine, start, end, settles: true, decides: false,
      more: false,
    })
    const deciding = (hour: number): MarketEvent => ({
      kind: 'candles', symbol: 'BTC/USDT', timeframe: '1h', columns: hours, start: hour, end: hour + 1, settles: false,
      decides: true, more: false,
    })
    const broker = { ...run.broker, fillTimeframe: '15m', latencyCandles: 0 }
    const settled = (settle: (row: number) => MarketEvent[]): Promise<LaneRun> => {
      const events = Array.from({ length: 100 }, (_, hour) => [...settle(hour * 4), deciding(hour)])
      const market = new EventMarket(events.flat())
      return playOne({ ...scenarioOf(run), broker }, { market, strategy: dice(run.dice), audit })
    }
    const whole = await settled((row) => [settling(row, row + 4)])
    const single = await settled((row) => [0, 1, 2, 3].map((quarter) => settling(row + quarter, row + quarter + 1)))
    expect(left(single)).toEqual(left(whole))
    // What was decided fills at a full hour, stops and targets in the quarter in which they were reached.
    for (const { timestamp, reason } of whole.fills) {
      const decided = reason === null || reason === 'signal' || reason === 'time'
      expect(Date.parse(timestamp!) % (decided ? 3_600_000 : 900_000)).toBe(0)
    }
    cases.count(whole.trades.length)
  }), { numRuns: 40 })
  expect(cases.share).toBeGreaterThanOrEqual(0.8)
})

it('a source may use its columns again once the next event is asked for', async () => {
  const columns = randomWalk(200, 7, '1h', 0.02)
  const strategy = dice(3)
  const scenario = {
    name: 'reuse', symbol: 'BTC/USDT', timeframe: '1h', strategy: { name: 'random' }, policy: { minConfidence: 0 },
  }
  const reference = await playOne(scenario, { market: new MemoryMarket(columns, '1h'), strategy })
  expect(reference.trades.length).toBeGreaterThan(3)
  const window = randomWalk(16, 1, '1h')
  const market = {
    instrument: instrumentOf,
    async *events(): AsyncGenerator<MarketEvent> {
      for (let start = 0; start < 200; start += 8) {
        // Every second batch sits in the upper half; the rest holds what nobody may read any more.
        const at = (start / 8) % 2 === 0 ? 0 : 8
        for (const name of ['openTime', 'open', 'high', 'low', 'close', 'volume'] as const) {
          window[name].fill(NaN)
          window[name].set(columns[name].subarray(start, start + 8), at)
        }
        yield {
          kind: 'candles', symbol: 'BTC/USDT', timeframe: '1h', columns: window, start: at, end: at + 8, settles: true,
          decides: true, more: false,
        }
      }
    },
  }
  expect(left(await playOne(scenario, { market, strategy }))).toEqual(left(reference))
})
