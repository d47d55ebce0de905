import type { Argv } from 'yargs'
import { isTimeframe, type Timeframe } from '../core/timeframe.ts'
import { isoTime } from '../core/time.ts'
import { TapedeckError } from '../errors.ts'
import type { MarketSource } from '../ports.ts'
import { CandleFile } from './candle-file.ts'
import { defineCommand, type Command } from './command.ts'
import { openTape } from './open-tape.ts'
import { startProgress } from './progress.ts'
import type { Terminal } from './terminal.ts'

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
    .positional('file', { type: 'string', array: true, demandOption: true, describe: 'CSV, .csv.gz or Binance dumps (.csv, .zip), read as one series' })
    .option('from', { type: 'string', describe: 'first candle: YYYY-MM-DD, ISO time or epoch ms' })
    .option('to', { type: 'string', describe: 'end, exclusive' })
    .option('gaps', { type: 'string', default: 'refuse', choices: ['refuse', 'allow', 'fill'], describe: 'what to do with missing candles' })
    .option('duplicates', { type: 'string', default: 'refuse', choices: ['refuse', 'drop'], describe: 'what to do with identical rows' })
    .option('json', { type: 'boolean', default: false, describe: 'print JSON' })

const output = (argv: Argv<unknown>): Argv<unknown> =>
  argv.option('output', { type: 'string', demandOption: true, describe: 'file to write: .csv or .csv.gz' })

function asTimeframe(text: string): Timeframe {
  if (!isTimeframe(text)) throw new TapedeckError('TD_USAGE', `--timeframe ${text}: expected one such as 1m, 1h or 1d`)
  return text
}

const verify: Command<TapeArguments> = {
  command: 'verify <file..>',
  describe: 'Read candle files whole and say whether they are sound',
  builder: (argv) => files(argv).option('timeframe', { type: 'string', describe: 'also resample to this timeframe' }),
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
  builder: (argv) => output(files(argv)).option('timeframe', { type: 'string', demandOption: true, describe: 'timeframe to make, such as 4h' }),
  handler: (argv, terminal) => pass(argv, terminal, argv.output!),
}

const synth: Command<SynthArguments> = {
  command: 'synth',
  describe: 'Make a synthetic tape with calm, bull, bear and crash phases',
  builder: (argv) =>
    output(argv)
      .option('seed', { type: 'number', default: 1, describe: 'the same seed makes the same tape' })
      .option('candles', { type: 'number', default: 5000, describe: 'how many' })
      .option('timeframe', { type: 'string', default: '1h', describe: 'of the candles' })
      .option('from', { type: 'string', default: '2024-01-01', describe: 'time of the first one' })
      .option('json', { type: 'boolean', default: false, describe: 'print JSON' }),
  async handler({ seed, candles, from, timeframe, output: target, json }, terminal) {
    const market = await openTape('synthetic', { seed, candles, from }, asTimeframe(timeframe), terminal)
    return copy(market, asTimeframe(timeframe), target, json, terminal)
  },
}

async function pass(argv: TapeArguments, terminal: Terminal, target: string | null): Promise<number> {
  const { file, from, to, gaps, duplicates, json } = argv
  const options = { file, gaps, duplicates, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }
  let timeframe: Timeframe
  if (argv.timeframe !== undefined) timeframe = asTimeframe(argv.timeframe)
  else timeframe = await (await openTape('candle-replay', options, '1d', terminal)).ownTimeframe!('BTC/USDT')
  return copy(await openTape('candle-replay', options, timeframe, terminal), timeframe, target, json, terminal)
}

/** Reads a tape to its end, writing it on the way when there is a target, and says what it was. */
async function copy(market: MarketSource, timeframe: Timeframe, target: string | null, json: boolean, terminal: Terminal): Promise<number> {
  const file = target === null ? null : new CandleFile(target)
  if (file !== null) terminal.onLeave(() => file.discard())
  const progress = await startProgress('candles', !json)
  let candles = 0
  let first = 0
  let last = 0
  try {
    for await (const event of market.events()) {
      if (event.kind !== 'candles') continue
      const { columns, start, end } = event
      if (candles === 0) first = columns.openTime[start]
      last = columns.openTime[end - 1]
      candles += end - start
      await file?.add(columns, start, end)
      progress.update(market.progress?.() ?? null, candles)
      if (terminal.interrupted) throw new TapedeckError('TD_TAPE_EMPTY', 'interrupted')
    }
    if (candles === 0) throw new TapedeckError('TD_TAPE_EMPTY', 'there is no candle to read')
    await file?.finish()
  } catch (error) {
    file?.discard()
    throw error
  } finally {
    progress.stop()
  }
  const { files: hashes = {}, notes = [] } = market.facts?.() ?? {}
  const summary = { candles, timeframe, first: isoTime(first), last: isoTime(last), output: target, sha256: hashes, notes }
  if (json) terminal.json(summary)
  else {
    terminal.print(`${candles.toLocaleString('en')} candles of ${timeframe}, ${isoTime(first)} … ${isoTime(last)}${target === null ? ': sound' : ` → ${target}`}`)
    for (const note of notes) terminal.print(`  ${note}`)
    for (const [name, hash] of Object.entries(hashes)) terminal.print(`  ${name}  sha256 ${hash}`)
  }
  return 0
}

const subcommands = [verify, importCommand, resample, synth] as readonly Command<never>[]

export const dataCommand = defineCommand<never>({
  command: 'data',
  describe: 'Verify, import, resample or make candle files',
  builder: (argv) => argv,
  handler: () => Promise.reject(new TapedeckError('TD_USAGE', 'data: name what to do: verify, import, resample or synth')),
  subcommands,
})

