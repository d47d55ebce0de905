import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { unknown } from '../refusal.ts'
import { publicRecord, type RunList } from '../run-list.ts'
import * as shapes from '../shapes.ts'
import { answers, typed } from './parts.ts'

/** Runs that have been made, and their pages. */
export function runRoutes(app: FastifyInstance, runs: RunList): void {
  const server = typed(app)
  const found = (id: string): NonNullable<ReturnType<RunList['find']>> => {
    const run = runs.find(id)
    if (run !== null) return run
    throw unknown('there is no such run', 'see GET /api/runs')
  }
  server.get('/api/runs', answers('Runs, newest first', shapes.runsShape), () => runs.rows())
  server.get('/api/runs/:id', { schema: { ...answers('A run as it was recorded', z.looseObject({})).schema, params: shapes.params.run } },
    ({ params: { id } }) => publicRecord(found(id).record))
  server.get('/api/runs/:id/report', {
    exposeHeadRoute: false, schema: { summary: 'The report of a run, as a page', params: shapes.params.run },
  }, async ({ params: { id } }, reply) => {
    const path = join(found(id).path, 'report.html')
    const policy = await policyOf(path)
    if (policy === null) throw unknown('the run has no report')
    return reply.header('content-security-policy', policy).header('cache-control', 'no-store')
      .type('text/html; charset=utf-8').send(createReadStream(path))
  })
}

const META = /<meta http-equiv="Content-Security-Policy" content="([^"]+)">/
const HEAD_BYTES = 8_192
/** For pages that do not say themselves what they need: nothing runs. */
const NOTHING = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"

/** The page's own policy, which names its scripts by their hashes; null where there is no page. */
async function policyOf(path: string): Promise<string | null> {
  try {
    const file = await open(path, 'r')
    try {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0)
      const own = META.exec(buffer.toString('latin1', 0, bytesRead))?.[1]
      return `${own !== undefined && isStrict(own) ? own : NOTHING}; frame-ancestors 'none'`
    } finally {
      await file.close()
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

/** Nothing from elsewhere, no connections, and scripts by hash only. */
const isStrict = (policy: string): boolean => {
  const parts = policy.split(';').map((part) => part.trim().split(/\s+/))
  const scripts = parts.find(([name]) => name === 'script-src')?.slice(1) ?? []
  return parts.some(([name, ...sources]) => name === 'default-src' && sources.join(' ') === "'none'")
    && !parts.some(([name]) => name === 'connect-src') && scripts.every((source) => source.startsWith("'sha256-"))
    && parts.every(([, ...sources]) => sources.every((source) => source.startsWith("'") || source === 'data:'))
}
