import { afterEach, describe, expect, it } from 'vitest'
import { charged, failed, succeeded } from '../../engine/pipeline/provider-health.ts'
import { ServiceBook } from '../../engine/session/service-book.ts'
import { sample, scenario, workspace } from '../support/cli.ts'
import { LlmServer, type Act } from '../support/llm-server.ts'
import type { ServiceName } from '../support/llm-formats.ts'
import { whole } from '../support/slice.ts'

interface Status {
  readonly services: readonly Readonly<Record<string, unknown>>[]
  readonly spentTodayUsd: number
}

const KEYS = {
  GEMINI_API_KEY: 'gemini-secret-abcdef', OPENAI_API_KEY: 'openai-secret-abcdef', ANTHROPIC_API_KEY: 'anthropic-secret-abcdef',
  TOGETHER_API_KEY: 'together-secret-abcdef',
}

const servers: LlmServer[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop()
})
async function serving(service: ServiceName, ...script: readonly Act[]): Promise<LlmServer> {
  const server = await LlmServer.start(service, ...script)
  servers.push(server)
  return server
}

describe('tapedeck providers', () => {
  it('shows the default chain before anything was asked, and writes nothing', async () => {
    const here = workspace()
    const { services, spentTodayUsd } = await here.json<Status>(['providers'], { GEMINI_API_KEY: KEYS.GEMINI_API_KEY })
    expect(services.map(({ name, priority, lacks, state, mayBeAsked, successRate }) => [name, priority, lacks, state, mayBeAsked, successRate])).toEqual([
      ['gemini', 1, null, 'ACTIVE', true, null],
      ['openai', 2, 'OPENAI_API_KEY', 'ACTIVE', false, null],
      ['anthropic', 3, 'ANTHROPIC_API_KEY', 'ACTIVE', false, null],
      ['together', 4, 'TOGETHER_API_KEY', 'ACTIVE', false, null],
    ])
    expect(spentTodayUsd).toBe(0)
    expect(here.list()).toEqual([])
  })

  it('takes order and options from a scenario, and leaves backups out where they are not wanted', async () => {
    const here = workspace()
    here.put('s.yaml', scenario({
      strategy: { name: 'autonomous-scalper' }, providers: ['together', { name: 'openai', model: 'llama', baseURL: 'http://127.0.0.1:11434/v1' }],
    }))
    const names = async (args: readonly string[], env = {}): Promise<unknown[]> =>
      (await here.json<Status>(['providers', ...args], env)).services.map(({ name, priority, model, lacks }) => [name, priority, model, lacks])
    expect(await names(['--scenario', 's.yaml'])).toEqual([
      ['together', 1, 'meta-llama/Llama-3.3-70B-Instruct-Turbo', 'TOGETHER_API_KEY'], ['openai', 2, 'llama', null],
    ])
    expect((await names([], { ENABLE_BACKUP_APIS: 'false' })).map((row) => (row as unknown[]).slice(0, 2)))
      .toEqual([['gemini', 1], ['openai', null], ['anthropic', null], ['together', null]])
  })

  it.runIf(whole)('tells what runs have found out', async () => {
    const here = workspace()
    const now = Date.now()
    const book = new ServiceBook(here.path('kept'))
    const used = { inputTokens: 400, outputTokens: 30, costUsd: 0.5 }
    for (const latencyMs of [100, 200, 300, 4000]) book.update('gemini', (health) => succeeded(health, now, { ...used, latencyMs }))
    book.update('gemini', (health) => failed(charged(health, now, used), now, { kind: 'truncated', message: 'cut', retryAfterMs: null, resetAtMs: null }))
    book.update('openai', (health) => failed(health, now, { kind: 'quota', message: `no more for ${KEYS.OPENAI_API_KEY}`, retryAfterMs: null, resetAtMs: now + 3_600_000 }))
    book.update('bygone', (health) => succeeded(health, now, { ...used, latencyMs: 1 }))
    const { services, spentTodayUsd } = await here.json<Status>(['providers', '--out', 'kept'], KEYS)
    expect(services[0]).toMatchObject({
      name: 'gemini', state: 'ACTIVE', mayBeAsked: true, asked: 5, successRate: 0.8, errors: { truncated: 1 }, latencyMs: { p50: 200, p95: 4000 },
      tokens: { input: 2000, output: 150 }, costUsd: 2.5, lastUsed: new Date(now).toISOString(),
    })
    expect(services[1]).toMatchObject({
      name: 'openai', state: 'COOLING', mayBeAsked: false, reason: 'no more for [redacted]', until: new Date(now + 3_600_000).toISOString(),
    })
    expect(services.at(-1)).toMatchObject({ name: 'bygone', priority: null })
    expect(spentTodayUsd).toBeCloseTo(3, 9)
    const { stdout } = await here.succeeds(['providers', '--out', 'kept'], KEYS)
    expect(stdout).toMatch(/ 1 gemini +ACTIVE +80\.0 % of 5 +2\.50 USD +0 min ago +200 ms +4 s +2,000\/150\n/)
    expect(stdout).toMatch(/✗ openai is COOLING since [^\n]+: no more for \[redacted\]; it\s+is\s+tried\s+again\s+at/)
    expect(stdout).toContain('– gemini failed: truncated 1\n')
    expect(stdout).toContain('Spent today (UTC): 3.00 USD by all runs in kept.\n')
    for (const key of Object.values(KEYS)) expect(stdout).not.toContain(key)
  })

  it('switches a service off and on', async () => {
    const here = workspace()
    const off = await here.succeeds(['providers', 'disable', 'openai', '--reason', 'too dear', '--out', 'kept'])
    expect(off.stdout).toBe('openai is disabled until `tapedeck providers enable openai --out kept`: too dear\n')
    const status = async (): Promise<unknown> => (await here.json<Status>(['providers', '--out', 'kept'], KEYS)).services[1]
    expect(await status()).toMatchObject({ state: 'DISABLED', reason: 'too dear', until: null, mayBeAsked: false })
    expect((await here.succeeds(['providers', '--out', 'kept'], KEYS)).stdout).toMatch(/✗ openai is DISABLED since [^\n]+: too dear; until `tapedeck\s+providers/)
    expect((await here.succeeds(['providers', 'enable', 'openai', '--out', 'kept'])).stdout).toBe('openai is enabled; it was DISABLED.\n')
    expect(await status()).toMatchObject({ state: 'ACTIVE', reason: null, since: null, mayBeAsked: true })
    expect((await here.succeeds(['providers', 'enable', 'openai', '--out', 'kept'])).stdout).toBe('openai is enabled already.\n')
  })

  it('is remembered by the next run: who is disabled is not asked, who is enabled is', async () => {
    const here = workspace()
    const server = await serving('openai', { status: 401 })
    const env = { OPENAI_API_KEY: server.key }
    here.put('s.yaml', scenario({
      market: { file: sample, to: '2024-01-13' }, strategy: { name: 'autonomous-scalper' }, recording: { path: 'tape' },
      providers: [{ name: 'openai', baseURL: server.baseURL }],
    }))
    const record = async (): Promise<{ readonly answered: number; readonly stopped: string | null }> =>
      JSON.parse((await here.run(['record', 's.yaml', '--concurrency', '1', '--json'], env)).stdout) as { answered: number; stopped: string | null }
    expect((await record()).stopped).toContain('tapedeck providers')
    expect((await here.json<Status>(['providers'], env)).services[1]).toMatchObject({ name: 'openai', state: 'DISABLED', until: null, errors: { key: 1 } })
    expect(await record()).toMatchObject({ answered: 0 })
    expect(server.received).toHaveLength(1)
    await here.succeeds(['providers', 'enable', 'openai'])
    const { answered, stopped } = await record()
    expect(stopped).toBeNull()
    expect(answered).toBeGreaterThan(0)
    const [, openai] = (await here.json<Status>(['providers'], env)).services
    expect(openai).toMatchObject({ state: 'ACTIVE', successes: server.received.length - 1, errors: { key: 1 } })
    expect(openai['costUsd']).toBeGreaterThan(0)
  })

  it.each([
    [['providers', 'disable', 'opnai'], 'TD_PLUGIN_UNKNOWN', ['unknown provider plugin "opnai"', 'Did you mean "openai"?']],
    [['providers', 'enable', 'gemin'], 'TD_PLUGIN_UNKNOWN', ['Did you mean "gemini"?']],
    [['providers', 'test', 'anthropics'], 'TD_PLUGIN_UNKNOWN', ['Did you mean "anthropic"?']],
    [['providers', 'disable', 'technical'], 'TD_USAGE', ["the strategy's own rules"]],
    [['providers', 'test', 'simulated', '--base-url', 'http://127.0.0.1:1'], 'TD_USAGE', ['--base-url']],
    [['providers', 'test', 'openai', '--base-url', 'nowhere'], 'TD_PLUGIN_OPTIONS', ['baseURL "nowhere" is not an address']],
    [['providers', 'test', 'simulated', '--model', 'x'], 'TD_PLUGIN_OPTIONS', ['unknown key "model"']],
  ] as const)('refuses %j', async (args, code, says) => {
    await workspace().refuses(args, code, says)
  })

  it('says which file is damaged', async () => {
    const here = workspace()
    here.put('runs/providers.json', '{}')
    await here.refuses(['providers'], 'TD_HEALTH_BROKEN', [/runs\/providers\.json: .+format/])
  })
})

describe('tapedeck providers test', () => {
  it.each(['gemini', 'openai', 'anthropic', 'together'] as const)('asks %s one question and tells answer, latency and cost', async (service) => {
    const here = workspace()
    const server = await serving(service)
    const env = { [`${service.toUpperCase()}_API_KEY`]: server.key }
    const result = await here.json<Record<string, unknown>>(['providers', 'test', service, '--base-url', server.baseURL], env)
    expect(result).toMatchObject({
      provider: service, failure: null, answer: { action: 'BUY', confidence: 0.72, reasoning: 'RSI is low in an uptrend' },
    })
    expect(result['latencyMs']).toBeGreaterThanOrEqual(0)
    expect(result['costUsd']).toBeGreaterThan(0)
    expect(server.received).toHaveLength(1)
    expect(server.received[0].body).toContain('BTC/USDT, 1h candles')
    const { services, spentTodayUsd } = await here.json<Status>(['providers'], env)
    expect(services.find(({ name }) => name === service)).toMatchObject({ state: 'ACTIVE', asked: 0, costUsd: result['costUsd'] })
    expect(spentTodayUsd).toBe(result['costUsd'])
    expect(here.read('runs', 'providers.json')).not.toContain(server.key)
  })

  it('prints what came', async () => {
    const server = await serving('openai', { say: '{"action":"HOLD","confidence":0.5,"reasoning":"\\u001b[2Jwait"}' })
    const { stdout } = await workspace().succeeds(
      ['providers', 'test', 'openai', '--base-url', server.baseURL, '--model', 'local-one'], { OPENAI_API_KEY: server.key })
    expect(stdout).toMatch(/^✓ openai \(local-one\) answered(, as \S+)?: HOLD with confidence 0\.5\n {2}wait\n {2}after [\d.]+ m?s; \d+ tokens in, \d+ out, at a price that is not known\n$/)
    expect(JSON.parse(server.received[0].body)).toMatchObject({ model: 'local-one' })
  })

  it.each<[string, Act, string, RegExp]>([
    ['a key that is refused', { status: 401 }, 'key', /what to do: set the key/],
    ['an empty purse', { status: 402 }, 'payment', /what to do: pay the bill/],
    ['a model that is gone', { status: 404 }, 'model-gone', /what to do: name another model with --model/],
    ['too many questions', { status: 429 }, 'rate-limit', /what to do: the service wants fewer questions/],
    ['an outage', { status: 503 }, 'server', /what to do: the service has trouble/],
    ['nonsense', { say: 'Sure!' }, 'not-json', /what to do: the model does not keep to the form/],
    ['a connection that breaks', 'reset', 'network', /what to do: see whether this machine reaches the address/],
  ])('fails with what to do after %s', async (_, act, kind, says) => {
    const here = workspace()
    const server = await serving('openai', act)
    const { code, stdout, stderr } = await here.run(['providers', 'test', 'openai', '--base-url', server.baseURL], { OPENAI_API_KEY: server.key })
    expect(stdout).toMatch(new RegExp(`^✗ openai \\(\\S+\\) failed \\(${kind}\\): `))
    expect(stdout).toMatch(says)
    expect(stdout + stderr).not.toContain(server.key)
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' })
    // One question: a test is no patient run.
    expect(server.received).toHaveLength(1)
  })

  it('needs the key', async () => {
    const { code, stdout } = await workspace().run(['providers', 'test', 'gemini'])
    expect(stdout).toMatch(/^✗ gemini \(\S+\) failed \(key\): GEMINI_API_KEY is not set\n/)
    expect(code).toBe(1)
  })
})
