import { describe, expect, it } from 'vitest'
import type { Candle } from '../../engine/core/candle.ts'
import { DAY_MS } from '../../engine/core/time.ts'
import { floorToGrid, timeframeMs, type Timeframe } from '../../engine/core/timeframe.ts'
import { hasShared, shared, sharedNote } from '../support/shared.ts'
import {
  MONDAY, candlesFrom, csvOf, openTape, put, refusal, replayed, temporaryFolder, without,
} from '../support/tape-files.ts'

const folder = await temporaryFolder()
const HOUR = 3_600_000
const hours = candlesFrom(MONDAY, 24 * 30, '1h')

/** The same by another way: whole blocks in memory. */
function blocksOf(candles: readonly Candle[], timeframe: Timeframe): Candle[] {
  const groups = new Map<number, Candle[]>()
  for (const candle of candles) {
    const openTime = floorToGrid(candle.openTime, timeframeMs(timeframe))
    groups.set(openTime, [...(groups.get(openTime) ?? []), candle])
  }
  return [...groups].map(([openTime, group]) => ({
    openTime,
    open: group[0].open,
    high: Math.max(...group.map(({ high }) => high)),
    low: Math.min(...group.map(({ low }) => low)),
    close: group.at(-1)!.close,
    volume: group.reduce((sum, { volume }) => sum + volume, 0),
  }))
}

describe('resampling', () => {
  it.each(['2h', '4h', '8h', '12h', '1d'] as const)('makes %s candles of hours', async (timeframe) => {
    const file = await put(folder, 'hours.csv', csvOf(hours))
    expect(await replayed(folder, timeframe, { file })).toEqual(blocksOf(hours, timeframe))
  })

  it('drops a partial first and last block, weeks begin on Monday', async () => {
    const file = await put(folder, 'part.csv', csvOf(hours.slice(1, -1)))
    expect(await replayed(folder, '4h', { file })).toEqual(blocksOf(hours, '4h').slice(1, -1))
    const weeks = await replayed(folder, '1w', { file: await put(folder, 'weeks.csv', csvOf(hours)) })
    expect(weeks.map(({ openTime }) => openTime)).toEqual([0, 7, 14, 21].map((day) => MONDAY + day * DAY_MS))
    expect(weeks).toEqual(blocksOf(hours, '1w').slice(0, 4))
  })

  it('fills several batches', async () => {
    const minutes = candlesFrom(MONDAY, 5 * 9000, '1m')
    const file = await put(folder, 'minutes.csv', csvOf(minutes))
    expect(await replayed(folder, '5m', { file })).toEqual(blocksOf(minutes, '5m'))
  })

  it('applies gap rules to the rows of the file', async () => {
    const gappy = without(hours, 5, 6, 8, 9, 10, 11, 12)
    const file = await put(folder, 'gappy.csv', csvOf(gappy))
    await refusal(replayed(folder, '4h', { file }), 'TD_CANDLE_GAP')
    const allowed = await replayed(folder, '4h', { file, gaps: 'allow' })
    expect(allowed).toEqual(blocksOf(gappy, '4h'))
    expect(allowed.map(({ openTime }) => openTime)).not.toContain(MONDAY + 8 * HOUR)
    const filled = await replayed(folder, '4h', { file, gaps: 'fill' })
    const { close } = hours[7]
    expect(filled[2]).toEqual({ openTime: MONDAY + 8 * HOUR, open: close, high: close, low: close, close, volume: 0 })
  })

  it('takes whole decision candles of a range', async () => {
    const file = await put(folder, 'range.csv', csvOf(hours))
    const range = { from: MONDAY + 3 * HOUR, to: MONDAY + 21 * HOUR }
    const blocks = await replayed(folder, '4h', { file, ...range })
    expect(blocks).toEqual(blocksOf(hours, '4h').slice(1, 6))
  })

  it('gives the same with any chunk size', async () => {
    const file = await put(folder, 'chunks.csv', csvOf(hours))
    expect(await replayed(folder, '4h', { file, chunkBytes: 13 })).toEqual(blocksOf(hours, '4h'))
  })

  it('refuses what does not add up, and a tape without one whole candle', async () => {
    const file = await put(folder, 'coarse.csv', csvOf(candlesFrom(MONDAY, 50, '4h')))
    const { message } = await refusal(replayed(folder, '1h', { file }), 'TD_RANGE_INVALID')
    expect(message).toMatch('coarse.csv holds 4h candles')
    await refusal(replayed(folder, '6h', { file }), 'TD_RANGE_INVALID')
    const short = await put(folder, 'short.csv', csvOf(hours.slice(1, 5)))
    await refusal(replayed(folder, '4h', { file: short }), 'TD_TAPE_EMPTY')
  })

  it('knows the timeframe of the file itself', async () => {
    const source = await openTape(folder, '1d', { file: await put(folder, 'own.csv', csvOf(hours)) })
    expect(await source.ownTimeframe!('BTC/USDT')).toBe('1h')
  })
})

describe.skipIf(!hasShared)(`recorded hours against an independent aggregation${sharedNote}`, () => {
  const file = shared('data/candles/binance-BTC-USDT-1h.csv.gz')
  const reference = (name: string): Promise<Candle[]> =>
    replayed(shared('reference/inputs'), name.includes('1d') ? '1d' : '4h', { file: name, gaps: 'allow' })

  it('gives the same 4h candles, bit by bit', async () => {
    const made = await replayed(folder, '4h', { file, gaps: 'allow', from: 1_502_956_800_000 })
    expect(made).toHaveLength(19_195)
    expect(made).toEqual(await reference('BTC-4h-from-1h.csv'))
  })

  it('gives the same days, bit by bit', async () => {
    const made = await replayed(folder, '1d', { file, gaps: 'allow' })
    expect(made).toHaveLength(3201)
    expect(made).toEqual(await reference('BTC-1d-from-1h.csv'))
  })
})
