import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline/promises'
import type { Argv } from 'yargs'
import { messageOf, TapedeckError } from '../errors.ts'
import { plural } from '../report/format.ts'
import { commandLine } from '../report/hint.ts'
import type { Doomed } from '../runs/delete.ts'
import { readSubject, type Subject } from '../runs/subject.ts'
import { defineCommand, type Command } from './command.ts'
import { onlyRun, runArgument, type RunArguments } from './run-argument.ts'
import { subjectOf } from './subject-argument.ts'
import type { Terminal } from './terminal.ts'

interface ListArguments {
  readonly out: string
  readonly json: boolean
}

interface ShowArguments extends RunArguments {
  readonly json: boolean
}

interface DiffArguments extends ListArguments {
  readonly a: string
  readonly b: string
}

interface DeleteArguments extends ListArguments {
  readonly run: readonly string[]
  readonly yes: boolean
  readonly forgetPositions: boolean
}

const folder = (argv: Argv): Argv =>
  argv.option('out', { type: 'string', requiresArg: true, default: 'runs', describe: 'parent folder of the run directories' })
const json = (argv: Argv): Argv<unknown> => argv.option('json', { type: 'boolean', default: false, describe: 'print JSON' })
const page = (terminal: Terminal): { readonly colour: boolean; readonly width: number } =>
  ({ colour: terminal.colour, width: process.stdout.columns === undefined ? terminal.width : Math.max(60, Math.min(160, process.stdout.columns)) })

const list: Command<ListArguments> = {
  command: 'list',
  describe: 'List runs and comparisons, newest first',
  builder: (argv) => json(folder(argv)),
  async handler({ out, json: asJson }, terminal) {
    const { listRuns } = await import('../runs/list.ts')
    const unreadable: { readonly directory: string; readonly why: string }[] = []
    const runs = listRuns(out, (directory, error) => { unreadable.push({ directory, why: messageOf(error) }) })
    if (asJson) terminal.json({ runs, unreadable })
    else if (runs.length === 0) terminal.print(existsSync(out) ? `No run in ${out}.` : `No run: there is no folder ${out}; give the one that holds the runs with --out.`)
    else terminal.print((await import('../runs/terminal.ts')).renderList(runs, page(terminal)))
    for (const { directory, why } of unreadable) terminal.note(`warning: ${directory} is left out: ${why}`)
    return unreadable.length === 0 ? 0 : 1
  },
}

const show: Command<ShowArguments> = {
  command: 'show <run>',
  describe: "Show a run's settings, figures, warnings and files",
  builder: (argv) => json(runArgument(argv)),
  async handler(argv, terminal) {
    const subject = subjectOf(argv, (line) => { terminal.note(line) })
    const shown = await (await import('../runs/show.ts')).showRun(subject)
    if (argv.json) terminal.json(shown)
    else terminal.print((await import('../runs/terminal.ts')).renderShow(shown, page(terminal)))
    return 0
  },
}

const diff: Command<DiffArguments> = {
  command: 'diff <a> <b>',
  describe: 'Show in what two runs differ, and where they part',
  builder: (argv) => json(folder(argv
    .positional('a', { type: 'string', demandOption: true, describe: "a run's directory, its id, or the beginning of its id" })
    .positional('b', { type: 'string', demandOption: true, describe: 'another one' }))),
  async handler({ a, b, out, json: asJson }, terminal) {
    const [left, right] = [a, b].map((run) => subjectOf({ run, out }, (line) => { terminal.note(line) }))
    for (const { kind, path } of [left, right]) {
      if (kind === 'comparison') throw new TapedeckError('TD_USAGE', `${path}: a comparison is no run; name two of its cells as COMPARISON/CELL`)
    }
    if (left.path === right.path) throw new TapedeckError('TD_USAGE', `${a} and ${b} are the same run, ${left.id}; name two`)
    const found = (await import('../runs/diff.ts')).diffRuns(left, right)
    if (asJson) terminal.json(found)
    else terminal.print((await import('../runs/terminal.ts')).renderDiff(found, [quoteOf(left), quoteOf(right)], page(terminal)))
    return 0
  },
}

const quoteOf = ({ scenario }: Subject): string => scenario?.symbols[0].split('/').at(1) ?? ''

const remove: Command<DeleteArguments> = {
  command: 'delete <run..>',
  describe: 'Delete runs or comparisons with all their files',
  builder: (argv) => json(folder(argv
    .positional('run', { type: 'string', demandOption: true, describe: 'directories, ids, or beginnings of which each means one run only' }))
    .option('yes', { type: 'boolean', default: false, describe: 'do not ask; needed where nobody can answer' })
    .option('forget-positions', { type: 'boolean', default: false,
      describe: 'also runs whose trail says that they hold something at an exchange, or cannot say: nobody will look after it' })),
  async handler({ run, out, json: asJson, yes, forgetPositions }, terminal) {
    const { checkDeletable, deleteRun, sizeText } = await import('../runs/delete.ts')
    const paths = [...new Set(run.map((one) => onlyRun({ run: one, out })))]
    // All of them are looked at before the first one goes.
    const doomed = paths.map((path) => checkDeletable(readSubject(path), { forgetPositions }))
    if (!yes && process.stdin.isTTY !== true) {
      throw new TapedeckError('TD_USAGE', `nobody can be asked here: add --yes (${commandLine([...terminal.args, '--yes'])})`)
    }
    for (const one of doomed) terminal.note(`${one.kind} ${one.run} (${one.state}): ${one.directory}, ${sizeText(one)}`)
    if (!yes && !await confirmed(doomed, terminal)) {
      terminal.note('nothing is deleted')
      return 1
    }
    for (const one of doomed) deleteRun(one)
    if (asJson) terminal.json({ deleted: doomed })
    else terminal.print(`Deleted ${doomed.map((one) => one.run).join(', ')}.`)
    return 0
  },
}

async function confirmed(doomed: readonly Doomed[], terminal: Terminal): Promise<boolean> {
  const asking = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await asking.question(`Delete ${doomed.length === 1 ? 'it' : `all ${plural(doomed.length, 'run')}`}? [y/N] `, { signal: terminal.world.signal })
    return /^y(es)?$/i.test(answer.trim())
  } finally {
    asking.close()
  }
}

export const runsCommand = defineCommand<never>({
  command: 'runs',
  describe: 'List, show, compare and delete runs',
  builder: (argv) => argv,
  handler: () => Promise.reject(new TapedeckError('TD_USAGE', 'runs: name a command: list, show, diff or delete. `tapedeck runs --help` shows what there is.')),
  subcommands: [list, show, diff, remove] as readonly Command<never>[],
})
