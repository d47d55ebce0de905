import fc from 'fast-check'
import { expect, it } from 'vitest'
import { assemble } from '../../engine/assemble.ts'
import { Bets, type BetEnd } from '../../engine/compare/bets.ts'
import { OpinionLog } from '../../engine/compare/opinion-log.ts'
import { RangeIndex } from '../../engine/compare/range-index.ts'
import { TapeColumns } from '../../engine/compare/tape-columns.ts'
import { FILL_MODELS } from '../../engine/core/matching.ts'
import { EXIT_REASONS, type ExitReason } from '../../engine/core/order.ts'
import { measureLane } from '../../engine/session/measures.ts'
import { laneOf, runSession } from '../../engine/session/session.ts'
import { resolveInMemory } from '../support/in-memory.ts'
import { MemoryMarket } from '../support/memory-market.ts'
import { dice } from '../support/play.ts'
import { leapingWalk, runs, scenarioOf, TradedCases } from '../support/random-runs.ts'
import { quietWorld } from '../support/run-scenario.ts'

const ENDS: Readonly<Record<string, BetEnd>> = {
  stop: 'stop', stop_gap: 'stop', trailing: 'stop', target: 'target', target_gap: 'target', signal: 'signal', time: 'time', end: 'open',
} satisfies Partial<Record<ExitReason, BetEnd>>

it('a bet by itself is the trade that a run makes of the same decision', async () => {
  const cases = new TradedCases()
  const seen = new Set<BetEnd>()
  await fc.assert(fc.asyncProperty(runs, fc.constantFrom(0, 0.01), async (run, tickSize) => {
    // Rules that look at the account can keep an exit from being sent; sizes and lots are no part of a bet.
    const none = { maxOpenPositions: null, maxExposure: null, maxDailyLoss: null, maxDrawdown: null, cooldown: null, maxConsecutiveLosses: null }
    const scenario = { ...scenarioOf({ ...run, policy: { ...run.policy, ...none } }), instrument: { tickSize, lotSize: 0, minNotional: 0 } }
    const market = new MemoryMarket(leapingWalk(300, run.tape), '1h', 'BTC/USDT', 64)
    const resolution = await resolveInMemory(scenario, { market, strategy: dice(run.dice) })
    const { plan } = await assemble(resolution, quietWorld(), 'close')
    const tape = new TapeColumns(['BTC/USDT'])
    const log = new OpinionLog(['BTC/USDT'])
    const session = await runSession({ ...plan, observe: tape.observe, heard: log.heard })
    const { trades } = measureLane(laneOf(session, 0), session, session.opinions[0], plan.chain.links)
    const { policy } = resolution.scenario
    const { rows, said } = log.symbols[0]
    const exits = rows.filter((_, at) => said[at].opinion.action === 'SELL' && said[at].opinion.confidence >= policy.minExitConfidence)
    const [{ columns, length }] = tape.symbols
    const { costs } = await plan.lanes[0].broker.account()
    const delay = 1 + run.broker.latencyCandles
    const bets = new Bets(tape.symbols[0], new RangeIndex(columns.low, columns.high, length), {
      ...policy, costs, model: FILL_MODELS[run.broker.fillModel], tickSize, delay,
    }, Int32Array.from(exits))
    for (let row = 0; row < trades.length; row++) {
      const entry = columns.openTime.indexOf(trades.entryTime[row])
      const bet = bets.at(entry - delay)!
      expect(bet.end).toBe(ENDS[EXIT_REASONS[trades.reason[row]]])
      expect(columns.openTime[bet.exitRow]).toBe(trades.exitTime[row])
      expect(bet.netReturn).toBeCloseTo(trades.pnl[row] / trades.cost[row], 10)
      seen.add(bet.end)
    }
    cases.count(trades.length)
  }), { numRuns: 150 })
  expect(cases.share).toBeGreaterThanOrEqual(0.8)
  expect([...seen].sort()).toEqual(['open', 'signal', 'stop', 'target', 'time'])
})

it('the first row that leaves a range is the one that looking at every row finds', () => {
  const seeds = fc.integer({ min: 1, max: 1e6 })
  fc.assert(fc.property(seeds, fc.nat(4999), fc.nat(5000), fc.double({ min: 0, max: 0.2, noNaN: true }), (seed, from, span, width) => {
    const { low, high, close } = leapingWalk(5000, seed)
    const until = Math.min(5000, from + span)
    const [below, above] = [close[from] * (1 - width), close[from] * (1 + width)]
    let expected = from
    while (expected < until && low[expected] > below && high[expected] < above) expected++
    expect(new RangeIndex(low, high, 5000).firstOutside(from, until, below, above)).toBe(expected)
  }), { numRuns: 300 })
})
