/** The newest `most` of what was added, oldest first; older ones are forgotten. */
export class Newest<T> {
  readonly #most: number
  readonly #kept: T[] = []
  #from = 0

  constructor(most: number) {
    this.#most = most
  }

  get length(): number {
    return this.#kept.length
  }

  add(one: T): void {
    if (this.#kept.length < this.#most) {
      this.#kept.push(one)
      return
    }
    this.#kept[this.#from] = one
    this.#from = (this.#from + 1) % this.#most
  }

  /** `0` is the oldest. */
  at(index: number): T | undefined {
    const { length } = this.#kept
    if (index < 0 || index >= length) return undefined
    return this.#kept[(this.#from + index) % length]
  }

  last(): T | undefined {
    return this.at(this.#kept.length - 1)
  }

  /** Oldest first. */
  *[Symbol.iterator](): Generator<T, void, undefined> {
    for (let index = 0; index < this.#kept.length; index++) yield this.at(index)!
  }

  /** Newest first, at most `limit` of those that fit. */
  newest(limit: number, fits: (one: T) => boolean = () => true): T[] {
    const found: T[] = []
    for (let index = this.#kept.length - 1; index >= 0 && found.length < limit; index--) {
      const one = this.at(index)!
      if (fits(one)) found.push(one)
    }
    return found
  }
}
