import { describe, expect, it } from 'vitest'
import { baseRate, breakEvenRate, DEFAULT_POLICY, roundTripCosts } from '../../../engine/core/policy.ts'

describe('break-even', () => {
  const costs = roundTripCosts({ maker: 0.0005, taker: 0.001, feeAsset: 'received', slippageBps: 0 })

  it('is 65 % for a stop of 5 %, a target of 3 % and 0.1 % a side, where a walk without skill wins 62.5 %', () => {
    expect(costs).toBeCloseTo(0.002, 15)
    expect(baseRate(0.05, 0.03)).toBeCloseTo(0.625, 12)
    expect(breakEvenRate(0.05, 0.03, costs)).toBeCloseTo(0.65, 12)
  })

  it('is where a calibrated trader neither wins nor loses; at 0.60 each trade loses 0.40 %', () => {
    const expected = (probability: number): number => probability * 0.03 - (1 - probability) * 0.05 - costs
    expect(expected(breakEvenRate(0.05, 0.03, costs)!)).toBeCloseTo(0, 12)
    expect(expected(0.6)).toBeCloseTo(-0.004, 12)
  })

  it('counts slippage on both sides, and the dearer fee', () => {
    // 2 × (0.1 % + 0.05 %)
    expect(roundTripCosts({ maker: 0, taker: 0.001, feeAsset: 'quote', slippageBps: 5 })).toBeCloseTo(0.003, 15)
  })

  it('does not exist without a stop and a target', () => {
    for (const [stop, target] of [[null, 0.03], [0.05, null], [null, null]] as const) {
      expect(baseRate(stop, target)).toBeNull()
      expect(breakEvenRate(stop, target, costs)).toBeNull()
    }
  })
})

it('what is not said is what the specification says', () => {
  const { minConfidence, minExitConfidence, stopLoss, takeProfit, positionSize, ...off } = DEFAULT_POLICY
  expect({ minConfidence, minExitConfidence, stopLoss, takeProfit, positionSize })
    .toEqual({ minConfidence: 0.6, minExitConfidence: 0.6, stopLoss: 0.05, takeProfit: 0.03, positionSize: 0.02 })
  expect(Object.values(off).every((limit) => limit === null)).toBe(true)
  expect(Object.keys(off).sort()).toEqual([
    'breakEvenAt', 'cooldown', 'maxConsecutiveLosses', 'maxDailyLoss', 'maxDrawdown', 'maxExposure', 'maxHold',
    'maxOpenPositions', 'maxPositionSize', 'trailingStop',
  ])
})
