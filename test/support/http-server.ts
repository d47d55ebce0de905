import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { afterAll } from 'vitest'
import { TapedeckError } from '../../engine/errors.ts'
import { NEW_SERVICE, type ServiceHealth } from '../../engine/pipeline/provider-health.ts'
import type { Controls, LaneInfo, Leaving, PanicOutcome } from '../../engine/server/ports.ts'
import { RunBook } from '../../engine/server/run-book.ts'
import { runInfo } from '../../engine/server/run-info.ts'
import { startServer, type Server, type ServerOptions } from '../../engine/server/server.ts'
import { readRun } from '../../engine/session/live-directory.ts'
import { temporaryFolder } from './run-scenario.ts'
import { bookOf } from './served-run.ts'

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** The text, parsed. */
  readonly json: unknown
}

export interface Asking {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  /** An object becomes JSON, with its content type. */
  readonly body?: string | object
}

/** Asks as a program would: every header can be set, and none comes by itself but Host. */
export function ask(url: string, path: string, { method = 'GET', headers = {}, body }: Asking = {}): Promise<Answer> {
  const json = typeof body === 'object' ? { 'content-type': 'application/json' } : {}
  const text = typeof body === 'object' ? JSON.stringify(body) : body
  // Node leaves it out for methods that seldom have a body.
  const length = text === undefined ? {} : { 'content-length': String(Buffer.byteLength(text)) }
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const request = httpRequest({ hostname, port, path, method, headers: { ...length, ...json, ...headers }, agent: false }, (response) => {
      let got = ''
      response.setEncoding('utf8').on('data', (chunk: string) => { got += chunk })
      response.once('error', reject)
      response.once('end', () => {
        const isJson = got !== '' && (response.headers['content-type'] ?? '').includes('json')
        resolve({ status: response.statusCode!, headers: response.headers, text: got, json: isJson ? JSON.parse(got) as unknown : null })
      })
    })
    request.once('error', reject)
    request.end(text)
  })
}

/** A loop that does as it is told, and tells what it was told. */
export class FakeControls implements Controls {
  readonly told: string[] = []
  readonly #listeners = new Set<() => void>()
  enabled = true
  mode = 'AUTONOMOUS' as const
  running = true
  /** Every act fails with it. */
  failure: TapedeckError | null = null
  health: Record<string, ServiceHealth> = { openai: NEW_SERVICE, gemini: NEW_SERVICE }

  reset(): void {
    this.told.splice(0)
    this.running = true
    this.failure = null
    this.health = { openai: NEW_SERVICE, gemini: NEW_SERVICE }
  }

  async toggle(): Promise<void> {
    this.#do('toggle')
    this.running = !this.running
    for (const listener of this.#listeners) listener()
  }

  async act(act: string, reason: string): Promise<void> {
    this.#do(`${act}: ${reason}`)
  }

  leaving: Leaving = { outcome: 'sold' }

  async close(symbol: string, reason: string): Promise<Leaving> {
    this.#do(`close ${symbol}: ${reason}`)
    return this.leaving
  }

  async panic(reason: string): Promise<PanicOutcome> {
    this.#do(`panic: ${reason}`)
    return { closed: ['BTC/USDT'], failed: [{ symbol: 'ETH/USDT', message: '/home/me/runs/x: no answer' }] }
  }

  async service(name: string, action: 'enable' | 'disable'): Promise<void> {
    this.#do(`${action} ${name}`)
    this.health = { ...this.health, [name]: { ...NEW_SERVICE, state: action === 'enable' ? 'ACTIVE' : 'DISABLED' } }
    for (const listener of this.#listeners) listener()
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => { this.#listeners.delete(listener) }
  }

  #do(what: string): void {
    if (this.failure !== null) throw this.failure
    this.told.push(what)
  }
}

export interface TestServer extends Server {
  readonly book: RunBook
  readonly controls: FakeControls
  readonly defects: unknown[]
}

export interface TestPlan extends Partial<ServerOptions> {
  /** Directory of a run that is shown; left out = none. */
  readonly directory?: string
  /** Without anybody who could act. */
  readonly looking?: boolean
  readonly lanes?: readonly LaneInfo[]
}

const open: Server[] = []
if (process.env['VITEST']) afterAll(() => Promise.all(open.splice(0).map((server) => server.close())))

/** A server on a run of tests, on any free port. It is closed when the test file ends. */
export async function serveTest({ directory, looking = false, lanes = [], ...plan }: TestPlan = {}): Promise<TestServer> {
  const book = directory === undefined ? new RunBook() : bookOf(directory)
  const record = directory === undefined ? null : readRun(directory)
  const controls = new FakeControls()
  const defects: unknown[] = []
  const server = await startServer({
    shown: {
      book, info: () => runInfo(record, book), lanes: () => lanes,
      services: () => Object.entries(controls.health).map(([name, health], index) => ({ name, priority: index + 1, health })),
    },
    controls: looking ? null : controls, host: '127.0.0.1', port: 0, env: {}, out: directory === undefined ? temporaryFolder() : `${directory}/..`,
    run: directory ?? null, dashboard: null, version: '0.0.0', now: Date.now, report: (error) => { defects.push(error) }, ...plan,
  })
  open.push(server)
  return { url: server.url, close: () => server.close(), book, controls, defects }
}

/** What every refusal has to look like. */
export interface Refused {
  readonly error: { readonly code: string; readonly message: string; readonly do: string | null }
}
