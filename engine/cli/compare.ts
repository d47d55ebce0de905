import { writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import type { Argv } from 'yargs'
import type { Compared, CompareRequest } from '../compare.ts'
import type { Comparison } from '../compare/comparison.ts'
import { axisOf, type MatrixAxis } from '../compare/matrix.ts'
import type { GateResult } from '../compare/gates.ts'
import { messageOf, TapedeckError } from '../errors.ts'
import { defineCommand } from './command.ts'
import { startCounter } from './progress.ts'
import { allowHost, scalar } from './scenario-options.ts'
import type { Terminal } from './terminal.ts'
import { pair } from './values.ts'

/** Flags that make an axis, and its key. */
const AXES = {
  providers: 'providers',
  'min-confidence': 'minConfidence',
  'stop-loss': 'stopLoss',
  'take-profit': 'takeProfit',
  'position-size': 'positionSize',
} as const

const HELP: Readonly<Record<keyof typeof AXES, string>> = {
  providers: 'each alone: gemini,openai,technical; a chain is a>b',
  'min-confidence': 'thresholds: 0.5,0.6 or 0.5:0.9:0.05',
  'stop-loss': 'distances: 0.03,0.05',
  'take-profit': 'distances: 0.03,0.06',
  'position-size': 'shares of equity: 0.02,0.1',
}

interface Arguments {
  readonly scenario: readonly string[]
  readonly set?: readonly string[]
  readonly from?: string
  readonly to?: string
  readonly audit?: string
  readonly allowHost?: readonly string[]
  readonly jobs?: number
  readonly out: string
  readonly json: boolean
  readonly csv: boolean
  readonly markdown: boolean
  readonly junit?: string
  readonly noReport: boolean
  readonly baseline?: string
  readonly gate?: readonly string[]
  readonly [flag: string]: unknown
}

export const compareCommand = defineCommand<Arguments>({
  command: 'compare <scenario..>',
  describe: 'Compare providers, thresholds and parameters, and say which differences are real',
  builder: (argv: Argv) => {
    let built: Argv<unknown> = argv.positional('scenario', { type: 'string', demandOption: true, describe: 'scenario files; matrix: in them says what varies' })
    for (const [flag, describe] of Object.entries(HELP)) built = built.option(flag, { type: 'string', requiresArg: true, describe })
    return allowHost(built)
      .option('set', { type: 'string', array: true, nargs: 1, describe: 'any key of the scenario, with one value or several: --set strategy.params.fast=5,9' })
      .option('from', { type: 'string', requiresArg: true, describe: 'first candle: YYYY-MM-DD, ISO time or epoch ms' })
      .option('to', { type: 'string', requiresArg: true, describe: 'end of the tape, exclusive' })
      .option('audit', { type: 'string', requiresArg: true, describe: 'what each cell writes down: trades (default), full or off' })
      .option('jobs', { type: 'number', requiresArg: true, describe: 'passes at a time, each in a thread; left out = one per processor' })
      .option('out', { type: 'string', requiresArg: true, default: 'runs', describe: 'parent folder; finished cells are kept there and not played again' })
      .option('json', { type: 'boolean', default: false, describe: 'print one JSON document on stdout and nothing else' })
      .option('csv', { type: 'boolean', default: false, describe: 'print one row per cell' })
      .option('markdown', { type: 'boolean', default: false, describe: 'print a table for a pull request or a page' })
      .option('junit', { type: 'string', requiresArg: true, describe: 'also write the gates as JUnit XML to this file' })
      .option('no-report', { type: 'boolean', default: false, describe: 'leave report.html out' })
      .option('baseline', { type: 'string', requiresArg: true, describe: 'an earlier comparison: gates hold the change since then' })
      .option('gate', { type: 'string', array: true, nargs: 1, describe: 'exit with 3 unless every cell meets it: --gate "netReturn>=-0.02"' })
      .example('$0 compare s.yaml --min-confidence 0.5:0.9:0.05', 'which threshold, and whether the difference is real')
      .example('$0 compare s.yaml --providers gemini,openai,technical', 'which provider')
  },
  async handler(argv, terminal) {
    const startedAt = Date.now()
    const gatesModule = await import('../compare/gates.ts')
    const { compare } = await import('../compare.ts')
    const { readComparison, writeComparison } = await import('../compare-directory.ts')
    if ([argv.json, argv.csv, argv.markdown].filter(Boolean).length > 1) throw new TapedeckError('TD_USAGE', '--json, --csv and --markdown each print the whole result; give one of them')
    const gates = (argv.gate ?? []).map(gatesModule.parseGate)
    if (argv.baseline !== undefined && gates.length === 0) throw new TapedeckError('TD_USAGE', '--baseline needs a --gate that says what may not change, such as --gate "netReturn>=-0.02"')
    const earlier = argv.baseline === undefined ? null : readComparison(argv.baseline)
    const compared = await played(compare, requestOf(argv, terminal), argv, terminal)
    if (compared === null) return 130
    const { comparison } = compared
    const folder = await writeComparison(compared, argv.out, { startedAt, finishedAt: Date.now(), page: !argv.noReport })
    const results = gatesModule.holdGates(comparison, gates, earlier)
    await show(comparison, folder, argv, terminal)
    if (argv.junit !== undefined) await writeJunit(argv.junit, comparison, results)
    const failed = results.filter(({ passed }) => !passed)
    for (const { gate, cell, message } of failed) terminal.note(`gate ${gate} failed: ${cell}: ${message}`)
    if (gates.length > 0 && failed.length === 0) terminal.note(`${gates.length === 1 ? 'the gate holds' : `all ${gates.length} gates hold`} for ${results.length / gates.length} cells`)
    return failed.length > 0 ? 3 : 0
  },
})

function requestOf(argv: Arguments, terminal: Terminal): CompareRequest {
  if (argv.jobs !== undefined && !(Number.isInteger(argv.jobs) && argv.jobs >= 1)) throw new TapedeckError('TD_USAGE', `--jobs: expected a number of passes from 1 on, got ${argv.jobs}`)
  if (argv.allowHost !== undefined) terminal.allowHosts(argv.allowHost)
  const axes: MatrixAxis[] = []
  for (const [flag, key] of Object.entries(AXES)) {
    const text = argv[flag] as string | undefined
    if (text !== undefined) axes.push(axisOf(key, listOf(text, `--${flag}`), `--${flag}`))
  }
  const overrides = []
  for (const flag of ['from', 'to'] as const) {
    const text = argv[flag]
    if (text !== undefined) overrides.push({ path: `market.${flag}`, value: scalar(text, `--${flag}`), flag: `--${flag}` })
  }
  if (argv.audit !== undefined) overrides.push({ path: 'audit', value: argv.audit, flag: '--audit' })
  for (const text of argv.set ?? []) {
    const [path, value] = pair('set', text, 'strategy.params.fast=5,9')
    const key = path.startsWith('policy.') ? path.slice('policy.'.length) : path
    axes.push(axisOf(key, listOf(value, `--set ${text}`), `--set ${path}`))
  }
  return { paths: argv.scenario, axes, overrides, settings: terminal.settings, out: argv.out, jobs: argv.jobs ?? availableParallelism() }
}

/** `5,9` is two values; a comma inside brackets, braces or quotes is part of one. */
function listOf(text: string, where: string): unknown[] {
  if (text.trim() === '') throw new TapedeckError('TD_USAGE', `${where}: the value is empty`)
  const parts: string[] = []
  let depth = 0
  let quote = ''
  let part = ''
  for (const character of text) {
    if (quote !== '') quote = character === quote ? '' : quote
    else if (character === '"' || character === '\'') quote = character
    else if ('[{'.includes(character)) depth++
    else if (']}'.includes(character)) depth--
    if (character === ',' && depth === 0 && quote === '') {
      parts.push(part)
      part = ''
    } else part += character
  }
  parts.push(part)
  return parts.map((one) => {
    if (one.trim() === '') throw new TapedeckError('TD_USAGE', `${where}: one of the values is empty`)
    // YAML would read a range as a time of day.
    return one.includes(':') && !/[[{"']/.test(one) ? one.trim() : scalar(one.trim(), where)
  })
}

/** null: interrupted; what was finished is kept. */
async function played(
  compare: (typeof import('../compare.ts'))['compare'], request: CompareRequest, { json, out }: Arguments, terminal: Terminal,
): Promise<Compared | null> {
  const progress = await startCounter('comparing', '%', !json)
  let note = ''
  let finished = 0
  try {
    return await compare(request, terminal.worldOf(out), {
      onPlanned: (kept, cells, passes) => {
        finished = kept
        note = `${cells} cells, ${kept} kept, ${passes} ${passes === 1 ? 'pass' : 'passes'} to play`
        if (!json && kept > 0) terminal.note(`${kept} of ${cells} cells are kept from before`)
      },
      onProgress: (share) => progress.update(Math.floor(share * 100), 100, note),
    })
  } catch (error) {
    if (!terminal.interrupted) throw error
    progress.stop()
    terminal.note(`interrupted: cells that were finished are kept in ${out}${finished > 0 ? ` (${finished} were there before)` : ''}; the same command goes on from there`)
    return null
  } finally {
    progress.stop()
  }
}

async function show(comparison: Comparison, folder: string, argv: Arguments, terminal: Terminal): Promise<void> {
  if (argv.json) return terminal.json(comparison)
  if (argv.csv) return terminal.print((await import('../report/comparison/csv.ts')).renderCsv(comparison))
  if (argv.markdown) return terminal.print((await import('../report/comparison/markdown.ts')).renderMarkdown(comparison))
  const { renderComparison } = await import('../report/comparison/terminal.ts')
  terminal.print(renderComparison(comparison, { colour: terminal.colour, width: terminal.width, folder }))
}

async function writeJunit(path: string, comparison: Comparison, gates: readonly GateResult[]): Promise<void> {
  const { renderJunit } = await import('../report/comparison/junit.ts')
  try {
    writeFileSync(path, renderJunit({ name: comparison.name, gates, cells: comparison.cells }))
  } catch (error) {
    throw new TapedeckError('TD_RUN_WRITE', `--junit ${path}: cannot be written (${messageOf(error)}); give another file`, { cause: error })
  }
}
