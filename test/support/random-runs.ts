import fc from 'fast-check'
import { candleColumns, setRow, type CandleColumns } from '../../engine/core/candle.ts'
import { FILL_MODELS, type FillModelName } from '../../engine/core/matching.ts'
import { seededRandom } from '../../engine/core/random.ts'

/** An hourly walk of about 1 % a candle around 10,000, in cents, that leaps now and then. */
export function leapingWalk(rows: number, seed: number, from = Date.UTC(2024, 0, 1)): CandleColumns {
  const columns = candleColumns(rows)
  const random = seededRandom(seed)
  const cents = (price: number): number => Math.max(100, Math.round(price * 100)) / 100
  const spread = (size: number): number => (random() + random() - 1) * size
  let price = 10_000
  for (let row = 0; row < rows; row++) {
    const open = cents(price * (1 + (random() < 0.1 ? spread(0.06) : 0)))
    const close = cents(open * (1 + spread(0.02) + ((10_000 - open) / 10_000) * 0.01))
    const high = Math.max(open, close, cents(Math.max(open, close) * (1 + random() * 0.01)))
    const low = Math.min(open, close, cents(Math.min(open, close) * (1 - random() * 0.01)))
    const volume = Math.floor(random() * 1000)
    setRow(columns, row, { openTime: from + row * 3_600_000, open, high, low, close, volume })
    price = close
  }
  return columns
}

/** Counts cases of a property, and how many closed a trade: a property over runs without trades proves nothing. */
export class TradedCases {
  #cases = 0
  #traded = 0

  count(trades: number): void {
    this.#cases++
    if (trades > 0) this.#traded++
  }

  get share(): number {
    return this.#traded / this.#cases
  }
}

const fraction = (min: number, max: number): fc.Arbitrary<number> =>
  fc.integer({ min: Math.round(min * 1e4), max: Math.round(max * 1e4) }).map((count) => count / 1e4)
const maybe = <T>(arbitrary: fc.Arbitrary<T>, freq = 2): fc.Arbitrary<T | null> => fc.option(arbitrary, { freq })

/** A policy block that trades often enough on a walk of about 1 % an hour; every rule comes up, none too tight. */
export const policies = fc.record({
  minConfidence: fraction(0, 0.6),
  minExitConfidence: fraction(0, 1),
  stopLoss: maybe(fraction(0.005, 0.05), 4),
  takeProfit: maybe(fraction(0.005, 0.05), 4),
  positionSize: fraction(0.1, 1),
  maxHold: maybe(fc.integer({ min: 1, max: 30 })),
  trailingStop: maybe(fraction(0.005, 0.05)),
  breakEvenAt: maybe(fraction(0.002, 0.03)),
  maxOpenPositions: maybe(fc.integer({ min: 1, max: 2 }), 1),
  maxExposure: maybe(fraction(0.9, 1), 1),
  maxDailyLoss: maybe(fraction(0.02, 0.2), 1),
  maxDrawdown: maybe(fraction(0.1, 0.5), 1),
  cooldown: maybe(fc.integer({ min: 1, max: 6 }), 1),
  maxConsecutiveLosses: maybe(fc.integer({ min: 1, max: 4 }), 1),
})

/** Options of the paper broker: every fill model, both fee assets, with and without costs and delays. */
export const brokers = fc.record({
  name: fc.constant('paper'),
  cash: fc.constant(10_000),
  fees: fc.record({
    maker: fc.constantFrom(0, 0.0005, 0.001), taker: fc.constantFrom(0, 0.001, 0.002),
    asset: fc.constantFrom('received', 'quote'),
  }),
  slippageBps: fc.constantFrom(0, 5, 20),
  fillModel: fc.constantFrom(...(Object.keys(FILL_MODELS) as FillModelName[])),
  latencyCandles: fc.constantFrom(0, 0, 0, 1, 2),
})

/** No rounding at all, or rounding as at an exchange, coarse enough to leave dust. */
export const instruments = fc.constantFrom(
  { tickSize: 0, lotSize: 0, minNotional: 0 },
  { tickSize: 0.01, lotSize: 0.00001, minNotional: 5 },
  { tickSize: 0.1, lotSize: 0.01, minNotional: 10 },
)

/** A run on an hourly walk by dice: everything that a scenario can vary. */
export const runs = fc.record({
  policy: policies, broker: brokers, instrument: instruments, tape: fc.integer({ min: 1, max: 1e6 }),
  dice: fc.integer({ min: 1, max: 1e6 }),
})
export type RandomRun = typeof runs extends fc.Arbitrary<infer T> ? T : never

export const scenarioOf = ({ policy, broker, instrument }: RandomRun): object => ({
  name: 'random-run', symbol: 'BTC/USDT', timeframe: '1h', strategy: { name: 'random' }, broker, instrument, policy,
})
