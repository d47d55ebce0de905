import { describe, expect, it } from 'vitest'
import type { LaneVariant } from '../../../engine/assemble.ts'
import type { CandleColumns } from '../../../engine/core/candle.ts'
import { DEFAULT_POLICY, type Policy } from '../../../engine/core/policy.ts'
import type { Strategy } from '../../../engine/ports.ts'
import { randomWalk } from '../../support/memory-market.ts'
import {
  decisionsOf, dice, flat, freely, HOUR, momentsOf, play, playOne, scripted, START, tapeOf, type LaneRun, type Played,
  type Row, type Script,
} from '../../support/play.ts'

const AAA = 'AAA/USDT'
const BBB = 'BBB/USDT'
const at = (index: number): string => new Date(START + index * HOUR).toISOString()

const scenarioFor = (symbols: readonly string[], policy: object, broker: object = {}): object => {
  const { symbol: _, ...rest } = freely(broker, policy) as Record<string, unknown>
  return { ...rest, symbols }
}

/** Two symbols on hand-made candles, each with a script of its own. */
function two(
  tapes: readonly [CandleColumns, CandleColumns], scripts: readonly [Script, Script], policy: object = {},
  extra: Partial<Strategy> = {},
): Promise<Played> {
  const market = momentsOf({ [AAA]: tapes[0], [BBB]: tapes[1] })
  const script = new Map<string, Script>([[AAA, scripts[0]], [BBB, scripts[1]]])
  return play(scenarioFor([AAA, BBB], policy), { market, strategy: scripted(script, extra) })
}
const laneOf = async (run: Promise<Played>): Promise<LaneRun> => (await run).runs[0]

describe('several symbols', () => {
  const level = tapeOf(flat(100, 8))

  it('mark the equity once per moment, when all have settled', async () => {
    // 3,000 in each: 30 AAA at 100 and 15 BBB at 200. At each close one loses what the other wins.
    const a = tapeOf([...flat(100, 2), [100, 100, 90, 90], [90, 110, 90, 110], [110, 110, 100, 100]])
    const b = tapeOf([...flat(200, 2), [200, 220, 200, 220], [220, 220, 180, 180], [180, 200, 180, 200]])
    const { runs: [run], session } = await two([a, b], [{ 0: 'BUY' }, { 0: 'BUY' }],
      { positionSize: 0.3, stopLoss: null, takeProfit: null })
    expect(session.moments).toBe(5)
    expect(session.candles).toBe(10)
    expect(run.fills.map(({ symbol, side, quantity }) => [symbol, side, quantity]))
      .toEqual([[AAA, 'buy', 30], [BBB, 'buy', 15], [AAA, 'sell', 30], [BBB, 'sell', 15]])
    expect(run.measures.maxDrawdown).toBe(0)
    expect(run.daily).toEqual([10_000])
    expect(run.measures.momentsInPosition).toBe(3)
  })

  it('decide in the order in which the scenario lists them', async () => {
    const run = await laneOf(two([level, level], [{ 1: 'BUY' }, { 1: 'BUY' }], { positionSize: 0.4 }))
    const intents = run.lines.filter(({ type }) => type === 'intent').map(({ symbol }) => symbol)
    expect(intents).toEqual([AAA, BBB])
    const held = decisionsOf(run).filter(({ status }) => status === 'SKIPPED')
    expect(held.map(({ symbol }) => symbol)).toEqual([
      AAA, BBB, AAA, BBB, AAA, BBB, AAA, BBB, AAA, BBB, AAA, BBB, AAA, BBB,
    ])
    expect(held.map(({ timestamp }) => timestamp)).toEqual(
      [1, 3, 4, 5, 6, 7, 8].flatMap((index) => [at(index), at(index)]))
  })

  it('warm up each by its own candles', async () => {
    const said: string[] = []
    const technical: Strategy['technical'] = ({ symbol, time }) => {
      said.push(`${symbol} ${(time - START) / HOUR}`)
      return { action: 'HOLD', confidence: 0, reasoning: '' }
    }
    const warming = { technical, warmup: () => 2 }
    const six = tapeOf(flat(100, 6))
    await two([six, six], [{}, {}], {}, warming)
    expect(said.splice(0)).toEqual([3, 4, 5, 6].flatMap((hour) => [`${AAA} ${hour}`, `${BBB} ${hour}`]))
    // BBB begins three hours later.
    await two([six, tapeOf(flat(100, 3), '1h', START + 3 * HOUR)], [{}, {}], {}, warming)
    expect(said).toEqual([`${AAA} 3`, `${AAA} 4`, `${AAA} 5`, `${AAA} 6`, `${BBB} 6`])
  })

  it('count the time stop and the cooldown by their own candles', async () => {
    const script: Script = { 0: 'BUY', 2: 'BUY', 3: 'BUY', 4: 'BUY', 5: 'BUY' }
    const run = await laneOf(two([level, level], [script, script], { positionSize: 0.4, maxHold: 2, cooldown: 2 }))
    // In at the open of candle 1, out at that of 3; two candles later, at the close of 5, a BUY is allowed again.
    for (const symbol of [AAA, BBB]) {
      const own = run.fills.filter((fill) => fill.symbol === symbol)
      expect(own.map(({ side, timestamp }) => [side, timestamp])).toEqual([
        ['buy', at(1)], ['sell', at(3)], ['buy', at(6)], ['sell', at(7)],
      ])
    }
  })

  it('share limits: a pending entry counts as a position and as exposure', async () => {
    for (const [limit, reason] of [
      [{ maxOpenPositions: 1 }, 'max-open-positions'], [{ maxExposure: 0.5 }, 'max-exposure'],
    ] as const) {
      const run = await laneOf(two([level, level], [{ 0: 'BUY' }, { 0: 'BUY' }], { positionSize: 0.4, ...limit }))
      expect(decisionsOf(run)).toContainEqual(expect.objectContaining({ symbol: BBB, status: 'REJECTED', reason }))
      expect(run.fills.map(({ symbol }) => symbol)).toEqual([AAA, AAA])
    }
  })

  it('end each at its own last close', async () => {
    const short: readonly Row[] = [...flat(100, 3), [100, 104, 100, 104]]
    const long: readonly Row[] = [...flat(100, 5), [100, 102, 100, 102]]
    const run = await laneOf(two([tapeOf(short), tapeOf(long)], [{ 0: 'BUY' }, { 0: 'BUY' }], { positionSize: 0.5 }))
    expect(run.fills.filter(({ side }) => side === 'sell').map(({ symbol, price, reason }) => [symbol, price, reason]))
      .toEqual([[AAA, 104, 'end'], [BBB, 102, 'end']])
    expect(run.measures.finalEquity).toBeCloseTo(5200 + 5100, 8)
  })

  it('are the runs of each alone where nothing is shared', async () => {
    const walks: Record<string, CandleColumns> = {
      [AAA]: randomWalk(250, 5, '1h', 0.02), [BBB]: randomWalk(250, 6, '1h', 0.02),
    }
    // Sizes follow the common equity, but times, prices and reasons are each symbol's own.
    const policy = {
      minConfidence: 0.3, stopLoss: 0.02, takeProfit: 0.02, positionSize: 0.1, maxHold: 9, trailingStop: 0.02,
    }
    const tradesOf = ({ trades }: LaneRun, symbol: string): string[][] =>
      trades.map((row) => row.split(',')).filter(([name]) => name === symbol)
        .map(([, entryTime, entryPrice, exitTime, exitPrice, , reason]) =>
          [entryTime, entryPrice, exitTime, exitPrice, reason])
    const strategy = dice(11, 0.2, 0.1, { warmup: () => 5 })
    const together = await playOne(scenarioFor([AAA, BBB], policy), { market: momentsOf(walks), strategy })
    for (const symbol of [AAA, BBB]) {
      const market = momentsOf({ [symbol]: walks[symbol] })
      const alone = await playOne(scenarioFor([symbol], policy), { market, strategy })
      expect(alone.trades.length).toBeGreaterThan(15)
      expect(tradesOf(together, symbol)).toEqual(tradesOf(alone, symbol))
    }
  })

  it('let every variant decide about every symbol', async () => {
    const walks = { [AAA]: randomWalk(120, 8, '1h', 0.02), [BBB]: randomWalk(120, 9, '1h', 0.02) }
    const policies: Policy[] = [0, 0.3, 0.5, 0.7, 0.9].map((minConfidence) =>
      ({ ...DEFAULT_POLICY, minConfidence, minExitConfidence: 0, stopLoss: 0.02, takeProfit: 0.02, positionSize: 0.3 }))
    const strategy = dice(12)
    const run = (variants: readonly LaneVariant[]): Promise<Played> =>
      play(scenarioFor([AAA, BBB], {}), { market: momentsOf(walks), strategy, variants, audit: 'off' })
    const together = await run(policies.map((policy) => ({ policy })))
    for (const [index, policy] of policies.entries()) {
      const alone = (await run([{ policy }])).runs[0]
      expect(alone.trades.length).toBeGreaterThan(1)
      expect(together.runs[index].trades).toEqual(alone.trades)
      expect(together.runs[index].decisions).toEqual(alone.decisions)
      expect(together.runs[index].daily).toEqual(alone.daily)
    }
  })
})
