import type { Candle } from '../../../engine/core/candle.ts'
import { isoTime, type EpochMs } from '../../../engine/core/time.ts'
import { floorToGrid } from '../../../engine/core/timeframe.ts'

/** Two reads that agree must lie this far apart, in ms. */
const AGREE_MS = 1000
/** A candle whose close is this long past is finished even when no later candle has begun, in ms. */
const SETTLED_MS = 3000
/** This many delivered candles are compared with what the venue shows now. */
const WATCHED = 3
/** While a candle does not come, reads are between these, in ms, a quarter of the wait so far apart. */
const POLL_MS = { least: 1000, most: 30_000 }

/** Reads that agreed with each other: when the first was, and how many there were. */
interface Agreement {
  readonly since: EpochMs
  readonly reads: number
}
interface Sighting extends Agreement {
  readonly candle: Candle
}
/** Candles up to, not including, `to` are not shown although that one is. */
interface Hole extends Agreement {
  readonly to: EpochMs
}

export interface FeedStart {
  readonly symbol: string
  /** Timeframe in ms. */
  readonly step: number
  /** Candles that a first start begins with. */
  readonly warmup: number
  /** Open time of the newest candle that the run has already seen; undefined on a first start. */
  readonly after: EpochMs | undefined
  /** Somebody waits for the open of the candle that begins next. */
  readonly openings: boolean
  /** A line for the trail. */
  alarm(event: string, fields: Readonly<Record<string, unknown>>): void
}

const same = (a: Candle, b: Candle): boolean =>
  a.openTime === b.openTime && a.open === b.open && a.high === b.high && a.low === b.low && a.close === b.close
  && a.volume === b.volume

const numbers = ({ open, high, low, close, volume }: Candle): object => ({ open, high, low, close, volume })

/** One read more that agrees, or the first of a new run. */
const again = (agreed: Agreement | null, now: EpochMs): Agreement =>
  ({ since: agreed?.since ?? now, reads: (agreed?.reads ?? 0) + 1 })

/**
 * Decides which candles of one symbol are final. It is given what the venue shows and the time, and asks nothing itself.
 * A candle is final when the next one has begun (or its close is 3 s past) and two reads at least 1 s apart agree.
 */
export class CandleFeed {
  readonly symbol: string
  /** Final candles in order that nobody has taken yet. */
  readonly ready: Candle[] = []
  readonly #start: FeedStart
  readonly #step: number
  /** Closed candles by open time, and holes by where they begin, that are not settled yet. */
  readonly #sightings = new Map<EpochMs, Sighting>()
  readonly #holes = new Map<EpochMs, Hole>()
  /** Delivered candles by open time, null for holes that were given up. */
  readonly #delivered = new Map<EpochMs, Candle | null>()
  #next: EpochMs | null
  #warmUntil: EpochMs | null = null
  /** Where the warm-up of a first start was asked for. */
  #warmFrom: EpochMs | null = null
  /** The newest candle that the last read showed. */
  #newest: Candle | null = null

  constructor(start: FeedStart) {
    this.symbol = start.symbol
    this.#start = start
    this.#step = start.step
    this.#next = start.after === undefined ? null : start.after + start.step
  }

  /** Open time of the first candle that is not final yet; null before the first read of a first start. */
  get next(): EpochMs | null {
    return this.#next
  }

  /** Open time from which the next read must show everything. */
  from(now: EpochMs): EpochMs {
    const [watched] = this.#delivered.keys()
    return watched ?? this.#warmFrom ?? this.#next ?? floorToGrid(now, this.#step) - this.#start.warmup * this.#step
  }

  /** The candle after the last final one, if it has begun: its open stands. */
  get opening(): Candle | null {
    return this.#newest !== null && this.#newest.openTime === this.#next ? this.#newest : null
  }

  /** On a first start: everything before this open time is warm-up, and delivered at once. Null on a restart. */
  get warmUntil(): EpochMs | null {
    return this.#warmUntil
  }

  /** True when all candles of the warm-up are ready, or there is none. */
  get warm(): boolean {
    return this.#next !== null && (this.#warmUntil === null || this.#next >= this.#warmUntil)
  }

  /**
   * Takes one whole read: rows from `from(now)` on, rising. With `ended` time stands still for good: reads need not lie
   * apart, and nothing later can begin.
   */
  take(rows: readonly Candle[], now: EpochMs, ended = false): void {
    const begun = this.#begin(rows, now)
    if (begun === null) return
    this.#next = begun
    this.#newest = rows.at(-1) ?? null
    this.#watch(rows)
    const open = rows.filter(({ openTime }) => openTime >= begun)
    this.#sight(open, now)
    this.#sightHoles(open, begun, now)
    const agreed = ({ since, reads }: Agreement): boolean => reads > 1 && (ended || now - since >= AGREE_MS)
    for (const [index, row] of open.entries()) {
      const hole = this.#holes.get(this.#next)
      if (hole !== undefined) {
        if (!agreed(hole) || (!ended && now < hole.to + SETTLED_MS)) return
        this.#pass(this.#next, hole.to)
        this.#next = hole.to
      }
      const close = row.openTime + this.#step
      const sighting = this.#sightings.get(row.openTime)
      const over = ended || index < open.length - 1 || now >= close + SETTLED_MS
      if (sighting === undefined || !over || !agreed(sighting)) return
      this.ready.push(row)
      this.#sightings.delete(row.openTime)
      this.#remember(row.openTime, row)
      this.#next = close
    }
  }

  /** When the next read is worth making. */
  readAt(now: EpochMs): EpochMs {
    if (this.#next === null) return now + POLL_MS.least
    if (this.#sightings.size > 0 || this.#holes.size > 0) return now + AGREE_MS
    const close = this.#next + this.#step
    const due = this.#start.openings && this.opening === null ? this.#next : close
    if (due > now) return due
    const wait = Math.floor((now - due) / 4 / POLL_MS.least) * POLL_MS.least
    return now + Math.min(POLL_MS.most, Math.max(POLL_MS.least, wait))
  }

  /**
   * The open time that comes next; null while the venue shows nothing at all. A first start begins with the oldest
   * candle that there is, on whichever read it shows: what came before it is not missing.
   */
  #begin([first]: readonly Candle[], now: EpochMs): EpochMs | null {
    if (first === undefined || this.#start.after !== undefined || this.#delivered.size > 0) return this.#next
    this.#warmUntil ??= floorToGrid(now, this.#step)
    this.#warmFrom ??= this.from(now)
    return Math.min(first.openTime, this.#warmUntil)
  }

  #sight(rows: readonly Candle[], now: EpochMs): void {
    const shown = new Set(rows.map(({ openTime }) => openTime))
    for (const openTime of this.#sightings.keys()) if (!shown.has(openTime)) this.#sightings.delete(openTime)
    for (const candle of rows) {
      if (candle.openTime + this.#step > now) continue
      const before = this.#sightings.get(candle.openTime)
      const agreed = before !== undefined && same(before.candle, candle) ? before : null
      this.#sightings.set(candle.openTime, { candle, ...again(agreed, now) })
    }
  }

  #sightHoles(rows: readonly Candle[], next: EpochMs, now: EpochMs): void {
    const before = new Map(this.#holes)
    this.#holes.clear()
    let expected = next
    for (const { openTime } of rows) {
      const hole = before.get(expected)
      const agreed = hole?.to === openTime ? hole : null
      if (openTime > expected) this.#holes.set(expected, { to: openTime, ...again(agreed, now) })
      expected = openTime + this.#step
    }
  }

  /** Gives up the candles from `from` to `to`: they really are not there. */
  #pass(from: EpochMs, to: EpochMs): void {
    this.#holes.delete(from)
    this.#start.alarm('gap', { from: isoTime(from), to: isoTime(to - this.#step), missing: (to - from) / this.#step })
    const watched = Math.max(from, to - WATCHED * this.#step)
    for (let openTime = watched; openTime < to; openTime += this.#step) this.#remember(openTime, null)
  }

  #remember(openTime: EpochMs, candle: Candle | null): void {
    this.#delivered.set(openTime, candle)
    const [oldest] = this.#delivered.keys()
    if (this.#delivered.size > WATCHED) this.#delivered.delete(oldest)
  }

  /** Reports every delivered candle that the venue shows otherwise now, once per change. */
  #watch(rows: readonly Candle[]): void {
    for (const row of rows) {
      const was = this.#delivered.get(row.openTime)
      if (was === undefined || (was !== null && same(was, row))) continue
      this.#start.alarm('candle-revised', {
        openTime: isoTime(row.openTime), was: was === null ? null : numbers(was), is: numbers(row),
      })
      this.#delivered.set(row.openTime, row)
    }
  }
}
