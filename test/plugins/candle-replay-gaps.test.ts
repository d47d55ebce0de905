import { describe, expect, it } from 'vitest'
import type { Candle } from '../../engine/core/candle.ts'
import { hasShared, shared, sharedNote } from '../support/shared.ts'
import {
  MONDAY, candlesFrom, candlesOf, csvOf, eventsOf, openTape, put, refusal, replayed, temporaryFolder, without,
} from '../support/tape-files.ts'

const folder = await temporaryFolder()
const HOUR = 3_600_000
const candles = candlesFrom(MONDAY, 100, '1h')
const holes = without(candles, 10, 40, 41, 42)
const file = await put(folder, 'holes.csv', csvOf(holes))

describe('gaps: refuse', () => {
  it('stops at the first gap and then lists all of them', async () => {
    const source = await openTape(folder, '1h', { file })
    const read: number[] = []
    const { message } = await refusal((async () => {
      for await (const event of source.events()) if (event.kind === 'candles') read.push(event.end - event.start)
    })(), 'TD_CANDLE_GAP')
    expect(read).toEqual([10])
    expect(message).toBe('BTC/USDT: 4 missing 1h candles in 2 gaps: '
      + '2021-01-04T10:00:00.000Z … 2021-01-04T10:00:00.000Z (1); '
      + '2021-01-05T16:00:00.000Z … 2021-01-05T18:00:00.000Z (3). '
      + 'Set "gaps: allow" to run over the next candle as it comes, '
      + 'or "gaps: fill" to repeat the last close with volume 0')
  })

  it('lists twenty and counts the others', async () => {
    const every = candlesFrom(MONDAY, 200, '1h').filter((_, index) => index % 5 !== 4)
    const many = await put(folder, 'many.csv', csvOf(every))
    const { message } = await refusal(replayed(folder, '1h', { file: many }), 'TD_CANDLE_GAP')
    expect(message).toMatch('39 missing 1h candles in 39 gaps')
    expect(message.match(/…/g)).toHaveLength(20)
    expect(message).toMatch('; and 19 more.')
  })

  it('reports what is worse than a gap as itself', async () => {
    const text = csvOf(holes).split('\n')
    const worse = await put(folder, 'worse.csv', text.with(90, text[90].replace(',', ',x')).join('\n'))
    await refusal(replayed(folder, '1h', { file: worse }), 'TD_CANDLE_INVALID')
  })

  it('looks at gaps of the range only', async () => {
    const range = async (from: number, to: number): Promise<number> =>
      (await replayed(folder, '1h', { file, from: MONDAY + from * HOUR, to: MONDAY + to * HOUR })).length
    expect(await range(11, 40)).toBe(29)
    expect(await range(43, 500)).toBe(57)
    await refusal(range(9, 40), 'TD_CANDLE_GAP')
    await refusal(range(11, 44), 'TD_CANDLE_GAP')
    const { message } = await refusal(range(5, 30), 'TD_CANDLE_GAP')
    expect(message).toMatch('1 missing 1h candle in 1 gap:')
  })

  it('says which range is empty and what the file holds', async () => {
    const read = (from: number, to: number): Promise<unknown> =>
      replayed(folder, '1h', { file, from: MONDAY + from * HOUR, to: MONDAY + to * HOUR })
    const { message } = await refusal(read(200, 300), 'TD_TAPE_EMPTY')
    expect(message).toMatch('2021-01-04T00:00:00.000Z … 2021-01-08T03:00:00.000Z')
    await refusal(read(-20, -10), 'TD_TAPE_EMPTY')
  })

  it('counts of a hole that crosses an end of the range what lies inside', async () => {
    const long = await put(folder, 'long-hole.csv', csvOf(candlesFrom(MONDAY, 300, '1h')
      .filter((_, index) => index < 100 || index > 149)))
    const refused = async (from: number, to: number): Promise<string> => {
      const range = { from: MONDAY + from * HOUR, to: MONDAY + to * HOUR }
      return (await refusal(replayed(folder, '1h', { file: long, ...range }), 'TD_CANDLE_GAP')).message
    }
    expect(await refused(110, 200)).toMatch('40 missing 1h candles in 1 gap: '
      + '2021-01-08T14:00:00.000Z … 2021-01-10T05:00:00.000Z (40).')
    expect(await refused(50, 110)).toMatch('10 missing 1h candles in 1 gap: '
      + '2021-01-08T04:00:00.000Z … 2021-01-08T13:00:00.000Z (10).')
    expect(await refused(110, 120)).toMatch('10 missing 1h candles in 1 gap')
    const read = (from: number, to: number): Promise<Candle[]> =>
      replayed(folder, '1h', { file: long, from: MONDAY + from * HOUR, to: MONDAY + to * HOUR })
    expect(await read(50, 100)).toHaveLength(50)
    expect(await read(150, 200)).toHaveLength(50)
  })

  it('is not fooled by a last row with a mistyped time far beyond the range', async () => {
    const typo = { ...candles[50], openTime: MONDAY + 100_000 * HOUR }
    const cut = await put(folder, 'typo.csv', csvOf([...candles.slice(0, 50), typo]))
    const range = { file: cut, to: MONDAY + 90 * HOUR }
    const { message } = await refusal(replayed(folder, '1h', range), 'TD_CANDLE_GAP')
    expect(message).toMatch('40 missing 1h candles in 1 gap')
    expect(await replayed(folder, '1h', { ...range, gaps: 'allow' })).toEqual(candles.slice(0, 50))
  })
})

describe('gaps: allow', () => {
  it('runs over the next candle as it comes and says so', async () => {
    const source = await openTape(folder, '1h', { file, gaps: 'allow' })
    expect(await candlesOf(source)).toEqual(holes)
    expect(source.facts!().notes).toEqual(['BTC/USDT: 4 missing 1h candles in 2 gaps left open'])
  })

  it('leaves holes at the ends of the range open too, and says so', async () => {
    const range = { from: MONDAY + 10 * HOUR, to: MONDAY + 42 * HOUR }
    const source = await openTape(folder, '1h', { file, gaps: 'allow', ...range })
    expect(await candlesOf(source)).toEqual(candles.slice(11, 40))
    const { notes, warnings } = source.facts!()
    expect(notes).toEqual(['BTC/USDT: 3 missing 1h candles in 2 gaps left open'])
    expect(warnings).toEqual([
      'BTC/USDT: candles were asked from 2021-01-04T10:00:00.000Z, '
      + 'the first whole 1h candle opens at 2021-01-04T11:00:00.000Z',
      'BTC/USDT: candles were asked up to 2021-01-05T18:00:00.000Z, '
      + 'the last whole 1h candle closes at 2021-01-05T16:00:00.000Z',
    ])
    const empty = { from: MONDAY + 40 * HOUR, to: MONDAY + 42 * HOUR }
    await refusal(replayed(folder, '1h', { file, gaps: 'allow', ...empty }), 'TD_TAPE_EMPTY')
  })
})

describe('gaps: fill', () => {
  it('repeats the last close with volume 0 and says so', async () => {
    const source = await openTape(folder, '1h', { file, gaps: 'fill' })
    const filled = candles.map((candle, index) => {
      const last = index === 10 ? 9 : index >= 40 && index <= 42 ? 39 : null
      if (last === null) return candle
      const { close } = candles[last]
      return { openTime: candle.openTime, open: close, high: close, low: close, close, volume: 0 }
    })
    expect(await candlesOf(source)).toEqual(filled)
    expect(source.facts!().notes)
      .toEqual(['BTC/USDT: 4 missing 1h candles in 2 gaps filled with the last close and volume 0'])
  })

  it('fills what is longer than a batch, in batches', async () => {
    const far = [...candlesFrom(MONDAY, 20, '1m'), ...candlesFrom(MONDAY + 10_000 * 60_000, 20, '1m')]
    const source = await openTape(folder, '1m', { file: await put(folder, 'far.csv', csvOf(far)), gaps: 'fill' })
    const events = await eventsOf(source)
    expect(events.map(({ candles: rows }) => rows.length)).toEqual([20, 4096, 4096, 1788, 20])
    const times = events.flatMap(({ candles: rows }) => rows.map(({ openTime }) => openTime))
    expect(times).toEqual(times.map((_, index) => MONDAY + index * 60_000))
  })

  it('fills holes that cross an end of the range as far as they lie inside', async () => {
    const read = (from: number, to: number): Promise<Candle[]> =>
      replayed(folder, '1h', { file, gaps: 'fill', from: MONDAY + from * HOUR, to: MONDAY + to * HOUR })
    const whole = await replayed(folder, '1h', { file, gaps: 'fill' })
    expect(whole).toHaveLength(100)
    expect(await read(10, 42)).toEqual(whole.slice(10, 42))
    expect(await read(41, 50)).toEqual(whole.slice(41, 50))
    expect(await read(41, 42)).toEqual(whole.slice(41, 42))
  })
})

describe('duplicates: drop', () => {
  it('drops identical rows, across batches too, and counts them', async () => {
    const many = candlesFrom(MONDAY, 5000, '1m')
    const thrice = many.flatMap((candle, index) => Array<Candle>([7, 4094, 4999].includes(index) ? 3 : 1).fill(candle))
    await put(folder, 'thrice.csv', csvOf(thrice))
    const source = await openTape(folder, '1m', { file: 'thrice.csv', duplicates: 'drop' })
    expect(await candlesOf(source)).toEqual(many)
    expect(source.facts!().notes).toEqual(['BTC/USDT: 6 duplicated 1m candles dropped'])
  })
})

describe.skipIf(!hasShared)(`a recorded file with a duplicate and holes${sharedNote}`, () => {
  const crash = { file: 'binance-BTC-USDT-5m-2020crash.csv.gz' }
  const data = shared('data/candles')

  it('is refused for the duplicate, then for the holes, and read when both are allowed', async () => {
    const twice = await refusal(replayed(data, '5m', crash), 'TD_CANDLE_INVALID')
    expect(twice.message).toMatch('2020-03-08T10:40:00.000Z: repeats')
    const { message } = await refusal(replayed(data, '5m', { ...crash, duplicates: 'drop' }), 'TD_CANDLE_GAP')
    expect(message).toMatch('131 missing 5m candles in')
    const source = await openTape(data, '5m', { ...crash, duplicates: 'drop', gaps: 'allow' })
    expect(await candlesOf(source)).toHaveLength(33_958)
    expect(await replayed(data, '5m', { ...crash, duplicates: 'drop', gaps: 'fill' })).toHaveLength(33_958 + 131)
  })

  it('has its hours counted: 128 missing in 28 holes', async () => {
    const source = await openTape(data, '1h', { file: 'binance-BTC-USDT-1h.csv.gz', gaps: 'allow' })
    expect(await candlesOf(source)).toHaveLength(76_723)
    expect(source.facts!().notes).toEqual(['BTC/USDT: 128 missing 1h candles in 28 gaps left open'])
  })
})
