import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { LaneVariant } from '../../engine/assemble.ts'
import type { FillModelName } from '../../engine/core/matching.ts'
import { DEFAULT_POLICY } from '../../engine/core/policy.ts'
import { MemoryMarket } from '../support/memory-market.ts'
import { dice, momentsOf, play, type LaneRun, type Play } from '../support/play.ts'
import { leapingWalk, policies, runs, scenarioOf, TradedCases } from '../support/random-runs.ts'

const left = ({ audit, trades, daily, decisions, measures, lane }: LaneRun): unknown => ({
  audit, trades, daily, decisions, halted: lane.halted,
  measures: { ...measures, trades: measures.trades.length, dailyEquity: null },
})

/** Policies, some of which differ in their thresholds only: those share a lane until an opinion falls between them. */
const families = fc.record({
  policy: policies,
  model: fc.constantFrom<{ fillModel?: FillModelName }>(
    {}, { fillModel: 'conservative' }, { fillModel: 'open-on-gap' }, { fillModel: 'optimistic' },
  ),
  thresholds: fc.array(fc.tuple(fc.nat(10), fc.nat(10)), { maxLength: 5 }),
}).map(({ policy, model, thresholds }): LaneVariant[] => {
  const whole = { ...DEFAULT_POLICY, ...policy }
  return [
    { ...model, policy: whole },
    ...thresholds.map(([entry, exit]) =>
      ({ ...model, policy: { ...whole, minConfidence: entry / 10, minExitConfidence: exit / 10 } })),
  ]
})
const variantSets = fc.array(families, { minLength: 1, maxLength: 3 }).map((sets) => sets.flat())

/** Runs the variants in one pass and one by one; returns how many of them closed a trade. */
async function compare(scenario: object, variants: readonly LaneVariant[], what: () => Play): Promise<number[]> {
  const together = await play(scenario, { ...what(), variants })
  const traded: number[] = []
  for (const [index, variant] of variants.entries()) {
    const alone = (await play(scenario, { ...what(), variants: [variant] })).runs[0]
    expect(left(together.runs[index])).toEqual(left(alone))
    traded.push(alone.trades.length)
  }
  return traded
}
const levels = fc.constantFrom<'full' | 'off'>('off', 'off', 'full')

it('lanes of one pass are separate runs: same trades, equity and tallies', async () => {
  const cases = new TradedCases()
  let variantsSeen = 0
  let lanesAtTheStart = 0
  await fc.assert(fc.asyncProperty(runs, variantSets, levels, async (run, variants, audit) => {
    const tape = leapingWalk(200, run.tape)
    variantsSeen += variants.length
    lanesAtTheStart += new Set(variants.map(({ policy, fillModel }) =>
      JSON.stringify([fillModel, { ...policy, minConfidence: 0, minExitConfidence: 0 }]))).size
    const traded = await compare(scenarioOf(run), variants, () =>
      ({ market: new MemoryMarket(tape, '1h', 'BTC/USDT', 90), strategy: dice(run.dice), audit }))
    for (const trades of traded) cases.count(trades)
  }), { numRuns: 40 })
  expect(cases.share).toBeGreaterThanOrEqual(0.8)
  // Lanes were really shared.
  expect(variantsSeen).toBeGreaterThan(lanesAtTheStart * 2)
})

it('also over several symbols, of which each may part them', async () => {
  const cases = new TradedCases()
  await fc.assert(fc.asyncProperty(runs, variantSets, levels, fc.nat(40), async (run, variants, audit, hours) => {
    const tapes = {
      'AAA/USDT': leapingWalk(100, run.tape),
      'BBB/USDT': leapingWalk(80, run.tape + 1, Date.UTC(2024, 0, 1, hours)),
      'CCC/USDT': leapingWalk(60, run.tape + 2),
    }
    const { symbol: _, ...rest } = scenarioOf(run) as Record<string, unknown>
    const scenario = { ...rest, symbols: Object.keys(tapes) }
    const traded = await compare(scenario, variants, () =>
      ({ market: momentsOf(tapes), strategy: dice(run.dice), audit }))
    for (const trades of traded) cases.count(trades)
  }), { numRuns: 25 })
  expect(cases.share).toBeGreaterThanOrEqual(0.8)
})
