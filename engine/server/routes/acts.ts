import type { FastifyInstance } from 'fastify'
import type { Controls } from '../ports.ts'
import { badRequest, conflict, unknown } from '../refusal.ts'
import * as shapes from '../shapes.ts'
import { withoutPaths } from '../rows.ts'
import { providerView, riskOf, riskView, statusView } from '../views.ts'
import { answers, typed, type RouteParts } from './parts.ts'
import { serviceNamed } from './state.ts'

/** Why, where nobody says so. */
const UNSAID = 'asked for over HTTP'

/** Everything that changes something. */
export function actRoutes(app: FastifyInstance, { shown, controls }: RouteParts): void {
  const server = typed(app)
  const { body } = shapes

  server.post('/api/autonomous-toggle', answers('Starts or stops the loop', shapes.statusShape), async () => {
    await driven(controls).toggle()
    return statusView(shown, controls)
  })

  server.post('/api/positions', { schema: { ...answers('Leaves a symbol', shapes.acceptedShape, 202).schema, body: body.close } },
    async ({ body: { symbol, reason = UNSAID } }, reply) => {
      const driver = driven(controls)
      if (shown.book.position(symbol) === null) throw unknown('no position of that symbol is open', 'see GET /api/positions')
      const left = await driver.close(symbol, reason)
      if (left.outcome === 'refused') throw conflict(`${symbol} is not sold: ${left.reason}`, 'look at GET /api/positions and try again')
      return reply.code(202).send({ accepted: true, symbol, outcome: left.outcome })
    })

  server.post('/api/risk', {
    config: { urgent: true },
    schema: { ...answers('Halts, reduces, resumes, or leaves everything', shapes.riskShape, 202, { 200: shapes.panicShape }).schema, body: body.risk },
  }, async ({ body: { action, confirm, reason = UNSAID } }, reply) => {
    if (action === 'panic' && confirm !== true) throw badRequest('panic needs "confirm": true', 'say that it is meant')
    const driver = driven(controls)
    if (action === 'panic') {
      const { closed, failed } = await driver.panic(reason)
      return {
        state: riskOf(shown).state, closed,
        failed: failed.map(({ symbol, message }) => ({ symbol, message: withoutPaths(message) })),
      }
    }
    await driver.act(action, reason)
    return reply.code(202).send(riskView(shown))
  })

  server.post('/api/providers/:name', {
    schema: { ...answers('Enables or disables an AI service', shapes.providerShape).schema, params: shapes.params.name, body: body.service },
  }, async ({ params: { name }, body: { action } }) => {
    const driver = driven(controls)
    serviceNamed(shown, name)
    await driver.service(name, action)
    return providerView(serviceNamed(shown, name))
  })
}

function driven(controls: Controls | null): Controls {
  if (controls !== null) return controls
  throw conflict('runs are only looked at here', 'start trading with `tapedeck live` or `tapedeck paper`')
}
