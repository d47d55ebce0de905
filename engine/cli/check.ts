import type { Argv } from 'yargs'
import { parse } from 'yaml'
import { checkStrategy, TOLERANCE } from '../check-strategy.ts'
import { candleColumns, setRow, CandleView, type CandleColumns } from '../core/candle.ts'
import { isTimeframe, type Timeframe } from '../core/timeframe.ts'
import { TapedeckError } from '../errors.ts'
import { parseOptions } from '../registry.ts'
import { registry } from '../assemble.ts'
import { defineCommand } from './command.ts'
import { openTape } from './open-tape.ts'
import type { Terminal } from './terminal.ts'

interface Arguments {
  readonly strategy: string
  readonly file?: string
  readonly timeframe: string
  readonly set?: readonly string[]
  readonly candles: number
  readonly cuts: number
  readonly json: boolean
}

export const checkCommand = defineCommand<Arguments>({
  command: 'check <strategy>',
  describe: 'Shift start and end of a tape and print which values move: looking ahead, and too short a warm-up',
  builder: (argv: Argv) =>
    argv
      .positional('strategy', { type: 'string', demandOption: true, describe: 'name of a strategy' })
      .option('file', { type: 'string', describe: 'candles to check on; left out = a synthetic tape' })
      .option('timeframe', { type: 'string', default: '1h', describe: 'timeframe of the decisions' })
      .option('set', { type: 'string', array: true, nargs: 1, describe: 'a parameter: --set fast=5' })
      .option('candles', { type: 'number', default: 2000, describe: 'candles of the tape that are used' })
      .option('cuts', { type: 'number', default: 8, describe: 'how many starts and ends are tried' })
      .option('json', { type: 'boolean', default: false, describe: 'print JSON' }),
  async handler(argv, terminal) {
    const { timeframe } = argv
    if (!isTimeframe(timeframe)) throw new TapedeckError('TD_USAGE', `--timeframe ${timeframe}: expected one such as 1m, 1h or 1d`)
    for (const name of ['candles', 'cuts'] as const) {
      if (!Number.isInteger(argv[name]) || argv[name] < 1) throw new TapedeckError('TD_USAGE', `--${name}: expected a whole number from 1`)
    }
    const strategy = await registry.strategy(argv.strategy)
    const params = parseOptions(strategy.params, given(argv.set ?? []), '--set', [], 'TD_PLUGIN_OPTIONS')
    const tape = await readSome(argv, timeframe, terminal)
    const result = await checkStrategy(strategy, params, tape, timeframe, argv.cuts)
    const ahead = result.movements.filter(({ endMoved }) => endMoved > 0)
    const early = result.movements.filter(({ startMoved }) => startMoved > 0)
    const declared = strategy.shortWarmup
    const passed = ahead.length === 0 && (early.length === 0 || declared !== undefined)
    if (argv.json) terminal.json({ strategy: strategy.name, ...result, shortWarmup: declared ?? null, passed })
    else {
      terminal.print(`${strategy.name}: ${result.candles} candles, warm-up ${result.warmup}, ${result.cuts} starts and ${result.cuts} ends, ${result.compared} decisions compared`)
      const width = Math.max(...result.movements.map(({ name }) => name.length))
      for (const { name, startLargest, startMoved, endMoved } of result.movements) {
        const start = startMoved === 0 ? 'steady' : `moves by up to ${startLargest.toPrecision(3)} in ${startMoved} decisions`
        terminal.print(`  ${name.padEnd(width)}  later start: ${start};  earlier end: ${endMoved === 0 ? 'steady' : `CHANGES in ${endMoved} decisions`}`)
      }
      if (early.length > 0 && declared !== undefined) terminal.print(`  short warm-up declared: ${declared}`)
    }
    if (result.compared === 0) throw new TapedeckError('TD_TAPE_EMPTY', `the tape of ${result.candles} candles is shorter than the warm-up of ${result.warmup}; give more with --candles or --file`)
    if (passed) return 0
    const faults = [
      ...ahead.map(({ name }) => `${name} depends on the future`),
      ...(declared === undefined ? early.map(({ name }) => `${name} still depends on the start after the warm-up (more than ${TOLERANCE})`) : []),
    ]
    throw new TapedeckError('TD_CHECK_FAILED', `${strategy.name}: ${faults.join('; ')}`)
  },
})

function given(pairs: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(pairs.map((pair) => {
    const at = pair.indexOf('=')
    if (at < 1) throw new TapedeckError('TD_USAGE', `--set ${pair}: expected parameter=value`)
    return [pair.slice(0, at), parse(pair.slice(at + 1)) as unknown]
  }))
}

async function readSome({ file, candles }: Arguments, timeframe: Timeframe, terminal: Terminal): Promise<CandleColumns> {
  const market = file === undefined
    ? await openTape('synthetic', { candles }, timeframe, terminal)
    : await openTape('candle-replay', { file, gaps: 'allow' }, timeframe, terminal)
  const columns = candleColumns(candles)
  const view = new CandleView()
  let rows = 0
  for await (const event of market.events()) {
    if (event.kind !== 'candles') continue
    for (let row = event.start; row < event.end && rows < candles; row++) setRow(columns, rows++, view.move(event.columns, row))
    if (rows === candles) break
  }
  const cut = (column: Float64Array): Float64Array => column.subarray(0, rows)
  return {
    openTime: cut(columns.openTime), open: cut(columns.open), high: cut(columns.high), low: cut(columns.low),
    close: cut(columns.close), volume: cut(columns.volume),
  }
}
