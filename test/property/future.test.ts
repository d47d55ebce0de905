import fc from 'fast-check'
import { expect, it } from 'vitest'
import { firstRows, MemoryMarket } from '../support/memory-market.ts'
import { decisionsOf, dice, playOne, type LaneRun, type Line, type Play } from '../support/play.ts'
import { leapingWalk, runs, scenarioOf, TradedCases } from '../support/random-runs.ts'

const HOUR = 3_600_000
const ROWS = 240

const withoutSeq = ({ seq: _, ...line }: Line): unknown => line
/** Decision lines by time: they are written when their outcome is known. */
const byTime = (run: LaneRun): Map<number, Line> =>
  new Map(decisionsOf(run).map((line) => [Date.parse(line.timestamp!), line]))
const rowsOf = (run: LaneRun): string[][] =>
  run.trades.map((row) => row.trimEnd().split(',')).filter(([, , , , , , reason]) => reason !== 'end')

it('the future cannot change the past: wherever the tape is cut, what came before stays as it was', async () => {
  const cases = new TradedCases()
  let compared = 0
  const cuts = fc.integer({ min: 10, max: ROWS - 1 })
  await fc.assert(fc.asyncProperty(runs, cuts, fc.boolean(), async (run, cut, rules) => {
    const tape = leapingWalk(ROWS, run.tape)
    // Dice, or rules with indicators and a warm-up.
    const setting = (rows: number): Play => ({
      market: new MemoryMarket(firstRows(tape, rows), '1h', 'BTC/USDT', 64),
      ...(rules ? {} : { strategy: dice(run.dice) }),
    })
    const strategy = { name: 'sma-cross', params: { fast: 2, slow: 5, rsiPeriod: 3, rsiMax: 90 } }
    const scenario = rules ? { ...scenarioOf(run), strategy } : scenarioOf(run)
    const [whole, short] = [await playOne(scenario, setting(ROWS)), await playOne(scenario, setting(cut))]

    // An order may be under way for this long; until then a decision's outcome lies ahead.
    const end = tape.openTime[cut - 1] + HOUR
    const known = end - run.broker.latencyCandles * HOUR
    const decisions = byTime(short)
    for (const [time, line] of byTime(whole)) {
      if (time > end) continue
      const ours = decisions.get(time)!
      expect(ours.market_data).toEqual(line.market_data)
      expect([ours.action, ours.confidence, ours.phases]).toEqual([line.action, line.confidence, line.phases])
      if (time < known) {
        expect(withoutSeq(ours)).toEqual(withoutSeq(line))
        compared++
      }
    }
    expect([...decisions.keys()].every((time) => time <= end)).toBe(true)
    const trades = rowsOf(whole).filter(([, , , exitTime]) => Number(exitTime) < end)
    expect(rowsOf(short)).toEqual(trades)
    // Days that were over before the last candle, at whose close the shorter tape sells what is held.
    const days = Math.floor((cut - 1) / 24)
    expect(short.daily.slice(0, days)).toEqual(whole.daily.slice(0, days))
    cases.count(trades.length)
  }), { numRuns: 80 })
  expect(compared).toBeGreaterThan(5000)
  // Cut short tapes trade less often than whole ones.
  expect(cases.share).toBeGreaterThanOrEqual(0.65)
})
