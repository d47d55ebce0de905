import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Received {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** What the server does with a request; left unanswered, it hangs. */
export type Responder = (received: Received, response: ServerResponse, count: number) => void

/** An HTTP server on loopback that keeps what it received. */
export class Loopback {
  readonly received: Received[] = []
  readonly #server: Server

  private constructor(respond: Responder) {
    this.#server = createServer((request, response) => {
      let body = ''
      request.setEncoding('utf8').on('data', (part: string) => { body += part })
      request.on('end', () => {
        const received = { path: request.url ?? '', headers: request.headers, body }
        this.received.push(received)
        respond(received, response, this.received.length)
      })
    })
  }

  static async open(respond: Responder): Promise<Loopback> {
    const server = new Loopback(respond)
    await new Promise<void>((resolve) => { server.#server.listen(0, '127.0.0.1', resolve) })
    return server
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  close(): Promise<void> {
    this.#server.closeAllConnections()
    return new Promise((resolve) => { this.#server.close(() => { resolve() }) })
  }
}
