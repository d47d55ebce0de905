import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { z, type ZodType } from 'zod'
import { registry } from '../../../engine/assemble.ts'
import { scenarioJsonSchema } from '../../../engine/config/json-schema.ts'
import { root } from '../../support/shared.ts'

const folder = join(root, 'scenarios')
const shipped = readdirSync(folder).filter((name) => name.endsWith('.yaml'))

describe('the JSON Schema of scenario files', () => {
  let schema: Record<string, unknown>
  let validator: ZodType

  beforeAll(async () => {
    schema = await scenarioJsonSchema(registry)
    validator = z.fromJSONSchema(schema)
  })

  const accepts = (document: unknown): boolean => validator.safeParse(document).success
  const demo = (): Record<string, unknown> =>
    parse(readFileSync(join(folder, 'demo.yaml'), 'utf8')) as Record<string, unknown>

  it('is the committed one: `tapedeck config --schema > scenarios/scenario.schema.json` brings it up to date', () => {
    expect(readFileSync(join(folder, 'scenario.schema.json'), 'utf8')).toBe(`${JSON.stringify(schema, null, 2)}\n`)
  })

  it.each(shipped)('accepts %s, which names it for editors', (name) => {
    const text = readFileSync(join(folder, name), 'utf8')
    expect(text).toMatch(/^# yaml-language-server: \$schema=\.\/scenario\.schema\.json\n/)
    expect(accepts(parse(text))).toBe(true)
  })

  it.each<[string, object]>([
    ['no symbol', { symbol: undefined }],
    ['several symbols', { symbol: undefined, symbols: ['BTC/USDT', 'ETH/USDT'],
      market: { files: { 'BTC/USDT': 'a.csv', 'ETH/USDT': ['b.csv', 'c.csv'] } } }],
    ['another market', { market: { source: 'synthetic', candles: 100, from: '2024-01-01' } }],
    ['only what is needed', { instrument: undefined, broker: undefined, providers: undefined, policy: undefined }],
    ['none for stop and target', { policy: { stopLoss: null, takeProfit: null } }],
    ['notifiers by name', { notify: { webhook: { events: ['halt'] }, telegram: null } }],
    ['notifiers as a list', { notify: ['webhook', { name: 'telegram', commands: false }] }],
    ['a provider with its options', { providers: [{ name: 'technical' }] }],
    ['a schema of its own', { $schema: './scenario.schema.json' }],
  ])('accepts %s', (_, changes) => {
    expect(accepts(JSON.parse(JSON.stringify({ ...demo(), ...changes })))).toBe(true)
  })

  it.each<[string, object]>([
    ['an unknown key', { polcy: {} }],
    ['an unknown key in market', { market: { file: 'a.csv', gap: 'fill' } }],
    ['an option of another market', { market: { file: 'a.csv', candles: 5 } }],
    ['an unknown market', { market: { source: 'candle-reply', file: 'a.csv' } }],
    ['an unknown key in broker', { broker: { slipageBps: 5 } }],
    ['an unknown key in broker.fees', { broker: { fees: { takr: 0 } } }],
    ['an unknown strategy', { strategy: { name: 'sma-cros' } }],
    ['an unknown parameter', { strategy: { name: 'sma-cross', params: { fats: 5 } } }],
    ['a parameter of another strategy', { strategy: { name: 'buy-and-hold', params: { fast: 5 } } }],
    ['an unknown key in policy', { policy: { stoploss: 0.05 } }],
    ['an impossible value', { policy: { minConfidence: 1.7 } }],
    ['an unknown notifier', { notify: { pigeon: {} } }],
    ['an unknown event of a notifier', { notify: { webhook: { events: ['lunch'] } } }],
    ['an unknown provider', { providers: ['gemni'] }],
    ['an unknown option of a provider', { providers: [{ name: 'technical', temperature: 1 }] }],
    ['a strange timeframe', { timeframe: '7h' }],
    ['a symbol in small letters', { symbol: 'btcusdt' }],
    ['no name', { name: undefined }],
    ['no strategy', { strategy: undefined }],
  ])('rejects %s', (_, changes) => {
    expect(accepts(JSON.parse(JSON.stringify({ ...demo(), ...changes })))).toBe(false)
  })
})
