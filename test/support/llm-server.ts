import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { FORMATS, type Ending, type Received, type ServiceName } from './llm-formats.ts'

/** What the server does with the next request that it finds nothing wrong with. */
export type Act =
  | { readonly say: string; readonly ending?: Ending }
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string | object }
  | 'reset' | 'hang' | 'hang-in-body' | 'cut'

export const GOOD = '{"action":"BUY","confidence":0.72,"reasoning":"RSI is low in an uptrend"}'

/** An AI service on loopback, in one of four languages. It refuses what the real one would, and misbehaves by script. */
export class LlmServer {
  readonly received: Received[] = []
  /** Done one by one; then every answer is good. */
  readonly script: Act[] = []
  readonly #service: ServiceName
  readonly #server: Server

  private constructor(service: ServiceName) {
    this.#service = service
    this.#server = createServer((request, response) => void this.#serve(request, response))
  }

  static async start(service: ServiceName, ...script: readonly Act[]): Promise<LlmServer> {
    const server = new LlmServer(service)
    server.script.push(...script)
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve))
    return server
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** For the provider's `baseURL`. */
  get baseURL(): string {
    return this.origin + FORMATS[this.#service].base
  }

  get key(): string {
    return FORMATS[this.#service].key
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = ''
    for await (const chunk of request) body += String(chunk)
    const received = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, body }
    this.received.push(received)
    const { fault, render, error } = FORMATS[this.#service]
    const wrong = fault(received, JSON.parse(body) as Record<string, unknown>)
    if (wrong !== null) return send(response, 400, error(400, `invalid request: ${wrong}`))
    const act = this.script.shift() ?? { say: GOOD }
    if (act === 'hang') return
    if (act === 'reset') return void request.socket.resetAndDestroy()
    if (act === 'hang-in-body' || act === 'cut') {
      response.writeHead(200, { 'content-type': 'application/json', ...(act === 'cut' ? { 'content-length': '1000' } : {}) })
      response.write(JSON.stringify(render(GOOD, 'whole')).slice(0, 40), () => {
        if (act === 'cut') request.socket.destroy()
      })
      return
    }
    if ('say' in act) return send(response, 200, render(act.say, act.ending ?? 'whole'))
    send(response, act.status, act.body ?? error(act.status, `status ${act.status}`), act.headers)
  }
}

function send(response: ServerResponse, status: number, body: string | object, headers: Readonly<Record<string, string>> = {}): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  response.writeHead(status, { 'content-type': typeof body === 'string' ? 'text/html' : 'application/json', ...headers }).end(text)
}
