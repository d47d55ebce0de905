import { candleColumns, setRow, type CandleColumns } from '../../engine/core/candle.ts'
import type { ExitCounts, TradeColumns } from '../../engine/core/figures.ts'
import { computeFigures } from '../../engine/core/metrics.ts'
import { EXIT_REASONS, type ExitReason } from '../../engine/core/order.ts'
import { DAY_MS } from '../../engine/core/time.ts'
import { TIMEFRAMES, type Timeframe } from '../../engine/core/timeframe.ts'
import { ChartCollector } from '../../engine/report/chart-candles.ts'
import type { ReportData } from '../../engine/report/report-data.ts'

export interface FixtureOptions {
  readonly seed?: number
  readonly symbols?: readonly string[]
  readonly timeframe?: Timeframe
  /** Candles of each symbol. */
  readonly candles?: number
  /** Chance of an entry at each candle without a position. */
  readonly entryChance?: number
  /** Most candles that a position is held, less 4. */
  readonly hold?: number
  /** Drift of the price per candle. */
  readonly drift?: number
  readonly chartLimit?: number
}

const START = Date.UTC(2022, 0, 3)
const STOP = 0.05
const TARGET = 0.03
const FEE = 0.001
const SIZE = 0.4

/** Mulberry32: small, seeded, the same everywhere. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

const cents = (price: number): number => Math.round(price * 100) / 100

/** A random walk with calm and stormy weeks, in cents. */
export function walk(random: () => number, rows: number, stepMs: number, first: number, drift: number): CandleColumns {
  const columns = candleColumns(rows)
  let price = first
  for (let row = 0; row < rows; row++) {
    const storm = 0.004 + 0.004 * Math.sin(row / 900) ** 2
    const shock = (): number => (random() + random() + random() - 1.5) * storm
    const open = cents(price)
    const close = cents(price * (1 + drift + shock()))
    const high = cents(Math.max(open, close) * (1 + Math.abs(shock()) / 2))
    const low = cents(Math.min(open, close) * (1 - Math.abs(shock()) / 2))
    setRow(columns, row, { openTime: START + row * stepMs, open, high, low, close, volume: Math.round(random() * 900) })
    price = close
  }
  return columns
}

interface Trade {
  symbol: number; entry: number; exit: number; entryPrice: number; exitPrice: number; reason: ExitReason; spent: number
}

function tradeOn(
  columns: CandleColumns, symbol: number, random: () => number, chance: number, hold: number, cash: number,
): Trade[] {
  const trades: Trade[] = []
  const rows = columns.openTime.length
  for (let row = 21; row < rows - 1; row++) {
    if (random() >= chance) continue
    const entryPrice = columns.open[row]
    const [stop, target] = [entryPrice * (1 - STOP), entryPrice * (1 + TARGET)]
    const until = row + 4 + Math.floor(random() * hold)
    let exit = row
    let reason: ExitReason = 'end'
    let exitPrice = columns.close[rows - 1]
    for (; exit < rows; exit++) {
      if (columns.low[exit] <= stop) { reason = 'stop'; exitPrice = stop; break }
      if (columns.high[exit] > target) { reason = 'target'; exitPrice = target; break }
      if (exit >= until) { reason = random() < 0.8 ? 'signal' : 'time'; exitPrice = columns.open[exit]; break }
    }
    exit = Math.min(exit, rows - 1)
    trades.push({ symbol, entry: row, exit, entryPrice, exitPrice, reason, spent: cash * SIZE })
    row = exit
  }
  return trades
}

function columnsOf(trades: readonly Trade[], stepMs: number): TradeColumns {
  const of = (value: (trade: Trade) => number): Float64Array => Float64Array.from(trades, value)
  const units = (trade: Trade): number => trade.spent / (trade.entryPrice * (1 + FEE))
  const fees = (trade: Trade): number => units(trade) * (trade.entryPrice + trade.exitPrice) * FEE
  return {
    length: trades.length,
    symbol: Uint8Array.from(trades, (trade) => trade.symbol),
    entryTime: of((trade) => START + trade.entry * stepMs),
    exitTime: of((trade) => START + trade.exit * stepMs),
    entryPrice: of((trade) => trade.entryPrice),
    exitPrice: of((trade) => trade.exitPrice),
    quantity: of(units),
    reason: Uint8Array.from(trades, (trade) => EXIT_REASONS.indexOf(trade.reason)),
    fees: of(fees),
    slippage: of((trade) => trade.spent * 0.0005),
    cost: of((trade) => trade.spent),
    pnl: of((trade) => units(trade) * (trade.exitPrice - trade.entryPrice) - fees(trade)),
    stop: of((trade) => trade.entryPrice * (1 - STOP)),
    target: of((trade) => trade.entryPrice * (1 + TARGET)),
    held: of((trade) => trade.exit - trade.entry),
  }
}

const sum = (values: ArrayLike<number>): number => Array.from(values).reduce((total, value) => total + value, 0)
const mean = (values: ArrayLike<number>): number => sum(values) / values.length

function deepest(values: Float64Array): number {
  let [peak, worst] = [values[0], 0]
  for (const value of values) worst = Math.min(worst, value / (peak = Math.max(peak, value)) - 1)
  return worst
}

const dayOf = (time: number): number => Math.floor((time - START) / DAY_MS)

function dailyEquityOf(trades: TradeColumns, startCash: number, days: number): Float64Array {
  const daily = new Float64Array(days).fill(startCash)
  for (let row = 0; row < trades.length; row++) {
    const from = dayOf(trades.entryTime[row])
    const span = dayOf(trades.exitTime[row]) - from + 1
    for (let day = from; day < days; day++) daily[day] += trades.pnl[row] * Math.min(1, (day - from + 1) / span)
  }
  return daily
}

/** A finished run as the report sees it: synthetic candles, and trades that fit them. The same for the same options. */
export function reportFixture(options: FixtureOptions = {}): ReportData {
  const {
    seed = 11, symbols = ['BTC/USDT', 'ETH/USDT'], timeframe = '1h', candles = 13_000, entryChance = 0.035,
    hold = 90, drift = 0.00007, chartLimit = 20_000,
  } = options
  const stepMs = TIMEFRAMES[timeframe]
  const random = seeded(seed)
  const startCash = 10_000
  const tapes = symbols.map((_, index) => walk(random, candles, stepMs, 46_458.51 / (1 + index * 11), drift))
  const cash = startCash / symbols.length
  const list = tapes.flatMap((tape, index) => tradeOn(tape, index, random, entryChance, hold, cash))
  const trades = columnsOf(list.sort((left, right) => left.exit - right.exit || left.symbol - right.symbol), stepMs)
  const lastOpen = START + (candles - 1) * stepMs
  const dailyEquity = dailyEquityOf(trades, startCash, Math.floor((lastOpen - START) / DAY_MS) + 1)
  const figures = computeFigures({
    startCash,
    finalEquity: dailyEquity[dailyEquity.length - 1],
    dailyEquity,
    firstDay: START / DAY_MS,
    maxDrawdown: deepest(dailyEquity) * 1.08,
    firstOpen: START,
    lastOpen,
    moments: candles,
    momentsInPosition: Math.floor(candles * 0.4137),
    candles: candles * symbols.length,
    trades,
    fees: sum(trades.fees),
    slippage: sum(trades.slippage),
    traded: sum(trades.cost) * 2,
    ambiguousCandles: 3,
    coverage: 0,
    aiCost: 0,
  })
  const exitsBy = (reason: ExitReason): number => list.filter((trade) => trade.reason === reason).length
  const exits = Object.fromEntries(EXIT_REASONS.map((reason) => [reason, exitsBy(reason)]))
  const decided = (candles - 21) * symbols.length
  const held = mean(tapes.map((tape) => tape.close[candles - 1] / tape.open[0] - 1))
  const charts = tapes.map((tape, index) => {
    const collector = new ChartCollector(symbols[index], stepMs, chartLimit)
    collector.add(tape, 0, candles)
    return collector.result()
  })
  return {
    run: 'momentum-on-majors-3f9c21b07ad4',
    name: 'Momentum on majors',
    symbols,
    timeframe,
    strategy: 'sma-cross',
    firstOpen: START,
    lastOpen,
    startCash,
    quote: 'USDT',
    figures,
    baselines: {
      buyAndHold: {
        finalEquity: startCash * (1 + held), totalReturn: held, maxDrawdown: -0.4211,
        note: 'all cash at the first open, equal parts, same costs, out at the last close',
      },
      flat: { finalEquity: startCash, totalReturn: 0, maxDrawdown: 0, note: 'no trade at all' },
      random: {
        finalEquity: startCash * 0.912, totalReturn: -0.088, low: -0.214, high: 0.061, draws: 1000, beats: 0.873,
        note: 'median of random entries with the run’s holding times, costs and size',
      },
    },
    breakEven: { baseRate: 0.625, breakEven: 0.6625, costs: 0.003, minConfidence: 0.6 },
    exits: exits as ExitCounts,
    decisions: {
      total: decided,
      byStatus: { SKIPPED: decided - trades.length - 96, EXECUTED: trades.length, REJECTED: 96, FAILED: 0 },
      byReason: { 'already-in-position': 71, 'low-confidence': 21, cooldown: 4 },
      byProvider: { technical: decided }, aiAsked: 0, aiFlipped: 0,
    },
    bounds: { conservative: figures.finalEquity * 0.994, optimistic: figures.finalEquity * 1.021 },
    trades,
    dailyEquity,
    firstDay: START / DAY_MS,
    charts,
    assumptions: [
      'Fill model conservative: a target fills only when the price goes through it, and a stop comes before a target.',
      'Fees 0.1 % maker and 0.1 % taker, paid in quote.',
      'Slippage 5 bps on market and stop fills.',
      'Each entry spends 40 % of the equity of its symbol’s share.',
      'No instrument was given: prices and quantities are not rounded (tick 0, lot 0, minimum notional 0).',
      'Stop 5 % and target 3 % are the defaults; the scenario does not set them.',
    ],
    warnings: [
      'minConfidence 60 % is below break-even 66.25 %: a perfectly calibrated trader at the threshold loses money.',
      '3 candles touched stop and target; their order of events is unknown and the fill model decided.',
    ],
    interrupted: false,
    open: [],
    rehearsal: null,
  }
}

/** What a report shows of a rehearsal that went through everything. */
export const rehearsed: Pick<ReportData, 'open' | 'rehearsal'> = {
  open: [{
    symbol: 'ETH/USDT', entryTime: START + 7_200_000, entryPrice: 2301.5, quantity: 0.25, price: 2311.5, worth: 577.875,
    unrealised: 2.5,
  }],
  rehearsal: {
    faults: ['lost-answer:0.05', 'server-error:0.02:on=POST /order'], restarts: 2,
    alarms: [['naked', 3], ['venue-unreachable', 1]], halts: [{ time: START, rule: 'maxDrawdown' }],
    requests: { signed: 1234, public: 56, complete: false },
  },
}
