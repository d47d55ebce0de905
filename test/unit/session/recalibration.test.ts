import { expect, it } from 'vitest'
import { freely, marketOf, opinion, play, playOne, scripted, type Row } from '../../support/play.ts'
import { decisionsOf } from '../../support/play.ts'
import { resolveInMemory } from '../../support/in-memory.ts'
import { coded } from '../../support/coded.ts'

// Every fourth candle a BUY that says 0.9; of its events every other one comes.
const rows: Row[] = []
const script: Record<number, ReturnType<typeof opinion>> = {}
for (let round = 0; round < 40; round++) {
  script[rows.length] = opinion('BUY', 0.9)
  rows.push([100, 100, 100, 100], round % 2 === 0 ? [100, 106, 100, 100] : [100, 100, 94, 100], [100, 100, 100, 100], [100, 100, 100, 100])
}
const policy = { minConfidence: 0.6, calibrate: 10 }

it('replaces a confidence by what it came to, once enough is resolved', async () => {
  const run = await playOne(freely({}, policy), { market: marketOf(rows), strategy: scripted(script, { scored: true }) })
  const said = decisionsOf(run).filter(({ action }) => action === 'BUY') as unknown as { confidence: number; status: string; reason: string | null; phases: { initial: { confidence: number } } }[]
  expect(said.slice(0, 10).map(({ confidence, status }) => [confidence, status])).toEqual(Array.from({ length: 10 }, () => [0.9, 'EXECUTED']))
  // Ten outcomes, five of them came: 0.9 has been worth a half, which is not enough.
  expect(said[10]).toMatchObject({ confidence: 0.5, status: 'REJECTED', reason: 'low-confidence', phases: { initial: { confidence: 0.9 } } })
  expect(said.slice(10).every(({ confidence }) => Math.abs(confidence - 0.5) < 0.05)).toBe(true)
})

it('uses nothing that lies ahead: cutting the tape changes no decision before the cut', async () => {
  const whole = await playOne(freely({}, policy), { market: marketOf(rows), strategy: scripted(script, { scored: true }) })
  const short = await playOne(freely({}, policy), { market: marketOf(rows.slice(0, 61)), strategy: scripted(script, { scored: true }) })
  const before = (run: typeof whole): unknown[] => decisionsOf(run).slice(0, 59).map(({ action, confidence, reason }) => [action, confidence, reason])
  expect(before(short)).toEqual(before(whole))
})

it('makes lanes beside each other what they are alone', async () => {
  const variant = (minConfidence: number): { policy: object } => ({ policy: { minConfidence, calibrate: 10 } })
  const policies = await Promise.all([0.4, 0.6, 0.95].map(async (minConfidence) => (await resolveInMemory(freely({}, variant(minConfidence).policy), { market: marketOf(rows) })).scenario.policy))
  const market = { market: marketOf(rows), strategy: scripted(script, { scored: true }) }
  const together = await play(freely({}, policy), { ...market, variants: policies.map((one) => ({ policy: one })), audit: 'off' })
  for (const [index, { minConfidence }] of policies.entries()) {
    const alone = await playOne(freely({}, { ...policy, minConfidence, minExitConfidence: minConfidence }), { market: marketOf(rows), strategy: scripted(script, { scored: true }), audit: 'off' })
    expect(together.runs[index].trades).toEqual(alone.trades)
    expect(together.runs[index].daily).toEqual(alone.daily)
  }
  expect(new Set(together.runs.map(({ trades }) => trades.length)).size).toBe(3)
})

it('needs an event to be right about', async () => {
  await expect(resolveInMemory(freely({}, { calibrate: 5, takeProfit: null }), { market: marketOf(rows) })).rejects.toThrow(coded('TD_SCENARIO_INVALID', 'policy.calibrate', 'without a stop and a target'))
  expect((await resolveInMemory(freely(), { market: marketOf(rows) })).scenario.policy).not.toHaveProperty('calibrate')
})
