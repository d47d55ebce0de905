import { existsSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import type { Argv } from 'yargs'
import { TapedeckError } from '../errors.ts'
import { recordsIn, type RunRecord } from '../session/live-directory.ts'

/** Runs that a message names before it stops counting them. */
const NAMED = 5

export interface RunArguments {
  readonly run: string
  readonly out: string
}

/** Adds `<run>` and `--out` to a command that looks at a run. */
export const runArgument = (argv: Argv): Argv =>
  argv
    .positional('run', { type: 'string', demandOption: true,
      describe: "a run's directory, its id, or the beginning of its id" })
    .option('out', { type: 'string', requiresArg: true, default: 'runs',
      describe: 'parent folder of the run directories' })

/** Only runs of the live path say which venue they traded at. */
const isLive = (record: RunRecord): boolean => typeof record['venue'] === 'object' && record['venue'] !== null

/** Runs that `<run>` may mean, newest first: the directory itself, or those whose id begins so. */
function candidates({ run, out }: RunArguments, among: (record: RunRecord) => boolean): readonly string[] {
  const directory = [run, join(out, run)].find((path) => run !== '' && existsSync(join(path, 'run.json')))
  if (directory !== undefined) return [resolve(directory)]
  const runs = recordsIn(out)
  const fitting = run === '' ? [] : runs.filter(({ path }) => basename(path).startsWith(run))
  const meant = fitting.filter(({ record }) => among(record))
  // Where only others begin so, the command itself says what it needs instead.
  if (fitting.length > 0) return (meant.length > 0 ? meant : fitting).map(({ path }) => path)
  const known = runs.length === 0 ? `${existsSync(out) ? `${out} holds no run` : `there is no folder ${out}`}; give its parent folder with --out`
    : `the newest in ${out}: ${named(runs.map(({ path }) => path))}`
  throw new TapedeckError('TD_RUN_MISSING', `${run}: expected a run's directory or id; ${known}`)
}

/**
 * The one directory that `<run>` means, for commands that act on a run: one with a run.json, or an id under `--out` or
 * the beginning of only one. Throws TD_RUN_MISSING, naming the newest runs, and TD_USAGE when several ids begin so.
 */
export function resolveRun(args: RunArguments): string {
  const fitting = candidates(args, isLive)
  if (fitting.length === 1) return fitting[0]
  throw ambiguous(args, fitting)
}

const ambiguous = ({ run, out }: RunArguments, fitting: readonly string[]): TapedeckError =>
  new TapedeckError('TD_USAGE', `${run}: ${fitting.length} runs in ${out} begin so, newest first: ${named(fitting)}; give more of the id`)

/**
 * The same for commands that take any run, and must not take the wrong one: a comparison, a backtest or a run of the
 * live path. Throws TD_RUN_MISSING, and TD_USAGE when several ids begin so.
 */
export function onlyRun(args: RunArguments): string {
  const fitting = candidates(args, () => true)
  if (fitting.length === 1) return fitting[0]
  throw ambiguous(args, fitting)
}

/**
 * The same for commands that only look: of several the newest, and `note` is told which. `live`: only runs of the live
 * path are meant. Throws TD_RUN_MISSING.
 */
export function newestRun(args: RunArguments, note: (line: string) => void, live = false): string {
  const [newest, ...older] = candidates(args, live ? isLive : () => true)
  if (older.length > 0) {
    note(`${args.run}: the newest of ${older.length + 1} runs is taken, ${basename(newest)}; older: ${named(older)}`)
  }
  return newest
}

function named(paths: readonly string[]): string {
  const more = paths.length > NAMED ? ` and ${paths.length - NAMED} more` : ''
  return `${paths.slice(0, NAMED).map((path) => basename(path)).join(', ')}${more}`
}
