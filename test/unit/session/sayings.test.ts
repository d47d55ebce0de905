import { describe, expect, it } from 'vitest'
import type { PastLine } from '../../../engine/ports.ts'
import { sayingOf } from '../../../engine/session/sayings.ts'

const line = (fields: Readonly<Record<string, unknown>>): PastLine => ({ timestamp: '2024-01-01T00:00:00.000Z', ...fields }) as PastLine
const decision = { type: 'decision', symbol: 'BTC/USDT', action: 'BUY', confidence: 0.7, status: 'EXECUTED', reason: null, provider: 'openai', reasoning: 'up', fallbacks: [] }

describe('the log says', () => {
  it.each<readonly [string, Readonly<Record<string, unknown>>, string, string]>([
    ['a decision', decision, 'info', '🤖 BTC/USDT BUY 0.7 EXECUTED by openai: up'],
    ['why it was not followed', { ...decision, status: 'REJECTED', reason: 'cooldown' }, 'info', '🤖 BTC/USDT BUY 0.7 REJECTED (cooldown) by openai: up'],
    ['a candle that nobody was asked about', { ...decision, action: 'HOLD', confidence: 0, status: 'SKIPPED', reason: 'missed', provider: null, reasoning: 'too late' },
      'info', '🤖 BTC/USDT HOLD 0 SKIPPED (missed): too late'],
    ['that it failed, as an error', { ...decision, status: 'FAILED', reason: 'expired' }, 'error', '🤖 BTC/USDT BUY 0.7 FAILED (expired) by openai: up'],
    ['who could not answer, unless for want of a key',
      { ...decision, fallbacks: [{ provider: 'gemini', error: 'timeout: late' }, { provider: 'x', error: 'no-key' }] }, 'info',
      '🤖 BTC/USDT BUY 0.7 EXECUTED by openai instead of gemini: timeout: late: up'],
    ['an entry', { type: 'intent', symbol: 'BTC/USDT', order: { id: '1', side: 'buy', spend: 200 } }, 'info', 'EXECUTE buy BTC/USDT for 200'],
    ['an exit', { type: 'intent', symbol: 'BTC/USDT', order: { id: '1', side: 'sell', quantity: 0.5, reason: 'signal' } }, 'info', 'EXECUTE sell 0.5 BTC/USDT (signal)'],
    ['how it leaves', { type: 'intent', purpose: 'sale', symbol: 'BTC/USDT', order: '1-exit', quantity: 0.5, reason: 'signal' }, 'info', 'PLACED sale of 0.5 BTC/USDT (signal)'],
    ['protection', { type: 'intent', purpose: 'protect', symbol: 'BTC/USDT', quantity: 0.5, stop: 95, target: 103 }, 'info', 'PLACED protection of 0.5 BTC/USDT: stop 95, target 103'],
    ['what the venue took', { type: 'order', id: '7', symbol: 'BTC/USDT', state: 'accepted', reason: null }, 'info', 'PLACED order 7'],
    ['what it refused, as an error', { type: 'order', id: '7', symbol: 'BTC/USDT', state: 'rejected', reason: '-2010' }, 'error', 'order 7 of BTC/USDT rejected: -2010'],
    ['a stop that moved', { type: 'order', event: 'stop-raised', symbol: 'BTC/USDT', from: 95, to: 97 }, 'info', 'stop of BTC/USDT raised from 95 to 97'],
    ['a fill', { type: 'fill', symbol: 'BTC/USDT', side: 'sell', quantity: 0.5, price: 95, reason: 'stop' }, 'info', 'EXECUTED sell 0.5 BTC/USDT at 95 (stop)'],
    ['a trade', { type: 'trade', symbol: 'BTC/USDT', pnl: -2.5, netReturn: -0.05, reason: 'stop' }, 'info', 'trade of BTC/USDT closed by stop: -2.5 (-5.00 %)'],
    ['a limit', { type: 'risk', rule: 'max-drawdown', state: 'HALTED' }, 'warn', 'risk: HALTED, because of max-drawdown'],
    ['an alarm with its facts', { type: 'alarm', event: 'naked', symbol: 'BTC/USDT', quantity: 0.5 }, 'warn', 'alarm: naked BTC/USDT, quantity 0.5'],
    ['good news as such', { type: 'alarm', event: 'market-recovered', symbol: 'BTC/USDT' }, 'info', 'alarm: market-recovered BTC/USDT'],
    ['a person', { type: 'operator', act: 'close', symbol: 'BTC/USDT', reason: 'dashboard' }, 'warn', 'a person says close BTC/USDT: dashboard'],
    ['a service that is left alone', { type: 'provider', event: 'state', service: 'gemini', state: 'COOLING', reason: 'quota', until: 'T' }, 'warn', '🤖 gemini is COOLING: quota until T'],
    ['the end', { type: 'session', event: 'stopped', open_positions: 1 }, 'info', '🤖 autonomous loop stopped, 1 open positions'],
  ])('%s', (_what, fields, level, text) => {
    expect(sayingOf(line(fields))).toEqual({ level, text })
  })

  it('nothing of what only a replay wants to know', () => {
    for (const fields of [{ type: 'market', event: 'wake' }, { type: 'provider', event: 'consulted' }, { type: 'session', event: 'account' }]) {
      expect(sayingOf(line(fields))).toBeNull()
    }
  })
})
