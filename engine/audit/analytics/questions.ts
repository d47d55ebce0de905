/** A question that is asked so often that it has a name. */
export interface Question {
  readonly name: string
  /** One sentence: what the rows say. */
  readonly about: string
  readonly sql: string
}

/**
 * An executed entry and the trade it led to. A position is entered once, at its fill, so that run, symbol and the time of
 * the fill that opened it name both.
 */
const OUTCOMES = `
  SELECT d.run, d.symbol, d.time, d.provider, d.confidence, t.pnl, t.net_return
  FROM decisions d
  JOIN fills f ON f.run = d.run AND f.symbol = d.symbol AND f.order_id = d.order_id AND f.side = 'buy'
  JOIN trades t ON t.run = f.run AND t.symbol = f.symbol AND t.entry_time = f.time
  WHERE d.status = 'EXECUTED' AND d.action = 'BUY'
  GROUP BY ALL`

export const QUESTIONS: readonly Question[] = [
  {
    name: 'hit-rate',
    about: 'Closed trades and the share of them that won, by the provider that decided the entry and the hour of the day (UTC).',
    sql: `WITH outcomes AS (${OUTCOMES})
SELECT provider, hour(time) AS hour, count(*) AS trades, avg((pnl > 0)::INT) AS hit_rate, avg(net_return) AS mean_net_return
FROM outcomes GROUP BY provider, hour(time) ORDER BY provider, hour`,
  },
  {
    name: 'cost-per-trade',
    about: 'What AI answers cost by the provider that decided in the end, and per entry or exit that was executed (USD).',
    sql: `SELECT provider, count(*) AS decisions, count(*) FILTER (status = 'EXECUTED') AS executed,
  coalesce(sum(cost_usd), 0) AS cost_usd, coalesce(sum(cost_usd), 0) / nullif(count(*) FILTER (status = 'EXECUTED'), 0) AS usd_per_executed
FROM decisions WHERE provider IS NOT NULL GROUP BY provider ORDER BY provider`,
  },
  {
    name: 'rejections',
    about: 'Why decisions were rejected, the most frequent reason first.',
    sql: `SELECT reason, count(*) AS decisions, count(*) / sum(count(*)) OVER () AS share,
  count(*) FILTER (action = 'BUY') AS entries, count(*) FILTER (action = 'SELL') AS exits
FROM decisions WHERE status = 'REJECTED' GROUP BY reason ORDER BY decisions DESC, reason`,
  },
  {
    name: 'fallbacks',
    about: 'How often a provider did not answer and the next one decided, by day (UTC).',
    sql: `SELECT time::DATE AS day, provider, count(*) AS fallbacks, min(message) AS example
FROM provider_events WHERE event = 'fallback' GROUP BY time::DATE, provider ORDER BY day, provider`,
  },
  {
    name: 'worst-trades',
    about: 'The twenty trades that lost most, by net return.',
    sql: `SELECT run, symbol, entry_time, exit_time, entry_price, exit_price, reason, pnl, net_return, candles
FROM trades WHERE pnl < 0 ORDER BY net_return, run, seq LIMIT 20`,
  },
  {
    name: 'latency',
    about: 'How long decisions took by provider: median, 95th percentile and longest (ms).',
    sql: `SELECT provider, count(*) AS decisions, quantile_cont(latency_ms, 0.5) AS median_ms, quantile_cont(latency_ms, 0.95) AS p95_ms,
  max(latency_ms) AS longest_ms
FROM decisions WHERE provider IS NOT NULL GROUP BY provider ORDER BY provider`,
  },
  {
    name: 'exits',
    about: 'Why positions were closed, and what that brought.',
    sql: `SELECT reason, count(*) AS trades, avg((pnl > 0)::INT) AS win_rate, avg(net_return) AS mean_net_return, sum(pnl) AS pnl, avg(candles) AS mean_candles
FROM trades GROUP BY reason ORDER BY trades DESC, reason`,
  },
  {
    name: 'confidence',
    about: 'What entries earned by how confident they were, in steps of 0.05, beside the confidence itself.',
    sql: `WITH outcomes AS (${OUTCOMES})
SELECT floor(round(confidence * 20, 9)) / 20 AS from_confidence, count(*) AS trades, avg(confidence) AS mean_confidence,
  avg((pnl > 0)::INT) AS win_rate, avg(net_return) AS mean_net_return
FROM outcomes GROUP BY floor(round(confidence * 20, 9)) ORDER BY from_confidence`,
  },
  {
    name: 'equity-by-month',
    about: 'Equity at the end of each month by run (quote), and the change since the month before.',
    sql: `WITH months AS (SELECT run, date_trunc('month', date)::DATE AS month, arg_max(equity, date) AS final_equity FROM equity GROUP BY ALL)
SELECT run, month, final_equity, final_equity / lag(final_equity) OVER (PARTITION BY run ORDER BY month) - 1 AS change
FROM months ORDER BY run, month`,
  },
  {
    name: 'flips',
    about: 'How often asking again changed the action, by provider and from what to what.',
    sql: `SELECT provider, initial_action, action, count(*) AS decisions,
  count(*) / sum(count(*)) OVER (PARTITION BY provider) AS share, avg(initial_confidence) AS mean_before, avg(confidence) AS mean_after
FROM decisions WHERE refinements > 0 GROUP BY provider, initial_action, action ORDER BY provider, initial_action, action`,
  },
  {
    name: 'failures',
    about: 'Which failures each provider had, and on how many decisions (of live runs, which record each question).',
    sql: `SELECT provider, failure, count(*) AS questions, avg(attempts) AS mean_attempts, min(time) AS first_time, max(time) AS last_time
FROM provider_events WHERE event = 'failed' GROUP BY provider, failure ORDER BY provider, questions DESC, failure`,
  },
  {
    name: 'rules',
    about: 'How often each risk rule was asked and how often it refused, those that refused most first.',
    sql: `SELECT rule, order_kind, count(*) AS asked, count(*) FILTER (NOT passed) AS refused
FROM checks GROUP BY rule, order_kind ORDER BY refused DESC, rule, order_kind`,
  },
  {
    name: 'runs',
    about: 'All runs with their result, the best return first.',
    sql: `SELECT run, kind, state, total_return, max_drawdown, sharpe, trades, win_rate, ai_cost
FROM runs ORDER BY total_return DESC NULLS LAST, run`,
  },
]

export const questionOf = (name: string): Question | undefined => QUESTIONS.find((one) => one.name === name)
