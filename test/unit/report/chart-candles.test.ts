import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { candleColumns, setRow, type Candle, type CandleColumns } from '../../../engine/core/candle.ts'
import { floorToGrid, TIMEFRAMES, type Timeframe } from '../../../engine/core/timeframe.ts'
import { ChartCollector } from '../../../engine/report/chart-candles.ts'
import type { ChartCandles } from '../../../engine/report/report-data.ts'

const columnsOf = (candles: readonly Candle[]): CandleColumns => {
  const columns = candleColumns(candles.length)
  candles.forEach((candle, row) => setRow(columns, row, candle))
  return columns
}

const price = fc.integer({ min: 2, max: 99 })

/** Rising candles with gaps, on the timeframe's grid. */
const tapes = fc.tuple(
  fc.constantFrom<Timeframe>('1m', '5m', '1h', '6h', '1d', '3d', '1w'),
  fc.array(fc.tuple(fc.integer({ min: 1, max: 4 }), price, price), { maxLength: 200 }),
).map(([timeframe, rows]) => {
  const stepMs = TIMEFRAMES[timeframe]
  let openTime = floorToGrid(1_600_000_000_000, stepMs)
  const candles = rows.map(([gap, open, close]): Candle => {
    openTime += gap * stepMs
    return { openTime, open, close, high: Math.max(open, close) + 1, low: Math.min(open, close) - 1, volume: 1 }
  })
  return { stepMs, candles }
})

const rowsOf = (chart: ChartCandles): Omit<Candle, 'volume'>[] => Array.from({ length: chart.length }, (_, row) => ({
  openTime: chart.openTime[row], open: chart.open[row], high: chart.high[row], low: chart.low[row],
  close: chart.close[row],
}))

/** All candles of each block at once, from the whole tape. */
function joined(candles: readonly Candle[], stepMs: number): Omit<Candle, 'volume'>[] {
  const blocks = new Map<number, Candle[]>()
  for (const candle of candles) {
    const block = floorToGrid(candle.openTime, stepMs)
    blocks.set(block, [...blocks.get(block) ?? [], candle])
  }
  return [...blocks].map(([openTime, inside]) => ({
    openTime,
    open: inside[0].open,
    high: Math.max(...inside.map(({ high }) => high)),
    low: Math.min(...inside.map(({ low }) => low)),
    close: inside[inside.length - 1].close,
  }))
}

function collect(candles: readonly Candle[], stepMs: number, limit: number, cuts: number[] = []): ChartCandles {
  const collector = new ChartCollector('BTC/USDT', stepMs, limit)
  const columns = columnsOf(candles)
  const edges = [0, ...cuts.filter((cut) => cut < candles.length).sort((a, b) => a - b), candles.length]
  for (let part = 1; part < edges.length; part++) collector.add(columns, edges[part - 1], edges[part])
  return collector.result()
}

describe('ChartCollector', () => {
  it('agrees with joining the whole tape at once', () => {
    fc.assert(fc.property(tapes, fc.integer({ min: 1, max: 60 }), ({ candles, stepMs }, limit) => {
      const chart = collect(candles, stepMs, limit)
      expect(chart.length).toBeLessThanOrEqual(limit)
      expect(chart.factor).toBe(chart.stepMs / stepMs)
      expect(rowsOf(chart)).toEqual(joined(candles, chart.stepMs))
      if (candles.length <= limit) expect(chart.factor).toBe(1)
    }))
  })

  it('does not depend on the batches in which candles arrive', () => {
    const cuts = fc.array(fc.nat(200))
    fc.assert(fc.property(tapes, fc.integer({ min: 1, max: 30 }), cuts, ({ candles, stepMs }, limit, at) => {
      expect(collect(candles, stepMs, limit, at)).toEqual(collect(candles, stepMs, limit))
    }))
  })

  it('joins into lengths that people know, on the epoch grid', () => {
    const hour = TIMEFRAMES['1h']
    const first = Date.UTC(2021, 0, 1, 5)
    const candles = Array.from({ length: 100 }, (_, row): Candle =>
      ({ openTime: first + row * hour, open: 2, high: 3, low: 1, close: 2, volume: 1 }))
    const chart = collect(candles, hour, 30)
    expect([chart.stepMs / hour, chart.factor, chart.length]).toEqual([4, 4, 26])
    expect(chart.openTime[0]).toBe(Date.UTC(2021, 0, 1, 4))
    expect(collect(candles, hour, 100).factor).toBe(1)
  })

  it('keeps an empty tape empty and refuses a limit that is none', () => {
    expect(collect([], 60_000, 5).length).toBe(0)
    for (const limit of [0, -1, 1.5, NaN]) expect(() => new ChartCollector('X', 60_000, limit)).toThrow(RangeError)
  })
})
