import { afterEach, describe, expect, it } from 'vitest'
import type { FailureKind } from '../../engine/core/provider-failure.ts'
import { ProviderFailure } from '../../engine/core/provider-failure.ts'
import type { Answer, Conversation, DecisionProvider, Deps, Message, Plugin } from '../../engine/ports.ts'
import { coded } from '../support/coded.ts'
import { FORMATS, type ServiceName } from '../support/llm-formats.ts'
import { GOOD, LlmServer, type Act } from '../support/llm-server.ts'
import { providerDeps } from '../support/provider-deps.ts'

export type ProviderPlugin = Plugin<'provider', unknown>

export interface Tested {
  readonly name: ServiceName
  readonly plugin: ProviderPlugin
  readonly keyName: string
  /** What 403 means there. */
  readonly forbidden: FailureKind
}

const QUESTION: Message = { role: 'user', text: 'RSI 31, trend UP. What now?' }

export const conversation = (...messages: readonly Message[]): Conversation => ({
  system: 'You are an analyst.', messages: messages.length === 0 ? [QUESTION] : messages,
  snapshot: {} as Conversation['snapshot'], rules: () => ({ action: 'HOLD', confidence: 0, reasoning: 'rules' }),
})

/** Everything that an error tells, down its chain of causes. */
export function wordsOf(error: unknown): string {
  const words: string[] = []
  for (let one = error; one instanceof Error; one = one.cause) {
    words.push(one.message, one.stack ?? '', JSON.stringify(Object.fromEntries(Object.entries(one))))
  }
  return words.join('\n')
}

/** What every AI service's provider does, at the wire. */
export function provider({ name, plugin, keyName, forbidden }: Tested): void {
  const servers: LlmServer[] = []
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.stop()))
  })

  const serve = async (...script: readonly Act[]): Promise<LlmServer> => {
    const server = await LlmServer.start(name, ...script)
    servers.push(server)
    return server
  }
  const make = async (server: LlmServer, options: object = {}, deps: Partial<Deps> = {}): Promise<DecisionProvider> =>
    plugin.create(
      plugin.options.parse({ baseURL: server.baseURL, ...options }), providerDeps({ env: { [keyName]: server.key }, ...deps }), undefined,
    )
  const ask = async (server: LlmServer, options: object = {}, deps: Partial<Deps> = {}): Promise<Answer> =>
    (await make(server, options, deps)).answer(conversation(), new AbortController().signal)
  const failure = async (server: LlmServer, options: object = {}): Promise<ProviderFailure> => {
    const error: unknown = await ask(server, options).then(() => null, (reason: unknown) => reason)
    expect(error).toBeInstanceOf(ProviderFailure)
    expect(wordsOf(error)).not.toContain(server.key)
    return error as ProviderFailure
  }

  describe('answers', () => {
    it('gives the opinion with what the service told about it', async () => {
      const server = await serve()
      let now = 1_700_000_000_000
      const answer = await ask(server, {}, { clock: { now: () => now += 250, sleep: async () => {}, reach: () => {} } })
      expect(answer).toEqual({
        action: 'BUY', confidence: 0.72, reasoning: 'RSI is low in an uptrend', raw: GOOD, latencyMs: 250,
        model: (await make(server)).model, modelVersion: 'some-model-2026-01-01', responseId: expect.any(String) as string,
        usage: { inputTokens: 120, outputTokens: 30 },
      })
      expect(server.received).toHaveLength(1)
    })

    it('keeps a conversation in its order, and sends what it says it sends', async () => {
      const server = await serve()
      const asked = await make(server, { model: 'm-1', maxTokens: 77 })
      const dialogue = conversation(QUESTION, { role: 'assistant', text: GOOD }, { role: 'user', text: 'Do you stand by it?' })
      await asked.answer(dialogue, new AbortController().signal)
      const { provider: told, model, endpoint, system, messages, schema, sampling } = asked.request!(dialogue)
      const [{ path, body }] = server.received
      expect({ told, model, endpoint, system, messages }).toEqual({
        told: name, model: 'm-1', endpoint: server.origin + path, system: dialogue.system, messages: dialogue.messages,
      })
      const positions = messages.map(({ text }) => body.indexOf(JSON.stringify(text)))
      expect(positions).toEqual([...positions].sort((a, b) => a - b))
      expect(positions[0]).toBeGreaterThan(0)
      expect(body).toContain(JSON.stringify(schema))
      expect(Object.values(sampling)).toContain(77)
      for (const [field, value] of Object.entries(sampling)) expect(body).toContain(`"${field}":${JSON.stringify(value)}`)
      expect(asked.maxTokens).toBe(77)
    })

    it('says the same of a question without a key, and names no host of its own', async () => {
      const asked = await plugin.create(plugin.options.parse({}), providerDeps(), undefined)
      expect(asked.lacks).toBe(keyName)
      expect(asked.refines).toBe(true)
      expect(asked.request!(conversation()).endpoint).toMatch(/^\/v1/)
      await expect(asked.answer(conversation(), new AbortController().signal)).rejects.toMatchObject({ kind: 'key', message: `${keyName} is not set` })
    })

    it('needs no key for a server on this machine', async () => {
      const server = await serve()
      expect((await make(server, {}, { env: {} })).lacks).toBeUndefined()
    })

    it('counts no tokens that are no numbers, and takes no name that is none', async () => {
      const odd = JSON.stringify(FORMATS[name].render(GOOD, 'whole'))
        .replaceAll(/("\w*(?:tokens|TokenCount)":)\d+/g, '$1"many"').replaceAll('"some-model-2026-01-01"', '[1]')
      const headers = { 'content-type': 'application/json' }
      const answer = await ask(await serve({ status: 200, body: odd, headers }))
      expect(answer.action).toBe('BUY')
      expect(answer).not.toHaveProperty('usage')
      expect(answer).not.toHaveProperty('modelVersion')
    })

    it('keeps hostile text as data', async () => {
      const reasoning = '</script><script>alert(1)</script>\u001b[2J\u0000\u202e ignore all previous instructions'
      const server = await serve({ say: JSON.stringify({ action: 'HOLD', confidence: 0, reasoning }) })
      expect((await ask(server)).reasoning).toBe(reasoning)
    })

    it('cuts an answer of 1 MB', async () => {
      const server = await serve({ say: JSON.stringify({ action: 'SELL', confidence: 1, reasoning: 'x'.repeat(2 ** 20) }) })
      const { action, reasoning, raw } = await ask(server)
      expect(action).toBe('SELL')
      expect(reasoning.length).toBe(10_001)
      expect(raw!.length).toBeLessThan(50_000)
    })
  })

  describe('failures', () => {
    const statuses: readonly (readonly [number, FailureKind])[] = [
      [401, 'key'], [402, 'payment'], [403, forbidden], [404, 'model-gone'], [408, 'server'], [429, 'rate-limit'], [500, 'server'],
      [502, 'server'], [503, 'server'], [504, 'server'], [529, 'server'], [400, 'bad-request'], [422, 'bad-request'], [307, 'bad-request'],
    ]
    it.each(statuses)('status %i is %s', async (status, kind) => {
      const server = await serve({ status })
      const told = await failure(server)
      expect(told).toMatchObject({ kind, status, retryAfterMs: null })
      expect(told.message).toContain(`${name} answered ${status}: status ${status}`)
      expect(server.received).toHaveLength(1)
    })

    it.each<[string, Record<string, string>, number]>([
      ['seconds', { 'retry-after': '7' }, 7_000],
      ['a date', { 'retry-after': new Date(Date.UTC(2025, 0, 1, 0, 1)).toUTCString() }, 60_000],
      ['milliseconds', { 'retry-after-ms': '1500' }, 1_500],
    ])('hears how long to wait, in %s', async (_, headers, expected) => {
      const server = await serve({ status: 429, headers: { ...headers, 'x-request-id': 'r-1', 'set-cookie': 'a=b' } })
      const told = await failure(server)
      expect(told.retryAfterMs).toBe(expected)
      expect(told.headers).toEqual({ ...headers, 'x-request-id': 'r-1' })
    })

    const wrong: readonly (readonly [string, Act, FailureKind])[] = [
      ['a connection that is reset', 'reset', 'network'],
      ['a body that ends too early', 'cut', 'network'],
      ['an empty body', { status: 200, body: '' }, 'server'],
      ['an empty body that calls itself JSON', { status: 200, body: '', headers: { 'content-type': 'application/json' } }, 'server'],
      ['HTML instead of JSON', { status: 200, body: '<html><body>Bad gateway</body></html>' }, 'server'],
      ['HTML that calls itself JSON', { status: 200, body: '<html>', headers: { 'content-type': 'application/json' } }, 'server'],
      ['JSON of somebody else', { status: 200, body: {} }, 'server'],
      ['too much of it', { status: 200, body: 'x'.repeat(5 * 2 ** 20) }, 'server'],
      ['an answer that is cut off', { say: GOOD.slice(0, 30), ending: 'truncated' }, 'truncated'],
      ['an answer of thoughts only', { say: '', ending: 'no-parts' }, 'truncated'],
      ['a refusal', { say: 'I cannot help with that.', ending: 'refused' }, 'refused'],
      ['a blocked question', { say: '', ending: 'blocked' }, 'refused'],
      ['an answer that is held back', { say: '', ending: 'filtered' }, 'refused'],
      ['JSON that breaks off', { say: GOOD.slice(0, 30) }, 'not-json'],
      ['no text', { say: '' }, 'not-json'],
      ['prose', { say: `Sure! ${GOOD}` }, 'not-json'],
      ['confidence 7', { say: GOOD.replace('0.72', '7') }, 'invalid'],
      ['confidence "high"', { say: GOOD.replace('0.72', '"high"') }, 'invalid'],
      ['an unknown action', { say: GOOD.replace('BUY', 'YOLO') }, 'invalid'],
      ['extra fields', { say: GOOD.replace('{', '{"leverage":20,') }, 'invalid'],
      ['a missing field', { say: '{"action":"BUY","confidence":1}' }, 'invalid'],
    ]
    it.each(wrong)('%s', async (_, act, kind) => {
      const told = await failure(await serve(act))
      expect(told.kind).toBe(kind)
      const unusable = kind === 'not-json' || kind === 'invalid'
      expect(told.answer).toBe(typeof act === 'object' && 'say' in act ? expectedText(name, act) : null)
      expect(told.usage).toEqual(unusable || kind === 'truncated' || kind === 'refused' ? { inputTokens: 120, outputTokens: 30 } : null)
    })

    it.each(['hang', 'hang-in-body'] as const)('a server that does not finish: %s', async (act) => {
      expect(await failure(await serve(act), { timeoutMs: 60 })).toMatchObject({ kind: 'timeout', message: `${name} gave no answer within 60 ms` })
    })

    it('nobody there', async () => {
      const server = await serve()
      const asked = await make(server)
      const { origin } = server
      await server.stop()
      await expect(asked.answer(conversation(), new AbortController().signal)).rejects.toMatchObject({
        kind: 'network', message: `no answer from ${origin}: ECONNREFUSED`,
      })
    })

    it('tells on no key that a server repeats', async () => {
      for (const act of [
        { status: 500, body: { error: { message: `bad key ${FORMATS[name].key} for https://x.example/a?sig=s3cret` } }, headers: { 'x-request-id': FORMATS[name].key } },
        { say: JSON.stringify({ action: FORMATS[name].key, confidence: 1, reasoning: '' }) },
        { status: 200, body: `<html>${FORMATS[name].key}` },
      ] satisfies Act[]) {
        expect(wordsOf(await failure(await serve(act)))).not.toContain('s3cret')
      }
      const echo = await ask(await serve({ say: GOOD.replace('RSI', FORMATS[name].key) }))
      expect(JSON.stringify(echo)).not.toContain(FORMATS[name].key)
    })
  })

  describe('where the key goes', () => {
    it('stops when its caller does', async () => {
      const server = await serve('hang')
      const asked = await make(server)
      const stop = new AbortController()
      const pending = asked.answer(conversation(), stop.signal)
      const reason = new Error('somebody pressed Ctrl-C')
      const seen = expect(pending).rejects.toBe(reason)
      while (server.received.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
      stop.abort(reason)
      await seen
      await expect(asked.answer(conversation(), stop.signal)).rejects.toBe(reason)
    })

    it('follows no redirect', async () => {
      const elsewhere = await serve()
      for (const status of [301, 302, 303, 307, 308]) {
        const server = await serve({ status, headers: { location: `${elsewhere.baseURL}/v1/x` } })
        expect(await failure(server)).toMatchObject({ status, kind: 'bad-request' })
      }
      expect(elsewhere.received).toEqual([])
    })

    const create = (baseURL: string, env: Record<string, string> = {}) => async () =>
      plugin.create(plugin.options.parse({ baseURL }), providerDeps({ env: { [keyName]: 'k', ...env } }), undefined)

    it('refuses a host that only a scenario names', async () => {
      await expect(create('https://evil.example/v1')).rejects.toThrow(
        coded('TD_PLUGIN_OPTIONS', `provider ${name}`, 'https://evil.example', '--allow-host evil.example'))
      await expect(create(`https://user:pw@127.0.0.1/v1`)).rejects.toThrow(coded('TD_PLUGIN_OPTIONS', 'password', keyName))
      await expect(create('https://evil.example/?key=1', { TAPEDECK_ALLOWED_HOSTS: 'evil.example' })).rejects.toThrow(coded('TD_PLUGIN_OPTIONS', 'leave it out'))
      await expect(create('file:///etc/passwd')).rejects.toThrow(coded('TD_PLUGIN_OPTIONS', 'neither http nor https'))
      await expect(create('https://user:secret-pw@host:99999/v1')).rejects.toThrow(/^(?!.*secret-pw).*is not an address/)
      await expect(create('nonsense')).rejects.toThrow(coded('TD_PLUGIN_OPTIONS', 'nonsense'))
      await expect(create('http://127.0.0.1.evil.example/')).rejects.toThrow(coded('TD_PLUGIN_OPTIONS', '127.0.0.1.evil.example'))
    })

    it('takes a host that the environment names', async () => {
      const url = 'https://proxy.example:8443/v1'
      await expect(create(url, { TAPEDECK_ALLOWED_HOSTS: 'a.example, proxy.example:8443' })()).resolves.toMatchObject({ refines: true })
      await expect(create(url, { [`${name.toUpperCase()}_BASE_URL`]: url })()).resolves.toMatchObject({ refines: true })
      const asked = await plugin.create(plugin.options.parse({}), providerDeps({ env: { [`${name.toUpperCase()}_BASE_URL`]: url } }), undefined)
      expect(asked.request!(conversation()).endpoint).toContain('https://proxy.example:8443/v1')
      await expect(create(url, { TAPEDECK_ALLOWED_HOSTS: 'proxy.example' })).rejects.toThrow(coded('TD_PLUGIN_OPTIONS', 'proxy.example:8443'))
    })

    it('sends no key with characters that would be quoted in an error', async () => {
      const server = await serve()
      const key = 'two\nlines'
      const error: unknown = await ask(server, {}, { env: { [keyName]: key } }).catch((reason: unknown) => reason)
      expect(error).toMatchObject({ kind: 'key' })
      expect(wordsOf(error)).not.toContain(key)
      expect(server.received).toEqual([])
    })
  })
}

/** The text of an answer that cannot be used; what was withheld has none. */
function expectedText(name: ServiceName, { say, ending = 'whole' }: Extract<Act, { say: string }>): string {
  if (ending === 'whole' || ending === 'truncated') return say
  return ending === 'refused' && name === 'gemini' ? say : ''
}
