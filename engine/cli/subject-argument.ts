import { readdirSync, statSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { TapedeckError } from '../errors.ts'
import { cellsOf } from '../runs/list.ts'
import { isCell, readSubject, type Subject } from '../runs/subject.ts'
import { readRun } from '../session/live-directory.ts'
import { newestRun, type RunArguments } from './run-argument.ts'

const namesIn = (folder: string): string[] => {
  try {
    return readdirSync(folder).filter((name) => !name.startsWith('.'))
  } catch {
    return []
  }
}

/** Cells below `out` whose id begins so; `<comparison>/<cell>` means one of a comparison whose id begins so. */
function cellsIn(out: string, begin: string): { readonly path: string; readonly writtenAt: number }[] {
  const [of, cell] = begin.includes('/') ? [begin.slice(0, begin.lastIndexOf('/')), basename(begin)] : [null, begin]
  if (cell === '') return []
  const folder = join(out, 'cells')
  const theirs = of === null ? null : new Set(namesIn(out).filter((name) => name.startsWith(of)).flatMap((name) => cellsBelow(join(out, name))))
  return namesIn(folder).filter((one) => one.startsWith(cell) && (theirs === null || theirs.has(one))).map((one) => resolve(folder, one)).filter(isCell)
    .map((path) => ({ path, writtenAt: statSync(join(path, 'cell.json')).mtimeMs })).sort((a, b) => b.writtenAt - a.writtenAt || (a.path < b.path ? -1 : 1))
}

/** Ids of the cells of what may be a comparison. */
function cellsBelow(path: string): string[] {
  try {
    return cellsOf(readRun(path)).map(({ id }) => id)
  } catch {
    return []
  }
}

/**
 * The run or cell that `<run>` means, for commands that only look: a directory, an id or its beginning. Of several the
 * newest, and `note` is told. Throws TD_RUN_MISSING.
 */
export function subjectOf(args: RunArguments, note: (line: string) => void): Subject {
  const given = [args.run, join(args.out, args.run)].find((path) => args.run !== '' && isCell(path))
  if (given !== undefined) return readSubject(given)
  try {
    return readSubject(newestRun(args, note))
  } catch (error) {
    if (!(error instanceof TapedeckError) || error.code !== 'TD_RUN_MISSING' || args.run === '') throw error
    const [newest, ...older] = cellsIn(args.out, args.run)
    if (newest === undefined) throw error
    if (older.length > 0) {
      note(`${args.run}: the newest of ${older.length + 1} cells is taken, ${newest.path}; give more of the id, or COMPARISON/CELL`)
    }
    return readSubject(newest.path)
  }
}
