import { request, type ClientRequest, type IncomingMessage } from 'node:http'

export interface ServerEvent {
  readonly id: string
  readonly event: string
  readonly data: unknown
}

/** Reads a stream of server-sent events as a browser does, without coming back by itself. */
export class EventReader {
  readonly events: ServerEvent[] = []
  /** Comments that came between events. */
  comments = 0
  readonly #request: ClientRequest
  readonly #response: IncomingMessage
  #rest = ''
  #ended = false
  readonly #waiting = new Set<() => void>()

  private constructor(sent: ClientRequest, response: IncomingMessage) {
    this.#request = sent
    this.#response = response
    response.setEncoding('utf8').on('data', (chunk: string) => { this.#read(chunk) })
    const end = (): void => {
      this.#ended = true
      this.#wake()
    }
    response.once('close', end).once('error', end)
  }

  static open(url: string, headers: Readonly<Record<string, string>> = {}): Promise<EventReader> {
    return new Promise((resolve, reject) => {
      const sent = request(`${url}/api/events`, { headers, agent: false }, (response) => {
        if (response.statusCode !== 200) return reject(new Error(`answered ${response.statusCode}`))
        resolve(new EventReader(sent, response))
      })
      sent.once('error', reject)
      sent.end()
    })
  }

  get headers(): IncomingMessage['headers'] {
    return this.#response.headers
  }

  get ended(): boolean {
    return this.#ended
  }

  /** Reads nothing until it is resumed. */
  pause(): void {
    this.#response.pause()
  }

  resume(): void {
    this.#response.resume()
  }

  /** Resolves once it holds; rejects when the stream ends before. */
  async until(holds: (events: readonly ServerEvent[]) => boolean): Promise<readonly ServerEvent[]> {
    while (!holds(this.events)) {
      if (this.#ended) throw new Error(`the stream ended after ${this.events.length} events`)
      await new Promise<void>((resolve) => { this.#waiting.add(resolve) })
    }
    return this.events
  }

  async untilEnd(): Promise<void> {
    while (!this.#ended) await new Promise<void>((resolve) => { this.#waiting.add(resolve) })
  }

  close(): void {
    this.#request.destroy()
  }

  #read(chunk: string): void {
    const blocks = (this.#rest + chunk).split('\n\n')
    this.#rest = blocks.pop()!
    for (const block of blocks) {
      const fields = Object.fromEntries(block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]))
      if (fields['event'] === undefined) this.comments++
      else this.events.push({ id: fields['id'], event: fields['event'], data: JSON.parse(fields['data']) })
    }
    this.#wake()
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve()
    this.#waiting.clear()
  }
}
