import { describe, expect, it } from 'vitest'
import type { Command } from '../../../engine/cli/command.ts'
import { explain } from '../../../engine/cli/explain.ts'

const command = (line: string, subcommands: readonly Command<never>[] = []): Command<never> => ({
  command: line, describe: '', builder: (argv) => argv, handler: async () => 0, subcommands,
})
const COMMANDS = [command('backtest <scenario..>'), command('data', [command('verify <file..>'), command('synth')]),
  command('config [scenario]')]
const FLAGS = ['help', 'h', 'version', 'v', 'json', 'out', 'stop-loss', 'output', 'set']

const said = (args: string, message = ''): string =>
  explain(message, args === '' ? [] : args.split(' '), COMMANDS, FLAGS)

describe('a mistake on the command line', () => {
  it.each([
    ['', 'name a command: backtest, data or config. `tapedeck --help`'],
    ['--json', 'name a command: backtest, data or config. `tapedeck --help`'],
    ['frobnicate', 'unknown command "frobnicate". `tapedeck --help`'],
    ['bakctest a.yaml', 'unknown command "bakctest". Did you mean "backtest"? `tapedeck --help`'],
    ['data', 'data: name a command: verify or synth. `tapedeck data --help`'],
    ['data verfy', 'unknown command "verfy". Did you mean "verify"? `tapedeck data --help`'],
    ['data synth --ouput x', 'unknown flag --ouput. Did you mean "--output"? `tapedeck data synth --help`'],
    ['backtest --stoploss=1 --jsn',
      'unknown flag --stoploss. Did you mean "--stop-loss"? unknown flag --jsn. Did you mean "--json"?'],
    ['backtest -x', 'unknown flag -x. `tapedeck backtest --help`'],
    ['backtest --no-json', 'unknown flag --no-json.'],
    ['--jsn', 'unknown flag --jsn. Did you mean "--json"? `tapedeck --help`'],
  ])('in "%s" is explained', (args, expected) => {
    expect(said(args)).toContain(expected)
    expect(said(args)).toMatch(/ shows what there is\.$/)
  })

  it.each([
    ['backtest', 'Not enough non-option arguments: got 0, need at least 1', 'backtest: the scenario is missing.'],
    ['data verify', 'Not enough non-option arguments: got 0, need at least 1', 'data verify: the file is missing.'],
    ['data synth', 'Missing required argument: output', 'data synth: --output is missing.'],
    ['data synth', 'Missing required arguments: output, timeframe', 'data synth: --output, --timeframe are missing.'],
    ['backtest a --out', 'Not enough arguments following: out', 'backtest: --out needs a value.'],
    ['config a b', 'Unknown argument: b', 'config: unexpected "b".'],
    ['config a b c', 'Unknown arguments: b, c', 'config: unexpected "b", "c".'],
    ['data verify a', 'Invalid values:\n  Argument: gaps, Given: "x", Choices: "refuse", "allow", "fill"',
      '--gaps: expected refuse, allow or fill, got "x".'],
    ['data verify a', 'Something else\nover two lines', 'data verify: Something else over two lines'],
  ])('in "%s" that yargs calls "%s" is said in our words', (args, message, expected) => {
    expect(said(args, message)).toContain(expected)
    expect(said(args, message)).not.toContain('\n')
  })

  it('does not take a negative number, or what follows --, for a flag', () => {
    expect(said('backtest a --stop-loss -3 --out -.5', 'Unknown argument: x')).toContain('unexpected "x"')
    expect(said('backtest a -- --strange', 'Unknown argument: --strange')).toContain('unexpected "--strange"')
  })
})
