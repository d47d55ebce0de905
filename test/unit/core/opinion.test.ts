import { describe, expect, it } from 'vitest'
import { ACTIONS, opinionFault, STATUSES, type Opinion } from '../../../engine/core/opinion.ts'

/** What came over the wire need not be what its type says. */
const from = (value: unknown): Opinion => value as Opinion

describe('an opinion', () => {
  it.each(ACTIONS.flatMap((action) => [0, 0.5, 1].map((confidence) => [action, confidence] as const)))(
    'may say %s with confidence %d', (action, confidence) => {
      expect(opinionFault({ action, confidence, reasoning: '' })).toBeNull()
    })

  it.each([
    [{ action: 'buy', confidence: 0.5, reasoning: '' }, 'action "buy" is not BUY, SELL or HOLD'],
    [{ action: 'SHORT', confidence: 0.5, reasoning: '' }, 'action "SHORT" is not BUY, SELL or HOLD'],
    [{ confidence: 0.5, reasoning: '' }, 'action undefined is not BUY, SELL or HOLD'],
    [{ action: ['BUY'], confidence: 0.5, reasoning: '' }, 'action ["BUY"] is not BUY, SELL or HOLD'],
    [{ action: 'BUY', confidence: 1.01, reasoning: '' }, 'confidence 1.01 is outside [0, 1]'],
    [{ action: 'BUY', confidence: -0.01, reasoning: '' }, 'confidence -0.01 is outside [0, 1]'],
    [{ action: 'BUY', confidence: NaN, reasoning: '' }, 'confidence NaN is outside [0, 1]'],
    [{ action: 'BUY', confidence: '0.7', reasoning: '' }, 'confidence 0.7 is outside [0, 1]'],
    [{ action: 'BUY', confidence: 70, reasoning: '' }, 'confidence 70 is outside [0, 1]'],
    [{ action: 'BUY', reasoning: '' }, 'confidence undefined is outside [0, 1]'],
    [{ action: 'BUY', confidence: 0.5 }, 'reasoning is not text'],
    [{ action: 'BUY', confidence: 0.5, reasoning: ['because'] }, 'reasoning is not text'],
  ])('%j is faulty: %s', (value, fault) => {
    expect(opinionFault(from(value))).toBe(fault)
  })
})

it('a decision ends in one of five ways', () => {
  expect(STATUSES).toEqual(['EXECUTED', 'SKIPPED', 'REJECTED', 'FAILED', 'SIGNAL'])
})
