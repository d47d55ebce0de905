import type { Now } from './ports.ts'

/** Addresses that are remembered at most; beyond that the oldest are let go. */
const ADDRESSES = 10_000

/** So many events in a window per address, the window beginning with the first. */
export class Limiter {
  readonly most: number
  readonly #windowMs: number
  readonly #now: Now
  readonly #windows = new Map<string, { readonly until: number; count: number }>()

  constructor(most: number, windowMs: number, now: Now) {
    this.most = most
    this.#windowMs = windowMs
    this.#now = now
  }

  /** Seconds until the address may go on; 0 = now. */
  wait(address: string): number {
    const window = this.#open(address)
    return window === undefined || window.count < this.most ? 0 : Math.max(1, Math.ceil((window.until - this.#now()) / 1000))
  }

  count(address: string): void {
    const window = this.#open(address)
    if (window !== undefined) {
      window.count++
      return
    }
    if (this.#windows.size >= ADDRESSES) this.#windows.delete(this.#windows.keys().next().value!)
    this.#windows.set(address, { until: this.#now() + this.#windowMs, count: 1 })
  }

  #open(address: string): { readonly until: number; count: number } | undefined {
    const window = this.#windows.get(address)
    if (window === undefined || this.#now() < window.until) return window
    this.#windows.delete(address)
    return undefined
  }
}
