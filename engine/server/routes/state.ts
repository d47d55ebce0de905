import type { FastifyInstance } from 'fastify'
import type { PastLine } from '../../ports.ts'
import type { ServiceInfo, Shown } from '../ports.ts'
import { decisionRow, seqOf, type DecisionRow } from '../rows.ts'
import { unknown } from '../refusal.ts'
import * as shapes from '../shapes.ts'
import { answers, typed, type RouteParts } from './parts.ts'
import {
  backupView, candlesView, figuresView, laneView, positionView, providerView, riskView, runView, statusView,
} from '../views.ts'

/** Everything that shows the run and changes nothing. */
export function stateRoutes(app: FastifyInstance, { shown, controls, trail }: RouteParts): void {
  const { book } = shown
  const server = typed(app)
  const { query, params } = shapes

  server.get('/api/autonomous-status', answers('The loop as it stands', shapes.statusShape), () => statusView(shown, controls))
  server.get('/api/autonomous-history', { schema: { ...answers('Newest decisions', shapes.historyShape).schema, querystring: query.history } },
    ({ query: { limit } }) => book.decisions.newest(limit).map(({ history }) => history))
  server.get('/api/backup-services-status', answers('AI services in order of priority', shapes.backupsShape),
    () => ({ services: shown.services().map(backupView) }))
  server.get('/api/run', answers('What the run is', shapes.runShape), () => runView(shown))
  server.get('/api/figures', answers('Figures and baselines', shapes.figuresShape), () => figuresView(shown))
  server.get('/api/positions', answers('Open positions', shapes.positionsShape),
    () => book.positions.map((position) => positionView(book, position)))
  server.get('/api/orders', { schema: { ...answers('Newest orders', shapes.ordersShape).schema, querystring: query.orders } },
    ({ query: { limit } }) => book.orders.newest(limit))
  server.get('/api/trades', { schema: { ...answers('Newest closed trades', shapes.tradesShape).schema, querystring: query.trades } },
    ({ query: { limit } }) => book.trades.newest(limit))
  server.get('/api/equity', answers('Equity over time', shapes.equityShape),
    () => ({ start: book.begunWith, points: book.equityPoints.points }))
  server.get('/api/candles', { schema: { ...answers('Candles, entries and exits', shapes.candlesShape).schema, querystring: query.candles } },
    ({ query: { symbol = book.symbols.at(0), limit } }) => {
      if (symbol !== undefined && book.symbols.includes(symbol)) return candlesView(book, symbol, limit)
      throw unknown(symbol === undefined ? 'nothing has run yet' : 'the run does not trade that symbol', `one of: ${book.symbols.join(', ')}`)
    })
  server.get('/api/risk', answers('Whether it may trade', shapes.riskShape), () => riskView(shown))
  server.get('/api/providers', answers('AI services, their health and cost', shapes.providersShape), () => shown.services().map(providerView))
  server.get('/api/providers/:name', { schema: { ...answers('One AI service', shapes.providerShape).schema, params: params.name } },
    ({ params: { name } }) => providerView(serviceNamed(shown, name)))
  server.get('/api/lanes', answers('The trading lane and its shadows', shapes.lanesShape), () => [laneView(book), ...shown.lanes()])
  server.get('/api/alarms', { schema: { ...answers('Newest alarms', shapes.alarmsShape).schema, querystring: query.alarms } },
    ({ query: { limit } }) => book.alarms.newest(limit))

  server.get('/api/decisions', { schema: { ...answers('Newest decisions in detail', shapes.decisionsShape).schema, querystring: query.decisions } },
    async ({ query: { limit, before = Infinity, status } }) => {
      const fits = (row: DecisionRow): boolean => row.id < before && (status === undefined || row.status === status)
      const rows = book.decisions.newest(limit, ({ row }) => fits(row)).map(({ row }) => row)
      const oldest = book.decisions.at(0)?.row.id ?? 1
      if (rows.length === limit || book.decisions.length === book.decisionCount) return rows
      const older = await trail.backwards(Math.min(before, oldest), limit - rows.length,
        (line) => line.type === 'decision' && fits(decisionRow(line)))
      return [...rows, ...older.map(decisionRow)]
    })
  server.get('/api/decisions/:id', { schema: { ...answers('A decision and its whole conversation', shapes.wholeDecisionShape).schema, params: params.decision } },
    async ({ params: { id } }) => {
      const [line] = await trail.backwards(id + 1, 1, (one) => one.type === 'decision' && seqOf(one) === id)
      if (line === undefined || seqOf(line) !== id) throw unknown(`there is no decision ${id}`)
      const [asked] = await trail.backwards(id, 1, (one) => one['symbol'] === line['symbol']
        && (one.type === 'decision' || (one.type === 'provider' && one['event'] === 'consulted')))
      const { prev: _, ...shownLine } = line
      const concerned = asked?.type === 'provider' && asked.timestamp === line.timestamp
      return { ...shownLine, conversation: concerned ? conversation(asked) : [] }
    })
}

/** Throws a Refusal. */
export function serviceNamed(shown: Shown, name: string): ServiceInfo {
  const services = shown.services()
  const found = services.find((one) => one.name === name)
  if (found !== undefined) return found
  throw unknown('there is no such AI service', `one of: ${services.map((one) => one.name).join(', ') || 'none'}`)
}

interface Replied {
  readonly provider: string
  readonly skipped: string | null
  readonly replies: readonly {
    readonly answer: unknown; readonly failure: unknown; readonly latencyMs: number; readonly attempts: number; readonly usage: unknown
  }[]
}

const conversation = (line: PastLine): object[] => (line['steps'] as readonly Replied[]).map(({ provider, skipped, replies }) => ({
  provider, skipped,
  replies: replies.map(({ answer, failure, latencyMs, attempts, usage }) => ({ answer, failure, latency_ms: latencyMs, attempts, usage })),
}))
