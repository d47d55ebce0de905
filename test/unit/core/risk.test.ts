import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { instrumentOf } from '../../../engine/core/instrument.ts'
import type { EntryOrder, ExitOrder, Order } from '../../../engine/core/order.ts'
import { DEFAULT_POLICY, type Policy } from '../../../engine/core/policy.ts'
import {
  approve, firstRefusal, RISK_RULES, RiskWatch, watchesLoss, type RiskContext,
} from '../../../engine/core/risk.ts'

/** As the specification lists them. */
const NAMES = [
  'halted', 'stale-market', 'late', 'no-position', 'already-in-position', 'max-open-positions', 'max-exposure',
  'position-too-large', 'stop-loss-missing', 'stop-loss-side', 'take-profit-side', 'insufficient-cash', 'below-lot',
  'below-min-notional', 'exit-below-min-notional', 'max-daily-loss', 'max-drawdown', 'consecutive-losses', 'cooldown',
] as const
const MAY_REFUSE_EXITS = ['halted', 'stale-market', 'no-position', 'below-lot', 'below-min-notional']

const ENTRY: EntryOrder = {
  id: 'entry', symbol: 'BTC/USDT', side: 'buy', spend: 500, protection: { stopLoss: 0.05, takeProfit: 0.03 },
  decidedAt: 0, latencyMs: 0,
}
const EXIT: ExitOrder = {
  id: 'exit', symbol: 'BTC/USDT', side: 'sell', quantity: 5, reason: 'signal', decidedAt: 0, latencyMs: 0,
}

const LIMITS: Policy = {
  ...DEFAULT_POLICY, maxOpenPositions: 2, maxExposure: 0.5, maxPositionSize: 0.1, maxDailyLoss: 0.1, maxDrawdown: 0.2,
  cooldown: 3, maxConsecutiveLosses: 3,
}

/** Everything is well: a lane with 10,000 in equity, every limit set, none reached. */
const WELL: RiskContext = {
  state: 'ACTIVE', policy: LIMITS,
  instrument: instrumentOf('BTC/USDT', { tickSize: 0.01, lotSize: 0.001, minNotional: 10 }),
  costs: { maker: 0.001, taker: 0.001, feeAsset: 'received', slippageBps: 5 }, price: 100,
  marketAgeMs: 0, maxMarketAgeMs: 1000, latencyMs: 10, deadlineMs: 2000, inPosition: false, openPositions: 1,
  exposure: 1000, equity: 10_000, wantedSpend: 500, equityAtDayStart: 10_000, peakEquity: 10_000, consecutiveLosses: 0,
  candlesSinceExit: 5,
}

interface Change {
  readonly entry?: Partial<EntryOrder>
  readonly exit?: Partial<ExitOrder>
  readonly context?: Partial<RiskContext>
  readonly policy?: Partial<Policy>
}

const applied = (changes: readonly Change[]): { entry: EntryOrder; exit: ExitOrder; context: RiskContext } => ({
  entry: Object.assign({}, ENTRY, ...changes.map(({ entry }) => entry)) as EntryOrder,
  exit: Object.assign({}, EXIT, ...changes.map(({ exit }) => exit)) as ExitOrder,
  context: Object.assign({}, WELL, ...changes.map(({ context }) => context), {
    policy: Object.assign({}, LIMITS, ...changes.map(({ policy }) => policy)) as Policy,
  }) as RiskContext,
})

/** The rules that refuse, all of them, in order; and the reason given. */
function asked(order: Order, context: RiskContext): { reason: string | null; failed: string[]; skipped: string[] } {
  const checks = new Uint8Array(RISK_RULES.length).fill(9)
  const reason = firstRefusal(order, context, checks)
  expect([...checks].every((check) => check <= 2)).toBe(true)
  // Without a record the answer is the same.
  expect(firstRefusal(order, context, null)).toBe(reason)
  const named = (value: number): string[] => NAMES.filter((_, index) => checks[index] === value)
  return { reason, failed: named(0), skipped: named(2) }
}
const entered = (...changes: Change[]): ReturnType<typeof asked> => {
  const { entry, context } = applied(changes)
  return asked(entry, context)
}
const left = (...changes: Change[]): ReturnType<typeof asked> => {
  const { exit, context } = applied([{ context: { inPosition: true } }, ...changes])
  return asked(exit, context)
}

describe('the risk rules', () => {
  it('are asked in the order of the specification', () => {
    expect(RISK_RULES.map(({ name }) => name)).toEqual(NAMES)
    expect(RISK_RULES.filter(({ exits }) => exits).map(({ name }) => name)).toEqual(MAY_REFUSE_EXITS)
  })

  it('let a sound order pass, entry or exit', () => {
    expect(entered()).toEqual({ reason: null, failed: [], skipped: [] })
    const others = NAMES.filter((name) => !MAY_REFUSE_EXITS.includes(name))
    expect(left()).toEqual({ reason: null, failed: [], skipped: others })
  })

  /** What breaks exactly one rule, and what is just about allowed. */
  const RULES: readonly (readonly [name: string, broken: Change, allowed: Change])[] = [
    ['halted', { context: { state: 'HALTED' } }, { context: { state: 'ACTIVE' } }],
    ['stale-market', { context: { marketAgeMs: 1001 } }, { context: { marketAgeMs: 1000 } }],
    ['late', { context: { latencyMs: 2001 } }, { context: { latencyMs: 2000 } }],
    ['already-in-position', { context: { inPosition: true } }, { context: { inPosition: false } }],
    ['max-open-positions', { context: { openPositions: 2 } }, { context: { openPositions: 1 } }],
    // 4,500.01 + 500 against half of 10,000.
    ['max-exposure', { context: { exposure: 4500.01 } }, { context: { exposure: 4500 } }],
    // A tenth of 10,000.
    ['position-too-large', { entry: { spend: 1000.01 } }, { entry: { spend: 1000 } }],
    [
      'stop-loss-missing', { entry: { protection: { stopLoss: null, takeProfit: 0.03 } } },
      { entry: { protection: { stopLoss: null, takeProfit: 0.03 } }, policy: { stopLoss: null } },
    ],
    [
      'stop-loss-side', { entry: { protection: { stopLoss: -0.01, takeProfit: 0.03 } } },
      { entry: { protection: { stopLoss: 0.2, takeProfit: 0.03 } } },
    ],
    [
      'take-profit-side', { entry: { protection: { stopLoss: 0.05, takeProfit: 0 } } },
      { entry: { protection: { stopLoss: 0.05, takeProfit: null } } },
    ],
    // 0.103 × 0.999 = 0.102897 → 0.102; × 95 = 9.69 < 10. But 0.107 × 0.999 = 0.106893 → 0.106; × 95 = 10.07.
    ['exit-below-min-notional', { entry: { spend: 10.3 } }, { entry: { spend: 10.7 } }],
    // 11,112 × 0.9 = 10,000.8 ≥ 10,000; 11,111 × 0.9 = 9,999.9.
    ['max-daily-loss', { context: { equityAtDayStart: 11_112 } }, { context: { equityAtDayStart: 11_111 } }],
    // 12,500 × 0.8 = 10,000: reaching the limit is breaking it.
    ['max-drawdown', { context: { peakEquity: 12_500 } }, { context: { peakEquity: 12_499 } }],
    ['consecutive-losses', { context: { consecutiveLosses: 3 } }, { context: { consecutiveLosses: 2 } }],
    ['cooldown', { context: { candlesSinceExit: 2 } }, { context: { candlesSinceExit: 3 } }],
  ]

  it.each(RULES)('%s refuses exactly what it should', (name, broken, allowed) => {
    expect(entered(broken)).toEqual({ reason: name, failed: [name], skipped: [] })
    expect(entered(allowed)).toEqual({ reason: null, failed: [], skipped: [] })
  })

  const forEntries = RULES.filter(([name]) => !MAY_REFUSE_EXITS.includes(name))
  it.each(forEntries)('%s never keeps anyone from leaving', (_name, broken) => {
    expect(left(broken, { context: { inPosition: true } })).toMatchObject({ reason: null, failed: [] })
  })

  it.each([
    ['halted', { context: { state: 'HALTED' } }],
    ['stale-market', { context: { marketAgeMs: 1001 } }],
    ['no-position', { context: { inPosition: false } }],
    // 0.099 × 100 = 9.9 < 10
    ['below-min-notional', { exit: { quantity: 0.0999 } }],
  ] as const)('%s may refuse an exit', (name, broken) => {
    expect(left(broken)).toMatchObject({ reason: name, failed: [name] })
  })

  it('an exit of less than a lot is refused as that, and it is worth too little as well', () => {
    expect(left({ exit: { quantity: 0.00099 } }))
      .toMatchObject({ reason: 'below-lot', failed: ['below-lot', 'below-min-notional'] })
    expect(left({ exit: { quantity: 0.001 }, context: { price: 10_000 } })).toMatchObject({ reason: null })
  })

  it('an entry below the lot or the minimum cannot be left again either', () => {
    // 500 ÷ 1,000,000 = 0.0005 of a lot of 0.001
    expect(entered({ context: { price: 1_000_000 } }))
      .toMatchObject({ reason: 'below-lot', failed: ['below-lot', 'below-min-notional', 'exit-below-min-notional'] })
    // 0.099 × 100 = 9.9
    expect(entered({ entry: { spend: 9.99 }, context: { wantedSpend: 9.99 } }))
      .toMatchObject({ reason: 'below-min-notional', failed: ['below-min-notional', 'exit-below-min-notional'] })
  })

  it('cash is insufficient only when the spend is 0, or less than wanted and below the minimum', () => {
    expect(entered({ entry: { spend: 0 } })).toMatchObject({ reason: 'insufficient-cash' })
    expect(entered({ entry: { spend: 0 }, context: { wantedSpend: 0 } })).toMatchObject({ reason: 'insufficient-cash' })
    expect(entered({ entry: { spend: 9.99 } })).toMatchObject({ reason: 'insufficient-cash' })
    expect(entered({ entry: { spend: 20 } })).toMatchObject({ reason: null })
    // Without a minimum any cash will do.
    const free = { instrument: instrumentOf('BTC/USDT') }
    expect(entered({ entry: { spend: 0.01 }, context: free })).toMatchObject({ reason: null })
    expect(entered({ entry: { spend: 0 }, context: free })).toMatchObject({ reason: 'insufficient-cash' })
  })

  it('what an entry could still be sold for is measured at its lowest leg and after the fee', () => {
    const protectedBy = (
      stopLoss: number | null, takeProfit: number | null, spend: number, feeAsset: 'received' | 'quote',
    ): string | null =>
      entered({
        entry: { spend, protection: { stopLoss, takeProfit } }, policy: { stopLoss },
        context: { costs: { ...WELL.costs, feeAsset } },
      }).reason
    // No fee in base: 0.106 × 95 = 10.07, 0.105 × 95 = 9.975.
    expect(protectedBy(0.05, 0.03, 10.6, 'quote')).toBeNull()
    expect(protectedBy(0.05, 0.03, 10.5, 'quote')).toBe('exit-below-min-notional')
    // Without a stop the target is the lowest leg: 0.1 × 103; without either, the price itself.
    expect(protectedBy(null, 0.03, 10, 'quote')).toBeNull()
    expect(protectedBy(null, null, 10, 'quote')).toBeNull()
    // With the fee in base 0.1 becomes 0.0999 → 0.099: × 103 = 10.197, × 100 = 9.9.
    expect(protectedBy(null, 0.03, 10, 'received')).toBeNull()
    expect(protectedBy(null, null, 10, 'received')).toBe('exit-below-min-notional')
    // One lot minus a fee in base is no lot.
    const lotOnly = { instrument: instrumentOf('BTC/USDT', { lotSize: 1 }) }
    expect(entered({ entry: { spend: 100 }, context: lotOnly }).reason).toBe('exit-below-min-notional')
    expect(entered({ entry: { spend: 200 }, context: lotOnly }).reason).toBeNull()
    const free = { instrument: instrumentOf('BTC/USDT'), wantedSpend: 1e-6 }
    expect(entered({ entry: { spend: 1e-6 }, context: free }).reason).toBeNull()
  })

  it.each([0, 1, 1.5, -0.05])('a stop %d of the price away is on the wrong side', (stopLoss) => {
    expect(entered({ entry: { protection: { stopLoss, takeProfit: 0.03 } } }).failed).toContain('stop-loss-side')
  })

  it('limits are off unless set', () => {
    const off = {
      maxOpenPositions: null, maxExposure: null, maxPositionSize: null, maxDailyLoss: null, maxDrawdown: null,
      cooldown: null, maxConsecutiveLosses: null,
    }
    const context = {
      openPositions: 99, exposure: 9e9, equityAtDayStart: 9e9, peakEquity: 9e9, consecutiveLosses: 99,
      candlesSinceExit: 0,
    }
    expect(entered({ policy: off, context, entry: { spend: 10_000 } }))
      .toEqual({ reason: null, failed: [], skipped: [] })
  })

  it('a limit reached exactly by products of fractions is not broken by binary noise', () => {
    // 0.1 × 3 is 0.30000000000000004.
    const context = { equity: 3, exposure: 0, wantedSpend: 0.3 }
    const spend = 0.1 * 3
    expect(entered({ context, entry: { spend }, policy: { maxPositionSize: 0.1 } }).failed)
      .not.toContain('position-too-large')
  })

  it('REDUCING allows exits only', () => {
    expect(entered({ context: { state: 'REDUCING' } }))
      .toMatchObject({ reason: 'max-daily-loss', failed: ['max-daily-loss'] })
    expect(left({ context: { state: 'REDUCING' } })).toMatchObject({ reason: null, failed: [] })
  })

  it('the first failure is the reason and all are recorded, whichever come together', () => {
    // Changes that touch different values, so that any of them may come together.
    const shared = ['stop-loss-side', 'take-profit-side', 'position-too-large', 'exit-below-min-notional']
    const separate = RULES.filter(([name]) => !shared.includes(name))
    fc.assert(fc.property(fc.shuffledSubarray([...separate]), (chosen) => {
      const { reason, failed } = entered(...chosen.map(([, broken]) => broken))
      const names = chosen.map(([name]) => name)
      expect(failed).toEqual(NAMES.filter((name) => names.includes(name)))
      expect(reason).toBe(failed[0] ?? null)
    }))
  })

  it('only an order that passes comes back approved', () => {
    expect(approve(ENTRY, WELL, null)).toBe(ENTRY)
    expect(approve(ENTRY, { ...WELL, state: 'HALTED' }, null)).toBe('halted')
  })
})

describe('a risk watch', () => {
  const HOUR = 3_600_000
  const DAY = 24 * HOUR
  const at = (day: number, hour: number): number => 20_000 * DAY + day * DAY + hour * HOUR
  const watching = (policy: Partial<Policy>): RiskWatch => new RiskWatch({ ...DEFAULT_POLICY, ...policy }, 1000)

  it('allows exits only, once a day has lost its limit, until the next UTC day', () => {
    const watch = watching({ maxDailyLoss: 0.1 })
    expect(watch.mark(at(0, 10), 950)).toBeNull()
    expect(watch.mark(at(0, 11), 900.01)).toBeNull()
    expect(watch.mark(at(0, 12), 900)).toBe('max-daily-loss')
    expect(watch.state).toBe('REDUCING')
    // Recovery does not lift it, and it is told once.
    expect(watch.mark(at(0, 13), 2000)).toBeNull()
    expect(watch.mark(at(0, 23), 500)).toBeNull()
    expect(watch.state).toBe('REDUCING')
    watch.roll(at(1, 0) - 1)
    expect(watch.state).toBe('REDUCING')
    watch.roll(at(1, 0))
    expect(watch.state).toBe('ACTIVE')
    // The new day is measured from where the old one ended.
    expect(watch.equityAtDayStart).toBe(500)
    expect(watch.mark(at(1, 1), 451)).toBeNull()
    expect(watch.mark(at(1, 2), 450)).toBe('max-daily-loss')
  })

  it('measures a day from the equity at 00:00 UTC, not from its best', () => {
    const watch = watching({ maxDailyLoss: 0.1 })
    expect(watch.mark(at(0, 1), 1500)).toBeNull()
    // 1,350 is a tenth below the day's best, but above 1,000 at its start.
    expect(watch.mark(at(0, 2), 1350)).toBeNull()
    expect(watch.state).toBe('ACTIVE')
  })

  it('halts at a drawdown from the running peak, for good', () => {
    const watch = watching({ maxDrawdown: 0.2, maxDailyLoss: 0.5 })
    watch.mark(at(0, 1), 1200)
    expect(watch.mark(at(0, 2), 960.01)).toBeNull()
    expect(watch.mark(at(1, 2), 960)).toBe('max-drawdown')
    expect(watch.state).toBe('HALTED')
    expect(watch.mark(at(1, 3), 5000)).toBeNull()
    watch.roll(at(9, 0))
    expect(watch.state).toBe('HALTED')
  })

  it('counts losses in a row and forgets them at a win, or at the midnight that ends the pause they made', () => {
    const watch = watching({ maxConsecutiveLosses: 2 })
    watch.roll(at(0, 1))
    watch.traded(-1)
    watch.traded(-0.01)
    expect(watch.consecutiveLosses).toBe(2)
    watch.traded(0)
    expect(watch.consecutiveLosses).toBe(0)
    watch.traded(-1)
    watch.roll(at(0, 23))
    expect(watch.consecutiveLosses).toBe(1)
    watch.roll(at(1, 0))
    expect(watch.consecutiveLosses).toBe(1)
    watch.traded(-1)
    expect(watch.consecutiveLosses).toBe(2)
    watch.roll(at(2, 0))
    expect(watch.consecutiveLosses).toBe(0)
  })

  it('goes on from a copy without touching the original', () => {
    const watch = watching({ maxDailyLoss: 0.1, maxDrawdown: 0.3 })
    watch.mark(at(0, 1), 1100)
    watch.mark(at(0, 2), 880)
    watch.traded(-1)
    const copy = watch.copy()
    expect([copy.state, copy.peakEquity, copy.equityAtDayStart, copy.consecutiveLosses])
      .toEqual(['REDUCING', 1100, 1000, 1])
    expect(copy.mark(at(1, 1), 770)).toBe('max-drawdown')
    expect(copy.equityAtDayStart).toBe(880)
    expect(watch.state).toBe('REDUCING')
    expect(watch.equityAtDayStart).toBe(1000)
  })

  it('is needed only where a loss is limited', () => {
    expect(watchesLoss(DEFAULT_POLICY)).toBe(false)
    const others = { cooldown: 1, maxExposure: 1, maxOpenPositions: 1, maxPositionSize: 1 }
    expect(watchesLoss({ ...DEFAULT_POLICY, ...others })).toBe(false)
    expect(watchesLoss({ ...DEFAULT_POLICY, maxDailyLoss: 0.1 })).toBe(true)
    expect(watchesLoss({ ...DEFAULT_POLICY, maxDrawdown: 0.1 })).toBe(true)
    expect(watchesLoss({ ...DEFAULT_POLICY, maxConsecutiveLosses: 1 })).toBe(true)
  })
})
