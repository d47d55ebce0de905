import { inPlace, inTime, newestFirst } from './lists.ts'
import { KEPT, type Store } from './store.ts'
import type {
  Alarm, Candles, Decision, EquityPoint, Lane, Position, Risk, Run, Service, Status, Trade,
} from './types.ts'

/** Marks come with the candles when they are asked for: see `trade` and `order`. */
function candles(store: Store, news: Candles): void {
  store.candles.change((now) => now.symbol !== news.symbol ? now
    : { ...now, candles: inTime(now.candles, news.candles, KEPT.candles), position: news.position })
}

function position(store: Store, one: Position): void {
  store.positions.change((list) => one.quantity > 0
    ? inPlace(list, one, ({ symbol }) => symbol === one.symbol)
    : list.filter(({ symbol }) => symbol !== one.symbol))
  const { stop, target, entry_price } = one
  store.candles.change((now) => now.symbol !== one.symbol ? now
    : { ...now, position: one.quantity > 0 ? { stop, target, entry_price } : null })
}

/** What has to be asked for again, since the event tells only that it changed. */
export type Outdated = 'figures' | 'positions' | 'equity' | 'runs' | 'candles' | 'all'

/** Puts an event's data into the store. */
export function apply(store: Store, name: string, data: unknown): readonly Outdated[] {
  switch (name) {
    case 'status': store.status.set(data as Status); return []
    case 'run': store.run.set(data as Run); return ['runs']
    case 'risk': store.risk.set(data as Risk); return []
    case 'decision': {
      const one = data as Decision
      store.decisions.change((list) => newestFirst(list, one, ({ id }) => id === one.id, KEPT.decisions))
      return ['figures']
    }
    case 'trade': {
      const one = data as Trade
      const same = (other: Trade): boolean => other.symbol === one.symbol && other.exit_time === one.exit_time
      store.trades.change((list) => newestFirst(list, one, same, KEPT.trades))
      return ['figures', 'positions', 'candles']
    }
    case 'alarm': {
      const one = data as Alarm
      store.alarms.change((list) => newestFirst(list, one, ({ id }) => id === one.id, KEPT.alarms))
      return []
    }
    case 'order': return ['positions', 'candles']
    case 'position': position(store, data as Position); return []
    case 'equity': {
      const point = data as EquityPoint
      store.equity.change((now) => ({ ...now, points: inTime(now.points, [point], KEPT.points) }))
      // What it began with is known only once it has begun.
      return store.equity.current?.start === null ? ['figures', 'equity'] : ['figures']
    }
    case 'candle': candles(store, data as Candles); return []
    case 'provider': {
      const one = data as Service
      store.services.change((list) => inPlace(list, one, ({ name }) => name === one.name))
      return []
    }
    case 'lanes': store.lanes.set(data as Lane[]); return []
    case 'reset': return ['all']
    default: return []
  }
}
