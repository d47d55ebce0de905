import { describe, expect, it } from 'vitest'
import {
  change, count, duration, fixed, gain, money, percent, plural, points, priceDecimals, quantity, ratio, signed,
  stepName, trimmed, utcMinute,
} from '../../../engine/report/format.ts'

describe('numbers', () => {
  it.each([
    [0, 2, '0.00'], [1234.5, 2, '1,234.50'], [-1234567.891, 2, '-1,234,567.89'], [999.999, 2, '1,000.00'],
    [-0.001, 2, '0.00'], [-0, 2, '0.00'], [12, 0, '12'], [1e15, 2, '1.000e+15'], [0.1234567, 4, '0.1235'],
  ])('%f with %i digits is %s', (value, digits, text) => expect(fixed(value, digits)).toBe(text))

  it('shows what is no number as a dash, never as Infinity', () => {
    for (const value of [null, NaN, Infinity, -Infinity]) {
      for (const format of [percent, change, ratio, count, quantity, points]) expect(format(value)).toBe('–')
      expect(money(value, 'USDT')).toBe('–')
    }
  })

  it('gives a plus sign only to what prints above zero', () => {
    expect([signed(0.004, 2), signed(0.005, 2), signed(-3, 0), signed(0, 1)]).toEqual(['0.00', '+0.01', '-3', '0.0'])
  })

  it('shows fractions in percent and differences in points', () => {
    expect(percent(0.12345)).toBe('12.35 %')
    expect(percent(-0.5, 0)).toBe('-50 %')
    expect(change(0.1)).toBe('+10.00 %')
    expect(points(-0.0123)).toBe('-1.23 pp')
  })

  it('gives money the decimals of its currency', () => {
    expect(money(1234.5, 'USDT')).toBe('1,234.50')
    expect(money(0.12345678, 'BTC')).toBe('0.12345678')
    expect(gain(3, 'USDT')).toBe('+3.00')
    expect(money(1, 'constructor')).toBe('1.00')
  })

  it('drops zeros and keeps six digits of a quantity', () => {
    expect(trimmed(0.5, 4)).toBe('0.5')
    expect(trimmed(1200, 2)).toBe('1,200')
    expect([0, 123456.7, 0.000012345678, 2.5].map(quantity)).toEqual(['0', '123,457', '0.0000123457', '2.5'])
  })

  it('finds how many decimals prices use', () => {
    expect(priceDecimals([46_458.51, 46_459])).toBe(2)
    expect(priceDecimals([0.00001234, 0.00001235])).toBe(8)
    expect(priceDecimals([1.2345, 1.5])).toBe(4)
    expect(priceDecimals([])).toBe(2)
  })
})

describe('times and words', () => {
  it('shows times in UTC, seconds only where there are any', () => {
    expect(utcMinute(Date.UTC(2021, 2, 4, 12))).toBe('2021-03-04 12:00')
    expect(utcMinute(Date.UTC(2021, 2, 4, 12, 0, 5))).toBe('2021-03-04 12:00:05')
  })

  it('names the length of a candle', () => {
    expect([1_000, 60_000, 14_400_000, 86_400_000, 604_800_000, 5_400_000, 250].map(stepName))
      .toEqual(['1s', '1m', '4h', '1d', '1w', '90m', '250ms'])
  })

  it('counts', () => {
    expect([plural(1, 'trade'), plural(1234, 'trade')]).toEqual(['1 trade', '1,234 trades'])
    expect(plural(0, 'loss', 'losses')).toBe('0 losses')
    expect([duration(12.34), duration(1234.5)]).toEqual(['12.3 ms', '1.234 s'])
  })
})
