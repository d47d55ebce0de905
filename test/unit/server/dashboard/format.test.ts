import { describe, expect, it } from 'vitest'
import { axisDigits, money, moneyDigits, signedMoney } from '../../../../engine/server/dashboard/data/format.ts'

describe('marks of an axis', () => {
  it.each<readonly [number[], number]>([
    [[10_000, 10_100, 10_200], 0],
    [[9_999.5, 10_000, 10_000.5], 1],
    [[9_999.75, 10_000, 10_000.25], 2],
    [[10_000, 10_000.02], 2],
    [[0.1, 0.101, 0.102], 3],
    [[0.1 + 0.2, 0.4], 1],
    [[1.00000001, 1.00000002], 8],
  ])('%j have as many decimals as tell them apart', (marks, digits) => {
    expect(axisDigits(marks)).toBe(digits)
    expect(new Set(marks.map((mark) => mark.toFixed(digits))).size).toBe(marks.length)
  })

  it('have two where there is nothing to tell apart', () => {
    expect([axisDigits([]), axisDigits([10_000]), axisDigits([5, 5])]).toEqual([2, 2, 2])
  })
})

describe('amounts', () => {
  it('of an account of coins show what a hundredth would hide', () => {
    expect(money(0.10234123, moneyDigits(0.1))).toBe('0.10234123')
    expect(signedMoney(0.000234, moneyDigits(-0.1))).toBe('+0.00023400')
    expect(money(10_214.372, moneyDigits(10_214))).toBe('10,214.37')
    expect(moneyDigits(null)).toBe(2)
  })

  it('have a sign, unless it would stand before nothing', () => {
    expect([0.004, 0.005, 18.35, -44.5, 0, null].map((one) => signedMoney(one))).toEqual(['0.00', '+0.01', '+18.35', '−44.50', '0.00', '–'])
  })
})
