import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

type Fields = Readonly<Record<string, unknown>>

const said = (action: string, confidence: number, pTargetFirst: number | null): Fields =>
  ({ action, confidence, pTargetFirst, reasoning: `${action} at ${confidence}` })

const decision = (timestamp: string, fields: Fields): Fields => ({
  type: 'decision', timestamp, symbol: 'BTC/USDT', timeframe: '1h', market_data: { price: 100, volume: 5, trend: 'UP', rsi: 41.5 },
  provider: 'simulated', model: 'simulated-1', fallbacks: [], status: 'EXECUTED', reason: null, order: null, usage: null, latency_ms: 0, ...fields,
})

const phases = (initial: Fields, refinement: readonly Fields[], judged: Fields = { risk: null, confidence: null }): Fields =>
  ({ phases: { initial, refinement, ...judged }, ...refinement.at(-1) ?? initial, pTargetFirst: undefined })

const judged = (order: string, checks: Readonly<Record<string, boolean>>, confidence: number, required = 0.6): Fields => ({
  risk: { validated: Object.values(checks).every(Boolean), order, checks },
  confidence: { confidence, required, verified: confidence >= required },
})

const failure = { kind: 'timeout', message: 'no answer in 30 s', status: null, retryAfterMs: null, headers: {}, body: null, answer: null }
const usage = (inputTokens: number, outputTokens: number, costUsd: number): Fields => ({ inputTokens, outputTokens, costUsd })
const answer = (action: string): Fields => ({ action, confidence: 0.7, reasoning: 'r', model: 'simulated-1', modelVersion: null, responseId: null })

/** One line of every kind that a table is made of: two trades, one won and one lost, a rejection, a flip, a missed candle. */
export const LINES: readonly Fields[] = [
  { type: 'session', timestamp: null, event: 'start', scenario: 'abc', symbols: ['BTC/USDT'], timeframe: '1h' },
  { type: 'provider', timestamp: '2024-01-01T10:00:00.000Z', event: 'state', service: 'simulated', state: 'COOLING', reason: 'timeout', until: '2024-01-01T10:05:00.000Z' },
  { type: 'provider', timestamp: '2024-01-01T10:00:00.000Z', event: 'consulted', symbol: 'BTC/USDT', steps: [
    { provider: 'openai', skipped: 'no-key', replies: [], turns: [], failure: null },
    { provider: 'simulated', skipped: null, failure, turns: [0], replies: [
      { answer: answer('BUY'), failure: null, latencyMs: 900, attempts: 1, usage: usage(200, 20, 0.001) },
      { answer: null, failure, latencyMs: 30000, attempts: 2, usage: usage(0, 0, 0) },
    ] },
  ] },
  { type: 'intent', timestamp: '2024-01-01T10:00:00.000Z', symbol: 'BTC/USDT', order: { id: 'o1', side: 'buy', spend: 2000, stopLoss: 0.05, takeProfit: 0.03 } },
  { type: 'intent', timestamp: '2024-01-01T10:00:02.000Z', purpose: 'protect', symbol: 'BTC/USDT', id: 't-1', pair: 1, quantity: 20, stop: 95, target: 103, raised: false },
  { type: 'order', timestamp: '2024-01-01T10:00:00.000Z', id: 'o1', symbol: 'BTC/USDT', state: 'accepted', reason: null },
  { type: 'fill', timestamp: '2024-01-01T10:00:00.000Z', id: 'o1', symbol: 'BTC/USDT', side: 'buy', price: 100, quantity: 20, notional: 2000, fee_base: 0.02,
    fee_quote: 0, slippage: 1, liquidity: 'taker', reason: null, ambiguous: false, stop: 95, target: 103 },
  decision('2024-01-01T10:00:00.000Z', {
    ...phases(said('BUY', 0.66, 0.66), [said('BUY', 0.7, 0.7)], judged('entry', { halted: true, cooldown: true }, 0.7)),
    order: { id: 'o1', side: 'buy', spend: 2000, stopLoss: 0.05, takeProfit: 0.03 }, usage: { input_tokens: 400, output_tokens: 40, cost_usd: 0.002 }, latency_ms: 1000,
  }),
  { type: 'order', timestamp: '2024-01-01T12:00:00.000Z', event: 'stop-raised', symbol: 'BTC/USDT', from: 95, to: 99 },
  { type: 'intent', timestamp: '2024-01-01T13:00:00.000Z', purpose: 'sale', symbol: 'BTC/USDT', id: 't-2', order: 'o2', reason: 'signal', sale: 1, quantity: 19.98, with: null },
  { type: 'fill', timestamp: '2024-01-01T13:00:00.000Z', id: 'o2', symbol: 'BTC/USDT', side: 'sell', price: 103, quantity: 19.98, notional: 2057.94, fee_base: 0,
    fee_quote: 2.06, slippage: 0, liquidity: 'maker', reason: 'target', ambiguous: true, stop: null, target: null },
  { type: 'trade', timestamp: '2024-01-01T13:00:00.000Z', symbol: 'BTC/USDT', entryTime: '2024-01-01T10:00:00.000Z', entryPrice: 100, exitTime: '2024-01-01T13:00:00.000Z',
    exitPrice: 103, quantity: 19.98, reason: 'target', fees: 4.06, pnl: 55, netReturn: 0.0275, stop: 99, target: 103, candles: 3 },
  decision('2024-01-01T14:00:00.000Z', {
    ...phases(said('SELL', 0.6, 0.4), [said('HOLD', 0.5, null)]), status: 'SKIPPED', reason: 'hold', usage: { input_tokens: 400, output_tokens: 50, cost_usd: 0.004 }, latency_ms: 3000,
  }),
  decision('2024-01-01T15:00:00.000Z', {
    ...phases(said('BUY', 0.55, 0.55), [], judged('entry', { halted: true, cooldown: false }, 0.55)), status: 'REJECTED', reason: 'cooldown',
    order: { id: 'o3', side: 'buy', spend: 2000, stopLoss: 0.05, takeProfit: 0.03 },
  }),
  { type: 'order', timestamp: '2024-01-02T10:00:00.000Z', id: 'o4', symbol: 'BTC/USDT', state: 'accepted', reason: null },
  { type: 'fill', timestamp: '2024-01-02T10:00:00.000Z', id: 'o4', symbol: 'BTC/USDT', side: 'buy', price: 200, quantity: 10, notional: 2000, fee_base: 0.01,
    fee_quote: 0, slippage: 0, liquidity: 'taker', reason: null, ambiguous: false, stop: null, target: null },
  decision('2024-01-02T10:00:00.000Z', {
    provider: 'technical', model: null, fallbacks: [{ provider: 'simulated', error: 'timeout: no answer in 30 s' }],
    ...phases(said('BUY', 0.9, 0.9), [], judged('entry', { halted: true, cooldown: true }, 0.9)),
    order: { id: 'o4', side: 'buy', spend: 2000, stopLoss: null, takeProfit: null }, latency_ms: 30000,
  }),
  decision('2024-01-02T11:00:00.000Z', {
    provider: null, model: null, phases: null, action: 'HOLD', confidence: 0, reasoning: 'the candle became known too late', status: 'SKIPPED', reason: 'missed',
  }),
  { type: 'trade', timestamp: '2024-01-02T20:00:00.000Z', symbol: 'BTC/USDT', entryTime: '2024-01-02T10:00:00.000Z', entryPrice: 200, exitTime: '2024-01-02T20:00:00.000Z',
    exitPrice: 190, quantity: 9.99, reason: 'stop', fees: 4, pnl: -105, netReturn: -0.0525, stop: 190, target: null, candles: 10 },
  { type: 'risk', timestamp: '2024-01-02T20:00:00.000Z', rule: 'order-under-way', state: 'ACTIVE', symbol: 'BTC/USDT', order: 'o4' },
  { type: 'alarm', timestamp: '2024-01-02T20:00:00.000Z', event: 'gap', symbol: 'BTC/USDT', from: '2024-01-02T21:00:00.000Z', to: '2024-01-02T22:00:00.000Z', missing: 1 },
  { type: 'session', timestamp: '2024-01-03T00:00:00.000Z', event: 'end', candles: 48, final_equity: 9950 },
]

/** As a trail's text. */
export const trailText = (lines: readonly Fields[] = LINES, run = 'one'): string =>
  lines.map((fields, index) => `${JSON.stringify({ type: fields['type'], seq: index + 1, run, ...fields })}\n`).join('')

export const RECORD = {
  run: 'one', state: 'finished', startedAt: '2026-01-01T00:00:00.000Z', finishedAt: '2026-01-01T00:00:01.500Z', seed: 7,
  scenario: {
    name: 'hand-made', symbols: ['BTC/USDT'], timeframe: '1h', strategy: { name: 'sma-cross', params: { fast: 5 } },
    providers: [{ name: 'simulated', options: {} }, { name: 'technical', options: {} }],
    policy: { minConfidence: 0.6, stopLoss: 0.05, takeProfit: null, positionSize: 0.2 },
  },
  figures: { finalEquity: 9950, totalReturn: -0.005, returnNetOfAi: -0.0050006, maxDrawdown: -0.0105, sharpe: null, trades: 2, winRate: 0.5, aiCost: 0.006, coverage: 0.75 },
}

/** Writes the directory of a run, or of a cell of a comparison where it has a name in `cells/`. */
export function putRun(folder: string, run = 'one', trail: string | Uint8Array = trailText()): string {
  const put = (name: string, content: string | Uint8Array): void => {
    mkdirSync(dirname(join(folder, run, name)), { recursive: true })
    writeFileSync(join(folder, run, name), content)
  }
  if (run.includes('cells/')) put('cell.json', JSON.stringify({ cell: run, labels: { provider: 'simulated' }, scenario: RECORD.scenario, figures: RECORD.figures }))
  else put('run.json', JSON.stringify(RECORD))
  put('audit.jsonl', trail)
  put('equity.csv', 'date,equity\n2023-12-31,10000\n2024-01-01,10055\n2024-01-02,9950\n')
  return join(folder, run)
}
