import { beforeAll, describe, expect, it } from 'vitest'
import { ask, serveTest, type Refused, type TestServer } from '../../support/http-server.ts'

const TOKEN = 'a-token-that-nobody-knows'
let now = Date.UTC(2025, 0, 1)
let open: TestServer
let closed: TestServer
let everywhere: TestServer
beforeAll(async () => {
  open = await serveTest({ now: () => now })
  closed = await serveTest({ env: { API_TOKEN: TOKEN }, now: () => now })
  everywhere = await serveTest({ env: { API_TOKEN: TOKEN }, host: '0.0.0.0', now: () => now })
})

const portOf = ({ url }: TestServer): string => new URL(url).port
/** A minute later nobody is held back any more. */
const later = (): void => { now += 61_000 }

describe('the auth matrix', () => {
  const hosts = [
    ['127.0.0.1:PORT', true], ['localhost:PORT', true], ['LOCALHOST:PORT', true], ['[::1]:PORT', true], ['localhost', true], ['127.0.0.1', true],
    ['evil.example:PORT', false], ['evil.example', false], ['localhost.evil.example:PORT', false], ['127.0.0.1:1', false], ['127.0.0.2:PORT', false],
    ['user@localhost:PORT', false], ['localhost:PORT:1', false], ['10.0.0.1:PORT', false],
  ] as const
  const origins = [
    [{}, true, true], [{ origin: 'SAME' }, true, true], [{ origin: 'null' }, false, false], [{ origin: 'http://evil.example' }, false, false],
    [{ origin: 'https://HOST' }, false, false], [{ origin: 'http://localhost:1' }, false, false],
    [{ 'sec-fetch-site': 'same-origin' }, true, true], [{ 'sec-fetch-site': 'none' }, true, true],
    [{ 'sec-fetch-site': 'cross-site' }, true, false], [{ 'sec-fetch-site': 'same-site' }, true, false],
  ] as const
  const tokens = [[{}, false], [{ authorization: `Bearer ${TOKEN}` }, true], [{ authorization: `bearer ${TOKEN}` }, true],
    [{ authorization: `Basic ${TOKEN}` }, false], [{ authorization: 'Bearer' }, false]] as const

  it.each(hosts)('host %s: %s', async (template, ours) => {
    for (const server of [open, closed]) {
      const host = template.replace('PORT', portOf(server))
      const headers = { host, authorization: `Bearer ${TOKEN}` }
      for (const path of ['/api/autonomous-status', '/healthz', '/', '/nothing']) {
        const { status } = await ask(server.url, path, { headers })
        if (ours) expect(status, path).not.toBe(403)
        else expect(status, path).toBe(403)
      }
    }
  })

  it.each(origins)('origin %o', async (template, reads, acts) => {
    later()
    for (const server of [open, closed]) {
      const host = `127.0.0.1:${portOf(server)}`
      const headers = Object.fromEntries(Object.entries(template).map(([name, value]) =>
        [name, value.replace('SAME', `http://${host}`).replace('HOST', host)]))
      const all = { ...headers, authorization: `Bearer ${TOKEN}` }
      expect((await ask(server.url, '/api/autonomous-status', { headers: all })).status === 200).toBe(reads)
      const before = server.controls.told.length
      const { status, json } = await ask(server.url, '/api/autonomous-toggle', { method: 'POST', headers: all })
      expect(status).toBe(acts ? 200 : 403)
      if (!acts) expect((json as Refused).error.code).toBe('TD_HTTP_FORBIDDEN')
      expect(server.controls.told.length - before).toBe(acts ? 1 : 0)
    }
  })

  it.each(tokens)('token %o', async (headers, known) => {
    later()
    for (const [method, path, body] of [
      ['GET', '/api/autonomous-status'], ['GET', '/api/runs'], ['GET', '/metrics'], ['GET', '/docs/json'], ['GET', '/readyz'], ['GET', '/nothing'],
      ['POST', '/api/autonomous-toggle'], ['POST', '/api/risk', { action: 'panic', confirm: true }],
    ] as const) {
      const { status } = await ask(closed.url, path, { method, headers, ...(body === undefined ? {} : { body }) })
      if (known) expect([200, 404, 503], path).toContain(status)
      else expect(status, path).toBe(401)
      const opened = await ask(open.url, path, { method, headers, ...(body === undefined ? {} : { body }) })
      expect([200, 404, 503], path).toContain(opened.status)
    }
    for (const path of ['/healthz', '/']) expect((await ask(closed.url, path, { headers })).status, path).toBe(200)
  })

  it('holds for the event stream as well', async () => {
    for (const headers of [{ 'sec-fetch-site': 'cross-site' }, { origin: 'null' }, { host: 'evil.example' }]) {
      expect((await ask(open.url, '/api/events', { headers })).status).toBe(403)
    }
    expect((await ask(closed.url, '/api/events')).status).toBe(401)
  })

  it('takes any number, but no name, as its host where it is bound to all addresses', async () => {
    const headers = (host: string): { headers: Record<string, string> } => ({ headers: { host, authorization: `Bearer ${TOKEN}` } })
    const port = portOf(everywhere)
    for (const host of [`192.168.1.7:${port}`, `[fe80::1]:${port}`, `localhost:${port}`]) {
      expect((await ask(everywhere.url, '/api/run', headers(host))).status, host).toBe(200)
    }
    expect((await ask(everywhere.url, '/api/run', headers(`evil.example:${port}`))).status).toBe(403)
  })
})

describe('a login', () => {
  it('gives a cookie that no script reads, which opens until it is given back', async () => {
    later()
    const { status, headers, json, text } = await ask(closed.url, '/api/login', { method: 'POST', body: { token: TOKEN } })
    expect([status, json]).toEqual([200, { logged_in: true }])
    const [cookie] = headers['set-cookie']!
    expect(cookie).toMatch(new RegExp(`^tapedeck_${portOf(closed)}=[\\w-]{43}; Path=/; Max-Age=\\d+; HttpOnly; SameSite=Strict$`))
    expect(cookie + text).not.toContain(TOKEN)
    const own = { headers: { cookie: `other=1; ${cookie.split(';')[0]}` } }
    expect((await ask(closed.url, '/api/run', own)).status).toBe(200)
    now += 13 * 3_600_000
    expect((await ask(closed.url, '/api/run', own)).status).toBe(401)
    now -= 13 * 3_600_000
    await ask(closed.url, '/api/logout', { method: 'POST', ...own })
    expect((await ask(closed.url, '/api/run', own)).status).toBe(401)
  })

  it('with a wrong token gives nothing, and after ten of them not even the right one is listened to for a minute', async () => {
    later()
    const attempt = (token: string): ReturnType<typeof ask> => ask(closed.url, '/api/login', { method: 'POST', body: { token } })
    const first = await ask(closed.url, '/api/login', { method: 'POST', body: { token: TOKEN } })
    const cookie = first.headers['set-cookie']![0].split(';')[0]
    for (let index = 0; index < 5; index++) {
      const wrong = await attempt(`${TOKEN}${index}`)
      expect([wrong.status, wrong.headers['set-cookie']]).toEqual([401, undefined])
      expect((await ask(closed.url, '/api/run', { headers: { authorization: 'Bearer wrong' } })).status).toBe(401)
    }
    const held = await attempt(TOKEN)
    expect([held.status, (held.json as Refused).error.code]).toEqual([429, 'TD_HTTP_LIMIT'])
    expect(Number(held.headers['retry-after'])).toBeGreaterThan(0)
    expect((await ask(closed.url, '/api/run', { headers: { authorization: `Bearer ${TOKEN}` } })).status).toBe(429)
    expect((await ask(closed.url, '/api/run', { headers: { cookie } })).status).toBe(200)
    later()
    expect((await attempt(TOKEN)).status).toBe(200)
  })
})

describe('limits', () => {
  it('let nobody change something more than 30 times a minute', async () => {
    const server = await serveTest({ now: () => now })
    const statuses: number[] = []
    for (let index = 0; index < 32; index++) statuses.push((await ask(server.url, '/api/autonomous-toggle', { method: 'POST' })).status)
    expect(statuses).toEqual([...Array<number>(30).fill(200), 429, 429])
    expect(server.controls.told).toHaveLength(30)
    expect((await ask(server.url, '/api/autonomous-status')).status).toBe(200)
    const halt = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"action":"halt"}' }
    expect((await ask(server.url, '/api/risk', halt)).status).toBe(202)
    now += 60_000
    expect((await ask(server.url, '/api/autonomous-toggle', { method: 'POST' })).status).toBe(200)
  })
})

describe('every answer', () => {
  it('has a strict policy and is kept nowhere', async () => {
    for (const path of ['/', '/api/run', '/nothing', '/api/risk', '/docs']) {
      const { headers } = await ask(open.url, path)
      expect(headers['content-security-policy'], path).toContain("default-src 'self'; script-src 'self'; style-src 'self'")
      if (path !== '/docs') expect(headers['content-security-policy'], path).not.toContain('unsafe')
      expect(headers['x-content-type-options'], path).toBe('nosniff')
      expect(headers['x-frame-options'], path).toBe('DENY')
      expect(headers['cache-control'], path).toBe('no-store')
      expect(headers['access-control-allow-origin'], path).toBeUndefined()
    }
  })

  it('from a server that is not its own host needs a token to begin with', async () => {
    await expect(serveTest({ host: '0.0.0.0' })).rejects.toMatchObject({ code: 'TD_SETTING_INVALID', exitCode: 2 })
    await expect(serveTest({ host: '0.0.0.0', env: { API_TOKEN: 'short' } })).rejects.toMatchObject({ code: 'TD_SETTING_INVALID', exitCode: 2 })
    await expect(serveTest({ port: Number(portOf(open)) })).rejects.toMatchObject({ code: 'TD_SERVER', exitCode: 1 })
  })
})
