/**
 * Who may move a stepped clock: everybody, or one client alone for a while. A hold ends by itself, so that a client that
 * dies or hangs cannot make time stand still for others.
 */
export class Hold {
  #by: string | null = null
  #until = 0

  /** Takes or renews the hold for so many real ms; 0 ends it. False while somebody else has it. */
  take(by: string, ms: number): boolean {
    if (this.blocks(by)) return false
    this.#by = by
    this.#until = performance.now() + ms
    return true
  }

  /** Whether the clock stands still for whoever says `by`; undefined is anybody. */
  blocks(by: string | undefined): boolean {
    return this.#by !== null && this.#by !== by && performance.now() < this.#until
  }
}
