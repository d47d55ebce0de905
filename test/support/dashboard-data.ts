import type {
  Alarm, Candle, Candles, Decision, Equity, Figures, Lane, PastRun, Position, Risk, Run, Service, Status, Trade,
} from '../../engine/server/dashboard/data/types.ts'

export const HOUR = 3_600_000
export const NOW = Date.UTC(2024, 2, 1, 12)
const iso = (ms: number): string => new Date(ms).toISOString()

/** A walk that is the same each time. */
function walk(count: number): readonly Candle[] {
  let seed = 7
  const next = (): number => (seed = seed * 16_807 % 2_147_483_647) / 2_147_483_647 - 0.5
  let price = 62_000
  return Array.from({ length: count }, (_, index): Candle => {
    const open = price
    price = open * (1 + next() * 0.012)
    const [high, low] = [Math.max(open, price) * (1 + Math.abs(next()) * 0.004), Math.min(open, price) * (1 - Math.abs(next()) * 0.004)]
    return [NOW - (count - index) * HOUR, open, high, low, price, 40 + next() * 30]
  })
}

export const decision = (over: Partial<Decision> & { readonly id: number }): Decision => ({
  timestamp: iso(NOW), symbol: 'BTC/USDT', action: 'HOLD', confidence: 0.5, required: null, status: 'SKIPPED', reason: 'hold',
  provider: 'gemini', model: 'gemini-2.5-flash', fallbacks: [], reasoning: 'RSI is stretched, but against the trend.', latency_ms: 842,
  cost_usd: 0.0004, phases: { initial: true, refinement: 2, risk: null, confidence: null }, ...over,
})

/** What the endpoints answer: a session in the middle of its day. */
export interface DashboardData {
  status: Status
  run: Run
  figures: Figures
  positions: readonly Position[]
  trades: readonly Trade[]
  equity: Equity
  candles: Readonly<Record<string, Candles>>
  decisions: readonly Decision[]
  risk: Risk
  services: readonly Service[]
  lanes: readonly Lane[]
  alarms: readonly Alarm[]
  runs: readonly PastRun[]
}

const run: Run = {
  run: 'autonomous-1a2b3c', state: 'running', kind: 'live', venue: 'practice', scenario: 'autonomous', strategy: 'autonomous-scalper',
  symbols: ['BTC/USDT', 'ETH/USDT'], timeframe: '1h', mode: 'AUTONOMOUS', started_at: iso(NOW - 48 * HOUR),
  policy: { min_confidence: 0.7, min_exit_confidence: 0.55, stop_loss: 0.05, take_profit: 0.03, position_size: 0.2 },
  base_rate: 0.625, break_even: 0.672, notes: ['Practice exchange: no real market.'], currency: 'USDT', last_event_at: iso(NOW),
}

const emptyFigures: Figures = {
  figures: {}, baselines: { buy_and_hold: null, flat: 0 }, equity: 10_000, cash: 10_000, drawdown: 0, realised_pnl: 0, open_pnl: 0,
  trades: 0, win_rate: null, ai_cost: 0, coverage: null, since: null,
}

/** A session that has just begun. */
export const emptyDashboard = (): DashboardData => ({
  run: { ...run, notes: [] },
  status: {
    enabled: true, mode: 'AUTONOMOUS', is_running: true, trades_executed: 0, last_decision_time: null, current_confidence: null,
    active_positions: 0, loop_iterations: 0,
  },
  figures: emptyFigures, positions: [], trades: [], equity: { start: 10_000, points: [] },
  candles: Object.fromEntries(run.symbols.map((symbol) => [symbol, { symbol, timeframe: '1h', candles: [], marks: [], position: null }])),
  decisions: [], risk: { state: 'RUNNING', reason: null, since: null, limits: {} }, services: [], lanes: [], alarms: [], runs: [],
})

const position: Position = {
  symbol: 'BTC/USDT', quantity: 0.03217, entry_price: 61_840.12, entry_time: iso(NOW - 9 * HOUR), stop: 58_748.11, target: 63_695.32,
  price: 62_410.5, value: 2_007.75, open_pnl: 18.35, open_return: 0.0092, leaving: false,
}

const service = (name: string, priority: number, over: Partial<Service> = {}): Service => ({
  name, priority, state: 'ACTIVE', reason: null, until: null, success_rate: 0.978, successes: 131, errors: { timeout: 3 },
  latency_p50_ms: 842, latency_p95_ms: 2_310, cost_usd: 0.0731, last_used: iso(NOW - 20_000), ...over,
})

function decisions(): Decision[] {
  const bought: Partial<Decision> = {
    action: 'BUY', confidence: 0.81, required: 0.7, status: 'EXECUTED', reason: null, provider: 'openai', model: 'gpt-4o-mini',
    fallbacks: [{ provider: 'gemini', error: 'rate-limit' }], latency_ms: 3_120, cost_usd: 0.0021,
    reasoning: 'Price broke above the hourly range with rising volume; short average over the long one, RSI at 58 leaves room to the target.',
    phases: { initial: true, refinement: 2, risk: true, confidence: true },
  }
  const refused: Partial<Decision> = {
    action: 'SELL', confidence: 0.48, required: 0.55, status: 'REJECTED', reason: 'low-confidence', symbol: 'ETH/USDT',
    phases: { initial: true, refinement: 1, risk: true, confidence: false }, reasoning: 'Momentum fades, yet the trend holds.',
  }
  return Array.from({ length: 40 }, (_, index) => decision({
    id: 900 - index * 3, timestamp: iso(NOW - index * HOUR), ...(index % 9 === 0 ? bought : index % 5 === 1 ? refused : {}),
  }))
}

export function fullDashboard(): DashboardData {
  const candles = walk(300)
  const points = candles.map(([time], index): [number, number, number] => {
    const equity = 10_000 + Math.sin(index / 25) * 120 + index * 0.9
    return [time, equity, Math.min(0, Math.sin(index / 25) - 0.6) * 0.01]
  })
  const at = (back: number): number => candles[candles.length - back][0]
  return {
    ...emptyDashboard(), run: { ...run },
    status: {
      enabled: true, mode: 'AUTONOMOUS', is_running: true, trades_executed: 7, last_decision_time: '2024-03-01 12:00:00',
      current_confidence: 0.81, active_positions: 1, loop_iterations: 151,
    },
    figures: {
      figures: { total_return: 0.0214, max_drawdown: -0.0163, profit_factor: 1.42, win_rate: 0.667 }, baselines: { buy_and_hold: 0.0131, flat: 0 },
      equity: 10_214.37, cash: 8_206.62, drawdown: -0.0041, realised_pnl: 196.02, open_pnl: 18.35, trades: 12, win_rate: 0.667,
      ai_cost: 0.2143, coverage: 0.964, since: iso(NOW - 48 * HOUR),
    },
    positions: [position],
    trades: Array.from({ length: 12 }, (_, index): Trade => ({
      symbol: index % 3 === 0 ? 'ETH/USDT' : 'BTC/USDT', entry_time: iso(at(20 + index * 9)), entry_price: 61_200 + index * 31,
      exit_time: iso(at(14 + index * 9)), exit_price: 61_900 - index * 62, quantity: 0.0321, reason: index % 3 === 1 ? 'stop' : 'target',
      pnl: 22.4 - index * 4.1, net_return: 0.011 - index * 0.002,
    })),
    equity: { start: 10_000, points },
    candles: Object.fromEntries(run.symbols.map((symbol, index) => [symbol, {
      symbol, timeframe: '1h', candles: index === 0 ? candles : candles.map(([time, ...rest]) => [time, ...rest.map((one) => one / 20)]) as unknown as Candle[],
      marks: index === 0 ? [
        { time: at(60), kind: 'entry' as const, price: candles.at(-60)![4], reason: null },
        { time: at(44), kind: 'exit' as const, price: candles.at(-44)![4], reason: 'target' },
        { time: at(9), kind: 'entry' as const, price: candles.at(-9)![4], reason: null },
      ] : [],
      position: index === 0 ? { stop: candles.at(-1)![4] * 0.975, target: candles.at(-1)![4] * 1.012, entry_price: candles.at(-9)![4] } : null,
    }])),
    decisions: decisions(),
    services: [
      service('gemini', 1, { state: 'COOLING', reason: 'rate-limit', until: iso(NOW + 120_000), success_rate: 0.912 }),
      service('openai', 2),
      service('anthropic', 3, { state: 'DISABLED', reason: 'authentication', success_rate: 0, successes: 0, errors: { authentication: 2 },
        latency_p50_ms: null, latency_p95_ms: null, cost_usd: 0, last_used: null }),
    ],
    lanes: [
      { name: 'live', description: 'trades', equity: 10_214.37, net_return: 0.0214, trades: 12, win_rate: 0.667, max_drawdown: -0.0163, open_positions: 1 },
      { name: 'openai', description: 'provider: openai', equity: 10_104.2, net_return: 0.0104, trades: 9, win_rate: 0.556, max_drawdown: -0.021, open_positions: 0 },
      { name: 'stricter', description: 'minConfidence: 0.8', equity: 9_958.4, net_return: -0.0042, trades: 3, win_rate: 0.333, max_drawdown: -0.009, open_positions: 0 },
    ],
    alarms: [
      { id: 871, time: iso(NOW - 3 * HOUR), event: 'provider-cooling', symbol: null, text: 'provider cooling; service: gemini; reason: rate-limit' },
      { id: 640, time: iso(NOW - 20 * HOUR), event: 'naked-position', symbol: 'BTC/USDT', text: 'naked position; the pair was placed again after 2 attempts' },
    ],
    runs: [
      { run: 'demo-9f1', kind: 'backtest', state: 'finished', scenario: 'demo', symbols: ['BTC/USDT'], timeframe: '1h', started_at: iso(NOW - 90 * HOUR), net_return: 0.0412, trades: 31, has_report: true },
      { run: 'demo-77c', kind: 'rehearsal', state: 'failed', scenario: 'demo', symbols: ['BTC/USDT'], timeframe: '1h', started_at: iso(NOW - 95 * HOUR), net_return: null, trades: null, has_report: false },
    ],
  }
}

/** The whole line of a decision, as the trail has it, with its conversation. */
export const wholeDecision = (one: Decision): unknown => ({
  ...one, type: 'decision', seq: one.id,
  market_data: { price: 62_410.5, volume: 38.2, trend: 'UP', rsi: 58.1 },
  phases: {
    initial: { action: one.action, confidence: 0.74, reasoning: 'First look: a break of the range.' },
    refinement: [{ action: one.action, confidence: one.confidence, reasoning: one.reasoning }],
    risk: { validated: true, order: 'entry', checks: { halted: true, 'max-exposure': true, cooldown: one.phases.risk !== false } },
    confidence: { confidence: one.confidence, required: one.required, verified: one.phases.confidence },
  },
  conversation: [
    { provider: 'gemini', skipped: null, replies: [{ answer: null, failure: { kind: 'rate-limit', message: '429: slow down' }, latency_ms: 212, attempts: 2, usage: null }] },
    { provider: 'openai', skipped: null, replies: [
      { answer: { action: one.action, confidence: 0.74, reasoning: 'First look: a break of the range.' }, failure: null, latency_ms: 1_420, attempts: 1, usage: { inputTokens: 213, outputTokens: 61 } },
      { answer: { action: one.action, confidence: one.confidence, reasoning: one.reasoning }, failure: null, latency_ms: 1_700, attempts: 1, usage: { inputTokens: 301, outputTokens: 64 } },
    ] },
  ],
})
