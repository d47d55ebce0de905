import { batch, computed, signal } from '@preact/signals'
import { apply, type Outdated } from './apply.ts'
import { EventFeed } from './event-feed.ts'
import type { ServerEvent } from './sse.ts'
import type { Store } from './store.ts'

/** The server says something at least this often, in ms, if it is only that it lives. */
const HEARTBEAT_MS = 15_000
const SILENCE_MS = 3 * HEARTBEAT_MS
/** Events are shown together this often: a run at full speed tells thousands a second. */
const SHOW_MS = 150
/** What only a question renews is asked for at most this often. */
const RENEW_MS = 2_000
const MOST_WAITING = 5_000

/** Keeps the store as the server has it, and knows how sure that is. */
export class Follower {
  /** Wall clock in ms, a second at a time. */
  readonly now = signal(Date.now())
  readonly #heardAt = signal<number | null>(null)
  readonly #link = signal<'connecting' | 'open' | 'lost'>('connecting')
  readonly #retryAt = signal<number | null>(null)
  readonly #store: Store
  readonly #feed: EventFeed
  readonly #outdated = new Set<Outdated>()
  #waiting: ServerEvent[] = []
  #loading = false
  #renewedAt = 0

  /** `stale`: what is shown may be old. `since`: when the server was last heard of, in ms; null = never. */
  readonly connection = computed(() => {
    const [link, since] = [this.#link.value, this.#heardAt.value]
    const silent = since !== null && this.now.value - since > SILENCE_MS
    return { link, since, silent, stale: link === 'lost' || silent, retryAt: this.#retryAt.value }
  })

  constructor(store: Store) {
    this.#store = store
    this.#feed = new EventFeed({
      heard: () => { this.#heardAt.value = Date.now() },
      opened: (fresh) => {
        this.#link.value = 'open'
        this.#retryAt.value = null
        if (fresh) void this.#loadAll()
      },
      event: (event) => {
        this.#waiting.push(event)
        if (this.#waiting.length > MOST_WAITING) {
          this.#waiting = []
          this.#outdated.add('all')
        }
      },
      lost: (retryMs) => {
        const never = this.#link.peek() === 'connecting'
        this.#link.value = 'lost'
        this.#retryAt.value = Date.now() + retryMs
        if (never) void this.#loadAll()
      },
      locked: () => { store.locked.value = true },
    })
  }

  start(): void {
    this.#feed.start()
    setInterval(() => this.#tick(), 1_000)
    setInterval(() => this.#show(), SHOW_MS)
    addEventListener('online', () => this.#feed.renew())
  }

  /** After a login, or when somebody does not want to wait. */
  again(): void {
    this.#store.locked.value = false
    this.#outdated.add('all')
    this.#feed.start()
    this.#feed.renew()
  }

  #tick(): void {
    this.now.value = Date.now()
    // A connection that is silent for so long is dead, whatever the browser believes.
    if (this.connection.peek().silent && this.#link.peek() === 'open') this.#feed.renew()
  }

  #show(): void {
    if (this.#loading || document.hidden && this.#waiting.length < MOST_WAITING / 2) return
    const events = this.#waiting
    this.#waiting = []
    if (events.length > 0) {
      batch(() => {
        for (const { name, data } of events) {
          try {
            for (const one of apply(this.#store, name, JSON.parse(data))) this.#outdated.add(one)
          } catch {
            this.#outdated.add('all')
          }
        }
      })
    }
    if (this.#outdated.size > 0 && Date.now() - this.#renewedAt >= RENEW_MS) this.#renew()
  }

  #renew(): void {
    this.#renewedAt = Date.now()
    const outdated = new Set(this.#outdated)
    this.#outdated.clear()
    if (outdated.has('all')) return void this.#loadAll()
    const { symbol } = this.#store
    for (const one of outdated) if (one !== 'all' && (one !== 'candles' || symbol.peek() !== null)) void this.#store[one].load()
  }

  /** Events wait meanwhile, so that an older answer does not undo them. */
  async #loadAll(): Promise<void> {
    if (this.#loading) {
      this.#outdated.add('all')
      return
    }
    this.#loading = true
    try {
      await this.#store.loadAll()
    } finally {
      this.#loading = false
    }
  }
}
