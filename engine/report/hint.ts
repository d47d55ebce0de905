import { dirname, relative, resolve } from 'node:path'

/** Where runs are when nobody says otherwise. */
const RUNS = 'runs'

const word = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`)

/** A command line that a shell takes as it stands. */
export const commandLine = (words: readonly string[]): string => ['tapedeck', ...words].map(word).join(' ')

/** What to type, in the working folder, about the run in `path` or those beside it. */
export const hint = (path: string, ...words: readonly string[]): string => hintIn(dirname(resolve(path)), ...words)

/** What to type about the runs in the folder `out`. */
export const hintIn = (out: string, ...words: readonly string[]): string =>
  commandLine(resolve(out) === resolve(RUNS) ? words : [...words, '--out', relative('', out) || '.'])
