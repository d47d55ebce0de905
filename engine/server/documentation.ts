import swagger from '@fastify/swagger'
import ui from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import { jsonSchemaTransform } from 'fastify-type-provider-zod'

/** `/docs` and `/docs/json`, from the shapes of the routes. */
export async function documentation(app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.0.3',
      info: { title: 'Tapedeck', version, description: 'What a run is doing, and what may be done about it.' },
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
      security: [{ token: [] }, {}],
    },
    transform: jsonSchemaTransform,
  })
  await app.register(ui, {
    routePrefix: '/docs', staticCSP: false, theme: { title: 'Tapedeck' },
    uiConfig: { validatorUrl: null, docExpansion: 'list', tryItOutEnabled: false },
  })
}
