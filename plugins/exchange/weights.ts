import type { EpochMs } from '../../engine/core/time.ts'

/** A number that starts again with every interval of the exchange's time. */
class Window {
  readonly #ms: number
  #interval = -1
  #sum = 0

  constructor(ms: number) {
    this.#ms = ms
  }

  add(amount: number, now: EpochMs): number {
    const interval = Math.floor(now / this.#ms)
    if (interval !== this.#interval) this.#sum = 0
    this.#interval = interval
    return (this.#sum += amount)
  }
}

/** What the headers of every answer tell about limits. They are told, not enforced: a stepped clock puts whole days into one minute. */
export class Weights {
  readonly #weight = new Window(60_000)
  readonly #orders10s = new Window(10_000)
  readonly #orders1d = new Window(86_400_000)

  headers(weight: number, orders: number, now: EpochMs): Readonly<Record<string, string>> {
    const headers: Record<string, string> = { 'x-mbx-used-weight-1m': String(this.#weight.add(weight, now)) }
    headers['x-mbx-used-weight'] = headers['x-mbx-used-weight-1m']
    const [short, long] = [this.#orders10s.add(orders, now), this.#orders1d.add(orders, now)]
    if (orders > 0) Object.assign(headers, { 'x-mbx-order-count-10s': String(short), 'x-mbx-order-count-1d': String(long) })
    return headers
  }
}
