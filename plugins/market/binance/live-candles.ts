import { candleColumns, setRow, type Candle } from '../../../engine/core/candle.ts'
import type { EpochMs } from '../../../engine/core/time.ts'
import { decisionDeadlineMs, timeframeMs, type Timeframe } from '../../../engine/core/timeframe.ts'
import type { CandleBatch, Clock, LiveMarketPlan, MarketEvent, MarketPlan } from '../../../engine/ports.ts'
import { CallError, type Connection } from '../../binance/connection.ts'
import { CandleFeed } from './candle-feed.ts'
import { FeedReader } from './feed-reader.ts'
import { FineCandles } from './fine-candles.ts'
import { nextGroup, type Group } from './next-group.ts'

/** A late symbol is waited for this share of the deadline: the rest is for deciding. */
const PATIENCE = 0.5
/** And after an outage this long, since the symbols' reads do not come at once, in ms. */
const BACKLOG_PATIENCE_MS = 3000
const CLOCK_CHECK_MS = 3_600_000
const CLOCK_RETRY_MS = 10_000
/** Beyond this the venue begins to refuse what is signed with our time, in ms. */
const DRIFT_MS = 1000
/** At the end of a tape no time passes between reads, so that failures are not waited out. */
const LAST_READS = 20

export interface LiveWorld {
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** True for the clock of a practice exchange whose tape has ended: it never moves again. */
const tapeEnded = (clock: Clock): boolean => 'ended' in clock && clock.ended === true

/** One pass over a live market. See the plugin for what comes when. */
export class LiveCandles {
  readonly #plan: MarketPlan
  readonly #live: LiveMarketPlan
  readonly #connection: Connection
  readonly #world: LiveWorld
  readonly #step: number
  readonly #deadline: number
  readonly #readers: readonly FeedReader[]
  readonly #feeds: readonly CandleFeed[]
  /** Candles that orders are settled on, where those are finer. */
  readonly #fine: FineCandles | null
  /** By symbol: the candle whose open is still to be told. */
  readonly #awaited = new Map<string, EpochMs>()
  #nextWake: EpochMs
  #clockCheckAt: EpochMs
  #drift = 0
  #warm = false
  /** When a group that waits for a late symbol is looked at again. */
  #patience: EpochMs = Infinity
  /** Since when there have been candles to deliver without a break. */
  #readySince: EpochMs | null = null

  constructor(plan: MarketPlan, live: LiveMarketPlan, connection: Connection, world: LiveWorld) {
    this.#plan = plan
    this.#live = live
    this.#connection = connection
    this.#world = world
    this.#step = timeframeMs(plan.timeframe)
    this.#deadline = decisionDeadlineMs(this.#step)
    const started = world.clock.now()
    this.#nextWake = started + live.checkIntervalMs
    this.#clockCheckAt = started
    const readerOf = (timeframe: Timeframe, warmup: number, after: LiveMarketPlan['after']) => (symbol: string): FeedReader => {
      const alarm = (event: string, fields: Readonly<Record<string, unknown>>): void =>
        live.journal.note('alarm', { event, symbol, ...fields })
      const openings = live.openings === true && timeframe === plan.timeframe
      const feed = new CandleFeed({ symbol, step: timeframeMs(timeframe), warmup, after: after[symbol], openings, alarm })
      return new FeedReader({ feed, timeframe, connection, started, alarm })
    }
    const decided = plan.symbols.map(readerOf(plan.timeframe, live.warmup, live.after))
    const { fillTimeframe } = plan
    const finer = fillTimeframe === null ? [] : plan.symbols.map(readerOf(fillTimeframe, 0, live.settledAfter ?? {}))
    this.#feeds = decided.map(({ feed }) => feed)
    this.#fine = fillTimeframe === null ? null : new FineCandles(finer.map(({ feed }) => feed), timeframeMs(fillTimeframe))
    this.#readers = [...decided, ...finer]
  }

  async *events(): AsyncGenerator<MarketEvent> {
    while (!this.#world.signal.aborted) {
      await this.#checkClock()
      const due = this.#due()
      if (due !== undefined) this.#hold(await due.read(this.#now(), () => this.#latest()))
      for (const reader of this.#readers.slice(0, this.#feeds.length)) reader.checkStale(this.#now())
      // Candles of one close time belong together: whoever is due as well is read first.
      if (this.#due() === undefined) {
        yield* this.#deliver(false)
        yield* this.#openings()
      }
      if (this.#nextWake <= this.#world.clock.now()) yield this.#wake()
      if (this.#world.signal.aborted) return
      if (await this.#sleep()) continue
      yield* this.#finish()
      return
    }
  }

  /**
   * The earlier of our time and the venue's: a candle has closed when both clocks say so, and one that is wrong can only
   * make a read later, never take a candle in progress for a finished one.
   */
  #now(): EpochMs {
    return this.#world.clock.now() + Math.min(0, this.#drift)
  }

  /** No candle can open later than this. */
  #latest(): EpochMs {
    return this.#world.clock.now() + Math.abs(this.#drift) + this.#step
  }

  #due(): FeedReader | undefined {
    return this.#readers.find(({ readAt }) => readAt <= this.#now())
  }

  #hold(failure: CallError | null): void {
    if (failure === null || failure.retryAfterMs === null) return
    for (const reader of this.#readers) reader.hold(this.#now() + failure.retryAfterMs)
  }

  async #checkClock(): Promise<void> {
    if (this.#clockCheckAt > this.#world.clock.now()) return
    try {
      this.#drift = await this.#connection.syncTime()
      this.#clockCheckAt = this.#world.clock.now() + CLOCK_CHECK_MS
    } catch (error) {
      if (!(error instanceof CallError)) throw error
      this.#live.journal.note('alarm', { event: 'clock-unknown', symbol: this.#plan.symbols[0], error: error.message })
      this.#hold(error)
      this.#clockCheckAt = this.#world.clock.now() + Math.max(CLOCK_RETRY_MS, error.retryAfterMs ?? 0)
      return
    }
    if (Math.abs(this.#drift) <= DRIFT_MS) return
    this.#live.journal.note('alarm', { event: 'clock-drift', symbol: this.#plan.symbols[0], ms: this.#drift })
  }

  /** Sleeps until something is due. False when time will not move any more. */
  async #sleep(): Promise<boolean> {
    const { clock, signal } = this.#world
    const before = clock.now()
    const behind = before - this.#now()
    const until = Math.min(
      this.#nextWake, this.#clockCheckAt, this.#patience + behind, ...this.#readers.map(({ readAt }) => readAt + behind),
    )
    if (tapeEnded(clock)) return false
    if (until <= before) return true
    try {
      await clock.sleep(until - before, signal)
    } catch (error) {
      if (signal.aborted) return true
      throw error
    }
    return signal.aborted || !tapeEnded(clock)
  }

  *#deliver(ended: boolean): Generator<MarketEvent> {
    if (!this.#warm) {
      if (!this.#feeds.every(({ warm }) => warm) && !ended) return
      this.#warm = true
      yield* this.#warmUp()
    }
    this.#patience = Infinity
    for (;;) {
      const since = this.#readySince ??= this.#now()
      const patience = (close: EpochMs): EpochMs =>
        (ended ? -Infinity : Math.max(close + this.#deadline * PATIENCE, since + BACKLOG_PATIENCE_MS))
      yield* this.#settling(ended)
      const group = nextGroup(this.#feeds, this.#step, this.#now(), patience, (close) => this.#fine?.reached(close) ?? true)
      if (group === null) {
        this.#readySince = null
        return
      }
      if (typeof group === 'number') {
        this.#patience = group
        return
      }
      const missed = this.#now() - (group.openTime + this.#step) > this.#deadline
      yield* this.#batches(group, missed)
      if (this.#live.openings === true && !missed) for (const { symbol } of group.members) this.#awaited.set(symbol, group.openTime + this.#step)
      // Nobody decides on a missed candle, so one wake-up after the last of them is enough.
      if (!missed || this.#feeds.every(({ ready }) => ready.length === 0)) yield this.#wake()
      if (this.#world.signal.aborted) return
    }
  }

  /** What a first start begins with: many rows at once for one symbol, row by row for several. */
  *#warmUp(): Generator<MarketEvent> {
    const rows = this.#feeds.map(({ symbol, ready, warmUntil }) => {
      const count = warmUntil === null ? 0 : ready.filter(({ openTime }) => openTime < warmUntil).length
      return { symbol, candles: ready.splice(0, count) }
    })
    if (rows.every(({ candles }) => candles.length === 0)) return
    if (rows.length === 1) yield this.#batch(rows[0].symbol, rows[0].candles)
    const times = new Set(rows.length === 1 ? [] : rows.flatMap(({ candles }) => candles.map(({ openTime }) => openTime)))
    for (const openTime of [...times].sort((a, b) => a - b)) {
      const members = rows.flatMap(({ symbol, candles }) =>
        candles[0]?.openTime === openTime ? [{ symbol, candle: candles.splice(0, 1)[0] }] : [])
      yield* this.#batches({ openTime, members }, false)
    }
    yield this.#wake()
  }

  *#batches({ members }: Group, missed: boolean): Generator<MarketEvent> {
    for (const [index, { symbol, candle }] of members.entries()) {
      yield { ...this.#batch(symbol, [candle], index < members.length - 1), ...(missed ? { missed } : {}) }
    }
  }

  #batch(symbol: string, candles: readonly Candle[], more = false): CandleBatch {
    return { ...this.#columns(symbol, this.#plan.timeframe, candles), settles: this.#fine === null, decides: true, more }
  }

  #columns(symbol: string, timeframe: Timeframe, candles: readonly Candle[]): Omit<CandleBatch, 'settles' | 'decides' | 'more'> {
    const columns = candleColumns(candles.length)
    for (const [row, candle] of candles.entries()) setRow(columns, row, candle)
    return { kind: 'candles', symbol, timeframe, columns, start: 0, end: candles.length, arrivedAt: this.#world.clock.now() }
  }

  /** Finer candles up to the close that is decided on next: nothing may be decided before orders have met them. */
  *#settling(ended: boolean): Generator<MarketEvent> {
    if (this.#fine === null) return
    const next = this.#feeds.reduce((oldest, { ready, next: open }) => Math.min(oldest, ready[0]?.openTime ?? open ?? -Infinity), Infinity)
    for (const { symbol, candles } of this.#fine.take(ended ? Infinity : next + this.#step)) {
      yield { ...this.#columns(symbol, this.#plan.fillTimeframe!, candles), settles: true, decides: false, more: false }
    }
  }

  /** The first price of the candle after the one that was decided on, once there is one. */
  *#openings(): Generator<MarketEvent> {
    for (const { symbol, opening, next } of this.#feeds) {
      const awaited = this.#awaited.get(symbol)
      if (awaited === undefined || (opening === null && next === awaited)) continue
      this.#awaited.delete(symbol)
      if (opening?.openTime !== awaited) continue
      const { open } = opening
      const first = { openTime: awaited, open, high: open, low: open, close: open, volume: 0 }
      yield { ...this.#columns(symbol, '1s', [first]), settles: true, decides: false, more: false }
    }
  }

  #wake(): MarketEvent {
    const time = this.#world.clock.now()
    const { checkIntervalMs } = this.#live
    if (this.#nextWake <= time) this.#nextWake += Math.ceil((time - this.#nextWake + 1) / checkIntervalMs) * checkIntervalMs
    return { kind: 'wake', time }
  }

  /** The tape has ended: what has closed is read twice, delivered and settled. */
  async *#finish(): AsyncGenerator<MarketEvent> {
    const { clock, signal } = this.#world
    for (const reader of this.#readers) {
      for (let reads = 0, good = 0; reads < LAST_READS && good < 2 && !signal.aborted; reads++) {
        if (await reader.read(clock.now(), () => this.#latest(), true) === null) good++
      }
    }
    yield* this.#deliver(true)
    yield this.#wake()
  }
}
