import { isTimeframe } from '../../engine/core/timeframe.ts'
import { DAY_MS, type EpochMs } from '../../engine/core/time.ts'
import type { Kline } from './candle-trouble.ts'
import { decimal } from './decimal.ts'
import { refusals } from './errors.ts'
import { exchangeInfo } from './exchange-info.ts'
import type { Listing } from './listing.ts'
import type { Params } from './params.ts'
import type { Series } from './tape.ts'
import { listingIn, listingsIn, type Call, type Endpoint, type World } from './world.ts'

function kline({ columns, step }: Series, row: number): Kline {
  const openTime = columns.openTime[row]
  const volume = columns.volume[row]
  const close = columns.close[row]
  return [
    openTime, decimal(columns.open[row]), decimal(columns.high[row]), decimal(columns.low[row]), decimal(close), decimal(volume),
    openTime + step - 1, decimal(volume * close), volume > 0 ? 1 : 0, decimal(volume / 2), decimal(volume * close / 2), '0',
  ]
}

/** The candle that has not closed: of its future only the open is known. */
function unfinished({ columns, step, closed }: Series, price: number): Kline {
  const openTime = columns.openTime[closed]
  const open = columns.open[closed]
  const prices = [open, Math.max(open, price), Math.min(open, price), price].map(decimal) as [string, string, string, string]
  return [openTime, ...prices, decimal(0), openTime + step - 1, decimal(0), 0, decimal(0), decimal(0), '0']
}

function klines(world: World, { params, now, candles }: Call): readonly Kline[] {
  const { id, tape } = listingIn(world, params)
  const interval = params.needText('interval')
  const series = isTimeframe(interval) ? tape.series(interval) : null
  if (series === null) throw refusals.interval()
  const limit = params.limit(500, 1000)
  const startTime = params.whole('startTime')
  const endTime = params.whole('endTime')
  const shown = series.closed + (series.inProgress(now) ? 1 : 0)
  const visible = candles.hidden > 0 ? Math.max(0, series.closed - candles.hidden) : shown
  const stop = endTime === null ? visible : Math.min(visible, series.rowAt(endTime + 1))
  const start = startTime === null ? Math.max(0, stop - limit) : series.rowAt(startTime)
  const rows: Kline[] = []
  for (let row = start; row < Math.min(stop, start + limit); row++) {
    rows.push(row < series.closed ? kline(series, row) : unfinished(series, tape.price(now)))
  }
  return candles.alter(`${id} ${interval}`, rows, now)
}

/** One answer for `symbol`, a list for `symbols` or none. */
function perSymbol(world: World, params: Params, of: (listing: Listing) => unknown): unknown {
  const answers = listingsIn(world, params).map(of)
  return params.has('symbol') ? answers[0] : answers
}

const price = (world: World, { params, now }: Call): unknown =>
  perSymbol(world, params, ({ id, tape }) => ({ symbol: id, price: decimal(tape.price(now)) }))

const SHOWN_QUANTITY = 1000

const bookTicker = (world: World, { params, now, emptyBook }: Call): unknown => perSymbol(world, params, ({ id, tape }) => {
  const at = decimal(emptyBook ? 0 : tape.price(now))
  const quantity = decimal(emptyBook ? 0 : SHOWN_QUANTITY)
  return { symbol: id, bidPrice: at, bidQty: quantity, askPrice: at, askQty: quantity }
})

function depth(world: World, { params, now, emptyBook }: Call): unknown {
  const at = decimal(listingIn(world, params).tape.price(now))
  const side = emptyBook ? [] : [[at, decimal(SHOWN_QUANTITY)]]
  return { lastUpdateId: now, bids: side, asks: side }
}

function dayTicker({ id, tape }: Listing, now: EpochMs, full: boolean): unknown {
  const { candles } = tape
  const { columns, closed } = candles
  const last = tape.price(now)
  const first = Math.min(candles.rowAt(now - DAY_MS), closed)
  const open = first < candles.rows && columns.openTime[first] <= now ? columns.open[first] : last
  let [high, low, volume, quoteVolume] = [Math.max(open, last), Math.min(open, last), 0, 0]
  for (let row = first; row < closed; row++) {
    high = Math.max(high, columns.high[row])
    low = Math.min(low, columns.low[row])
    volume += columns.volume[row]
    quoteVolume += columns.volume[row] * columns.close[row]
  }
  const count = closed - first
  const mini = {
    symbol: id, openPrice: decimal(open), highPrice: decimal(high), lowPrice: decimal(low), lastPrice: decimal(last),
    volume: decimal(volume), quoteVolume: decimal(quoteVolume), openTime: now - DAY_MS, closeTime: now, firstId: first, lastId: closed, count,
  }
  if (!full) return mini
  return {
    ...mini, priceChange: decimal(last - open), priceChangePercent: ((last / open - 1) * 100).toFixed(3),
    weightedAvgPrice: decimal(volume > 0 ? quoteVolume / volume : last),
    prevClosePrice: decimal(first > 0 ? columns.close[first - 1] : open), lastQty: decimal(0), bidPrice: decimal(last),
    bidQty: decimal(SHOWN_QUANTITY), askPrice: decimal(last), askQty: decimal(SHOWN_QUANTITY),
  }
}

const open = { method: 'GET', signed: false, changes: false } as const

export const marketEndpoints: readonly Endpoint[] = [
  { ...open, path: '/ping', weight: 1, answer: () => ({}) },
  { ...open, path: '/time', weight: 1, answer: (_world, { serverTime }) => ({ serverTime }) },
  { ...open, path: '/exchangeInfo', weight: 20, answer: (world, { params, serverTime }) => exchangeInfo(listingsIn(world, params), serverTime) },
  { ...open, path: '/klines', weight: 2, answer: klines },
  { ...open, path: '/ticker/price', weight: 2, answer: price },
  {
    ...open, path: '/ticker/24hr', weight: 2,
    answer: (world, { params, now }) => perSymbol(world, params, (listing) => dayTicker(listing, now, params.text('type') !== 'MINI')),
  },
  { ...open, path: '/ticker/bookTicker', weight: 2, answer: bookTicker },
  {
    ...open, path: '/avgPrice', weight: 2,
    answer: (world, { params, now }) => ({ mins: 5, price: decimal(listingIn(world, params).tape.price(now)), closeTime: now }),
  },
  { ...open, path: '/depth', weight: 5, answer: depth },
]
