import type { FastifyInstance } from 'fastify'
import { MOST_CLIENTS, type Feed } from '../feed.ts'
import { Refusal } from '../refusal.ts'
import { typed } from './parts.ts'

/** `GET /api/events`: what changes, as it changes. */
export function feedRoute(app: FastifyInstance, feed: Feed): void {
  typed(app).get('/api/events', {
    exposeHeadRoute: false, config: { own: true },
    schema: {
      summary: 'Server-sent events', produces: ['text/event-stream'],
      description: 'Events: status, decision, trade, order, position, equity, candle, risk, provider, alarm, run, lanes; each '
        + 'carries the shape of its GET, or of one element where that is a list (equity: one point; lanes: all). `reset` = fetch '
        + 'everything again. Last-Event-ID goes on where a stream broke off.',
    },
  }, (request, reply) => {
    if (feed.full) throw new Refusal(503, 'TD_HTTP_BUSY', `${MOST_CLIENTS} event streams are open already`, 'close another', { 'retry-after': '30' })
    const last = request.headers['last-event-id']
    reply.hijack()
    for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) reply.raw.setHeader(name, value)
    reply.raw.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' })
    request.raw.socket.setNoDelay(true)
    feed.follow(reply.raw, typeof last === 'string' && last !== '' ? last : null)
  })
}
