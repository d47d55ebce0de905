import { DAY_MS, type EpochMs } from './time.ts'

/** Binance's candle intervals with a fixed length, and some that are put together from those, in milliseconds. */
export const TIMEFRAMES = {
  '1s': 1_000,
  '5s': 5_000,
  '10s': 10_000,
  '15s': 15_000,
  '20s': 20_000,
  '30s': 30_000,
  '1m': 60_000,
  '2m': 120_000,
  '3m': 180_000,
  '5m': 300_000,
  '10m': 600_000,
  '15m': 900_000,
  '30m': 1_800_000,
  '1h': 3_600_000,
  '2h': 7_200_000,
  '4h': 14_400_000,
  '6h': 21_600_000,
  '8h': 28_800_000,
  '12h': 43_200_000,
  '1d': DAY_MS,
  '3d': 3 * DAY_MS,
  '1w': 7 * DAY_MS,
} as const

export type Timeframe = keyof typeof TIMEFRAMES

const COMPOSED: Readonly<Partial<Record<Timeframe, Timeframe>>> =
  { '5s': '1s', '10s': '1s', '15s': '1s', '20s': '1s', '30s': '1s', '2m': '1m', '10m': '5m' }

/** The interval of Binance that `timeframe` is, or is put together from. */
export const intervalOf = (timeframe: Timeframe): Timeframe => COMPOSED[timeframe] ?? timeframe

export const isTimeframe = (text: string): text is Timeframe => Object.hasOwn(TIMEFRAMES, text)

/** Length in milliseconds. */
export const timeframeMs = (timeframe: Timeframe): number => TIMEFRAMES[timeframe]

/** Ms after a candle's close by which its order has to have left: 30 s, half a candle where that is shorter. */
export const decisionDeadlineMs = (candleMs: number): number => Math.min(30_000, candleMs / 2)

/** The timeframe of exactly `ms`, or null. */
export const timeframeOf = (ms: number): Timeframe | null =>
  (Object.keys(TIMEFRAMES) as Timeframe[]).find((name) => TIMEFRAMES[name] === ms) ?? null

/** Where a timeframe's grid starts: 1970-01-01 was a Thursday, and exchange weeks open on Monday. */
const gridOffset = (ms: number): number => (ms === TIMEFRAMES['1w'] ? 4 * DAY_MS : 0)

/** Open time of the candle that contains `time`. */
export const floorToGrid = (time: EpochMs, ms: number): EpochMs =>
  Math.floor((time - gridOffset(ms)) / ms) * ms + gridOffset(ms)

/** The first open time at or after `time`. */
export const ceilToGrid = (time: EpochMs, ms: number): EpochMs =>
  Math.ceil((time - gridOffset(ms)) / ms) * ms + gridOffset(ms)
