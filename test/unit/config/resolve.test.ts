import { describe, expect, it } from 'vitest'
import { registry } from '../../../engine/assemble.ts'
import { costsOf } from '../../../engine/config/resolve-policy.ts'
import { resolveScenario, type Resolution } from '../../../engine/config/resolve.ts'
import { loadScenario, type Override } from '../../../engine/config/scenario-file.ts'
import { readSettings, type Environment } from '../../../engine/config/settings.ts'
import { DEFAULT_POLICY } from '../../../engine/core/policy.ts'
import { writeScenario } from '../../support/scenario-files.ts'

const minimal = { name: 's', symbol: 'BTC/USDT', timeframe: '1h', market: { file: 'a.csv' },
  strategy: { name: 'sma-cross' } }

const resolve = (
  scenario: object = minimal, env: Environment = {}, flags: Readonly<Record<string, unknown>> = {},
): Promise<Resolution> => {
  const overrides: Override[] = Object.entries(flags).map(([path, value]) => ({ path, value, flag: '--set' }))
  return resolveScenario(loadScenario(writeScenario(scenario), overrides), readSettings(env), registry)
}

describe('a resolved scenario', () => {
  it('leaves nothing open', async () => {
    const { scenario, omitted, plugins } = await resolve()
    expect(scenario).toEqual({
      name: 's', symbols: ['BTC/USDT'], timeframe: '1h',
      market: { source: 'candle-replay', options: { file: 'a.csv', gaps: 'refuse', duplicates: 'refuse' } },
      instruments: { 'BTC/USDT': { tickSize: 0, lotSize: 0, minNotional: 0 } },
      broker: { name: 'paper',
        options: expect.objectContaining({ cash: 10_000, slippageBps: 5, fillModel: 'conservative' }) as object },
      strategy: { name: 'sma-cross', params: { fast: 9, slow: 21, rsiPeriod: 14, rsiMax: 70 } },
      providers: [{ name: 'technical', options: {} }],
      policy: DEFAULT_POLICY,
      audit: 'full', seed: 1,
    })
    expect(omitted).toEqual(['instrument', 'broker', 'providers', 'policy'])
    expect([plugins.market.name, plugins.broker.name, plugins.strategy.name])
      .toEqual(['candle-replay', 'paper', 'sma-cross'])
    expect(JSON.parse(JSON.stringify(scenario))).toEqual(scenario)
  })

  it('is the same however it is written: order of keys, defaults spelt out, file name', async () => {
    const spelt = await resolve({
      strategy: { params: { slow: 21 }, name: 'sma-cross' }, providers: ['technical'], broker: { slippageBps: 5 },
      seed: 1, audit: 'full',
      policy: { positionSize: 0.02 }, market: { gaps: 'refuse', file: 'a.csv' }, timeframe: '1h', symbols: ['BTC/USDT'],
      name: 's',
    })
    expect(JSON.stringify(spelt.scenario)).toBe(JSON.stringify((await resolve()).scenario))
  })

  it('says which blocks were left out', async () => {
    expect((await resolve({ ...minimal, policy: {}, instruments: { 'BTC/USDT': { tickSize: 0.1 } } })).omitted)
      .toEqual(['broker', 'providers'])
  })

  it('ends every chain with the technical rules', async () => {
    const { scenario, plugins } = await resolve({ ...minimal, providers: [{ name: 'technical' }] })
    expect(scenario.providers).toEqual([{ name: 'technical', options: {} }])
    expect(plugins.providers.map(({ name }) => name)).toEqual(['technical'])
  })

  it('gives each symbol its rules', async () => {
    const symbols = { ...minimal, symbol: undefined, symbols: ['BTC/USDT', 'ETH/USDT'], market: { files: {} } }
    const { scenario: { instruments } } = await resolve({ ...symbols, instruments: { 'ETH/USDT': { lotSize: 0.1 } } })
    expect(instruments).toEqual({ 'BTC/USDT': { tickSize: 0, lotSize: 0, minNotional: 0 },
      'ETH/USDT': { tickSize: 0, lotSize: 0.1, minNotional: 0 } })
    const same = await resolve({ ...symbols, instrument: { tickSize: 0.5, minNotional: 5 } })
    expect(Object.values(same.scenario.instruments))
      .toEqual(Array(2).fill({ tickSize: 0.5, lotSize: 0, minNotional: 5 }))
  })
})

describe('precedence and origins', () => {
  const env = {
    SYMBOL: 'ETH/USDT', TIMEFRAME: '4h', MIN_CONFIDENCE_FOR_TRADE: '0.7', STOP_LOSS_PERCENT: '0.06',
    TAKE_PROFIT_PERCENT: '0.04', MAX_POSITION_SIZE: '0.5',
  }
  const at = ({ scenario, origins }: Resolution, key: string): unknown =>
    [(scenario.policy as unknown as Record<string, unknown>)[key], origins.get(`policy.${key}`)]

  it('the command line goes over all', async () => {
    const found = await resolve({ ...minimal, strategy: { name: 'buy-and-hold' }, policy: { positionSize: 0.3 } }, env,
      { 'policy.positionSize': 0.2 })
    expect(at(found, 'positionSize')).toEqual([0.2, 'command line'])
  })

  it('the scenario goes over the strategy’s policy', async () => {
    const found = await resolve({ ...minimal, strategy: { name: 'buy-and-hold' }, policy: { positionSize: 0.3 } }, env)
    expect(at(found, 'positionSize')).toEqual([0.3, 'scenario'])
  })

  it('the strategy’s policy goes over the environment, also where it says none', async () => {
    const found = await resolve({ ...minimal, strategy: { name: 'buy-and-hold' } }, env)
    expect(at(found, 'positionSize')).toEqual([1, 'strategy buy-and-hold'])
    expect(at(found, 'stopLoss')).toEqual([null, 'strategy buy-and-hold'])
  })

  it('the environment goes over the defaults', async () => {
    const found = await resolve({ ...minimal, symbol: undefined, timeframe: undefined }, env)
    expect(found.scenario).toMatchObject({
      symbols: ['ETH/USDT'], timeframe: '4h',
      policy: { minConfidence: 0.7, stopLoss: 0.06, takeProfit: 0.04, positionSize: 0.5 },
    })
    expect(at(found, 'stopLoss')).toEqual([0.06, 'environment STOP_LOSS_PERCENT'])
    expect(found.origins.get('symbols')).toBe('environment SYMBOL')
    expect(found.origins.get('timeframe')).toBe('environment TIMEFRAME')
    expect(at(found, 'maxHold')).toEqual([null, 'default'])
  })

  it('the scenario’s symbol and timeframe go over the environment’s', async () => {
    const { scenario, origins } = await resolve(minimal, env)
    expect(scenario).toMatchObject({ symbols: ['BTC/USDT'], timeframe: '1h' })
    expect([origins.get('symbols'), origins.get('timeframe')]).toEqual(['scenario', 'scenario'])
  })

  it('every value of the scenario has an origin', async () => {
    const { scenario, origins } = await resolve({
      ...minimal, broker: { fees: { taker: 0 } }, instrument: { tickSize: 0.1 },
      strategy: { name: 'sma-cross', params: { fast: 5 } },
    }, {}, { 'strategy.params.slow': 30, seed: 4, 'market.from': '2024-01-01' })
    const walk = (value: unknown, path: string): string[] =>
      typeof value !== 'object' || value === null || Array.isArray(value) ? [path]
        : Object.entries(value)
          .flatMap(([key, inner]) => walk(inner, key === 'options' ? path : path === '' ? key : `${path}.${key}`))
    for (const path of walk(scenario, '')) {
      const steps = path.split('.')
      expect(steps.some((_, index) => origins.has(steps.slice(0, steps.length - index).join('.'))), path).toBe(true)
    }
    expect(Object.fromEntries(['name', 'seed', 'audit', 'market.source', 'market.file', 'market.from', 'market.gaps',
      'broker.name', 'broker.cash',
      'broker.fees.taker', 'broker.fees.maker', 'instruments.BTC/USDT', 'strategy.params.fast', 'strategy.params.slow',
      'strategy.params.rsiMax',
      'providers'].map((path) => [path, origins.get(path)]))).toEqual({
      name: 'scenario', seed: 'command line', audit: 'default', 'market.source': 'default', 'market.file': 'scenario',
      'market.from': 'command line',
      'market.gaps': 'default', 'broker.name': 'default', 'broker.cash': 'default', 'broker.fees.taker': 'scenario',
      'broker.fees.maker': 'default',
      'instruments.BTC/USDT': 'scenario', 'strategy.params.fast': 'scenario', 'strategy.params.slow': 'command line',
      'strategy.params.rsiMax': 'default', providers: 'default',
    })
  })
})

describe('confidence thresholds', () => {
  const costs = (taker: number, slippageBps: number): object => ({ broker: { fees: { taker }, slippageBps } })

  it.each<[string, object, number | string, number]>([
    ['the defaults', {}, 'breakeven', (0.05 + 0.003) / 0.08],
    ['no slippage: the published 65 %', costs(0.001, 0), 'breakeven', 0.65],
    ['no costs: the base rate', costs(0, 0), 'breakeven', 0.625],
    ['an addition', costs(0.001, 0), 'breakeven+0.02', 0.67],
    ['a subtraction with spaces', costs(0.001, 0), 'breakeven - 0.05', 0.6],
    ['a number', {}, 0.55, 0.55],
  ])('from break-even with %s', async (_, broker, minConfidence, expected) => {
    const { scenario } = await resolve({ ...minimal, ...broker, policy: { minConfidence } })
    expect(scenario.policy.minConfidence).toBeCloseTo(expected, 12)
  })

  it('follow the stop and target of every origin', async () => {
    const { scenario } = await resolve({ ...minimal, ...costs(0, 0), policy: { minConfidence: 'breakeven' } },
      { TAKE_PROFIT_PERCENT: '0.05' })
    expect(scenario.policy.minConfidence).toBe(0.5)
    const flagged = await resolve({ ...minimal, ...costs(0, 0), policy: { minConfidence: 'breakeven' } }, {},
      { 'policy.stopLoss': 0.01 })
    expect(flagged.scenario.policy.minConfidence).toBe(0.25)
  })

  it('are the same for exits unless said otherwise', async () => {
    const follows = await resolve({ ...minimal, policy: { minConfidence: 0.8 } })
    expect([follows.scenario.policy.minExitConfidence, follows.origins.get('policy.minExitConfidence')])
      .toEqual([0.8, 'derived'])
    const own = await resolve({ ...minimal, policy: { minConfidence: 0.8, minExitConfidence: 0 } })
    expect([own.scenario.policy.minExitConfidence, own.origins.get('policy.minExitConfidence')])
      .toEqual([0, 'scenario'])
    const computed = await resolve({ ...minimal, ...costs(0, 0),
      policy: { minConfidence: 0.8, minExitConfidence: 'breakeven-0.1' } })
    expect(computed.scenario.policy.minExitConfidence).toBeCloseTo(0.525, 12)
  })

  it('are refused without stop or target, and outside 0 … 1', async () => {
    const refuse = (policy: object): Promise<unknown> => resolve({ ...minimal, policy })
      .catch((error: unknown) => error)
    expect(await refuse({ minConfidence: 'breakeven', takeProfit: null }))
      .toMatchObject({ code: 'TD_SCENARIO_INVALID' })
    expect(await refuse({ minExitConfidence: 'breakeven+0.9' })).toMatchObject({ code: 'TD_SCENARIO_INVALID' })
    expect(String(await refuse({ minExitConfidence: 'breakeven-0.9' })))
      .toContain('policy.minExitConfidence: "breakeven-0.9" comes to -0.2375')
  })
})

describe('round-trip costs', () => {
  it('are those of both sides at the taker’s fee, with slippage', () => {
    expect(costsOf({ fees: { maker: 0, taker: 0.001 }, slippageBps: 5 })).toBeCloseTo(0.003, 15)
  })

  it('are 0 for a broker that has none', () => {
    expect(costsOf({})).toBe(0)
  })
})
