import { describe, expect, it } from 'vitest'
import type { NoticeKind } from '../../../engine/core/notice.ts'
import type { PastLine } from '../../../engine/ports.ts'
import { DaySummary, noticeOf } from '../../../engine/session/notices.ts'

const AT = '2025-03-01T10:00:00.000Z'
const line = (type: string, fields: object = {}, timestamp: string | null = AT): PastLine => ({ type, timestamp, run: 'r', ...fields })
const CONTEXT = { run: 'r', now: 5 }

const BOUGHT = {
  symbol: 'BTC/USDT', market_data: { price: 30_016.31 }, provider: 'gemini', action: 'BUY', confidence: 0.72, reasoning: 'RSI is low',
  status: 'EXECUTED', order: { id: 'e1', side: 'buy', spend: 200, stopLoss: 0.05, takeProfit: null },
}
const SOLD = {
  symbol: 'BTC/USDT', exitPrice: 29_000.5, quantity: 0.01, reason: 'stop', fees: 0.4, pnl: -10.256, netReturn: -0.0512,
}

describe('what is told of a line', () => {
  it.each<[string, PastLine, NoticeKind, string, object]>([
    ['an entry', line('decision', BOUGHT), 'entry', 'bought BTC/USDT for 200 at about 30016.31 (gemini, confidence 0.72): RSI is low',
      { price: 30_016.31, spend: 200, confidence: 0.72, provider: 'gemini', stopLoss: 0.05, takeProfit: null }],
    ['an exit', line('trade', SOLD), 'exit', 'sold BTC/USDT at 29000.5 by stop: -10.26 (-5.12 %)', { reason: 'stop', pnl: -10.256, netReturn: -0.0512 }],
    ['a gain', line('trade', { ...SOLD, reason: 'target', pnl: 3, netReturn: 0.03 }), 'exit', 'sold BTC/USDT at 29000.5 by target: +3 (+3 %)', {}],
    ['a halt', line('risk', { rule: 'max-drawdown', state: 'HALTED', equity: 9000 }), 'halt',
      'no more orders, protection stays: max-drawdown, equity 9000', { rule: 'max-drawdown', state: 'HALTED', equity: 9000 }],
    ['a bad day', line('risk', { rule: 'max-daily-loss', state: 'REDUCING', equity: 9500 }), 'halt', 'no more entries today: max-daily-loss, equity 9500', {}],
    ['a person who resumes', line('risk', { rule: 'operator', state: 'ACTIVE', equity: 9500 }), 'started', 'trades again, equity 9500', {}],
    ['a naked position', line('alarm', { event: 'naked', symbol: 'BTC/USDT', held: 0.5, why: 'halted' }), 'naked-position',
      'BTC/USDT: 0.5 held WITHOUT stop at the exchange (halted)', { held: 0.5, why: 'halted' }],
    ['a service that is shut', line('provider', { event: 'state', service: 'gemini', state: 'DISABLED', reason: 'key', until: null }), 'provider-disabled',
      'gemini is not asked any more: key', { service: 'gemini', reason: 'key', until: null }],
    ['a restart', line('session', { event: 'restarted' }), 'started', 'goes on where it was', { restarted: true }],
    ['an end', line('session', { event: 'stopped', open_positions: 1 }), 'stopped', 'stopped: 1 open position, protected at the exchange', { openPositions: 1 }],
    ['a quiet end', line('session', { event: 'finished', open_positions: 0 }), 'stopped', 'finished: no position is open', {}],
  ])('%s', (_, given, kind, text, facts) => {
    expect(noticeOf(given, CONTEXT)).toEqual({
      kind, text, run: 'r', time: Date.parse(AT), symbol: given['symbol'] ?? null, facts: expect.objectContaining(facts) as object,
    })
  })

  it('a start has no time of its own', () => {
    expect(noticeOf(line('session', { event: 'start', symbols: ['A/B', 'C/D'], timeframe: '1h' }, null), CONTEXT))
      .toMatchObject({ kind: 'started', time: 5, text: 'started: A/B, C/D 1h', symbol: null })
  })

  it.each<[string, PastLine]>([
    ['a HOLD', line('decision', { ...BOUGHT, status: 'SKIPPED', order: null })],
    ['a refused entry', line('decision', { ...BOUGHT, status: 'REJECTED', order: null })],
    ['a sale, which its trade tells', line('decision', { ...BOUGHT, order: { side: 'sell', quantity: 1, reason: 'signal' } })],
    ['an order that was not sent', line('risk', { rule: 'order-under-way', state: 'HALTED', symbol: 'BTC/USDT' })],
    ['a day that begins anew', line('risk', { rule: 'max-daily-loss', state: 'ACTIVE', equity: 1 })],
    ['another alarm', line('alarm', { event: 'gap', symbol: 'BTC/USDT' })],
    ['a service that cools down', line('provider', { event: 'state', service: 'gemini', state: 'COOLING' })],
    ['answers', line('provider', { event: 'consulted', symbol: 'BTC/USDT', steps: [] })],
    ['a fill', line('fill', { symbol: 'BTC/USDT' })], ['a wake-up', line('market', { event: 'wake' })], ['warm-up', line('session', { event: 'warmup' })],
    ['an intent', line('intent')], ['an order', line('order')], ['an operator', line('operator')], ['something new', line('unheard-of')],
  ])('%s is not told', (_, given) => {
    expect(noticeOf(given, CONTEXT)).toBeNull()
  })

  it.each(['decision', 'trade', 'risk', 'alarm', 'provider', 'session'])('a %s line without its fields breaks nothing', (type) => {
    for (const fields of [{}, { event: 'start' }, { event: 'naked' }, { event: 'state', state: 'DISABLED' }, { status: 'EXECUTED', order: { side: 'buy' } }]) {
      expect(() => noticeOf(line(type, fields, 'no time'), CONTEXT)).not.toThrow()
    }
  })
})

describe('a day', () => {
  it('is summed up when the next one begins, and counts again from nothing', () => {
    const day = new DaySummary('r')
    const seen = [
      line('session', { event: 'start' }, null), line('decision', BOUGHT), line('decision', { status: 'SKIPPED', order: null }),
      line('trade', SOLD), line('trade', { ...SOLD, pnl: 20 }), line('alarm', { event: 'gap' }), line('market', { event: 'wake' }, '2025-03-01T23:59:59.999Z'),
    ].map((one) => day.see(one))
    expect(seen.every((one) => one === null)).toBe(true)
    expect(day.see(line('decision', BOUGHT, '2025-03-02T00:00:00.000Z'))).toEqual({
      kind: 'daily-summary', run: 'r', symbol: null, time: Date.UTC(2025, 2, 2),
      facts: { day: '2025-03-01', decisions: 2, entries: 1, trades: 2, wins: 1, pnl: 9.744, alarms: 1 },
      text: '2025-03-01: 2 decisions, 1 entries, 2 trades closed (1 with a gain), +9.74, 1 alarms',
    })
    // Told late, of a candle of the day before: it counts where it came.
    expect(day.see(line('trade', SOLD, '2025-03-01T23:00:00.000Z'))).toBeNull()
    expect(day.see(line('market', { event: 'wake' }, '2025-03-05T00:00:00.000Z')))
      .toMatchObject({ facts: { day: '2025-03-02', decisions: 1, entries: 1, trades: 1 } })
    expect(day.see(line('market', { event: 'wake' }, '2025-03-06T00:00:00.000Z')))
      .toMatchObject({ facts: { day: '2025-03-05', decisions: 0, trades: 0, pnl: 0 } })
  })
})
