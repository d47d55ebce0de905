import yargs, { type Argv } from 'yargs'
import { TapedeckError } from '../errors.ts'
import { didYouMean } from '../suggest.ts'
import { version } from '../version.ts'
import { backtestCommand } from './backtest.ts'
import { checkCommand } from './check.ts'
import type { Command } from './command.ts'
import { configCommand } from './config.ts'
import { dataCommand } from './data.ts'
import { pluginsCommand, strategiesCommand } from './listings.ts'
import { Terminal } from './terminal.ts'

const KNOWN_FLAGS = [
  'from', 'to', 'min-confidence', 'stop-loss', 'take-profit', 'position-size', 'set', 'json', 'out', 'report', 'no-report', 'audit',
  'bounds', 'timeframe', 'gaps', 'duplicates', 'output', 'seed', 'candles', 'symbol', 'schema', 'help', 'version',
]
const commands = [backtestCommand, dataCommand, strategiesCommand, pluginsCommand, configCommand, checkCommand] as readonly Command<never>[]

/** Runs one command line and returns the exit code; every error becomes one clear message on stderr. */
export async function runProgram(args: readonly string[]): Promise<number> {
  const terminal = new Terminal()
  let code = 0
  // A reader that has seen enough (`| head`) is not an error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => { if (error.code !== 'EPIPE') throw error })
  const parser = yargs([...args])
    .scriptName('tapedeck')
    .usage('$0 <command>\n\nRehearse a trading strategy on tape before it trades live.')
    .parserConfiguration({ 'duplicate-arguments-array': false, 'boolean-negation': true })
    .version(version())
    .alias('h', 'help')
    .wrap(Math.min(100, process.stderr.columns ?? 100))
    .strict()
    .recommendCommands()
    .demandCommand(1, 'Name a command. `tapedeck --help` lists them.')
    .exitProcess(false)
    .fail((message, error) => {
      throw error ?? new TapedeckError('TD_USAGE', explain(message, args))
    })
  const register = (target: Argv, { command, describe, builder, handler, subcommands }: Command<never>): void => {
    target.command({
      command,
      describe,
      builder: (argv: Argv) => {
        for (const inner of subcommands ?? []) register(argv, inner)
        return builder(argv)
      },
      handler: async (argv) => {
        code = await handler(argv as never, terminal)
      },
    })
  }
  for (const command of commands) register(parser, command)
  try {
    await parser.parseAsync()
    return code
  } catch (error) {
    return terminal.fail(error)
  } finally {
    terminal.dispose()
  }
}

/** yargs names an unknown flag; the user is told which one was probably meant and where help is. */
function explain(message: string, args: readonly string[]): string {
  const [, unknown] = /^Unknown arguments?: (.+)$/.exec(message) ?? []
  const command = args.find((arg) => !arg.startsWith('-')) ?? ''
  const help = `\`tapedeck ${command === '' ? '' : `${command} `}--help\` shows what there is.`
  if (unknown === undefined) return `${message.replaceAll('\n', ' ')} ${help}`
  const words = [...new Set(unknown.split(', ').filter((word) => args.some((arg) => arg === word || arg.startsWith(`--${word}`))))]
  const hints = (words.length > 0 ? words : unknown.split(', ')).map((word) => `unknown argument "${word}".${didYouMean(word, KNOWN_FLAGS)}`)
  return `${hints.join(' ')} ${help}`
}
