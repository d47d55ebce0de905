import { mkdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { ErrorCode } from '../../engine/errors.ts'
import { expectRefusal, sample, scenario, workspace } from '../support/cli.ts'
import { candlesFrom, csvOf, MONDAY } from '../support/tape-files.ts'

type Says = readonly (string | RegExp)[]

/** Runs with `--json`, so that an empty stdout is checked as well. */
const refuses = (
  file: string, content: string | object, code: ErrorCode, says: Says, ...flags: string[]
): Promise<string> => {
  const here = workspace()
  here.put(file, content)
  return here.refuses(['backtest', file, '--json', ...flags], code, [file, ...says])
}

describe.concurrent('a scenario file', () => {
  it('has to be there', async () => {
    const here = workspace()
    const says = ['nope.yaml: the scenario cannot be read: there is no such file', here.path('nope.yaml')]
    for (const command of ['backtest', 'config']) {
      await here.refuses([command, 'nope.yaml', '--json'], 'TD_SCENARIO_MISSING', says)
    }
    mkdirSync(here.path('folder.yaml'))
    await here.refuses(['backtest', 'folder.yaml', '--json'], 'TD_SCENARIO_MISSING', ['folder.yaml', 'EISDIR'])
  })

  it.each<[string, string, Says]>([
    ['is empty', '', ['got an empty file', 'name, market and strategy']],
    ['is a sentence', 'buy low, sell high\n', ['got only "buy low, sell high"']],
    ['is not YAML', 'name: [a, b\n', ['not valid YAML', 'line 2, column 1']],
    ['is indented by tabs', 'name: x\nmarket:\n\tfile: a.csv\n', ['not valid YAML', 'Tabs', 'line 3']],
  ])('that %s is refused', async (_, text, says) => {
    await refuses('s.yaml', text, 'TD_SCENARIO_INVALID', says)
  })
})

describe.concurrent('an unknown key', () => {
  it.each<[string, object, ErrorCode, Says]>([
    ['at the top', { symbl: 'BTC/USDT' }, 'TD_SCENARIO_INVALID', ['unknown key "symbl"', 'Did you mean "symbol"?']],
    ['in market', { market: { file: sample, gap: 'fill' } }, 'TD_PLUGIN_OPTIONS',
      ['market: unknown key "gap"', 'Did you mean "gaps"?']],
    ['in broker', { broker: { name: 'paper', slipageBps: 3 } }, 'TD_PLUGIN_OPTIONS',
      ['broker: unknown key "slipageBps"', 'Did you mean "slippageBps"?']],
    ['in broker.fees', { broker: { fees: { takr: 0 } } }, 'TD_PLUGIN_OPTIONS',
      ['broker.fees: unknown key "takr"', 'Did you mean "taker"?']],
    ['in instrument', { instrument: { ticksize: 1 } }, 'TD_SCENARIO_INVALID',
      ['instrument: unknown key "ticksize"', 'Did you mean "tickSize"?']],
    ['in instruments', { instruments: { 'BTC/USDT': { lot: 1 } } }, 'TD_SCENARIO_INVALID',
      ['instruments.BTC/USDT: unknown key "lot"']],
    ['in strategy', { strategy: { name: 'sma-cross', parms: {} } }, 'TD_SCENARIO_INVALID',
      ['strategy: unknown key "parms"', 'Did you mean "params"?']],
    ['in strategy.params', { strategy: { name: 'sma-cross', params: { fats: 5 } } }, 'TD_PLUGIN_OPTIONS',
      ['strategy.params: unknown key "fats"', 'Did you mean "fast"?']],
    ['in policy', { policy: { stoploss: 0.05 } }, 'TD_SCENARIO_INVALID',
      ['policy: unknown key "stoploss"', 'Did you mean "stopLoss"?']],
    ['of a provider', { providers: [{ name: 'technical', temperature: 1 }] }, 'TD_PLUGIN_OPTIONS',
      ['providers.0: unknown key "temperature"']],
  ])('%s is refused', async (_, changes, code, says) => {
    await refuses('s.yaml', scenario(changes), code, says)
  })

  it('given by --set is refused with the flag', async () => {
    await refuses('s.yaml', scenario(), 'TD_SCENARIO_INVALID',
      ['policy: unknown key "stoploss"', 'Did you mean "stopLoss"?', '(given by --set)'],
      '--set', 'policy.stoploss=0.05')
  })

  it('does not hide another: each has its line', async () => {
    const here = workspace()
    here.put('s.yaml', scenario({ polcy: {}, policy: { stoploss: 1, positionSize: 3 } }))
    const { stderr, stdout, code } = await here.run(['backtest', 's.yaml', '--json'])
    expect(stderr.trimEnd().split('\n')).toHaveLength(3)
    for (const line of stderr.trimEnd().split('\n')) {
      expect(line).toMatch(/^tapedeck: s\.yaml: .+ \[TD_SCENARIO_INVALID\]$/)
    }
    for (const part of ['"polcy"', '"stoploss"', 'policy.positionSize: expected a share']) {
      expect(stderr).toContain(part)
    }
    expect({ stdout, code }).toEqual({ stdout: '', code: 2 })
  })
})

describe.concurrent('an unknown name', () => {
  it.each<[string, object, Says]>([
    ['strategy', { strategy: { name: 'sma-cros' } },
      ['strategy.name: unknown strategy "sma-cros"', 'autonomous-scalper, sma-cross', 'Did you mean "sma-cross"?']],
    ['market', { market: { source: 'candle-reply' } },
      ['market.source: unknown market plugin "candle-reply"', 'Did you mean "candle-replay"?']],
    ['broker', { broker: { name: 'papr' } }, ['broker.name: unknown broker plugin "papr"', 'Did you mean "paper"?']],
    ['provider', { providers: ['technicl'] },
      ['providers.0: unknown provider plugin "technicl"', 'Did you mean "technical"?']],
  ])('of a %s is refused', async (_, changes, says) => {
    await refuses('s.yaml', scenario(changes), 'TD_PLUGIN_UNKNOWN', says)
  })
})

describe.concurrent('an impossible value', () => {
  it.each<[string, ErrorCode, Says]>([
    ['--min-confidence=1.7', 'TD_SCENARIO_INVALID', ['policy.minConfidence: expected a number from 0 to 1', 'got 1.7']],
    ['--stop-loss=-3', 'TD_SCENARIO_INVALID', ['policy.stopLoss', '0.05 means 5 %', 'got -3']],
    ['--stop-loss=5', 'TD_SCENARIO_INVALID', ['policy.stopLoss', '0.05 means 5 %', 'got 5']],
    ['--position-size=2', 'TD_SCENARIO_INVALID', ['policy.positionSize', 'up to 1', 'got 2']],
    ['--audit=some', 'TD_SCENARIO_INVALID', ['audit: expected full, trades or off', 'got "some"']],
    ['--from=yesterday', 'TD_PLUGIN_OPTIONS', ['market.from', 'YYYY-MM-DD', 'got "yesterday"']],
  ])('%s is refused and names the flag', async (flag, code, says) => {
    await refuses('s.yaml', scenario(), code, [...says, `(given by ${flag.split('=')[0]})`],
      ...flag.split(/=(.*)/s).slice(0, 2))
  })

  it.each<[string, object, ErrorCode, Says]>([
    ['an end before the start', { market: { file: sample, from: '2024-03-01', to: '2024-02-01' } }, 'TD_RANGE_INVALID',
      ['"to" (2024-02-01T00:00:00.000Z) must be later than "from" (2024-03-01']],
    ['fills on a timeframe that does not divide', { timeframe: '4h', broker: { fillTimeframe: '3m' } },
      'TD_RANGE_INVALID', ['do not add up to 3m candles']],
    ['fills on made-up candles', { market: { source: 'synthetic' }, broker: { fillTimeframe: '1m' } },
      'TD_PLUGIN_OPTIONS', ['no 1m candles']],
    ['candles that are coarser than the decisions', { timeframe: '30m' }, 'TD_RANGE_INVALID',
      ['holds 1h candles', '30m']],
    ['a candle file that is missing', { market: { file: 'data/nope.csv' } }, 'TD_FILE_MISSING',
      ['"data/nope.csv" does not exist']],
    ['a pattern that matches nothing', { market: { file: 'data/*.csv' } }, 'TD_FILE_MISSING',
      ['no candle file matches "data/*.csv"']],
    ['a symbol without a file',
      { symbol: undefined, symbols: ['BTC/USDT', 'ETH/USDT'], market: { files: { 'BTC/USDT': sample } } },
      'TD_FILE_MISSING',
      ['no candle file for ETH/USDT, only for BTC/USDT']],
    ['one series for two symbols', { symbol: undefined, symbols: ['BTC/USDT', 'ETH/USDT'] }, 'TD_PLUGIN_OPTIONS',
      ['one series for BTC/USDT, ETH/USDT']],
  ])('%s is refused', async (_, changes, code, says) => {
    await refuses('s.yaml', scenario(changes), code, says)
  })
})

describe.concurrent('a mistake in one of several scenarios', () => {
  it('or in all of them together: the same run twice would replace its own result', async () => {
    const here = workspace()
    here.put('a.yaml', scenario())
    here.put('b.yaml', scenario())
    await here.refuses(['backtest', 'a.yaml', 'b.yaml', '--json'], 'TD_USAGE', ['the same run, tested-', '--out'])
    await here.refuses(['backtest', 'a.yaml', './a.yaml', '--json'], 'TD_USAGE', ['the same run, tested-'])
  })

  it('is found before the first of them runs', async () => {
    const here = workspace()
    here.put('good.yaml', scenario())
    here.put('bad.yaml', scenario({ policy: { stopLoss: 5 } }))
    await here.refuses(['backtest', 'good.yaml', 'bad.yaml', '--json'], 'TD_SCENARIO_INVALID',
      ['bad.yaml: policy.stopLoss'])
  })
})

describe.concurrent('an older run of the same id', () => {
  it('stays as it is when the new one fails', async () => {
    const here = workspace()
    here.put('t.csv', csvOf(candlesFrom(MONDAY, 100, '1h')))
    here.put('s.yaml', scenario({ market: { file: 't.csv' } }))
    const { run } = await here.json(['backtest', 's.yaml'])
    here.put('t.csv', csvOf(candlesFrom(MONDAY, 100, '1h')).replace(/\n$/, ',\n'))
    const before = here.tree()
    const outcome = await here.run(['backtest', 's.yaml', '--json'])
    expectRefusal(outcome, 'TD_CANDLE_INVALID', ['t.csv, row 101'])
    expect(here.tree()).toEqual(before)
    expect(here.list('runs')).toEqual([run])
  })
})
