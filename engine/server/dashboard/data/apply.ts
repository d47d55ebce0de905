import { inPlace, inTime, newestFirst } from './lists.ts'
import { KEPT, type Store } from './store.ts'
import type {
  Alarm, Candle, Candles, Decision, Equity, Lane, Position, Risk, Run, Service, Status, Trade,
} from './types.ts'

type Named = Readonly<Record<string, unknown>>

type CandleNews = { readonly symbol: string } & Partial<Candles> & { readonly candle?: Candle }

function candles(store: Store, news: CandleNews): void {
  store.candles.change((now) => now.symbol !== news.symbol ? now : {
    ...now,
    candles: inTime(now.candles, news.candles ?? (news.candle === undefined ? [] : [news.candle]), KEPT.candles),
    marks: withMarks(now.marks, news.marks ?? []),
    position: news.position === undefined ? now.position : news.position,
  })
}

function withMarks(now: Candles['marks'], news: Candles['marks']): Candles['marks'] {
  const added = news.filter(({ time, kind, price }) =>
    !now.some((mark) => mark.time === time && mark.kind === kind && mark.price === price))
  return added.length === 0 ? now : [...now, ...added].sort((a, b) => a.time - b.time).slice(-KEPT.marks)
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
export type Outdated = 'figures' | 'positions' | 'runs' | 'candles' | 'all'

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
    case 'position': {
      if (Array.isArray(data)) store.positions.set(data as Position[])
      else if (typeof (data as Named)['quantity'] === 'number') position(store, data as Position)
      else return ['positions']
      return []
    }
    case 'equity': {
      const { start, points } = data as Equity
      store.equity.change((now) => ({ start: start ?? now.start, points: inTime(now.points, points, KEPT.points) }))
      return ['figures']
    }
    case 'candle': candles(store, data as CandleNews); return []
    case 'provider': {
      const one = data as Service
      store.services.change((list) => inPlace(list, one, ({ name }) => name === one.name))
      return []
    }
    case 'lanes': {
      if (Array.isArray(data)) store.lanes.set(data as Lane[])
      else store.lanes.change((list) => inPlace(list, data as Lane, ({ name }) => name === (data as Lane).name))
      return []
    }
    case 'reset': return ['all']
    default: return []
  }
}
