import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { CandleColumns } from '../../engine/core/candle.ts'
import type { Opinion } from '../../engine/core/opinion.ts'
import type { Snapshot } from '../../engine/core/snapshot.ts'
import { MemoryMarket } from '../support/memory-market.ts'
import { dice, playOne } from '../support/play.ts'
import { leapingWalk, runs, scenarioOf, TradedCases, type RandomRun } from '../support/random-runs.ts'

const HOUR = 3_600_000

interface Trade {
  readonly entryTime: number
  readonly entryPrice: number
  readonly exitTime: number
  readonly exitPrice: number
  readonly quantity: number
  readonly reason: string
  readonly pnl: number
}

/** Limits on loss are kept out of this comparison; tests of their own cover them. */
type Rules = Pick<RandomRun, 'policy' | 'broker' | 'instrument'>

/**
 * The specification once more, written as plainly as possible: one symbol, candle after candle, numbers in variables.
 * It shares no code with the engine.
 */
function simulate(tape: CandleColumns, said: readonly Opinion[], { policy, broker, instrument }: Rules): {
  trades: Trade[]
  daily: number[]
} {
  const { maker, taker, asset } = broker.fees
  const slip = broker.slippageBps / 10_000
  const { tickSize, lotSize } = instrument
  const toTick = (price: number): number =>
    tickSize === 0 ? price : Number((Math.round(price / tickSize) * tickSize).toFixed(6))
  const toLot = (quantity: number): number =>
    lotSize === 0 ? quantity : Number((Math.floor(quantity / lotSize + 1e-9) * lotSize).toFixed(8))
  // A hair more than zero forgives what doubles do to decimals.
  const cut = (amount: number): number => (lotSize === 0 ? amount : Math.floor(amount * 1e8 + 1e-3) / 1e8)

  let cash = broker.cash
  let quantity = 0
  let cost = 0
  let held = false
  let entry = { time: 0, price: 0, index: 0 }
  let stop = 0
  let target = Infinity
  let raised = false
  let highest = 0
  let lastExit = -Infinity
  let pending: { side: 'buy' | 'sell'; from: number; spend: number; reason: string } | null = null
  const trades: Trade[] = []
  const daily: number[] = []

  const sell = (index: number, at: number, resting: boolean, reason: string): void => {
    const price = resting ? at : at * (1 - slip)
    const lots = toLot(quantity)
    const proceeds = cut(lots * price)
    const fee = cut(proceeds * (resting ? maker : taker))
    const share = lots >= quantity ? cost : cost * (lots / quantity)
    trades.push({
      entryTime: entry.time, entryPrice: entry.price, exitTime: tape.openTime[index], exitPrice: price, quantity: lots,
      reason, pnl: proceeds - fee - share,
    })
    cash += proceeds - fee
    quantity = Math.max(0, quantity - lots)
    cost -= share
    held = false
    lastExit = index
  }

  for (let index = 0; index < said.length; index++) {
    const [open, high, low, close] = [tape.open[index], tape.high[index], tape.low[index], tape.close[index]]
    const openTime = tape.openTime[index]
    let entered = false

    // 1. What was ordered meets the open.
    if (pending !== null && openTime >= pending.from) {
      const { side, spend, reason } = pending
      pending = null
      if (side === 'sell') sell(index, open, false, reason)
      else {
        const price = open * (1 + slip)
        const lots = toLot(cut(spend) / (asset === 'quote' ? price * (1 + taker) : price))
        const paid = Math.min(cut(lots * price), cut(spend))
        const fee = cut((asset === 'quote' ? paid : lots) * taker)
        cash -= paid + (asset === 'quote' ? fee : 0)
        quantity += lots - (asset === 'quote' ? 0 : fee)
        cost += paid + (asset === 'quote' ? fee : 0)
        held = entered = true
        entry = { time: openTime, price, index }
        stop = policy.stopLoss === null ? 0 : toTick(price * (1 - policy.stopLoss))
        target = policy.takeProfit === null ? Infinity : toTick(price * (1 + policy.takeProfit))
        raised = false
        highest = price
      }
    }

    // 2. The pair: gaps on later candles, then the stop, then the target.
    if (held) {
      const careful = broker.fillModel === 'conservative'
      const stopReason = raised ? 'trailing' : 'stop'
      const reached = careful ? high > target : high >= target
      if (!entered && open <= stop) sell(index, open, false, raised ? 'trailing' : 'stop_gap')
      else if (!entered && careful && open > target) sell(index, target, true, 'target')
      else if (!entered && !careful && open >= target) sell(index, open, true, 'target_gap')
      else if (low <= stop && !(broker.fillModel === 'optimistic' && reached)) {
        // A stop nearer than the entry's slippage lies above the open of the entry candle: it sells there.
        sell(index, Math.min(stop, open), false, stopReason)
      } else if (reached) sell(index, target, true, 'target')
      // An exit that was still under way has nothing left to sell.
      if (!held) pending = null
    }
    if (held) highest = Math.max(highest, high)
    daily[Math.floor((openTime - tape.openTime[0]) / (24 * HOUR))] = cash + quantity * close

    // 3. The decision at the close.
    const { action, confidence } = said[index]
    const from = openTime + HOUR * (1 + broker.latencyCandles)
    const rested = policy.cooldown === null || index - lastExit >= policy.cooldown
    if (action === 'BUY' && !held && pending === null && rested && confidence >= policy.minConfidence) {
      const equity = cash + quantity * close
      pending = { side: 'buy', from, spend: Math.min(policy.positionSize * equity, cash), reason: '' }
    }
    if (action === 'SELL' && held && pending === null && confidence >= policy.minExitConfidence) {
      pending = { side: 'sell', from, spend: 0, reason: 'signal' }
    }

    // 4. What the policy does by itself, for the next candle.
    if (held && pending === null) {
      if (policy.maxHold !== null && index + 1 - entry.index >= policy.maxHold) {
        pending = { side: 'sell', from, spend: 0, reason: 'time' }
      } else {
        const wishes = [stop]
        if (policy.trailingStop !== null) wishes.push(toTick(highest * (1 - policy.trailingStop)))
        if (policy.breakEvenAt !== null && highest >= entry.price * (1 + policy.breakEvenAt)) {
          const paid = asset === 'quote' ? 1 + taker : 1 / (1 - taker)
          wishes.push(toTick((entry.price * paid) / ((1 - taker) * (1 - slip))))
        }
        const wanted = Math.max(...wishes)
        raised ||= wanted > stop
        stop = wanted
      }
    }
  }
  const last = said.length - 1
  if (held) sell(last, tape.close[last], false, 'end')
  daily[daily.length - 1] = cash + quantity * tape.close[last]
  return { trades, daily }
}

const near = (actual: number, expected: number, what: string): void => {
  const error = Math.abs(actual - expected) / Math.max(1, Math.abs(expected))
  expect(error, `${what}: ${actual} against ${expected}`).toBeLessThan(1e-8)
}

it('the engine trades as a plain reading of the specification does', async () => {
  const cases = new TradedCases()
  const reasons = new Set<string>()
  await fc.assert(fc.asyncProperty(runs, fc.boolean(), async (run, loud) => {
    const policy = {
      ...run.policy, maxOpenPositions: null, maxExposure: null, maxDailyLoss: null, maxDrawdown: null,
      maxConsecutiveLosses: null,
    }
    const tape = leapingWalk(300, run.tape)
    const strategy = dice(run.dice)
    const said = Array.from(tape.openTime, (time) =>
      strategy.strategy.technical({ time: time + HOUR } as Snapshot, {}))
    const expected = simulate(tape, said, { ...run, policy })
    const { measures, daily, trades } = await playOne(scenarioOf({ ...run, policy }), {
      market: new MemoryMarket(tape, '1h'), strategy, audit: loud ? 'full' : 'off',
    })
    const actual = trades.map((row) => row.trimEnd().split(','))
    // Times and reasons first: they say where a difference begins.
    expect(actual.map(([, entryTime, , exitTime, , , reason]) => [Number(entryTime), Number(exitTime), reason]))
      .toEqual(expected.trades.map(({ entryTime, exitTime, reason }) => [entryTime, exitTime, reason]))
    for (const [row, trade] of expected.trades.entries()) {
      near(measures.trades.entryPrice[row], trade.entryPrice, `entry price of trade ${row}`)
      near(measures.trades.exitPrice[row], trade.exitPrice, `exit price of trade ${row}`)
      near(measures.trades.quantity[row], trade.quantity, `quantity of trade ${row}`)
      // 8 decimals, rounded in another way, may differ by a unit here and there.
      expect(Math.abs(measures.trades.pnl[row] - trade.pnl), `pnl of trade ${row}`).toBeLessThan(1e-5)
      reasons.add(trade.reason)
    }
    expect(daily.length).toBe(expected.daily.length)
    daily.forEach((value, day) => near(value, expected.daily[day], `equity of day ${day}`))
    cases.count(expected.trades.length)
  }), { numRuns: 200 })
  expect(cases.share).toBeGreaterThanOrEqual(0.8)
  expect([...reasons].sort())
    .toEqual(['end', 'signal', 'stop', 'stop_gap', 'target', 'target_gap', 'time', 'trailing'])
})
