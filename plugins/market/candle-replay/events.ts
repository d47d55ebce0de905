import type { CandleBatch } from '../../../engine/ports.ts'
import type { Merged } from './merge.ts'

export interface EventsPlan {
  readonly merged: Merged
  readonly signal: AbortSignal
  /** What is left to do when the tape has been read to its end. */
  readonly finish: () => Promise<void>
  /** Gives back whatever is open; called once, however the reading ends. */
  readonly close: () => Promise<void>
}

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined }

/** Hands out merged candles. An async generator would do the same at three times the cost per event. */
export class Events implements AsyncIterableIterator<CandleBatch, undefined> {
  readonly #plan: EventsPlan
  #more = false
  #closed = false

  constructor(plan: EventsPlan) {
    this.#plan = plan
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<CandleBatch, undefined>> {
    // Candles that close together are one moment, which an abort does not tear apart.
    if (this.#closed || (this.#plan.signal.aborted && !this.#more)) return this.return()
    try {
      const step = this.#plan.merged.next()
      if (step.done === true) return this.#end()
      if (step.value instanceof Promise) return this.#wait(step.value)
      this.#more = step.value.more
      return Promise.resolve({ done: false, value: step.value })
    } catch (error) {
      return this.#fail(error)
    }
  }

  async return(): Promise<IteratorResult<CandleBatch, undefined>> {
    if (!this.#closed) {
      this.#closed = true
      await this.#plan.close()
    }
    return DONE
  }

  async #wait(refill: Promise<void>): Promise<IteratorResult<CandleBatch, undefined>> {
    try {
      await refill
    } catch (error) {
      return this.#fail(error)
    }
    return this.next()
  }

  async #end(): Promise<IteratorResult<CandleBatch, undefined>> {
    try {
      await this.#plan.finish()
    } catch (error) {
      return this.#fail(error)
    }
    return this.return()
  }

  async #fail(error: unknown): Promise<IteratorResult<CandleBatch, undefined>> {
    await this.return()
    // Readers stop at an abort by throwing; for the listener the tape just ends.
    if (this.#plan.signal.aborted) return DONE
    throw error
  }
}
