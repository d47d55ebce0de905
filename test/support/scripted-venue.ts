import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach } from 'vitest'
import type { Clock, Deps, Venue } from '../../engine/ports.ts'

export interface Asked {
  readonly method: string
  /** Below /api/v3: `order/cancelReplace`. */
  readonly path: string
  readonly params: Readonly<Record<string, string>>
  readonly headers: IncomingHttpHeaders
}

/** What the scripted venue does with a request: answers, keeps silent, never finishes its answer, or breaks the connection. */
export type Reply =
  | { readonly status?: number; readonly headers?: Readonly<Record<string, string>>; readonly json?: unknown; readonly text?: string }
  | 'hang'
  | 'endless'
  | 'break'

export interface ScriptedVenue {
  readonly venue: Venue
  readonly asked: readonly Asked[]
}

const cleanups: (() => void)[] = []
afterEach(() => { for (const cleanup of cleanups.splice(0)) cleanup() })

/** A loopback server that answers what the test says; closed after the test. */
export async function scriptedVenue(answer: (asked: Asked) => Reply): Promise<ScriptedVenue> {
  const asked: Asked[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => { body += chunk.toString() })
    request.on('end', () => {
      const url = new URL(request.url ?? '/', 'http://127.0.0.1')
      const one: Asked = {
        method: request.method ?? '', path: url.pathname.replace(/^\/api\/v3\//, ''),
        params: Object.fromEntries([...url.searchParams, ...new URLSearchParams(body)]), headers: request.headers,
      }
      asked.push(one)
      const reply = answer(one)
      if (reply === 'hang') return
      if (reply === 'break') {
        request.socket.destroy()
        return
      }
      if (reply === 'endless') {
        response.writeHead(200).write('{"symbol"')
        return
      }
      response.writeHead(reply.status ?? 200, { 'content-type': 'application/json', ...reply.headers })
      response.end(reply.text ?? JSON.stringify(reply.json))
    })
  })
  await new Promise<void>((listening) => { server.listen(0, '127.0.0.1', listening) })
  cleanups.push(() => {
    server.close()
    server.closeAllConnections()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { venue: { name: 'practice', url, apiKey: 'the-key', apiSecret: 'the-secret' }, asked }
}

/** Time that moves only by sleeping. */
export class SteppedClock implements Clock {
  /** As the clock of a practice exchange tells it. */
  ended = false
  readonly #endTime: number
  #now: number

  constructor(start: number, endTime = Infinity) {
    this.#now = start
    this.#endTime = endTime
  }

  now(): number {
    return this.#now
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    this.#now = Math.min(this.#now + ms, this.#endTime)
    this.ended = this.#now >= this.#endTime
  }

  reach(time: number): void {
    this.#now = Math.max(this.#now, time)
  }
}

export const testDeps = (clock: Clock = new SteppedClock(1_700_000_000_000), more: Partial<Deps> = {}): Deps => ({
  clock, nextId: (prefix) => `${prefix}-1`, random: () => 0.5, fetch, env: {}, signal: new AbortController().signal,
  log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }, ...more,
})
