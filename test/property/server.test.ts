import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { ask, serveTest, type TestServer } from '../support/http-server.ts'
import { ASKED, rehearsed } from '../support/served-run.ts'

let now = 0
let server: TestServer
let guarded: TestServer
beforeAll(async () => {
  const directory = await rehearsed(ASKED)
  server = await serveTest({ directory, now: () => now })
  guarded = await serveTest({ directory, env: { API_TOKEN: 'nobody-knows-this' }, now: () => now })
})

const ROUTES = [
  '/api/autonomous-status', '/api/autonomous-history', '/api/backup-services-status', '/api/autonomous-toggle', '/api/run', '/api/figures',
  '/api/positions', '/api/orders', '/api/trades', '/api/equity', '/api/candles', '/api/decisions', '/api/decisions/7', '/api/risk', '/api/providers',
  '/api/providers/openai', '/api/lanes', '/api/alarms', '/api/runs', '/api/runs/x', '/api/runs/x/report', '/api/login', '/api/logout', '/metrics',
  '/healthz', '/readyz', '/docs', '/docs/json', '/',
]
/** Whatever Node lets into a request line. */
const visible = fc.string({ unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)), maxLength: 40 })
const odd = fc.oneof(visible, fc.string({ maxLength: 30 }).map(encodeURIComponent), fc.constantFrom('..', '%2e%2e%2f', '%00', '%', '%c0%ae', '__proto__', 'constructor', '-1', '1e999', 'NaN'))
const query = fc.array(fc.tuple(fc.constantFrom('limit', 'before', 'status', 'symbol', 'x', '__proto__', 'limit[]'), odd), { maxLength: 4 })
  .map((pairs) => (pairs.length === 0 ? '' : `?${pairs.map(([name, value]) => `${name}=${value}`).join('&')}`))
const path = fc.oneof(
  fc.constantFrom(...ROUTES), fc.tuple(fc.constantFrom(...ROUTES), odd).map(([route, more]) => `${route.replace(/\/$/, '')}/${more}`),
  odd.map((text) => `/${text}`),
).chain((route) => query.map((more) => route + more))
const json = fc.oneof(
  fc.json(), fc.string(), fc.constant(''),
  fc.record({
    action: fc.oneof(fc.constantFrom('halt', 'resume', 'reduce', 'panic', 'enable', 'disable'), fc.anything()),
    confirm: fc.oneof(fc.boolean(), fc.anything()), symbol: fc.oneof(fc.constantFrom('BTC/USDT', 'X'), fc.anything()),
    reason: fc.oneof(fc.string(), fc.anything()), token: fc.oneof(fc.string(), fc.anything()),
  }, { requiredKeys: [] }).map((value) => {
    try {
      return JSON.stringify(value)
    } catch {
      return '{}'
    }
  }),
)
const headers = fc.dictionary(
  fc.constantFrom('content-type', 'origin', 'host', 'authorization', 'cookie', 'sec-fetch-site', 'last-event-id', 'accept', 'if-none-match', 'range', 'x-forwarded-for'),
  fc.oneof(visible, fc.constantFrom('application/json', 'text/plain', 'null', 'http://localhost', 'Bearer x', 'tapedeck_1=x; a', 'cross-site', 'bytes=0-1')), { maxKeys: 4 },
)
const request = fc.record({ method: fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'), path, headers, body: fc.option(json, { nil: undefined }) })

describe('any request', () => {
  it('gets a proper answer, never a failure, and nothing of the machine', async () => {
    await fc.assert(fc.asyncProperty(request, fc.boolean(), async ({ method, path: at, headers: given, body }, needsToken) => {
      now += 61_000
      const { url } = needsToken ? guarded : server
      const plain = { host: new URL(url).host, ...given }
      const answer = await ask(url, at, { method, headers: plain, ...(body === undefined || method === 'GET' || method === 'HEAD' ? {} : { body }) })
      // Readiness says 503 for a loop from which nothing comes.
      const isReadiness = /^\/readyz\/?(\?|$)/i.test(at)
      if (!isReadiness) expect(answer.status).toBeLessThan(500)
      expect(answer.status).toBeGreaterThanOrEqual(200)
      expect(answer.text).not.toMatch(/node_modules|\n {4}at /)
      expect(answer.text).not.toContain(process.cwd())
      if (answer.status >= 400 && !isReadiness && method !== 'HEAD' && answer.json !== null) {
        expect(answer.json).toMatchObject({ error: { code: expect.stringMatching(/^TD_/) as string, message: expect.stringMatching(/./) as string } })
      }
      if (needsToken && answer.status === 200) expect(at).toMatch(/^\/(healthz|api\/logout)?\/?([?#]|$)/)
    }), { numRuns: 600 })
    expect([...server.defects, ...guarded.defects]).toEqual([])
    expect(guarded.controls.told).toEqual([])
    for (const { url } of [server, guarded]) expect((await ask(url, '/healthz')).status).toBe(200)
  })
})
