import { join } from 'node:path'
import type { Argv } from 'yargs'
import { TapedeckError } from '../errors.ts'
import type { LiveResult } from '../live.ts'
import { rehearse } from '../rehearse.ts'
import { commandLine, hint } from '../report/hint.ts'
import { renderTerminal } from '../report/terminal.ts'
import { sentText } from '../session/course.ts'
import { venueFrom } from '../venue.ts'
import { defineCommand } from './command.ts'
import { coverageGate } from './coverage-gate.ts'
import { faultHelp } from './fault-help.ts'
import { startProgress } from './progress.ts'
import { resolveAll, scenarioOptions, type ScenarioArguments } from './scenario-options.ts'
import type { Terminal } from './terminal.ts'
import { wholeNumber } from './values.ts'

interface Arguments extends ScenarioArguments {
  readonly scenario: string
  readonly out: string
  readonly json: boolean
  readonly resume: boolean
  readonly speed?: number
  readonly fault?: readonly string[]
  readonly faultSeed: number
  readonly exchange?: string
}

export const rehearseCommand = defineCommand<Arguments>({
  command: 'rehearse <scenario>',
  describe: 'Run a scenario through the live path on a practice exchange',
  builder: (argv: Argv) =>
    scenarioOptions(argv.positional('scenario', { type: 'string', demandOption: true, describe: 'scenario file, as it was backtested' }))
      .option('out', { type: 'string', requiresArg: true, default: 'runs', describe: 'parent folder of the run directories' })
      .option('resume', { type: 'boolean', default: false, describe: 'go on with the newest rehearsal of this scenario that was stopped or killed' })
      .option('speed', { type: 'number', requiresArg: true, describe: 'simulated seconds per real second at most; left out = as fast as it can' })
      .option('fault', { type: 'string', array: true, nargs: 1, describe: 'let the exchange misbehave: --fault lost-answer:0.05; see below' })
      .option('fault-seed', { type: 'number', requiresArg: true, default: 1, describe: 'the same seed brings the same faults' })
      .option('exchange', { type: 'string', requiresArg: true, describe: 'a practice exchange that runs already, such as http://127.0.0.1:4711; see tapedeck exchange' })
      .option('json', { type: 'boolean', default: false, describe: 'print one JSON document on stdout and nothing else' })
      .example('$0 rehearse scenarios/demo.yaml', 'the whole tape, against an exchange over HTTP'),
  epilogue: faultHelp,
  async handler(argv, terminal) {
    if (argv.speed !== undefined && !(argv.speed > 0)) throw new TapedeckError('TD_USAGE', '--speed: expected a number above 0, such as 3600')
    const [resolution] = await resolveAll([argv.scenario], argv, terminal)
    const progress = await startProgress(resolution.scenario.name, !argv.json)
    try {
      const result = await rehearse(resolution, terminal.worldOf(argv.out), {
        out: argv.out, resume: argv.resume, speed: argv.speed ?? null, faults: argv.fault ?? [],
        seed: wholeNumber('fault-seed', argv.faultSeed, 0),
        exchange: argv.exchange === undefined ? null : venueFrom(terminal.settings, terminal.env, { exchange: argv.exchange }),
        checkIntervalMs: terminal.settings.checkIntervalSeconds * 1000, decisions: join('logs', 'autonomous_trades.jsonl'),
        onCandles: progress.update, now: () => Date.now(),
      })
      progress.stop()
      show(result, argv, terminal)
      if (result.state === 'stopped') return 130
      return result.report === null ? 0 : coverageGate(resolution.scenario, result.report.figures.coverage, terminal)
    } finally {
      progress.stop()
    }
  },
})

function show({ run, directory, state, report, requests }: LiveResult, { json, resume }: Arguments, terminal: Terminal): void {
  const goOn = state === 'stopped' ? commandLine(resume ? terminal.args : [...terminal.args, '--resume']) : null
  if (json) {
    terminal.json({
      run, directory, state, requests, ...(goOn === null ? {} : { goOn }),
      ...(report === null ? {} : {
        figures: report.figures, baselines: report.baselines, exits: report.exits, decisions: report.decisions, warnings: report.warnings,
      }),
    })
    return
  }
  if (report !== null) {
    terminal.print(renderTerminal(report, { colour: terminal.colour, width: terminal.width, directory, reportPath: join(directory, 'report.html') }))
  }
  terminal.print([
    '',
    `Rehearsed on a practice exchange: ${sentText(requests.signed, requests)} signed requests over HTTP.`,
    `  ${hint(directory, 'parity', run)}   does the backtest say the same?`,
    `  ${hint(directory, 'replay', run)}   does the trail repeat itself?`,
    ...(goOn !== null ? [`  It was stopped before the end of the tape. This goes on with it:`, `  ${goOn}`] : []),
  ].join('\n'))
}
