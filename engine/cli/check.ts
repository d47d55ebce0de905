import type { Argv } from 'yargs'
import { checkStrategy, TOLERANCE } from '../check-strategy.ts'
import { candleColumns, setRow, CandleView, type CandleColumns } from '../core/candle.ts'
import type { Timeframe } from '../core/timeframe.ts'
import { TapedeckError } from '../errors.ts'
import { parseOptions } from '../registry.ts'
import { count, percent } from '../report/format.ts'
import { registry } from '../assemble.ts'
import { defineCommand } from './command.ts'
import { openTape } from './open-tape.ts'
import { scalar } from './scenario-options.ts'
import type { Terminal } from './terminal.ts'
import { asTimeframe, pair, wholeNumber } from './values.ts'

interface Arguments {
  readonly strategy: string
  readonly file?: string
  readonly timeframe: string
  readonly set?: readonly string[]
  readonly candles: number
  readonly cuts: number
  readonly json: boolean
}

/** The tape is held in memory, and read twice for every cut. */
const MOST_CANDLES = 1_000_000
const MOST_CUTS = 1_000

export const checkCommand = defineCommand<Arguments>({
  command: 'check <strategy>',
  describe: 'Shift start and end of a tape and print which values move: looking ahead, and too short a warm-up',
  builder: (argv: Argv) =>
    argv
      .positional('strategy', { type: 'string', demandOption: true, describe: 'name of a strategy' })
      .option('file', { type: 'string', requiresArg: true,
        describe: 'candles to check on; left out = a synthetic tape' })
      .option('timeframe', { type: 'string', requiresArg: true, default: '1h', describe: 'timeframe of the decisions' })
      .option('set', { type: 'string', array: true, nargs: 1, describe: 'a parameter: --set fast=5' })
      .option('candles', { type: 'number', requiresArg: true, default: 2000,
        describe: 'candles of the tape that are used' })
      .option('cuts', { type: 'number', requiresArg: true, default: 8, describe: 'how many starts and ends are tried' })
      .option('json', { type: 'boolean', default: false, describe: 'print JSON' }),
  async handler(argv, terminal) {
    const timeframe = asTimeframe(argv.timeframe)
    wholeNumber('candles', argv.candles, 1, MOST_CANDLES)
    wholeNumber('cuts', argv.cuts, 1, MOST_CUTS)
    const strategy = await registry.strategy(argv.strategy)
    const params = parseOptions(strategy.params, given(argv.set ?? []), '--set', [], 'TD_PLUGIN_OPTIONS')
    const tape = await readSome(argv, timeframe, terminal)
    const result = await checkStrategy(strategy, params, tape, timeframe, argv.cuts)
    if (result.compared === 0) {
      throw new TapedeckError('TD_TAPE_EMPTY',
        `${strategy.name}: ${result.candles} candles are fewer than the warm-up of `
        + `${result.warmup} needs; give more with --candles or --file`)
    }
    const ahead = result.movements.filter(({ endMoved }) => endMoved > 0)
    const early = result.movements.filter(({ startMoved }) => startMoved > 0)
    const declared = strategy.shortWarmup
    const passed = ahead.length === 0 && (early.length === 0 || declared !== undefined)
    if (argv.json) terminal.json({ strategy: strategy.name, ...result, shortWarmup: declared ?? null, passed })
    else {
      terminal.print(`${strategy.name}: ${count(result.candles)} candles, warm-up ${count(result.warmup)}, `
        + `${result.cuts} starts and ${result.cuts} ends, ${count(result.compared)} decisions compared`)
      const width = Math.max(...result.movements.map(({ name }) => name.length))
      for (const { name, startLargest, startMoved, endMoved } of result.movements) {
        const farthest = Number.isFinite(startLargest) ? percent(startLargest, 4) : 'anything'
        const start = startMoved === 0 ? 'steady' : `moves by up to ${farthest} in ${count(startMoved)} decisions`
        const end = endMoved === 0 ? 'steady' : `CHANGES in ${count(endMoved)} decisions`
        terminal.print(`  ${name.padEnd(width)}  later start: ${start};  earlier end: ${end}`)
      }
      if (early.length > 0 && declared !== undefined) terminal.print(`  short warm-up declared: ${declared}`)
    }
    if (passed) return 0
    const faults = [
      ...ahead.map(({ name }) => `${name} depends on the future`),
      ...(declared === undefined
        ? early.map(({ name }) => `${name} still depends on the start after the warm-up (more than ${TOLERANCE})`)
        : []),
    ]
    throw new TapedeckError('TD_CHECK_FAILED', `${strategy.name}: ${faults.join('; ')}`)
  },
})

const given = (texts: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(texts.map((text) => {
    const [key, value] = pair('set', text, 'fast=5')
    return [key, scalar(value, `--set ${text}`)]
  }))

async function readSome(
  { file, candles }: Arguments, timeframe: Timeframe, terminal: Terminal,
): Promise<CandleColumns> {
  const market = file === undefined
    ? await openTape('synthetic', 'synthetic', { candles }, timeframe, terminal)
    : await openTape('candle-replay', file, { file, gaps: 'allow' }, timeframe, terminal)
  const columns = candleColumns(candles)
  const view = new CandleView()
  let rows = 0
  for await (const event of market.events()) {
    if (event.kind !== 'candles') continue
    for (let row = event.start; row < event.end && rows < candles; row++) {
      setRow(columns, rows++, view.move(event.columns, row))
    }
    if (rows === candles) break
  }
  const cut = (column: Float64Array): Float64Array => column.subarray(0, rows)
  return {
    openTime: cut(columns.openTime), open: cut(columns.open), high: cut(columns.high), low: cut(columns.low),
    close: cut(columns.close), volume: cut(columns.volume),
  }
}
