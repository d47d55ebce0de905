import type { EpochMs } from '../../engine/core/time.ts'
import { decimal } from './decimal.ts'
import type { Strikes } from './misfortune.ts'

/** A row of klines: open time, open, high, low, close, volume, close time, and figures that nobody here reads. */
export type Kline = readonly [EpochMs, string, string, string, string, string, EpochMs, string, number, string, string, string]

/** What is wrong with the candles that one request gets. */
export interface CandleTrouble {
  /** So many of the newest closed candles, and the unfinished one, are not shown. */
  readonly hidden: number
  /** Changes the rows that a client sees. `series` names symbol and interval. */
  alter(series: string, rows: readonly Kline[], now: EpochMs): readonly Kline[]
}

export const NO_TROUBLE: CandleTrouble = { hidden: 0, alter: (_series, rows) => rows }

/** Larger numbers are open times, smaller ones count from the end. */
const LEAST_TIME = 1e11

/** Remembers which candle is shown wrongly, and for how many reads still. */
export class CandleTroubles {
  readonly #revised = new Map<string, { readonly openTime: EpochMs; reads: number }>()

  of(strikes: Strikes): CandleTrouble {
    const stale = strikes.get('stale-candles')
    return {
      hidden: stale === undefined ? 0 : stale.value ?? 1,
      alter: (series, rows, now) => this.#leaveOut(this.#revise(rows, series, strikes, now), strikes, now),
    }
  }

  #leaveOut(rows: readonly Kline[], strikes: Strikes, now: EpochMs): readonly Kline[] {
    const strike = strikes.get('missing-candle')
    if (strike === undefined) return rows
    const value = strike.value ?? 1
    const openTime = value >= LEAST_TIME ? value : rows.filter(([, , , , , , closeTime]) => closeTime < now).at(-value)?.[0]
    return rows.filter((row) => row[0] !== openTime)
  }

  #revise(rows: readonly Kline[], series: string, strikes: Strikes, now: EpochMs): readonly Kline[] {
    const strike = strikes.get('revised-candle')
    const newest = rows.findLast(([, , , , , , closeTime]) => closeTime < now)?.[0]
    if (strike !== undefined && newest !== undefined && this.#revised.get(series)?.openTime !== newest) {
      this.#revised.set(series, { openTime: newest, reads: strike.value ?? 1 })
    }
    const revised = this.#revised.get(series)
    if (revised === undefined || revised.reads <= 0 || !rows.some(([openTime]) => openTime === revised.openTime)) return rows
    revised.reads--
    return rows.map((row) => (row[0] === revised.openTime ? otherwise(row) : row))
  }
}

/** The same candle with another close, and a high that bears it. */
function otherwise([openTime, open, high, low, close, ...rest]: Kline): Kline {
  const other = Number(close) * 1.001
  return [openTime, open, decimal(Math.max(Number(high), other)), low, decimal(other), ...rest]
}
