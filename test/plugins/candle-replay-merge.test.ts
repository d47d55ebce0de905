import { describe, expect, it } from 'vitest'
import type { Candle } from '../../engine/core/candle.ts'
import type { MarketPlan } from '../../engine/ports.ts'
import {
  MONDAY, candlesFrom, csvOf, eventsOf, openTape, put, refusal, replayed, temporaryFolder, without,
} from '../support/tape-files.ts'
import type { Seen, Setting } from '../support/tape-files.ts'

const folder = await temporaryFolder()
const HOUR = 3_600_000
const MINUTE = 60_000
const symbols = ['BTC/USDT', 'ETH/USDT', 'SOL/USDT']
const write = (name: string, candles: readonly Candle[]): Promise<string> => put(folder, name, csvOf(candles))
const at = (hour: number): number => MONDAY + hour * HOUR

/** What a reader of the trail would note down: symbol, open hour of each row, and the flags. */
const short = ({ symbol, timeframe, candles, settles, decides, more }: Seen): string =>
  `${symbol.slice(0, 3)} ${timeframe} ${candles.map(({ openTime }) => (openTime - MONDAY) / HOUR).join(' ')}`
  + `${settles ? ' settles' : ''}${decides ? ' decides' : ''}${more ? ' more' : ''}`

const events = async (timeframe: '1h' | '4h', plan: Partial<MarketPlan>, setting: Setting): Promise<Seen[]> =>
  eventsOf(await openTape(folder, timeframe, { ...setting, plan }))

describe('several symbols', () => {
  it('come in the order of their closes, the plan\'s order at the same close, and wait for each other', async () => {
    const files = {
      'ETH/USDT': await write('eth.csv', candlesFrom(at(1), 3, '1h', 50)),
      'BTC/USDT': await write('btc.csv', candlesFrom(at(0), 3, '1h')),
    }
    expect((await events('1h', { symbols: symbols.slice(0, 2) }, { files })).map(short)).toEqual([
      'BTC 1h 0 settles decides',
      'BTC 1h 1 settles decides more', 'ETH 1h 1 settles decides',
      'BTC 1h 2 settles decides more', 'ETH 1h 2 settles decides',
      'ETH 1h 3 settles decides',
    ])
    expect((await events('1h', { symbols: ['ETH/USDT', 'BTC/USDT'] }, { files })).map(short).slice(1, 3))
      .toEqual(['ETH 1h 1 settles decides more', 'BTC 1h 1 settles decides'])
  })

  it('do not wait for a symbol whose candle is missing', async () => {
    const files = {
      'BTC/USDT': await write('a.csv', candlesFrom(at(0), 4, '1h')),
      'ETH/USDT': await write('b.csv', without(candlesFrom(at(0), 4, '1h'), 2)),
      'SOL/USDT': await write('c.csv', without(candlesFrom(at(0), 4, '1h'), 1)),
    }
    expect((await events('1h', { symbols }, { files, gaps: 'allow' })).map(short)).toEqual([
      'BTC 1h 0 settles decides more', 'ETH 1h 0 settles decides more', 'SOL 1h 0 settles decides',
      'BTC 1h 1 settles decides more', 'ETH 1h 1 settles decides',
      'BTC 1h 2 settles decides more', 'SOL 1h 2 settles decides',
      'BTC 1h 3 settles decides more', 'ETH 1h 3 settles decides more', 'SOL 1h 3 settles decides',
    ])
  })

  it('keep every candle over many batches', async () => {
    const series = symbols.map((_, index) => candlesFrom(MONDAY + index * 700 * MINUTE, 9000, '1m', 100 * (index + 1)))
    const files = Object.fromEntries(await Promise.all(symbols.map(async (symbol, index) =>
      [symbol, await write(`long-${index}.csv`, series[index])] as const)))
    const seen = await eventsOf(await openTape(folder, '1m', { files, plan: { symbols } }))
    for (const [index, symbol] of symbols.entries()) {
      expect(seen.filter((event) => event.symbol === symbol).flatMap(({ candles }) => candles)).toEqual(series[index])
    }
    const order = seen.flatMap(({ candles, symbol }) =>
      candles.map(({ openTime }) => openTime * 10 + symbols.indexOf(symbol)))
    expect(order).toEqual(order.toSorted((a, b) => a - b))
    const moments = new Map<number, boolean[]>()
    for (const { candles, more } of seen) {
      if (more) expect(candles).toHaveLength(1)
      const last = candles.at(-1)!.openTime
      moments.set(last, [...(moments.get(last) ?? []), more])
    }
    for (const flags of moments.values()) expect(flags).toEqual(flags.map((_, index) => index < flags.length - 1))
  })

  it('are refused without a file for each', async () => {
    const file = await write('one.csv', candlesFrom(at(0), 3, '1h'))
    const plan = { symbols: symbols.slice(0, 2) }
    const { message } = await refusal(openTape(folder, '1h', { files: { 'BTC/USDT': file }, plan }), 'TD_FILE_MISSING')
    expect(message).toBe('"files" has no candle file for ETH/USDT, only for BTC/USDT')
    await refusal(openTape(folder, '1h', { file, plan }), 'TD_PLUGIN_OPTIONS')
  })
})

describe('a fill timeframe', () => {
  const quarters = candlesFrom(at(0), 16, '15m')
  const hours = candlesFrom(at(0), 4, '1h')
  const plan = { fillTimeframe: '30m' as const }

  it('settles on the market file\'s own finer candles before each decision', async () => {
    const file = await write('quarters.csv', quarters)
    const source = await openTape(folder, '1h', { file, plan })
    const seen = await eventsOf(source)
    expect(seen.map(short)).toEqual([
      'BTC 30m 0 0.5 settles', 'BTC 1h 0 decides', 'BTC 30m 1 1.5 settles', 'BTC 1h 1 decides',
      'BTC 30m 2 2.5 settles', 'BTC 1h 2 decides', 'BTC 30m 3 3.5 settles', 'BTC 1h 3 decides',
    ])
    expect(seen.filter(({ decides }) => decides).flatMap(({ candles }) => candles))
      .toEqual(await replayed(folder, '1h', { file }))
    expect(Object.keys(source.facts!().files)).toEqual(['quarters.csv'])
    expect(source.progress!()).toBe(1)
  })

  it('settles on a file of its own, from the first decision candle to the last', async () => {
    const file = await write('hours.csv', hours.slice(1, 3))
    const fillFile = await write('fills.csv', candlesFrom(at(-2), 60, '15m'))
    const seen = await events('1h', { fillTimeframe: '15m' }, { file, fillFile })
    expect(seen.map(short)).toEqual([
      'BTC 15m 1 1.25 1.5 1.75 settles', 'BTC 1h 1 decides', 'BTC 15m 2 2.25 2.5 2.75 settles', 'BTC 1h 2 decides',
    ])
    const source = await openTape(folder, '1h', { file, fillFile: [fillFile], plan: { fillTimeframe: '15m' } })
    await eventsOf(source)
    expect(Object.keys(source.facts!().files)).toEqual(['hours.csv', 'fills.csv'])
  })

  it('runs over many batches', async () => {
    const minutes = candlesFrom(at(0), 60 * 200, '1m')
    const file = await write('minutes.csv', minutes)
    const seen = await events('1h', { fillTimeframe: '1m' }, { file })
    expect(seen.filter(({ settles }) => settles).flatMap(({ candles }) => candles)).toEqual(minutes)
    const closes = seen.flatMap(({ candles, timeframe }) =>
      candles.map(({ openTime }) => openTime + (timeframe === '1m' ? MINUTE : HOUR)))
    expect(closes).toEqual(closes.toSorted((a, b) => a - b))
    expect(seen.filter(({ decides }) => decides)).toHaveLength(200)
  })

  it('refuses a decision candle without finer candles, or with too few of them', async () => {
    const file = await write('four.csv', hours)
    for (const [first, count] of [[4, 12], [0, 12], [1, 15], [0, 15]]) {
      const fillFile = await write('some.csv', candlesFrom(at(0) + first * 15 * MINUTE, count, '15m'))
      const { message } = await refusal(events('1h', { fillTimeframe: '15m' }, { file, fillFile }), 'TD_CANDLE_GAP')
      expect(message).toMatch(/BTC\/USDT: the 1h candle of 2021-01-04T0[03]:00:00.000Z has [03] of its 4 15m candles/)
    }
  })

  it('lets a decision candle settle itself when gaps are allowed, and settles in its holes', async () => {
    const file = await write('hole.csv', without(hours, 1))
    const fillFile = await write('fill-hole.csv', without(quarters, 8, 9, 10, 11))
    expect((await events('1h', { fillTimeframe: '15m' }, { file, fillFile, gaps: 'allow' })).map(short)).toEqual([
      'BTC 15m 0 0.25 0.5 0.75 settles', 'BTC 1h 0 decides',
      'BTC 15m 1 1.25 1.5 1.75 settles', 'BTC 1h 2 settles decides',
      'BTC 15m 3 3.25 3.5 3.75 settles', 'BTC 1h 3 decides',
    ])
    await refusal(events('1h', { fillTimeframe: '15m' }, { file, fillFile }), 'TD_CANDLE_GAP')
  })

  it('does not settle a decision candle on some of its finer candles, in which a stop would be lost', async () => {
    const file = await write('whole.csv', hours)
    const settled = async (left: readonly Candle[], gaps: 'allow' | 'fill'): Promise<[string[], readonly string[]]> => {
      const fillFile = await write('part.csv', left)
      const source = await openTape(folder, '1h', { file, fillFile, gaps, plan: { fillTimeframe: '15m' } })
      return [(await eventsOf(source)).map(short), source.facts!().notes]
    }
    const inner = [
      'BTC 15m 0 0.25 0.5 0.75 settles', 'BTC 1h 0 decides',
      'BTC 1h 1 settles decides',
      'BTC 15m 2 2.25 2.5 2.75 settles', 'BTC 1h 2 decides', 'BTC 15m 3 3.25 3.5 3.75 settles', 'BTC 1h 3 decides',
    ]
    const note = (count: string): string =>
      `BTC/USDT: ${count} with missing 15m candles: orders were settled on the whole candle there`
    for (const missing of [[4], [5], [7], [5, 6], [4, 5, 6]]) {
      const [seen, notes] = await settled(without(quarters, ...missing), 'allow')
      expect(seen).toEqual(inner)
      expect(notes[1]).toBe(note('1 1h candle'))
    }
    const [ends, notes] = await settled(quarters.slice(1, -2), 'fill')
    expect(ends).toEqual([
      'BTC 1h 0 settles decides', 'BTC 15m 1 1.25 1.5 1.75 settles', 'BTC 1h 1 decides',
      'BTC 15m 2 2.25 2.5 2.75 settles', 'BTC 1h 2 decides', 'BTC 1h 3 settles decides',
    ])
    expect(notes).toEqual([note('2 1h candles')])
  })

  it('takes some finer candles where the decision candle itself is missing, symbol by symbol', async () => {
    const part = without(candlesFrom(at(0), 4, '30m'), 2)
    const files = { 'BTC/USDT': await write('btc-hole.csv', without(hours, 1)),
      'ETH/USDT': await write('eth-whole.csv', hours.slice(0, 2)) }
    const fillFile = { 'BTC/USDT': await write('btc-part.csv', part), 'ETH/USDT': await write('eth-part.csv', part) }
    const both = { symbols: symbols.slice(0, 2), ...plan }
    expect((await events('1h', both, { files, fillFile, gaps: 'allow' })).map(short)).toEqual([
      'BTC 30m 0 settles', 'ETH 30m 0 settles', 'BTC 30m 0.5 settles', 'ETH 30m 0.5 settles',
      'BTC 1h 0 decides more', 'ETH 1h 0 decides',
      'BTC 30m 1.5 settles', 'ETH 1h 1 settles decides',
      'BTC 1h 2 settles decides', 'BTC 1h 3 settles decides',
    ])
  })

  it('finds incomplete candles across batches, and gives the same with all of them', async () => {
    const minutes = candlesFrom(at(0), 60 * 300, '1m')
    const file = await write('market.csv', candlesFrom(at(0), 300, '1h'))
    const read = async (fills: readonly Candle[], gaps: 'refuse' | 'allow'): Promise<Seen[]> =>
      events('1h', { fillTimeframe: '1m' }, { file, fillFile: await write('minute-fills.csv', fills), gaps })
    const settled = (seen: readonly Seen[]): Candle[] =>
      seen.filter(({ settles }) => settles).flatMap(({ candles }) => candles)
    expect(settled(await read(minutes, 'refuse'))).toEqual(minutes)
    expect(settled(await read(minutes, 'allow'))).toEqual(minutes)
    // Row 4,095 ends the first batch; 68 hours have 4,080 minutes.
    for (const missing of [4081, 4095, 4096, 4139]) {
      const seen = await read(without(minutes, missing), 'allow')
      expect(seen.filter(({ settles, decides }) => settles && decides).map(short)).toEqual(['BTC 1h 68 settles decides'])
      expect(settled(seen.filter(({ decides }) => !decides)))
        .toEqual([...minutes.slice(0, 4080), ...minutes.slice(4140)])
    }
  })

  it('tells of gaps in one file once', async () => {
    const file = await write('gappy.csv', without(quarters, 5, 6))
    const source = await openTape(folder, '1h', { file, gaps: 'fill', plan: { fillTimeframe: '15m' } })
    await eventsOf(source)
    expect(source.facts!().notes)
      .toEqual(['BTC/USDT: 2 missing 15m candles in 1 gap filled with the last close and volume 0'])
  })

  it('settles all symbols before any decision', async () => {
    const files = { 'BTC/USDT': await write('btc-30m.csv', candlesFrom(at(0), 4, '30m')),
      'ETH/USDT': await write('eth-30m.csv', candlesFrom(at(0), 4, '30m', 50)) }
    const both = { symbols: symbols.slice(0, 2), ...plan }
    const seen = await events('1h', both, { files })
    expect(seen.map(short)).toEqual([
      'BTC 30m 0 settles', 'ETH 30m 0 settles', 'BTC 30m 0.5 settles', 'ETH 30m 0.5 settles',
      'BTC 1h 0 decides more', 'ETH 1h 0 decides',
      'BTC 30m 1 settles', 'ETH 30m 1 settles', 'BTC 30m 1.5 settles', 'ETH 30m 1.5 settles',
      'BTC 1h 1 decides more', 'ETH 1h 1 decides',
    ])
    const fillFile = { 'BTC/USDT': files['BTC/USDT'], 'ETH/USDT': files['ETH/USDT'] }
    expect(await events('1h', both, { files, fillFile })).toEqual(seen)
    await refusal(events('1h', both, { files, fillFile: 'btc-30m.csv' }), 'TD_PLUGIN_OPTIONS')
    await refusal(events('1h', both, { files, fillFile: { 'BTC/USDT': 'btc-30m.csv' } }), 'TD_FILE_MISSING')
  })

  it('refuses a market file that is not fine enough, and a fill timeframe that does not divide', async () => {
    const file = await write('only-hours.csv', hours)
    const { message } = await refusal(events('1h', plan, { file }), 'TD_RANGE_INVALID')
    expect(message).toMatch('"fillFile" names a file with finer ones')
    await refusal(events('1h', { fillTimeframe: '1h' }, { file }), 'TD_RANGE_INVALID')
    await refusal(events('4h', { fillTimeframe: '3d' }, { file }), 'TD_RANGE_INVALID')
  })
})
