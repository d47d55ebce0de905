import fc from 'fast-check'
import { FILL_MODELS, type FillModelName } from '../../engine/core/matching.ts'

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

export const scenarioOf = ({ policy, broker, instrument }: Pick<RandomRun, 'policy' | 'broker' | 'instrument'>): object => ({
  name: 'random-run', symbol: 'BTC/USDT', timeframe: '1h', strategy: { name: 'random' }, broker, instrument, policy,
})
