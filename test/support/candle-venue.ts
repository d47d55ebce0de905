import type { Candle } from '../../engine/core/candle.ts'
import type { Clock, LiveMarketPlan, MarketEvent } from '../../engine/ports.ts'
import { timeframeMs, type Timeframe } from '../../engine/core/timeframe.ts'
import market from '../../plugins/market/binance.ts'
import { scriptedVenue, SteppedClock, testDeps, type Asked, type Reply } from './scripted-venue.ts'

/** 2024-01-01 00:00 UTC: candle 0 of every tape opens here. */
export const T0 = Date.UTC(2024, 0, 1)

/** Candle `index` of a tape: every number tells which it is. */
export const candleOf = (index: number, step = 60_000): Candle =>
  ({ openTime: T0 + index * step, open: 100 + index, high: 102 + index, low: 99 + index, close: 101 + index, volume: 1 + index })

const row = ({ openTime, open, high, low, close, volume }: Candle, step: number): unknown[] =>
  [openTime, ...[open, high, low, close, volume].map((number) => number.toFixed(8)), openTime + step - 1, '0', 1, '0', '0', '0']

export interface Script {
  readonly symbols?: readonly string[]
  readonly timeframe?: Timeframe
  /** In ms after T0. */
  readonly start: number
  /** In ms after T0: the tape ends there. */
  readonly end: number
  readonly warmup?: number
  readonly after?: LiveMarketPlan['after']
  readonly checkIntervalMs?: number
  /** The venue's clock minus ours, in ms. */
  readonly drift?: number
  /** What the venue shows of the candles that opened until now, or does instead of answering. `at` is in ms after T0. */
  readonly show?: (candles: Candle[], symbol: string, at: number) => Candle[] | Reply
  readonly time?: (at: number) => Reply
  /** Told after every event; true stops the market. */
  readonly stop?: (seen: readonly string[]) => boolean
  readonly clock?: Clock
}

export interface Played {
  /** `61s BTC 0` = candle 0 of BTC arrived 61 s after T0, with `more` or `missed`; `BTC 0…4` = in one batch; `60s wake`. */
  readonly seen: readonly string[]
  readonly candles: readonly Candle[]
  /** Alarms without times that nobody fixed. */
  readonly alarms: readonly Readonly<Record<string, unknown>>[]
  readonly asked: readonly Asked[]
}

/** Plays the market source on a venue whose candles are `candleOf(0…)`, under a clock that moves only by sleeping. */
export async function playMarket(script: Script): Promise<Played> {
  const { symbols = ['BTC/USDT'], timeframe = '1m', start, end, warmup = 2, after = {}, checkIntervalMs = 60_000, drift = 0 } = script
  const step = timeframeMs(timeframe)
  const clock = script.clock ?? new SteppedClock(T0 + start, T0 + end)
  const { venue, asked } = await scriptedVenue(({ path, params }) => {
    const at = clock.now() - T0
    if (path === 'time') return script.time?.(at) ?? { json: { serverTime: clock.now() + drift } }
    const until = Math.floor((at + drift) / step)
    const opened = Array.from({ length: until + 1 }, (_, index) => candleOf(index, step))
    const last = opened[until]
    opened[until] = { ...last, high: last.open, low: last.open, close: last.open, volume: 0 }
    const shown = script.show?.(opened, params['symbol'], at) ?? opened
    if (!Array.isArray(shown)) return shown
    return { json: shown.filter(({ openTime }) => openTime >= Number(params['startTime'])).slice(0, 1000).map((one) => row(one, step)) }
  })
  const alarms: Record<string, unknown>[] = []
  const abort = new AbortController()
  const source = await market.create({}, testDeps(clock, { signal: abort.signal }), {
    symbols, timeframe, fillTimeframe: null, instruments: {}, folder: '.',
    live: { venue, warmup, checkIntervalMs, after, journal: { note: (_type, fields) => { alarms.push({ ...fields }) } } },
  })
  const seen: string[] = []
  const candles: Candle[] = []
  for await (const event of source.events()) {
    seen.push(told(event, clock, step))
    if (event.kind === 'candles') {
      const { columns } = event
      for (let index = event.start; index < event.end; index++) {
        const [openTime, open, high, low, close, volume] =
          [columns.openTime, columns.open, columns.high, columns.low, columns.close, columns.volume].map((column) => column[index])
        candles.push({ openTime, open, high, low, close, volume })
      }
    }
    if (script.stop?.(seen) === true) abort.abort()
  }
  return { seen, candles, alarms, asked }
}

function told(event: MarketEvent, clock: Clock, step: number): string {
  const at = `${(clock.now() - T0) / 1000}s`
  if (event.kind !== 'candles') return `${at} ${event.kind}`
  const index = (rowIndex: number): number => (event.columns.openTime[rowIndex] - T0) / step
  const rows = event.end - event.start === 1 ? `${index(event.start)}` : `${index(event.start)}…${index(event.end - 1)}`
  return `${at} ${event.symbol.replace('/USDT', '')} ${rows}${event.more ? ' more' : ''}${event.missed === true ? ' missed' : ''}`
}
