import { EventParser, type ServerEvent } from './sse.ts'

export interface FeedListener {
  /** Something came, be it a heartbeat. */
  heard(): void
  /** `fresh`: no event was seen before, so everything has to be fetched. */
  opened(fresh: boolean): void
  event(event: ServerEvent): void
  /** The stream is gone or cannot be had; it is tried again after `retryMs`. */
  lost(retryMs: number): void
  /** Somebody has to log in; the feed has stopped. */
  locked(): void
}

const SHORTEST_MS = 1_000
const LONGEST_MS = 30_000

/**
 * The server's events, read with fetch: the browser's EventSource hides heartbeats and status codes, without which
 * silence cannot be told from quiet, nor a missing login from an outage.
 */
export class EventFeed {
  readonly #listener: FeedListener
  #round: AbortController | null = null
  #stopped = true
  #lastId: string | null = null
  #failures = 0
  #wake: () => void = () => undefined

  constructor(listener: FeedListener) {
    this.#listener = listener
  }

  start(): void {
    if (!this.#stopped) return
    this.#stopped = false
    void this.#loop()
  }

  /** Gives up the connection, which seems dead, and tries the next at once. */
  renew(): void {
    this.#failures = 0
    this.#round?.abort()
    this.#wake()
  }

  async #loop(): Promise<void> {
    while (!this.#stopped) {
      const round = this.#round = new AbortController()
      try {
        await this.#read(round.signal)
      } catch {
        // Every way to lose the stream is answered in the same way.
      }
      round.abort()
      if (this.#stopped) return
      const pause = Math.min(LONGEST_MS, SHORTEST_MS * 2 ** Math.min(10, this.#failures++)) * (0.75 + Math.random() / 2)
      this.#listener.lost(pause)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, pause)
        this.#wake = () => { clearTimeout(timer); resolve() }
      })
    }
  }

  async #read(signal: AbortSignal): Promise<void> {
    const headers = { accept: 'text/event-stream', ...(this.#lastId === null ? {} : { 'last-event-id': this.#lastId }) }
    const response = await fetch('/api/events', { headers, signal, cache: 'no-store', credentials: 'same-origin' })
    if (response.status === 401) {
      this.#stopped = true
      this.#listener.locked()
      return
    }
    if (!response.ok || response.body === null) return
    this.#failures = 0
    this.#listener.heard()
    this.#listener.opened(this.#lastId === null)
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
    const parser = new EventParser()
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      this.#listener.heard()
      for (const event of parser.take(value)) {
        this.#lastId = event.id ?? this.#lastId
        this.#listener.event(event)
      }
    }
  }
}
