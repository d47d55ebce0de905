import { columns, LINE_KEY, type TableSpec } from './table-spec.ts'

const order = (path: string, type: string): string => `(l."order"->>'$.${path}')::${type}`
const market = (path: string, type: string): string => `(l.market_data->>'$.${path}')::${type}`

const decisions: TableSpec = {
  about: 'One row per decision: what was said about a closed candle, what the rules made of it and how it ended.',
  source: "trail.lines l WHERE l.type = 'decision'",
  reads: ['type'],
  columns: columns(
    ...LINE_KEY,
    ['timeframe', 'VARCHAR', 'Length of the candle, such as 1h.', 'l.timeframe', 'timeframe'],
    ['price', 'DOUBLE', 'Close of the candle, quote per base.', market('price', 'DOUBLE'), 'market_data'],
    ['volume', 'DOUBLE', 'Volume of the candle, base.', market('volume', 'DOUBLE'), 'market_data'],
    ['trend', 'VARCHAR', 'UP, DOWN or SIDEWAYS, as it was put to the provider.', market('trend', 'VARCHAR'), 'market_data'],
    ['market_data', 'JSON', 'All that was known of the market, the strategy’s indicators by name: market_data->>\'rsi\'.', 'l.market_data', 'market_data'],
    ['provider', 'VARCHAR', 'Who decided; null where the candle came too late to ask.', 'l.provider', 'provider'],
    ['model', 'VARCHAR', 'The AI’s model; null for rules.', 'l.model', 'model'],
    ['fallbacks', 'BIGINT', 'Providers that were to be asked before and did not answer.', 'coalesce(len(l.fallbacks), 0)', 'fallbacks'],
    ['action', 'VARCHAR', 'The final opinion: BUY, SELL or HOLD.', 'l."action"', 'action'],
    ['confidence', 'DOUBLE', 'Confidence of the final opinion, 0 to 1.', 'l.confidence', 'confidence'],
    ['initial_action', 'VARCHAR', 'The first answer, before any refinement.', 'l.phases.initial."action"', 'phases'],
    ['initial_confidence', 'DOUBLE', 'Confidence of the first answer, 0 to 1.', 'l.phases.initial.confidence', 'phases'],
    ['refinements', 'BIGINT', 'How often the provider was asked to think again.', 'coalesce(len(l.phases.refinement), 0)', 'phases'],
    ['flipped', 'BOOLEAN', 'The final action is another than the first; false where nobody was asked again.',
      'coalesce(len(l.phases.refinement), 0) > 0 AND l.phases.initial."action" <> l."action"', 'phases', 'action'],
    ['p_target_first', 'DOUBLE', 'Forecast of the first answer that the target is reached before the stop, 0 to 1; null where it is not scored.',
      'l.phases.initial.pTargetFirst', 'phases'],
    ['reasoning', 'VARCHAR', 'The final opinion in the provider’s words.', 'l.reasoning', 'reasoning'],
    ['order_kind', 'VARCHAR', 'What the rules looked at: entry or exit; null for HOLD.', 'l.phases.risk."order"', 'phases'],
    ['validated', 'BOOLEAN', 'Every risk rule passed; null for HOLD.', 'l.phases.risk.validated', 'phases'],
    ['required', 'DOUBLE', 'Confidence that the policy asked for, 0 to 1; null for HOLD.', 'l.phases.confidence.required', 'phases'],
    ['confident', 'BOOLEAN', 'The confidence was enough; null for HOLD.', 'l.phases.confidence.verified', 'phases'],
    ['status', 'VARCHAR', 'EXECUTED, FAILED, REJECTED, SKIPPED or SIGNAL (wanted, but the lane sends nothing).', 'l.status', 'status'],
    ['reason', 'VARCHAR', 'Why it was not executed: hold, low-confidence, a risk rule, or what the venue said.', 'l.reason', 'reason'],
    ['order_id', 'VARCHAR', 'The order that was proposed; joins with fills.order_id once executed.', order('id', 'VARCHAR'), 'order'],
    ['spend', 'DOUBLE', 'What an entry was to spend, quote.', order('spend', 'DOUBLE'), 'order'],
    ['quantity', 'DOUBLE', 'What an exit was to sell, base.', order('quantity', 'DOUBLE'), 'order'],
    ['input_tokens', 'DOUBLE', 'Tokens that were put to AI services, whether their answers were used or not; null where none are counted.', 'l.usage.input_tokens', 'usage'],
    ['output_tokens', 'DOUBLE', 'Tokens that AI services answered with; null where none are counted.', 'l.usage.output_tokens', 'usage'],
    ['cost_usd', 'DOUBLE', 'What that cost, USD; null where no tokens are counted.', 'l.usage.cost_usd', 'usage'],
    ['latency_ms', 'DOUBLE', 'From the first question to the last answer, ms; 0 for rules.', 'l.latency_ms', 'latency_ms'],
  ),
}

const SAID = '[l.phases.initial] || coalesce(l.phases.refinement, [])'

const turns: TableSpec = {
  about: 'One row per answer of the provider that decided: turn 0 is the first, refinements follow.',
  source: `(SELECT l.*, unnest(${SAID}) AS said, generate_subscripts(${SAID}, 1) - 1 AS turn `
    + "FROM trail.lines l WHERE l.type = 'decision' AND l.phases IS NOT NULL) l",
  reads: ['type', 'phases'],
  columns: columns(
    ...LINE_KEY,
    ['turn', 'BIGINT', '0 for the first answer, 1 … for refinements.', 'l.turn', 'phases'],
    ['provider', 'VARCHAR', 'Who answered.', 'l.provider', 'provider'],
    ['model', 'VARCHAR', 'The AI’s model; null for rules.', 'l.model', 'model'],
    ['action', 'VARCHAR', 'BUY, SELL or HOLD.', 'l.said."action"', 'phases'],
    ['confidence', 'DOUBLE', 'Confidence of this answer, 0 to 1.', 'l.said.confidence', 'phases'],
    ['p_target_first', 'DOUBLE', 'Forecast that the target is reached before the stop, 0 to 1; null where it is not scored.', 'l.said.pTargetFirst', 'phases'],
    ['reasoning', 'VARCHAR', 'The answer in the provider’s words.', 'l.said.reasoning', 'phases'],
  ),
}

const checks: TableSpec = {
  about: 'One row per risk rule that concerned a proposed order.',
  source: '(SELECT l.*, unnest(map_entries(l.phases.risk.checks)) AS checked '
    + "FROM trail.lines l WHERE l.type = 'decision' AND l.phases.risk IS NOT NULL) l",
  reads: ['type', 'phases'],
  columns: columns(
    ...LINE_KEY,
    ['order_kind', 'VARCHAR', 'entry or exit.', 'l.phases.risk."order"', 'phases'],
    ['rule', 'VARCHAR', 'The rule’s name, such as cooldown.', 'l.checked.key', 'phases'],
    ['passed', 'BOOLEAN', 'The rule let the order through.', 'l.checked.value', 'phases'],
  ),
}

const NO_WORDS = 'NULL::VARCHAR AS skipped, NULL::VARCHAR AS kind, NULL::VARCHAR AS message, NULL::BIGINT AS http_status'
const NO_NUMBERS = 'NULL::DOUBLE AS latency_ms, NULL::BIGINT AS attempts, NULL::DOUBLE AS input_tokens, NULL::DOUBLE AS output_tokens, NULL::DOUBLE AS cost_usd'
const KEY = 'l.run, l.seq, l."timestamp", l.symbol'
const NO_STATE = 'NULL::VARCHAR AS state, NULL::VARCHAR AS reason, NULL::TIMESTAMP AS "until"'

/** Health of services, each question with its outcome, links that were not asked, and the fallbacks of decisions. */
const EVENTS = [
  `SELECT ${KEY}, 'state' AS what, l.service AS provider, NULL::BIGINT AS turn, ${NO_WORDS}, ${NO_NUMBERS}, l.state, l.reason, l."until" `
    + "FROM trail.lines l WHERE l.type = 'provider' AND l.event = 'state'",
  `SELECT ${KEY}, 'skipped', s.provider, NULL, s.skipped, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, ${NO_STATE} `
    + "FROM (SELECT l.*, unnest(l.steps) AS s FROM trail.lines l WHERE l.type = 'provider') l WHERE s.skipped IS NOT NULL",
  `SELECT ${KEY}, CASE WHEN r.failure IS NULL THEN 'answered' ELSE 'failed' END, l.asked, l.turn, NULL, r.failure.kind, `
    + `r.failure.message, r.failure.status, r.latencyMs, r.attempts, r.usage.inputTokens, r.usage.outputTokens, r.usage.costUsd, ${NO_STATE} `
    + 'FROM (SELECT l.*, l.s.provider AS asked, unnest(l.s.replies) AS r, generate_subscripts(l.s.replies, 1) - 1 AS turn '
    + "FROM (SELECT l.*, unnest(l.steps) AS s FROM trail.lines l WHERE l.type = 'provider') l) l",
  `SELECT ${KEY}, 'fallback', f.provider, NULL, NULL, NULL, f.error, NULL, NULL, NULL, NULL, NULL, NULL, ${NO_STATE} `
    + "FROM (SELECT l.*, unnest(l.fallbacks) AS f FROM trail.lines l WHERE l.type = 'decision') l",
]

const providerEvents: TableSpec = {
  about: 'One row per thing that happened with a provider: a question and its outcome, a link that was not asked, a change of its health, a fallback.',
  source: `(${EVENTS.join(' UNION ALL ')}) l`,
  reads: ['type', 'seq', 'timestamp', 'symbol', 'event', 'service', 'state', 'reason', 'until', 'steps', 'fallbacks'],
  columns: columns(
    ...LINE_KEY,
    ['event', 'VARCHAR', 'answered, failed, skipped or state, which only live runs record; fallback, which every decision does that had to go on to the next provider.', 'l.what'],
    ['provider', 'VARCHAR', 'Which provider, or which AI service for state.', 'l.provider'],
    ['turn', 'BIGINT', 'Which question of the conversation, from 0; null but for answered and failed.', 'l.turn'],
    ['skipped', 'VARCHAR', 'Why it was not asked: no-key, disabled, cooling, budget or deadline.', 'l.skipped'],
    ['failure', 'VARCHAR', 'Kind of failure, such as timeout.', 'l.kind'],
    ['message', 'VARCHAR', 'The failure in words.', 'l.message'],
    ['http_status', 'BIGINT', 'HTTP status of a failure; null where there was none.', 'l.http_status'],
    ['latency_ms', 'DOUBLE', 'From the question to its outcome, pauses between attempts included, ms.', 'l.latency_ms'],
    ['attempts', 'BIGINT', 'Requests that were sent for the question.', 'l.attempts'],
    ['input_tokens', 'DOUBLE', 'Tokens of the question.', 'l.input_tokens'],
    ['output_tokens', 'DOUBLE', 'Tokens of the answer.', 'l.output_tokens'],
    ['cost_usd', 'DOUBLE', 'What the question cost, USD; 0 where no price is known.', 'l.cost_usd'],
    ['state', 'VARCHAR', 'ACTIVE, COOLING or DISABLED from here on.', 'l.state'],
    ['reason', 'VARCHAR', 'Why the state changed.', 'l.reason'],
    ['until', 'TIMESTAMP', 'When it is asked again, UTC; null where that is open.', 'l."until"'],
  ),
}

export const DECISION_TABLES = { decisions, turns, checks, provider_events: providerEvents }
