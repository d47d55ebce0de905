import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { auditOf, sample, workspace, type Outcome } from '../support/cli.ts'
import { GOOD, LlmServer, type Act } from '../support/llm-server.ts'

/** Each is written otherwise in a URL, in JSON or in both. */
const SECRETS = {
  PROXY_SECRET: 'planted/signature+0123==', TELEGRAM_BOT_TOKEN: '123456789:planted-bot-token', DB_PASSWORD: 'planted "quoted" \\ word', VENUE_PASSPHRASE: 'planted words',
  // It stands in times and in sums of money by chance.
  PIN_PASSWORD: '170519',
}
const { PROXY_SECRET, TELEGRAM_BOT_TOKEN, DB_PASSWORD, VENUE_PASSPHRASE } = SECRETS
const ALL = `${PROXY_SECRET} ${TELEGRAM_BOT_TOKEN} ${DB_PASSWORD} ${VENUE_PASSPHRASE}`
const ADDRESS = `https://proxy.invalid/bot${TELEGRAM_BOT_TOKEN}/ask?signature=${encodeURIComponent(PROXY_SECRET)}&p=${encodeURIComponent(DB_PASSWORD)}`
const good = { say: GOOD }

const home = workspace()
const outcomes: Outcome[] = []
let gemini: LlmServer
let openai: LlmServer
let keys: Record<string, string>

async function run(...args: readonly string[]): Promise<Outcome> {
  const outcome = await home.run(args, { ...keys, CHECK_INTERVAL: '3600' })
  outcomes.push(outcome)
  return outcome
}

beforeAll(async () => {
  const [one, two] = await Promise.all([LlmServer.start('gemini'), LlmServer.start('openai')])
  gemini = one
  openai = two
  keys = { ...SECRETS, GEMINI_API_KEY: gemini.key, OPENAI_API_KEY: openai.key }
  const outage: Act = { status: 503, body: { error: { message: `upstream ${ADDRESS} failed: ${ALL}, key ${gemini.key}` } } }
  gemini.script.push(
    good, good, { say: JSON.stringify({ action: 'BUY', confidence: 0.9, reasoning: `I was told ${ALL} and ${gemini.key}` }) }, good,
    // An answer that cannot be used goes back to the service, and onto the tape.
    { say: `Sure! ${ALL} ${gemini.key}` }, good, good, outage, outage, outage,
  )
  openai.script.push(
    { say: JSON.stringify({ action: 'SELL', confidence: 0.6, reasoning: `see ${ADDRESS}` }) }, good,
    { status: 400, headers: { 'x-request-id': `req-${openai.key}` }, body: `<html>${ALL} <a href="${ADDRESS}">${openai.key}</a></html>` },
    // As one who escapes slashes writes it.
    { status: 400, body: JSON.stringify({ error: { message: ALL } }).replaceAll('/', '\\/') },
    { status: 401, body: { error: { message: `Incorrect API key provided: ${openai.key}. See ${ADDRESS}` } } },
  )
  home.put('ai.yaml', {
    name: 'ai', symbol: 'BTC/USDT', timeframe: '1h', market: { file: sample, to: '2024-01-20' }, instrument: { tickSize: 0.01, lotSize: 0.00001, minNotional: 5 },
    strategy: { name: 'autonomous-scalper' }, policy: { minConfidence: 0.5 },
    providers: [{ name: 'gemini', baseURL: gemini.baseURL }, { name: 'openai', baseURL: openai.baseURL }, 'technical'],
    recording: { path: 'answers', mode: 'record-missing' }, consult: { when: { every: 12 } },
  })
  home.put('replay.yaml', home.read('ai.yaml').replace('record-missing', 'replay').replace('name: ai', 'name: replay'))
})
afterAll(async () => { await Promise.all([gemini.stop(), openai.stop()].map((stopping) => stopping.catch(() => {}))) })

const decisions = (name: string, out: string): readonly object[] => {
  const [found] = home.list(out).filter((one) => one.startsWith(`${name}-`))
  // A run that asks also has lines of what it found out about services, so that its others are numbered differently.
  return auditOf(home, found, out).filter(({ type }) => type === 'decision').map(({ run: _, seq: __, ...rest }) => rest)
}

// One story: what is scanned last was written before.
describe('services that tell what they should not', { shuffle: false }, () => {
  it('are recorded by a run that asks them, which replays are like to the last letter', async () => {
    expect((await run('backtest', 'ai.yaml', '--out', 'asked')).code).toBe(0)
    expect(gemini.received).toHaveLength(10)
    expect(openai.received).toHaveLength(5)
    await Promise.all([gemini.stop(), openai.stop()])
    for (const out of ['one', 'two']) expect((await run('backtest', 'replay.yaml', '--out', out)).code).toBe(0)
    const recorded = decisions('ai', 'asked')
    const [asked] = home.list('asked').filter((found) => found.startsWith('ai-'))
    expect(auditOf(home, asked, 'asked').filter(({ event }) => event === 'state').map(({ service, state }) => `${String(service)} ${String(state)}`))
      .toEqual(expect.arrayContaining(['gemini COOLING', 'openai DISABLED']))
    const fallbacks = recorded.flatMap((line) => (line as { fallbacks: { provider: string; error: string }[] }).fallbacks)
    expect(new Set(fallbacks.map(({ provider, error }) => `${provider} ${error.split(':')[0]}`)))
      .toEqual(new Set(['gemini server', 'gemini cooling', 'openai bad-request', 'openai key', 'openai disabled']))
    expect(decisions('replay', 'one')).toEqual(recorded)
    // Both services are out for most of the tape.
    const gated = await run('backtest', 'replay.yaml', '--set', 'minCoverage=0.9', '--out', 'gate')
    expect([gated.code, gated.stderr]).toEqual([3, expect.stringContaining('overage')])
    const [name] = home.list('one').filter((found) => found.startsWith('replay-'))
    expect(home.read('two', name, 'audit.jsonl')).toBe(home.read('one', name, 'audit.jsonl'))
  })

  it('are rehearsed from what they said', async () => {
    const { code, stderr } = await run('rehearse', 'replay.yaml', '--out', 'rehearsed')
    expect([code, stderr]).toEqual([0, expect.not.stringContaining('tapedeck: ')])
    const [live] = home.list('rehearsed').filter((found) => found.startsWith('replay-'))
    expect(auditOf(home, live, 'rehearsed').some(({ event }) => event === 'consulted')).toBe(true)
  })

  it('are shown and asked by hand', async () => {
    await run('providers', '--out', 'asked')
    await run('providers', 'test', 'openai', '--out', 'asked')
    await run('recordings', 'list')
    await run('recordings', 'diff', 'answers', 'answers')
    // A miss shows what was recorded.
    expect((await run('backtest', 'replay.yaml', '--set', 'strategy.params.rsiPeriod=15', '--out', 'miss')).stderr).toContain('TD_RECORDING_MISS')
    await run('record', 'replay.yaml', '--out', 'asked', '--dry-run')
    const { code, stdout } = await run('recordings', 'verify', 'answers')
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^answers is sound/)])
  })

  it('leave no secret behind, in no file and on no screen', () => {
    const files = readdirSync(home.folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
    for (const kind of ['tape.jsonl', 'audit.jsonl', 'report.html', 'providers.json']) expect(files.some((path) => path.endsWith(kind))).toBe(true)
    const written = [...files.map((path): [string, string] => [path, readFileSync(path, 'utf8')]),
      ...outcomes.map(({ stdout, stderr }, index): [string, string] => [`command ${index}`, `${stdout}\n${stderr}`])]
    const { PIN_PASSWORD: _, ...planted } = keys
    const forms = Object.values(planted).flatMap((secret) => [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1), secret.replaceAll('/', '\\/')])
    const leaks = written.flatMap(([where, text]) => forms.filter((form) => text.includes(form)).map((form) => `${where}: ${form}`))
    expect(leaks).toEqual([])
    expect(written.filter(([, text]) => text.includes('[redacted]')).length).toBeGreaterThan(3)
  })
})
