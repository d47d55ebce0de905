import { afterEach, describe, expect, it } from 'vitest'
import { NOTICE_KINDS, type Notice } from '../../engine/core/notice.ts'
import type { Deps, Notifier, Plugin } from '../../engine/ports.ts'
import { VirtualClock } from '../../engine/real-clock.ts'
import { isSecret } from '../../engine/recording/redaction.ts'
import { coded } from '../support/coded.ts'
import { Loopback, type Received, type Responder } from '../support/loopback.ts'
import { providerDeps } from '../support/provider-deps.ts'
import { wordsOf } from './provider-suite.ts'

export interface TestedNotifier {
  readonly name: string
  readonly plugin: Plugin<'notifier', unknown>
  /** What the environment has to hold for a server at `origin`. */
  readonly env: (origin: string) => Readonly<Record<string, string>>
  readonly secrets: readonly string[]
  /** The body that a receiver sends when all is well. */
  readonly good: string
  /** The words of a request, as a person would read them. */
  readonly textOf: (received: Received) => string
}

export const NOTICE: Notice = {
  kind: 'exit', time: Date.UTC(2025, 0, 1), run: 'run-1', symbol: 'BTC/USDT', text: 'sold BTC/USDT at 100 by stop: −5', facts: { pnl: -5, reason: 'stop' },
}

/** What every notifier does, at the wire. */
export function notifier({ name, plugin, env, secrets, good, textOf }: TestedNotifier): void {
  const servers: Loopback[] = []
  afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())))

  const serve = async (respond: Responder = () => {}): Promise<Loopback> => {
    const server = await Loopback.open(respond)
    servers.push(server)
    return server
  }
  const well: Responder = (_, response) => void response.writeHead(200).end(good)
  /** The n-th request gets `act`, for n up to `times`; the rest are well. */
  const first = (times: number, act: Responder): Responder => (received, response, count) =>
    (count <= times ? act : well)(received, response, count)
  const make = async (origin: string, options: object = {}, deps: Partial<Deps> = {}): Promise<Notifier> =>
    plugin.create(plugin.options.parse(options), providerDeps({ env: env(origin), clock: new VirtualClock(0), ...deps }), undefined)
  const send = async (server: Loopback, options: object = {}, deps: Partial<Deps> = {}, notice = NOTICE): Promise<unknown> =>
    (await make(server.origin, options, deps)).notify(notice, new AbortController().signal).then(() => null, (error: unknown) => error)
  const expectDiscreet = (error: unknown): void => {
    for (const secret of secrets) expect(wordsOf(error)).not.toContain(secret)
  }

  describe(`notifier ${name}`, () => {
    it('delivers a notice with its words', async () => {
      const server = await serve(well)
      expect(await send(server)).toBeNull()
      expect(server.received).toHaveLength(1)
      expect(textOf(server.received[0])).toContain(NOTICE.text)
    })

    it('wants what it is told to want, and everything by default', async () => {
      const all = await make('http://127.0.0.1:1')
      expect(NOTICE_KINDS.filter((kind) => all.wants(kind))).toEqual(NOTICE_KINDS)
      const some = await make('http://127.0.0.1:1', { events: ['halt', 'exit'] })
      expect(NOTICE_KINDS.filter((kind) => some.wants(kind))).toEqual(['exit', 'halt'])
      expect(plugin.options.safeParse({ events: ['lunch'] }).success).toBe(false)
      expect(plugin.options.safeParse({ url: 'http://127.0.0.1:1' }).success).toBe(false)
    })

    it.each<[string, Responder]>([
      ['500', (_, response) => void response.writeHead(500).end('x')],
      ['503 in HTML', (_, response) => void response.writeHead(503).end('<html>')],
      ['429', (_, response) => void response.writeHead(429).end('')],
      ['a reset', (_, response) => void response.socket?.resetAndDestroy()],
      ['an answer that stops', (_, response) => { response.writeHead(200, { 'content-length': 100 }).write('x', () => { response.destroy() }) }],
    ])('tries again after %s', async (_, act) => {
      const server = await serve(first(2, act))
      expect(await send(server)).toBeNull()
      expect(server.received).toHaveLength(3)
      expect(textOf(server.received[2])).toContain(NOTICE.text)
    })

    it('waits as long as it is asked to', async () => {
      const clock = new VirtualClock(0)
      const server = await serve(first(1, (_, response) => void response.writeHead(429, { 'retry-after': '40' }).end('{}')))
      expect(await send(server, {}, { clock })).toBeNull()
      expect(clock.now()).toBeGreaterThanOrEqual(40_000)
    })

    it('gives up after so many attempts, and for whom it would have to wait for hours', async () => {
      const server = await serve((_, response) => void response.writeHead(502).end(''))
      expect(await send(server, { attempts: 3 })).toMatchObject({ name: 'DeliveryFailure', status: 502 })
      expect(server.received).toHaveLength(3)
      const busy = await serve((_, response) => void response.writeHead(429, { 'retry-after': '3600' }).end(''))
      expect(await send(busy)).toMatchObject({ status: 429 })
      expect(busy.received).toHaveLength(1)
    })

    it.each([400, 401, 403, 404, 302])('does not repeat what is refused by %i, and follows no redirect', async (status) => {
      const other = await serve(well)
      const server = await serve((_, response) => void response.writeHead(status, { location: `${other.origin}/` }).end(''))
      const error = await send(server)
      expect(error).toMatchObject({ name: 'DeliveryFailure', status })
      expectDiscreet(error)
      expect(server.received).toHaveLength(1)
      expect(other.received).toEqual([])
    })

    it('gives up a receiver that hangs, and tells no secret that it is told back', async () => {
      const server = await serve()
      const hung = await send(server, { timeoutMs: 100, attempts: 1 })
      expect(hung).toMatchObject({ status: null, message: expect.stringContaining('no answer within 100 ms') as string })
      expectDiscreet(hung)
      const parrot = await serve((received, response) =>
        void response.writeHead(400).end(JSON.stringify({ ok: false, description: `bad ${received.path} ${secrets.join(' ')}` })))
      expectDiscreet(await send(parrot))
      const gone = await serve()
      await gone.close()
      servers.pop()
      expectDiscreet(await send({ origin: 'http://127.0.0.1:1' } as Loopback, { attempts: 1 }))
    })

    it('ends at once when it is told to', async () => {
      const server = await serve()
      const enough = new AbortController()
      const sending = (await make(server.origin)).notify(NOTICE, enough.signal)
      enough.abort(new Error('enough'))
      await expect(sending).rejects.toThrow('enough')
    })

    it('keeps its secrets in variables that are struck out wherever they are written', () => {
      const held = Object.entries(env('http://127.0.0.1:1')).filter(([variable]) => isSecret(variable)).map(([, value]) => value)
      for (const secret of secrets) expect(held.filter((value) => value.includes(secret))).toHaveLength(1)
    })

    it('says what is missing in the environment, without its value', async () => {
      const whole = env('http://127.0.0.1:1')
      for (const [variable, value] of Object.entries(whole)) {
        if (variable.endsWith('BASE_URL')) continue
        for (const wrong of ['', ' ']) {
          await expect(make('', {}, { env: { ...whole, [variable]: wrong } })).rejects.toThrow(coded('TD_SETTING_INVALID', variable, 'is not set'))
        }
        expect(plugin.env).toContain(variable)
        expect(value).not.toBe('')
      }
      const address = Object.keys(whole).find((variable) => variable.endsWith('URL'))!
      for (const wrong of ['http://example.org/secret-path', 'https://u:secret-word@a.b', 'ftp://a.b', 'nonsense']) {
        const error: unknown = await make('', {}, { env: { ...whole, [address]: wrong } }).catch((reason: unknown) => reason)
        expect(error).toEqual(coded('TD_SETTING_INVALID', address))
        expect(wordsOf(error)).not.toMatch(/secret-path|secret-word/)
      }
    })
  })
}
