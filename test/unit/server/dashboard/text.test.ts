import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { age, clock, money, number, parseTime, percent, price, quantity, signedMoney } from '../../../../engine/server/dashboard/data/format.ts'
import { cut, harmless, shortened, words } from '../../../../engine/server/dashboard/data/text.ts'

describe('texts of strangers', () => {
  it('show control characters as signs that do nothing', () => {
    expect(harmless('\u001b[31mred\u0007\u0000\u007f\u009b \u202eabc\u2066 a\r\nb\tc\ud800'))
      .toBe('␛[31mred␇␀␡‹U+009B› ‹U+202E›abc‹U+2066› a\nb\tc\ufffd')
    expect(harmless('Grüße 👩‍🚀 <b>')).toBe('Grüße 👩‍🚀 <b>')
  })

  it('have nothing left that acts, whatever they were', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(harmless(text)).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/)
    }))
  })

  it('are cut between characters', () => {
    expect(cut('ab👩', 3)).toBe('ab')
    expect(cut('abc', 3)).toBe('abc')
    expect([shortened('ab👩', 3), shortened('abc', 3)]).toEqual(['ab …', 'abc'])
  })

  it('name things in words', () => {
    expect(['max-daily-loss', 'minConfidence', 'net_return'].map(words)).toEqual(['max daily loss', 'min confidence', 'net return'])
    expect(words('OPENAI_API_KEY is not set')).toBe('OPENAI_API_KEY is not set')
  })
})

describe('figures', () => {
  it.each([
    [number(-0.001, 2), '0.00'], [number(-1_234.5, 1), '−1,234.5'], [money(null), '–'], [price(0.000012), '0.00001200'],
    [price(62_000), '62,000.00'], [quantity(0.0321), '0.0321'], [quantity(2), '2'], [percent(0.0125, { signed: true }), '+1.25\u00a0%'],
    [percent(-0.5, { digits: 0 }), '−50\u00a0%'], [signedMoney(3), '+3.00'], [signedMoney(-3), '−3.00'],
  ])('%s is %s', (shown, expected) => expect(shown).toBe(expected))

  it('reads both ways of writing a time, in UTC', () => {
    expect(clock(parseTime('2024-01-16 10:00:05'))).toBe('16 Jan 10:00:05')
    expect(parseTime('2024-01-16 10:00:05')).toBe(parseTime('2024-01-16T10:00:05.000Z'))
    expect(clock(parseTime('never'))).toBe('–')
  })

  it('says an age only where it means something', () => {
    const now = Date.UTC(2024, 0, 1)
    expect([1_000, 40_000, 600_000, 7_200_000].map((back) => age(now - back, now))).toEqual(['now', '40 s ago', '10 min ago', '2 h ago'])
    expect([age(now + 60_000, now), age(now - 1e9, now), age(NaN, now)]).toEqual([null, null, null])
  })
})
