import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import helmet from '@fastify/helmet'
import files from '@fastify/static'
import fastify, { type FastifyInstance } from 'fastify'
import { validatorCompiler } from 'fastify-type-provider-zod'
import { Access } from './access.ts'
import { tellChanges } from './changes.ts'
import { documentation } from './documentation.ts'
import { Feed } from './feed.ts'
import { guard, type GuardPlan } from './guard.ts'
import { Limiter } from './limiter.ts'
import { serverMetrics } from './metrics.ts'
import type { Controls, Now, Shown } from './ports.ts'
import { Readiness } from './readiness.ts'
import { errorBody, refuse } from './refusal.ts'
import { actRoutes } from './routes/acts.ts'
import { feedRoute } from './routes/feed.ts'
import { loginRoutes } from './routes/login.ts'
import { runRoutes } from './routes/runs.ts'
import { stateRoutes } from './routes/state.ts'
import { watchRoutes } from './routes/watch.ts'
import { RunList } from './run-list.ts'
import { TrailFile } from './trail-file.ts'

export interface ServerPlan {
  readonly shown: Shown
  /** null: runs are only looked at. */
  readonly controls: Controls | null
  readonly host: string
  /** API_TOKEN; null = none. */
  readonly token: string | null
  /** Parent folder of run directories. */
  readonly out: string
  /** Directory of the run that is shown; null before there is one. */
  readonly run: string | null
  /** Folder of the built page; null = none. */
  readonly dashboard: string | null
  /** So long without a line is too long while the loop runs; left out = 3 minutes. */
  readonly staleMs?: number
  readonly heartbeatMs?: number
  /** Of Tapedeck. */
  readonly version: string
  /** Told of defects. */
  readonly report: (error: unknown) => void
  readonly now: Now
}

export const CSP = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
  + "frame-ancestors 'none'; base-uri 'none'; form-action 'none'; object-src 'none'"
/** The documentation's page styles its own elements; nothing of a run is on it. */
const DOCS_CSP = CSP.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
const BODY_BYTES = 16 * 1024
const MINUTE = 60_000

/** The server, complete and not yet listening. `app.close()` ends its streams as well. */
export async function buildApp(plan: ServerPlan): Promise<FastifyInstance> {
  const { shown, controls, host, token, out, run, now, report } = plan
  const app = fastify({
    bodyLimit: BODY_BYTES, requestTimeout: 10_000, keepAliveTimeout: 10_000, exposeHeadRoutes: true,
    routerOptions: { maxParamLength: 300 },
    clientErrorHandler: notHttp,
    frameworkErrors: (error, _request, reply) => { refuse(reply, error, report) },
  })
  const access = new Access(token, now)
  const feed = new Feed({ boot: randomBytes(6).toString('hex'), heartbeatMs: plan.heartbeatMs ?? 15_000 })
  const readiness = new Readiness(shown, controls, plan.staleMs ?? 3 * MINUTE, now)
  const metrics = serverMetrics(shown, controls, feed)
  const guarding: GuardPlan = {
    host, access, port: () => portOf(app), failures: new Limiter(10, MINUTE, now), posts: new Limiter(30, MINUTE, now),
    urgent: new Limiter(120, MINUTE, now),
  }

  app.setValidatorCompiler(validatorCompiler)
  // Shapes describe answers for the documentation; holding each answer against one would cost more than making it.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data))
  app.removeAllContentTypeParsers()
  const json = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, text, done) => {
    if (text === '') done(null, undefined)
    else void json(request, text as string, done)
  })
  const allowed = methodsByAddress(app)

  await app.register(helmet, {
    contentSecurityPolicy: false, hsts: false, frameguard: { action: 'deny' }, referrerPolicy: { policy: 'no-referrer' },
  })
  app.addHook('onRequest', async (request, reply) => {
    reply.header('content-security-policy', request.routeOptions.url?.startsWith('/docs') === true ? DOCS_CSP : CSP)
    reply.header('cache-control', 'no-store')
    guard(guarding, request)
  })
  app.addHook('onResponse', async (request, reply) => {
    metrics.served(request.method, request.routeOptions.url ?? 'none', reply.statusCode, reply.elapsedTime / 1000)
  })
  app.setErrorHandler((error, _request, reply) => refuse(reply, error, report))
  app.setNotFoundHandler((request, reply) => {
    const methods = allowed(request.url)
    if (methods.length === 0) return reply.code(404).send(errorBody('TD_HTTP_UNKNOWN', 'there is nothing at this address', 'see /docs'))
    return reply.code(405).header('allow', methods.join(', '))
      .send(errorBody('TD_HTTP_METHOD', `this address does not take ${request.method}`, `use ${methods.join(' or ')}`))
  })

  await documentation(app, plan.version)
  const runs = new RunList(out, now)
  const trail = new TrailFile(run === null ? '' : join(run, 'audit.jsonl'))
  await app.register(async (routes) => {
    stateRoutes(routes, { shown, controls, trail })
    actRoutes(routes, { shown, controls, trail })
    runRoutes(routes, runs)
    loginRoutes(routes, guarding)
    feedRoute(routes, feed)
    watchRoutes(routes, metrics.registry, readiness)
  })
  await page(app, plan.dashboard)

  const end = tellChanges(shown, controls, feed)
  app.addHook('preClose', async () => {
    end()
    readiness.close()
    feed.close()
  })
  return app
}

/** The port that it listens on; 0 before. */
export function portOf(app: FastifyInstance): number {
  const address = app.server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** Answers what cannot be read as a request, once, and hangs up. */
function notHttp(error: Error & { readonly code?: string }, socket: Socket): void {
  const [status, what] = error.code === 'HPE_HEADER_OVERFLOW' ? ['431 Request Header Fields Too Large', 'the headers are too long'] as const
    : error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? ['408 Request Timeout', 'the request did not come in time'] as const
      : ['400 Bad Request', 'this is no HTTP request'] as const
  const body = JSON.stringify(errorBody('TD_HTTP_REQUEST', what, null))
  if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy()
  socket.end(`HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`)
}

/** The page is no secret: it holds nothing of a run, and has the form for the token. */
async function page(app: FastifyInstance, folder: string | null): Promise<void> {
  if (folder !== null && existsSync(join(folder, 'index.html'))) {
    await app.register(async (open) => {
      open.addHook('onRoute', (route) => { route.config = { ...route.config, open: true } })
      await open.register(files, { root: folder, wildcard: false, cacheControl: false, dotfiles: 'ignore' })
    })
    return
  }
  app.get('/', { config: { open: true }, schema: { hide: true } }, (_request, reply) =>
    reply.type('text/html; charset=utf-8').send('<!doctype html><html lang="en"><title>Tapedeck</title>'
      + '<p>The page has not been built. The interface is described at <a href="/docs">/docs</a>.</p></html>'))
}

/** Which methods an address takes, for those that it does not. */
function methodsByAddress(app: FastifyInstance): (url: string) => readonly string[] {
  const patterns = new Map<string, { readonly pattern: RegExp; readonly methods: Set<string> }>()
  app.addHook('onRoute', ({ url, method }) => {
    if (url.includes('*')) return
    const pattern = new RegExp(`^${url.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll(/:\w+/g, '[^/]+')}/?$`)
    const known = patterns.get(url) ?? { pattern, methods: new Set<string>() }
    patterns.set(url, known)
    for (const one of [method].flat()) known.methods.add(one)
  })
  return (url) => {
    const [path] = url.split('?')
    return [...patterns.values()].filter(({ pattern }) => pattern.test(path)).flatMap(({ methods }) => [...methods])
  }
}
