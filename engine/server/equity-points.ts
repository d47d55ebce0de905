import type { EpochMs } from '../core/time.ts'

/** Time, equity in quote, drawdown from the peak as a fraction ≤ 0. */
export type EquityPoint = readonly [time: EpochMs, equity: number, drawdown: number]

/**
 * Equity over time in at most `most` points, however long it gets: when they are full, every other one goes, and from
 * then on only every second moment is kept. The newest point is always there, and the deepest drawdown is known exactly.
 */
export class EquityPoints {
  readonly #most: number
  #points: EquityPoint[] = []
  #newest: EquityPoint | null = null
  /** One in so many is kept. */
  #stride = 1
  #seen = 0
  #peak: number
  #deepest = 0

  constructor(start: number, most = 2_000) {
    this.#peak = start
    this.#most = most
  }

  /** Several values of one time are one point: the last counts, as fills of a candle come after its close. */
  add(time: EpochMs, equity: number): EquityPoint {
    if (this.#newest !== null && this.#newest[0] !== time) this.#keep(this.#newest)
    const peak = Math.max(this.#peak, equity)
    this.#newest = [time, equity, peak > 0 ? equity / peak - 1 : 0]
    return this.#newest
  }

  /** Oldest first. */
  get points(): readonly EquityPoint[] {
    return this.#newest === null ? this.#points : [...this.#points, this.#newest]
  }

  get newest(): EquityPoint | null {
    return this.#newest
  }

  /** ≤ 0. */
  get maxDrawdown(): number {
    return Math.min(this.#deepest, this.#newest?.[2] ?? 0)
  }

  #keep(point: EquityPoint): void {
    this.#peak = Math.max(this.#peak, point[1])
    this.#deepest = Math.min(this.#deepest, point[2])
    if (this.#seen++ % this.#stride !== 0) return
    this.#points.push(point)
    if (this.#points.length < this.#most - 1) return
    this.#points = this.#points.filter((_, index) => index % 2 === 0)
    this.#stride *= 2
  }
}
