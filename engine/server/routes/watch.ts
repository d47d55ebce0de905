import type { FastifyInstance } from 'fastify'
import type { Registry } from 'prom-client'
import { z } from 'zod'
import type { Readiness } from '../readiness.ts'
import { typed } from './parts.ts'

/** For whoever watches the process. */
export function watchRoutes(app: FastifyInstance, registry: Registry, readiness: Readiness): void {
  const server = typed(app)
  server.get('/healthz', {
    config: { open: true }, schema: { summary: 'Whether the process serves', response: { 200: z.object({ status: z.literal('ok') }) } },
  }, () => ({ status: 'ok' as const }))
  const ready = z.object({ ready: z.boolean(), reasons: z.array(z.string()) })
  server.get('/readyz', { schema: { summary: 'Whether the loop does what it is to do', response: { 200: ready, 503: ready } } },
    (_request, reply) => {
      const reasons = [...readiness.faults()]
      reply.code(reasons.length === 0 ? 200 : 503)
      return { ready: reasons.length === 0, reasons }
    })
  server.get('/metrics', { schema: { summary: 'Numbers for Prometheus' } }, async (_request, reply) =>
    reply.type(registry.contentType).send(await registry.metrics()))
}
