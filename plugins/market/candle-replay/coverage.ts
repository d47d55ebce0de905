import type { EpochMs } from '../../../engine/core/time.ts'
import { timeframeMs, type Timeframe } from '../../../engine/core/timeframe.ts'
import type { SeriesCheck, Slice } from './series.ts'
import { timeText } from './wording.ts'

/** As the options say it: an end that they do not name is undefined. */
interface Asked {
  readonly from?: EpochMs | undefined
  readonly to?: EpochMs | undefined
}

export interface AskedRange {
  readonly asked: Asked
  /** The same on the grid of decision candles. */
  readonly from: EpochMs
  readonly to: EpochMs
}

/** From when to when one symbol's decision candles reach. */
export class Coverage {
  readonly symbol: string
  readonly #timeframe: Timeframe
  /** The candles of the files, before resampling. */
  readonly #source: Timeframe
  readonly #check: SeriesCheck
  readonly #range: AskedRange
  #first: EpochMs | null = null
  #last: EpochMs | null = null
  #over = false

  constructor(symbol: string, timeframe: Timeframe, source: Timeframe, check: SeriesCheck, range: AskedRange) {
    this.symbol = symbol
    this.#timeframe = timeframe
    this.#source = source
    this.#check = check
    this.#range = range
  }

  add({ columns: { openTime }, start, end }: Slice): void {
    this.#first ??= openTime[start]
    this.#last = openTime[end - 1]
  }

  /** The series has been read to its end: until then nothing is known about that. */
  finish(): void {
    this.#over = true
  }

  get begin(): EpochMs | null {
    return this.#first
  }

  get end(): EpochMs | null {
    return this.#over && this.#last !== null ? this.#last + timeframeMs(this.#timeframe) : null
  }

  /** Where the tape is shorter than the range that was asked for. */
  *shortfalls(): Generator<string> {
    const { begin, end } = this
    const { asked, from, to } = this.#range
    const read = { first: this.#check.first ?? NaN, end: (this.#check.last ?? NaN) + timeframeMs(this.#source) }
    const asks = `${this.symbol}: candles were asked`
    if (asked.from !== undefined && begin !== null && begin > from) {
      const files = read.first > from ? `the files begin at ${timeText(read.first)}` : null
      const whole = files === null || begin !== read.first
        ? `the first whole ${this.#timeframe} candle opens at ${timeText(begin)}` : null
      yield `${asks} from ${timeText(asked.from)}, ${[files, whole].filter((text) => text !== null).join('; ')}`
    }
    if (asked.to !== undefined && end !== null && end < to) {
      const files = read.end <= to ? `the files end at ${timeText(read.end)}` : null
      const whole = files === null || end !== read.end
        ? `the last whole ${this.#timeframe} candle closes at ${timeText(end)}` : null
      yield `${asks} up to ${timeText(asked.to)}, ${[files, whole].filter((text) => text !== null).join('; ')}`
    }
  }
}

/** The symbols whose candles begin later or end earlier than another's. An end that was asked for is not told twice. */
function* differences(coverages: readonly Coverage[], asked: Asked): Generator<string> {
  const begins = coverages.map(({ begin }) => begin ?? NaN)
  const ends = coverages.map(({ end }) => end ?? NaN)
  const [earliest, latest] = [Math.min(...begins), Math.max(...ends)]
  for (const [index, { symbol }] of coverages.entries()) {
    if (asked.from === undefined && begins[index] > earliest) {
      const other = coverages[begins.indexOf(earliest)].symbol
      yield `${symbol}: candles begin at ${timeText(begins[index])}, those of ${other} at ${timeText(earliest)}`
    }
    if (asked.to === undefined && ends[index] < latest) {
      const other = coverages[ends.indexOf(latest)].symbol
      yield `${symbol}: candles end at ${timeText(ends[index])}, those of ${other} at ${timeText(latest)}`
    }
  }
}

/** What a reader must know about the length of the tape. */
export const shortTape = (coverages: readonly Coverage[], asked: Asked): string[] =>
  [...coverages.flatMap((coverage) => [...coverage.shortfalls()]), ...differences(coverages, asked)]
