import { describe, expect, it } from 'vitest'
import {
  decisionsOf, exitsOf, flat, freely, HOUR, marketOf, opinion, playOne, scripted, START, type LaneRun, type Row,
  type Script,
} from '../../support/play.ts'

const played = (
  rows: readonly Row[], script: Script, policy: object, broker: object = {}, audit: 'full' | 'off' = 'full',
): Promise<LaneRun> =>
  playOne(freely(broker, policy), { market: marketOf(rows), strategy: scripted(script), audit })

/** BUY at every close. */
const always = (count: number): Script =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [index, 'BUY' as const]))

const at = (index: number): string => new Date(START + index * HOUR).toISOString()
const raisesOf = ({ lines }: LaneRun): unknown[] =>
  lines.filter(({ event }) => event === 'stop-raised').map(({ timestamp, from, to }) => [timestamp, from, to])

describe('the time stop', () => {
  it.each([1, 2, 5])('sells at the open after %d candles', async (maxHold) => {
    const run = await played(flat(100, 10), { 0: 'BUY' }, { maxHold })
    // Bought at the open of candle 1, which is the first candle held.
    expect(run.fills.map(({ timestamp, reason }) => [timestamp, reason]))
      .toEqual([[at(1), null], [at(1 + maxHold), 'time']])
    expect(run.measures.trades.held[0]).toBe(maxHold)
    // It is the policy's doing: no decision says so.
    expect(decisionsOf(run)).toHaveLength(10)
    expect(run.decisions).toMatchObject({ total: 10, byStatus: { EXECUTED: 1, SKIPPED: 9 } })
  })

  it('counts anew for each position', async () => {
    const run = await played(flat(100, 12), { 0: 'BUY', 4: 'BUY' }, { maxHold: 3 })
    expect(run.fills.map(({ timestamp }) => timestamp)).toEqual([at(1), at(4), at(5), at(8)])
  })

  it('gives way to a SELL of the same close', async () => {
    const run = await played(flat(100, 8), { 0: 'BUY', 3: 'SELL' }, { maxHold: 3 })
    expect(exitsOf(run)).toEqual(['signal'])
    expect(run.fills[1].timestamp).toBe(at(4))
  })

  it('sells what an unsure SELL could not', async () => {
    const script = { 0: 'BUY', 3: opinion('SELL', 0.2) } as const
    const run = await played(flat(100, 8), script, { maxHold: 3, minExitConfidence: 0.5 })
    expect(exitsOf(run)).toEqual(['time'])
    expect(decisionsOf(run)[3]).toMatchObject({ action: 'SELL', status: 'REJECTED', reason: 'low-confidence' })
  })

  it('leaves the pair at work until then', async () => {
    const run = await played([...flat(100, 3), [100, 101, 94, 95], ...flat(95, 3)], { 0: 'BUY' }, { maxHold: 4 })
    expect(exitsOf(run)).toEqual(['stop'])
  })
})

describe('the trailing stop', () => {
  const trailing = { stopLoss: 0.1, takeProfit: null, trailingStop: 0.05 }
  const rows: readonly Row[] = [
    ...flat(100, 1),
    // 104 × 0.95 = 98.8 from the next candle on.
    [100, 104, 99, 103],
    // 110 × 0.95 = 104.5: not yet in this candle, whose low is far below.
    [103, 110, 99, 108],
    // No new high: it stays where it is.
    [108, 109, 104.6, 105],
    [105, 106, 104, 105],
    ...flat(105, 2),
  ]

  it('moves at closes, for the next candle, and never falls', async () => {
    const run = await played(rows, { 0: 'BUY' }, trailing)
    expect(run.fills[0]).toMatchObject({ price: 100, stop: 90 })
    const raises = raisesOf(run) as [string, number, number][]
    expect(raises.map(([time]) => time)).toEqual([at(2), at(3)])
    expect(raises[0][1]).toBe(90)
    expect(raises[0][2]).toBeCloseTo(98.8, 10)
    expect(raises[1][2]).toBeCloseTo(104.5, 10)
    expect(run.fills[1]).toMatchObject({ reason: 'trailing', timestamp: at(4) })
    expect(run.fills[1].price).toBeCloseTo(104.5, 10)
    expect(run.measures.trades.stop[0]).toBeCloseTo(104.5, 10)
  })

  it('follows from where the position was entered, not from what came before', async () => {
    const run = await played([[100, 200, 100, 100], ...flat(100, 3)], { 0: 'BUY' }, trailing)
    // 100 × 0.95: the 200 before the entry do not count.
    expect(raisesOf(run)).toEqual([[at(2), 90, 95]])
  })

  it('pays the open where the market leaps over it', async () => {
    const run = await played([...rows.slice(0, 3), [100, 101, 99, 100], ...flat(100, 1)], { 0: 'BUY' }, trailing)
    expect(run.fills[1]).toMatchObject({ reason: 'trailing', price: 100, timestamp: at(3) })
  })

  it('needs no stop to start from', async () => {
    const run = await played(rows, { 0: 'BUY' }, { ...trailing, stopLoss: null })
    expect(run.fills[0].stop).toBeNull()
    expect(raisesOf(run)[0]).toEqual([at(2), null, expect.closeTo(98.8, 10)])
    expect(exitsOf(run)).toEqual(['trailing'])
  })

  it('is still a stop when it was never raised', async () => {
    const run = await played([...flat(100, 2), [100, 100, 84, 85], ...flat(85, 1)], { 0: 'BUY' },
      { stopLoss: 0.05, takeProfit: null, trailingStop: 0.1 })
    expect(raisesOf(run)).toEqual([])
    expect(exitsOf(run)).toEqual(['stop'])
  })

  it('rests on the tick', async () => {
    const run = await playOne(freely({}, trailing, { instrument: { tickSize: 0.25, lotSize: 0, minNotional: 0 } }),
      { market: marketOf(rows), strategy: scripted({ 0: 'BUY' }) })
    // 98.8 → 98.75, and 104.5.
    expect(raisesOf(run)).toEqual([[at(2), 90, 98.75], [at(3), 98.75, 104.5]])
  })
})

describe('the break-even stop', () => {
  const even = { stopLoss: 0.05, takeProfit: null, breakEvenAt: 0.02 }
  const COSTS = { fees: { maker: 0, taker: 0.001, asset: 'quote' }, slippageBps: 10 }

  it('moves to entry plus costs once a high has reached the gain, and then the trade costs nothing', async () => {
    for (const asset of ['quote', 'received']) {
      const rows: Row[] = [
        ...flat(100, 1), [100, 102.05, 99, 101], [101, 103, 101, 102], [102, 102, 98, 99], ...flat(99, 1),
      ]
      const run = await played(rows, { 0: 'BUY' }, even, { ...COSTS, fees: { ...COSTS.fees, asset } })
      // Bought at 100.1: 102.102 is not reached by 102.05, but by 103 in candle 2.
      const raises = raisesOf(run) as [string, number, number][]
      expect(raises.map(([time]) => time)).toEqual([at(3)])
      expect(run.fills[1]).toMatchObject({ reason: 'trailing', timestamp: at(3) })
      expect(run.measures.trades.pnl[0]).toBeCloseTo(0, 8)
      expect(run.measures.finalEquity).toBeCloseTo(10_000, 8)
    }
  })

  it('leaves a trailing stop that is further on', async () => {
    const rows: Row[] = [
      ...flat(100, 1), [100, 110, 99, 109], [109, 109, 105, 106], [106, 106, 100, 101], ...flat(101, 1),
    ]
    const run = await played(rows, { 0: 'BUY' }, { ...even, trailingStop: 0.05 })
    // 110 × 0.95 = 104.5 against 100.
    expect(run.fills[1]).toMatchObject({ reason: 'trailing', timestamp: at(3) })
    expect(run.fills[1].price).toBeCloseTo(104.5, 10)
  })
})

describe('cooldown', () => {
  it.each([[1, 3], [2, 4], [4, 6]])('of %d candles keeps the symbol alone for as long', async (cooldown, next) => {
    const run = await played([...flat(100, 1), [100, 106, 99, 100], ...flat(100, 10)], always(12), { cooldown })
    // Bought and sold in candle 1; candles 2 … 1 + cooldown see no entry.
    expect(run.fills.slice(0, 3).map(({ side, timestamp }) => [side, timestamp]))
      .toEqual([['buy', at(1)], ['sell', at(1)], ['buy', at(next)]])
    expect(run.decisions.byReason['cooldown']).toBe(cooldown)
  })

  it('is not needed: without it the next open may be an entry again', async () => {
    const run = await played([...flat(100, 1), [100, 106, 99, 100], ...flat(100, 10)], always(12), {})
    expect(run.fills[2]).toMatchObject({ side: 'buy', timestamp: at(2) })
  })
})

describe('limits on loss', () => {
  /** An hour in which 5 % are lost at the stop, back at 100 when it closes. */
  const fall: Row = [100, 100, 90, 100]

  it('a day that has lost its limit sees no further entry; the next day does', async () => {
    const run = await played(Array.from({ length: 30 }, () => fall), always(30), { maxDailyLoss: 0.12 })
    // 5 % with every hour's candle: 0.95³ = 0.857 is the first below 0.88, at the close of candle 3. Day two begins
    // with the decision at 00:00, the close of candle 23, so that candle 24 is bought again, and 25, and 26.
    const entries = run.fills.filter(({ side }) => side === 'buy').map(({ timestamp }) => timestamp)
    expect(entries).toEqual([1, 2, 3, 24, 25, 26].map(at))
    expect(run.lines.filter(({ type }) => type === 'risk')).toMatchObject([
      { rule: 'max-daily-loss', state: 'REDUCING', timestamp: at(4) },
      { rule: 'max-daily-loss', state: 'REDUCING', timestamp: at(27) },
    ])
  })

  it('a drawdown halts for good, but what protects a position stays', async () => {
    const rows: Row[] = [...flat(100, 2), [100, 100, 96, 96], [96, 96, 95.5, 96], [96, 96, 90, 91], ...flat(91, 30)]
    const run = await played(rows, { ...always(35), 3: 'SELL' }, { maxDrawdown: 0.03 })
    expect(run.lines.filter(({ type }) => type === 'risk')).toMatchObject([
      { rule: 'max-drawdown', state: 'HALTED', timestamp: at(3) },
    ])
    // The SELL is refused as well; the stop then sells.
    expect(decisionsOf(run)[3]).toMatchObject({ action: 'SELL', status: 'REJECTED', reason: 'halted' })
    expect(exitsOf(run)).toEqual(['stop'])
    expect(run.lane.halted).toBe(true)
    expect(run.fills).toHaveLength(2)
  })

  it('losses in a row end the day\'s entries', async () => {
    const run = await played(Array.from({ length: 30 }, () => fall), always(30), { maxConsecutiveLosses: 2 })
    const entries = run.fills.filter(({ side }) => side === 'buy').map(({ timestamp }) => timestamp)
    expect(entries).toEqual([1, 2, 24, 25].map(at))
    expect(run.decisions.byReason['consecutive-losses']).toBeGreaterThan(20)
  })

  it('are the same for a lane that writes no trail', async () => {
    const policies = [
      { maxDailyLoss: 0.12 }, { maxDrawdown: 0.12 }, { maxConsecutiveLosses: 2 }, { maxHold: 3, stopLoss: null },
    ]
    for (const policy of policies) {
      const rows = Array.from({ length: 60 }, () => fall)
      const loud = await played(rows, always(60), policy)
      const silent = await played(rows, always(60), policy, {}, 'off')
      expect(silent.trades).toEqual(loud.trades)
      expect(silent.trades.length).toBeGreaterThan(1)
      expect(silent.daily).toEqual(loud.daily)
      expect(silent.decisions).toEqual(loud.decisions)
    }
  })
})
