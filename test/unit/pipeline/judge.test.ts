import { describe, expect, it } from 'vitest'
import { instrumentOf } from '../../../engine/core/instrument.ts'
import type { Opinion } from '../../../engine/core/opinion.ts'
import type { EntryOrder, ExitOrder } from '../../../engine/core/order.ts'
import { DEFAULT_POLICY, type Policy } from '../../../engine/core/policy.ts'
import { RISK_RULES, type RiskContext } from '../../../engine/core/risk.ts'
import { emptyJudgement, judge } from '../../../engine/pipeline/pipeline.ts'

const ENTRY: EntryOrder = {
  id: 'e', symbol: 'BTC/USDT', side: 'buy', spend: 100, protection: { stopLoss: 0.05, takeProfit: 0.03 }, decidedAt: 0,
  latencyMs: 0,
}
const EXIT: ExitOrder = {
  id: 'x', symbol: 'BTC/USDT', side: 'sell', quantity: 1, reason: 'signal', decidedAt: 0, latencyMs: 0,
}
const contextOf = (policy: Partial<Policy>, fields: Partial<RiskContext> = {}): RiskContext => ({
  state: 'ACTIVE', policy: { ...DEFAULT_POLICY, ...policy }, instrument: instrumentOf('BTC/USDT'),
  costs: { maker: 0, taker: 0, feeAsset: 'quote', slippageBps: 0 }, price: 100, marketAgeMs: 0, maxMarketAgeMs: 1,
  latencyMs: 0, deadlineMs: 1, inPosition: false, openPositions: 0, exposure: 0, equity: 1000, wantedSpend: 100,
  equityAtDayStart: 1000, peakEquity: 1000, consecutiveLosses: 0, candlesSinceExit: Infinity, ...fields,
})
const buying = (confidence: number): Opinion => ({ action: 'BUY', confidence, reasoning: '' })
const selling = (confidence: number): Opinion => ({ action: 'SELL', confidence, reasoning: '' })
const index = (name: string): number => RISK_RULES.findIndex((rule) => rule.name === name)

describe('the judge', () => {
  it('approves what is sound and confident enough', () => {
    const judgement = emptyJudgement()
    expect(judge(ENTRY, buying(0.6), contextOf({}), judgement, true)).toBe(ENTRY)
    expect(judgement).toMatchObject({ riskReason: null, confidence: 0.6, required: 0.6, confident: true })
    expect([...judgement.checks].every((check) => check === 1)).toBe(true)
  })

  it('refuses what is not confident enough', () => {
    const judgement = emptyJudgement()
    expect(judge(ENTRY, buying(0.5999), contextOf({}), judgement, true)).toBe('low-confidence')
    expect(judgement).toMatchObject({ riskReason: null, confidence: 0.5999, required: 0.6, confident: false })
  })

  it('gives the risk rules\' reason first, and records both phases', () => {
    const judgement = emptyJudgement()
    const context = contextOf({ maxOpenPositions: 1 }, { openPositions: 1, inPosition: true })
    expect(judge(ENTRY, buying(0.1), context, judgement, true)).toBe('already-in-position')
    expect(judgement.riskReason).toBe('already-in-position')
    expect(judgement).toMatchObject({ confidence: 0.1, required: 0.6, confident: false })
    // Every rule was asked: the second that fails is on record as well.
    expect(judgement.checks[index('already-in-position')]).toBe(0)
    expect(judgement.checks[index('max-open-positions')]).toBe(0)
    expect([...judgement.checks].filter((check) => check === 1)).toHaveLength(RISK_RULES.length - 2)
  })

  it('asks phase 4 even where phase 3 has refused', () => {
    const judgement = emptyJudgement()
    expect(judge(ENTRY, buying(0.9), contextOf({}, { inPosition: true }), judgement, true)).toBe('already-in-position')
    expect(judgement.confident).toBe(true)
  })

  it('measures exits by their own threshold', () => {
    const held = { inPosition: true }
    const judgement = emptyJudgement()
    const policy = { minConfidence: 0.6, minExitConfidence: 0.3 }
    expect(judge(EXIT, selling(0.3), contextOf(policy, held), judgement, true)).toBe(EXIT)
    expect(judgement.required).toBe(0.3)
    expect(judge(EXIT, selling(0.29), contextOf(policy, held), judgement, true)).toBe('low-confidence')
    expect(judge(ENTRY, buying(0.3), contextOf(policy), judgement, true)).toBe('low-confidence')
    // 0: always leave.
    expect(judge(EXIT, selling(0), contextOf({ minExitConfidence: 0 }, held), judgement, true)).toBe(EXIT)
    // An entry does not look at the exit's threshold.
    expect(judge(ENTRY, buying(0.6), contextOf({ minExitConfidence: 1 }), judgement, true)).toBe(ENTRY)
  })

  it('notes which rules do not concern an exit', () => {
    const judgement = emptyJudgement()
    judge(EXIT, selling(1), contextOf({}, { inPosition: true }), judgement, true)
    const concerned = RISK_RULES.filter((_, rule) => judgement.checks[rule] !== 2).map(({ name }) => name)
    expect(concerned).toEqual(['halted', 'stale-market', 'no-position', 'below-lot', 'below-min-notional'])
  })

  it('says the same without a record, and forgets the judgement before', () => {
    const judgement = emptyJudgement()
    judge(ENTRY, buying(0.1), contextOf({}, { inPosition: true }), judgement, true)
    expect(judge(ENTRY, buying(0.9), contextOf({}), judgement, false)).toBe(ENTRY)
    expect(judgement).toMatchObject({ riskReason: null, confident: true })
    expect(judge(ENTRY, buying(0.9), contextOf({}, { state: 'HALTED' }), judgement, false)).toBe('halted')
    expect(judgement.riskReason).toBe('halted')
  })
})
