import type { EpochMs } from '../../engine/core/time.ts'
import type { Listing } from './listing.ts'

export interface ClockEvents {
  /** A candle that orders meet has closed; its series has moved on already. */
  closed(listing: Listing, closeTime: EpochMs): void
  /** Time has moved to `to`; `closes` counts the candles that closed on the way. */
  moved(to: EpochMs, closes: number): void
}

/** The exchange's time. It passes through every close on its way, whoever moves it. */
export class ExchangeClock {
  readonly #listings: readonly Listing[]
  readonly #events: ClockEvents
  readonly #pace: 'stepped' | number
  readonly endTime: EpochMs
  #now: EpochMs
  /** Where simulated and real time met. */
  #anchor: { readonly simulated: EpochMs; readonly real: number } | null = null

  constructor(listings: readonly Listing[], startTime: EpochMs, pace: 'stepped' | number, events: ClockEvents) {
    this.#listings = listings
    this.#events = events
    this.#pace = pace
    this.#now = startTime
    this.endTime = Math.max(...listings.map(({ tape }) => tape.end))
    for (const { tape } of listings) tape.reach(startTime)
  }

  /** From here on real time drives the clock, unless it is stepped. */
  run(): void {
    if (this.#pace !== 'stepped') this.#anchor = { simulated: this.#now, real: performance.now() }
  }

  get stepped(): boolean {
    return this.#pace === 'stepped'
  }

  /** Simulated ms per real ms, unless it is stepped. */
  get pace(): 'stepped' | number {
    return this.#pace
  }

  get ended(): boolean {
    return this.now() >= this.endTime
  }

  now(): EpochMs {
    if (this.#anchor !== null) {
      this.moveTo(Math.floor(this.#anchor.simulated + (performance.now() - this.#anchor.real) * (this.#pace as number)))
    }
    return this.#now
  }

  /** The next close of any candle strictly after now; Infinity after the last. */
  get nextClose(): EpochMs {
    return Math.min(...this.#listings.map(({ tape }) => tape.nextClose))
  }

  /** Never backwards. */
  moveTo(time: EpochMs): void {
    if (time <= this.#now) return
    let closes = 0
    for (let next = this.nextClose; next <= time; next = this.nextClose) {
      this.#now = next
      // Every symbol sees the same moment before any order of it is settled.
      const closed = this.#listings.filter(({ tape }) => tape.reach(next))
      closes += closed.length
      for (const listing of closed) this.#events.closed(listing, next - 1)
    }
    this.#now = time
    this.#events.moved(time, closes)
  }

  /** Simulated milliseconds in real ones: what a delay costs a real-time client. */
  realMs(simulated: number): number {
    return this.#pace === 'stepped' ? 0 : simulated / this.#pace
  }
}
