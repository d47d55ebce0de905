import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { LaneVariant } from '../../engine/assemble.ts'
import type { FillModelName } from '../../engine/core/matching.ts'
import { DEFAULT_POLICY } from '../../engine/core/policy.ts'
import { MemoryMarket } from '../support/memory-market.ts'
import { dice, play, type LaneRun, type Play } from '../support/play.ts'
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

it('lanes of one pass are separate runs: same trades, equity and tallies', async () => {
  const cases = new TradedCases()
  let variantsSeen = 0
  let lanesAtTheStart = 0
  await fc.assert(fc.asyncProperty(
    runs, variantSets, fc.constantFrom<'full' | 'off'>('off', 'off', 'full'), async (run, variants, audit) => {
      const tape = leapingWalk(200, run.tape)
      const what = (some: readonly LaneVariant[]): Play => ({
        market: new MemoryMarket(tape, '1h', 'BTC/USDT', 90), strategy: dice(run.dice), variants: some, audit,
      })
      const together = await play(scenarioOf(run), what(variants))
      variantsSeen += variants.length
      lanesAtTheStart += new Set(variants.map(({ policy, fillModel }) =>
        JSON.stringify([fillModel, { ...policy, minConfidence: 0, minExitConfidence: 0 }]))).size
      for (const [index, variant] of variants.entries()) {
        const alone = (await play(scenarioOf(run), what([variant]))).runs[0]
        expect(left(together.runs[index])).toEqual(left(alone))
        cases.count(alone.trades.length)
      }
    },
  ), { numRuns: 40 })
  expect(cases.share).toBeGreaterThanOrEqual(0.8)
  // Lanes were really shared.
  expect(variantsSeen).toBeGreaterThan(lanesAtTheStart * 2)
})
