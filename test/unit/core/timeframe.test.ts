import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  ceilToGrid, floorToGrid, intervalOf, isTimeframe, TIMEFRAMES, timeframeMs, timeframeOf, type Timeframe,
} from '../../../engine/core/timeframe.ts'

const NAMES = Object.keys(TIMEFRAMES) as Timeframe[]
const UNITS = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 } as const

describe('a timeframe', () => {
  it.each(NAMES)('%s is as long as its name says', (name) => {
    expect(timeframeMs(name)).toBe(parseInt(name, 10) * UNITS[name.slice(-1) as keyof typeof UNITS] * 1000)
    expect(timeframeOf(timeframeMs(name))).toBe(name)
    expect(isTimeframe(name)).toBe(true)
  })

  it('is one of Binance\'s intervals with a fixed length, or put together from one', () => {
    expect([...new Set(NAMES.map(intervalOf))].join(' ')).toBe('1s 1m 3m 5m 15m 30m 1h 2h 4h 6h 8h 12h 1d 3d 1w')
    for (const name of NAMES) expect(timeframeMs(name) % timeframeMs(intervalOf(name)), name).toBe(0)
    expect([intervalOf('30s'), intervalOf('10m'), intervalOf('1h')]).toEqual(['1s', '5m', '1h'])
    for (const text of ['1M', '7m', '', '1H', 'toString', '__proto__']) expect(isTimeframe(text), text).toBe(false)
    expect(timeframeOf(60_001)).toBeNull()
    expect(timeframeOf(0)).toBeNull()
  })
})

describe('the grid', () => {
  const monday = Date.UTC(2024, 0, 1)

  it('of weeks begins on Mondays, 00:00 UTC', () => {
    const week = timeframeMs('1w')
    for (let day = 0; day < 7; day++) {
      expect(floorToGrid(monday + day * 86_400_000, week)).toBe(monday)
      expect(floorToGrid(monday + day * 86_400_000 + 86_399_999, week)).toBe(monday)
    }
    expect(floorToGrid(monday - 1, week)).toBe(monday - week)
    expect(ceilToGrid(monday, week)).toBe(monday)
    expect(ceilToGrid(monday + 1, week)).toBe(monday + week)
    // The first Monday of the epoch, and the week in which it began.
    expect(floorToGrid(Date.UTC(1970, 0, 5), week)).toBe(Date.UTC(1970, 0, 5))
    expect(floorToGrid(0, week)).toBe(Date.UTC(1969, 11, 29))
  })

  it('of everything else begins with the epoch', () => {
    expect(floorToGrid(Date.UTC(2024, 0, 1, 7, 59, 59, 999), timeframeMs('4h'))).toBe(Date.UTC(2024, 0, 1, 4))
    expect(ceilToGrid(Date.UTC(2024, 0, 1, 4, 0, 0, 1), timeframeMs('4h'))).toBe(Date.UTC(2024, 0, 1, 8))
    expect(floorToGrid(Date.UTC(2024, 0, 1, 23), timeframeMs('1d'))).toBe(monday)
    // 1970-01-01 + 6,573 × 3 days = 2023-12-28.
    expect(floorToGrid(Date.UTC(2023, 11, 30), timeframeMs('3d'))).toBe(Date.UTC(2023, 11, 28))
  })

  it('holds every time between two neighbours', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 4_102_444_800_000 }), fc.constantFrom(...NAMES), (time, name) => {
      const ms = timeframeMs(name)
      const floor = floorToGrid(time, ms)
      const ceil = ceilToGrid(time, ms)
      expect(floor).toBeLessThanOrEqual(time)
      expect(time - floor).toBeLessThan(ms)
      expect(ceil).toBe(floor === time ? time : floor + ms)
      expect(floorToGrid(floor, ms)).toBe(floor)
      expect(new Date(floor).getUTCDay() === 1 || name !== '1w').toBe(true)
    }))
  })

  it('takes an open range as it is', () => {
    expect(floorToGrid(-Infinity, 60_000)).toBe(-Infinity)
    expect(ceilToGrid(Infinity, 604_800_000)).toBe(Infinity)
  })
})
