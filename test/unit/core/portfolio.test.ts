import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { floorTo8, instrumentOf } from '../../../engine/core/instrument.ts'
import { EXIT_REASONS, type Fill } from '../../../engine/core/order.ts'
import {
  applyFill, copyPortfolio, createPortfolio, equity, type Holding, type Portfolio,
} from '../../../engine/core/portfolio.ts'

const BTC = instrumentOf('BTC/USDT')
const LOTS = instrumentOf('BTC/USDT', { lotSize: 0.1, minNotional: 10 })

const fill = (fields: Partial<Fill> & Pick<Fill, 'side' | 'price' | 'quantity'>): Fill => ({
  kind: 'fill', orderId: 'x', symbol: 'BTC/USDT', time: 0, notional: fields.price * fields.quantity, feeBase: 0,
  feeQuote: 0, slippage: 0, liquidity: 'taker', reason: fields.side === 'buy' ? null : 'signal', ambiguous: false,
  stop: null, target: null, ...fields,
})

const opened = (instrument = BTC, cash = 1000): { portfolio: Portfolio; holding: Holding } => {
  const portfolio = createPortfolio(cash, [instrument])
  return { portfolio, holding: portfolio.holdings[0] }
}

describe('a round trip', () => {
  it('with fees in quote', () => {
    const { portfolio, holding } = opened()
    // 5 × 100 = 500, fee 0.5: cash 499.5, cost 500.5.
    const entry = { price: 100, quantity: 5, feeQuote: 0.5, slippage: 1, time: 7, stop: 95, target: 103 }
    expect(applyFill(portfolio, holding, fill({ side: 'buy', ...entry }), 3)).toBe(false)
    expect(portfolio).toMatchObject({ cash: 499.5, openPositions: 1, fees: 0.5, slippage: 1, traded: 500 })
    expect(holding).toMatchObject({
      quantity: 5, cost: 500.5, open: true, entryTime: 7, entryPrice: 100, entryIndex: 3, highestHigh: 100, stop: 95,
      target: 103,
    })
    expect(equity(portfolio)).toBe(999.5)
    holding.mark = 110
    expect(equity(portfolio)).toBe(1049.5)
    // 5 × 110 = 550, fee 0.55: cash 1048.95, won 550 − 0.55 − 500.5 = 48.95.
    const sale = { price: 110, quantity: 5, feeQuote: 0.55, slippage: 2, time: 9, ambiguous: true }
    expect(applyFill(portfolio, holding, fill({ side: 'sell', reason: 'target', ...sale }), 8)).toBe(true)
    expect(portfolio.cash).toBeCloseTo(1048.95, 10)
    expect(portfolio).toMatchObject({ openPositions: 0, traded: 1050, slippage: 3, ambiguousCandles: 1 })
    expect(holding).toMatchObject({ quantity: 0, cost: 0, open: false, exitIndex: 8 })
    const { trades } = portfolio
    expect(trades.length).toBe(1)
    expect([trades.entryTime[0], trades.exitTime[0], trades.held[0]]).toEqual([7, 9, 5])
    expect([trades.entryPrice[0], trades.exitPrice[0], trades.quantity[0]]).toEqual([100, 110, 5])
    expect(EXIT_REASONS[trades.reason[0]]).toBe('target')
    expect([trades.stop[0], trades.target[0], trades.slippage[0], trades.cost[0]]).toEqual([95, 103, 3, 500.5])
    expect(trades.pnl[0]).toBeCloseTo(48.95, 10)
    expect(trades.fees[0]).toBeCloseTo(1.05, 10)
  })

  it('with the buy\'s fee in base: less is received, the cost is what was paid', () => {
    const { portfolio, holding } = opened()
    applyFill(portfolio, holding, fill({ side: 'buy', price: 100, quantity: 5, feeBase: 0.005 }), 0)
    // 5 − 0.005 held for 500; the fee is worth 0.005 × 100 = 0.5.
    expect(holding.quantity).toBeCloseTo(4.995, 12)
    expect(portfolio).toMatchObject({ cash: 500, fees: 0.5 })
    applyFill(portfolio, holding, fill({ side: 'sell', price: 110, quantity: holding.quantity, feeQuote: 0.54945 }), 1)
    // 4.995 × 110 = 549.45 − 0.54945 − 500
    expect(portfolio.trades.pnl[0]).toBeCloseTo(48.90055, 9)
    expect(portfolio.cash).toBeCloseTo(1048.90055, 9)
    expect(portfolio.trades.fees[0]).toBeCloseTo(1.04945, 9)
  })

  it('without a stop or target remembers none', () => {
    const { portfolio, holding } = opened()
    applyFill(portfolio, holding, fill({ side: 'buy', price: 100, quantity: 5 }), 0)
    expect([holding.stop, holding.target]).toEqual([NaN, NaN])
  })
})

describe('a rest below the lot', () => {
  it('is dust: no position, valued in equity, and keeps its own share of the cost', () => {
    const { portfolio, holding } = opened(LOTS)
    // 2.05 for 205, of which 2 can be sold: they cost 205 × 2 ÷ 2.05 = 200; 0.05 are left at 5.
    applyFill(portfolio, holding, fill({ side: 'buy', price: 100, quantity: 2.05 }), 0)
    expect(applyFill(portfolio, holding, fill({ side: 'sell', price: 120, quantity: 2 }), 1)).toBe(true)
    expect(portfolio.openPositions).toBe(0)
    expect(holding.open).toBe(false)
    expect(holding.quantity).toBeCloseTo(0.05, 12)
    expect(holding.cost).toBeCloseTo(5, 10)
    expect(portfolio.trades.cost[0]).toBeCloseTo(200, 10)
    expect(portfolio.trades.pnl[0]).toBeCloseTo(40, 10)
    // 1000 − 205 + 240 = 1035, and 0.05 × 120 = 6.
    expect(equity(portfolio)).toBeCloseTo(1041, 10)
    holding.mark = 200
    expect(equity(portfolio)).toBeCloseTo(1045, 10)
  })

  it('is added to the next position at what both cost on average', () => {
    const { portfolio, holding } = opened(LOTS)
    applyFill(portfolio, holding, fill({ side: 'buy', price: 100, quantity: 2.05 }), 0)
    applyFill(portfolio, holding, fill({ side: 'sell', price: 120, quantity: 2 }), 1)
    applyFill(portfolio, holding, fill({ side: 'buy', price: 120, quantity: 0.95 }), 2)
    // 0.05 for 5 and 0.95 for 114: 1.0 for 119.
    expect(holding.quantity).toBeCloseTo(1, 12)
    expect(holding.cost).toBeCloseTo(119, 10)
    expect(holding.entryPrice).toBe(120)
    applyFill(portfolio, holding, fill({ side: 'sell', price: 130, quantity: 1 }), 3)
    expect(portfolio.trades.quantity[1]).toBe(1)
    expect(portfolio.trades.pnl[1]).toBeCloseTo(11, 10)
    expect(equity(portfolio)).toBeCloseTo(1000 + 40 + 11, 10)
  })

  it('may also be worth too little: then a full lot is dust', () => {
    const { portfolio, holding } = opened(LOTS)
    applyFill(portfolio, holding, fill({ side: 'buy', price: 100, quantity: 0.2 }), 0)
    // 0.1 × 80 = 8 < 10
    expect(applyFill(portfolio, holding, fill({ side: 'sell', price: 80, quantity: 0.1 }), 1)).toBe(true)
    expect(holding.open).toBe(false)
  })
})

describe('a partial sale', () => {
  it('leaves the position open; the trade is the sum of its parts', () => {
    const { portfolio, holding } = opened()
    applyFill(portfolio, holding, fill({ side: 'buy', price: 100, quantity: 4, feeQuote: 0.4 }), 0)
    const first = fill({ side: 'sell', price: 110, quantity: 1, feeQuote: 0.11 })
    expect(applyFill(portfolio, holding, first, 1)).toBe(false)
    expect(holding.open).toBe(true)
    expect(portfolio.openPositions).toBe(1)
    expect(holding.cost).toBeCloseTo(300.3, 10)
    expect(applyFill(portfolio, holding, fill({ side: 'sell', price: 90, quantity: 3, feeQuote: 0.27 }), 2)).toBe(true)
    const { trades } = portfolio
    expect(trades.length).toBe(1)
    // (110 + 3 × 90) ÷ 4 = 95; 380 − 400.4 − 0.38
    expect(trades.exitPrice[0]).toBeCloseTo(95, 12)
    expect(trades.quantity[0]).toBe(4)
    expect(trades.cost[0]).toBeCloseTo(400.4, 10)
    expect(trades.pnl[0]).toBeCloseTo(-20.78, 10)
    expect(trades.fees[0]).toBeCloseTo(0.78, 10)
    expect(equity(portfolio)).toBeCloseTo(1000 - 20.78, 10)
  })
})

describe('a portfolio', () => {
  const step = fc.record({
    symbol: fc.nat(1),
    price: fc.double({ min: 1, max: 1000, noNaN: true }),
    share: fc.double({ min: 0.05, max: 1, noNaN: true }),
    feeInBase: fc.boolean(),
  })

  it('conserves cash and quantity over any fills; what is won or lost is in a trade or still held', () => {
    fc.assert(fc.property(fc.array(step, { maxLength: 60 }), fc.boolean(), (steps, withLots) => {
      const instruments = ['A/USDT', 'B/USDT'].map((symbol) => instrumentOf(symbol, { lotSize: withLots ? 0.001 : 0 }))
      const portfolio = createPortfolio(1e6, instruments)
      // The bookkeeper: sums only.
      let cash = 1e6
      let fees = 0
      const held = [0, 0]
      for (const [index, { symbol, price, share, feeInBase }] of steps.entries()) {
        const holding = portfolio.holdings[symbol]
        if (!holding.open) {
          const quantity = floorTo8(share * 100)
          const feeBase = feeInBase ? floorTo8(quantity * 0.001) : 0
          const feeQuote = feeInBase ? 0 : quantity * price * 0.001
          applyFill(portfolio, holding, fill({ side: 'buy', price, quantity, feeBase, feeQuote }), index)
          cash -= quantity * price + feeQuote
          held[symbol] += quantity - feeBase
          fees += feeQuote + feeBase * price
        } else {
          const part = share > 0.9 ? holding.quantity : holding.quantity * share
          const quantity = withLots ? Math.floor(part * 1000) / 1000 : part
          if (quantity === 0) continue
          const feeQuote = quantity * price * 0.001
          const closed = applyFill(portfolio, holding, fill({ side: 'sell', price, quantity, feeQuote }), index)
          cash += quantity * price - feeQuote
          held[symbol] -= quantity
          fees += feeQuote
          expect(closed).toBe(withLots ? held[symbol] < 0.001 - 1e-12 : share > 0.9 || held[symbol] === 0)
        }
        holding.mark = price
      }
      const { trades, holdings } = portfolio
      expect(portfolio.cash).toBeCloseTo(cash, 5)
      expect(portfolio.fees).toBeCloseTo(fees, 5)
      holdings.forEach(({ quantity }, symbol) => expect(quantity).toBeCloseTo(held[symbol], 9))
      const worth = holdings.reduce((sum, { mark }, symbol) => sum + held[symbol] * mark, 0)
      expect(equity(portfolio)).toBeCloseTo(cash + worth, 5)
      expect(portfolio.openPositions).toBe(holdings.filter(({ open }) => open).length)
      if (portfolio.openPositions === 0) {
        const won = trades.pnl.slice(0, trades.length).reduce((sum, pnl) => sum + pnl, 0)
        const dust = holdings.reduce((sum, { cost }) => sum + cost, 0)
        expect(1e6 + won - dust).toBeCloseTo(cash, 4)
      }
    }))
  })

  it('keeps as many trades as come', () => {
    const { portfolio, holding } = opened()
    for (let trade = 0; trade < 1000; trade++) {
      applyFill(portfolio, holding, fill({ side: 'buy', price: 1, quantity: 1, time: trade }), trade)
      const sale = { price: 1, quantity: 1, time: trade, reason: EXIT_REASONS[trade % 8] }
      applyFill(portfolio, holding, fill({ side: 'sell', ...sale }), trade)
    }
    const { trades } = portfolio
    expect(trades.length).toBe(1000)
    for (let trade = 0; trade < 1000; trade++) {
      expect([trades.entryTime[trade], EXIT_REASONS[trades.reason[trade]]]).toEqual([trade, EXIT_REASONS[trade % 8]])
    }
  })

  it('goes its own way once copied', () => {
    const { portfolio, holding } = opened()
    applyFill(portfolio, holding, fill({ side: 'buy', price: 100, quantity: 5 }), 0)
    const copy = copyPortfolio(portfolio)
    applyFill(copy, copy.holdings[0], fill({ side: 'sell', price: 110, quantity: 5 }), 1)
    expect([portfolio.cash, portfolio.openPositions, portfolio.trades.length, holding.quantity]).toEqual([500, 1, 0, 5])
    expect([copy.cash, copy.openPositions, copy.trades.length, copy.holdings[0].quantity]).toEqual([1050, 0, 1, 0])
    applyFill(portfolio, holding, fill({ side: 'sell', price: 90, quantity: 5 }), 1)
    expect([copy.trades.exitPrice[0], portfolio.trades.exitPrice[0]]).toEqual([110, 90])
  })
})
