import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Feed } from './feed.ts'
import type { Controls, Shown } from './ports.ts'
import { riskOf } from './views.ts'

export interface Metrics {
  readonly registry: Registry
  /** `route` is the pattern, never the address: addresses are endless. */
  served(method: string, route: string, status: number, seconds: number): void
}

/** What `GET /metrics` tells. Numbers of the run are read when somebody asks. */
export function serverMetrics(shown: Shown, controls: Controls | null, feed: Feed): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const { book } = shown
  const gauge = (name: string, help: string, read: () => number | null): void => {
    new Gauge({
      name: `tapedeck_${name}`, help, registers,
      collect() {
        this.reset()
        const value = read()
        if (value !== null) this.set(value)
      },
    })
  }
  const labelled = <L extends string>(name: string, help: string, labels: readonly L[], read: () => Iterable<readonly [Record<L, string>, number]>): void => {
    new Gauge({
      name: `tapedeck_${name}`, help, registers, labelNames: labels,
      collect() {
        this.reset()
        for (const [values, value] of read()) this.set(values, value)
      },
    })
  }
  gauge('running', '1 while the loop runs', () => (controls?.running === true ? 1 : 0))
  gauge('equity_quote', 'Cash and positions at the newest close', () => book.equity)
  gauge('cash_quote', 'Cash', () => book.cash)
  gauge('drawdown_ratio', 'Fall from the peak of equity, 0 or less', () => book.equityPoints.newest?.[2] ?? null)
  gauge('realised_pnl_quote', 'Result of all closed trades after costs', () => book.realisedPnl)
  gauge('open_positions', 'Positions that are held', () => book.openPositions)
  gauge('trades', 'Closed trades of the run', () => book.tradeCount)
  gauge('ai_cost_usd', 'What AI services have cost the run', () => book.aiCost)
  gauge('halted', '1 while no order may leave', () => (riskOf(shown).state === 'HALTED' ? 1 : 0))
  gauge('last_event_timestamp_seconds', 'Time of the newest event of the run', () =>
    (book.lastEventAt === null ? null : Date.parse(book.lastEventAt) / 1000))
  gauge('event_clients', 'Open event streams', () => feed.clients)
  gauge('event_resets', 'Event streams that were told to begin anew', () => feed.resets)
  gauge('resident_memory_bytes', 'Memory of the process', () => process.memoryUsage.rss())
  labelled('decisions', 'Decisions of the run by how they ended', ['status'], () =>
    [...book.statuses].map(([status, count]) => [{ status }, count] as const))
  labelled('position_value_quote', 'Worth of what is held', ['symbol'], () =>
    book.positions.map(({ symbol, quantity, price }) => [{ symbol }, quantity * price] as const))
  labelled('provider_up', '1 = ACTIVE, 0 = cooling down or disabled', ['provider'], () =>
    shown.services().map(({ name, health }) => [{ provider: name }, health.state === 'ACTIVE' ? 1 : 0] as const))
  labelled('provider_successes', 'Answers', ['provider'], () =>
    shown.services().map(({ name, health }) => [{ provider: name }, health.successes] as const))
  labelled('provider_errors', 'Failed questions by kind', ['provider', 'kind'], () =>
    shown.services().flatMap(({ name, health }) => Object.entries(health.errors).map(([kind, count]) => [{ provider: name, kind }, count] as const)))
  labelled('provider_cost_usd', 'Cost so far', ['provider'], () =>
    shown.services().map(({ name, health }) => [{ provider: name }, health.costUsd] as const))
  const requests = new Counter({ name: 'tapedeck_http_requests_total', help: 'Answered requests', labelNames: ['method', 'route', 'status'], registers })
  const seconds = new Histogram({
    name: 'tapedeck_http_request_seconds', help: 'Time to answer', labelNames: ['route'], registers,
    buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5],
  })
  return {
    registry,
    served(method, route, status, took) {
      requests.inc({ method, route, status: String(status) })
      seconds.observe({ route }, took)
    },
  }
}
