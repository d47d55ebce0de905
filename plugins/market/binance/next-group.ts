import type { Candle } from '../../../engine/core/candle.ts'
import type { EpochMs } from '../../../engine/core/time.ts'
import type { CandleFeed } from './candle-feed.ts'

export interface Group {
  readonly openTime: EpochMs
  /** Candles of one close time, in the order of the feeds. */
  readonly members: readonly { readonly symbol: string; readonly candle: Candle }[]
}

/**
 * Takes the oldest candles that are ready: those of all symbols with one close time. Null when there are none. While a
 * symbol is late, or `settled` says that orders have not met all that came before its close, the time until which that is
 * waited for, by `patience` of the close time.
 */
export function nextGroup(
  feeds: readonly CandleFeed[], step: number, now: EpochMs, patience: (close: EpochMs) => EpochMs,
  settled: (close: EpochMs) => boolean = () => true,
): Group | EpochMs | null {
  const openTime = feeds.reduce((oldest, { ready }) => Math.min(oldest, ready[0]?.openTime ?? Infinity), Infinity)
  if (openTime === Infinity) return null
  const late = !settled(openTime + step) || feeds.some(({ ready, next }) => ready.length === 0 && (next === null || next <= openTime))
  const until = patience(openTime + step)
  if (late && now < until) return until
  const members = feeds.flatMap(({ symbol, ready }) => {
    const candle = ready[0]?.openTime === openTime ? ready.shift() : undefined
    return candle === undefined ? [] : [{ symbol, candle }]
  })
  return { openTime, members }
}
