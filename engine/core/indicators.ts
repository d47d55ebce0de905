import type { CandleColumns } from './candle.ts'

/** A price or volume column that an indicator reads. */
export type Source = 'open' | 'high' | 'low' | 'close' | 'volume'

/**
 * An indicator by name with its parameters. `sma`, `ema`, `rsi` are own incremental kernels; every other name is one of
 * technicalindicators'. `output` picks one line of an indicator that has several (`macd`: MACD, signal, histogram).
 */
export interface IndicatorSpec {
  readonly indicator: string
  readonly period?: number
  readonly source?: Source
  readonly output?: string
  readonly [parameter: string]: number | string | boolean | undefined
}

export type IndicatorSpecs = Readonly<Record<string, IndicatorSpec>>

/** Fills `out[at + k]` from row `start + k`, k = 0 … end − start − 1, carrying its state from call to call. NaN before the first value. */
export interface IndicatorKernel {
  run(columns: CandleColumns, start: number, end: number, out: Float64Array, at: number): void
}

/** A strategy's indicators over one symbol's candles, computed a batch at a time and kept as far back as may be asked. */
export interface IndicatorBook {
  readonly names: readonly string[]
  /** Takes rows `start … end − 1`; returns the book row of `start`. Rows older than `history` before it are forgotten. */
  append(columns: CandleColumns, start: number, end: number): number
  /** Indicator number `index` at book row `row − back`; NaN before its first value. Throws when `back` is negative or beyond the history. */
  at(index: number, row: number, back: number): number
}
