import { readFileSync, writeFileSync, mkdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { connect } from 'node:net'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { z } from 'zod'
import { TapedeckError } from '../../../engine/errors.ts'
import * as shapes from '../../../engine/server/shapes.ts'
import { ask, serveTest, type Answer, type Asking, type Refused, type TestServer } from '../../support/http-server.ts'
import { trailOf } from '../../support/rehearsal.ts'
import { ASKED, rehearsed } from '../../support/served-run.ts'
import { temporaryFolder } from '../../support/run-scenario.ts'

let directory: string
let server: TestServer
let now = Date.UTC(2025, 0, 1)
beforeAll(async () => {
  directory = await rehearsed(ASKED)
  server = await serveTest({ directory, now: () => now })
})
beforeEach(() => {
  now += 61_000
  server.controls.reset()
})

const get = (path: string): Promise<Answer> => ask(server.url, path)
const post = (path: string, body?: string | object, more: Asking = {}): Promise<Answer> =>
  ask(server.url, path, { method: 'POST', ...(body === undefined ? {} : { body }), ...more })

/** Nothing of the machine, of the program's inside, or of a stack may be in any answer. */
function harmless({ text }: Answer): void {
  for (const secret of [dirname(directory), process.cwd(), 'node_modules', '    at ', 'http://127.0.0.1:']) expect(text).not.toContain(secret)
}

function refused(answer: Answer, status: number, code: string): Refused['error'] {
  harmless(answer)
  expect(answer.status).toBe(status)
  const { error } = answer.json as Refused
  expect(shapes.errorShape.strict().safeParse(answer.json).success).toBe(true)
  expect(error.code).toBe(code)
  expect(error.message).toMatch(/^\S[^\n]+$/)
  return error
}

describe('what is shown', () => {
  const views: readonly (readonly [string, z.ZodType])[] = [
    ['/api/autonomous-status', shapes.statusShape.strict()], ['/api/autonomous-history', shapes.historyShape],
    ['/api/backup-services-status', shapes.backupsShape.strict()], ['/api/run', shapes.runShape.strict()], ['/api/figures', shapes.figuresShape.strict()],
    ['/api/positions', shapes.positionsShape], ['/api/orders', shapes.ordersShape], ['/api/trades', shapes.tradesShape],
    ['/api/equity', shapes.equityShape.strict()], ['/api/candles', shapes.candlesShape.strict()], ['/api/decisions', shapes.decisionsShape],
    ['/api/risk', shapes.riskShape.strict()], ['/api/providers', shapes.providersShape], ['/api/providers/openai', shapes.providerShape.strict()],
    ['/api/lanes', shapes.lanesShape], ['/api/alarms', shapes.alarmsShape], ['/api/runs', shapes.runsShape],
  ]
  it.each(views)('%s has its documented shape', async (path, shape) => {
    const answer = await get(path)
    expect(answer.status).toBe(200)
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8')
    expect(shape.safeParse(answer.json).error).toBeUndefined()
    harmless(answer)
  })
  it.each(views)('%s has it too before anything has run', async (path, shape) => {
    const empty = await serveTest()
    const answer = await ask(empty.url, path)
    if (path === '/api/candles') return expect(answer.status).toBe(404)
    expect(answer.status).toBe(200)
    expect(shape.safeParse(answer.json).error).toBeUndefined()
  })

  it('the four first endpoints have exactly the fields that they always had', async () => {
    expect(Object.keys((await get('/api/autonomous-status')).json as object)).toEqual([
      'enabled', 'mode', 'is_running', 'trades_executed', 'last_decision_time', 'current_confidence', 'active_positions', 'loop_iterations',
    ])
    const history = (await get('/api/autonomous-history')).json as object[]
    expect(history).toHaveLength(20)
    for (const row of history) expect(Object.keys(row)).toEqual(['timestamp', 'market_data', 'reasoning', 'confidence', 'action', 'status'])
    const { services } = (await get('/api/backup-services-status')).json as { services: object[] }
    expect(services.map((one) => Object.keys(one))).toEqual(Array(2).fill(['name', 'priority', 'status', 'success_rate', 'error_count', 'last_used']))
  })

  it('the newest first, as many as asked for', async () => {
    const decisions = trailOf(directory).filter(({ type }) => type === 'decision').reverse()
    const history = (await get('/api/autonomous-history?limit=3')).json as { timestamp: string }[]
    expect(history.map(({ timestamp }) => timestamp)).toEqual(decisions.slice(0, 3).map(({ timestamp }) => timestamp))
    const ids = async (query: string): Promise<number[]> => ((await get(`/api/decisions?${query}`)).json as { id: number }[]).map(({ id }) => id)
    const all = decisions.map((line) => line['seq'] as number)
    expect(await ids('limit=5')).toEqual(all.slice(0, 5))
    expect(await ids(`limit=5&before=${all[4]}`)).toEqual(all.slice(5, 10))
    const executed = decisions.filter((line) => line['status'] === 'EXECUTED').map((line) => line['seq'])
    expect(executed.length).toBeGreaterThan(0)
    expect(await ids('limit=500&status=EXECUTED')).toEqual(executed)
  })

  it('a decision whole, with what was asked and answered', async () => {
    const lines = trailOf(directory)
    const asked = lines.filter(({ type, provider }) => type === 'decision' && provider === 'simulated').at(-1)!
    const { json } = await get(`/api/decisions/${asked['seq']}`)
    expect(shapes.wholeDecisionShape.safeParse(json).error).toBeUndefined()
    const { conversation, ...line } = json as { conversation: { replies: { answer: object; latency_ms: number }[] }[] }
    const { prev: _, ...whole } = asked
    expect(line).toEqual(whole)
    const consulted = lines.find(({ type, event, timestamp }) => type === 'provider' && event === 'consulted' && timestamp === asked.timestamp)!
    const [step] = consulted['steps'] as { replies: { answer: object; latencyMs: number }[] }[]
    expect(conversation).toHaveLength(1)
    expect(conversation[0].replies.map(({ answer }) => answer)).toEqual(step.replies.map(({ answer }) => answer))
    expect(conversation[0].replies.map((one) => one.latency_ms)).toEqual(step.replies.map((one) => one.latencyMs))
    const alone = lines.find(({ type, provider }) => type === 'decision' && provider === 'technical')!
    expect(((await get(`/api/decisions/${alone['seq']}`)).json as { conversation: unknown }).conversation).toEqual([])
  })

  it('runs without their folders, and their reports under their own policy', async () => {
    const [{ run, has_report }] = (await get('/api/runs')).json as { run: string; has_report: boolean }[]
    expect([run, has_report]).toEqual([basename(directory), true])
    const record = await get(`/api/runs/${run}`)
    harmless(record)
    expect(record.json).toMatchObject({ run, kind: 'rehearsal', venue: 'practice', scenario: { name: 'asked', providers: ['simulated', 'technical'] } })
    const report = await get(`/api/runs/${run}/report`)
    expect(report.text).toBe(readFileSync(join(directory, 'report.html'), 'utf8'))
    expect(report.headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'sha256-.+; frame-ancestors 'none'$/)
    expect(report.headers['content-type']).toBe('text/html; charset=utf-8')
  })

  it('a page that loosens its own policy gets a strict one', async () => {
    const out = temporaryFolder()
    mkdirSync(join(out, 'odd'))
    writeFileSync(join(out, 'odd', 'run.json'), '{"run":"odd"}')
    const odd = await serveTest({ out })
    const policyOf = async (meta: string): Promise<string> => {
      writeFileSync(join(out, 'odd', 'report.html'), `<meta http-equiv="Content-Security-Policy" content="${meta}">`)
      return String((await ask(odd.url, '/api/runs/odd/report')).headers['content-security-policy'])
    }
    for (const loose of ["default-src *", "default-src 'none'; script-src 'unsafe-inline'", "default-src 'none'; connect-src 'self'", "default-src 'none'; img-src https:"]) {
      expect(await policyOf(loose)).toMatch(/^default-src 'none'; style-src 'unsafe-inline'; img-src data:;/)
    }
  })
})

describe('what is done', () => {
  it('a curl without anything starts and stops the loop', async () => {
    const stopped = await post('/api/autonomous-toggle')
    expect([stopped.status, (stopped.json as { is_running: boolean }).is_running]).toEqual([200, false])
    expect(((await post('/api/autonomous-toggle')).json as { is_running: boolean }).is_running).toBe(true)
    expect((await post('/api/autonomous-toggle', '', { headers: { 'content-type': 'application/json' } })).status).toBe(200)
  })

  it('halts, resumes, closes and leaves everything', async () => {
    const halted = await post('/api/risk', { action: 'halt', reason: 'lunch' })
    expect([halted.status, shapes.riskShape.safeParse(halted.json).success]).toEqual([202, true])
    expect((await post('/api/risk', { action: 'resume' })).status).toBe(202)
    expect((await post('/api/risk', { action: 'reduce' })).status).toBe(202)
    const panic = await post('/api/risk', { action: 'panic', confirm: true, reason: 'sirens' })
    harmless(panic)
    expect(shapes.panicShape.strict().safeParse(panic.json).success).toBe(true)
    expect([panic.status, panic.json]).toEqual([200, {
      state: 'RUNNING', closed: ['BTC/USDT'], failed: [{ symbol: 'ETH/USDT', message: 'x: no answer' }],
    }])
    const service = await post('/api/providers/openai', { action: 'disable' })
    expect([service.status, (service.json as { state: string }).state]).toEqual([200, 'DISABLED'])
    expect(server.controls.told).toEqual([
      'halt: lunch', 'resume: asked for over HTTP', 'reduce: asked for over HTTP', 'panic: sirens', 'disable openai',
    ])
  })

  it('leaves a symbol that is held, and no other', async () => {
    const held = await serveTest({ now: () => now })
    for (const line of trailOf(directory)) {
      held.book.see(line)
      if (held.book.openPositions > 0) break
    }
    const leave = (symbol: string): Promise<Answer> => ask(held.url, '/api/positions', { method: 'POST', body: { symbol, confirm: true } })
    const sold = await leave('BTC/USDT')
    expect([sold.status, sold.json]).toEqual([202, { accepted: true, symbol: 'BTC/USDT', outcome: 'sold' }])
    expect(held.controls.told).toEqual(['close BTC/USDT: asked for over HTTP'])
    held.controls.leaving = { outcome: 'refused', reason: 'MIN_NOTIONAL' }
    expect(refused(await leave('BTC/USDT'), 409, 'TD_HTTP_CONFLICT').message).toBe('BTC/USDT is not sold: MIN_NOTIONAL')
    refused(await leave('DOGE/USDT'), 404, 'TD_HTTP_UNKNOWN')
  })

  it('says why it cannot be', async () => {
    server.controls.failure = new TapedeckError('TD_LOCKED', '/home/me/runs/x: process 7 is writing this run; stop it')
    const error = refused(await post('/api/autonomous-toggle'), 409, 'TD_LOCKED')
    expect(error).toMatchObject({ message: 'x: process 7 is writing this run', do: 'stop it' })
    refused(await post('/api/risk', { action: 'halt' }), 409, 'TD_LOCKED')
    const looking = await serveTest({ directory, looking: true })
    for (const [path, body] of [['/api/autonomous-toggle'], ['/api/risk', { action: 'panic', confirm: true }],
      ['/api/positions', { symbol: 'BTC/USDT', confirm: true }], ['/api/providers/openai', { action: 'enable' }]] as const) {
      refused(await ask(looking.url, path, { method: 'POST', ...(body === undefined ? {} : { body }) }), 409, 'TD_HTTP_CONFLICT')
    }
  })

  it('a defect says nothing of itself, and is reported', async () => {
    server.controls.failure = new Error('at /home/me/secret.ts') as TapedeckError
    const error = refused(await post('/api/autonomous-toggle'), 500, 'TD_HTTP_FAILED')
    expect(error.message).toBe('The server failed.')
    expect(server.defects.splice(0)).toHaveLength(1)
  })
})

describe('what is refused', () => {
  it.each([
    ['/api/positions', {}], ['/api/positions', { symbol: 'BTC/USDT' }], ['/api/positions', { symbol: 'BTC/USDT', confirm: false }],
    ['/api/risk', { action: 'panic' }], ['/api/risk', { action: 'panic', confirm: 'yes' }], ['/api/risk', { action: 'sell' }],
    ['/api/risk', { action: 'halt', reason: 'x'.repeat(201) }], ['/api/risk', { action: 'halt', more: 1 }], ['/api/risk', []],
    ['/api/providers/openai', { action: 'delete' }], ['/api/login', {}], ['/api/login', { token: 7 }],
  ])('400: %s %j', async (path, body) => {
    refused(await post(path, body), 400, 'TD_HTTP_REQUEST')
    expect(server.controls.told).toEqual([])
  })
  it.each([
    '/api/autonomous-history?limit=0', '/api/autonomous-history?limit=501', '/api/autonomous-history?limit=x', '/api/autonomous-history?limit=1.5',
    '/api/decisions?before=-1', '/api/decisions?status=NONE', '/api/decisions/x', '/api/decisions/0', '/api/candles?limit=2001', '/%zz',
  ])('400: %s', async (path) => {
    refused(await get(path), 400, 'TD_HTTP_REQUEST')
  })
  it('400: what is not JSON, and what would poison prototypes', async () => {
    for (const body of ['{', 'null null', '{"__proto__":{"x":1}}']) {
      refused(await post('/api/risk', body, { headers: { 'content-type': 'application/json' } }), 400, 'TD_HTTP_REQUEST')
    }
  })
  it.each(['/nothing', '/api', '/api/nothing', '/api/decisions/99999999', '/api/providers/nobody', '/api/runs/nothing', '/api/runs/..%2f..', '/api/runs/%2e%2e/report',
    '/api/candles?symbol=DOGE/USDT', '/..%2f..%2fetc/passwd', '/docs/nothing'])('404: %s', async (path) => {
    const answer = await get(path)
    refused(answer, 404, 'TD_HTTP_UNKNOWN')
  })
  it.each([['DELETE', '/api/run'], ['POST', '/api/run'], ['PUT', '/api/risk'], ['GET', '/api/autonomous-toggle'], ['PATCH', '/api/decisions/1'], ['OPTIONS', '/api/risk']])(
    '405: %s %s', async (method, path) => {
      const answer = await ask(server.url, path, { method })
      refused(answer, 405, 'TD_HTTP_METHOD')
      expect(answer.headers['allow']).toMatch(/GET|POST/)
    })
  it('413 and 415: bodies that are too large, or no JSON', async () => {
    refused(await post('/api/risk', { action: 'halt', reason: 'x'.repeat(17_000) }), 413, 'TD_HTTP_REQUEST')
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'text/xml']) {
      refused(await post('/api/autonomous-toggle', 'x=1', { headers: { 'content-type': type } }), 415, 'TD_HTTP_REQUEST')
    }
    expect(server.controls.told).toEqual([])
  })
})

describe('for whoever watches', () => {
  it('/healthz is fine while it serves; /readyz says what is wrong', async () => {
    expect((await get('/healthz')).json).toEqual({ status: 'ok' })
    const watched = await serveTest({ directory, now: () => now, staleMs: 60_000 })
    const ready = async (): Promise<readonly [number, unknown]> => {
      const { status, json } = await ask(watched.url, '/readyz')
      return [status, json]
    }
    expect(await ready()).toEqual([200, { ready: true, reasons: [] }])
    now += 61_000
    expect(await ready()).toEqual([503, { ready: false, reasons: ['nothing has come from the market for 61 s'] }])
    watched.book.see({ ...trailOf(directory)[2], seq: watched.book.seq + 1 })
    expect((await ready())[0]).toBe(200)
    now += 61_000
    watched.controls.running = false
    expect((await ready())[0]).toBe(200)
  })

  it('/metrics counts as the run does', async () => {
    await get('/api/decisions/8877665544')
    const { text, headers } = await get('/metrics')
    expect(headers['content-type']).toContain('text/plain')
    const value = (name: string): number => Number(new RegExp(`^${name.replaceAll(/[{}"]/g, '\\$&')} (\\S+)$`, 'm').exec(text)?.[1])
    expect(value('tapedeck_equity_quote')).toBe(server.book.equity)
    expect(value('tapedeck_decisions{status="EXECUTED"}')).toBe(server.book.statuses.get('EXECUTED'))
    expect(value('tapedeck_running')).toBe(1)
    expect(value('tapedeck_provider_up{provider="gemini"}')).toBe(1)
    expect(text).toContain('route="/api/decisions/:id"')
    expect(text).not.toContain('8877665544')
  })

  it('/docs describes every route, and loads nothing from elsewhere', async () => {
    const { json } = await get('/docs/json')
    const { paths } = json as { paths: Record<string, Record<string, unknown>> }
    expect(Object.keys(paths)).toEqual(expect.arrayContaining([
      '/api/autonomous-status', '/api/autonomous-toggle', '/api/decisions/{id}', '/api/events', '/api/risk', '/api/runs/{id}/report', '/metrics', '/readyz',
    ]))
    expect(Object.keys(paths['/api/risk'])).toEqual(expect.arrayContaining(['get', 'post']))
    const { text, status } = await get('/docs')
    expect(status).toBe(200)
    expect(text).not.toMatch(/(?:src|href)="https?:/)
    expect(text).not.toMatch(/<script>|<style>|style="|onclick/)
    for (const [, path] of text.matchAll(/(?:src|href)="([^"]+)"/g)) {
      expect((await get(new URL(path, `${server.url}/docs`).pathname)).status, path).toBe(200)
    }
  })

  it('survives what is no HTTP at all', async () => {
    for (const garbage of ['\r\n\r\n', 'GET\r\n\r\n', '\x16\x03\x01\x02', 'GET / HTTP/9.9\r\n\r\n', `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`]) {
      await new Promise<void>((resolve) => {
        const socket = connect(Number(new URL(server.url).port), '127.0.0.1', () => { socket.end(garbage) })
        socket.once('error', () => { resolve() }).once('close', () => { resolve() }).resume()
      })
    }
    expect((await get('/healthz')).status).toBe(200)
  })
})
