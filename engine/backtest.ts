import { createHash } from 'node:crypto'
import { relative, resolve } from 'node:path'
import { Trail } from './audit/trail.ts'
import { assemble, type LaneVariant, type World } from './assemble.ts'
import type { Resolution, ResolvedScenario } from './config/resolve.ts'
import type { DecisionCounts, ExitCounts, Figures } from './core/figures.ts'
import { isoTime } from './core/time.ts'
import { timeframeMs } from './core/timeframe.ts'
import { describe, TapeWatch, type Played } from './describe.ts'
import { TapedeckError } from './errors.ts'
import type { CandleBatch } from './ports.ts'
import type { Baselines, ReportData } from './report/report-data.ts'
import { measureLane } from './session/measures.ts'
import { RunDirectory } from './session/run-directory.ts'
import { laneOf, runSession } from './session/session.ts'
import { equityCsv, tradesCsv } from './session/run-tables.ts'
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
  const run = runId(resolution.scenario)
  const directory = options.out === null ? null : new RunDirectory(options.out, run)
  if (directory !== null) options.onDirectory?.(directory)
  try {
    const played = await play(resolution, world, options, run, directory)
    const report = await describe(resolution, played, {
      again: options.report ? played.market : null, charts: options.out !== null, bounds: options.bounds === true,
    }, run, world.signal)
    const figures = (): BacktestFigures => {
      const { elapsedMs, candles } = played.session
      const candlesPerSecond = elapsedMs > 0 ? candles / (elapsedMs / 1000) : null
      return { ...report.figures, elapsedMs, candlesPerSecond, wallMs: world.stopwatch() - begun }
    }
    if (directory !== null) {
      directory.writePieces('trades.csv', tradesCsv(report.trades, report.symbols))
      directory.writePieces('equity.csv', equityCsv(report.dailyEquity, report.firstDay))
      if (options.report) directory.write('report.html', (await import('./report/html.ts')).renderHtml(report))
      directory.write('run.json', `${JSON.stringify({
        run, state: report.interrupted ? 'interrupted' : 'finished', scenario: resolution.scenario,
        scenarioSha256: scenarioHash(resolution.scenario), versions: { tapedeck: version(), node: process.versions.node },
        data: played.market.facts?.() ?? null, seed: resolution.scenario.seed, startedAt: isoTime(startedAt),
        finishedAt: isoTime(options.now()), figures: figures(), baselines: report.baselines, exits: report.exits,
        decisions: report.decisions, warnings: report.warnings, bounds: report.bounds, assumptions: report.assumptions,
        // From here, so that equal runs are noted alike wherever they are.
        folder: relative(directory.path, resolve(resolution.folder)) || '.',
      }, null, 2)}\n`)
      directory.finish()
    }
    const { baselines, exits, decisions, warnings, interrupted } = report
    return {
      run, scenario: resolution.scenario, figures: figures(), baselines, exits, decisions, warnings,
      directory: directory?.path ?? null, report, interrupted,
    }
  } catch (error) {
    directory?.discard()
    throw error
  }
}

const BOUNDS: readonly LaneVariant[] = [{}, { fillModel: 'conservative' }, { fillModel: 'optimistic' }]

async function play(
  resolution: Resolution, world: World, { bounds, onProgress }: BacktestOptions, run: string, directory: RunDirectory | null,
): Promise<Played> {
  const { scenario } = resolution
  const { symbols, timeframe, audit } = scenario
  const about = { run, timeframe, scored: resolution.plugins.strategy.scored === true }
  const trail = directory === null || audit === 'off' ? null : new Trail(audit, about, directory.appendAudit)
  const { market, plan, answers } = await assemble(resolution, world, 'close', bounds ? BOUNDS : [{}], [trail])
  trail?.line('session', null, { event: 'start', scenario: scenarioHash(scenario), symbols, timeframe })

  const watch = new TapeWatch(symbols)
  const observe = (batch: CandleBatch): void => {
    watch.observe(batch)
    if (batch.decides) onProgress?.(market.progress?.() ?? null, watch.seen)
  }
  const asked = runSession({ ...plan, observe }).then((ended) => {
    if (!ended.interrupted) answers?.complete()
    return ended
  })
  const session = await asked.finally(() => answers?.close())
  if (session.candles === 0) world.signal.throwIfAborted()
  if (session.candles === 0) throw new TapedeckError('TD_TAPE_EMPTY', `${scenario.name}: not one candle was read`)
  const { links } = plan.chain
  const lane = laneOf(session, 0)
  const measures = measureLane(lane, session, session.opinions[0], links)
  trail?.line('session', session.lastOpen + timeframeMs(timeframe), {
    event: session.interrupted ? 'interrupted' : 'end', candles: session.candles, final_equity: measures.finalEquity,
  })
  trail?.flush()
  return { market, session, lane, links, measures, watch, answers }
}
