import { describe, expect, it } from 'vitest'
import { closest, didYouMean } from '../../../engine/core/suggest.ts'

const KNOWN = ['stopLoss', 'takeProfit', 'positionSize', 'maxHold', 'fast', 'slow']

describe('suggestions', () => {
  it.each([
    ['stoploss', 'stopLoss'],
    ['STOPLOSS', 'stopLoss'],
    ['stopLos', 'stopLoss'],
    ['stpoLoss', 'stopLoss'],
    ['takeprofits', 'takeProfit'],
    ['postionSize', 'positionSize'],
    ['fats', 'fast'],
    ['slwo', 'slow'],
  ])('%s probably means %s', (word, meant) => {
    expect(closest(word, KNOWN)).toBe(meant)
    expect(didYouMean(word, KNOWN)).toBe(` Did you mean "${meant}"?`)
  })

  it.each(['temperature', 'x', 'zzzz', ''])('nothing is like %j', (word) => {
    expect(closest(word, KNOWN)).toBeNull()
    expect(didYouMean(word, KNOWN)).toBe('')
    expect(closest('fast', [])).toBeNull()
  })

  it('prefer the nearest, and the first of equally near ones', () => {
    expect(closest('fas', ['fasten', 'fast'])).toBe('fast')
    expect(closest('ab', ['ac', 'ad'])).toBe('ac')
  })
})
