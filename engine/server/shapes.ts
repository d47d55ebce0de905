import { z } from 'zod'
import { STATUSES } from '../core/opinion.ts'

/** Answers and requests as the documentation shows them. Requests are held against them. */

const nullable = { number: z.number().nullable(), string: z.string().nullable() }
const time = z.string().describe('ISO 8601 in UTC')
const limit = (most: number, otherwise: number): z.ZodDefault<z.ZodCoercedNumber> => z.coerce.number<number>().int().min(1).max(most).default(otherwise)

export const errorShape = z.object({ error: z.object({ code: z.string(), message: z.string(), do: nullable.string }) })

export const statusShape = z.object({
  enabled: z.boolean(), mode: z.enum(['AUTONOMOUS', 'MANUAL']), is_running: z.boolean(), trades_executed: z.int(),
  last_decision_time: nullable.string.describe('YYYY-MM-DD HH:MM:SS in UTC'), current_confidence: nullable.number,
  active_positions: z.int(), loop_iterations: z.int(),
})

export const historyShape = z.array(z.object({
  timestamp: time, market_data: z.record(z.string(), z.unknown()), reasoning: z.string(), confidence: nullable.number,
  action: z.string(), status: z.enum(STATUSES),
}))

export const backupsShape = z.object({
  services: z.array(z.object({
    name: z.string(), priority: nullable.number, status: z.enum(['ACTIVE', 'COOLING', 'DISABLED']), success_rate: nullable.number,
    error_count: z.int(), last_used: nullable.string,
  })),
})

export const runShape = z.object({
  run: nullable.string, state: z.enum(['running', 'stopped', 'finished', 'failed', 'crashed']), kind: z.string(), venue: z.string(),
  scenario: nullable.string, scenario_hash: nullable.string, strategy: nullable.string, symbols: z.array(z.string()),
  timeframe: nullable.string, mode: z.enum(['AUTONOMOUS', 'MANUAL']), started_at: nullable.string, providers: z.array(z.string()),
  policy: z.record(z.string(), nullable.number), base_rate: nullable.number, break_even: nullable.number, notes: z.array(z.string()),
  currency: z.string(), lanes: z.array(z.string()), cash: nullable.number, last_event_at: nullable.string,
})

export const figuresShape = z.object({
  lane: z.string(), figures: z.record(z.string(), nullable.number),
  baselines: z.object({ buy_and_hold: nullable.number, flat: z.literal(0) }), equity: nullable.number, cash: nullable.number,
  drawdown: z.number(), realised_pnl: z.number(), open_pnl: z.number(), trades: z.int(), win_rate: nullable.number,
  ai_cost: z.number(), coverage: nullable.number, since: nullable.string,
})

export const positionShape = z.object({
  symbol: z.string(), quantity: z.number(), entry_price: z.number(), entry_time: time, stop: nullable.number, target: nullable.number,
  price: z.number(), value: z.number(), open_pnl: z.number(), open_return: z.number(), leaving: z.boolean(),
})
export const positionsShape = z.array(positionShape)

export const ordersShape = z.array(z.object({
  id: z.string(), symbol: z.string(), side: z.enum(['buy', 'sell']), state: z.string(), reason: nullable.string, time,
  quantity: nullable.number, spend: nullable.number, price: nullable.number,
}))

export const tradesShape = z.array(z.object({
  symbol: z.string(), entry_time: time, entry_price: z.number(), exit_time: time, exit_price: z.number(), quantity: z.number(),
  reason: z.string(), fees: z.number(), pnl: z.number(), net_return: z.number(), stop: nullable.number, target: nullable.number,
  candles: z.int(),
}))

export const equityShape = z.object({
  start: nullable.number, points: z.array(z.tuple([z.number(), z.number(), z.number()])).describe('time in ms, equity, drawdown'),
})

export const candlesShape = z.object({
  symbol: z.string(), timeframe: nullable.string,
  candles: z.array(z.array(z.number())).describe('open time in ms, open, high, low, close, volume'),
  marks: z.array(z.object({ time: z.number(), kind: z.enum(['entry', 'exit']), price: z.number(), reason: nullable.string })),
  position: z.object({ stop: nullable.number, target: nullable.number, entry_price: z.number() }).nullable(),
})

export const decisionShape = z.object({
  id: z.int(), timestamp: time, symbol: z.string(), action: z.string(), confidence: nullable.number, required: nullable.number,
  status: z.enum(STATUSES), reason: nullable.string, provider: nullable.string, model: nullable.string,
  fallbacks: z.array(z.object({ provider: z.string(), error: z.string() })), reasoning: z.string(), latency_ms: z.number(),
  cost_usd: z.number(),
  phases: z.object({ initial: z.boolean(), refinement: z.int(), risk: z.boolean().nullable(), confidence: z.boolean().nullable() }),
})
export const decisionsShape = z.array(decisionShape)
export const wholeDecisionShape = z.looseObject({
  type: z.literal('decision'), seq: z.int(), timestamp: time, symbol: z.string(),
  conversation: z.array(z.object({
    provider: z.string(), skipped: nullable.string,
    replies: z.array(z.object({
      answer: z.unknown(), failure: z.unknown(), latency_ms: z.number(), attempts: z.number(), usage: z.unknown(),
    })),
  })),
})

export const riskShape = z.object({
  state: z.enum(['RUNNING', 'REDUCING', 'HALTED']), reason: nullable.string, since: nullable.string,
  limits: z.record(z.string(), nullable.number),
})
export const acceptedShape = z.object({ accepted: z.literal(true), symbol: z.string(), outcome: z.enum(['sold', 'asked']) })
export const panicShape = z.object({
  state: z.enum(['RUNNING', 'REDUCING', 'HALTED']), closed: z.array(z.string()),
  failed: z.array(z.object({ symbol: z.string(), message: z.string() })),
}).describe('what became of a panic')

export const providerShape = z.object({
  name: z.string(), priority: nullable.number, state: z.enum(['ACTIVE', 'COOLING', 'DISABLED']), reason: nullable.string,
  until: nullable.string, success_rate: nullable.number, successes: z.int(), errors: z.record(z.string(), z.int()),
  latency_p50_ms: nullable.number, latency_p95_ms: nullable.number, input_tokens: z.number(), output_tokens: z.number(),
  cost_usd: z.number(), last_used: nullable.string,
})
export const providersShape = z.array(providerShape)

export const lanesShape = z.array(z.object({
  name: z.string(), description: z.string(), equity: nullable.number, net_return: nullable.number, trades: z.int(),
  win_rate: nullable.number, max_drawdown: nullable.number, open_positions: z.int(),
}))

export const alarmsShape = z.array(z.object({
  id: z.int(), time: nullable.string, event: z.string(), symbol: nullable.string, text: z.string(),
}))

export const runsShape = z.array(z.object({
  run: z.string(), kind: z.string(), state: z.string(), scenario: nullable.string, symbols: z.array(z.string()), timeframe: nullable.string,
  started_at: nullable.string, net_return: nullable.number, trades: nullable.number, has_report: z.boolean(),
}))

export const query = {
  history: z.object({ limit: limit(500, 20) }),
  orders: z.object({ limit: limit(1_000, 100) }),
  trades: z.object({ limit: limit(5_000, 200) }),
  alarms: z.object({ limit: limit(200, 50) }),
  candles: z.object({ symbol: z.string().max(41).optional().describe('the run\'s first, if left out'), limit: limit(2_000, 500) }),
  decisions: z.object({
    limit: limit(500, 50), before: z.coerce.number<number>().int().min(1).max(Number.MAX_SAFE_INTEGER).optional().describe('only with a smaller id'),
    status: z.enum(STATUSES).optional(),
  }),
}

export const params = {
  decision: z.object({ id: z.coerce.number<number>().int().min(1).max(Number.MAX_SAFE_INTEGER) }),
  name: z.object({ name: z.string().max(100) }),
  run: z.object({ id: z.string().max(200) }),
}

const reason = z.string().max(200).optional().describe('stands in the trail')

export const body = {
  close: z.strictObject({ symbol: z.string().max(41), confirm: z.literal(true), reason }),
  risk: z.strictObject({
    action: z.enum(['halt', 'reduce', 'resume', 'panic']), confirm: z.boolean().optional().describe('true is needed for panic'),
    reason,
  }),
  service: z.strictObject({ action: z.enum(['enable', 'disable']) }),
  login: z.strictObject({ token: z.string().max(1_000) }),
}
