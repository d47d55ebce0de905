import { describe, expect, it } from 'vitest'
import { registry } from '../../../engine/assemble.ts'
import { resolveScenario } from '../../../engine/config/resolve.ts'
import { blameFlags, loadScenario, type Override } from '../../../engine/config/scenario-file.ts'
import { scenarioSchema } from '../../../engine/config/scenario-schema.ts'
import { readSettings } from '../../../engine/config/settings.ts'
import { TapedeckError, type ErrorCode } from '../../../engine/errors.ts'
import { writeScenario } from '../../support/scenario-files.ts'

const scenario = (changes: object = {}): object => ({
  name: 's', symbol: 'BTC/USDT', timeframe: '1h', market: { file: 'a.csv' }, strategy: { name: 'sma-cross' },
  ...changes,
})

async function refusal(content: string | object, overrides: readonly Override[] = []): Promise<TapedeckError> {
  const path = writeScenario(content)
  try {
    await resolveScenario(loadScenario(path, overrides), readSettings({}), registry)
  } catch (error) {
    const blamed = blameFlags(error, path, overrides)
    if (!(blamed instanceof TapedeckError)) throw error
    expect(blamed.message.startsWith(`${path}: `)).toBe(true)
    return blamed
  }
  throw new Error('nothing was refused')
}

describe('a scenario', () => {
  it.each<[string, object, ErrorCode, readonly string[]]>([
    ['a name for a folder', { name: '../up' }, 'TD_SCENARIO_INVALID', ['name: expected letters, digits']],
    ['a symbol in small letters', { symbol: 'btcusdt' }, 'TD_SCENARIO_INVALID',
      ['symbol: expected BASE/QUOTE in capitals', 'got "btcusdt"']],
    ['symbol and symbols', { symbols: ['ETH/USDT'] }, 'TD_SCENARIO_INVALID', ['either symbol or symbols']],
    ['a symbol twice', { symbol: undefined, symbols: ['ETH/USDT', 'ETH/USDT'] }, 'TD_SCENARIO_INVALID',
      ['each symbol may be listed once']],
    ['a timeframe of seven hours', { timeframe: '7h' }, 'TD_SCENARIO_INVALID',
      ['timeframe: expected one of 1s, 5s', 'got "7h"']],
    ['no timeframe', { timeframe: undefined }, 'TD_SCENARIO_INVALID', ['timeframe is missing', 'TIMEFRAME']],
    ['no symbol', { symbol: undefined }, 'TD_SCENARIO_INVALID', ['symbol is missing', 'SYMBOL']],
    ['no strategy', { strategy: undefined }, 'TD_SCENARIO_INVALID', ['strategy: expected keys with values', 'missing']],
    ['a strategy that is only a name', { strategy: 'sma-cross' }, 'TD_SCENARIO_INVALID',
      ['strategy: expected keys with values, got "sma-cross"']],
    ['a parameter of another kind', { strategy: { name: 'sma-cross', params: { fast: 'quick' } } }, 'TD_PLUGIN_OPTIONS',
      ['strategy.params.fast: expected a number, got "quick"']],
    ['parameters that contradict each other', { strategy: { name: 'sma-cross', params: { fast: 30 } } },
      'TD_PLUGIN_OPTIONS',
      ['strategy.params.fast: fast must be smaller than slow', 'got 30']],
    ['a negative tick', { instrument: { tickSize: -1 } }, 'TD_SCENARIO_INVALID',
      ['instrument.tickSize: expected at least 0, got -1']],
    ['rules for a symbol that is none', { instruments: { btc: {} } }, 'TD_SCENARIO_INVALID',
      ['instruments.btc: expected BASE/QUOTE']],
    ['both kinds of rules', { instrument: {}, instruments: {} }, 'TD_SCENARIO_INVALID',
      ['either instrument', 'or instruments']],
    ['rules for a symbol that is not traded', { instruments: { 'BTC/USDC': {} } }, 'TD_SCENARIO_INVALID',
      ['instruments: "BTC/USDC" is not among the symbols', 'Did you mean "BTC/USDT"?']],
    ['technical rules that are not the last provider', { providers: ['technical', 'technical'] }, 'TD_SCENARIO_INVALID',
      ['technical always answers']],
    ['a notifier that there is not', { notify: { telegramm: {} } }, 'TD_PLUGIN_UNKNOWN', ['notify.telegramm', 'Did you mean "telegram"?']],
    ['an address in a scenario', { notify: { webhook: { url: 'http://x' } } }, 'TD_PLUGIN_OPTIONS', ['notify.webhook: unknown key "url"']],
    ['an event that there is not', { notify: [{ name: 'telegram', events: ['lunch'] }] }, 'TD_PLUGIN_OPTIONS', ['notify.0.events.0']],
    ['a notifier twice', { notify: ['telegram', { name: 'telegram' }] }, 'TD_SCENARIO_INVALID', ['notify.1: telegram is listed twice']],
    ['nobody to notify', { notify: [] }, 'TD_SCENARIO_INVALID', ['notify']],
    ['no provider', { providers: [] }, 'TD_SCENARIO_INVALID', ['providers: expected at least 1 entry']],
    ['a provider without a name', { providers: [{ model: 'x' }] }, 'TD_SCENARIO_INVALID',
      ['providers.0.name: expected a text (missing)']],
    ['a hold of no candle', { policy: { maxHold: 0 } }, 'TD_SCENARIO_INVALID',
      ['policy.maxHold: expected at least 1, got 0']],
    ['break-even without a stop', { policy: { minConfidence: 'breakeven', stopLoss: null } }, 'TD_SCENARIO_INVALID',
      ['needs both stopLoss and takeProfit']],
    ['a market without files', { market: {} }, 'TD_PLUGIN_OPTIONS', ['market', 'either "file"']],
    ['a number for a file', { market: { file: 3 } }, 'TD_PLUGIN_OPTIONS',
      ['market.file: expected a text or a list, got 3']],
    ['a policy for gaps that does not exist', { market: { file: 'a.csv', gaps: 'maybe' } }, 'TD_PLUGIN_OPTIONS',
      ['market.gaps: expected refuse, allow or fill, got "maybe"']],
    ['an unknown fill model', { broker: { fillModel: 'best' } }, 'TD_PLUGIN_OPTIONS',
      ['broker.fillModel: expected conservative, open-on-gap or optimistic']],
    ['no cash', { broker: { cash: 0 } }, 'TD_PLUGIN_OPTIONS', ['broker.cash: expected more than 0, got 0']],
  ])('with %s is refused', async (_, changes, code, says) => {
    const error = await refusal(scenario(changes))
    expect(error.code).toBe(code)
    for (const expected of says) expect(error.message).toContain(expected)
    expect(error.message).not.toContain('\n')
  })

  it.each(['7', '"text"', '[1, 2]', 'true'])('that is only %s is refused', async (text) => {
    expect((await refusal(text)).message).toMatch(/expected keys such as name, market and strategy, got /)
  })

  it('keeps where it is wrong in a broken file, and the cause', async () => {
    const error = await refusal('name: x\npolicy: { stopLoss: 0.05\n')
    expect(error.message).toMatch(/: not valid YAML: .+ at line 3, column 1$/)
    expect(error.cause).toBeInstanceOf(Error)
  })

  it('may hold a description and the schema of its own', () => {
    expect(scenarioSchema.safeParse(scenario({ $schema: './scenario.schema.json', description: 'an idea' })).success)
      .toBe(true)
  })

  it.each(['breakeven', 'breakeven+0.02', 'breakeven-.01', 'breakeven + 0.1', 0, 1, 0.5])('takes %j as a confidence',
    (minConfidence) => {
    expect(scenarioSchema.safeParse(scenario({ policy: { minConfidence } })).success).toBe(true)
  })

  it.each(['breakeven+2', 'breakeven+2%', 'breakeven*1.1', 'break-even', '0.6', -0.1, 1.1, null,
    true])('does not take %j as a confidence', (minConfidence) => {
    expect(scenarioSchema.safeParse(scenario({ policy: { minConfidence } })).success).toBe(false)
  })

  it.each(['a', 'demo', 'A.b-c_1', '0'])('may be named %s', (name) => {
    expect(scenarioSchema.safeParse(scenario({ name })).success).toBe(true)
  })

  it.each(['', '.', '..', '.hidden', 'a/b', 'a b', 'a\\b', '-x', 'a'.repeat(81), 'nämlich'])('may not be named %j',
    (name) => {
    expect(scenarioSchema.safeParse(scenario({ name })).success).toBe(false)
  })
})

describe('overrides', () => {
  const override = (path: string, value: unknown, flag = '--set'): Override => ({ path, value, flag })
  const load = (content: object, ...overrides: Override[]) => loadScenario(writeScenario(content), overrides)

  it('change a key, add one, and make the blocks on the way', () => {
    const { input, overridden } = load(scenario(), override('timeframe', '4h'), override('policy.stopLoss', null),
      override('strategy.params.fast', 5))
    expect(input).toMatchObject({ timeframe: '4h', policy: { stopLoss: null },
      strategy: { name: 'sma-cross', params: { fast: 5 } } })
    expect([...overridden]).toEqual(['timeframe', 'policy.stopLoss', 'strategy.params.fast'])
  })

  it('reach into lists', () => {
    const { input } = load(scenario({ providers: ['technical'] }), override('providers.0', { name: 'technical' }))
    expect(input.providers).toEqual([{ name: 'technical' }])
  })

  it('never reach a prototype', async () => {
    for (const path of ['__proto__.polluted', 'policy.__proto__.polluted', '__proto__']) {
      expect(() => load(scenario(), override(path, true)))
        .toThrow(expect.objectContaining({ code: 'TD_USAGE' }) as Error)
    }
    expect((await refusal(scenario(), [override('constructor.prototype.polluted', true)])).message)
      .toContain('unknown key "constructor"')
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })

  it('are blamed for what they broke, and only for that', async () => {
    const flags = [override('policy.stopLoss', 5, '--stop-loss'), override('policy.maxHold', 3),
      override('market.fromm', 1)]
    const error = await refusal(scenario({ policy: { takeProfit: -1 } }), flags)
    const blamed = error.message.split('\n')
      .map((line) => /policy\.(\w+): .+?( \(given by .+\))?$/.exec(line)?.slice(1))
    expect(blamed).toEqual(expect.arrayContaining([['stopLoss', ' (given by --stop-loss)'], ['takeProfit', undefined]]))
    const unknown = await refusal(scenario(), [override('policy.stoploss', 5)])
    expect(unknown.message).toMatch(/policy: unknown key "stoploss"\. Did you mean "stopLoss"\? \(given by --set\)$/)
    const name = await refusal(scenario(), [override('strategy.name', 'none')])
    expect(name.message).toMatch(/strategy\.name: unknown strategy "none".+\(given by --set\)$/)
  })

  it('leave errors alone that are not theirs', () => {
    const other = new Error('something else')
    expect(blameFlags(other, 's.yaml', [override('policy.stopLoss', 5)])).toBe(other)
  })
})
