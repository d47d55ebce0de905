import { request, type ClientRequest, type IncomingMessage } from 'node:http'

/** An event's first line, with the number that its id ends in, and its name. */
const EVENT = /^id: [\w.]+-(\d+)\nevent: (\w+)\n/

/**
 * Follows a stream of server-sent events without keeping or parsing what they carry, so that a hundred of them cost the
 * reader little: only their numbers are looked at.
 */
export class CountedStream {
  /** Events so far, resets among them. */
  events = 0
  resets = 0
  /** Events whose number did not follow the one before; after a reset any number may. */
  gaps = 0
  /** How often it came back. */
  returns = -1
  /** Number of the newest event. */
  newest = 0
  readonly #url: string
  #sent: ClientRequest | null = null
  #response: IncomingMessage | null = null
  #rest = ''
  #last: string | null = null

  private constructor(url: string) {
    this.#url = url
  }

  static async open(url: string): Promise<CountedStream> {
    const stream = new CountedStream(url)
    await stream.#connect()
    return stream
  }

  /** Reads nothing until it is resumed. */
  pause(): void {
    this.#response?.pause()
  }

  resume(): void {
    this.#response?.resume()
  }

  /** Hangs up and comes back with the id of the newest event, as a browser does whose connection broke. */
  async comeBack(): Promise<void> {
    this.close()
    await this.#connect()
  }

  close(): void {
    this.#sent?.destroy()
  }

  #connect(): Promise<void> {
    return new Promise((resolve, reject) => {
      const headers = this.#last === null ? {} : { 'last-event-id': this.#last }
      const sent = request(`${this.#url}/api/events`, { headers, agent: false }, (response) => {
        if (response.statusCode !== 200) return reject(new Error(`answered ${response.statusCode}`))
        this.#response = response
        this.#rest = ''
        this.returns++
        response.setEncoding('utf8').on('data', (chunk: string) => { if (this.#sent === sent) this.#read(chunk) })
        response.on('error', () => {})
        resolve()
      })
      this.#sent = sent
      sent.on('error', reject)
      sent.end()
    })
  }

  #read(chunk: string): void {
    const blocks = (this.#rest + chunk).split('\n\n')
    this.#rest = blocks.pop()!
    for (const block of blocks) this.#see(block)
  }

  #see(block: string): void {
    const [, digits, name] = EVENT.exec(block) ?? []
    if (digits === undefined) return
    const number = Number(digits)
    this.events++
    if (name === 'reset') this.resets++
    else if (this.newest !== 0 && number !== this.newest + 1) this.gaps++
    this.newest = number
    this.#last = block.slice('id: '.length, block.indexOf('\n'))
  }
}
