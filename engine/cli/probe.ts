import type { Argv } from 'yargs'
import type { Probe } from '../probe.ts'
import type { CalibrationSummary } from '../compare/comparison.ts'
import { count, fixed, percent, signed } from '../report/format.ts'
import { heading, item, paint, type Line } from '../report/terminal-layout.ts'
import { defineCommand } from './command.ts'
import { overridesOf, scenarioOptions, type ScenarioArguments } from './scenario-options.ts'

interface Arguments extends ScenarioArguments {
  readonly scenario: string
  readonly json: boolean
  readonly blind?: string
}

export const probeCommand = defineCommand<Arguments>({
  command: 'probe <scenario>',
  describe: 'Lay named answers beside blind ones: does a model remember these candles?',
  builder: (argv: Argv) => scenarioOptions(argv.positional('scenario', { type: 'string', demandOption: true, describe: 'a scenario file whose answers were recorded twice, as it is and blind' }))
    .option('blind', { type: 'string', requiresArg: true, describe: 'folder of the blind answers, as recording.path would name it; left out = that path with -blind behind it' })
    .option('json', { type: 'boolean', default: false, describe: 'print one JSON document on stdout and nothing else' }),
  async handler(argv, terminal) {
    if (argv.allowHost !== undefined) terminal.allowHosts(argv.allowHost)
    const { probe } = await import('../probe.ts')
    const result = await probe({ path: argv.scenario, overrides: overridesOf(argv), settings: terminal.settings, blindRecording: argv.blind ?? null }, terminal.world)
    if (argv.json) terminal.json(result)
    else terminal.print(paint(pageOf(result, terminal.width), terminal.colour))
    return 0
  },
})

function pageOf({ scenario, provider, model, cutoff, parts, named, blind, verdict }: Probe, width: number): Line[] {
  const known = cutoff === null ? 'it is not published what it has seen' : `it knows the world up to ${cutoff.date} (${cutoff.source})`
  return [
    heading(`${scenario}: ${provider}${model === null ? '' : `, ${model}`}`, width),
    ...item('·', known, width),
    ...parts.flatMap(({ name, pairs, agreement, compared, brierNamed, brierBlind, difference, interval, verdict: said }) => item('·',
      `${name}: ${count(pairs)} decisions answered both ways, ${percent(agreement, 0)} with the same action; Brier named ${fixed(brierNamed, 4)}, blind ${fixed(brierBlind, 4)} on ${count(compared)}`
      + `${interval === null ? '' : `, difference ${signed(difference, 4)} [${signed(interval.low, 4)}, ${signed(interval.high, 4)}]`}: ${said}`, width)),
    ...item('·', `Brier skill named ${skillText(named)}, blind ${skillText(blind)}`, width),
    ...item('·', verdict, width, 'bold'),
  ]
}

const skillText = ({ skill, skillInterval }: CalibrationSummary): string =>
  `${signed(skill, 3)}${skillInterval === null ? '' : ` [${signed(skillInterval.low, 3)}, ${signed(skillInterval.high, 3)}]`}`
