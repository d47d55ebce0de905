import type { Controls, Now, Shown } from './ports.ts'

/** What stands between the server and being of use; none = ready. */
export class Readiness {
  readonly #shown: Shown
  readonly #controls: Controls | null
  readonly #staleMs: number
  readonly #now: Now
  #seenAt: number
  readonly #end: () => void

  /** `staleMs` without anything new is too long while the loop runs. */
  constructor(shown: Shown, controls: Controls | null, staleMs: number, now: Now) {
    this.#shown = shown
    this.#controls = controls
    this.#staleMs = staleMs
    this.#now = now
    this.#seenAt = now()
    this.#end = shown.book.onLine(() => { this.#seenAt = now() })
  }

  faults(): readonly string[] {
    const controls = this.#controls
    if (controls === null) return []
    // A loop that somebody stopped, or whose tape is over, does what it is to do: nothing.
    if (!controls.running) return this.#shown.info().state === 'failed' ? ['the run failed, and nobody goes on with it'] : []
    const quiet = this.#now() - this.#seenAt
    return quiet > this.#staleMs ? [`nothing has come from the market for ${Math.floor(quiet / 1000)} s`] : []
  }

  close(): void {
    this.#end()
  }
}
