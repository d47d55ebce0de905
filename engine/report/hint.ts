import { dirname, relative, resolve } from 'node:path'

/** Where runs are when nobody says otherwise. */
const RUNS = 'runs'

const word = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`)

/** A command line that a shell takes as it stands. */
export const commandLine = (words: readonly string[]): string => ['tapedeck', ...words].map(word).join(' ')

/** What to type about the run in `path`, or about the runs beside it, from the working folder. */
export function hint(path: string, ...words: readonly string[]): string {
  const parent = dirname(resolve(path))
  return commandLine(parent === resolve(RUNS) ? words : [...words, '--out', relative('', parent) || '.'])
}
