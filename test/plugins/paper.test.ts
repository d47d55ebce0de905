import { describe, expect, it } from 'vitest'
import type { FillModelName } from '../../engine/core/matching.ts'
import type { Answer, MarketEvent } from '../../engine/ports.ts'
import type { ChainLink } from '../../engine/pipeline/provider-chain.ts'
import paper from '../../plugins/broker/paper.ts'
import {
  decisionsOf, EventMarket, exitsOf, flat, freely, HOUR, marketOf, playOne, scripted, START, tapeOf, type LaneRun,
  type Line, type Row, type Script,
} from '../support/play.ts'

const MINUTE = 60_000

/** Plays hand-made hours with a script of opinions. */
const played = (
  rows: readonly Row[], script: Script, broker: object = {}, policy: object = {}, rest: object = {},
): Promise<LaneRun> => playOne(freely(broker, policy, rest), { market: marketOf(rows), strategy: scripted(script) })

/** What happened to orders beside being accepted and filled. */
const ordersOf = ({ lines }: LaneRun): Line[] =>
  lines.filter(({ type, state }) => type === 'order' && state !== 'accepted')
const at = (index: number): string => new Date(START + index * HOUR).toISOString()

describe('the paper broker\'s options', () => {
  it('have the defaults of the specification', () => {
    expect(paper.options.parse({})).toEqual({
      cash: 10_000, fees: { maker: 0.001, taker: 0.001, asset: 'received' }, slippageBps: 5, fillModel: 'conservative',
      fillTimeframe: null, latencyCandles: 0,
    })
  })

  it.each([
    { cash: 0 }, { fees: { maker: 1 } }, { fees: { taker: -0.001 } }, { fees: { asset: 'base' } }, { slippageBps: -1 },
    { fillModel: 'lucky' }, { fillTimeframe: '7m' }, { latencyCandles: 0.5 }, { latencyCandles: -1 }, { slipageBps: 5 },
  ])('refuse %j', (options) => {
    expect(paper.options.safeParse(options).success).toBe(false)
  })
})

describe('each fill model, from the decision to the trade', () => {
  // The golden table: bought at 100, stop 95, target 105; what is not closed by the pair ends at the last close.
  const GOLDEN: readonly (readonly [Row, ...(readonly [string, number])[]])[] = [
    [[100, 107, 94, 101], ['stop', 95], ['stop', 95], ['target', 105]],
    [[100, 107, 94, 99], ['stop', 95], ['stop', 95], ['target', 105]],
    [[90, 92, 88, 91], ['stop_gap', 90], ['stop_gap', 90], ['stop_gap', 90]],
    [[90, 96, 88, 95], ['stop_gap', 90], ['stop_gap', 90], ['stop_gap', 90]],
    [[110, 112, 109, 111], ['target', 105], ['target_gap', 110], ['target_gap', 110]],
    [[100, 105, 96, 101], ['end', 101], ['target', 105], ['target', 105]],
    [[100, 104, 95, 101], ['stop', 95], ['stop', 95], ['stop', 95]],
  ]
  const MODELS: readonly FillModelName[] = ['conservative', 'open-on-gap', 'optimistic']
  const cases = GOLDEN.flatMap(([row, ...results]) =>
    MODELS.map((model, index) => ({ row, model, reason: results[index][0], price: results[index][1] })))

  it.each(cases)('$row with $model', async ({ row, model, reason, price }) => {
    const run = await played([...flat(100, 2), row], { 0: 'BUY' }, { fillModel: model })
    const [entry, exit] = run.fills
    expect(run.fills).toHaveLength(2)
    // 100 units for 10,000.
    expect(entry).toMatchObject({ side: 'buy', price: 100, quantity: 100, timestamp: at(1), stop: 95, target: 105 })
    expect(exit).toMatchObject({ side: 'sell', price, reason, timestamp: at(2) })
    expect(run.measures.finalEquity).toBeCloseTo(100 * price, 8)
    const ambiguous = row[1] === 107 ? 1 : 0
    expect(run.measures.ambiguousCandles).toBe(ambiguous)
  })

  it.each([
    ['conservative', 'stop', 95], ['open-on-gap', 'stop', 95], ['optimistic', 'target', 105],
  ] as const)('protects on the entry candle already: %s', async (fillModel, reason, price) => {
    const run = await played([...flat(100, 1), [100, 106, 94, 100], ...flat(100, 1)], { 0: 'BUY' }, { fillModel })
    expect(run.fills).toMatchObject([{ side: 'buy', price: 100 }, { reason, price }])
    expect(run.fills.map(({ timestamp }) => timestamp)).toEqual([at(1), at(1)])
    expect(run.measures.ambiguousCandles).toBe(1)
  })

  it('an exit that was decided fills at the open before the pair is looked at', async () => {
    const run = await played([...flat(100, 2), [90, 110, 80, 100]], { 0: 'BUY', 1: 'SELL' })
    expect(run.fills[1]).toMatchObject({ price: 90, reason: 'signal', liquidity: 'taker' })
  })
})

describe('costs', () => {
  const COSTS = { fees: { maker: 0.001, taker: 0.002, asset: 'received' }, slippageBps: 10 }

  it('are those of a taker at the entry and the stop, of a maker at the target', async () => {
    const won = await played([...flat(100, 2), [102, 120, 101, 110]], { 0: 'BUY' }, COSTS)
    // Bought at 100.1: 10,000 ÷ 100.1 = 99.9000999 units, of which 0.2 % are the fee; sold at 100.1 × 1.05 = 105.105.
    const units = (10_000 / 100.1) * 0.998
    expect(won.fills[0]).toMatchObject({ liquidity: 'taker', fee_quote: 0 })
    expect(won.fills[0].price).toBeCloseTo(100.1, 10)
    expect(won.fills[1]).toMatchObject({ liquidity: 'maker', slippage: 0, fee_base: 0 })
    expect(won.measures.finalEquity).toBeCloseTo(units * 105.105 * 0.999, 6)
    const lost = await played([...flat(100, 2), [98, 99, 90, 91]], { 0: 'BUY' }, COSTS)
    // The stop at 95.095 sells at 95.095 × 0.999.
    expect(lost.fills[1]).toMatchObject({ liquidity: 'taker', reason: 'stop' })
    expect(lost.measures.finalEquity).toBeCloseTo(units * 95.095 * 0.999 * 0.998, 6)
    expect(lost.measures.slippage).toBeCloseTo((10_000 / 100.1) * 0.1 + units * 95.095 * 0.001, 6)
  })

  it('of an entry may put it beyond its own stop, which then sells at the open', async () => {
    const run = await played([...flat(100, 3)], { 0: 'BUY' }, { slippageBps: 100 }, { stopLoss: 0.005 })
    // Bought at 101, stop at 100.495: the open of 100 is already below it, and 1 % worse it sells at 99.
    expect(run.fills).toMatchObject([{ price: 101 }, { price: 99, reason: 'stop', timestamp: at(1) }])
  })

  it('in quote come out of what is spent', async () => {
    const run = await played(flat(100, 3), { 0: 'BUY' }, { fees: { maker: 0.001, taker: 0.001, asset: 'quote' } })
    // 10,000 ÷ (100 × 1.001) units; sold at 100 with 0.1 % at the end.
    expect(run.fills[0].notional + run.fills[0].fee_quote).toBeCloseTo(10_000, 8)
    expect(run.measures.finalEquity).toBeCloseTo((10_000 / 1.001) * 0.999, 8)
  })
})

describe('latencyCandles', () => {
  const late = { latencyCandles: 1 }

  it('lets every market order fill that much later', async () => {
    const rows = [100, 101, 102, 102, 103, 104, 100].flatMap((price) => flat(price, 1))
    const run = await played(rows, { 0: 'BUY', 3: 'SELL' }, late)
    // Decided at the close of candle 0, filled at the open of 2; decided at 3, filled at 5.
    expect(run.fills).toMatchObject([
      { side: 'buy', price: 102, timestamp: at(2) }, { side: 'sell', price: 104, timestamp: at(5), reason: 'signal' },
    ])
  })

  it('delays the time stop as well', async () => {
    const run = await played(flat(100, 8), { 0: 'BUY' }, late, { maxHold: 2 })
    // In from the open of candle 2; two candles later is the open of 4, one late is 5.
    expect(run.fills.map(({ timestamp }) => timestamp)).toEqual([at(2), at(5)])
    expect(exitsOf(run)).toEqual(['time'])
  })

  it('leaves the pair at work until then; what it closes need not be sold again', async () => {
    const run = await played([...flat(100, 4), [97, 98, 94, 96], ...flat(96, 2)], { 0: 'BUY', 3: 'SELL' }, late)
    expect(exitsOf(run)).toEqual(['stop'])
    expect(run.fills[1]).toMatchObject({ price: 95, timestamp: at(4) })
    expect(ordersOf(run)).toMatchObject([{ id: '0-1704081600-exit', state: 'cancelled', reason: 'position-closed' }])
    expect(decisionsOf(run)[3]).toMatchObject({ action: 'SELL', status: 'FAILED', reason: 'position-closed' })
    expect(decisionsOf(run)).toHaveLength(7)
  })
})

describe('fillTimeframe', () => {
  /** Five-minute candles, each after its five minutes; only the minutes settle orders. */
  function fineMarket(minutes: readonly Row[]): EventMarket {
    const fine = tapeOf(minutes, '1m')
    const blocks = Array.from({ length: minutes.length / 5 }, (_, block): Row => {
      const inner = minutes.slice(block * 5, block * 5 + 5)
      const [high, low] = [Math.max(...inner.map((row) => row[1])), Math.min(...inner.map((row) => row[2]))]
      return [inner[0][0], high, low, inner[4][3]]
    })
    const coarse = tapeOf(blocks, '5m')
    return new EventMarket(blocks.flatMap((_, block): MarketEvent[] => [
      {
        kind: 'candles', symbol: 'BTC/USDT', timeframe: '1m', columns: fine, start: block * 5, end: block * 5 + 5,
        settles: true, decides: false, more: false,
      },
      {
        kind: 'candles', symbol: 'BTC/USDT', timeframe: '5m', columns: coarse, start: block, end: block + 1,
        settles: false, decides: true, more: false,
      },
    ]))
  }
  const rules = (latency: Readonly<Record<string, number>>): ChainLink[] => [{
    name: 'recorded',
    provider: {
      refines: false,
      answer: (conversation): Answer => {
        const said = conversation.rules()
        return { ...said, latencyMs: latency[said.action] }
      },
    },
  }]
  const fine = async (minutes: readonly Row[], script: Script, latency: object = {}, timeframe: string | null = '1m') =>
    playOne({ ...freely({ fillTimeframe: timeframe }), timeframe: '5m' }, {
      market: fineMarket(minutes), strategy: scripted(script, {}, '5m'),
      links: rules({ BUY: 0, SELL: 0, HOLD: 0, ...latency }),
    })
  /** Minute m opens at 100 + m ÷ 100, so that prices tell when something was filled. */
  const minutes: Row[] = Array.from({ length: 30 }, (_, minute) => {
    const price = 100 + minute / 100
    return [price, price, price, price]
  })
  const minute = (index: number): string => new Date(START + index * MINUTE).toISOString()

  it('fills at the first finer open after the close', async () => {
    const run = await fine(minutes, { 0: 'BUY', 2: 'SELL' })
    expect(run.fills).toMatchObject([{ price: 100.05, timestamp: minute(5) }, { price: 100.15, timestamp: minute(15) }])
  })

  it('adds the decision\'s recorded latency', async () => {
    const run = await fine(minutes, { 0: 'BUY', 2: 'SELL' }, { BUY: 20_000, SELL: 90_000 })
    // 20 s after 00:05 comes the open of 00:06, 90 s after 00:15 that of 00:17.
    expect(run.fills).toMatchObject([{ price: 100.06, timestamp: minute(6) }, { price: 100.17, timestamp: minute(17) }])
    const decided = decisionsOf(run).filter(({ status }) => status === 'EXECUTED')
    expect(decided.map(({ latency_ms }) => latency_ms)).toEqual([20_000, 90_000])
    // A latency of exactly a minute makes the open of 00:16.
    const exact = await fine(minutes, { 0: 'BUY', 2: 'SELL' }, { SELL: 60_000 })
    expect(exact.fills[1]).toMatchObject({ timestamp: minute(16) })
  })

  it('refuses an entry that comes later than 30 seconds, never an exit', async () => {
    const run = await fine(minutes, { 0: 'BUY' }, { BUY: 30_001 })
    expect(run.fills).toEqual([])
    expect(decisionsOf(run)[0]).toMatchObject({ status: 'REJECTED', reason: 'late' })
  })

  it('knows what came first inside a candle that touches both levels', async () => {
    const rows: Row[] = [...flat(100, 10), [100, 106, 100, 104], [104, 104, 94, 95], ...flat(95, 3)]
    const run = await fine(rows, { 0: 'BUY' })
    expect(run.fills[1]).toMatchObject({ price: 105, reason: 'target', ambiguous: false, timestamp: minute(10) })
    expect(run.measures.ambiguousCandles).toBe(0)
  })

  it('without it, latency moves no fill: the next candle\'s open is the price', async () => {
    const run = await playOne(freely(), {
      market: marketOf([...flat(100, 1), ...flat(101, 1), ...flat(102, 1)]), strategy: scripted({ 0: 'BUY' }),
      links: rules({ BUY: 20_000, SELL: 0, HOLD: 0 }),
    })
    expect(run.fills[0]).toMatchObject({ price: 101, timestamp: at(1) })
  })
})

describe('lots', () => {
  const LOTS = { instrument: { tickSize: 0.5, lotSize: 1, minNotional: 0 } }

  it('leave dust, which is valued, is no position, and goes with the next exit', async () => {
    const rows = flat(100, 8)
    const run = await played(rows, { 0: 'BUY', 2: 'SELL', 4: 'BUY', 6: 'SELL' },
      { fees: { maker: 0.01, taker: 0.01, asset: 'received' } }, { positionSize: 0.1 }, LOTS)
    // 1,000 buys 10, of which 0.1 are the fee: 9.9 held, 9 sold for 900 − 9, 0.9 left. Cash 9,891, equity 9,981.
    // 998.1 buys 9, fee 0.09: 8.91 + 0.9 = 9.81 held; 9 sold, one more than without the dust; 0.81 left.
    expect(run.fills.map(({ quantity }) => quantity)).toEqual([10, 9, 9, 9])
    expect(run.fills.map(({ fee_base }) => fee_base)).toEqual([0.1, 0, 0.09, 0])
    expect(exitsOf(run)).toEqual(['signal', 'signal'])
    // 9,891 − 900 + 891
    expect(run.lane.portfolio.cash).toBeCloseTo(9882, 8)
    expect(run.lane.portfolio.holdings[0].quantity).toBeCloseTo(0.81, 10)
    expect(run.measures.finalEquity).toBeCloseTo(9882 + 81, 8)
    expect(run.lane.portfolio.openPositions).toBe(0)
  })

  it('round the pair to the tick', async () => {
    const run = await played(flat(101, 3), { 0: 'BUY' }, {}, {}, LOTS)
    // 101 × 0.95 = 95.95 and × 1.05 = 106.05 on a grid of halves.
    expect(run.fills[0]).toMatchObject({ quantity: 99, stop: 96, target: 106 })
  })

  it('refuse an order that the next open has made too small', async () => {
    const run = await played([...flat(900, 1), ...flat(1100, 2)], { 0: 'BUY' }, { cash: 1000 }, {}, LOTS)
    expect(ordersOf(run)).toMatchObject([{ state: 'rejected', reason: 'below-lot', timestamp: at(1) }])
    expect(decisionsOf(run)[0]).toMatchObject({ status: 'FAILED', reason: 'below-lot' })
    expect(run.measures.finalEquity).toBe(1000)
    expect(run.fills).toEqual([])
  })

  it('refuse an order that the next open has made worth too little', async () => {
    const run = await played([...flat(100, 1), ...flat(196, 2)], { 0: 'BUY' }, { cash: 250 }, { stopLoss: null }, {
      instrument: { tickSize: 0, lotSize: 1, minNotional: 200 },
    })
    // Two lots at 100 were enough; one at 196 is not.
    expect(ordersOf(run)).toMatchObject([{ state: 'rejected', reason: 'below-min-notional' }])
    expect(run.measures.finalEquity).toBe(250)
  })

  it('make dust of an entry that the next open has made too small to be sold again', async () => {
    const rows: readonly Row[] = [...flat(100, 1), [130, 200, 50, 130], ...flat(130, 3)]
    const run = await played(rows, { 0: 'BUY', 2: 'SELL', 3: 'BUY' },
      { cash: 250, fees: { maker: 0, taker: 0.001, asset: 'received' } }, { stopLoss: null }, LOTS)
    // Two lots of 100 less the fee would have left one; one lot of 130 less the fee leaves 0.999 of none.
    expect(run.fills[0]).toMatchObject({ side: 'buy', quantity: 1, stop: null, target: null, timestamp: at(1) })
    expect(decisionsOf(run)).toContainEqual(expect.objectContaining({ timestamp: at(3), reason: 'no-position' }))
    expect(exitsOf(run)).toEqual([])
    const { cash, openPositions, holdings } = run.lane.portfolio
    expect([cash, openPositions]).toEqual([120, 0])
    expect(holdings[0].quantity).toBeCloseTo(0.999, 10)
    expect(run.measures.finalEquity).toBeCloseTo(120 + 0.999 * 130, 8)
    expect(run.measures.momentsInPosition).toBe(0)
  })

  it('refuse an entry that could not be sold again', async () => {
    const run = await played(flat(100, 3), { 0: 'BUY' }, { cash: 105 }, {}, {
      instrument: { tickSize: 0, lotSize: 1, minNotional: 100 },
    })
    // One lot is worth 100 now and 95 at the stop.
    expect(decisionsOf(run)[0]).toMatchObject({ status: 'REJECTED', reason: 'exit-below-min-notional' })
  })
})

describe('cash', () => {
  const two = (rows: readonly Row[], positionSize: number, rest: object = {}): Promise<LaneRun> => {
    const columns = tapeOf(rows)
    const market = new EventMarket(rows.flatMap((_, row): MarketEvent[] => ['AAA/USDT', 'BBB/USDT'].map((symbol) => ({
      kind: 'candles', symbol, timeframe: '1h', columns, start: row, end: row + 1, settles: true, decides: true,
      more: symbol === 'AAA/USDT',
    }))))
    const script = new Map<string, Script>([['AAA/USDT', { 0: 'BUY' }], ['BBB/USDT', { 0: 'BUY' }]])
    const { symbol: _, ...scenario } = freely({}, { positionSize }, rest) as { symbol: string }
    return playOne({ ...scenario, symbols: ['AAA/USDT', 'BBB/USDT'] }, { market, strategy: scripted(script) })
  }

  it('that a pending entry has reserved cannot be spent twice', async () => {
    const run = await two(flat(100, 3), 0.6)
    // Both want 6,000; the second gets the 4,000 that are left.
    expect(run.fills.filter(({ side }) => side === 'buy').map(({ notional }) => notional)).toEqual([6000, 4000])
  })

  it('that is gone refuses the order', async () => {
    const run = await two(flat(100, 3), 1)
    expect(decisionsOf(run)).toContainEqual(
      expect.objectContaining({ symbol: 'BBB/USDT', status: 'REJECTED', reason: 'insufficient-cash' }))
    expect(run.fills.filter(({ side }) => side === 'buy')).toHaveLength(1)
  })

  it('that is less than the minimum refuses the order as well', async () => {
    const run = await two(flat(100, 3), 0.95, { instrument: { lotSize: 0, tickSize: 0, minNotional: 501 } })
    expect(decisionsOf(run)).toContainEqual(
      expect.objectContaining({ symbol: 'BBB/USDT', status: 'REJECTED', reason: 'insufficient-cash' }))
  })
})

describe('the end of the tape', () => {
  const COSTS = { fees: { maker: 0, taker: 0.001, asset: 'quote' }, slippageBps: 10 }
  const day = 24

  it('sells at the last close with the taker\'s fee and slippage, before the last equity is marked', async () => {
    const rows: Row[] = [...flat(100, day + 3), [100, 104, 96, 103]]
    const run = await played(rows, { 0: 'BUY' }, COSTS)
    // 10,000 ÷ (100.1 × 1.001) units, sold at 103 × 0.999 = 102.897 less 0.1 %.
    const expected = (10_000 / (100.1 * 1.001)) * 102.897 * 0.999
    expect(run.fills[1]).toMatchObject({ reason: 'end', liquidity: 'taker', timestamp: at(day + 3) })
    expect(run.fills[1].price).toBeCloseTo(102.897, 9)
    expect(run.measures.finalEquity).toBeCloseTo(expected, 6)
    expect(run.daily).toHaveLength(2)
    expect(run.daily[1]).toBe(run.measures.finalEquity)
    expect(run.lane.portfolio.openPositions).toBe(0)
    // Held at the closes of candles 1 … 26; at that of the last, number 27, it is sold.
    expect(run.measures.momentsInPosition).toBe(day + 2)
  })

  it('values dust at the last close', async () => {
    const run = await played([...flat(100, 3)], { 0: 'BUY' },
      { fees: { maker: 0, taker: 0.01, asset: 'received' }, slippageBps: 100 }, {},
      { instrument: { tickSize: 0, lotSize: 1, minNotional: 0 } })
    // 10,000 ÷ 101 = 99 units, fee 0.99: 98.01 held, 98 sold at 99 less 1 %; 0.01 units are worth 100 each.
    const { cash, holdings } = run.lane.portfolio
    expect(cash).toBeCloseTo(10_000 - 9999 + 98 * 99 * 0.99, 8)
    expect(holdings[0].quantity).toBeCloseTo(0.01, 10)
    expect(run.measures.finalEquity - cash).toBeCloseTo(1, 8)
  })

  it('cancels a pending entry with a line of its own', async () => {
    const run = await played(flat(100, 3), { 2: 'BUY' })
    expect(run.fills).toEqual([])
    expect(ordersOf(run)).toMatchObject([{ id: '0-1704078000-entry', state: 'cancelled', reason: 'end-of-tape' }])
    expect(decisionsOf(run)).toHaveLength(3)
    expect(decisionsOf(run)[2]).toMatchObject({ status: 'FAILED', reason: 'end-of-tape' })
    expect(run.measures.finalEquity).toBe(10_000)
  })

  it('overtakes a pending exit', async () => {
    const run = await played(flat(100, 3), { 0: 'BUY', 2: 'SELL' })
    expect(ordersOf(run)).toMatchObject([{ state: 'cancelled', reason: 'end-of-tape' }])
    expect(exitsOf(run)).toEqual(['end'])
    expect(run.measures.finalEquity).toBeCloseTo(10_000, 8)
  })

  it('may also keep everything as it is', async () => {
    const rows: Row[] = [...flat(100, 2), [100, 104, 96, 103]]
    const kept = (script: Script, broker: object = {}): Promise<LaneRun> =>
      playOne(freely(broker), { market: marketOf(rows), strategy: scripted(script), atEnd: 'keep' })
    const run = await kept({ 0: 'BUY' }, COSTS)
    expect(run.fills).toHaveLength(1)
    expect(run.trades).toEqual([])
    expect(run.lane.portfolio.openPositions).toBe(1)
    expect(run.measures.finalEquity).toBeCloseTo((10_000 / (100.1 * 1.001)) * 103, 6)
    expect(run.daily.at(-1)).toBe(run.measures.finalEquity)
    const pending = await kept({ 2: 'BUY' })
    expect(ordersOf(pending)).toEqual([])
    expect(pending.measures.finalEquity).toBe(10_000)
  })
})
