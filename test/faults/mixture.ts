import { hashUniform } from '../../engine/core/random.ts'
import { timeframeMs } from '../../engine/core/timeframe.ts'
import { FAULTS, type FaultKind, type FaultRule } from '../../plugins/exchange/exchange.ts'
import { BEGIN, calmFrom, TIMEFRAME, type FaultSetup } from './fault-session.ts'

const CANDLES = 40

/** How often a fault may strike: those that take long to be over are rarer. */
const RATES: Readonly<Partial<Record<FaultKind, number>>> = { 'ban': 0.01, 'hang': 0.02, 'rate-limit': 0.03, 'slow': 0.05, 'drift': 0.05 }
const KINDS = Object.keys(FAULTS) as FaultKind[]

const WAYS: readonly Omit<FaultSetup, 'seed' | 'candles' | 'rules'>[] = [
  {},
  { policy: { trailingStop: 0.005, breakEvenAt: 0.004, takeProfit: 0.02 } },
  { flags: { cancelReplaceAllowed: false } },
  { policy: { takeProfit: null, trailingStop: 0.006 } },
  { flags: { orderTypes: ['LIMIT', 'LIMIT_MAKER', 'MARKET', 'STOP_LOSS_LIMIT'] }, policy: { maxHold: 6 } },
  { flags: { cancelReplaceAllowed: false, orderTypes: ['LIMIT', 'LIMIT_MAKER', 'MARKET', 'STOP_LOSS_LIMIT'] }, policy: { trailingStop: 0.005 } },
]

/** Three to six faults at a time, everything by the seed; each fourth session is stopped and gone on with as well. */
export function mixture(seed: number): FaultSetup {
  let draws = 0
  const draw = (): number => hashUniform(seed, ++draws, 7)
  const pick = <T>(from: readonly T[]): T => from[Math.floor(draw() * from.length)]
  const chosen = new Set<FaultKind>()
  while (chosen.size < 3 + Math.floor(draw() * 4)) chosen.add(pick(KINDS))
  const rules = [...chosen].map((fault): FaultRule => {
    if (fault === 'reset') return { fault, at: [10 + Math.floor(draw() * 150)] }
    const rate = 0.01 + draw() * (RATES[fault] ?? 0.15)
    return draw() < 0.4 ? { fault, rate: Math.min(1, rate * 3), on: 'POST /order' } : { fault, rate }
  })
  // A run that has not seen a candle yet begins anew where it is started again.
  const [first, span] = [BEGIN + 2 * timeframeMs(TIMEFRAME), calmFrom(CANDLES) - BEGIN - 2 * timeframeMs(TIMEFRAME)]
  const stops = seed % 4 === 0 ? [draw(), draw()].sort((a, b) => a - b).map((share) => first + Math.round(share * span / 60_000) * 60_000) : []
  return { seed, candles: CANDLES, rules: rules.filter(({ fault, on }) => on === undefined || !/candle/.test(fault)), stops, ...WAYS[seed % WAYS.length] }
}
