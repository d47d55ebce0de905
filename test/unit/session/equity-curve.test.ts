import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CandleColumns } from '../../../engine/core/candle.ts'
import { EquityCurve } from '../../../engine/session/equity-curve.ts'
import { columnsOf } from '../../support/memory-market.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const START = 19_723 * DAY

/** The last millisecond of an hour. */
const closeOf = (openTime: number, ms = HOUR): number => openTime + ms - 1

describe('an equity curve', () => {
  it('keeps the last value of each UTC day and repeats it over days without one', () => {
    const curve = new EquityCurve(1000)
    curve.start(START + 5 * HOUR)
    curve.mark(closeOf(START + 5 * HOUR), 1010)
    // The close at midnight belongs to the day that ends; nothing is known of the two days after the next.
    curve.mark(closeOf(START + 23 * HOUR), 1020)
    curve.mark(closeOf(START + DAY), 1030)
    curve.mark(closeOf(START + 4 * DAY + HOUR), 900)
    const { dailyEquity, firstDay, maxDrawdown } = curve.finish(closeOf(START + 5 * DAY))
    expect([...dailyEquity]).toEqual([1020, 1030, 1030, 1030, 900, 900])
    expect(firstDay).toBe(19_723)
    // From 1,030 to 900.
    expect(maxDrawdown).toBeCloseTo(900 / 1030 - 1, 12)
  })

  it('counts a candle that spans several days for the day in which it ends', () => {
    const curve = new EquityCurve(1000)
    curve.start(START)
    curve.mark(closeOf(START, 3 * DAY), 1010)
    curve.mark(closeOf(START + 3 * DAY, 3 * DAY), 1020)
    const { dailyEquity, firstDay } = curve.finish(closeOf(START + 3 * DAY, 3 * DAY))
    expect([...dailyEquity]).toEqual([1000, 1000, 1010, 1010, 1010, 1020])
    expect(firstDay).toBe(19_723)
  })

  it('measures the drawdown from the start cash on', () => {
    const curve = new EquityCurve(1000)
    curve.start(START)
    curve.mark(START, 950)
    curve.mark(START + HOUR, 1100)
    curve.mark(START + 2 * HOUR, 1070)
    expect(curve.finish(START + 2 * HOUR).maxDrawdown).toBeCloseTo(-0.05, 12)
  })

  it('lets the newest mark be corrected before it counts', () => {
    const curve = new EquityCurve(1000)
    curve.start(START)
    curve.mark(START, 1000)
    curve.mark(START + HOUR, 100)
    curve.remark(990)
    expect(curve.value).toBe(990)
    const { dailyEquity, maxDrawdown } = curve.finish(START + HOUR)
    expect([...dailyEquity]).toEqual([990])
    expect(maxDrawdown).toBeCloseTo(-0.01, 12)
  })

  it('of a lane that never wakes is its cash, every day of the tape', () => {
    const curve = new EquityCurve(500)
    curve.start(START)
    const { dailyEquity, maxDrawdown } = curve.finish(START + 99 * DAY + HOUR)
    expect([...dailyEquity]).toEqual(Array.from({ length: 100 }, () => 500))
    expect(maxDrawdown).toBe(0)
  })

  it('goes on from a copy without touching the original', () => {
    const curve = new EquityCurve(1000)
    curve.start(START)
    for (let day = 0; day < 70; day++) curve.mark(START + day * DAY, 1000 + day)
    const copy = curve.copy()
    copy.mark(START + 70 * DAY, 500)
    curve.mark(START + 70 * DAY, 2000)
    const [ours, theirs] = [curve.finish(START + 70 * DAY), copy.finish(START + 70 * DAY)]
    expect([ours.dailyEquity.length, theirs.dailyEquity.length]).toEqual([71, 71])
    expect([...ours.dailyEquity.slice(0, 70)]).toEqual([...theirs.dailyEquity.slice(0, 70)])
    expect([ours.dailyEquity[70], theirs.dailyEquity[70]]).toEqual([2000, 500])
    expect(ours.maxDrawdown).toBe(0)
    expect(theirs.maxDrawdown).toBeCloseTo(500 / 1069 - 1, 12)
  })
})

describe('gliding', () => {
  const tapes = fc.record({
    step: fc.constantFrom(HOUR, 7 * HOUR, DAY, 40 * HOUR),
    firstHour: fc.nat(30),
    moves: fc.array(
      fc.record({
        close: fc.integer({ min: 80, max: 120 }), up: fc.nat(5), down: fc.nat(5), gap: fc.constantFrom(0, 0, 0, 3),
      }),
      { minLength: 1, maxLength: 80 },
    ),
  }).map(({ step, firstHour, moves }): { columns: CandleColumns; step: number } => {
    let time = START + firstHour * HOUR
    const columns = columnsOf(moves.map(({ close, up, down, gap }) => {
      time += step * (1 + gap)
      return { openTime: time, open: close, high: close + up, low: close - down, close, volume: 0 }
    }))
    return { columns, step }
  })
  const cuts = fc.array(fc.nat(80), { maxLength: 6 })

  it('is marking row by row, bit for bit, for as long as no level is reached', () => {
    let rows = 0
    let stops = 0
    fc.assert(fc.property(
      tapes, cuts, fc.integer({ min: 76, max: 100 }), fc.integer({ min: 101, max: 126 }),
      fc.double({ min: 0, max: 1000, noNaN: true }), fc.double({ min: 0, max: 10, noNaN: true }),
      ({ columns, step }, places, low, high, cash, quantity) => {
        const { openTime } = columns
        const end = openTime.length
        const glided = new EquityCurve(1000)
        const marked = new EquityCurve(1000)
        glided.start(openTime[0])
        marked.start(openTime[0])
        let row = 0
        for (const until of [...places.map((place) => Math.min(end, place)).sort((a, b) => a - b), end]) {
          while (row < until) {
            const reached = glided.glide(columns, row, until, low, high, cash, quantity, step)
            for (; row < reached; row++) {
              expect(columns.low[row] > low && columns.high[row] < high).toBe(true)
              marked.mark(closeOf(openTime[row], step), cash + quantity * columns.close[row])
              rows++
            }
            expect(glided.value).toBe(marked.value)
            if (row === until) break
            // A level is reached here: both mark this row by hand.
            expect(columns.low[row] <= low || columns.high[row] >= high).toBe(true)
            stops++
            glided.mark(closeOf(openTime[row], step), cash)
            marked.mark(closeOf(openTime[row], step), cash)
            row++
          }
        }
        const [left, right] = [glided, marked].map((curve) => curve.finish(closeOf(openTime[end - 1], step)))
        expect([...left.dailyEquity]).toEqual([...right.dailyEquity])
        expect([left.firstDay, left.maxDrawdown]).toEqual([right.firstDay, right.maxDrawdown])
      },
    ), { numRuns: 400 })
    expect(rows).toBeGreaterThan(1000)
    expect(stops).toBeGreaterThan(100)
  })

  it('stops at a price that touches a level exactly', () => {
    const columns = columnsOf([[99, 101], [98, 101], [99, 102]].map(([low, high], row) => ({
      openTime: START + row * HOUR, open: 100, high, low, close: 100, volume: 0,
    })))
    const curve = new EquityCurve(1)
    curve.start(START)
    expect(curve.glide(columns, 0, 3, 98, 102, 0, 1, HOUR)).toBe(1)
    expect(curve.glide(columns, 1, 3, 98, 102, 0, 1, HOUR)).toBe(1)
    expect(curve.glide(columns, 2, 3, 97, 102, 0, 1, HOUR)).toBe(2)
    expect(curve.glide(columns, 0, 3, 97, 103, 0, 1, HOUR)).toBe(3)
  })
})
