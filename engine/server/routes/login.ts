import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { checkToken, cookieName, loginOf, type GuardPlan } from '../guard.ts'
import * as shapes from '../shapes.ts'
import { answers, typed } from './parts.ts'

const doneShape = z.object({ logged_in: z.boolean() })

/** A browser gives the token once and gets a random id for it, which no script can read. */
export function loginRoutes(app: FastifyInstance, { access, failures, port }: GuardPlan): void {
  const server = typed(app)
  server.post('/api/login', {
    config: { open: true }, schema: { ...answers('Logs a browser in', doneShape).schema, body: shapes.body.login },
  }, ({ body: { token }, ip }, reply) => {
    if (access.open) return { logged_in: true }
    checkToken(access, failures, ip, token)
    const { id, seconds } = access.login()
    reply.header('set-cookie', cookie(port(), id, seconds))
    return { logged_in: true }
  })
  server.post('/api/logout', { config: { open: true }, ...answers('Logs a browser out', doneShape) }, (request, reply) => {
    const id = loginOf(request, port())
    if (id !== null) access.logout(id)
    reply.header('set-cookie', cookie(port(), '', 0))
    return { logged_in: false }
  })
}

const cookie = (port: number, id: string, seconds: number): string =>
  `${cookieName(port)}=${id}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Strict`
