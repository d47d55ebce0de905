import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { LaneMeasures, TradeColumns } from '../../../engine/core/figures.ts'
import {
  annualVolatility, averageOf, cagr, calmar, computeFigures, dailyReturns, deviation, downsideDeviation, expectancy,
  exposure, growth, implausible, longestLosingStreak, maxDrawdown, monthlyReturns, netReturns, profitFactor, sharpe,
  sortino, sqn, turnover, winRate,
} from '../../../engine/core/metrics.ts'

const DAY = 86_400_000
const YEAR = 365 * DAY

/** Trades of 100 quote each, with the given results. The columns are longer than the trades, as growing columns are. */
function tradesOf(pnl: readonly number[], cost = 100): TradeColumns {
  const rows = pnl.length + 3
  const column = (): Float64Array => new Float64Array(rows)
  const trades = {
    length: pnl.length, symbol: new Uint8Array(rows), reason: new Uint8Array(rows),
    entryTime: column(), exitTime: column(), entryPrice: column(), exitPrice: column(), quantity: column(),
    fees: column(), slippage: column(), held: column(),
    cost: column().fill(cost), pnl: column().fill(-999), stop: column(), target: column(),
  }
  trades.pnl.set(pnl)
  return trades
}

function measuresOf(daily: number[], pnl: number[] = [], more: Partial<LaneMeasures> = {}): LaneMeasures {
  return {
    startCash: daily[0] ?? 100, finalEquity: daily[daily.length - 1] ?? 100, dailyEquity: Float64Array.from(daily),
    firstDay: 18_262, maxDrawdown: -0.25, firstOpen: 0, lastOpen: YEAR, moments: 200, momentsInPosition: 50,
    candles: 221, trades: tradesOf(pnl),
    fees: 1, slippage: 2, traded: 400, ambiguousCandles: 3, coverage: 0.5, aiCost: 4, ...more,
  }
}

describe('returns', () => {
  it('are simple, one fewer than values', () => {
    expect([...dailyReturns([100, 110, 99])]).toEqual([110 / 100 - 1, 99 / 110 - 1])
    expect([...dailyReturns([100])]).toEqual([])
    expect([...dailyReturns([])]).toEqual([])
  })

  it('compound', () => {
    expect(growth([0.1, -0.1])).toBeCloseTo(0.99, 15)
    expect(growth([])).toBe(1)
  })

  it('the deviation is that of a sample, exact at a large mean, and 0 where only rounding varies', () => {
    expect(deviation([1, 2, 3, 4])).toBeCloseTo(Math.sqrt(5 / 3), 15)
    expect(deviation([1e9 + 1, 1e9 + 2, 1e9 + 3])).toBe(1)
    expect(deviation([0.1, 0.1, 0.1])).toBe(0)
    expect(deviation(dailyReturns(Array.from({ length: 50 }, (_, i) => 1_000 * 1.01 ** i)))).toBe(0)
    expect([deviation([]), deviation([3])]).toEqual([null, null])
  })
})

describe('cagr', () => {
  it('is (end/start)^(365 d ÷ elapsed) − 1', () => {
    expect(cagr(100, 121, 2 * YEAR)).toBeCloseTo(0.1, 14)
    expect(cagr(100, 50, YEAR / 2)).toBeCloseTo(-0.75, 14)
    expect(cagr(100, 0, YEAR)).toBe(-1)
  })

  it('is null without time, below 0, or too large', () => {
    expect([cagr(100, 110, 0), cagr(100, -1, YEAR), cagr(100, 1_000, 3_600_000)]).toEqual([null, null, null])
  })
})

describe('ratios', () => {
  const returns = [0.02, -0.01, 0.03, 0, -0.02]
  const average = 0.004
  const std = Math.sqrt((0.016 ** 2 + 0.014 ** 2 + 0.026 ** 2 + 0.004 ** 2 + 0.024 ** 2) / 4)

  it('annual volatility, sharpe, sortino and calmar follow their formulas', () => {
    expect(annualVolatility(returns)).toBeCloseTo(std * Math.sqrt(365), 14)
    expect(sharpe(returns)).toBeCloseTo((average / std) * Math.sqrt(365), 13)
    expect(sharpe(returns, 252)).toBeCloseTo((average / std) * Math.sqrt(252), 13)
    expect(downsideDeviation(returns)).toBeCloseTo(Math.sqrt(0.0005 / 5) * Math.sqrt(365), 14)
    expect(sortino(returns)).toBeCloseTo((average * 365) / (0.01 * Math.sqrt(365)), 12)
    expect(calmar(returns, -0.1)).toBeCloseTo((growth(returns) ** 73 - 1) / 0.1, 12)
  })

  it('are null where they are undefined', () => {
    for (const undefinedFigure of [
      annualVolatility([0.1]), sharpe([]), sharpe([0.1]), sharpe([0, 0, 0]), sharpe([0.1, 0.1]),
      downsideDeviation([]), sortino([]), sortino([-0.1]), sortino([0.1, 0.2]),
      calmar([], -0.1), calmar([0.1], 0), calmar([0.1], null), calmar([1e9], -0.1),
    ]) expect(undefinedFigure).toBeNull()
  })
})

describe('drawdown', () => {
  it('is the deepest fall from a running peak, ≤ 0', () => {
    expect(maxDrawdown([100, 120, 90, 130, 91, 140])).toBeCloseTo(91 / 130 - 1, 15)
    expect(maxDrawdown([100, 100, 101])).toBe(0)
    expect([maxDrawdown([]), maxDrawdown([100])]).toEqual([null, null])
  })

  it('does not depend on the unit', () => {
    fc.assert(fc.property(fc.array(fc.double({ min: 1, max: 1e6, noNaN: true }), { minLength: 2 }), (equity) => {
      const deepest = Number(maxDrawdown(equity))
      expect(deepest).toBeLessThanOrEqual(0)
      expect(maxDrawdown(equity.map((value) => value * 4))).toBe(deepest)
    }))
  })
})

describe('trades', () => {
  const results = [3, -1, 0, -2, -2, 5]

  it('win rate counts above 0, streaks count below 0, profit factor divides sums', () => {
    expect(winRate(results)).toBe(2 / 6)
    expect(longestLosingStreak(results)).toBe(2)
    expect(profitFactor(results)).toBe(8 / 5)
    expect(profitFactor([-1])).toBe(0)
  })

  it('averages are of netReturn = pnl ÷ cost', () => {
    const net = netReturns(tradesOf(results, 200))
    expect([...net]).toEqual(results.map((result) => result / 200))
    expect(averageOf(net, 1)).toBeCloseTo(0.02, 15)
    expect(averageOf(net, -1)).toBeCloseTo(-0.025 / 3, 15)
    expect(expectancy(net)).toBeCloseTo(3 / 6 / 200, 15)
    const std = Math.sqrt((2.5 ** 2 + 1.5 ** 2 + 0.5 ** 2 + 2 * 2.5 ** 2 + 4.5 ** 2) / 5)
    expect(sqn(net)).toBeCloseTo((Math.sqrt(6) * 0.5) / std, 13)
  })

  it('are null without trades, or without the kind that they need', () => {
    for (const undefinedFigure of [
      winRate([]), profitFactor([]), expectancy([]), averageOf([1], -1), averageOf([-1], 1),
      profitFactor([1, 2]), sqn([0.1]), sqn([0.1, 0.1]),
    ]) expect(undefinedFigure).toBeNull()
    expect(longestLosingStreak([])).toBe(0)
  })
})

it('turnover is traded quote ÷ mean daily equity; exposure a share of moments', () => {
  expect(turnover(400, [100, 300])).toBe(2)
  expect([turnover(400, []), turnover(0, [0])]).toEqual([null, null])
  expect([exposure(50, 200), exposure(0, 5), exposure(0, 0)]).toEqual([0.25, 0, null])
})

describe('figures', () => {
  it('of a whole run', () => {
    const figures = computeFigures(measuresOf([100, 110, 99, 121], [3, -1, -1]))
    const returns = [110 / 100 - 1, 99 / 110 - 1, 121 / 99 - 1]
    expect(figures).toEqual({
      finalEquity: 121, totalReturn: 121 / 100 - 1, returnNetOfAi: (121 - 4) / 100 - 1, cagr: 121 / 100 - 1, annualVolatility: annualVolatility(returns),
      sharpe: sharpe(returns), sortino: sortino(returns), maxDrawdown: -0.25, maxDrawdownDaily: 99 / 110 - 1,
      calmar: calmar(returns, 99 / 110 - 1), exposure: 0.25, turnover: 400 / 107.5, trades: 3, winRate: 1 / 3,
      profitFactor: 1.5, profitFactorNet: 1.5, expectancy: expectancy([0.03, -0.01, -0.01]), averageWin: 0.03,
      averageLoss: -0.01, sqn: sqn([0.03, -0.01, -0.01]), longestLosingStreak: 2, fees: 1, slippage: 2, aiCost: 4,
      coverage: 0.5, ambiguousCandles: 3, candles: 221, undefinedBecause: {},
    })
  })

  it('of a run that did nothing: null with reasons', () => {
    const idle = measuresOf([100, 100, 100], [], { coverage: null, traded: 0 })
    const { undefinedBecause, ...figures } = computeFigures(idle)
    expect(undefinedBecause).toEqual({
      sharpe: 'returns do not vary', sortino: 'no losing day', calmar: 'no drawdown', winRate: 'no closed trades',
      profitFactor: 'no closed trades', profitFactorNet: 'no closed trades', expectancy: 'no closed trades',
      averageWin: 'no closed trades', averageLoss: 'no closed trades', sqn: 'fewer than 2 closed trades',
      coverage: 'no decision that an AI was to be asked about',
    })
    expect(figures).toMatchObject({ cagr: 0, annualVolatility: 0, maxDrawdownDaily: 0, turnover: 0, totalReturn: 0 })
  })

  it('of a run within one day', () => {
    const short = measuresOf([100], [1, 1], { lastOpen: 0, moments: 0, momentsInPosition: 0 })
    const { undefinedBecause } = computeFigures(short)
    expect(undefinedBecause).toEqual({
      cagr: 'no time passed', annualVolatility: 'fewer than 2 daily returns', sharpe: 'fewer than 2 daily returns',
      sortino: 'fewer than 2 daily returns', maxDrawdownDaily: 'fewer than 2 days', calmar: 'fewer than 2 days',
      exposure: 'no candles', profitFactor: 'no losing trade', profitFactorNet: 'no losing trade',
      averageLoss: 'no losing trade', sqn: 'trades do not vary',
    })
  })

  it('of a run that lost everything', () => {
    const { undefinedBecause, cagr: rate } = computeFigures(measuresOf([100, 0, 0]))
    expect(rate).toBe(-1)
    for (const figure of ['annualVolatility', 'sharpe', 'sortino', 'calmar']) {
      expect(undefinedBecause[figure]).toBe('equity fell to 0')
    }
  })

  it('say when a number is too large', () => {
    const { undefinedBecause } = computeFigures(measuresOf([1, 1e6], [], { lastOpen: 60_000 }))
    expect(undefinedBecause.cagr).toBe('too large for a number')
  })

  it('are numbers or null with a reason, whatever was measured', () => {
    const equity = fc.oneof(fc.constantFrom(0, 1e-300, 1e300), fc.double({ min: 0, max: 1e6, noNaN: true }))
    const equities = fc.array(equity, { maxLength: 8 })
    const results = fc.array(fc.integer({ min: -3, max: 3 }), { maxLength: 6 })
    fc.assert(fc.property(equities, results, (daily, pnl) => {
      const { undefinedBecause, ...figures } = computeFigures(measuresOf(daily, pnl, { startCash: 100 }))
      for (const [name, value] of Object.entries(figures)) {
        if (value === null) expect(undefinedBecause[name], name).toMatch(/\w/)
        else {
          expect(Number.isFinite(value), `${name} ${value}`).toBe(true)
          expect(undefinedBecause[name]).toBeUndefined()
        }
      }
    }))
  })

  it('warn when no honest run reaches them', () => {
    expect(implausible({ cagr: 100, sharpe: 10 })).toEqual([])
    expect(implausible({ cagr: null, sharpe: null })).toEqual([])
    expect(implausible({ cagr: 123.4, sharpe: 10.5 })).toEqual([
      'CAGR of 12340 % is implausible: over 10,000 %', 'Sharpe ratio of 10.50 is implausible: over 10',
    ])
  })
})

describe('monthly returns', () => {
  it('compare the last equity of a month with the one before', () => {
    const firstDay = Date.UTC(2020, 0, 30) / DAY
    const daily = new Float64Array(32).fill(90)
    daily.set([110, 120])
    daily[31] = 180
    expect(monthlyReturns(daily, firstDay, 100)).toEqual([
      { month: '2020-01', return: 120 / 100 - 1 },
      { month: '2020-02', return: 90 / 120 - 1 },
      { month: '2020-03', return: 180 / 90 - 1 },
    ])
    expect(monthlyReturns(new Float64Array(0), firstDay, 100)).toEqual([])
  })

  it('end with the month in which equity fell to 0', () => {
    const daily = new Float64Array(70)
    expect(monthlyReturns(daily, Date.UTC(2021, 0, 1) / DAY, 100)).toEqual([{ month: '2021-01', return: -1 }])
  })

  it('name the months as a calendar does, leap years and centuries included', () => {
    for (const [from, years] of [[1970, 35], [1895, 10], [2095, 8]] as const) {
      const firstDay = Date.UTC(from, 0, 1) / DAY
      const days = years * 365 + 2
      const months = monthlyReturns(new Float64Array(days).fill(1), firstDay, 1).map(({ month }) => month)
      const dates = Array.from({ length: days }, (_, day) => new Date((firstDay + day) * DAY).toISOString())
      const expected = dates.map((date) => date.slice(0, 7))
      expect(months).toEqual([...new Set(expected)])
    }
  })

  it('compound to the total return', () => {
    const equities = fc.array(fc.double({ min: 1, max: 1e4, noNaN: true }), { minLength: 1, maxLength: 200 })
    fc.assert(fc.property(equities, (equity) => {
      const months = monthlyReturns(Float64Array.from(equity), 18_000, 50)
      const total = months.reduce((product, { return: value }) => product * (1 + value), 1)
      expect(Math.abs(total - equity[equity.length - 1] / 50)).toBeLessThan(1e-9 * total)
    }))
  })
})
