import { describe, expect, it } from 'vitest'
import { scalar } from '../../../engine/cli/scenario-options.ts'
import { asTimeframe, pair, wholeNumber } from '../../../engine/cli/values.ts'
import type { TapedeckError } from '../../../engine/errors.ts'

const refusal = (work: () => unknown): string => {
  try {
    work()
  } catch (error) {
    expect((error as TapedeckError).code).toBe('TD_USAGE')
    return (error as TapedeckError).message
  }
  throw new Error('nothing was refused')
}

describe('values of flags', () => {
  it('timeframes', () => {
    expect(asTimeframe('4h')).toBe('4h')
    for (const text of ['7h', '1H', '', '60']) {
      expect(refusal(() => asTimeframe(text))).toContain(`--timeframe ${text}: expected one of 1s, 5s`)
    }
  })

  it('whole numbers', () => {
    expect([wholeNumber('seed', 0, 0), wholeNumber('candles', 5, 1)]).toEqual([0, 5])
    expect(refusal(() => wholeNumber('candles', 0, 1))).toBe('--candles: expected a whole number from 1, got 0')
    expect(refusal(() => wholeNumber('candles', 5_000_000, 1, 1_000_000)))
      .toBe('--candles: expected a whole number from 1 to 1,000,000, got 5000000')
    expect(refusal(() => wholeNumber('candles', 1.5, 1))).toContain('got 1.5')
    expect(refusal(() => wholeNumber('candles', NaN, 1))).toContain('got something else')
    expect(refusal(() => wholeNumber('candles', 1e300, 1))).toContain('got 1e+300')
    expect(refusal(() => wholeNumber('candles', Infinity, 1))).toContain('got Infinity')
  })

  it('pairs', () => {
    expect(pair('set', 'a.b=c', 'x=1')).toEqual(['a.b', 'c'])
    expect(pair('set', 'a=b=c', 'x=1')).toEqual(['a', 'b=c'])
    for (const text of ['a', '=1', '']) {
      expect(refusal(() => pair('set', text, 'fast=5'))).toBe(`--set ${text}: expected key=value, such as fast=5`)
    }
    for (const text of ['a=', 'a=  ']) {
      expect(refusal(() => pair('set', text, 'fast=5'))).toContain('the value is empty; write null for none')
    }
  })

  it.each<[string, unknown]>([
    ['5', 5], ['0.05', 0.05], ['null', null], ['true', true], ['text', 'text'], ['2024-01-01', '2024-01-01'],
    ['[a, 1]', ['a', 1]],
    ['{ a: 1 }', { a: 1 }], ['"5"', '5'], ['breakeven+0.02', 'breakeven+0.02'], ['BTC/USDT', 'BTC/USDT'], ['-3', -3],
  ])('%s is read as in a scenario', (text, value) => {
    expect(scalar(text, '--set x')).toEqual(value)
  })

  it('what is no value is refused with its place', () => {
    expect(refusal(() => scalar('[1', '--set a=[1'))).toMatch(/^--set a=\[1: not a value \(.+\)$/)
  })
})
