import type { Feed } from './feed.ts'
import type { Controls, ServiceInfo, Shown } from './ports.ts'
import type { Change } from './run-book.ts'
import { candlesOf, goneView, laneView, positionView, providerView, riskView, runView, statusView } from './views.ts'

/** A first batch brings the whole warm-up, which a client has by its first request. */
const MOST_CANDLES = 300

/** Turns what the book and the controls tell into events. Returns what ends it. */
export function tellChanges(shown: Shown, controls: Controls | null, feed: Feed): () => void {
  const { book } = shown
  let known = new Map<string, string>()
  const status = (): void => feed.tell('status', () => statusView(shown, controls))
  const services = (): void => {
    const before = known
    known = new Map(shown.services().map((one) => [one.name, JSON.stringify(one)]))
    for (const one of shown.services()) if (before.get(one.name) !== known.get(one.name)) tellService(one)
  }
  const tellService = (one: ServiceInfo): void => feed.tell('provider', () => providerView(one))
  const told = (change: Change): void => {
    switch (change.kind) {
      case 'decision':
        feed.tell('decision', () => change.row)
        return status()
      case 'trade':
        feed.tell('trade', () => change.row)
        return feed.tell('lanes', () => [laneView(book), ...shown.lanes()])
      case 'order': return feed.tell('order', () => change.row)
      case 'candles': return feed.tell('candle', () => candlesOf(book, change.symbol, change.candles.slice(-MOST_CANDLES), []))
      case 'equity':
        feed.tell('equity', () => change.point)
        if (shown.lanes().length > 0) feed.tell('lanes', () => [laneView(book), ...shown.lanes()])
        return undefined
      case 'position': return feed.tell('position', () => {
        const position = book.position(change.symbol)
        return position === null ? goneView(change.symbol) : positionView(book, position)
      })
      case 'alarm': return feed.tell('alarm', () => change.row)
      case 'risk':
        feed.tell('risk', () => riskView(shown))
        return status()
      case 'provider': return services()
      case 'run': return feed.tell('run', () => runView(shown))
    }
  }
  const changed = (): void => {
    status()
    feed.tell('run', () => runView(shown))
    feed.tell('risk', () => riskView(shown))
    services()
  }
  const ends = [book.onChange(told), controls?.onChange(changed) ?? ((): void => {})]
  return () => { for (const end of ends) end() }
}
