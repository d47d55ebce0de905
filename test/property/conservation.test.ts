import fc from 'fast-check'
import { expect, it } from 'vitest'
import { MemoryMarket } from '../support/memory-market.ts'
import { dice, momentsOf, playOne, type FillLine, type LaneRun } from '../support/play.ts'
import { leapingWalk, runs, scenarioOf, TradedCases } from '../support/random-runs.ts'

interface Books {
  cash: number
  fees: number
  slippage: number
  traded: number
  readonly held: Map<string, number>
}

/** Adds up what the audit's fill lines say, and nothing else. */
function bookkeep(startCash: number, fills: readonly FillLine[]): Books {
  const books: Books = { cash: startCash, fees: 0, slippage: 0, traded: 0, held: new Map() }
  for (const { symbol, side, price, quantity, notional, fee_base, fee_quote, slippage } of fills) {
    const before = books.held.get(symbol) ?? 0
    if (side === 'buy') {
      books.cash -= notional + fee_quote
      books.held.set(symbol, before + quantity - fee_base)
    } else {
      books.cash += notional - fee_quote
      books.held.set(symbol, before - quantity)
      expect(fee_base).toBe(0)
    }
    books.fees += fee_quote + fee_base * price
    books.slippage += slippage
    books.traded += notional
  }
  return books
}

const near = (actual: number, expected: number, what: string, tolerance = 1e-7): void =>
  expect(Math.abs(actual - expected), `${what}: ${actual} against ${expected}`).toBeLessThan(tolerance)

function balanced({ fills, lane, measures }: LaneRun, lastClose: ReadonlyMap<string, number>): void {
  const { portfolio } = lane
  const books = bookkeep(portfolio.startCash, fills)
  near(portfolio.cash, books.cash, 'cash')
  near(measures.fees, books.fees, 'fees')
  near(measures.slippage, books.slippage, 'slippage')
  near(measures.traded, books.traded, 'traded', 1e-6)
  let worth = books.cash
  for (const { instrument, quantity, open } of portfolio.holdings) {
    const held = books.held.get(instrument.symbol) ?? 0
    near(quantity, held, `${instrument.symbol} held`, 1e-10)
    expect(open).toBe(false)
    // Less than a lot, or nothing at all where lots do not matter.
    expect(held).toBeGreaterThanOrEqual(-1e-12)
    expect(held).toBeLessThan(instrument.lotSize + 1e-12)
    worth += held * lastClose.get(instrument.symbol)!
  }
  near(measures.finalEquity, worth, 'final equity', 1e-6)
  expect(measures.dailyEquity.at(-1)).toBe(measures.finalEquity)
  // What the trades won is what the account gained, but for the cost of dust.
  const dust = portfolio.holdings.reduce((sum, { cost }) => sum + cost, 0)
  const won = measures.trades.pnl.slice(0, measures.trades.length).reduce((sum, pnl) => sum + pnl, 0)
  near(portfolio.startCash + won, books.cash + dust, 'profit and loss', 1e-6)
}

/** Lots worth a thousand each: entries are refused, shrink between decision and fill, and leave much dust. */
const coarse = fc.option(fc.constant({ tickSize: 1, lotSize: 0.1, minNotional: 50 }), { freq: 1 })

it('start cash + Σ fills − Σ fees is the end cash, and what was bought was sold or is held', async () => {
  const cases = new TradedCases()
  const seen = new Set<string>()
  await fc.assert(fc.asyncProperty(runs, coarse, async (run, lots) => {
    const tape = leapingWalk(300, run.tape)
    const market = new MemoryMarket(tape, '1h')
    const instrument = lots ?? run.instrument
    const strategy = dice(run.dice)
    const lane = await playOne({ ...scenarioOf(run), instrument }, { market, strategy, audit: 'trades' })
    balanced(lane, new Map([['BTC/USDT', tape.close[299]]]))
    cases.count(lane.trades.length)
    seen.add(`${run.broker.fees.asset} ${instrument.lotSize > 0} ${run.broker.fillModel}`)
  }), { numRuns: 150 })
  expect(cases.share).toBeGreaterThanOrEqual(0.8)
  // Both fee assets, with and without lots, every fill model.
  expect(seen.size).toBe(2 * 2 * 3)
})

it('also where several symbols share the cash', async () => {
  const cases = new TradedCases()
  await fc.assert(fc.asyncProperty(runs, coarse, async (run, lots) => {
    const tapes = Object.fromEntries(['AAA', 'BBB', 'CCC'].map((base, index) =>
      [`${base}/USDT`, leapingWalk(120 - 10 * index, run.tape + index)]))
    const { symbol: _, ...scenario } = scenarioOf(run) as Record<string, unknown>
    const lane = await playOne({ ...scenario, instrument: lots ?? run.instrument, symbols: Object.keys(tapes) }, {
      market: momentsOf(tapes), strategy: dice(run.dice), audit: 'trades',
    })
    balanced(lane, new Map(Object.entries(tapes).map(([symbol, { close }]) => [symbol, close[close.length - 1]])))
    expect(lane.fills.every(({ notional }) => notional > 0)).toBe(true)
    // Nobody spends what is not there.
    let cash = 10_000
    for (const { side, notional, fee_quote } of lane.fills) {
      cash += side === 'buy' ? -notional - fee_quote : notional - fee_quote
      expect(cash).toBeGreaterThan(-1e-7)
    }
    cases.count(lane.trades.length)
  }), { numRuns: 60 })
  expect(cases.share).toBeGreaterThanOrEqual(0.8)
})
