import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { auditOf, sample, workspace, type Backtest } from '../support/cli.ts'
import { LlmServer, type Act } from '../support/llm-server.ts'
import { whole } from '../support/slice.ts'

const TOKEN = 'planted-123456:bot-token'
const SIGNED = 'planted-signature-0123456789'
const HOSTILE = '<script>alert(1)</script>\u001b[2J\u202e'
const say = (action: string, confidence: number, reasoning = `${action}, it said`): Act =>
  ({ say: JSON.stringify({ action, confidence, reasoning }) })
/** What a careless proxy tells of a request. */
const LEAKY: Act = {
  status: 503, body: { error: { message: `upstream https://proxy.invalid/bot${TOKEN}/ask?signature=${SIGNED} failed` } },
}

const home = workspace()
let gemini: LlmServer
let openai: LlmServer
let keys: Record<string, string>
let recorded: { readonly stdout: string; readonly asked: number }
let again: { readonly stdout: string; readonly asked: number }
let first: Backtest

/** Every file of the workspace, whole. */
const everything = (): string => readdirSync(home.folder, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile()).map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1')).join('\n')

beforeAll(async () => {
  gemini = await LlmServer.start('gemini',
    say('BUY', 0.7), say('BUY', 0.75), say('BUY', 0.9, `${HOSTILE} ${TOKEN}`), say('HOLD', 0.5), LEAKY, LEAKY, LEAKY)
  openai = await LlmServer.start('openai', say('SELL', 0.6), say('SELL', 0.8))
  keys = { GEMINI_API_KEY: gemini.key, OPENAI_API_KEY: openai.key, TELEGRAM_BOT_TOKEN: TOKEN, PROXY_SECRET: SIGNED }
  home.put('ai.yaml', {
    name: 'ai', symbol: 'BTC/USDT', timeframe: '1h', market: { file: sample, to: '2024-01-20' },
    strategy: { name: 'autonomous-scalper' }, policy: { minConfidence: 0.5 },
    providers: [{ name: 'gemini', baseURL: gemini.baseURL }, { name: 'openai', baseURL: openai.baseURL }, 'technical'],
    recording: { path: 'answers' }, consult: { when: { every: 24 } },
  })
  recorded = await record('--concurrency', '1')
  again = await record()
  await Promise.all([gemini.stop(), openai.stop()])
  first = await home.json(['backtest', 'ai.yaml', '--out', 'one'])
})
afterAll(async () => { await Promise.all([gemini.stop(), openai.stop()].map((stopping) => stopping.catch(() => {}))) })

async function record(...args: readonly string[]): Promise<typeof recorded> {
  const { stdout } = await home.succeeds(['record', 'ai.yaml', ...args], keys)
  return { stdout, asked: gemini.received.length + openai.received.length }
}

describe('a recorded outage', () => {
  it('is refused a backtest before there is a recording', async () => {
    const elsewhere = ['--set', 'recording.path=nowhere']
    await home.refuses(['backtest', 'ai.yaml', ...elsewhere], 'TD_RECORDING_MISSING', [/no recording/, /tapedeck record/])
  })

  it('is recorded once, and asked about never again', () => {
    expect(recorded.stdout).toMatch(/gemini \(.+\) → openai \(.+\) → rules/)
    expect(recorded.stdout).toContain('Done.')
    expect(recorded.asked).toBeGreaterThan(10)
    expect(again.stdout).toContain('Nothing is left to ask')
    expect(again.asked).toBe(recorded.asked)
  })

  it('replays byte for byte, twice, without keys and without anybody to ask', async () => {
    await home.json(['backtest', 'ai.yaml', '--out', 'two'])
    for (const file of ['audit.jsonl', 'report.html']) expect(home.read('one', first.run, file)).toBe(home.read('two', first.run, file))
  })

  it('shows who answered, who did not and why, and what was thought better of', () => {
    const decisions = auditOf(home, first.run, 'one').filter(({ type }) => type === 'decision')
    const of = (provider: string): Record<string, unknown>[] => decisions.filter((line) => line['provider'] === provider)
    expect(of('gemini')).toHaveLength(2)
    // The service that failed is left alone while the next one answers.
    expect(of('openai')[0]).toMatchObject({ action: 'SELL', confidence: 0.8, fallbacks: [{ provider: 'gemini' }] })
    expect(JSON.stringify(of('openai')[0]['fallbacks'])).toContain('server: ')
    const flipped = of('gemini').find((line) => (line['phases'] as { initial: { confidence: number } }).initial.confidence === 0.9)
    expect(flipped).toMatchObject({ action: 'HOLD', phases: { initial: { action: 'BUY' }, refinement: [{ action: 'HOLD' }] } })
    expect(first.figures['coverage']).toBe(1)
    expect(first.figures['aiCost']).toBeGreaterThan(0)
  })

  it('holds no secret in any file, and what models say stays text', () => {
    const written = everything()
    for (const secret of Object.values(keys)) expect(written).not.toContain(secret)
    expect(written).toContain('[redacted]')
    expect(home.read('one', first.run, 'report.html')).not.toContain('<script>alert(1)</script>')
  })

  it('is no substitute for other questions: a miss shows the nearest and what differs, and nothing is left behind', async () => {
    const { code, stderr, stdout } = await home.run(['backtest', 'ai.yaml', '--set', 'strategy.params.rsiPeriod=15', '--out', 'miss'])
    expect(code).toBe(1)
    expect(stdout).toBe('')
    expect(stderr).toMatch(/no answer of gemini .* is recorded for BTC\/USDT at 2024-.*\[TD_RECORDING_MISS\]/)
    expect(stderr).toMatch(/- .*RSI \(14\)/)
    expect(stderr).toMatch(/\+ .*RSI \(15\)/)
    expect(home.list('miss')).toEqual([])
  })

  it('serves other thresholds and sizes from the same answers', async () => {
    const strict = await home.json(['backtest', 'ai.yaml', '--min-confidence', '0.76', '--stop-loss', '0.02', '--out', 'strict'])
    expect(strict.figures['coverage']).toBe(1)
    expect(strict.decisions.total).toBe(first.decisions.total)
  })

  it('measures the gate against AI scenarios only, and passes one that has all its answers', async () => {
    const outcome = await home.run(['backtest', 'ai.yaml', '--set', 'providers=[technical]', '--set', 'minCoverage=0.9', '--out', 'rules'])
    expect(outcome.code).toBe(0)
    home.put('gate.yaml', home.read('ai.yaml').replace('name: ai\n', 'name: gate\n') + 'minCoverage: 1\n')
    expect((await home.run(['backtest', 'gate.yaml'])).code).toBe(0)
  })
})

describe('a scenario that wants more answers than it got', () => {
  it('has its run, and fails its gate', async () => {
    const poor = workspace()
    poor.put('poor.yaml', {
      name: 'poor', symbol: 'BTC/USDT', timeframe: '1h', market: { file: sample, to: '2024-01-10' }, strategy: { name: 'autonomous-scalper' },
      providers: [{ name: 'simulated', failureRate: 0.5 }, 'technical'], recording: { path: 'answers' }, minCoverage: 0.99,
    })
    await poor.succeeds(['record', 'poor.yaml'])
    const { code, stderr } = await poor.run(['backtest', 'poor.yaml', '--out', 'kept'])
    expect(code).toBe(3)
    expect(stderr).toMatch(/poor: an AI answered .* expected 99.00 % \(minCoverage\) \[TD_COVERAGE\]/)
    expect(poor.list('kept')).toHaveLength(1)
  })
})

describe('a rehearsal with AI', () => {
  it.runIf(whole)('takes the time that answers took, and is repeated by replay and equalled by the backtest', async () => {
    const staged = workspace()
    staged.put('slow.yaml', {
      name: 'slow', symbol: 'BTC/USDT', timeframe: '1h', market: { file: sample, to: '2024-01-25' }, strategy: { name: 'autonomous-scalper' },
      policy: { minConfidence: 0.5, positionSize: 0.2, takeProfit: 0.01, stopLoss: 0.01 }, instrument: { tickSize: 0.01, lotSize: 0.00001, minNotional: 5 },
      providers: [{ name: 'simulated', latencyMs: 14_000, flipRate: 0.2, failureRate: 0.05 }, 'technical'], recording: { path: 'answers' },
    })
    await staged.succeeds(['record', 'slow.yaml'])
    const { run } = await staged.json<{ run: string }>(['rehearse', 'slow.yaml'], { CHECK_INTERVAL: '3600' })
    const trail = auditOf(staged, run)
    const consulted = trail.filter(({ type, event }) => type === 'provider' && event === 'consulted')
    expect(consulted.length).toBeGreaterThan(100)
    // Two turns of 14 s each on average: some come after the 30 s that a decision has, and may not buy any more.
    const late = trail.filter(({ type, reason }) => type === 'decision' && reason === 'late')
    expect(late.length).toBeGreaterThan(0)
    for (const { latency_ms: took } of late) expect(took).toBeGreaterThan(30_000)
    const trades = trail.filter(({ type }) => type === 'trade')
    expect(trades.length).toBeGreaterThan(0)
    expect((await staged.succeeds(['replay', run])).stdout).toContain('identical')
    expect((await staged.succeeds(['parity', run])).stdout).toContain('none differs')
  })
})
