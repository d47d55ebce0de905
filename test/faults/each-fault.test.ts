import { describe, expect, it } from 'vitest'
import { timeframeMs } from '../../engine/core/timeframe.ts'
import { FAULTS, type FaultKind, type FaultRule } from '../../plugins/exchange/exchange.ts'
import { BEGIN, faultSession, TIMEFRAME, type FaultRun, type FaultSetup } from './fault-session.ts'
import { expectSound } from './invariants.ts'
import { slice } from '../support/slice.ts'

const at = (candle: number): number => BEGIN + candle * timeframeMs(TIMEFRAME)

/** Each fault, hard enough to be felt, and what it must leave in the trail: alarms, or reasons of decisions and trades. */
const EACH: Readonly<Record<FaultKind, { readonly rules: readonly Omit<FaultRule, 'fault'>[]; readonly leaves: readonly string[] }>> = {
  'lost-answer': { rules: [{ rate: 0.3, on: 'POST /order' }, { rate: 0.05 }], leaves: ['outcome-unknown', 'protection-answer-lost'] },
  'lost-request': { rules: [{ rate: 0.3, on: 'POST /order' }, { rate: 0.05 }], leaves: ['outcome-unknown', 'protection-refused'] },
  'duplicate': { rules: [{ rate: 0.4 }], leaves: ['bought-twice'] },
  'partial-fill': { rules: [{ rate: 0.5, value: 0.4 }], leaves: [] },
  'expired': { rules: [{ rate: 0.4 }], leaves: ['expired'] },
  'partial-leg': { rules: [{ rate: 1, value: 0.4 }], leaves: ['pair-partial'] },
  'rate-limit': { rules: [{ rate: 0.05, value: 3 }], leaves: ['venue-unreachable'] },
  'ban': { rules: [{ rate: 0.3, on: 'POST /orderList' }], leaves: ['protection-refused', 'naked', 'venue-unreachable'] },
  'drift': { rules: [{ from: at(5), to: at(20), value: 7000 }, { from: at(20), value: -7000 }], leaves: ['clock-drift'] },
  'server-error': { rules: [{ rate: 0.15 }], leaves: ['venue-unreachable', 'market-unreachable'] },
  'server-error-executed': { rules: [{ rate: 0.3, on: 'POST /order' }], leaves: ['outcome-unknown', 'protection-answer-lost'] },
  'overloaded': { rules: [{ rate: 0.3, on: 'POST /order' }], leaves: ['not-executed', 'protection-refused'] },
  'hang': { rules: [{ rate: 0.2, on: 'POST /order' }], leaves: ['outcome-unknown'] },
  'slow': { rules: [{ rate: 0.1, value: 6000 }], leaves: ['clock-drift'] },
  'garbage': { rules: [{ rate: 0.15 }], leaves: ['venue-unreachable', 'market-unreachable'] },
  'reset': { rules: [{ at: [60], on: 'GET /openOrders' }], leaves: ['orders-unknown', 'reset', 'halted'] },
  'stale-candles': { rules: [{ from: at(10), to: at(14), value: 6 }], leaves: ['stale-market', 'market-recovered', 'missed'] },
  'missing-candle': { rules: [{ from: at(10), to: at(13) }], leaves: ['gap'] },
  'revised-candle': { rules: [{ rate: 0.2, value: 4 }], leaves: ['candle-revised'] },
}

/** Other ways in which an exit or a stop is sent. */
const WAYS: readonly Omit<FaultSetup, 'seed' | 'candles' | 'rules'>[] = [
  {},
  { flags: { cancelReplaceAllowed: false, orderTypes: ['LIMIT', 'LIMIT_MAKER', 'MARKET', 'STOP_LOSS_LIMIT'] } },
  { policy: { trailingStop: 0.005, breakEvenAt: 0.004, takeProfit: 0.02 } },
]

describe('a session with one fault', () => {
  it.each(slice(Object.keys(FAULTS) as FaultKind[], 8))('is sound: %s', async (fault) => {
    const { rules, leaves } = EACH[fault]
    const ways = slice(WAYS, 1)
    for (const [index, way] of ways.entries()) {
      const run = await faultSession({ seed: 11 + index, candles: 50, rules: rules.map((rule) => ({ fault, ...rule })), ...way })
      await expectSound(run)
      if (index === 0) expect([...saidIn(run)]).toEqual(expect.arrayContaining([...leaves]))
    }
  })
})

/** Names of alarms and reasons that a trail holds. */
const saidIn = ({ lines }: FaultRun): ReadonlySet<unknown> => new Set(lines.flatMap(({ event, reason }) => [event, reason]))
