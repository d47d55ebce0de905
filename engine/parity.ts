import { makeDeps, openMarket, prepareDecisions, registry, SimulatedClock, type World } from './assemble.ts'
import type { TrailLine } from './audit/reader.ts'
import { candleColumns, type CandleColumns } from './core/candle.ts'
import { EXIT_REASONS } from './core/order.ts'
import { isoTime, type EpochMs } from './core/time.ts'
import { timeframeMs, type Timeframe } from './core/timeframe.ts'
import type { Instrument } from './core/instrument.ts'
import type { MarketEvent, MarketSource, PastLine } from './ports.ts'
import { readRecordedRun, type RecordedRun } from './recorded-run.ts'
import { Lane } from './session/lane.ts'
import { runSession } from './session/session.ts'

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
  /** price, slippage, latency, rejection, revision, fault, or unknown. */
  readonly because: string
  readonly run: ParityTrade | null
  readonly backtest: ParityTrade | null
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
  /** Signed requests that the run says it sent; null where a crash kept it from saying so. */
  readonly signedRequests: number | null
}

/**
 * Runs the backtest on the candles and terms that a run of the live path recorded, and compares trade by trade. Throws
 * what reading a run throws.
 */
export async function parity(path: string, world: World): Promise<ParityResult> {
  const recorded = await readRecordedRun(path)
  const { lines, record } = recorded
  const tapes = recordedCandles(lines, recorded.resolution.scenario.symbols)
  const happened = lines.filter(({ fields }) => fields.type === 'trade').map(({ fields }): ParityTrade => ({
    symbol: fields['symbol'] as string, entryTime: Date.parse(fields['entryTime'] as string), exitTime: Date.parse(fields['exitTime'] as string),
    reason: fields['reason'] as string, quantity: fields['quantity'] as number, entryPrice: fields['entryPrice'] as number,
    exitPrice: fields['exitPrice'] as number, fees: fields['fees'] as number,
  }))
  const expected = await backtestTrades(recorded, tapes, world)
  const real = (trades: readonly ParityTrade[]): ParityTrade[] => trades.filter(({ reason }) => reason !== 'end')
  const differences: ParityDifference[] = []
  const rest = new Map(real(expected).map((trade) => [keyOf(trade), trade]))
  // What the backtest closed only because its tape ended is still open in the run, or was closed since.
  const ended = new Set(expected.filter(({ reason }) => reason === 'end').map(keyOf))
  let compared = 0
  let equal = 0
  for (const run of real(happened)) {
    const backtest = rest.get(keyOf(run)) ?? null
    rest.delete(keyOf(run))
    if (backtest === null && ended.has(keyOf(run)) && run.reason === 'operator') continue
    compared++
    const what = backtest === null ? 'only in the run' : unequal(run, backtest)
    if (what === null) equal++
    else differences.push({ symbol: run.symbol, entryTime: run.entryTime, what, because: because(lines, run, backtest), run, backtest })
  }
  for (const backtest of rest.values()) {
    compared++
    differences.push({
      symbol: backtest.symbol, entryTime: backtest.entryTime, what: 'only in the backtest', because: because(lines, null, backtest), run: null, backtest,
    })
  }
  const all = Object.values(tapes)
  return {
    run: record['run'] as string, candles: all.reduce((sum, { openTime }) => sum + openTime.length, 0),
    from: Math.min(...all.map(({ openTime }) => openTime[0])), to: Math.max(...all.map(({ openTime }) => openTime[openTime.length - 1])),
    compared, equal, differences: differences.sort((a, b) => a.entryTime - b.entryTime), signedRequests: signedRequests(lines),
  }
}

const keyOf = ({ symbol, entryTime }: ParityTrade): string => `${symbol} ${entryTime}`

const close = (a: number, b: number): boolean => Math.abs(a - b) <= TOLERANCE * Math.max(1, Math.abs(a), Math.abs(b))

function unequal(run: ParityTrade, backtest: ParityTrade): string | null {
  const fields = [
    ...(run.exitTime === backtest.exitTime ? [] : [`exit candle ${isoTime(run.exitTime)} instead of ${isoTime(backtest.exitTime)}`]),
    ...(run.reason === backtest.reason ? [] : [`reason ${run.reason} instead of ${backtest.reason}`]),
    ...(['quantity', 'entryPrice', 'exitPrice', 'fees'] as const).filter((field) => !close(run[field], backtest[field]))
      .map((field) => `${field} ${run[field]} instead of ${backtest[field]}`),
  ]
  return fields.length === 0 ? null : fields.join(', ')
}

/** What the trail says about the time in which the two sides parted. */
function because(lines: readonly TrailLine[], run: ParityTrade | null, backtest: ParityTrade | null): string {
  const { symbol, entryTime } = (run ?? backtest)!
  const until = Math.max(run?.exitTime ?? 0, backtest?.exitTime ?? 0)
  const around = lines.filter(({ fields }) => fields['symbol'] === symbol && fields.timestamp !== null)
    .map(({ fields }): PastLine & { readonly time: EpochMs } => ({ ...fields, time: Date.parse(fields.timestamp!) }))
  const decision = around.find(({ type, time }) => type === 'decision' && time === entryTime)
  if (run === null && decision !== undefined && decision['status'] !== 'EXECUTED') {
    const { status, reason } = decision as unknown as { status: string; reason: string }
    if (reason === 'late' || reason === 'missed' || reason === 'stale-market') return `latency: the decision was ${reason}`
    return `rejection: the decision was ${status}, ${reason}`
  }
  const during = around.filter(({ time }) => time >= entryTime && time <= until + 86_400_000)
  const alarm = during.find(({ type }) => type === 'alarm')
  if (around.some(({ type, event, time }) => type === 'alarm' && event === 'candle-revised' && time <= until + 86_400_000)) {
    return 'revision: the venue corrected a candle after it had been decided on'
  }
  if (alarm !== undefined) return `fault: alarm ${String(alarm['event'])} at ${isoTime(alarm.time)}`
  if (during.some(({ reason }) => reason === 'missed')) return 'latency: candles became known too late to decide on'
  if (run !== null && backtest !== null && run.exitTime === backtest.exitTime && run.reason === backtest.reason) {
    return run.entryPrice !== backtest.entryPrice ? 'slippage: the entry was filled at another price' : 'price: the exit was filled at another price'
  }
  return 'unknown: nothing in the trail explains it; an earlier difference may have changed the equity'
}

/** The candles of each symbol, in the order in which they came. */
function recordedCandles(lines: readonly TrailLine[], symbols: readonly string[]): Readonly<Record<string, CandleColumns>> {
  const rows: Record<string, number[][]> = Object.fromEntries(symbols.map((symbol) => [symbol, []]))
  for (const { fields } of lines) {
    if (fields.type === 'market' && fields['event'] === 'candles') rows[fields['symbol'] as string].push(...fields['rows'] as number[][])
  }
  return Object.fromEntries(Object.entries(rows).map(([symbol, all]) => {
    const columns = candleColumns(all.length)
    all.forEach(([openTime, open, high, low, close_, volume], row) => {
      columns.openTime[row] = openTime
      columns.open[row] = open
      columns.high[row] = high
      columns.low[row] = low
      columns.close[row] = close_
      columns.volume[row] = volume
    })
    return [symbol, columns]
  }))
}

/** Candles in memory, moment by moment. */
class RecordedCandles implements MarketSource {
  readonly #tapes: Readonly<Record<string, CandleColumns>>
  readonly #timeframe: Timeframe
  readonly #instruments: Readonly<Record<string, Instrument>>

  constructor(tapes: Readonly<Record<string, CandleColumns>>, timeframe: Timeframe, instruments: Readonly<Record<string, Instrument>>) {
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
    const moments = all.flatMap(([symbol, columns], order) => Array.from(columns.openTime, (time, row) => ({ symbol, columns, order, time, row })))
    moments.sort((a, b) => a.time - b.time || a.order - b.order)
    for (const [index, { symbol, columns, row, time }] of moments.entries()) {
      yield { ...common, symbol, columns, start: row, end: row + 1, more: moments[index + 1]?.time === time }
    }
  }
}

async function backtestTrades(
  { resolution, terms }: RecordedRun, tapes: Readonly<Record<string, CandleColumns>>, world: World,
): Promise<ParityTrade[]> {
  const { scenario, folder, plugins: { strategy, market } } = resolution
  const { symbols, timeframe, seed } = scenario
  const clock = new SimulatedClock()
  const paper = await registry.plugin('broker', 'paper')
  const broker = await paper.create(scenario.broker.options, makeDeps(world, clock, seed, paper.env), { instruments: terms.instruments, timeframe })
  const { fillTimeframe = null } = scenario.broker.options as { fillTimeframe?: Timeframe | null }
  // Finer candles are in no trail: the scenario's own tape has them.
  const source = fillTimeframe === null ? new RecordedCandles(tapes, timeframe, terms.instruments)
    : await openMarket(scenario, folder, market, terms.instruments, makeDeps(world, clock, seed, market.env))
  const { tracks, chain, warmup } = await prepareDecisions(resolution, world, clock)
  const lane = new Lane({
    policy: scenario.policy, broker, account: { cash: terms.cash, costs: terms.costs }, instruments: symbols.map((symbol) => terms.instruments[symbol]),
    timeframeMs: timeframeMs(timeframe), trail: null,
  }, [{ variant: 0, ...scenario.policy }])
  await runSession({
    market: source, tracks, lanes: [lane], chain, timeframe, warmup, usesPortfolio: strategy.usesPortfolio === true, clock,
    signal: world.signal, atEnd: 'close', stopwatch: world.stopwatch,
  })
  world.signal.throwIfAborted()
  const { trades } = lane.portfolio
  return Array.from({ length: trades.length }, (_, row): ParityTrade => ({
    symbol: symbols[trades.symbol[row]], entryTime: trades.entryTime[row], exitTime: trades.exitTime[row], reason: EXIT_REASONS[trades.reason[row]],
    quantity: trades.quantity[row], entryPrice: trades.entryPrice[row], exitPrice: trades.exitPrice[row], fees: trades.fees[row],
  }))
}

/** A start that was not followed by a stop never said how much it had sent. */
function signedRequests(lines: readonly TrailLine[]): number | null {
  let sum = 0
  let starts = 0
  let stops = 0
  for (const { fields } of lines) {
    if (fields.type !== 'session') continue
    const { event } = fields
    if (event === 'start' || event === 'restarted') starts++
    if (event !== 'stopped' && event !== 'finished') continue
    stops++
    sum += (fields['requests'] as { signed: number }).signed
  }
  return starts === stops ? sum : null
}

