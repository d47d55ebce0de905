import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isoDay, isoTime, parseTime } from '../../../engine/core/time.ts'

describe('parseTime', () => {
  it.each([
    ['2021-01-04', Date.UTC(2021, 0, 4)],
    ['2024-02-29', Date.UTC(2024, 1, 29)],
    ['2021-01-04T05:06', Date.UTC(2021, 0, 4, 5, 6)],
    ['2021-01-04T05:06:07', Date.UTC(2021, 0, 4, 5, 6, 7)],
    ['2021-01-04T05:06:07.089', Date.UTC(2021, 0, 4, 5, 6, 7, 89)],
    ['2021-01-04T05:06:07Z', Date.UTC(2021, 0, 4, 5, 6, 7)],
    ['2021-01-04T05:06+02:00', Date.UTC(2021, 0, 4, 3, 6)],
    ['2021-01-04T23:30:00-01:30', Date.UTC(2021, 0, 5, 1)],
    ['  2021-01-04 ', Date.UTC(2021, 0, 4)],
    ['1609718400000', 1_609_718_400_000],
    [1_609_718_400_000, 1_609_718_400_000],
    ['100000000000', 100_000_000_000],
    ['1970-01-01', 0],
    [new Date(1_609_718_400_000), 1_609_718_400_000],
  ])('reads %j', (input, expected) => {
    expect(parseTime(input)).toBe(expected)
  })

  it.each([
    '', ' ', 'yesterday', '2021', '2021-01', '20210104', '2021-1-4', '04.01.2021', '2021/01/04', '2021-01-04 05:06',
    '2021-01-04T', '2021-01-04T05', '2021-01-04T05:06:07.', '2021-01-04T05:06:07.1234', '2021-01-04T05:06 Z',
    '2021-01-04Z', '2021-01-04T05:06:07+0200', '2021-01-04T05:06:07+2:00', '2021-01-04T25:00', '2021-01-04T05:60',
    '2021-13-01',
    // Days that no calendar has.
    '2021-02-29', '2021-02-30', '2021-04-31T12:00', '2021-00-10', '2021-01-00', '1900-02-29',
    // Seconds, and numbers that were meant as a year or a day.
    '1609718400', '0', '99999999999',
    '-1', '1.5e12', '8640000000000001', '1609718400000.5', '0x1000000000', 'NaN', '99999999999999999999',
  ])('refuses %j', (input) => {
    expect(parseTime(input)).toBeNull()
  })

  const numbers = [-1, 0, 2021, 20_210_104, 1_609_718_400, 1.5, NaN, Infinity, 8.64e15 + 1]
  it.each(numbers)('refuses the number %d', (input) => {
    expect(parseTime(input)).toBeNull()
  })

  it('refuses a date that is none', () => {
    expect(parseTime(new Date(NaN))).toBeNull()
  })

  it('reads back what isoTime and isoDay write', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 253_402_300_799_999 }), (time) => {
      expect(parseTime(isoTime(time))).toBe(time)
      expect(parseTime(isoTime(time).slice(0, -1))).toBe(time)
      const day = Math.floor(time / 86_400_000)
      expect(parseTime(isoDay(day))).toBe(day * 86_400_000)
      if (time < 1e11) return
      expect(parseTime(time)).toBe(time)
      expect(parseTime(String(time))).toBe(time)
    }))
  })
})

it('writes UTC', () => {
  expect(isoTime(1_577_836_800_000)).toBe('2020-01-01T00:00:00.000Z')
  expect(isoTime(1_577_836_800_000 + 3_723_004)).toBe('2020-01-01T01:02:03.004Z')
  expect(isoDay(0)).toBe('1970-01-01')
  expect(isoDay(18_262)).toBe('2020-01-01')
})
