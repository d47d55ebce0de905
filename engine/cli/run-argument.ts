import { existsSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import type { Argv } from 'yargs'
import { TapedeckError } from '../errors.ts'
import { recordsIn } from '../session/live-directory.ts'

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

/**
 * The directory that `<run>` means: one with a run.json, or an id under `--out` or the beginning of only one. Throws
 * TD_RUN_MISSING, naming the newest runs, and TD_USAGE when several ids begin so.
 */
export function resolveRun({ run, out }: RunArguments): string {
  const directory = [run, join(out, run)].find((path) => run !== '' && existsSync(join(path, 'run.json')))
  if (directory !== undefined) return resolve(directory)
  const runs = recordsIn(out).map(({ path }) => path)
  const fitting = run === '' ? [] : runs.filter((path) => basename(path).startsWith(run))
  if (fitting.length === 1) return fitting[0]
  if (fitting.length > 1) {
    throw new TapedeckError('TD_USAGE',
      `${run}: ${fitting.length} runs in ${out} begin so: ${named(fitting)}; give more of the id`)
  }
  const known = runs.length === 0 ? `${existsSync(out) ? `${out} holds no run` : `there is no folder ${out}`}; give its parent folder with --out`
    : `the newest in ${out}: ${named(runs)}`
  throw new TapedeckError('TD_RUN_MISSING', `${run}: expected a run's directory or id; ${known}`)
}

function named(paths: readonly string[]): string {
  const more = paths.length > NAMED ? ` and ${paths.length - NAMED} more` : ''
  return `${paths.slice(0, NAMED).map((path) => basename(path)).join(', ')}${more}`
}
