import type { Argv } from 'yargs'
import { messageOf, TapedeckError } from '../errors.ts'
import { compare, type Question, type Verdict } from '../recording/comparison.ts'
import { redactor } from '../recording/redaction.ts'
import { soundnessOf } from '../recording/soundness.ts'
import { surveyOf, type Survey } from '../recording/survey.ts'
import { readManifest, readTape } from '../recording/tape-file.ts'
import { findRecordings, migrate, prune, type Counts, type Pruned } from '../recordings.ts'
import { fixed, plural, usd, utcMinute } from '../report/format.ts'
import { item, paint, span, type Line } from '../report/terminal-layout.ts'
import { defineCommand, type Command } from './command.ts'
import { allowHost, resolveAll, type ScenarioArguments } from './scenario-options.ts'

/** Faults and differences that are printed before they are only counted. */
const SHOWN = 10

interface Folder {
  readonly dir: string
  readonly json: boolean
}

const json = (argv: Argv<unknown>): Argv<unknown> => argv.option('json', { type: 'boolean', default: false, describe: 'print JSON' })
const folder = (argv: Argv): Argv =>
  argv.positional('dir', { type: 'string', demandOption: true, describe: 'folder of a recording' })
const dryRun = (argv: Argv<unknown>): Argv<unknown> =>
  argv.option('dry-run', { type: 'boolean', default: false, describe: 'say what would change, and change nothing' })
const more = (all: number): string[] => (all > SHOWN ? [`  … and ${all - SHOWN} more`] : [])

const list: Command<{ readonly dir?: readonly string[]; readonly json: boolean }> = {
  command: 'list [dir..]',
  describe: 'Show what recordings hold: who answered, about what, for how much',
  builder: (argv) => json(argv.positional('dir', { type: 'string',
    describe: 'recordings, or folders above them; left out = the working folder' })),
  async handler({ dir = [], json: wanted }, terminal) {
    const surveys: Survey[] = []
    const unreadable: { readonly folder: string; readonly why: string }[] = []
    for (const path of findRecordings(dir)) {
      try {
        surveys.push(surveyOf(path))
      } catch (error) {
        if (!(error instanceof TapedeckError)) throw error
        unreadable.push({ folder: path, why: messageOf(error) })
      }
    }
    if (wanted) terminal.json({ recordings: surveys, unreadable })
    else if (surveys.length === 0) terminal.print('No recording; make one with `tapedeck record <scenario>`.')
    else terminal.print(paint(surveys.flatMap((one) => surveyLines(one, terminal.width)).slice(0, -1), terminal.colour))
    if (!wanted) for (const { why } of unreadable) terminal.note(`warning: ${why}`)
    return unreadable.length === 0 ? 0 : 1
  },
}

function surveyLines(survey: Survey, width: number): Line[] {
  const { manifest, exchanges, decisions, models, symbols, from, to, inputTokens, outputTokens, costUsd, bytes, generations, torn } = survey
  const period = from === null ? '' : ` of ${symbols.join(', ')}, ${utcMinute(from)} … ${utcMinute(to!)} UTC`
  const asked = models.map(({ provider, model, versions, exchanges: own, failed }) =>
    `${provider} ${model} ${fixed(own, 0)}${failed === 0 ? '' : ` (${fixed(failed, 0)} failed)`}`
    + (versions.length === 0 || versions.join() === model ? '' : `, answered as ${versions.join(', ')}`))
  const each = generations.length < 2 ? '' : `: ${generations.map((one) => `${one.generation} has ${counted(one)}`).join('; ')}`
  return [
    [span(survey.folder, 'bold')],
    ...item(' ', `${plural(decisions, 'decision')}${period}`, width),
    ...item(' ', `${plural(exchanges, 'exchange')}${asked.length === 0 ? '' : `: ${asked.join('; ')}`}`, width),
    ...item(' ', `${usd(costUsd)} for ${fixed(inputTokens, 0)} tokens in and ${fixed(outputTokens, 0)} out; ${fixed(bytes / 1e6, 2)} MB`, width),
    ...item(' ', `generation ${manifest.generation}, ${manifest.complete ? 'complete' : 'not recorded to its end'}${each}`, width),
    ...(torn ? item(' ', 'its last line is unfinished', width, 'warn') : []), [],
  ]
}

const counted = ({ exchanges, decisions }: Counts): string => `${plural(exchanges, 'exchange')} and ${plural(decisions, 'decision')}`

const verify: Command<Folder> = {
  command: 'verify <dir>',
  describe: 'Read a recording whole and say whether every line holds; exit code 3 when not',
  builder: (argv) => json(folder(argv)),
  async handler({ dir, json: wanted }, terminal) {
    const { exchanges, decisions, faults } = soundnessOf(dir, redactor(terminal.env))
    if (wanted) terminal.json({ sound: faults.length === 0, exchanges, decisions, faults })
    else if (faults.length === 0) terminal.print(`${dir} is sound: ${counted({ exchanges, decisions })}, every key that of its question.`)
    else {
      const shown = faults.slice(0, SHOWN).map(({ line, what }) => `  line ${line}: ${what}`)
      terminal.print(paint([`${dir}: ${plural(faults.length, 'fault')}`, ...shown, ...more(faults.length)].map((text) => [span(text)]), false))
    }
    return faults.length === 0 ? 0 : 3
  },
}

const pruneCommand: Command<Folder & Pick<ScenarioArguments, 'allowHost'> & { readonly scenario?: readonly string[]; readonly dryRun: boolean }> = {
  command: 'prune <dir>',
  describe: 'Drop answers that newer ones replace and, with scenarios, what their replays do not use',
  builder: (argv) => json(allowHost(dryRun(folder(argv).option('scenario', { type: 'string', array: true, requiresArg: true,
    describe: 'scenario files: what none of them uses is dropped as well' })))),
  async handler({ dir, scenario = [], allowHost: hosts, dryRun: dry, json: wanted }, terminal) {
    const scenarios = await resolveAll(scenario, hosts === undefined ? {} : { allowHost: hosts }, terminal)
    const pruned = await prune(dir, scenarios, terminal.world, { dryRun: dry })
    if (wanted) terminal.json({ ...pruned, dryRun: dry })
    else terminal.print(prunedText(dir, pruned, dry))
    return 0
  },
}

function prunedText(dir: string, { before, dropped, generations }: Pruned, dry: boolean): string {
  if (dropped.exchanges + dropped.decisions === 0) return `${dir}: nothing to drop; all of ${counted(before)} can still be needed.`
  return [
    `${dir}: ${dry ? 'would drop' : 'dropped'} ${counted(dropped)} of ${counted(before)}.`,
    ...generations.map((one) => `  generation ${one.generation}: ${counted(one)}`),
  ].join('\n')
}

const diff: Command<{ readonly a: string; readonly b: string; readonly exitCode: boolean; readonly json: boolean }> = {
  command: 'diff <a> <b>',
  describe: 'Compare the answers of two recordings to the same questions',
  builder: (argv) => json(argv
    .positional('a', { type: 'string', demandOption: true, describe: 'folder of a recording' })
    .positional('b', { type: 'string', demandOption: true, describe: 'folder of another one' })
    .option('exit-code', { type: 'boolean', default: false, describe: 'end with 3 when they differ' })),
  async handler({ a, b, exitCode, json: wanted }, terminal) {
    const linesOf = (path: string) => {
      readManifest(path)
      return readTape(path).lines
    }
    const { same, reworded, differing, onlyA, onlyB } = compare(linesOf(a), linesOf(b))
    if (wanted) terminal.json({ same, reworded, differing, onlyA, onlyB })
    else {
      const only = (path: string, questions: readonly Question[]): string[] => (questions.length === 0 ? [] : [
        `Only in ${path}: ${plural(questions.length, 'question')}`, ...questions.slice(0, SHOWN).map((one) => `  ${named(one)}`), ...more(questions.length),
      ])
      const differ = differing.length === 0 ? [] : [
        `Answered differently: ${plural(differing.length, 'question')}`,
        ...differing.slice(0, SHOWN).map((one) => `  ${named(one)}: ${said(one.a)} → ${said(one.b)}`), ...more(differing.length),
      ]
      const words = reworded === 0 ? '' : `, ${plural(reworded, 'one', 'ones')} more for other reasons`
      const lines = [`Answered alike: ${plural(same, 'question')}${words}`, ...differ, ...only(a, onlyA), ...only(b, onlyB)]
      terminal.print(paint(lines.map((text) => [span(text)]), false))
    }
    return exitCode && differing.length + onlyA.length + onlyB.length > 0 ? 3 : 0
  },
}

const named = ({ key, provider, model, turn, sample, symbol, time }: Question): string =>
  `${time === null ? `key ${key.slice(0, 12)}` : `${symbol} ${utcMinute(time)} UTC`}, ${provider} ${model}, question ${turn}${sample === 0 ? '' : `, sample ${sample}`}`
const said = ({ action, confidence, failure }: Verdict): string => failure ?? `${action} ${confidence}`

const migrateCommand: Command<Folder & { readonly dryRun: boolean }> = {
  command: 'migrate <dir>',
  describe: 'Give a recording of an older version the keys of this one',
  builder: (argv) => json(dryRun(folder(argv))),
  async handler({ dir, dryRun: dry, json: wanted }, terminal) {
    const migrated = await migrate(dir, terminal.world, { dryRun: dry })
    if (wanted) terminal.json(migrated === null ? { dryRun: dry, changed: [] } : { dryRun: dry, ...migrated })
    else if (migrated === null) terminal.print(`${dir}: nothing to do; its keys are of this version.`)
    else {
      const { from, to, exchanges, changed, merged } = migrated
      terminal.print([
        `${dir}: keys of version ${from} ${dry ? 'would become' : 'became'} version ${to}; ${fixed(changed.length, 0)} of ${plural(exchanges, 'key')} ${changed.length === 1 ? 'changes' : 'change'}.`,
        ...changed.slice(0, SHOWN).map(({ seq, before, after }) => `  exchange ${seq}: ${before.slice(0, 12)}… → ${after.slice(0, 12)}…`),
        ...more(changed.length), ...(merged === 0 ? [] : [`  ${plural(merged, 'key')} fell together with another: the newest answer counts.`]),
      ].join('\n'))
    }
    return 0
  },
}

const subcommands = [list, verify, pruneCommand, diff, migrateCommand] as readonly Command<never>[]

export const recordingsCommand = defineCommand<never>({
  command: 'recordings',
  describe: 'List, verify, prune, compare or migrate recordings of AI answers',
  builder: (argv) => argv,
  handler: () => Promise.reject(new TapedeckError('TD_USAGE',
    'recordings: name a command: list, verify, prune, diff or migrate. `tapedeck recordings --help` shows what there is.')),
  subcommands,
})
