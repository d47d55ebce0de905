import { assembleOne, makeDeps, openMarket, registry, SimulatedClock, type OneLane, type World } from './assemble.ts'
import { join } from 'node:path'
import { writeDurably } from './audit/durable-file.ts'
import type { TrailLine } from './audit/reader.ts'
import { columnsOfRows, type CandleColumns, type CandleRow } from './core/candle.ts'
import { EXIT_REASONS } from './core/order.ts'
import { isoTime, type EpochMs } from './core/time.ts'
import { timeframeMs, type Timeframe } from './core/timeframe.ts'
import { sellable, type Instrument } from './core/instrument.ts'
import { Causes } from './parity-cause.ts'
import type { MarketEvent, MarketSource, PastLine } from './ports.ts'
import { sendsOrders } from './live.ts'
import { readRecordedRun, type RecordedRun } from './recorded-run.ts'
import { courseOf } from './session/course.ts'
import { KnownAnswers } from './session/recorded-answers.ts'
import { runSession } from './session/session.ts'
import { changed, verifyRun } from './verify.ts'

type Tapes = Readonly<Record<string, CandleColumns>>

/** Quantity, prices and fees may differ by this much of their size. */
const TOLERANCE = 1e-8

/** A closed trade, as both sides tell it. */
export interface ParityTrade {
  readonly symbol: string
  readonly entryTime: EpochMs
  readonly exitTime: EpochMs
  readonly reason: string
  readonly quantity: number
  readonly entryPrice: number
  readonly exitPrice: number
  readonly fees: number
}

export interface ParityDifference {
  readonly symbol: string
  readonly entryTime: EpochMs
  /** Fields that differ, or which side lacks the trade. */
  readonly what: string
  /** price, slippage, latency, rejection, revision, operator, consequence, halted, still open, fault, or unknown. */
  readonly because: string
  readonly run: ParityTrade | null
  readonly backtest: ParityTrade | null
}

/** A position that is no trade yet. */
export interface HeldPosition {
  readonly symbol: string
  readonly entryTime: EpochMs
  readonly quantity: number
}

export interface ParityResult {
  readonly run: string
  readonly candles: number
  readonly from: EpochMs
  readonly to: EpochMs
  /** Trades of both sides that were held against each other; `end` trades are left out. */
  readonly compared: number
  readonly equal: number
  readonly differences: readonly ParityDifference[]
  /** Requests that all processes of the run say they sent. */
  readonly signedRequests: number
  readonly publicRequests: number
  /** False: a killed process did not say, so there were at least so many. */
  readonly requestsComplete: boolean
  /** Positions that the run held when it ended. */
  readonly held: readonly HeldPosition[]
}

/** What the newest comparison of a run came to, beside its trail. */
export const PARITY_FILE = 'parity.json'

/**
 * Runs the backtest on the candles and terms that a run of the live path recorded, and compares trade by trade. Throws
 * what reading a run throws, and TD_REPLAY_DIFFERS for a trail that somebody changed.
 */
export async function parity(path: string, world: World): Promise<ParityResult> {
  const recorded = await readRecordedRun(path)
  const { firstFault } = verifyRun(path)
  if (firstFault !== null) throw changed(path, firstFault)
  const { lines, record } = recorded
  const tapes = recordedCandles(lines, recorded.resolution.scenario.symbols)
  const happened = lines.filter(({ fields }) => fields.type === 'trade').map(({ fields }) => tradeOf(fields))
  const expected = await backtestTrades(recorded, tapes, world)
  const real = (trades: readonly ParityTrade[]): ParityTrade[] => trades.filter(({ reason }) => reason !== 'end')
  const all = Object.values(tapes)
  const to = Math.max(...all.map(({ openTime }) => openTime[openTime.length - 1]))
  const ms = timeframeMs(recorded.resolution.scenario.timeframe)
  const causes = new Causes(lines, ms, to + ms)
  const differences: ParityDifference[] = []
  const differ = (what: string, run: ParityTrade | null, backtest: ParityTrade | null): void => {
    const { symbol, entryTime } = (run ?? backtest)!
    const because = causes.of({ run, backtest, otherSide: run === null ? happened : expected })
    differences.push({ symbol, entryTime, what, because, run, backtest })
  }
  const rest = new Map(real(expected).map((trade) => [keyOf(trade), trade]))
  // What the backtest closed only because its tape ended is still open in the run, or was closed since.
  const ended = new Set(expected.filter(({ reason }) => reason === 'end').map(keyOf))
  // A decision at the last close is filled there by a venue that plays a tape; a backtest has no next open for it.
  const isOver = (symbol: string, time: EpochMs): boolean => time >= tapes[symbol].openTime.at(-1)! + ms
  let compared = 0
  let equal = 0
  for (const run of real(happened)) {
    const backtest = rest.get(keyOf(run)) ?? null
    rest.delete(keyOf(run))
    const last = run.reason === 'operator' || isOver(run.symbol, run.exitTime)
    if (backtest === null && ended.has(keyOf(run)) && last) continue
    compared++
    const what = backtest === null ? 'only in the run' : unequal(run, backtest)
    if (what === null) equal++
    else differ(what, run, backtest)
  }
  const held = openEntries(recorded, happened)
  const holding = [...held.values()].map(({ symbol, entryTime, quantity }) => ({ symbol, entryTime, quantity }))
  for (const [key, backtest] of rest) {
    compared++
    const open = held.get(key) ?? null
    held.delete(key)
    differ(open === null ? 'only in the backtest'
      : `still held, but left ${isoTime(backtest.exitTime)} (${backtest.reason}) in the backtest`, open, backtest)
  }
  // What the backtest holds until its tape ends has to be held by the run as well, and the other way round.
  for (const backtest of expected.filter(({ reason }) => reason === 'end')) {
    if (held.delete(keyOf(backtest)) || happened.some((run) => keyOf(run) === keyOf(backtest))) continue
    differ('only in the backtest', null, backtest)
  }
  for (const run of held.values()) if (!isOver(run.symbol, run.entryTime)) differ('held only in the run', run, null)
  const { requests } = courseOf(lines)
  const result: ParityResult = {
    run: record['run'] as string,
    candles: all.reduce((sum, { openTime }) => sum + openTime.length, 0),
    from: Math.min(...all.map(({ openTime }) => openTime[0])),
    to,
    compared, equal, differences: differences.sort((a, b) => a.entryTime - b.entryTime),
    signedRequests: requests.signed, publicRequests: requests.public, requestsComplete: requests.complete,
    held: holding,
  }
  writeDurably(join(path, PARITY_FILE), `${JSON.stringify({ compared, equal, differences: differences.length })}\n`)
  return result
}

function tradeOf(fields: PastLine): ParityTrade {
  const { entryTime, exitTime, ...trade } = fields as unknown as Omit<ParityTrade, 'entryTime' | 'exitTime'> & {
    readonly entryTime: string; readonly exitTime: string
  }
  return { ...trade, entryTime: Date.parse(entryTime), exitTime: Date.parse(exitTime) }
}

const keyOf = ({ symbol, entryTime }: ParityTrade): string => `${symbol} ${entryTime}`

/** Entries that the run had not left when it ended. */
function openEntries({ lines, terms }: RecordedRun, happened: readonly ParityTrade[]): Map<string, ParityTrade> {
  const left = new Set(happened.map(keyOf))
  const open = new Map<string, ParityTrade>()
  for (const { fields } of lines) {
    // A venue that was reset has lost what was held.
    if (fields.type === 'order' && fields['state'] === 'void') {
      for (const [key, { symbol }] of open) if (symbol === fields['symbol']) open.delete(key)
    }
    if (fields.type !== 'fill' || fields['side'] !== 'buy') continue
    const { symbol, price, quantity, fee_base: fee } = fields as unknown as {
      symbol: string; price: number; quantity: number; fee_base: number
    }
    const entryTime = Date.parse(fields.timestamp!)
    const entry: ParityTrade = {
      symbol, entryTime, exitTime: Infinity, reason: 'open', quantity, entryPrice: price, exitPrice: NaN, fees: 0,
    }
    // What is too small to be sold again was never a position.
    const held = sellable(quantity - fee, price, terms.instruments[symbol]) > 0
    if (held && !left.has(keyOf(entry))) open.set(keyOf(entry), entry)
  }
  return open
}

const close = (a: number, b: number): boolean => Math.abs(a - b) <= TOLERANCE * Math.max(1, Math.abs(a), Math.abs(b))

function unequal(run: ParityTrade, backtest: ParityTrade): string | null {
  const fields = [
    ...(run.exitTime === backtest.exitTime ? []
      : [`exit candle ${isoTime(run.exitTime)} instead of ${isoTime(backtest.exitTime)}`]),
    ...(run.reason === backtest.reason ? [] : [`reason ${run.reason} instead of ${backtest.reason}`]),
    ...(['quantity', 'entryPrice', 'exitPrice', 'fees'] as const)
      .filter((field) => !close(run[field], backtest[field]))
      .map((field) => `${field} ${run[field]} instead of ${backtest[field]}`),
  ]
  return fields.length === 0 ? null : fields.join(', ')
}

/** The candles of each symbol, in the order in which they came. */
function recordedCandles(lines: readonly TrailLine[], symbols: readonly string[]): Tapes {
  const rows: Record<string, CandleRow[]> = Object.fromEntries(symbols.map((symbol) => [symbol, []]))
  for (const { fields } of lines) {
    if (fields.type !== 'market' || fields['event'] !== 'candles') continue
    rows[fields['symbol'] as string].push(...fields['rows'] as CandleRow[])
  }
  return Object.fromEntries(Object.entries(rows).map(([symbol, all]) => [symbol, columnsOfRows(all)]))
}

/** Candles in memory, moment by moment. */
class RecordedCandles implements MarketSource {
  readonly #tapes: Tapes
  readonly #timeframe: Timeframe
  readonly #instruments: OneLane['terms']['instruments']

  constructor(tapes: Tapes, timeframe: Timeframe, instruments: OneLane['terms']['instruments']) {
    this.#tapes = tapes
    this.#timeframe = timeframe
    this.#instruments = instruments
  }

  instrument(symbol: string): Instrument {
    return this.#instruments[symbol]
  }

  async *events(): AsyncGenerator<MarketEvent> {
    const timeframe = this.#timeframe
    const common = { kind: 'candles', timeframe, settles: true, decides: true } as const
    const all = Object.entries(this.#tapes)
    if (all.length === 1) {
      const [[symbol, columns]] = all
      yield { ...common, symbol, columns, start: 0, end: columns.openTime.length, more: false }
      return
    }
    const moments = all.flatMap(([symbol, columns], order) =>
      Array.from(columns.openTime, (time, row) => ({ symbol, columns, order, time, row })))
    moments.sort((a, b) => a.time - b.time || a.order - b.order)
    for (const [index, { symbol, columns, row, time }] of moments.entries()) {
      yield { ...common, symbol, columns, start: row, end: row + 1, more: moments[index + 1]?.time === time }
    }
  }
}

async function backtestTrades({ record, resolution, terms, lines }: RecordedRun, tapes: Tapes, world: World): Promise<ParityTrade[]> {
  const { scenario, folder, plugins: { market } } = resolution
  const { symbols, timeframe, seed } = scenario
  const { instruments } = terms
  const clock = new SimulatedClock()
  const paper = await registry.plugin('broker', 'paper')
  const paperDeps = makeDeps(world, clock, seed, paper.env)
  const broker = await paper.create(scenario.broker.options, paperDeps, { instruments, timeframe })
  const { fillTimeframe = null } = scenario.broker.options as { fillTimeframe?: Timeframe | null }
  // Finer candles are in no trail: the scenario's own tape has them.
  const source = fillTimeframe === null ? new RecordedCandles(tapes, timeframe, instruments)
    : await openMarket(scenario, folder, market, instruments, makeDeps(world, clock, seed, market.env))
  const { lane, plan } = await assembleOne(
    resolution, world, { market: source, broker, terms, trail: null, clock, atEnd: 'close', sends: sendsOrders(record), answers: () => new KnownAnswers(lines.map(({ fields }) => fields)) },
  )
  await runSession(plan)
  world.signal.throwIfAborted()
  const { trades: { length, symbol, entryTime, exitTime, reason, quantity, entryPrice, exitPrice, fees } } = lane.portfolio
  return Array.from({ length }, (_, row): ParityTrade => ({
    symbol: symbols[symbol[row]], entryTime: entryTime[row], exitTime: exitTime[row], reason: EXIT_REASONS[reason[row]],
    quantity: quantity[row], entryPrice: entryPrice[row], exitPrice: exitPrice[row], fees: fees[row],
  }))
}
