import type { EpochMs } from '../../engine/core/time.ts'
import type { Clock } from '../../engine/ports.ts'

interface Sleeper {
  readonly at: EpochMs
  readonly wake: () => void
}

/** Time that jumps to the next sleeper's hour as soon as nothing else is left to do: hours of patience in no time. */
export class EventClock implements Clock {
  #now: EpochMs
  #sleepers: Sleeper[] = []
  #ticking = false

  constructor(now: EpochMs = Date.UTC(2025, 0, 1)) {
    this.#now = now
  }

  now(): EpochMs { return this.#now }
  reach(time: EpochMs): void { this.#now = Math.max(this.#now, time) }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason as Error)
      const sleeper = { at: this.#now + ms, wake: resolve }
      this.#sleepers.push(sleeper)
      signal?.addEventListener('abort', () => {
        this.#sleepers = this.#sleepers.filter((one) => one !== sleeper)
        reject(signal.reason as Error)
      }, { once: true })
      this.#tick()
    })
  }

  #tick(): void {
    if (this.#ticking) return
    this.#ticking = true
    // Two rounds, so that whatever is due by now has been done.
    setImmediate(() => setImmediate(() => {
      this.#ticking = false
      const next = this.#sleepers.reduce<Sleeper | null>((first, one) => (first === null || one.at < first.at ? one : first), null)
      if (next === null) return
      this.#sleepers = this.#sleepers.filter((one) => one !== next)
      this.#now = Math.max(this.#now, next.at)
      next.wake()
      if (this.#sleepers.length > 0) this.#tick()
    }))
  }
}
