import type { ServerResponse } from 'node:http'
import type { FeedEvent } from './ports.ts'

interface Told {
  readonly number: number
  readonly text: string
}

/** Events that a client may come back for. */
const REMEMBERED = 1_000
/** In all, in characters: events are short, unless somebody makes them long. */
const MOST_REMEMBERED = 16 << 20
/** What a client may have waiting for it. */
const MOST_WAITING = 256
const MOST_BYTES = 1 << 20
/** Events are sent together, so that a hundred clients cost as many writes a moment and not as many an event. */
const GATHER_MS = 50
export const MOST_CLIENTS = 200

export interface FeedOptions {
  /** Tells this process's events from those of another. */
  readonly boot: string
  readonly heartbeatMs: number
}

/**
 * Events for whoever follows. A client has no queue of its own: it stands somewhere in the one memory of events, and one
 * that falls too far behind, or reads nothing at all, is told to fetch everything again. Nobody is ever waited for.
 */
export class Feed {
  readonly #options: FeedOptions
  #told: Told[] = []
  readonly #clients = new Set<Client>()
  #number = 0
  #bytes = 0
  #gathering: NodeJS.Timeout | null = null
  readonly #heart: NodeJS.Timeout
  #resets = 0
  /** Before anybody followed, nobody can come back. */
  #followed = false

  constructor(options: FeedOptions) {
    this.#options = options
    this.#heart = setInterval(() => {
      for (const client of this.#clients) client.beat()
    }, options.heartbeatMs).unref()
  }

  get clients(): number {
    return this.#clients.size
  }

  /** Clients that were told to start again, so far. */
  get resets(): number {
    return this.#resets
  }

  get full(): boolean {
    return this.#clients.size >= MOST_CLIENTS
  }

  /** `data` is asked for only where somebody listens or may come back. */
  tell(event: FeedEvent, data: () => unknown): void {
    const number = ++this.#number
    if (!this.#followed) return
    const text = `id: ${this.#id(number)}\nevent: ${event}\ndata: ${JSON.stringify(data())}\n\n`
    this.#told.push({ number, text })
    this.#bytes += text.length
    // Cut now and then, so that each event does not move all others.
    if (this.#told.length > REMEMBERED * 2 || this.#bytes > MOST_REMEMBERED) this.#forget()
    if (this.#clients.size > 0) this.#gathering ??= setTimeout(() => { this.#send() }, GATHER_MS).unref()
  }

  /** Serves a client from now on. `last` is its Last-Event-ID. */
  follow(response: ServerResponse, last: string | null): void {
    this.#followed = true
    const client = new Client(response)
    this.#clients.add(client)
    response.once('close', () => { this.#clients.delete(client) })
    response.on('drain', () => { this.#serve(client) })
    response.on('error', () => { response.destroy() })
    const from = last === null ? this.#number : this.#numberOf(last)
    client.open(from ?? this.#number)
    if (from === null) this.#reset(client)
    this.#serve(client)
  }

  /** Ends all streams. */
  close(): void {
    clearInterval(this.#heart)
    if (this.#gathering !== null) clearTimeout(this.#gathering)
    for (const client of this.#clients) client.end()
    this.#clients.clear()
  }

  #forget(): void {
    const kept = this.#told.slice(-REMEMBERED)
    let bytes = kept.reduce((sum, { text }) => sum + text.length, 0)
    let from = 0
    // Half is room for what comes.
    while (bytes > MOST_REMEMBERED / 2) bytes -= kept[from++].text.length
    this.#told = kept.slice(from)
    this.#bytes = bytes
  }

  #send(): void {
    this.#gathering = null
    for (const client of this.#clients) this.#serve(client)
  }

  #serve(client: Client): void {
    const behind = this.#number - client.at
    if (behind > MOST_WAITING) this.#reset(client)
    if (client.blocked || client.at === this.#number) return
    const first = this.#told.at(0)?.number ?? this.#number + 1
    if (client.at + 1 < first) return this.#reset(client)
    const waiting = this.#told.slice(client.at + 1 - first)
    let bytes = 0
    for (const { text } of waiting) bytes += text.length
    if (bytes > MOST_BYTES) return this.#reset(client)
    client.write(waiting.map(({ text }) => text).join(''), this.#number)
  }

  /** The client fetches everything anew, and what comes after this is all that it is told. */
  #reset(client: Client): void {
    client.at = this.#number
    if (client.resetting) return
    this.#resets++
    client.reset(`id: ${this.#id(this.#number)}\nevent: reset\ndata: {}\n\n`)
  }

  #id(number: number): string {
    return `${this.#options.boot}-${number}`
  }

  /** Where a client that saw `id` last goes on; null where nobody knows any more. */
  #numberOf(id: string): number | null {
    const [, boot, digits] = /^([\w.]+)-(\d{1,15})$/.exec(id) ?? []
    const number = Number(digits)
    if (boot !== this.#options.boot || number > this.#number) return null
    const kept = Math.max(this.#number - REMEMBERED, (this.#told[0]?.number ?? this.#number + 1) - 1)
    return number >= kept ? number : null
  }
}

class Client {
  /** Number of the newest event that was written to it. */
  at = 0
  blocked = false
  /** A reset is on its way that it has not read yet. */
  resetting = false
  readonly #response: ServerResponse

  constructor(response: ServerResponse) {
    this.#response = response
    response.on('drain', () => {
      this.blocked = false
      this.resetting = false
    })
  }

  open(at: number): void {
    this.at = at
    this.#write('retry: 2000\n\n')
  }

  write(text: string, until: number): void {
    this.at = until
    this.#write(text)
  }

  reset(text: string): void {
    // What was written already cannot be taken back; behind it comes the reset.
    this.#write(text)
    this.resetting = this.blocked
  }

  /** A stream on which nothing comes is known to live. */
  beat(): void {
    if (!this.blocked) this.#write(': alive\n\n')
  }

  end(): void {
    this.#response.end()
  }

  #write(text: string): void {
    if (!this.#response.write(text)) this.blocked = true
  }
}
