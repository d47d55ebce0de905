import yargs, { type Argv } from 'yargs'
import { ERRORS, TapedeckError } from '../errors.ts'
import { version } from '../version.ts'
import { backtestCommand } from './backtest.ts'
import { checkCommand } from './check.ts'
import { closeCommand } from './close.ts'
import { compareCommand } from './compare.ts'
import type { Command } from './command.ts'
import { configCommand } from './config.ts'
import { dataCommand } from './data.ts'
import { doctorCommand } from './doctor.ts'
import { exchangeCommand } from './exchange.ts'
import { explain } from './explain.ts'
import { explainCommand } from './explain-run.ts'
import { exportCommand } from './export.ts'
import { liveCommand } from './live.ts'
import { paperCommand } from './paper.ts'
import { pluginsCommand, strategiesCommand } from './listings.ts'
import { panicCommand } from './panic.ts'
import { parityCommand } from './parity.ts'
import { positionsCommand } from './positions.ts'
import { probeCommand } from './probe.ts'
import { providersCommand } from './providers.ts'
import { queryCommand } from './query.ts'
import { recordCommand } from './record.ts'
import { recordingsCommand } from './recordings.ts'
import { rehearseCommand } from './rehearse.ts'
import { replayCommand } from './replay.ts'
import { reportCommand } from './report.ts'
import { resumeCommand } from './resume.ts'
import { runsCommand } from './runs.ts'
import { serveCommand } from './serve.ts'
import { Terminal } from './terminal.ts'
import { verifyCommand } from './verify.ts'
import { walkforwardCommand } from './walkforward.ts'

const commands = [
  backtestCommand, compareCommand, walkforwardCommand, probeCommand, recordCommand, rehearseCommand, paperCommand, liveCommand, replayCommand, parityCommand, exchangeCommand, serveCommand,
  positionsCommand, closeCommand, panicCommand, resumeCommand, doctorCommand,
  dataCommand, strategiesCommand, pluginsCommand, configCommand, checkCommand,
  verifyCommand, explainCommand, runsCommand, reportCommand, queryCommand, exportCommand, providersCommand, recordingsCommand,
] as readonly Command<never>[]

/** What yargs knows of the command it stopped at; public there, missing in its types. */
interface WithOptions {
  getOptions(): { readonly key: Readonly<Record<string, unknown>>; readonly array: readonly string[] }
}

/** Runs one command line and returns the exit code; every error becomes one clear message on stderr. */
export async function runProgram(args: readonly string[]): Promise<number> {
  const terminal = new Terminal(args)
  let code = 0
  const helps = args.some((arg) => arg === '--help' || arg === '-h')
  const asked = helps ? commands.find((one) => one.command.split(' ')[0] === args[0]) : undefined
  // A builder that waits would let mistakes escape from where they are explained.
  const helpEnd = await asked?.epilogue?.() ?? ''
  const parser = yargs([...args])
    .scriptName('tapedeck')
    .usage('$0 <command>\n\nRehearse a trading strategy on tape before it trades live.')
    // Explanations of mistakes are made from English ones; half a page of another language helps nobody either.
    .locale('en')
    .parserConfiguration({ 'boolean-negation': false })
    .version(version())
    .alias({ h: 'help', v: 'version' })
    // yargs lays out its help before every command, asked for or not; without wrapping that costs next to nothing.
    .wrap(helps ? Math.min(100, process.stdout.columns ?? 100) : null)
    .strict()
    .recommendCommands()
    .demandCommand(1, 'no command')
    .exitProcess(false)
    .fail((message, error) => {
      const flags = Object.keys(options().key)
      // yargs throws its own mistakes in parsing as YError and passes those of handlers on.
      const thrown = error as Error | undefined
      if (thrown !== undefined && thrown.name !== 'YError') throw thrown
      throw new TapedeckError('TD_USAGE', explain(thrown?.message ?? message, args, commands, flags))
    })
    .check((argv) => {
      // A flag given twice arrives as a list; which one was meant nobody knows.
      const lists = new Set(options().array.map(camel))
      const twice = Object.keys(argv)
        .find((key) => key !== '_' && Array.isArray(argv[key]) && !lists.has(camel(key)))
      if (twice === undefined) return true
      throw new TapedeckError('TD_USAGE', `--${twice} is given more than once; give it once`)
    })
  let reached: Argv = parser
  const options = (): ReturnType<WithOptions['getOptions']> => (reached as unknown as WithOptions).getOptions()
  const register = (target: Argv, { command, describe, builder, epilogue, handler, subcommands }: Command<never>): void => {
    target.command({
      command,
      describe,
      builder: (argv: Argv) => {
        reached = argv
        for (const inner of subcommands ?? []) register(argv, inner)
        const built = builder(argv)
        return epilogue === undefined ? built : built.epilogue(helpEnd)
      },
      handler: async (argv) => {
        code = await handler(argv as never, terminal)
      },
    })
  }
  for (const command of commands) register(parser, command)
  try {
    await parser.parseAsync()
    return terminal.outputLost ? ERRORS.TD_RUN_WRITE.exit : code
  } catch (error) {
    return terminal.fail(error)
  } finally {
    terminal.dispose()
  }
}

/** yargs keeps every flag by both of its names. */
const camel = (flag: string): string => flag.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
