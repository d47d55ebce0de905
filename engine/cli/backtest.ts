import { join } from 'node:path'
import type { Argv } from 'yargs'
import { backtest, type BacktestResult } from '../backtest.ts'
import type { Resolution } from '../config/resolve.ts'
import { renderTerminal } from '../report/terminal.ts'
import { defineCommand } from './command.ts'
import { startProgress } from './progress.ts'
import { resolveAll, scenarioOptions, type ScenarioArguments } from './scenario-options.ts'
import type { Terminal } from './terminal.ts'

interface Arguments extends ScenarioArguments {
  readonly scenario: readonly string[]
  readonly json: boolean
  readonly out: string
  readonly report: boolean
  readonly bounds: boolean
}

export const backtestCommand = defineCommand<Arguments>({
  command: 'backtest <scenario..>',
  describe: 'Run scenarios over recorded candles',
  builder: (argv: Argv) =>
    scenarioOptions(argv.positional('scenario', { type: 'string', array: true, demandOption: true, describe: 'scenario files' }))
      .option('json', { type: 'boolean', default: false, describe: 'print one JSON document on stdout and nothing else' })
      .option('out', { type: 'string', default: 'runs', describe: 'parent folder of the run directories' })
      .option('report', { type: 'boolean', default: true, describe: 'write report.html (--no-report leaves it and the random baseline out)' })
      .option('bounds', { type: 'boolean', default: false, describe: 'also run the conservative and the optimistic fill model' })
      .example('$0 backtest scenarios/demo.yaml --stop-loss 0.03', 'the demo with a tighter stop'),
  async handler(argv, terminal) {
    const resolutions = await resolveAll(argv.scenario, argv, terminal)
    const results: BacktestResult[] = []
    for (const resolution of resolutions) {
      const result = await runOne(resolution, argv, terminal)
      results.push(result)
      if (!argv.json) show(result, argv, terminal)
      if (terminal.interrupted) break
    }
    if (argv.json) {
      const documents = results.map(({ run, scenario, figures, baselines, exits, decisions, warnings, directory, interrupted, report }) => ({
        run, scenario, figures, baselines, exits, decisions, breakEven: report.breakEven, bounds: report.bounds, warnings, interrupted, directory,
      }))
      terminal.json(argv.scenario.length === 1 ? documents[0] : documents)
      for (const { warnings, run } of results) for (const warning of warnings) terminal.note(`warning: ${run}: ${warning}`)
    }
    return terminal.interrupted ? 130 : 0
  },
})

async function runOne(resolution: Resolution, { out, report, bounds, json }: Arguments, terminal: Terminal): Promise<BacktestResult> {
  const progress = await startProgress(resolution.scenario.name, !json)
  try {
    return await backtest(resolution, terminal.world, {
      out, report, bounds,
      onProgress: progress.update,
      onDirectory: (directory) => terminal.onLeave(() => directory.discard()),
      now: () => Date.now(),
    })
  } finally {
    progress.stop()
  }
}

function show({ report, figures, directory }: BacktestResult, { report: html }: Arguments, terminal: Terminal): void {
  terminal.print(renderTerminal(report, {
    colour: terminal.colour,
    width: terminal.width,
    ...(directory === null ? {} : { directory }),
    ...(html && directory !== null ? { reportPath: join(directory, 'report.html') } : {}),
    elapsed: { elapsedMs: figures.elapsedMs, candlesPerSecond: figures.candlesPerSecond ?? 0 },
  }))
}
