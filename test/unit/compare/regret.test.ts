import { expect, it } from 'vitest'
import { Evaluation } from '../../../engine/compare/evaluate.ts'
import { OpinionLog } from '../../../engine/compare/opinion-log.ts'
import { TapeColumns } from '../../../engine/compare/tape-columns.ts'
import type { Regret } from '../../../engine/compare/comparison.ts'
import { assemble } from '../../../engine/assemble.ts'
import { measureLane } from '../../../engine/session/measures.ts'
import { laneOf, runSession } from '../../../engine/session/session.ts'
import { resolveInMemory } from '../../support/in-memory.ts'
import { freely, marketOf, opinion, scripted, type Row, type Script } from '../../support/play.ts'
import { quietWorld } from '../../support/run-scenario.ts'

async function evaluated(rows: readonly Row[], script: Script, policy: object): Promise<ReturnType<Evaluation['cell']>> {
  const resolution = await resolveInMemory(freely({}, policy), { market: marketOf(rows), strategy: scripted(script, { scored: true }) })
  const { plan } = await assemble(resolution, quietWorld(), 'close', [{}], [null], { alone: true, notes: true })
  const tape = new TapeColumns(['BTC/USDT'])
  const log = new OpinionLog(['BTC/USDT'])
  const session = await runSession({ ...plan, observe: tape.observe, heard: log.heard })
  const lane = laneOf(session, 0)
  const { costs } = await plan.lanes[0].broker.account()
  const { scenario } = resolution
  const evaluation = new Evaluation({ scenario, tape, log, costs, warmup: 0, rulesScored: true })
  return evaluation.cell({ policy: scenario.policy, measures: measureLane(lane, session, session.opinions[0], plan.chain.links), notes: lane.notes! })
}

const of = (regrets: readonly Regret[], reason: string, side: string): Regret => regrets.find((one) => one.reason === reason && one.side === side)!

it('values a refused entry as a bet of its own, and one that the tape\'s end leaves open as not known', async () => {
  // Refused at candles 0 (target reached in 2), 3 (stop in 5) and 7 (nothing any more).
  const rows: Row[] = [
    [100, 100, 100, 100], [100, 101, 99, 100], [100, 106, 100, 105], [100, 101, 99, 100],
    [100, 101, 99, 100], [100, 100, 90, 92], [100, 101, 99, 100], [100, 101, 99, 100], [100, 101, 99, 100], [100, 101, 99, 100],
  ]
  const { regret, figures } = await evaluated(rows, { 0: opinion('BUY', 0.4), 3: opinion('BUY', 0.4), 7: opinion('BUY', 0.4) }, { minConfidence: 0.5 })
  expect(figures.trades).toBe(0)
  const low = of(regret, 'low-confidence', 'entry')
  expect([low.count, low.resolved, low.unknown]).toEqual([3, 2, 1])
  expect(low.total).toBeCloseTo(0.05 - 0.05, 12)
  expect([low.mean, low.winRate]).toEqual([expect.closeTo(0, 12), 0.5])
})

it('ends a refused entry with a SELL that would have been obeyed', async () => {
  const rows: Row[] = [[100, 100, 100, 100], [100, 100, 100, 100], [100, 102, 100, 102], [103, 103, 103, 103], [103, 103, 103, 103]]
  const { regret } = await evaluated(rows, { 0: opinion('BUY', 0.4), 2: opinion('SELL', 0.9) }, { minConfidence: 0.5, minExitConfidence: 0.5 })
  expect(of(regret, 'low-confidence', 'entry').mean).toBeCloseTo(0.03, 12)
  expect(of(regret, 'no-position', 'exit')).toMatchObject({ count: 1, resolved: 0, unknown: 1, mean: null })
})

it('values a refused exit by what the position was sold for in the end', async () => {
  // Bought at 100 (candle 1), a SELL too unsure at candle 2 (next open 98), stopped at 95 in candle 4.
  const rows: Row[] = [[100, 100, 100, 100], [100, 100, 100, 100], [99, 99, 98, 98], [98, 98, 97, 97], [97, 97, 94, 95], [95, 95, 95, 95]]
  const { regret, figures } = await evaluated(rows, { 0: opinion('BUY', 0.9), 2: opinion('SELL', 0.3) }, { minConfidence: 0.5, minExitConfidence: 0.5 })
  expect(figures.trades).toBe(1)
  expect(of(regret, 'low-confidence', 'exit').mean).toBeCloseTo(98 / 95 - 1, 12)
})

it('scores own opinions against what came first, and leaves open what did not come', async () => {
  const rows: Row[] = [[100, 100, 100, 100], [100, 106, 100, 105], [100, 100, 100, 100], [100, 100, 94, 95], [100, 106, 94, 100], [100, 100, 100, 100]]
  // BUY at 0: target. SELL at 2: stop. BUY at 3: both levels in one candle. BUY at 4: open at the end.
  const { calibration } = await evaluated(rows, { 0: opinion('BUY', 0.8), 2: opinion('SELL', 0.6), 3: opinion('BUY', 0.7), 4: opinion('BUY', 0.9) }, { minConfidence: 0 })
  expect([calibration.scored, calibration.resolved, calibration.censored, calibration.ambiguous]).toEqual([4, 3, 1, 1])
  expect(calibration.brier).toBeCloseTo((0.2 ** 2 + 0.4 ** 2 + 0.7 ** 2) / 3, 12)
  expect([calibration.walkRate, calibration.breakEven]).toEqual([0.5, 0.5])
  // Had the target come first in the ambiguous candle, skill would be undefined: every event came.
  expect(calibration.baseRate).toBeCloseTo(2 / 3, 12)
})
