import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fullDashboard, wholeDecision, type DashboardData } from './dashboard-data.ts'

const PAGE = fileURLToPath(new URL('../../dist/engine/server/dashboard', import.meta.url))
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8', '.svg': 'image/svg+xml',
}
const POLICY = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
  + "frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'"

type Answer = { readonly status: number; readonly body: unknown }
const ok = (body: unknown): Answer => ({ status: 200, body })
const refused = (status: number, message: string): Answer => ({ status, body: { error: { code: 'TD_SERVER_TEST', message, do: null } } })

/**
 * Serves the built page on loopback and plays the server's part from `data`, which tests change as they go: what is asked
 * for, what is posted (`acts`), and an event stream that can be cut or fall silent.
 */
export class DashboardServer {
  data: DashboardData
  /** Bodies posted, by path, in order. */
  readonly acts: { readonly path: string; readonly body: unknown }[] = []
  /** Paths whose GET fails, with the message. */
  readonly broken = new Map<string, string>()
  /** Where set, everything but the page and the login needs it. */
  token: string | null = null
  /** Takes connections and answers none, as a machine that hangs. */
  deaf = false
  readonly #server: Server
  readonly #streams = new Set<ServerResponse>()
  readonly #sockets = new Set<Socket>()
  #event = 0

  constructor(data: DashboardData = fullDashboard()) {
    this.data = data
    this.#server = createServer((request, response) => void this.#serve(request, response))
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
    })
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return this.url
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  get streams(): number {
    return this.#streams.size
  }

  push(event: string, data: unknown): void {
    const text = `id: boot-${++this.#event}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`
    for (const stream of this.#streams) stream.write(text)
  }

  cutStreams(): void {
    for (const stream of this.#streams) stream.destroy()
  }

  /** Also those that nobody answered. */
  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise<void>((resolve) => { this.#server.close(() => resolve()) })
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', this.url)
    if (this.deaf) return
    if (!pathname.startsWith('/api/')) return this.#file(pathname, response)
    const body = await bodyOf(request)
    if (request.method === 'POST') this.acts.push({ path: pathname, body })
    if (pathname === '/api/login') return this.#login(body, response)
    if (this.token !== null && !(request.headers.cookie ?? '').includes('session=open')) return send(response, refused(401, 'log in first'))
    if (pathname === '/api/events') return this.#stream(response)
    const answer = request.method === 'POST' ? this.#act(pathname, body as Readonly<Record<string, unknown>>) : this.#get(pathname, searchParams)
    send(response, answer)
  }

  async #file(pathname: string, response: ServerResponse): Promise<void> {
    const name = pathname === '/' ? '/index.html' : pathname
    try {
      const bytes = await readFile(join(PAGE, name))
      response.writeHead(200, { 'content-type': TYPES[extname(name)] ?? 'application/octet-stream', 'content-security-policy': POLICY }).end(bytes)
    } catch {
      response.writeHead(404).end()
    }
  }

  #login(body: unknown, response: ServerResponse): void {
    if ((body as { readonly token?: unknown }).token !== this.token) return send(response, refused(401, 'wrong token'))
    response.setHeader('set-cookie', 'session=open; HttpOnly; SameSite=Strict; Path=/')
    send(response, ok({}))
  }

  #stream(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    response.write(': here\n\n')
    this.#streams.add(response)
    response.on('close', () => this.#streams.delete(response))
  }

  #get(path: string, query: URLSearchParams): Answer {
    const trouble = this.broken.get(path)
    if (trouble !== undefined) return refused(503, trouble)
    const { data } = this
    const simple: Readonly<Record<string, unknown>> = {
      '/api/autonomous-status': data.status, '/api/run': data.run, '/api/figures': data.figures, '/api/positions': data.positions,
      '/api/trades': data.trades, '/api/equity': data.equity, '/api/decisions': data.decisions, '/api/risk': data.risk,
      '/api/providers': data.services, '/api/lanes': data.lanes, '/api/alarms': data.alarms, '/api/runs': data.runs,
      '/api/candles': data.candles[query.get('symbol') ?? ''],
    }
    if (simple[path] !== undefined) return ok(simple[path])
    const one = data.decisions.find(({ id }) => path === `/api/decisions/${id}`)
    return one === undefined ? refused(404, `nothing at ${path}`) : ok(wholeDecision(one))
  }

  #act(path: string, body: Readonly<Record<string, unknown>>): Answer {
    const { data } = this
    if (path === '/api/autonomous-toggle') {
      data.status = { ...data.status, is_running: !data.status.is_running }
      return ok(data.status)
    }
    if (path === '/api/positions') {
      data.positions = data.positions.map((one) => one.symbol === body['symbol'] ? { ...one, leaving: true } : one)
      return { status: 202, body: { accepted: true, symbol: body['symbol'], outcome: 'asked' } }
    }
    if (path === '/api/risk') return this.#risk(body)
    const name = path.startsWith('/api/providers/') ? decodeURIComponent(path.slice('/api/providers/'.length)) : null
    const service = data.services.find((one) => one.name === name)
    if (service === undefined) return refused(404, `nothing at ${path}`)
    const changed = { ...service, state: body['action'] === 'enable' ? 'ACTIVE' as const : 'DISABLED' as const, reason: body['action'] === 'enable' ? null : 'operator' }
    data.services = data.services.map((one) => one === service ? changed : one)
    return ok(changed)
  }

  #risk({ action, confirm }: Readonly<Record<string, unknown>>): Answer {
    const { data } = this
    if (action === 'panic' && confirm !== true) return refused(400, 'panic needs confirm: true')
    const state = action === 'resume' ? 'RUNNING' as const : 'HALTED' as const
    data.risk = { ...data.risk, state, reason: state === 'HALTED' ? 'from the dashboard' : null, since: new Date().toISOString() }
    if (action !== 'panic') return { status: 202, body: data.risk }
    const closed = data.positions.map(({ symbol }) => symbol)
    data.positions = []
    return ok({ state, closed, failed: [] })
  }
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const pieces: Buffer[] = []
  for await (const piece of request) pieces.push(piece as Buffer)
  const text = Buffer.concat(pieces).toString('utf8')
  return text === '' ? null : JSON.parse(text)
}

function send(response: ServerResponse, { status, body }: Answer): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(body))
}
