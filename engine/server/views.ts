import { averageOf, expectancy, longestLosingStreak, mean, profitFactor } from '../core/metrics.ts'
import type { Policy } from '../core/policy.ts'
import { isoTime } from '../core/time.ts'
import { roundTrip } from '../report/baselines.ts'
import type { OpenPosition } from '../session/trail-book.ts'
import type { Controls, LaneInfo, ServiceInfo, Shown } from './ports.ts'
import { plainTime } from './rows.ts'
import type { Risk } from './risk-state.ts'
import type { CandleValues, RunBook } from './run-book.ts'

/** The lane that trades. */
export const LIVE_LANE = 'live'

const iso = (time: number | null): string | null => (time === null ? null : isoTime(time))

/** `maxOpenPositions` → `max_open_positions`. */
export const snake = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

export const snakePolicy = (policy: Policy): Readonly<Record<string, number | null>> =>
  Object.fromEntries(Object.entries(policy).map(([name, value]) => [snake(name), value as number | null]))

export function statusView(shown: Shown, controls: Controls | null): object {
  const { book } = shown
  const last = book.lastDecision
  return {
    enabled: controls?.enabled ?? false,
    mode: controls?.mode ?? shown.info().mode,
    is_running: controls?.running ?? false,
    trades_executed: book.statuses.get('EXECUTED') ?? 0,
    last_decision_time: last === null ? null : plainTime(last.timestamp),
    current_confidence: last?.confidence ?? null,
    active_positions: book.openPositions,
    loop_iterations: book.decisionCount,
  }
}

export const runView = (shown: Shown): object =>
  ({ ...shown.info(), cash: shown.book.cash, last_event_at: shown.book.lastEventAt })

export function figuresView({ book }: Shown): object {
  const { equity, begunWith, equityPoints } = book
  const trades = [...book.trades]
  const [pnl, net] = [trades.map((trade) => trade.pnl), trades.map(({ net_return }) => net_return)]
  const open = book.positions.reduce((sum, { unrealised }) => sum + unrealised, 0)
  return {
    lane: LIVE_LANE,
    figures: {
      final_equity: equity,
      total_return: totalReturn(book),
      max_drawdown: equityPoints.maxDrawdown,
      trades: book.tradeCount,
      win_rate: book.winRate,
      profit_factor: profitFactor(pnl),
      expectancy: expectancy(net),
      average_win: averageOf(net, 1),
      average_loss: averageOf(net, -1),
      longest_losing_streak: longestLosingStreak(pnl),
      fees: book.fees,
      ai_cost: book.aiCost,
      return_net_of_ai: equity === null || !begunWith ? null : (equity - book.aiCost) / begunWith - 1,
      coverage: book.coverage,
    },
    baselines: { buy_and_hold: holdReturn(book), flat: 0 },
    equity,
    cash: book.cash,
    drawdown: equityPoints.newest?.[2] ?? 0,
    realised_pnl: book.realisedPnl,
    open_pnl: open,
    trades: book.tradeCount,
    win_rate: book.winRate,
    ai_cost: book.aiCost,
    coverage: book.coverage,
    since: book.since,
  }
}

const totalReturn = ({ equity, begunWith }: RunBook): number | null => (equity === null || !begunWith ? null : equity / begunWith - 1)

/** All cash in equal parts at the close that was decided on first, out now, with the run's costs. */
function holdReturn({ spans, costs }: RunBook): number | null {
  if (costs === null) return null
  const growths = [...spans].map(({ first, last }) => roundTrip(first, last, costs))
  return growths.length === 0 ? null : mean(growths) - 1
}

export const laneView = (book: RunBook): LaneInfo => ({
  name: LIVE_LANE,
  description: 'the lane that trades',
  equity: book.equity,
  net_return: totalReturn(book),
  trades: book.tradeCount,
  win_rate: book.winRate,
  max_drawdown: book.equityPoints.maxDrawdown,
  open_positions: book.openPositions,
})

export function positionView(book: RunBook, position: OpenPosition): object {
  const { symbol, quantity, entryPrice, entryTime, stop, target, price, unrealised, unrealisedShare } = position
  return {
    symbol, quantity, entry_price: entryPrice, entry_time: isoTime(entryTime), stop, target, price, value: quantity * price,
    open_pnl: unrealised, open_return: unrealisedShare, leaving: book.orders.isLeaving(symbol),
  }
}

/** What a position's event carries once there is none any more. */
export const goneView = (symbol: string): object => ({ symbol, quantity: 0 })

export function candlesView(book: RunBook, symbol: string, limit: number): object {
  const candles = book.candles(symbol)?.newest(limit).reverse() ?? []
  const from = candles.at(0)?.[0] ?? 0
  const marks = [...book.marks].filter((mark) => mark.symbol === symbol && mark.time >= from)
  return candlesOf(book, symbol, candles, marks)
}

/** `marks` of the symbol, oldest first. */
export function candlesOf(book: RunBook, symbol: string, candles: readonly CandleValues[], marks: RunBookMarks): object {
  const position = book.position(symbol)
  return {
    symbol, timeframe: book.timeframe, candles,
    marks: marks.map(({ time, kind, price, reason }) => ({ time, kind, price, reason })),
    position: position === null ? null : { stop: position.stop, target: position.target, entry_price: position.entryPrice },
  }
}

type RunBookMarks = readonly { readonly time: number; readonly kind: string; readonly price: number; readonly reason: string | null }[]

const LIMITS = [
  'max_open_positions', 'max_exposure', 'max_position_size', 'max_daily_loss', 'max_drawdown', 'max_consecutive_losses', 'cooldown',
]

/** A person's halt is in force from the moment on that it is on disk. */
export function riskOf(shown: Shown): Risk {
  const { risk } = shown.book
  const reason = shown.halted?.() ?? null
  return reason === null || risk.state === 'HALTED' ? risk : { ...risk, state: 'HALTED', reason }
}

export function riskView(shown: Shown): object {
  const { policy } = shown.info()
  return { ...riskOf(shown), limits: Object.fromEntries(LIMITS.map((name) => [name, policy[name] ?? null])) }
}

const asked = ({ successes, errors }: ServiceInfo['health']): number =>
  Object.values(errors).reduce((sum, count) => sum + count, successes)

/** `p` of the newest latencies, in ms. */
function percentile(latencies: readonly number[], p: number): number | null {
  const sorted = [...latencies].sort((a, b) => a - b)
  return sorted[Math.ceil(p * sorted.length) - 1] ?? null
}

export function providerView({ name, priority, health }: ServiceInfo): object {
  const { state, reason, until, successes, errors, latencies, inputTokens, outputTokens, costUsd, lastUsed } = health
  const questions = asked(health)
  return {
    name, priority, state, reason, until: iso(until), success_rate: questions === 0 ? null : successes / questions, successes, errors,
    latency_p50_ms: percentile(latencies, 0.5), latency_p95_ms: percentile(latencies, 0.95),
    input_tokens: inputTokens, output_tokens: outputTokens, cost_usd: costUsd, last_used: iso(lastUsed),
  }
}

export function backupView({ name, priority, health }: ServiceInfo): object {
  const questions = asked(health)
  return {
    name, priority, status: health.state, success_rate: questions === 0 ? null : health.successes / questions,
    error_count: questions - health.successes, last_used: iso(health.lastUsed),
  }
}
