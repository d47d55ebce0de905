import { join } from 'node:path'
import type { Argv } from 'yargs'
import { backtest, runId, type BacktestResult } from '../backtest.ts'
import type { Resolution } from '../config/resolve.ts'
import { TapedeckError } from '../errors.ts'
import { renderTerminal } from '../report/terminal.ts'
import { defineCommand } from './command.ts'
import { coverageGate } from './coverage-gate.ts'
import { startProgress } from './progress.ts'
import { resolveAll, scenarioOptions, type ScenarioArguments } from './scenario-options.ts'
import type { Terminal } from './terminal.ts'

interface Arguments extends ScenarioArguments {
  readonly scenario: readonly string[]
  readonly json: boolean
  readonly out: string
  readonly noReport: boolean
  readonly bounds: boolean
}

export const backtestCommand = defineCommand<Arguments>({
  command: 'backtest <scenario..>',
  describe: 'Run scenarios over recorded candles',
  builder: (argv: Argv) =>
    scenarioOptions(argv.positional('scenario', { type: 'string', demandOption: true, describe: 'scenario files' }))
      .option('json', { type: 'boolean', default: false,
        describe: 'print one JSON document on stdout and nothing else' })
      .option('out', { type: 'string', requiresArg: true, default: 'runs',
        describe: 'parent folder of the run directories' })
      .option('no-report', { type: 'boolean', default: false,
        describe: 'leave report.html and the random baseline out' })
      .option('bounds', { type: 'boolean', default: false,
        describe: 'also run the conservative and the optimistic fill model' })
      .example('$0 backtest demo.yaml --stop-loss 0.03', 'the same with a tighter stop'),
  async handler(argv, terminal) {
    const resolutions = await resolveAll(argv.scenario, argv, terminal)
    refuseTwins(resolutions)
    const results: BacktestResult[] = []
    for (const [index, resolution] of resolutions.entries()) {
      const result = await runOne(resolution, argv.scenario[index], argv, terminal)
      results.push(result)
      // The page on a terminal opens with the warnings; whoever sends it elsewhere would miss them.
      if (argv.json || !terminal.watched) {
        for (const warning of result.warnings) terminal.note(`warning: ${result.run}: ${warning}`)
      }
      if (!argv.json) show(result, argv, terminal)
      if (terminal.interrupted) break
    }
    if (argv.json) {
      const documents = results.map(({ report: { breakEven, bounds }, ...result }) => {
        const { run, scenario, figures, baselines, exits, decisions, warnings, interrupted, directory } = result
        return {
          run, scenario, figures, baselines, exits, decisions, breakEven, bounds, warnings, interrupted, directory,
        }
      })
      terminal.json(argv.scenario.length === 1 ? documents[0] : documents)
    }
    // A signal that came when everything was done has interrupted nothing.
    if (results.length < resolutions.length || results.some(({ interrupted }) => interrupted)) return 130
    return results.map(({ scenario, figures }) => coverageGate(scenario, figures.coverage, terminal)).find((code) => code !== 0) ?? 0
  },
})

/** Scenarios that resolve to the same run would replace each other's results. */
function refuseTwins(resolutions: readonly Resolution[]): void {
  const ids = resolutions.map(({ scenario }) => runId(scenario))
  const twin = ids.find((id, index) => ids.indexOf(id) !== index)
  if (twin !== undefined) {
    throw new TapedeckError('TD_USAGE',
      `two of the scenarios are the same run, ${twin}: run them apart with another --out, or name them differently`)
  }
}

async function runOne(
  resolution: Resolution, path: string, { out, noReport, bounds, json }: Arguments, terminal: Terminal,
): Promise<BacktestResult> {
  const progress = await startProgress(resolution.scenario.name, !json)
  try {
    return await backtest(resolution, terminal.worldOf(out), {
      out, report: !noReport, bounds,
      onProgress: progress.update,
      onDirectory: (directory) => terminal.onLeave(() => directory.discard()),
      now: () => Date.now(),
    })
  } catch (error) {
    throw inScenario(error, path)
  } finally {
    progress.stop()
  }
}

/** What is wrong with the tape or the options shows only in the run: it is told with the scenario that asked for it. */
function inScenario(error: unknown, path: string): unknown {
  if (!(error instanceof TapedeckError) || error.code === 'TD_RUN_WRITE') return error
  return new TapedeckError(error.code, `${path}: ${error.message}`, { cause: error })
}

function show({ report, figures, directory }: BacktestResult, { noReport }: Arguments, terminal: Terminal): void {
  terminal.print(renderTerminal(report, {
    colour: terminal.colour,
    width: terminal.width,
    ...(directory === null ? {} : { directory }),
    ...(!noReport && directory !== null ? { reportPath: join(directory, 'report.html') } : {}),
    elapsed: { elapsedMs: figures.elapsedMs, candlesPerSecond: figures.candlesPerSecond ?? 0 },
  }))
}
