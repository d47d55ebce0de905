import { candleColumns, type CandleColumns } from '../../../engine/core/candle.ts'
import { floorToGrid } from '../../../engine/core/timeframe.ts'
import type { Slice } from './series.ts'

const NAMES = ['openTime', 'open', 'high', 'low', 'close', 'volume'] as const

/**
 * Cuts candles of `step` milliseconds into slices of whole coarser candles of `length` milliseconds, and slices with
 * what there is of a coarser candle that lacks some, marked `partial`. Only a coarser candle that does not lie within
 * one slice is copied.
 */
export async function* byCoarser(slices: AsyncIterable<Slice>, step: number, length: number): AsyncGenerator<Slice> {
  const wanted = length / step
  let kept: CandleColumns | null = null
  let rows = 0

  const whole = ({ openTime }: CandleColumns, row: number, end: number): boolean =>
    row + wanted <= end && floorToGrid(openTime[row], length) === openTime[row]
    && openTime[row + wanted - 1] === openTime[row] + length - step

  for await (const { columns, start, end } of slices) {
    let row = start
    while (row < end) {
      let next = row
      while (rows === 0 && whole(columns, next, end)) next += wanted
      if (next > row) {
        yield { columns, start: row, end: next, partial: false }
        row = next
        continue
      }
      kept ??= candleColumns(wanted)
      const until = floorToGrid(rows > 0 ? kept.openTime[0] : columns.openTime[row], length) + length
      while (next < end && columns.openTime[next] < until) next++
      for (const name of NAMES) kept[name].set(columns[name].subarray(row, next), rows)
      rows += next - row
      row = next
      // The next slice may have more of this coarser candle.
      if (row === end) break
      yield { columns: kept, start: 0, end: rows, partial: rows < wanted }
      rows = 0
    }
  }
  if (kept !== null && rows > 0) yield { columns: kept, start: 0, end: rows, partial: rows < wanted }
}
