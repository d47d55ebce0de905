import { brokenRule, candleColumns, type Candle, type CandleColumns } from '../../../engine/core/candle.ts'
import { floorToGrid } from '../../../engine/core/timeframe.ts'
import type { EpochMs } from '../../../engine/core/time.ts'
import { BATCH_ROWS, type RowBatch } from './file/rows.ts'
import { unitsPerMs } from './file/line-text.ts'
import type { Irregularities } from './irregularities.ts'
import { rowError, timeText } from './wording.ts'

/** Sound candles: rows `start … end − 1`, good until the next slice is asked for. */
export interface Slice {
  readonly columns: CandleColumns
  readonly start: number
  readonly end: number
  /** All of them belong to one coarser candle, and some of that candle's are missing. */
  readonly partial?: boolean
}

export interface SeriesRules {
  /** Length of a candle in the files, in milliseconds. */
  readonly step: number
  /** Open times from `from` up to, not including, `to`. */
  readonly from: EpochMs
  readonly to: EpochMs
  readonly gaps: 'refuse' | 'allow' | 'fill'
  readonly duplicates: 'refuse' | 'drop'
}

const candleAt = ({ openTime, open, high, low, close, volume }: CandleColumns, row: number): Candle => ({
  openTime: openTime[row], open: open[row], high: high[row], low: low[row], close: close[row], volume: volume[row],
})

const sameNumbers = (a: Candle, b: Candle): boolean =>
  a.open === b.open && a.high === b.high && a.low === b.low && a.close === b.close && a.volume === b.volume

const brokenNumbers = ({ open, high, low, close, volume }: Candle): string | null =>
  brokenRule(open, high, low, close, volume)

/** Why a candle's time cannot follow `last`, or null. */
function brokenTime(time: EpochMs, last: Candle | null, step: number): string | null {
  if (unitsPerMs(time) !== 1) return `timestamp ${time} ms is in another unit than the file's first row`
  if (floorToGrid(time, step) !== time) return `timestamp ${time} is not on the grid of ${step} ms`
  if (last === null || time >= last.openTime) return null
  return `is out of order: it follows ${timeText(last.openTime)}, and times must rise`
}

/**
 * `brokenRule() === null`, short enough to be inlined: a real call with five doubles costs more than the comparisons.
 * A test keeps the two alike.
 */
export const isSound = (open: number, high: number, low: number, close: number, volume: number): boolean =>
  low > 0 && low <= open && low <= close && open <= high && close <= high && high < Infinity
  && volume >= 0 && volume < Infinity

/** The first row from `row` on that does not come one step after its predecessor or breaks a rule. The hot loop. */
function regularUntil(columns: CandleColumns, row: number, rows: number, expected: EpochMs, step: number): number {
  const { openTime, open, high, low, close, volume } = columns
  for (; row < rows && openTime[row] === expected; row++, expected += step) {
    if (!isSound(open[row], high[row], low[row], close[row], volume[row])) return row
  }
  return row
}

function* fillers(close: number, from: EpochMs, until: EpochMs, step: number): Generator<Slice> {
  const columns = candleColumns(Math.min(BATCH_ROWS, (until - from) / step))
  for (const prices of [columns.open, columns.high, columns.low, columns.close]) prices.fill(close)
  for (let time = from; time < until;) {
    let end = 0
    for (; end < columns.openTime.length && time < until; time += step) columns.openTime[end++] = time
    yield { columns, start: 0, end }
  }
}

/** One series being checked. Regular candles pass through untouched; whatever is irregular only cuts the slice. */
export class SeriesCheck {
  readonly irregularities: Irregularities
  readonly #rules: SeriesRules
  #first: EpochMs | null = null
  #last: Candle | null = null
  #leapt = false
  #ended = false

  constructor(rules: SeriesRules, irregularities: Irregularities) {
    this.#rules = rules
    this.irregularities = irregularities
  }

  /** First open time that was read. */
  get first(): EpochMs | null {
    return this.#first
  }

  /** Last open time that was read; beyond the range when the files leap over its end. */
  get last(): EpochMs | null {
    return this.#last?.openTime ?? null
  }

  /** First and last time that were read, for messages. */
  get span(): string {
    if (this.#first === null || this.#last === null) return 'nothing'
    return `${timeText(this.#first)} … ${timeText(this.#last.openTime)}`
  }

  /**
   * The candles of the range. Rows before it are checked but not yielded; the first row after it ends the reading.
   * A hole that crosses an end of the range is a gap as far as it lies inside, and `fill` fills it that far: what the
   * rows around it prove missing is missing from the tape. Where no row comes before or after, nothing is known.
   * Throws TD_CANDLE_INVALID at the first bad row. With `gaps: refuse` nothing is yielded after a gap, and
   * TD_CANDLE_GAP is thrown when all gaps of the range are known.
   */
  async *slices(batches: AsyncIterable<RowBatch>): AsyncGenerator<Slice> {
    for await (const batch of batches) {
      yield* this.#accept(batch)
      if (this.#ended) break
    }
    if (this.#refused) throw this.irregularities.error()
  }

  get #refused(): boolean {
    return this.#rules.gaps === 'refuse' && this.irregularities.hasGaps
  }

  *#accept(batch: RowBatch): Generator<Slice> {
    const { columns, rows } = batch
    const { step, from, to, gaps } = this.#rules
    let start = 0
    let row = 0
    this.#first ??= columns.openTime[0]
    while (row < rows && !this.#ended) {
      row = this.#runOn(columns, row, rows)
      if (this.#ended || row === rows) break
      const last = this.#leapt ? null : this.#last
      const candle = candleAt(columns, row)
      const repeats = this.#judge(candle, batch, row)
      const [missing, next] = [Math.max((last?.openTime ?? Infinity) + step, from), Math.min(candle.openTime, to)]
      const gap = missing < next
      if (repeats || (gap && gaps !== 'allow')) {
        yield* this.#inRange(columns, start, row)
        start = repeats ? row + 1 : row
      }
      if (gap) this.irregularities.gap(missing, next)
      if (gap && gaps === 'fill') yield* fillers(last!.close, missing, next, step)
      if (repeats && candle.openTime >= from) this.irregularities.duplicate()
      row++
    }
    yield* this.#inRange(columns, start, row)
  }

  /** Passes over regular rows; returns the first that is not. */
  #runOn(columns: CandleColumns, row: number, rows: number): number {
    if (this.#last === null || this.#leapt) return row
    const { step } = this.#rules
    const next = regularUntil(columns, row, rows, this.#last.openTime + step, step)
    if (next > row) this.#take(candleAt(columns, next - 1))
    return next
  }

  /** The last candle so far. With the range's last one the reading ends: what follows is not even looked at. */
  #take(candle: Candle): void {
    this.#last = candle
    this.#ended = candle.openTime + this.#rules.step >= this.#rules.to
  }

  /** Checks an irregular candle and takes it for the last one; true when it repeats that one and is to be dropped. */
  #judge(candle: Candle, { file, firstLine }: RowBatch, row: number): boolean {
    const last = this.#last
    const { step, to, duplicates } = this.#rules
    const time = candle.openTime
    const check = (broken: string | null): void => {
      if (broken !== null) throw rowError(file, firstLine + row, time, broken)
    }
    check(brokenTime(time, last, step))
    if (this.#leapt) {
      this.#ended = true
    } else if (time >= to) {
      // A leap over the range's end may be a mistyped time, which must not cut the tape short: the next row tells.
      this.#leapt = true
      this.#last = candle
    } else if (time === last?.openTime) {
      check(sameNumbers(candle, last) ? null : 'differs from the row before, which has the same time')
      check(duplicates === 'drop' ? null : 'repeats the row before; "duplicates: drop" would skip identical rows')
      return true
    } else {
      check(brokenNumbers(candle))
      this.#take(candle)
    }
    return false
  }

  *#inRange(columns: CandleColumns, start: number, end: number): Generator<Slice> {
    const { from, to } = this.#rules
    while (start < end && columns.openTime[start] < from) start++
    while (end > start && columns.openTime[end - 1] >= to) end--
    if (start < end && !this.#refused) yield { columns, start, end }
  }
}
