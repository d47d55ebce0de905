import { createHash } from 'node:crypto'
import { createReadStream, existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { SYMBOL } from '../config/settings.ts'
import { isoTime, parseTime, type EpochMs } from '../core/time.ts'
import type { Timeframe } from '../core/timeframe.ts'
import { download } from '../download.ts'
import { TapedeckError } from '../errors.ts'
import { RealClock } from '../real-clock.ts'
import { copyCandles, tellCopied, type Copied } from './candle-copy.ts'
import { checkCandleName } from './candle-file.ts'
import { defineCommand } from './command.ts'
import { openTape } from './open-tape.ts'
import { PartFile } from './part-file.ts'
import { startProgress } from './progress.ts'
import type { Terminal } from './terminal.ts'
import { asTimeframe } from './values.ts'

interface Arguments {
  readonly symbol: string
  readonly timeframe: string
  readonly from: string
  readonly to?: string
  readonly output?: string
  readonly json: boolean
}

export const downloadCommand = defineCommand<Arguments>({
  command: 'download',
  describe: 'Fetch closed candles from Binance\'s public data into one CSV; needs no key',
  builder: (argv) => argv
    .option('symbol', { type: 'string', requiresArg: true, demandOption: true, describe: 'what to fetch, such as BTC/USDT' })
    .option('timeframe', { type: 'string', requiresArg: true, demandOption: true, describe: 'timeframe of the candles, such as 1h' })
    .option('from', { type: 'string', requiresArg: true, demandOption: true,
      describe: 'first candle: YYYY-MM-DD, ISO time or epoch ms' })
    .option('to', { type: 'string', requiresArg: true, describe: 'end, exclusive; left out = the newest candle that has closed' })
    .option('output', { type: 'string', alias: ['o', 'out-file'], requiresArg: true,
      describe: 'file to write: .csv or .csv.gz; left out = BTC-USDT-1h.csv, by symbol and timeframe' })
    .option('json', { type: 'boolean', default: false, describe: 'print JSON' })
    .example('$0 data download --symbol BTC/USDT --timeframe 1h --from 2024-01-01', 'up to now')
    .epilogue('What was stopped or broke off stays in <output>.part; the same command goes on with it. '
      + 'BINANCE_DATA_URL names another host that answers like data-api.binance.vision.'),
  async handler(argv, terminal) {
    const { symbol, json } = argv
    if (!SYMBOL.test(symbol)) {
      throw new TapedeckError('TD_USAGE', `--symbol ${symbol}: expected BASE/QUOTE in capitals, such as BTC/USDT`)
    }
    const timeframe = asTimeframe(argv.timeframe)
    const from = asTime('from', argv.from)
    const to = argv.to === undefined ? null : asTime('to', argv.to)
    if (to !== null && to <= from) {
      throw new TapedeckError('TD_RANGE_INVALID', `--to ${argv.to} must be later than --from ${argv.from}`)
    }
    const target = argv.output ?? `${symbol.replace('/', '-')}-${timeframe}.csv`
    checkCandleName(target)
    if (existsSync(target)) {
      throw new TapedeckError('TD_USAGE', `--output ${target}: exists already; remove it, or choose another name`)
    }
    const part = new PartFile(target, { symbol, timeframe, from: isoTime(from), to: to === null ? null : isoTime(to) })
    terminal.onLeave(() => part.release())
    try {
      await fetchInto(part, { symbol, timeframe, from, to }, terminal, !json)
      const copied = await finish(part, symbol, timeframe, target, json, terminal)
      part.discard()
      tellCopied(copied, json, terminal)
      return 0
    } catch (error) {
      if (part.last !== null) {
        terminal.note(`candles up to ${isoTime(part.last)} are kept in ${target}.part; the same command goes on there`)
      }
      throw error
    } finally {
      part.release()
    }
  },
})

function asTime(flag: string, text: string): EpochMs {
  const time = parseTime(text)
  if (time !== null) return time
  throw new TapedeckError('TD_USAGE', `--${flag} ${text}: expected YYYY-MM-DD, an ISO time or epoch milliseconds (13 digits)`)
}

async function fetchInto(
  part: PartFile, wanted: Parameters<typeof download>[0], terminal: Terminal, watched: boolean,
): Promise<void> {
  if (part.last !== null) terminal.note(`going on after ${isoTime(part.last)}`)
  const progress = await startProgress('download', watched)
  try {
    await download(wanted, {
      last: part.last,
      add: (candles) => part.add(candles),
      progress: (share) => progress.update(share, part.rows),
    }, terminal.world, new RealClock())
  } finally {
    progress.stop()
  }
}

/** Reads what came as any tape is read, into its final place, and tells of every gap. */
async function finish(
  part: PartFile, symbol: string, timeframe: Timeframe, target: string, json: boolean, terminal: Terminal,
): Promise<Copied> {
  if (part.last === null) throw new TapedeckError('TD_TAPE_EMPTY', `${symbol}: there is no ${timeframe} candle in that time; give an earlier --from or a later --to`)
  const read = (file: string, gaps: 'refuse' | 'allow'): ReturnType<typeof openTape> =>
    openTape('candle-replay', symbol, { file, gaps }, timeframe, terminal)
  const copied = await copyCandles(await read(part.path, 'allow'), timeframe, target, json, terminal)
  if (copied.notes.length > 0) {
    try {
      await copyCandles(await read(target, 'refuse'), timeframe, null, json, terminal)
    } catch (error) {
      if (!(error instanceof TapedeckError && error.code === 'TD_CANDLE_GAP')) throw error
      terminal.note(`warning: ${error.message}`)
    }
  }
  return { ...copied, sha256: { [target]: await sha256(resolve(target)) } }
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const piece of createReadStream(path)) hash.update(piece as Buffer)
  return hash.digest('hex')
}
