import { SYMBOL } from '../config/settings.ts'
import { timeframeMs } from '../core/timeframe.ts'
import { RealClock } from '../real-clock.ts'
import { TapedeckError } from '../errors.ts'
import { FASTEST, openExchange, type StandAlone } from '../exchange.ts'
import { count, percent, plural, quantity, trimmed, utcMinute } from '../report/format.ts'
import { PRACTICE } from '../venue.ts'
import { defineCommand } from './command.ts'
import { faultHelp } from './fault-help.ts'
import { asTimeframe, wholeNumber } from './values.ts'

interface Arguments {
  readonly file: readonly string[]
  readonly symbol?: string
  readonly timeframe?: string
  readonly port: number
  readonly speed?: number
  readonly stepped: boolean
  readonly history?: number
  readonly fault?: readonly string[]
  readonly faultSeed: number
  readonly cash: number
  readonly from?: string
  readonly to?: string
  readonly journal?: string
  readonly json: boolean
}

/** Timers of Node.js wait no longer than this, in ms. */
const LONGEST_WAIT_MS = 2 ** 31 - 1

export const exchangeCommand = defineCommand<Arguments>({
  command: 'exchange',
  describe: 'Run a practice exchange on this machine, fed by recorded candles',
  builder: (argv) => argv
    .option('file', { type: 'string', array: true, requiresArg: true, demandOption: true,
      describe: 'candle files, read as one series' })
    .option('symbol', { type: 'string', requiresArg: true,
      describe: 'what the candles are of; left out = SYMBOL, or BTC/USDT' })
    .option('timeframe', { type: 'string', requiresArg: true,
      describe: 'timeframe to resample to; left out = as recorded' })
    .option('port', { type: 'number', requiresArg: true, default: 4711,
      describe: 'where it listens, on 127.0.0.1 only; 0 = any free one' })
    .option('speed', { type: 'number', requiresArg: true,
      describe: `simulated seconds per real second, at most ${FASTEST}; left out = 1` })
    .option('stepped', { type: 'boolean', default: false,
      describe: 'time stands still until a client moves it, as rehearse does' })
    .option('history', { type: 'number', requiresArg: true,
      describe: 'candles that have closed already when it opens; left out = 300, or 0 with --stepped' })
    .option('cash', { type: 'number', requiresArg: true, default: 10_000, describe: 'free quote of the account' })
    .option('fault', { type: 'string', array: true, nargs: 1, describe: 'let it misbehave: --fault lost-answer:0.05; see below' })
    .option('fault-seed', { type: 'number', requiresArg: true, default: 1,
      describe: 'the same seed brings the same faults' })
    .option('from', { type: 'string', requiresArg: true, describe: 'first candle: YYYY-MM-DD, ISO time or epoch ms' })
    .option('to', { type: 'string', requiresArg: true, describe: 'end of the tape, exclusive' })
    .option('journal', { type: 'string', requiresArg: true,
      describe: 'file that keeps its state: started on it again, it goes on where it was' })
    .option('json', { type: 'boolean', default: false, describe: 'print one JSON document when it is open' })
    .example('$0 exchange --file data/sample-BTC-USDT-1h.csv.gz --stepped', 'for tapedeck rehearse --exchange')
    .example('$0 exchange --file btc-1m.csv --speed 60 --fault rate-limit:0.01', 'a minute passes every second')
    .epilogue('It serves until Ctrl-C or SIGTERM, and then ends with exit code 0. '
      + 'A tape at --speed 1 passes as slowly as it was recorded.'),
  epilogue: faultHelp,
  async handler(argv, terminal) {
    const { env, settings, world } = terminal
    const symbol = argv.symbol ?? settings.symbol ?? 'BTC/USDT'
    if (!SYMBOL.test(symbol)) {
      throw new TapedeckError('TD_USAGE',
        `--symbol ${symbol}: expected BASE/QUOTE in capitals, such as BTC/USDT`)
    }
    if (argv.speed !== undefined && argv.stepped) {
      throw new TapedeckError('TD_USAGE',
        '--speed and --stepped exclude each other: stepped time has no pace of its own; leave one out')
    }
    const { speed = 1, cash } = argv
    if (!(speed > 0 && speed <= FASTEST)) {
      throw new TapedeckError('TD_USAGE',
        `--speed ${speed}: expected a number above 0 and up to ${FASTEST}: `
        + 'faster, 10 simulated seconds pass in less than 50 ms; --stepped has no such limit')
    }
    if (!(cash >= 0 && Number.isFinite(cash))) {
      throw new TapedeckError('TD_USAGE',
        `--cash: expected an amount from 0, got ${cash}`)
    }
    const own = Boolean(env['BINANCE_API_KEY'] || env['BINANCE_API_SECRET'])
    const keys = { apiKey: env['BINANCE_API_KEY'] || PRACTICE, apiSecret: env['BINANCE_API_SECRET'] || PRACTICE }
    const pace = argv.stepped ? 'stepped' : speed
    const exchange = await openExchange({
      files: argv.file, symbol, timeframe: argv.timeframe === undefined ? null : asTimeframe(argv.timeframe),
      from: argv.from ?? null, to: argv.to ?? null, port: wholeNumber('port', argv.port, 0, 65_535), pace,
      history: argv.history === undefined ? null : wholeNumber('history', argv.history, 0), faults: argv.fault ?? [],
      faultSeed: wholeNumber('fault-seed', argv.faultSeed, 0), cash, journal: argv.journal ?? null, keys,
    }, world)
    try {
      const secrets = own ? 'those of BINANCE_API_KEY and BINANCE_API_SECRET' : null
      if (argv.json) {
        terminal.json({ ...exchange, now: exchange.now(), pid: process.pid, keys: secrets ?? keys, symbol, pace })
      } else {
        const told = secrets ?? `key ${keys.apiKey}, secret ${keys.apiSecret}`
        terminal.print(opened(exchange, symbol, pace, cash, told))
      }
      const clock = new RealClock()
      if (!argv.stepped) {
        const left = Math.max(0, (exchange.endTime - exchange.now()) / speed)
        await clock.sleep(Math.min(LONGEST_WAIT_MS, left), world.signal)
        if (!world.signal.aborted) {
          terminal.note('the tape has come to its end: no candle follows, orders are still taken at the last price')
        }
      }
      while (!world.signal.aborted) await clock.sleep(LONGEST_WAIT_MS, world.signal)
    } finally {
      const taken = exchange.orders
      await exchange.close()
      if (!argv.json) terminal.print(`closed, after ${plural(taken, 'order')}`)
    }
    return 0
  },
})

/** How long the rest of the tape takes at this pace, and what would be quicker. */
function lasts({ endTime, timeframe, startTime }: StandAlone, speed: number): string {
  const wait = timeframeMs(timeframe) / speed
  const hint = wait >= 60_000 ? `; --speed ${FASTEST} is the fastest, --stepped goes as fast as its client` : ''
  return `the tape lasts ${span(Math.max(0, endTime - startTime) / speed)}, a candle closes every ${span(wait)}${hint}`
}

const UNITS = [['day', 86_400_000], ['hour', 3_600_000], ['minute', 60_000], ['second', 1_000]] as const

/** About how long, in the largest unit that fits. */
function span(ms: number): string {
  const [unit, size] = UNITS.find(([, length]) => ms >= length) ?? UNITS[3]
  const amount = trimmed(ms / size, 1)
  return `${amount} ${unit}${amount === '1' ? '' : 's'}`
}

function opened(exchange: StandAlone, symbol: string, pace: 'stepped' | number, cash: number, keys: string): string {
  const { url, timeframe, candles, history, endTime, instrument, costs } = exchange
  const { quote, tickSize, lotSize, minNotional } = instrument
  const time = utcMinute(Math.floor(exchange.now() / 60_000) * 60_000)
  const past = history === 0 ? 'no candle has closed yet' : `${plural(history, 'candle')} closed before`
  const passes = pace === 'stepped' ? 'stepped: it moves only when a client moves it'
    : pace === 1 ? 'it passes as everywhere' : `${trimmed(pace, 3)} seconds pass in one`
  const length: readonly (readonly [string, string])[] = pace === 'stepped' ? [] : [['length', lasts(exchange, pace)]]
  const rows: readonly (readonly [string, string])[] = [
    ['keys', keys],
    ['tape', `${symbol} ${timeframe}, ${plural(candles, 'candle')}, to ${utcMinute(endTime)} UTC`],
    ['time', `${time} UTC, ${past}; ${passes}`],
    ...length,
    ['account', `${quantity(cash)} ${quote}; `
      + `fees ${percent(costs.taker)} from what is received, slippage ${count(costs.slippageBps)} bps`],
    ['filters', `price step ${tickSize}, quantity step ${lotSize}, at least ${minNotional} ${quote}`],
    ['try', `tapedeck rehearse <scenario> --exchange ${url}`],
    ['stop', 'Ctrl-C'],
  ]
  return [`Practice exchange at ${url}`, ...rows.map(([name, text]) => `  ${name.padEnd(8)}${text}`)].join('\n')
}
