import { resolve } from 'node:path'
import type { Argv } from 'yargs'
import type { Timeframe } from '../core/timeframe.ts'
import { TapedeckError } from '../errors.ts'
import type { MarketSource } from '../ports.ts'
import { copyCandles, tellCopied } from './candle-copy.ts'
import { defineCommand, type Command } from './command.ts'
import { downloadCommand } from './download.ts'
import { openTape } from './open-tape.ts'
import type { Terminal } from './terminal.ts'
import { asTimeframe, wholeNumber } from './values.ts'

interface TapeArguments {
  readonly file: readonly string[]
  readonly timeframe?: string
  readonly from?: string
  readonly to?: string
  readonly gaps: string
  readonly duplicates: string
  readonly output?: string
  readonly json: boolean
}

interface SynthArguments {
  readonly output: string
  readonly seed: number
  readonly candles: number
  readonly timeframe: string
  readonly from: string
  readonly json: boolean
}

const files = (argv: Argv): Argv<unknown> =>
  argv
    .positional('file', { type: 'string', demandOption: true,
      describe: 'CSV, .csv.gz or Binance dumps (.csv, .zip), read as one series' })
    .option('from', { type: 'string', requiresArg: true, describe: 'first candle: YYYY-MM-DD, ISO time or epoch ms' })
    .option('to', { type: 'string', requiresArg: true, describe: 'end of the tape, exclusive' })
    .option('gaps', { type: 'string', requiresArg: true, default: 'refuse', choices: ['refuse', 'allow', 'fill'],
      describe: 'what to do with missing candles' })
    .option('duplicates', { type: 'string', requiresArg: true, default: 'refuse', choices: ['refuse', 'drop'],
      describe: 'what to do with identical rows' })
    .option('json', { type: 'boolean', default: false, describe: 'print JSON' })

const output = (argv: Argv<unknown>): Argv<unknown> =>
  argv.option('output',
    { type: 'string', requiresArg: true, demandOption: true, describe: 'file to write: .csv or .csv.gz' })

const verify: Command<TapeArguments> = {
  command: 'verify <file..>',
  describe: 'Read candle files whole and say whether they are sound',
  builder: (argv) => files(argv).option('timeframe', { type: 'string', requiresArg: true,
    describe: 'timeframe to resample to on the way; left out = as recorded' }),
  handler: (argv, terminal) => pass(argv, terminal, null),
}

const importCommand: Command<TapeArguments> = {
  command: 'import <file..>',
  describe: 'Convert candle files into one plain CSV',
  builder: (argv) => output(files(argv)),
  handler: (argv, terminal) => pass(argv, terminal, argv.output!),
}

const resample: Command<TapeArguments> = {
  command: 'resample <file..>',
  describe: 'Join candles into a coarser timeframe',
  builder: (argv) => output(files(argv)).option('timeframe', { type: 'string', requiresArg: true, demandOption: true,
    describe: 'timeframe to make, such as 4h' }),
  handler: (argv, terminal) => pass(argv, terminal, argv.output!),
}

const synth: Command<SynthArguments> = {
  command: 'synth',
  describe: 'Make a synthetic tape with calm, bull, bear and crash phases',
  builder: (argv) =>
    output(argv)
      .option('seed', { type: 'number', requiresArg: true, default: 1, describe: 'the same seed makes the same tape' })
      .option('candles', { type: 'number', requiresArg: true, default: 5000, describe: 'how many candles' })
      .option('timeframe', { type: 'string', requiresArg: true, default: '1h', describe: 'timeframe of the candles' })
      .option('from', { type: 'string', requiresArg: true, default: '2024-01-01',
        describe: 'time of the first candle' })
      .option('json', { type: 'boolean', default: false, describe: 'print JSON' }),
  async handler({ seed, candles, from, timeframe, output: target, json }, terminal) {
    const options = { seed: wholeNumber('seed', seed, 0), candles: wholeNumber('candles', candles, 1), from }
    const market = await openTape('synthetic', 'synthetic', options, asTimeframe(timeframe), terminal)
    return copy(market, asTimeframe(timeframe), target, json, terminal)
  },
}

async function pass(argv: TapeArguments, terminal: Terminal, target: string | null): Promise<number> {
  const { file, from, to, gaps, duplicates, json } = argv
  refuseInput(target, file)
  const options = { file, gaps, duplicates, ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }) }
  const label = file.length === 1 ? file[0] : `${file[0]} and ${file.length - 1} more`
  let timeframe: Timeframe
  if (argv.timeframe !== undefined) timeframe = asTimeframe(argv.timeframe)
  else timeframe = await (await openTape('candle-replay', label, options, '1d', terminal)).ownTimeframe!(label)
  return copy(await openTape('candle-replay', label, options, timeframe, terminal), timeframe, target, json, terminal)
}

/** Writing over what is being read would leave nothing to go back to. */
function refuseInput(target: string | null, inputs: readonly string[]): void {
  if (target === null || !inputs.some((input) => resolve(input) === resolve(target))) return
  throw new TapedeckError('TD_USAGE', `--output ${target}: is also read; choose another name`)
}

/** Reads a tape to its end, writing it on the way when there is a target, and says what it was. */
async function copy(
  market: MarketSource, timeframe: Timeframe, target: string | null, json: boolean, terminal: Terminal,
): Promise<number> {
  tellCopied(await copyCandles(market, timeframe, target, json, terminal), json, terminal)
  return 0
}

const subcommands = [verify, importCommand, resample, synth, downloadCommand] as readonly Command<never>[]

export const dataCommand = defineCommand<never>({
  command: 'data',
  describe: 'Download, verify, import, resample or make candle files',
  builder: (argv) => argv,
  handler: () => Promise.reject(new TapedeckError('TD_USAGE',
    'data: name a command: download, verify, import, resample or synth. `tapedeck data --help` shows what there is.')),
  subcommands,
})

