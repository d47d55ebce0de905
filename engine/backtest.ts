import { createHash } from 'node:crypto'
import { Trail } from './audit/trail.ts'
import { assemble, type LaneVariant, type World } from './assemble.ts'
import type { Resolution, ResolvedScenario } from './config/resolve.ts'
import type { DecisionCounts, ExitCounts, Figures } from './core/figures.ts'
import { computeFigures } from './core/metrics.ts'
import { equity } from './core/portfolio.ts'
import { baseRate, breakEvenRate, roundTripCosts } from './core/policy.ts'
import { isoDay, isoTime } from './core/time.ts'
import { timeframeMs } from './core/timeframe.ts'
import { TapedeckError } from './errors.ts'
import type { CandleBatch, MarketSource } from './ports.ts'
import { buyAndHold, HoldWatch, RandomEntries } from './report/baselines.ts'
import { ChartCollector } from './report/chart-candles.ts'
import { assumptions, warnings } from './report/notes.ts'
import type { Baselines, BreakEven, ReportData } from './report/report-data.ts'
import { countDecisions, countExits, measureLane } from './session/measures.ts'
import { RunDirectory } from './session/run-directory.ts'
import { laneOf, runSession } from './session/session.ts'
import { TRADES_HEADER, tradeRow } from './session/trade-record.ts'
import { version } from './version.ts'

export interface BacktestOptions {
  /** Parent folder of run directories; null writes nothing to disk. */
  readonly out: string | null
  /** Write report.html and draw the random baseline, for which the tape is read a second time. */
  readonly report: boolean
  /** Also run the most and the least careful fill model in the same pass. */
  readonly bounds?: boolean
  /** Share of the tape that has been read (0 … 1, or null where unknown) and candles so far. */
  readonly onProgress?: (share: number | null, candles: number) => void
  /** Told as soon as the run directory exists, so that a process that must leave at once can clear it away. */
  readonly onDirectory?: (directory: RunDirectory) => void
  /** Wall clock for run.json, the only file that shows it. */
  readonly now: () => number
}

export interface BacktestFigures extends Figures {
  readonly elapsedMs: number
  readonly candlesPerSecond: number | null
  readonly wallMs: number
}

export interface BacktestResult {
  readonly run: string
  readonly scenario: ResolvedScenario
  readonly figures: BacktestFigures
  readonly baselines: Baselines
  readonly exits: ExitCounts
  readonly decisions: DecisionCounts
  readonly warnings: readonly string[]
  /** null when nothing was written. */
  readonly directory: string | null
  readonly report: ReportData
  readonly interrupted: boolean
}

/** SHA-256 of the resolved scenario as hexadecimal. */
export const scenarioHash = (scenario: ResolvedScenario): string =>
  createHash('sha256').update(JSON.stringify(scenario)).digest('hex')

/** A run's id: the scenario's name and the first 12 digits of its hash. */
export const runId = (scenario: ResolvedScenario): string => `${scenario.name}-${scenarioHash(scenario).slice(0, 12)}`

/**
 * Runs a resolved scenario over its recorded tape and writes the run directory. Rejects with a coded error, leaving
 * nothing behind, when the tape or the disk fails; an aborted signal ends the run early but validly.
 */
export async function backtest(resolution: Resolution, world: World, options: BacktestOptions): Promise<BacktestResult> {
  const begun = world.stopwatch()
  const startedAt = options.now()
  const { scenario } = resolution
  const run = runId(scenario)
  const directory = options.out === null ? null : new RunDirectory(options.out, run)
  if (directory !== null) options.onDirectory?.(directory)
  try {
    const about = { run, timeframe: scenario.timeframe, scored: resolution.plugins.strategy.scored === true }
    const trail = directory === null || scenario.audit === 'off' ? null : new Trail(scenario.audit, about, directory.appendAudit)
    const variants: readonly LaneVariant[] = options.bounds
      ? [{}, { fillModel: 'conservative' }, { fillModel: 'optimistic' }]
      : [{}]
    const { market, plan } = await assemble(resolution, world, 'close', variants, [trail])
    trail?.line('session', null, { event: 'start', scenario: scenarioHash(scenario), symbols: scenario.symbols, timeframe: scenario.timeframe })

    const watches = scenario.symbols.map(() => new HoldWatch())
    const perSymbol = scenario.symbols.map(() => 0)
    let seen = 0
    const observe = (batch: CandleBatch): void => {
      if (!batch.decides) return
      const symbol = scenario.symbols.indexOf(batch.symbol)
      watches[symbol].add(batch.columns, batch.start, batch.end)
      perSymbol[symbol] += batch.end - batch.start
      seen += batch.end - batch.start
      options.onProgress?.(market.progress?.() ?? null, seen)
    }
    const session = await runSession({ ...plan, observe })
    if (session.candles === 0 && !session.interrupted) throw new TapedeckError('TD_TAPE_EMPTY', `${scenario.name}: the market has no candle`)
    const lane = laneOf(session, 0)
    const measures = measureLane(lane, session, session.opinions[0], plan.chain.links)
    trail?.line('session', session.lastOpen < 0 ? null : session.lastOpen + timeframeMs(scenario.timeframe), {
      event: session.interrupted ? 'interrupted' : 'end', candles: session.candles, final_equity: measures.finalEquity,
    })
    trail?.flush()

    const figures = computeFigures(measures)
    const costs = (await lane.broker.account()).costs
    const secondPass = options.report && !session.interrupted
      ? await readAgain(market, scenario, new RandomEntries(measures.trades, perSymbol, scenario.seed), options.out !== null)
      : null
    const baselines: Baselines = {
      buyAndHold: session.candles === 0
        ? { finalEquity: null, totalReturn: null, note: 'no candle was read' }
        : buyAndHold(watches, measures.startCash, costs),
      flat: { finalEquity: measures.startCash, totalReturn: 0, maxDrawdown: 0, note: 'no trade at all' },
      random: secondPass?.random.result(measures.startCash, scenario.policy.positionSize, costs, figures.totalReturn) ?? null,
    }
    const { stopLoss, takeProfit, minConfidence } = scenario.policy
    const roundTrip = roundTripCosts(costs)
    const breakEven: BreakEven = {
      baseRate: baseRate(stopLoss, takeProfit), breakEven: breakEvenRate(stopLoss, takeProfit, roundTrip), costs: roundTrip, minConfidence,
    }
    const decisions = countDecisions(lane, session.opinions[0], plan.chain.links)
    const dust = measures.finalEquity - lane.portfolio.cash
    const said = warnings({
      scenario, figures, measures, breakEven, decisions, dust, halted: lane.halted, interrupted: session.interrupted,
      latencyP95: session.opinions[0].latencyP95(), bounded: options.bounds === true,
    })
    const report: ReportData = {
      run, name: scenario.name, symbols: scenario.symbols, timeframe: scenario.timeframe, strategy: scenario.strategy.name,
      firstOpen: session.firstOpen, lastOpen: session.lastOpen, startCash: measures.startCash,
      quote: scenario.symbols[0].split('/')[1], figures, baselines, breakEven, exits: countExits(measures), decisions,
      bounds: options.bounds ? { conservative: equity(laneOf(session, 1).portfolio), optimistic: equity(laneOf(session, 2).portfolio) } : null,
      trades: measures.trades, dailyEquity: measures.dailyEquity, firstDay: measures.firstDay, charts: secondPass?.charts ?? [],
      assumptions: assumptions(scenario, resolution.omitted, market.facts?.().notes ?? []), warnings: said,
      interrupted: session.interrupted,
    }
    const { elapsedMs } = session
    const timed = (wallMs: number): BacktestFigures => ({
      ...figures, elapsedMs, candlesPerSecond: elapsedMs > 0 ? session.candles / (elapsedMs / 1000) : null, wallMs,
    })
    if (directory !== null) {
      directory.writePieces('trades.csv', tradesCsv(report))
      directory.writePieces('equity.csv', equityCsv(measures.dailyEquity, measures.firstDay))
      if (options.report) directory.write('report.html', (await import('./report/html.ts')).renderHtml(report))
      const record = {
        run, state: session.interrupted ? 'interrupted' : 'finished', scenario, scenarioSha256: scenarioHash(scenario),
        versions: { tapedeck: version(), node: process.versions.node }, data: market.facts?.() ?? null, seed: scenario.seed,
        startedAt: isoTime(startedAt), finishedAt: isoTime(options.now()), figures: timed(world.stopwatch() - begun), baselines,
        exits: report.exits, decisions, warnings: said,
      }
      directory.write('run.json', `${JSON.stringify(record, null, 2)}\n`)
      directory.finish()
    }
    return {
      run, scenario, figures: timed(world.stopwatch() - begun), baselines, exits: report.exits, decisions, warnings: said,
      directory: directory?.path ?? null, report, interrupted: session.interrupted,
    }
  } catch (error) {
    directory?.discard()
    throw error
  }
}

interface SecondPass {
  readonly random: RandomEntries
  readonly charts: ReportData['charts']
}

/** Reads the tape once more, for prices that only the finished run knows to need. */
async function readAgain(market: MarketSource, { symbols, timeframe }: ResolvedScenario, random: RandomEntries, charts: boolean): Promise<SecondPass> {
  const collectors = charts ? symbols.map((symbol) => new ChartCollector(symbol, timeframeMs(timeframe))) : []
  for await (const event of market.events()) {
    if (event.kind !== 'candles' || !event.decides) continue
    const symbol = symbols.indexOf(event.symbol)
    random.add(symbol, event.columns, event.start, event.end)
    collectors[symbol]?.add(event.columns, event.start, event.end)
  }
  return { random, charts: collectors.map((collector) => collector.result()) }
}

function* tradesCsv({ trades, symbols }: ReportData): Iterable<string> {
  yield TRADES_HEADER
  for (let row = 0; row < trades.length; row++) yield tradeRow(trades, row, symbols)
}

function* equityCsv(daily: Float64Array, firstDay: number): Iterable<string> {
  yield 'date,equity\n'
  for (let index = 0; index < daily.length; index++) yield `${isoDay(firstDay + index)},${daily[index]}\n`
}

