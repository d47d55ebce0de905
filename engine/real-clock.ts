import type { EpochMs } from './core/time.ts'
import type { Clock } from './ports.ts'

/** The machine's own time. */
export class RealClock implements Clock {
  now(): EpochMs { return Date.now() }
  reach(): void {}
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return pause(ms, signal)
  }
}

/** So many real ms, or less when `signal` aborts. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) return resolve()
    const done = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal?.addEventListener('abort', done, { once: true })
  })
}

interface Sleeper {
  readonly at: EpochMs
  readonly wake: () => void
}

/** Time that jumps to the next sleeper's hour as soon as nothing else is left to do: hours of patience in no time. */
export class VirtualClock implements Clock {
  #now: EpochMs
  #sleepers: Sleeper[] = []
  #ticking = false

  constructor(now: EpochMs) {
    this.#now = now
  }

  now(): EpochMs { return this.#now }
  reach(time: EpochMs): void { this.#now = Math.max(this.#now, time) }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason as Error)
      const left = (): void => {
        this.#sleepers = this.#sleepers.filter((one) => one !== sleeper)
        reject(signal!.reason as Error)
      }
      const wake = (): void => {
        signal?.removeEventListener('abort', left)
        resolve()
      }
      const sleeper = { at: this.#now + ms, wake }
      this.#sleepers.push(sleeper)
      signal?.addEventListener('abort', left, { once: true })
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
