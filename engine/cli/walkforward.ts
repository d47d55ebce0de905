import type { Argv } from 'yargs'
import { TapedeckError } from '../errors.ts'
import { axisOf } from '../compare/matrix.ts'
import { isoTime, DAY_MS } from '../core/time.ts'
import { change, count, percent, ratio, signed } from '../report/format.ts'
import { heading, item, paint, span, table, type Line } from '../report/terminal-layout.ts'
import { RunDirectory } from '../session/run-directory.ts'
import type { WalkForward } from '../walkforward.ts'
import { defineCommand } from './command.ts'
import { allowHost, overridesOf, type ScenarioArguments } from './scenario-options.ts'

interface Arguments extends ScenarioArguments {
  readonly scenario: string
  readonly train: string
  readonly test: string
  readonly minConfidence: string
  readonly json: boolean
  readonly out: string
}

export const walkforwardCommand = defineCommand<Arguments>({
  command: 'walkforward <scenario>',
  describe: 'Choose the threshold on each training window, trade it on the next, and compare',
  builder: (argv: Argv) => allowHost(argv.positional('scenario', { type: 'string', demandOption: true, describe: 'a scenario file' }))
    .option('train', { type: 'string', requiresArg: true, default: '90d', describe: 'length of a training window: 90d or 12w' })
    .option('test', { type: 'string', requiresArg: true, default: '30d', describe: 'length of the window after it' })
    .option('min-confidence', { type: 'string', requiresArg: true, default: '0.5:0.9:0.05', describe: 'thresholds to choose from: 0.5,0.6 or 0.5:0.9:0.05' })
    .option('from', { type: 'string', requiresArg: true, describe: 'first candle: YYYY-MM-DD, ISO time or epoch ms' })
    .option('to', { type: 'string', requiresArg: true, describe: 'end of the tape, exclusive' })
    .option('set', { type: 'string', array: true, nargs: 1, describe: 'any key of the scenario: --set strategy.params.fast=5' })
    .option('out', { type: 'string', requiresArg: true, default: 'runs', describe: 'parent folder of what is written' })
    .option('json', { type: 'boolean', default: false, describe: 'print one JSON document on stdout and nothing else' })
    .example('$0 walkforward s.yaml --train 90d --test 30d', 'what choosing a threshold was worth'),
  async handler(argv, terminal) {
    const thresholds = thresholdsOf(argv.minConfidence)
    const [train, test] = [lengthOf('train', argv.train), lengthOf('test', argv.test)]
    if (argv.allowHost !== undefined) terminal.allowHosts(argv.allowHost)
    const { minConfidence: _thresholds, ...rest } = argv
    const { walkForward } = await import('../walkforward.ts')
    const result = await walkForward({
      path: argv.scenario, overrides: overridesOf({ ...rest, 'min-confidence': undefined }), thresholds, train, test, settings: terminal.settings,
    }, terminal.worldOf(argv.out))
    const directory = new RunDirectory(argv.out, result.id)
    terminal.onLeave(() => directory.discard())
    try {
      directory.write('walkforward.json', `${JSON.stringify(result)}\n`)
      directory.write('run.json', `${JSON.stringify({ kind: 'walkforward', run: result.id, state: 'finished', finishedAt: isoTime(Date.now()) }, null, 2)}\n`)
      directory.finish()
    } catch (error) {
      directory.discard()
      throw error
    }
    if (argv.json) terminal.json(result)
    else terminal.print(paint(pageOf(result, directory.path, terminal.width), terminal.colour))
    return 0
  },
})

function thresholdsOf(text: string): number[] {
  const { values } = axisOf('minConfidence', text.includes(':') ? text : text.split(',').map(Number), '--min-confidence')
  const wrong = values.find((value) => typeof value !== 'number' || !(value >= 0 && value <= 1))
  if (wrong !== undefined) throw new TapedeckError('TD_USAGE', `--min-confidence ${text}: expected numbers from 0 to 1, such as 0.5:0.9:0.05`)
  return values as number[]
}

/** `90d` and `12w` in ms. Throws TD_USAGE. */
function lengthOf(flag: string, text: string): number {
  const match = /^([1-9]\d{0,4})\s*([dw])$/.exec(text.trim())
  if (match === null) throw new TapedeckError('TD_USAGE', `--${flag} ${text}: expected days or weeks, such as 90d or 12w`)
  return Number(match[1]) * (match[2] === 'w' ? 7 : 1) * DAY_MS
}

const day = (time: number): string => isoTime(time).slice(0, 10)

function pageOf(result: WalkForward, path: string, width: number): Line[] {
  const { outOfSample: out, folds } = result
  const head = ['Test window', 'Threshold', 'In sample', 'trades', 'Out of sample', 'trades', 'Hindsight'].map((title): Line => [span(title, 'soft')])
  const rows = folds.map(({ trainTo, testTo, threshold, trainReturn, trainTrades, testReturn, testTrades, hindsightReturn, undecided }): Line[] => [
    [span(`${day(trainTo)} … ${day(testTo - 1)}`)], [span(`${threshold}${undecided ? ' (own)' : ''}`)], [span(change(trainReturn))], [span(count(trainTrades))],
    [span(change(testReturn), testReturn > 0 ? 'up' : testReturn < 0 ? 'down' : undefined)], [span(count(testTrades))], [span(change(hindsightReturn))],
  ])
  const bounds = out.interval === null ? ` (${out.tooShort})` : ` [${signed(out.interval.low * 100, 2)}, ${signed(out.interval.high * 100, 2)}]`
  return [
    heading(`${result.scenario.name}: thresholds chosen on ${result.trainDays} days, traded on the next ${result.testDays}`, width),
    ...result.warnings.flatMap((warning) => item('!', warning, width, 'warn')),
    ...table([head, ...rows], width), [],
    ...item('·', result.verdict, width, 'bold'),
    ...item('·', `Out of sample: ${change(out.netReturn)}${bounds} in ${out.days} days, ${count(out.trades)} trades, Sharpe ${ratio(out.sharpe)}, max drawdown ${percent(out.maxDrawdown)}`, width),
    ...item('·', `Per day: ${signed(result.inSampleDaily * 100, 4)} % where it was chosen, ${signed(result.outOfSampleDaily * 100, 4)} % where it then traded`
      + `${result.efficiency === null ? '' : `: ${percent(result.efficiency, 0)} of it was left`}`, width),
    ...result.beside.flatMap(({ name, netReturn }) => item('·', `The same days with ${name}: ${change(netReturn)}`, width)),
    [], [span(`Files      ${path}`)],
  ]
}
