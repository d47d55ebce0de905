import { mkdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { scenario, workspace, type Variables, type Workspace } from '../support/cli.ts'

interface Config {
  readonly settings: readonly { readonly name: string; readonly value: unknown; readonly origin: string }[]
  readonly secrets: Readonly<Record<string, string>>
  readonly scenario: readonly { readonly path: string; readonly value: unknown; readonly origin: string }[]
  readonly breakEven: Readonly<Record<string, number | boolean>> | null
}

const config = (here: Workspace, args: readonly string[], env: Variables = {}): Promise<Config> =>
  here.json<Config>(['config', ...args], env)
const settingOf = ({ settings }: Config, name: string): unknown[] => settings.filter((one) => one.name === name)
  .map(({ value, origin }) => [value, origin])[0]
const valueOf = (found: Config, path: string): unknown[] => found.scenario.filter((one) => one.path === path)
  .map(({ value, origin }) => [value, origin])[0]

describe.concurrent('tapedeck config', () => {
  it('shows each setting with its default', async () => {
    const here = workspace()
    const found = await config(here, [])
    expect(Object.fromEntries(found.settings.map(({ name, value, origin }) => [name, [value, origin]]))).toEqual({
      SYMBOL: [null, 'not set'], TIMEFRAME: [null, 'not set'], MIN_CONFIDENCE_FOR_TRADE: [0.6, 'default'],
      STOP_LOSS_PERCENT: [0.05, 'default'],
      TAKE_PROFIT_PERCENT: [0.03, 'default'], MAX_POSITION_SIZE: [0.02, 'default'], CHECK_INTERVAL: [60, 'default'],
      AUTONOMOUS_MODE: [true, 'default'],
      ENABLE_BACKUP_APIS: [true, 'default'], BINANCE_ENV: ['testnet', 'default'], HOST: ['127.0.0.1', 'default'],
      PORT: [5000, 'default'],
    })
    expect(found.scenario).toEqual([])
    expect((await here.succeeds(['config'])).stdout).toMatch(/^STOP_LOSS_PERCENT +0\.05 +default$/m)
  })

  it('reads .env, and lets the environment go over it', async () => {
    const here = workspace()
    here.put('.env', '# mine\nSTOP_LOSS_PERCENT=0.04\nTAKE_PROFIT_PERCENT="0.02" # tight\nMAX_POSITION_SIZE=\n')
    const found = await config(here, [], { STOP_LOSS_PERCENT: '0.06' })
    expect(settingOf(found, 'STOP_LOSS_PERCENT')).toEqual([0.06, 'environment'])
    expect(settingOf(found, 'TAKE_PROFIT_PERCENT')).toEqual([0.02, 'environment'])
    expect(settingOf(found, 'MAX_POSITION_SIZE')).toEqual([0.02, 'default'])
  })

  it('masks secrets, wherever they come from', async () => {
    const here = workspace()
    here.put('.env', 'GEMINI_API_KEY=AIza-not-for-your-eyes-1a2b\nAPI_TOKEN=hush\n')
    const secret = { BINANCE_API_SECRET: 'neither-for-yours-9z8y' }
    for (const args of [['config'], ['config', '--json']]) {
      const { stdout, stderr } = await here.succeeds(args, secret)
      for (const part of ['not-for-your-eyes', 'neither-for-yours', 'hush']) expect(stdout + stderr).not.toContain(part)
    }
    expect((await config(here, [], secret)).secrets).toMatchObject({
      GEMINI_API_KEY: 'set, ends in …1a2b', API_TOKEN: 'set', BINANCE_API_SECRET: 'set, ends in …9z8y',
      OPENAI_API_KEY: 'not set',
    })
  })

  it('shows which of command line, scenario, strategy, environment and default won', async () => {
    const here = workspace()
    here.put('s.yaml', scenario({ strategy: { name: 'buy-and-hold' }, policy: { minConfidence: 0.8 } }))
    const env = { MIN_CONFIDENCE_FOR_TRADE: '0.7', MAX_POSITION_SIZE: '0.5', STOP_LOSS_PERCENT: '0.06',
      TAKE_PROFIT_PERCENT: '0.04' }
    const found = await config(here, ['s.yaml', '--stop-loss', '0.01', '--set', 'broker.cash=500'], env)
    expect(valueOf(found, 'policy.stopLoss')).toEqual([0.01, 'command line'])
    expect(valueOf(found, 'broker.cash')).toEqual([500, 'command line'])
    expect(valueOf(found, 'policy.minConfidence')).toEqual([0.8, 'scenario'])
    expect(valueOf(found, 'policy.minExitConfidence')).toEqual([0.8, 'derived'])
    expect(valueOf(found, 'policy.positionSize')).toEqual([1, 'strategy buy-and-hold'])
    expect(valueOf(found, 'policy.takeProfit')).toEqual([null, 'strategy buy-and-hold'])
    expect(valueOf(found, 'policy.maxHold')).toEqual([null, 'default'])
    expect(valueOf(found, 'market.gaps')).toEqual(['refuse', 'default'])
    const crossing = await config(here, ['s.yaml', '--set', 'strategy.name=sma-cross'], env)
    expect(valueOf(crossing, 'policy.stopLoss')).toEqual([0.06, 'environment STOP_LOSS_PERCENT'])
    expect(valueOf(crossing, 'policy.positionSize')).toEqual([0.5, 'environment MAX_POSITION_SIZE'])
    expect(valueOf(crossing, 'strategy.name')).toEqual(['sma-cross', 'command line'])
    expect(valueOf(crossing, 'strategy.params.fast')).toEqual([9, 'default'])
  })

  it('what it shows is what a run uses', async () => {
    const here = workspace()
    here.put('s.yaml', scenario({ symbol: undefined, timeframe: undefined, policy: undefined }))
    const env = { SYMBOL: 'BTC/USDT', TIMEFRAME: '4h', MIN_CONFIDENCE_FOR_TRADE: '0.9', STOP_LOSS_PERCENT: '0.06' }
    const { scenario: resolved } = await here.json(['backtest', 's.yaml', '--no-report'], env)
    expect(resolved).toMatchObject({ symbols: ['BTC/USDT'], timeframe: '4h',
      policy: { minConfidence: 0.9, stopLoss: 0.06, takeProfit: 0.03 } })
    const found = await config(here, ['s.yaml'], env)
    expect(valueOf(found, 'symbols')).toEqual([['BTC/USDT'], 'environment SYMBOL'])
    expect(valueOf(found, 'timeframe')).toEqual(['4h', 'environment TIMEFRAME'])
  })

  it('tells base rate, break-even and threshold, and warns below break-even', async () => {
    const here = workspace()
    here.put('s.yaml', scenario({ policy: {}, broker: { slippageBps: 0 } }))
    const { stdout, stderr } = await here.succeeds(['config', 's.yaml'])
    expect(stdout).toContain('base rate 62.50 % · break-even 65.00 % · threshold 60.00 %')
    expect(stderr).toMatch(/^warning: the confidence threshold is below break-even$/m)
    expect((await config(here, ['s.yaml'])).breakEven)
      .toMatchObject({ baseRate: 0.625, breakEven: 0.65, minConfidence: 0.6, below: true })
    expect((await here.succeeds(['config', 's.yaml', '--min-confidence', 'breakeven'])).stderr).toBe('')
  })

  it('refuses to change a scenario that is not named', async () => {
    const here = workspace()
    await here.refuses(['config', '--stop-loss', '0.01', '--json'], 'TD_USAGE',
      ['--stop-loss changes a scenario, but none is named'])
    await here.refuses(['config', '--set', 'seed=3', '--json'], 'TD_USAGE',
      ['--set changes a scenario, but none is named'])
  })

  it('prints the JSON Schema of scenario files', async () => {
    const { stdout, stderr } = await workspace().succeeds(['config', '--schema'])
    expect(JSON.parse(stdout))
      .toMatchObject({ title: 'Tapedeck scenario', type: 'object', additionalProperties: false })
    expect(stderr).toBe('')
  })
})

describe.concurrent('a setting that is wrong', () => {
  it.each([
    ['STOP_LOSS_PERCENT', '5', '0.05 means 5 %'],
    ['TAKE_PROFIT_PERCENT', '3', '0.05 means 5 %'],
    ['MIN_CONFIDENCE_FOR_TRADE', '1.7', 'a number from 0 to 1'],
    ['SYMBOL', 'btcusdt', 'BTC/USDT'],
  ])('%s=%s is refused', async (name, value, expected) => {
    const here = workspace()
    here.put('s.yaml', scenario())
    await here.refuses(['backtest', 's.yaml', '--json'], 'TD_SETTING_INVALID', [`${name}=${value}: expected`, expected],
      { [name]: value })
  })

  it('is refused from .env and by config too', async () => {
    const here = workspace()
    here.put('.env', 'STOP_LOSS_PERCENT=5\n')
    await here.refuses(['config', '--json'], 'TD_SETTING_INVALID',
      ['STOP_LOSS_PERCENT=5: expected a fraction below 1: 0.05 means 5 %', '.env'])
  })

  it('does not hinder what needs no setting', async () => {
    await workspace().succeeds(['strategies'], { STOP_LOSS_PERCENT: '5' })
  })

  it('a .env that is no file is refused', async () => {
    const here = workspace()
    mkdirSync(here.path('.env'))
    await here.refuses(['config', '--json'], 'TD_SETTING_INVALID', ['.env: cannot be read', 'EISDIR'])
  })
})

describe.concurrent('what is in .env', () => {
  it('never ends up in what is written or printed', async () => {
    const here = workspace()
    const secrets = ['sk-open-0123456789abcdef', 'AIza-gem-0123456789abcdef', 'bin-key-0123456789abcdef',
      'bin-sec-0123456789abcdef', 'tok-0123456789abcdef']
    here.put('.env', ['OPENAI_API_KEY', 'GEMINI_API_KEY', 'BINANCE_API_KEY', 'BINANCE_API_SECRET', 'API_TOKEN']
      .map((name, index) => `${name}=${secrets[index]}`).join('\n'))
    here.put('s.yaml', scenario())
    const outcomes = [await here.run(['backtest', 's.yaml']),
      await here.run(['backtest', 's.yaml', '--json', '--set', 'policy.x=1']), await here.run(['config', 's.yaml'])]
    const said = outcomes.map(({ stdout, stderr }) => stdout + stderr).join('')
    const written = Object.keys(here.tree()).filter((name) => name !== '.env')
    expect(written).toHaveLength(6)
    for (const text of [said, ...written.map((name) => here.read(name))]) {
      for (const secret of secrets) expect(text.includes(secret)).toBe(false)
    }
  })
})
