import { expect, it } from 'vitest'
import { tellChanges } from '../../../../engine/server/changes.ts'
import { apply, type Outdated } from '../../../../engine/server/dashboard/data/apply.ts'
import { KEPT, Store } from '../../../../engine/server/dashboard/data/store.ts'
import { Feed } from '../../../../engine/server/feed.ts'
import type { FeedEvent } from '../../../../engine/server/ports.ts'
import { RunBook } from '../../../../engine/server/run-book.ts'
import { runInfo } from '../../../../engine/server/run-info.ts'
import { candlesView, positionView, riskView, statusView } from '../../../../engine/server/views.ts'
import { emptyDashboard } from '../../../support/dashboard-data.ts'
import { trailOf } from '../../../support/rehearsal.ts'
import { DICE, rehearsed } from '../../../support/served-run.ts'

/** A feed that one page reads at once, as JSON. */
class Read extends Feed {
  readonly #read: (event: FeedEvent, data: unknown) => void

  constructor(read: (event: FeedEvent, data: unknown) => void) {
    super({ boot: 'x', heartbeatMs: 60_000 })
    this.#read = read
  }

  override tell(event: FeedEvent, data: () => unknown): void {
    this.#read(event, JSON.parse(JSON.stringify(data())))
  }
}

it('the page stands where the server stands after a whole run, by its events alone', async () => {
  const store = new Store()
  const { run, status, figures, positions, trades, equity, decisions, risk, lanes, alarms, candles } = emptyDashboard()
  store.run.set(run)
  store.status.set(status)
  store.figures.set(figures)
  store.positions.set(positions)
  store.trades.set(trades)
  store.equity.set(equity)
  store.decisions.set(decisions)
  store.risk.set(risk)
  store.lanes.set(lanes)
  store.alarms.set(alarms)
  store.candles.set(candles['BTC/USDT'])
  const outdated = new Set<Outdated>()
  const heard = new Set<FeedEvent>()
  const feed = new Read((event, data) => {
    heard.add(event)
    for (const one of apply(store, event, data)) outdated.add(one)
  })
  const book = new RunBook()
  const shown = { book, info: () => runInfo(null, book), services: () => [], lanes: () => [] }
  const end = tellChanges(shown, null, feed)
  for (const line of trailOf(await rehearsed(DICE))) book.see(line)
  end()
  feed.close()
  expect([...heard].sort()).toEqual(['candle', 'decision', 'equity', 'lanes', 'order', 'position', 'risk', 'run', 'status', 'trade'])
  // Nothing that the page could not read, for which it would ask for everything.
  expect([...outdated].sort()).toEqual(['candles', 'figures', 'positions', 'runs'])
  expect(book.equityPoints.points.length).toBeGreaterThan(100)
  expect(store.equity.current).toEqual({ start: book.begunWith, points: book.equityPoints.points })
  expect(store.decisions.current).toEqual(book.decisions.newest(KEPT.decisions).map(({ row }) => row))
  expect(store.trades.current).toEqual(book.trades.newest(KEPT.trades))
  expect(store.positions.current).toEqual(book.positions.map((one) => positionView(book, one)))
  expect(store.candles.current!.candles).toEqual((candlesView(book, 'BTC/USDT', KEPT.candles) as { candles: unknown }).candles)
  expect(store.status.current).toEqual(statusView(shown, null))
  expect(store.risk.current).toEqual(riskView(shown))
  expect(store.lanes.current!.map(({ trades }) => trades)).toEqual([book.tradeCount])
})

it('what a run began with is asked for once it has begun', () => {
  const store = new Store()
  store.equity.set({ start: null, points: [] })
  expect(apply(store, 'equity', [1_000, 10_000, 0])).toEqual(['figures', 'equity'])
  expect(store.equity.current).toEqual({ start: null, points: [[1_000, 10_000, 0]] })
})
