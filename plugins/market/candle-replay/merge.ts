import { timeframeMs, type Timeframe } from '../../../engine/core/timeframe.ts'
import type { EpochMs } from '../../../engine/core/time.ts'
import { TapedeckError } from '../../../engine/errors.ts'
import type { CandleBatch } from '../../../engine/ports.ts'
import type { Cursor } from './cursor.ts'
import { timeText } from './wording.ts'

/** One symbol's candles of one timeframe. */
export interface Track {
  readonly symbol: string
  readonly cursor: Cursor
}

/** Either an event or, when a cursor is dry, what to wait for: a plain generator, so that no candle costs a promise. */
export type Merged = Generator<CandleBatch | Promise<void>, void>

type Draft = { -readonly [K in keyof CandleBatch]: CandleBatch[K] }

/** Candles of all symbols in the order of their open times; at equal times in the order of the symbols. */
class Stream {
  readonly #cursors: readonly Cursor[]
  readonly #batches: readonly Draft[]

  constructor(tracks: readonly Track[], timeframe: Timeframe, decides: boolean) {
    this.#cursors = tracks.map(({ cursor }) => cursor)
    this.#batches = tracks.map(({ symbol, cursor }) => ({
      kind: 'candles', symbol, timeframe, columns: cursor.slice.columns, start: 0, end: 0,
      settles: true, decides, more: false,
    }))
  }

  get dry(): boolean {
    return this.#cursors.some((cursor) => cursor.dry)
  }

  *refilled(): Merged {
    for (const cursor of this.#cursors) while (cursor.dry) yield cursor.refill()
  }

  /** Open time of a symbol's next candle; Infinity after its last. */
  head(index: number): EpochMs {
    return this.#cursors[index].head
  }

  /** Whose candle is next. */
  get first(): number {
    let first = 0
    for (let index = 1; index < this.#cursors.length; index++) if (this.head(index) < this.head(first)) first = index
    return first
  }

  /** When the next candle of another symbol than `index`, counted from `start`, is due. */
  others(index: number, start = 0): EpochMs {
    let due = Infinity
    for (let other = start; other < this.#cursors.length; other++) {
      if (other !== index) due = Math.min(due, this.head(other))
    }
    return due
  }

  /** Whether a symbol's slice belongs to a coarser candle that lacks some. */
  partial(index: number): boolean {
    return this.#cursors[index].slice.partial === true
  }

  /** A symbol's next candle and those after it in the slice that open before `limit`, as the symbol's reused event. */
  take(index: number, limit: EpochMs, settles: boolean, more: boolean): CandleBatch {
    const cursor = this.#cursors[index]
    const batch = this.#batches[index]
    batch.columns = cursor.slice.columns
    batch.start = cursor.row++
    cursor.passUntil(limit)
    batch.end = cursor.row
    batch.settles = settles
    batch.more = more
    return batch
  }

  /** The candles of all symbols that open at `time`, without waiting in between. */
  *moment(time: EpochMs, settles: (index: number) => boolean): Merged {
    for (let index = 0; index < this.#cursors.length; index++) {
      if (this.head(index) !== time) continue
      const more = this.others(index, index + 1) === time
      yield this.take(index, time, settles(index), more)
    }
  }

  /** Leaves out what opens before `time`. */
  *skip(index: number, time: EpochMs): Merged {
    const cursor = this.#cursors[index]
    while (cursor.dry || cursor.head < time) {
      if (cursor.dry) yield cursor.refill()
      cursor.passUntil(time)
    }
  }
}

/** One stream of decision candles: whole runs of one symbol, single rows where several symbols close together. */
export function* merge(tracks: readonly Track[], timeframe: Timeframe): Merged {
  const stream = new Stream(tracks, timeframe, true)
  for (;;) {
    if (stream.dry) yield* stream.refilled()
    const first = stream.first
    const time = stream.head(first)
    if (time === Infinity) return
    const due = stream.others(first)
    if (time < due) yield stream.take(first, due, true, false)
    else yield* stream.moment(time, () => true)
  }
}

export interface FillPlan {
  readonly tracks: readonly Track[]
  readonly timeframe: Timeframe
  /** The same symbols' finer candles; `partial` slices apart unless `strict`. */
  readonly finer: readonly Track[]
  readonly fillTimeframe: Timeframe
  /** Every decision candle must have all of its finer ones. */
  readonly strict: boolean
  /** Told of each decision candle that settles orders itself because some of its finer ones are missing. */
  readonly incomplete: (symbol: string) => void
}

/**
 * Decision candles, each after all finer candles that close no later; those only settle orders. A decision candle that
 * lacks finer ones throws TD_CANDLE_GAP when `strict`. Otherwise it settles orders itself, and those it has are left
 * out: a stop inside the missing part would be lost.
 */
export function* mergeWithFills({ tracks, timeframe, finer, fillTimeframe, strict, incomplete }: FillPlan): Merged {
  const decisions = new Stream(tracks, timeframe, true)
  const fills = new Stream(finer, fillTimeframe, false)
  const step = timeframeMs(timeframe)
  const wanted = step / timeframeMs(fillTimeframe)
  const covered = new Int32Array(tracks.length)
  const partly = tracks.map(() => false)

  const uncovered = (symbol: string, time: EpochMs, found: number): TapedeckError =>
    new TapedeckError('TD_CANDLE_GAP', `${symbol}: the ${timeframe} candle of ${timeText(time)} has ${found} of its `
      + `${wanted} ${fillTimeframe} candles to settle orders on; `
      + 'with "gaps: allow" a candle that lacks any settles them itself')

  /** All finer candles that open before `until`; counts those of the decision candle that opens at `time`. */
  function* settle(time: EpochMs, until: EpochMs): Merged {
    covered.fill(0)
    partly.fill(false)
    for (;;) {
      if (fills.dry) yield* fills.refilled()
      const first = fills.first
      if (fills.head(first) >= until) return
      const partial = fills.partial(first)
      const batch = fills.take(first, Math.min(until, fills.others(first)), true, false)
      // Where the decision candle itself is missing, some finer ones are better than none.
      if (partial && decisions.head(first) === time && batch.columns.openTime[batch.start] >= time) {
        partly[first] = true
        continue
      }
      for (let row = batch.start; row < batch.end; row++) if (batch.columns.openTime[row] >= time) covered[first]++
      yield batch
    }
  }

  yield* decisions.refilled()
  for (let index = 0; index < tracks.length; index++) yield* fills.skip(index, decisions.head(index))
  for (;;) {
    if (decisions.dry) yield* decisions.refilled()
    const time = decisions.head(decisions.first)
    if (time === Infinity) return
    yield* settle(time, time + step)
    yield* decisions.moment(time, (index) => {
      if (strict && covered[index] < wanted) throw uncovered(tracks[index].symbol, time, covered[index])
      if (partly[index]) incomplete(tracks[index].symbol)
      return covered[index] === 0
    })
  }
}
