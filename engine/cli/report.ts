import { existsSync, lstatSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Argv } from 'yargs'
import { writeDurably } from '../audit/durable-file.ts'
import { messageOf, TapedeckError } from '../errors.ts'
import { LiveDirectory } from '../session/live-directory.ts'
import type { Subject } from '../runs/subject.ts'
import { defineCommand } from './command.ts'
import { subjectOf } from './subject-argument.ts'
import type { Terminal } from './terminal.ts'

interface Arguments {
  readonly run: readonly string[]
  readonly out: string
  readonly output?: string
  readonly json: boolean
}

export const reportCommand = defineCommand<Arguments>({
  command: 'report <run..>',
  describe: "Make a run's report anew, or put several runs on one page",
  builder: (argv: Argv) => argv
    .positional('run', { type: 'string', demandOption: true, describe: "runs' directories, ids, or the beginnings of ids" })
    .option('out', { type: 'string', requiresArg: true, default: 'runs', describe: 'parent folder of the run directories' })
    .option('output', { type: 'string', requiresArg: true,
      describe: "the page's file; left out = the run's own report.html, and for several runs side-by-side.html in --out" })
    .option('json', { type: 'boolean', default: false, describe: 'print JSON' }),
  async handler(argv, terminal) {
    const subjects = argv.run.map((run) => subjectOf({ run, out: argv.out }, (line) => { terminal.note(line) }))
    for (const { kind, path } of subjects) {
      if (kind === 'comparison') throw new TapedeckError('TD_USAGE', `${path}: a comparison has a page of its own; name runs or cells`)
    }
    const twin = subjects.find(({ path }, index) => subjects.findIndex((one) => one.path === path) !== index)
    if (twin !== undefined) throw new TapedeckError('TD_USAGE', `${twin.id} is named twice; name each run once`)
    return subjects.length === 1 ? one(subjects[0], argv, terminal) : several(subjects, argv, terminal)
  },
})

async function one(subject: Subject, { output, json }: Arguments, terminal: Terminal): Promise<number> {
  const { recallReport } = await import('../runs/recall.ts')
  const { data, notes } = await recallReport(subject, terminal.world)
  for (const note of notes) terminal.note(`warning: ${subject.id}: ${note}`)
  const file = output ?? join(subject.path, 'report.html')
  const writer = output === undefined ? LiveDirectory.writer(subject.path) : null
  if (writer !== null) throw new TapedeckError('TD_LOCKED', `${subject.path}: process ${writer} runs it; wait until it has ended, or give --output`)
  write(file, (await import('../report/html.ts')).renderHtml(data))
  if (json) {
    const { figures, baselines, exits, decisions, breakEven, warnings } = data
    terminal.json({ run: subject.id, directory: subject.path, report: resolve(file), figures, baselines, exits, decisions, breakEven, warnings, notes })
  } else {
    const { renderTerminal } = await import('../report/terminal.ts')
    terminal.print(renderTerminal(data, { colour: terminal.colour, width: terminal.width, directory: subject.path, reportPath: resolve(file) }))
  }
  return 0
}

async function several(subjects: readonly Subject[], { output, json, out }: Arguments, terminal: Terminal): Promise<number> {
  const { comparedRun } = await import('../runs/compared.ts')
  const runs = subjects.map(comparedRun)
  const file = output ?? join(out, 'side-by-side.html')
  write(file, (await import('../report/side-by-side.ts')).renderSideBySide(runs))
  if (json) {
    terminal.json({ runs: runs.map(({ id, figures, warnings }) => ({ run: id, figures, warnings })), report: resolve(file) })
    return 0
  }
  const { renderTogether } = await import('../runs/terminal.ts')
  terminal.print(renderTogether(runs, { colour: terminal.colour, width: Math.max(60, Math.min(160, process.stdout.columns ?? terminal.width)) }))
  terminal.print(`\nReport     ${resolve(file)}`)
  return 0
}

/** Only over nothing, or over an earlier page: a slip must not cost a scenario or a trail. */
function write(file: string, text: string): void {
  if (existsSync(file) && (!/\.html?$/i.test(file) || !lstatSync(file).isFile())) {
    throw new TapedeckError('TD_USAGE', `${file}: exists and is no .html file; name another with --output`)
  }
  try {
    writeDurably(file, text)
  } catch (error) {
    throw new TapedeckError('TD_RUN_WRITE', `${file}: cannot be written (${messageOf(error)}); give another --output`, { cause: error })
  }
}
