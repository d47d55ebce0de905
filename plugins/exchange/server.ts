import { setTimeout as sleep } from 'node:timers/promises'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { z } from 'zod'
import { ENDPOINTS, type Core } from './core.ts'
import type { Dispatcher, Outcome } from './dispatch.ts'
import { BinanceError, refusals } from './errors.ts'
import { Hold } from './hold.ts'
import { parseParams } from './params.ts'
import { checkKey } from './signature.ts'
import type { Endpoint } from './world.ts'

export interface ServerParts {
  readonly core: Core
  readonly dispatcher: Dispatcher
  readonly apiKey: string
  readonly counts: () => object
}

const queryOf = (url: string): string => {
  const mark = url.indexOf('?')
  return mark < 0 ? '' : url.slice(mark + 1)
}

const keyOf = ({ headers }: FastifyRequest): string | undefined => {
  const key = headers['x-mbx-apikey']
  return Array.isArray(key) ? key[0] : key
}

/** The routes of the API below /api/v3 and those of the stage hands below /practice. */
export function createServer({ core, dispatcher, apiKey, counts }: ServerParts): FastifyInstance {
  const app = fastify({ logger: false, forceCloseConnections: true, exposeHeadRoutes: false })
  // Signatures cover the body as it was sent, so nobody may parse it first; connectors send all kinds of content types.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body))
  app.setNotFoundHandler((_request, reply) => reply.code(404).type('text/html').send('<html><body><h2>404 Not Found</h2></body></html>'))
  for (const endpoint of ENDPOINTS) {
    app.route({
      method: endpoint.method, url: `/api/v3${endpoint.path}`,
      handler: async (request, reply) => handle(endpoint, dispatcher, request, reply),
    })
  }
  addControl(app, core, apiKey, counts)
  return app
}

async function handle(endpoint: Endpoint, dispatcher: Dispatcher, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const query = queryOf(request.raw.url ?? '')
  const body = typeof request.body === 'string' ? request.body : ''
  const outcome: Outcome = dispatcher.handle({ endpoint, query, body, apiKey: keyOf(request) })
  if (outcome.kind !== 'answer') {
    reply.hijack()
    if (outcome.kind === 'broken') request.raw.socket.destroy()
    return reply
  }
  if (outcome.delayMs > 0) await sleep(outcome.delayMs)
  reply.raw.once('finish', () => dispatcher.tell('answered', endpoint, parseParams(query, body)))
  return reply.code(outcome.status).headers(outcome.headers).type(outcome.type).send(outcome.body)
}

const advance = z.strictObject({ until: z.number(), by: z.string().optional() })
/** Real ms that a client may keep the clock to itself without asking again. */
const LONGEST_HOLD_MS = 10_000
const holding = z.strictObject({ by: z.string().min(1), ms: z.number().min(0).max(LONGEST_HOLD_MS) })

function addControl(app: FastifyInstance, core: Core, apiKey: string, counts: () => object): void {
  const { clock } = core
  const hold = new Hold()
  const onlyStepped = (): void => {
    if (!clock.stepped) throw new BinanceError(409, -1020, 'This exchange keeps its own time: only a stepped one can be advanced or held.')
  }
  const guard = (request: FastifyRequest, _reply: FastifyReply, done: (error?: Error) => void): void => {
    try {
      checkKey(keyOf(request), apiKey)
      done()
    } catch (error) {
      done(error as Error)
    }
  }
  const onError = (error: unknown, _request: FastifyRequest, reply: FastifyReply): void => {
    const { status, body } = error instanceof BinanceError ? error : refusals.unknownError()
    void reply.code(status).send(body)
  }
  app.route({
    method: 'POST', url: '/practice/advance', preHandler: guard, errorHandler: onError,
    handler: async (request) => {
      onlyStepped()
      const wish = advance.safeParse(parseJson(request.body))
      if (!wish.success) throw refusals.missing('until')
      if (hold.blocks(wish.data.by)) return { time: clock.now(), ended: clock.ended, held: true }
      clock.moveTo(Math.min(wish.data.until, clock.nextClose))
      return { time: clock.now(), ended: clock.ended }
    },
  })
  app.route({
    method: 'POST', url: '/practice/hold', preHandler: guard, errorHandler: onError,
    handler: async (request) => {
      onlyStepped()
      const wish = holding.safeParse(parseJson(request.body))
      if (!wish.success) throw refusals.missing(wish.error.issues[0].path.join('.') || 'by')
      const { by, ms } = wish.data
      return { time: clock.now(), ended: clock.ended, held: !hold.take(by, ms) }
    },
  })
  app.route({
    method: 'GET', url: '/practice/state', preHandler: guard, errorHandler: onError,
    handler: async () => ({ time: clock.now(), ended: clock.ended, endTime: clock.endTime, pace: clock.pace, counts: counts() }),
  })
}

function parseJson(body: unknown): unknown {
  try {
    return JSON.parse(String(body))
  } catch {
    return null
  }
}
