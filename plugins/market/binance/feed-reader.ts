import { isoTime, type EpochMs } from '../../../engine/core/time.ts'
import { floorToGrid, intervalOf, timeframeMs, type Timeframe } from '../../../engine/core/timeframe.ts'
import type { Candle } from '../../../engine/core/candle.ts'
import { klines } from '../../binance/answers.ts'
import { CallError, marketId, type Connection } from '../../binance/connection.ts'
import type { CandleFeed } from './candle-feed.ts'

/** What Binance gives at most in one answer. */
const PAGE = 1000
const FIRST_RETRY_MS = 1000
const LAST_RETRY_MS = 30_000
/** A candle one timeframe late after its close makes the market stale, within these, in ms. */
const STALE_MS = { least: 10_000, most: 60_000 }

export interface Reading {
  readonly feed: CandleFeed
  readonly timeframe: Timeframe
  readonly connection: Connection
  readonly started: EpochMs
  alarm(event: string, fields: Readonly<Record<string, unknown>>): void
}

/** Reads one feed's candles and tells of outages: what fails is tried again later, and nothing here ever waits. */
export class FeedReader {
  readonly feed: CandleFeed
  readonly #reading: Reading
  readonly #step: number
  #readAt: EpochMs
  #failures = 0
  #failingSince: EpochMs = 0
  #staleSince: EpochMs | null = null

  constructor(reading: Reading) {
    this.feed = reading.feed
    this.#reading = reading
    this.#step = timeframeMs(reading.timeframe)
    this.#readAt = reading.started
  }

  /** When the next read is due. */
  get readAt(): EpochMs {
    return this.#readAt
  }

  /** No read before `time`: the venue asked to be left alone. */
  hold(time: EpochMs): void {
    this.#readAt = Math.max(this.#readAt, time)
  }

  /**
   * One read, of several pages when much is missing. `latest` tells the newest time that it can be at the venue. Returns the
   * failure, or null; throws what is not the exchange's doing.
   */
  async read(now: EpochMs, latest: () => EpochMs, ended = false): Promise<CallError | null> {
    let rows: readonly Candle[]
    try {
      rows = await this.#rows(this.feed.from(now), latest)
    } catch (error) {
      if (!(error instanceof CallError)) throw error
      this.#failed(error, now)
      return error
    }
    if (this.#failures > 0) {
      this.#reading.alarm('market-reachable', { since: isoTime(this.#failingSince), failures: this.#failures })
      this.#failures = 0
    }
    this.feed.take(rows, now, ended)
    this.#readAt = this.feed.readAt(now)
    return null
  }

  /** Tells, once an episode, that candles are overdue, and that they are not any more. */
  checkStale(now: EpochMs): void {
    const due = Math.max((this.feed.next ?? 0) + this.#step, this.#reading.started)
    const stale = now >= due + Math.max(STALE_MS.least, Math.min(STALE_MS.most, this.#step))
    if (stale && this.#staleSince === null) {
      this.#staleSince = due
      this.#reading.alarm('stale-market', { since: isoTime(due) })
    } else if (!stale && this.#staleSince !== null) {
      this.#reading.alarm('market-recovered', { since: isoTime(this.#staleSince) })
      this.#staleSince = null
    }
  }

  async #rows(from: EpochMs, latest: () => EpochMs): Promise<readonly Candle[]> {
    const { connection, timeframe, feed } = this.#reading
    const interval = intervalOf(timeframe)
    const step = timeframeMs(interval)
    const rows: Candle[] = []
    for (let startTime = from; ;) {
      const page = await connection.call('GET', 'klines',
        { symbol: marketId(feed.symbol), interval, startTime, limit: PAGE }, klines)
      const newest = latest()
      for (const row of page) {
        const { openTime } = row
        if (openTime >= startTime && openTime <= newest && floorToGrid(openTime, step) === openTime) rows.push(row)
        else throw new CallError('unknown-outcome', `GET klines: the answer cannot be used: a candle at ${openTime}`)
      }
      if (page.length < PAGE) return interval === timeframe ? rows : this.#composed(rows)
      startTime = page[page.length - 1].openTime + 1
    }
  }

  /** Candles of our timeframe out of those of the venue; the last one may still be in progress, as with the venue's own. */
  #composed(parts: readonly Candle[]): Candle[] {
    const whole: Candle[] = []
    for (const { openTime: at, open, high, low, close, volume } of parts) {
      const openTime = floorToGrid(at, this.#step)
      const last = whole.at(-1)
      if (last === undefined || last.openTime !== openTime) whole.push({ openTime, open, high, low, close, volume })
      else {
        whole[whole.length - 1] = {
          openTime, open: last.open, high: Math.max(last.high, high), low: Math.min(last.low, low), close, volume: last.volume + volume,
        }
      }
    }
    return whole
  }

  #failed(error: CallError, now: EpochMs): void {
    if (this.#failures === 0) {
      this.#failingSince = now
      this.#reading.alarm('market-unreachable', { reason: error.message })
    }
    const backoff = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(this.#failures, 10))
    this.#failures++
    this.#readAt = now + (error.retryAfterMs ?? backoff)
  }
}
