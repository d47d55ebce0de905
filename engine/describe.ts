import type { Answers } from './answers.ts'
import type { Resolution, ResolvedScenario } from './config/resolve.ts'
import type { LaneMeasures } from './core/figures.ts'
import { computeFigures } from './core/metrics.ts'
import { equity } from './core/portfolio.ts'
import { baseRate, breakEvenRate, roundTripCosts } from './core/policy.ts'
import { timeframeMs } from './core/timeframe.ts'
import type { ChainLink } from './pipeline/provider-chain.ts'
import type { CandleBatch, MarketSource } from './ports.ts'
import { buyAndHold, HoldWatch, RandomEntries } from './report/baselines.ts'
import { ChartCollector } from './report/chart-candles.ts'
import { aiAssumptions, assumptions, warnings } from './report/notes.ts'
import type { Baselines, BreakEven, OpenPosition, Rehearsal, ReportData } from './report/report-data.ts'
import type { Lane } from './session/lane.ts'
import { countDecisions, countExits } from './session/measures.ts'
import { laneOf, type SessionResult } from './session/session.ts'

/** What a session came to, and what was noted of the candles on the way. */
export interface Played {
  readonly market: MarketSource
  readonly session: SessionResult
  readonly lane: Lane
  readonly links: readonly ChainLink[]
  readonly measures: LaneMeasures
  readonly watch: TapeWatch
  readonly answers: Answers | null
}

/** What a report wants to know of the candles that went by. */
export class TapeWatch {
  readonly holds: readonly HoldWatch[]
  readonly candlesPerSymbol: number[]
  /** Decision candles so far, all symbols. */
  seen = 0
  readonly #symbols: readonly string[]

  constructor(symbols: readonly string[]) {
    this.#symbols = symbols
    this.holds = symbols.map(() => new HoldWatch())
    this.candlesPerSymbol = symbols.map(() => 0)
  }

  readonly observe = ({ decides, symbol, columns, start, end }: CandleBatch): void => {
    if (!decides) return
    const index = this.#symbols.indexOf(symbol)
    this.holds[index].add(columns, start, end)
    this.candlesPerSymbol[index] += end - start
    this.seen += end - start
  }
}

/** How a report is to be made. */
export interface DescribeOptions {
  /** Read the tape a second time, for the random baseline and, where files are written, the chart. */
  readonly again: MarketSource | null
  readonly charts: boolean
  readonly bounds: boolean
  /** How the run came about, where it was no plain backtest; first among the assumptions. */
  readonly notes?: readonly string[]
  /** How it went where it was a rehearsal. */
  readonly rehearsal?: Rehearsal | null
}

/** Figures, baselines, assumptions and warnings of a played tape. */
export async function describe(
  { scenario, omitted, description, plugins: { strategy } }: Resolution, { market, session, lane, links, measures, watch, answers }: Played, options: DescribeOptions,
  run: string, signal: AbortSignal,
): Promise<ReportData> {
  const { symbols, policy, seed } = scenario
  const figures = computeFigures(measures)
  const { costs } = await lane.broker.account()
  const again = session.interrupted ? null : options.again
  const random = again === null ? null : new RandomEntries(measures.trades, watch.candlesPerSymbol, seed)
  const charts = random === null ? [] : await readAgain(again!, scenario, random, options.charts)
  // Interrupted in the second pass: the run is whole, but what only that pass can tell is not.
  const complete = again !== null && !signal.aborted
  const baselines: Baselines = {
    buyAndHold: buyAndHold(watch.holds, measures.startCash, costs),
    flat: { finalEquity: measures.startCash, totalReturn: 0, maxDrawdown: 0, note: 'no trade at all' },
    random: complete && random !== null ? random.result(measures.startCash, policy.positionSize, costs, figures.totalReturn) : null,
  }
  const { stopLoss, takeProfit, minConfidence } = policy
  const roundTrip = roundTripCosts(costs)
  const breakEven: BreakEven = {
    baseRate: baseRate(stopLoss, takeProfit), breakEven: breakEvenRate(stopLoss, takeProfit, roundTrip), costs: roundTrip, minConfidence,
  }
  const decisions = countDecisions(lane, session.opinions[0], links)
  const equityOf = (variant: number): number => equity(laneOf(session, variant).portfolio)
  return {
    run, name: scenario.name, symbols, timeframe: scenario.timeframe, strategy: scenario.strategy.name,
    firstOpen: session.firstOpen, lastOpen: session.lastOpen, startCash: measures.startCash, quote: symbols[0].split('/')[1],
    figures, baselines, breakEven, exits: countExits(measures), decisions,
    bounds: options.bounds ? { conservative: equityOf(1), optimistic: equityOf(2) } : null,
    trades: measures.trades, dailyEquity: measures.dailyEquity, firstDay: measures.firstDay, charts: complete ? charts : [],
    assumptions: [...(options.notes ?? []), ...(description === null ? [] : [description]), ...aiAssumptions(scenario, decisions), ...assumptions(scenario, omitted, market.facts?.().notes ?? [])],
    warnings: warnings({
      scenario, asks: strategy.asks?.(scenario.strategy.params) ?? null, figures, measures, breakEven, decisions, dust: dustWorth(lane), open: openPositions(lane, symbols), halted: lane.haltedBy,
      interrupted: session.interrupted || signal.aborted, tape: market.facts?.().warnings ?? [], latencyP95: session.opinions[0].latencyP95(), bounded: options.bounds, replayed: session.interrupted ? null : answers?.replayed() ?? null,
    }),
    interrupted: session.interrupted || signal.aborted,
    open: openPositions(lane, symbols), rehearsal: options.rehearsal ?? null,
  }
}

const openPositions = ({ portfolio: { holdings } }: Lane, symbols: readonly string[]): OpenPosition[] =>
  holdings.filter(({ open }) => open).map(({ index, entryTime, entryPrice, quantity, mark, cost }) => ({
    symbol: symbols[index], entryTime, entryPrice, quantity, price: mark, worth: quantity * mark, unrealised: quantity * mark - cost,
  }))

/** What is left of positions that are none any more. */
const dustWorth = ({ portfolio: { holdings } }: Lane): number =>
  holdings.reduce((sum, { open, quantity, mark }) => (open ? sum : sum + quantity * mark), 0)

/** Reads the tape once more, for prices that only the finished run knows to need. */
async function readAgain(
  market: MarketSource, { symbols, timeframe }: ResolvedScenario, random: RandomEntries, charts: boolean,
): Promise<ReportData['charts']> {
  const collectors = charts ? symbols.map((symbol) => new ChartCollector(symbol, timeframeMs(timeframe))) : []
  for await (const event of market.events()) {
    if (event.kind !== 'candles' || !event.decides) continue
    const symbol = symbols.indexOf(event.symbol)
    random.add(symbol, event.columns, event.start, event.end)
    collectors[symbol]?.add(event.columns, event.start, event.end)
  }
  return collectors.map((collector) => collector.result())
}
