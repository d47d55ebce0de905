import { signal, type ReadonlySignal } from '@preact/signals'
import { get, messageOf } from './api.ts'

export type Loaded<T> =
  | { readonly state: 'loading' }
  | { readonly state: 'failed'; readonly message: string }
  /** `trouble`: the last attempt to renew it failed; the value is an older one. */
  | { readonly state: 'ready'; readonly value: T; readonly trouble: string | null }

/** What one address answers, kept for the page. */
export class Resource<T> {
  readonly #signal = signal<Loaded<T>>({ state: 'loading' })
  readonly #failed: (error: unknown) => void
  #path: string
  #turn = 0

  constructor(path: string, failed: (error: unknown) => void) {
    this.#path = path
    this.#failed = failed
  }

  get loaded(): ReadonlySignal<Loaded<T>> { return this.#signal }

  /** null before the first answer. */
  get value(): T | null {
    const now = this.#signal.value
    return now.state === 'ready' ? now.value : null
  }

  /** As `value`, without following it. */
  get current(): T | null {
    const now = this.#signal.peek()
    return now.state === 'ready' ? now.value : null
  }

  set(value: T): void {
    this.#signal.value = { state: 'ready', value, trouble: null }
  }

  change(change: (value: T) => T): void {
    const now = this.#signal.peek()
    if (now.state === 'ready') this.set(change(now.value))
  }

  /** Another address from now on; what it answered before is forgotten. */
  async at(path: string): Promise<void> {
    if (path !== this.#path) this.#signal.value = { state: 'loading' }
    this.#path = path
    await this.load()
  }

  /** The newest question wins, whatever the order of the answers. */
  async load(): Promise<void> {
    const turn = ++this.#turn
    try {
      const value = await get<T>(this.#path)
      if (turn === this.#turn) this.set(value)
    } catch (error) {
      this.#failed(error)
      if (turn !== this.#turn) return
      const now = this.#signal.peek()
      const message = messageOf(error)
      this.#signal.value = now.state === 'ready' ? { ...now, trouble: message } : { state: 'failed', message }
    }
  }
}
