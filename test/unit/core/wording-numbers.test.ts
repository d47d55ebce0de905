import { describe, expect, it } from 'vitest'
import { SnapshotView } from '../../../engine/core/snapshot.ts'
import { prepareIndicators } from '../../../engine/core/indicators.ts'
import { wordingOf, type Wording, type WordingPlan } from '../../../engine/core/wording.ts'

const books = await prepareIndicators({})
function wording(own: Partial<WordingPlan> = {}, close = 200): Wording {
  const snapshot = new SnapshotView('BTC/USDT', books(0))
  snapshot.time = Date.UTC(2024, 0, 2, 3)
  snapshot.price = close
  return wordingOf(snapshot, { tickSize: 0, timeframe: '1h', blind: false, ...own })
}

describe('wordingOf', () => {
  it.each<[number, string]>([
    [0, '0'], [-0, '0'], [NaN, 'unknown'], [Infinity, 'unknown'], [1, '1'], [100, '100'], [52.2599, '52.26'], [52.2, '52.2'], [50.001, '50'],
    [9.99996, '10'], [0.99996, '1'], [12_345, '12350'], [99_999, '100000'], [-0.054_321, '-0.05432'], [0.000_012_346, '0.00001235'], [1.5e-7, '0.00000015'],
    [1e-7, '0.0000001'], [6.02e20, '602000000000000000000'],
  ])('writes the number %d as %s: 4 digits, no exponent, no zeros at the end', (value, text) => {
    expect(wording().number(value)).toBe(text)
  })

  it.each<[number, number, string]>([
    [0.01, 39_654.789, '39654.79'], [0.01, 40_000, '40000.00'], [0.5, 100.25, '100.3'], [0.000_1, 0.123_45, '0.1235'], [0.25, 7.125, '7.13'], [1e-8, 0.000_001_5, '0.00000150'],
    [1, 39_654.7, '39655'], [0, 39_654.789_123, '39654.789'], [0.01, NaN, 'unknown'],
  ])('at tick size %d, writes the price %d as %s', (tickSize, value, text) => {
    expect(wording({ tickSize }).price(value)).toBe(text)
    // Known by now.
    expect(wording({ tickSize }).price(value)).toBe(text)
  })

  it('tells what is traded and when, or hides it and rebases prices', () => {
    expect(wording()).toMatchObject({ symbol: 'BTC/USDT', timeframe: '1h', time: '2024-01-02T03:00:00.000Z' })
    const blind = wording({ blind: true, tickSize: 0.01 })
    expect(blind).toMatchObject({ symbol: 'the asset', timeframe: '1h', time: null })
    expect([blind.price(200), blind.price(201), blind.price(NaN), blind.number(201)]).toEqual(['100', '100.5', 'unknown', '201'])
  })
})
