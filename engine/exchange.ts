import { loadExchange, makeDeps, registry, SimulatedClock, type World } from './assemble.ts'
import { instrumentOf, type Instrument } from './core/instrument.ts'
import type { Costs } from './core/matching.ts'
import type { EpochMs } from './core/time.ts'
import { timeframeMs, type Timeframe } from './core/timeframe.ts'
import { messageOf, TapedeckError } from './errors.ts'
import type { MarketSource, Venue } from './ports.ts'
import { parseOptions } from './registry.ts'
import { loadTape, type LoadedTape } from './tape.ts'
import { priceDecimals } from './report/format.ts'

export interface StandAloneOptions {
  /** Candle files, read as one series. */
  readonly files: readonly string[]
  readonly symbol: string
  /** null: as recorded. */
  readonly timeframe: Timeframe | null
  readonly from: string | null
  readonly to: string | null
  /** 0: any free one. */
  readonly port: number
  /** Simulated ms per real one, or only as far as a client asks. */
  readonly pace: 'stepped' | number
  /** Candles that have closed when it opens; null = what an indicator may want, where time runs by itself. */
  readonly history: number | null
  /** In the exchange's own notation. */
  readonly faults: readonly string[]
  readonly faultSeed: number
  /** Free quote at the start. */
  readonly cash: number
  readonly journal: string | null
  readonly keys: Pick<Venue, 'apiKey' | 'apiSecret'>
}

export interface StandAlone {
  readonly url: string
  readonly timeframe: Timeframe
  readonly candles: number
  readonly history: number
  /** Where its clock stands when it opens. */
  readonly startTime: EpochMs
  /** The last candle's close. */
  readonly endTime: EpochMs
  readonly instrument: Instrument
  readonly costs: Costs
  now(): EpochMs
  readonly orders: number
  close(): Promise<void>
}

/** A bot wakes up every 10 s at least, and needs 50 real ms for it. */
export const FASTEST = 10_000 / 50
const COSTS: Costs = { maker: 0.001, taker: 0.001, feeAsset: 'received', slippageBps: 5 }
/** Enough for most indicators to be warm when the first candle closes. */
const HISTORY = 300

/**
 * A practice exchange by itself, as Binance's spot venue would be: its fees, taken from what is received, and filters
 * of its kind. Throws what reading the tape throws, TD_TAPE_EMPTY, TD_USAGE, also for a port that cannot be had, and
 * TD_EXCHANGE_FAILED.
 */
export async function openExchange(options: StandAloneOptions, world: World): Promise<StandAlone> {
  const { symbol, pace, port } = options
  const { startExchange, parseFault } = await loadExchange()
  const rules = options.faults.map(parseFault)
  const tape = await readTape(options, world)
  const { timeframe, rows, columns } = tape
  const history = options.history ?? (pace === 'stepped' ? 0 : Math.min(HISTORY, Math.floor(rows / 2)))
  if (history >= rows) {
    throw new TapedeckError('TD_USAGE',
      `--history ${history}: the tape has ${rows} candles, so that none would be left to trade on`)
  }
  const startTime = columns.openTime[history]
  const instrument = instrumentFor(symbol, tape)
  try {
    const exchange = await startExchange({
      tapes: [tape], instruments: { [symbol]: instrument }, costs: COSTS, fillModel: 'conservative',
      balances: { [instrument.quote]: options.cash }, startTime, pace, port, ...options.keys,
      faults: { seed: options.faultSeed, rules }, ...(options.journal === null ? {} : { journal: options.journal }),
    })
    return {
      url: exchange.url, timeframe, candles: rows, history, startTime, instrument, costs: COSTS,
      endTime: columns.openTime[rows - 1] + timeframeMs(timeframe),
      now: () => exchange.now(),
      get orders() { return exchange.counts.orders },
      close: () => exchange.close(),
    }
  } catch (error) {
    if (error instanceof TapedeckError) throw error
    throw new TapedeckError('TD_EXCHANGE_FAILED', `the exchange cannot open: ${messageOf(error)}`, { cause: error })
  }
}

async function readTape({ files, symbol, timeframe, from, to }: StandAloneOptions, world: World): Promise<LoadedTape> {
  const plugin = await registry.plugin('market', 'candle-replay')
  const wanted = { file: files, ...(from === null ? {} : { from }), ...(to === null ? {} : { to }) }
  const parsed = parseOptions(plugin.options, wanted, 'exchange', [], 'TD_PLUGIN_OPTIONS')
  const open = (as: Timeframe, fillTimeframe: Timeframe | null = null): MarketSource | Promise<MarketSource> => plugin.create(
    parsed, makeDeps(world, new SimulatedClock(), 1, plugin.env),
    {
      symbols: [symbol], timeframe: as, fillTimeframe, instruments: { [symbol]: instrumentOf(symbol) },
      folder: process.cwd(),
    },
  )
  const recorded = await (await open('1d')).ownTimeframe!(symbol)
  const wantedAs = timeframe ?? recorded
  // Orders meet the minutes where they are known, and clients see them.
  const minutes = timeframeMs(recorded) <= timeframeMs('1m') && timeframeMs(wantedAs) > timeframeMs('1m')
  const [tape] = await loadTape(await open(wantedAs, minutes ? '1m' : null), [symbol])
  world.signal.throwIfAborted()
  if (tape.rows === 0) throw new TapedeckError('TD_TAPE_EMPTY', `${files.join(', ')}: there is no candle to trade on`)
  return tape
}

/** Steps as Binance gives them to such a price: the tape's own decimals, a lot worth cents, orders of 5 at least. */
function instrumentFor(symbol: string, { columns, rows }: LoadedTape): Instrument {
  const closes = columns.close.subarray(0, rows)
  const lotDecimals = Math.max(0, Math.min(8, Math.ceil(Math.log10(closes[0]))))
  const step = (decimals: number): number => Number(`1e-${decimals}`)
  return instrumentOf(symbol, { tickSize: step(priceDecimals(closes)), lotSize: step(lotDecimals), minNotional: 5 })
}
