import { describe, expect, it } from 'vitest'
import { version } from '../../engine/version.ts'
import { strategies } from '../../strategies/index.ts'
import { plugins } from '../../plugins/index.ts'
import { workspace } from '../support/cli.ts'

const COMMANDS = ['backtest', 'data', 'strategies', 'plugins', 'config', 'check']

describe.concurrent('tapedeck', () => {
  it.each([['--version'], ['-v'], ['--version', 'strategies'], ['strategies', '--version']])('%s %s prints the version',
    async (...args) => {
    const { stdout, stderr, code } = await workspace().run(args.filter((arg) => typeof arg === 'string'))
    expect({ stdout, stderr, code }).toEqual({ stdout: `${version()}\n`, stderr: '', code: 0 })
  })

  it.each([['--help'], ['-h'], ['help']])('%s lists the commands', async (flag) => {
    const { stdout } = await workspace().succeeds([flag])
    for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^  tapedeck ${command}\\b`, 'm'))
  })

  it('is in English everywhere, mistakes included', async () => {
    const here = workspace()
    const german = { LANG: 'de_DE.UTF-8', LC_ALL: 'de_DE.UTF-8' }
    expect((await here.succeeds(['--help'], german)).stdout).toContain('Commands:')
    await here.refuses(['bakctest'], 'TD_USAGE', ['unknown command "bakctest"', 'Did you mean "backtest"?'], german)
  })

  it.each([
    ['backtest', ['--from', '--to', '--min-confidence', '--stop-loss', '--take-profit', '--position-size', '--set',
      '--json', '--out',
      '--no-report', '--audit', '--bounds']],
    ['data verify', ['--from', '--to', '--gaps', '--duplicates', '--timeframe', '--json']],
    ['data synth', ['--output', '--seed', '--candles', '--timeframe', '--from', '--json']],
    ['config', ['--json', '--schema', '--set']],
    ['check', ['--file', '--timeframe', '--set', '--candles', '--cuts', '--json']],
  ])('%s --help shows every flag, no line wider than 100', async (command, flags) => {
    const { stdout } = await workspace().succeeds([...command.split(' '), '--help'])
    for (const flag of flags) expect(stdout).toMatch(new RegExp(`^ +(-\\w, )?${flag} `, 'm'))
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(100)
  })

  it.each<[string, string[], (string | RegExp)[]]>([
    ['no command', [], ['name a command', 'backtest', '`tapedeck --help`']],
    ['a misspelt command', ['bakctest', 'x.yaml'], ['unknown command "bakctest"', 'Did you mean "backtest"?']],
    ['data without a command', ['data'], ['data: name a command', 'verify', 'import', 'resample', 'synth']],
    ['a misspelt command of data', ['data', 'verfy', 'x.csv'],
      ['unknown command "verfy"', 'Did you mean "verify"?', '`tapedeck data --help`']],
    ['a misspelt flag', ['backtest', 'x.yaml', '--stop-los', '0.03'],
      ['unknown flag --stop-los.', 'Did you mean "--stop-loss"?']],
    ['a flag of another command', ['strategies', '--stop-loss', '0.03'],
      ['unknown flag --stop-loss.', '`tapedeck strategies --help`']],
    ['a misspelt flag before what is missing', ['data', 'synth', '--ouput', 'x.csv'],
      ['unknown flag --ouput', 'Did you mean "--output"?']],
    ['a negated flag that has no negation', ['backtest', 'x.yaml', '--no-out'], ['unknown flag --no-out']],
    ['one word too many', ['strategies', 'all'], ['strategies: unexpected "all"']],
    ['no scenario', ['backtest', '--json'], ['backtest: the scenario is missing', '`tapedeck backtest --help`']],
    ['no output', ['data', 'import', 'x.csv'], ['data import: --output is missing']],
    ['a flag without its value', ['backtest', 'x.yaml', '--stop-loss'], ['--stop-loss needs a value']],
    ['an empty value', ['backtest', 'x.yaml', '--stop-loss='], ['--stop-loss: the value is empty']],
    ['--set without a value', ['backtest', 'x.yaml', '--set'], ['--set needs a value']],
    ['--set with an empty value', ['backtest', 'x.yaml', '--set', 'policy.stopLoss='],
      ['--set policy.stopLoss=: the value is empty; write null']],
    ['a flag given twice', ['backtest', 'x.yaml', '--stop-loss', '0.03', '--stop-loss', '0.04'],
      ['--stop-loss is given more than once']],
    ['an impossible choice', ['data', 'verify', 'x.csv', '--gaps', 'ignore'],
      ['--gaps: expected refuse, allow or fill, got "ignore"']],
    ['a strange timeframe', ['data', 'synth', '--output', 'x.csv', '--timeframe', '7h'],
      ['--timeframe 7h: expected one of 1s, 5s']],
    ['a word for a number', ['data', 'synth', '--output', 'x.csv', '--candles', 'many'],
      ['--candles: expected a whole number from 1']],
    ['a negative seed', ['data', 'synth', '--output', 'x.csv', '--seed', '-1'],
      ['--seed: expected a whole number from 0, got -1']],
    ['an output of another kind', ['data', 'synth', '--output', 'x.txt'],
      ['--output x.txt: expected a name ending in .csv or .csv.gz']],
  ])('refuses %s', async (_, args, says) => {
    await workspace().refuses(args, 'TD_USAGE', says)
  })
})

describe.concurrent('listings', () => {
  it('show every strategy with its parameters and defaults', async () => {
    const here = workspace()
    const { stdout } = await here.succeeds(['strategies'])
    for (const name of Object.keys(strategies)) expect(stdout).toMatch(new RegExp(`^${name}$`, 'm'))
    expect(stdout).toMatch(/^ {4}fast {2,}integer = 9$/m)
    const list = await here.json<{ name: string; warmup: number; params: Record<string,
      { type: string; default: unknown }> }[]>(['strategies'])
    expect(list.map(({ name }) => name)).toEqual(Object.keys(strategies))
    expect(list.find(({ name }) => name === 'sma-cross'))
      .toMatchObject({ warmup: 21, params: { slow: { type: 'integer', default: 21 } } })
  })

  it('show every plugin with its options and defaults', async () => {
    const here = workspace()
    const known = Object.entries(plugins)
      .flatMap(([kind, names]) => Object.keys(names).map((name) => `${kind} ${name}`))
    const { stdout } = await here.succeeds(['plugins'])
    for (const name of known) expect(stdout).toMatch(new RegExp(`^${name}$`, 'm'))
    expect(stdout).toMatch(/^ {4}fees\.taker +number = 0\.001/m)
    expect(stdout).toMatch(/^ {4}gaps +refuse \| allow \| fill = "refuse"/m)
    expect(stdout).not.toMatch(/\bany\b.*\|/)
    const list = await here.json<{ kind: string; name: string; options: Record<string, unknown> }[]>(['plugins'])
    expect(list.map(({ kind, name }) => `${kind} ${name}`)).toEqual(known)
  })
})

describe.concurrent('check', () => {
  it('finds that the bundled strategies neither look ahead nor start too early', async () => {
    const here = workspace()
    const { stdout } = await here.succeeds(['check', 'autonomous-scalper', '--candles', '800'])
    expect(stdout).toMatch(/^autonomous-scalper: 800 candles, warm-up 280, 8 starts and 8 ends, [\d,]+ decisions/m)
    expect(stdout.match(/later start: steady; {2}earlier end: steady/g)).toHaveLength(6)
    const cross = await here.json<{ passed: boolean; shortWarmup: string; movements: { name: string }[] }>(
      ['check', 'sma-cross', '--candles', '300', '--cuts', '3', '--set', 'fast=5', '--set', 'slow=12', '--timeframe',
        '4h'])
    expect(cross.passed).toBe(true)
    expect(cross.shortWarmup).toContain('published reference tables')
    expect(cross.movements.map(({ name }) => name)).toEqual(['rsi', 'ma_short', 'ma_long', 'action', 'confidence'])
  })

  it('refuses what it cannot check', async () => {
    const here = workspace()
    await here.refuses(['check', 'sma-cros', '--json'], 'TD_PLUGIN_UNKNOWN',
      ['unknown strategy "sma-cros"', 'Did you mean "sma-cross"?'])
    await here.refuses(['check', 'sma-cross', '--json', '--set', 'fats=5'], 'TD_PLUGIN_OPTIONS',
      ['--set: unknown key "fats"', 'Did you mean "fast"?'])
    await here.refuses(['check', 'sma-cross', '--json', '--set', 'fast=50'], 'TD_PLUGIN_OPTIONS',
      ['fast must be smaller than slow, got 50'])
    await here.refuses(['check', 'sma-cross', '--json', '--file', 'nope.csv'], 'TD_FILE_MISSING',
      ['"nope.csv" does not exist'])
    await here.refuses(['check', 'autonomous-scalper', '--json', '--candles', '100'], 'TD_TAPE_EMPTY',
      ['100 candles', 'warm-up of 280', '--candles'])
  })
})
