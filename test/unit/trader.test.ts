import { afterEach, describe, expect, it } from 'vitest'
import { AutonomousAITrader, BackupAIService, GeminiAnalyzer } from '../../engine/index.ts'
import { coded } from '../support/coded.ts'
import { GOOD, LlmServer, type Act } from '../support/llm-server.ts'
import type { ServiceName } from '../support/llm-formats.ts'

const DATA = { price: 42_500, rsi: 28, ma_short: 42_100, ma_long: 41_500, trend: 'UP' } as const
const servers: LlmServer[] = []
afterEach(async () => { await Promise.all(servers.splice(0).map((server) => server.stop())) })

async function serve(name: ServiceName, ...script: readonly Act[]): Promise<LlmServer> {
  const server = await LlmServer.start(name, ...script)
  servers.push(server)
  return server
}
const answer = (action: string, confidence: number): Act => ({ say: JSON.stringify({ action, confidence, reasoning: `${action}, said the server` }) })

describe('AutonomousAITrader', () => {
  it('asks in two turns and decides without ordering anything', async () => {
    const server = await serve('gemini', answer('BUY', 0.7), answer('BUY', 0.75))
    const trader = new AutonomousAITrader(server.key, { baseURL: server.baseURL, env: {} })
    expect(await trader.analyzeAndExecute(DATA, { execute: false })).toMatchObject({
      action: 'BUY', confidence: 0.75, reasoning: 'BUY, said the server', service_used: 'gemini', fallbacks: [],
      initial: { action: 'BUY', confidence: 0.7 }, min_confidence: 0.6, confidence_verified: true,
    })
    expect(server.received).toHaveLength(2)
    const [{ body }] = server.received
    for (const said of ['Price: 42500', 'RSI (14): 28', 'Short average (9): 42100', 'Trend: UP', 'Volume: unknown']) {
      expect(JSON.stringify(body)).toContain(said)
    }
  })

  it('tells by the threshold whether to act, and never to act on HOLD', async () => {
    const server = await serve('gemini', answer('BUY', 0.7), answer('BUY', 0.59), answer('HOLD', 0.9), answer('HOLD', 0.9))
    const trader = new AutonomousAITrader(server.key, { baseURL: server.baseURL, env: {} })
    expect(await trader.analyzeAndExecute(DATA, { execute: false })).toMatchObject({ confidence_verified: false })
    expect(await trader.analyzeAndExecute(DATA)).toMatchObject({ action: 'HOLD', confidence_verified: false })
  })

  it('falls back to the rules, and says why', async () => {
    const server = await serve('gemini', { status: 401 })
    const trader = new AutonomousAITrader(server.key, { baseURL: server.baseURL, env: {} })
    const analysis = await trader.analyzeAndExecute(DATA)
    expect(analysis).toMatchObject({ service_used: 'technical', action: 'BUY', fallbacks: [{ provider: 'gemini' }] })
    expect(analysis.fallbacks[0].error).toMatch(/^key: /)
    expect(JSON.stringify(analysis)).not.toContain(server.key)
  })

  it('refuses to order, and data that is none', async () => {
    const trader = new AutonomousAITrader('unused-key', { env: {} })
    await expect(trader.analyzeAndExecute(DATA, { execute: true })).rejects.toThrow(coded('TD_USAGE', 'no broker'))
    await expect(trader.analyzeAndExecute({ price: NaN })).rejects.toThrow(coded('TD_USAGE', 'marketData.price'))
    await expect(trader.analyzeAndExecute({ price: 1, rsi: NaN })).rejects.toThrow(coded('TD_USAGE', 'marketData.rsi'))
  })
})

describe('GeminiAnalyzer', () => {
  it('asks once', async () => {
    const server = await serve('gemini', { say: GOOD })
    const { action, confidence } = await new GeminiAnalyzer(server.key, { baseURL: server.baseURL, env: {} }).analyze(DATA)
    expect([action, confidence]).toEqual(['BUY', 0.72])
    expect(server.received).toHaveLength(1)
  })
})

describe('BackupAIService', () => {
  it('asks by priority, and shows how each service does', async () => {
    const [first, second] = [await serve('anthropic', { status: 402 }), await serve('openai', answer('SELL', 0.8), answer('SELL', 0.8))]
    const backup = new BackupAIService({ env: {} })
    backup.addService('openai', second.key, 'openai', { priority: 2, baseURL: second.baseURL })
    backup.addService('anthropic', first.key, 'anthropic', { priority: 1, baseURL: first.baseURL })
    expect(backup.getStatus()).toMatchObject([{ name: 'anthropic', status: 'ACTIVE', success_rate: null, last_used: null }, { name: 'openai' }])
    expect(await backup.getAnalysis({ price: 42_500, rsi: 28, trend: 'UP' }))
      .toMatchObject({ service_used: 'openai', action: 'SELL', confidence: 0.8, fallbacks: [{ provider: 'anthropic' }] })
    expect(backup.getStatus()).toMatchObject([
      { name: 'anthropic', status: 'DISABLED', success_rate: 0, error_count: 1, errors: { payment: 1 } },
      { name: 'openai', status: 'ACTIVE', success_rate: 1, error_count: 0 },
    ])
    // Disabled until a person mends it: it is not asked again.
    await backup.getAnalysis(DATA).catch(() => {})
    expect(first.received).toHaveLength(1)
  })

  it('knows no other kinds of service, and no two of one name', () => {
    const backup = new BackupAIService({ env: {} })
    expect(() => backup.addService('one', 'key', 'opanai')).toThrow(coded('TD_PLUGIN_UNKNOWN', 'opanai'))
    backup.addService('one', 'key', 'openai')
    expect(() => backup.addService('one', 'key', 'openai')).toThrow(coded('TD_USAGE', 'a service one already'))
  })

  it('takes no data that is none', async () => {
    for (const data of [undefined, null, 'x', { ...DATA, trend: 'bullish' }]) {
      await expect(new BackupAIService().getAnalysis(data as never)).rejects.toThrow(coded('TD_USAGE', 'marketData'))
    }
  })

  it('without services decides by the rules', async () => {
    expect(await new BackupAIService().getAnalysis(DATA)).toMatchObject({ service_used: 'technical' })
  })
})
