import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault, RouteShorthandOptions } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import type { z } from 'zod'
import type { Controls, Shown } from '../ports.ts'
import { errorShape } from '../shapes.ts'
import type { TrailFile } from '../trail-file.ts'

/** What the routes show and do. */
export interface RouteParts {
  readonly shown: Shown
  /** null: runs are only looked at. */
  readonly controls: Controls | null
  readonly trail: TrailFile
}

/** The same server, whose handlers know what their requests were held against. */
export const typed = (app: FastifyInstance): FastifyInstance<
  RawServerDefault, IncomingMessage, ServerResponse, FastifyBaseLogger, ZodTypeProvider
> => app.withTypeProvider<ZodTypeProvider>()

/** What a route is and answers, for the documentation; `others` are answers of another status. */
export const answers = (
  summary: string, shape: z.ZodType, status = 200, others: Readonly<Record<number, z.ZodType>> = {},
): RouteShorthandOptions & {
  readonly schema: { readonly summary: string; readonly response: Readonly<Record<number | string, z.ZodType>> }
} => ({ schema: { summary, response: { ...others, [status]: shape, '4xx': errorShape } } })
