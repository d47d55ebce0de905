import { existsSync, renameSync, rmSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { messageOf, TapedeckError } from '../errors.ts'
import { makeFolder } from '../session/run-directory.ts'

/** What makes a folder a run's or a cell's. */
const RECORDS = ['run.json', 'cell.json', 'audit.jsonl']

/** Throws TD_USAGE where `--out` names something that must not be written: a folder, or a file of a run. */
export function checkOutFile(path: string): void {
  if (path.trim() === '') throw new TapedeckError('TD_USAGE', '--out: the value is empty; give a file')
  if (path.endsWith('/') || (existsSync(path) && statSync(path).isDirectory())) {
    throw new TapedeckError('TD_USAGE', `--out ${path}: this is a folder; give a file in it`)
  }
  const folder = dirname(resolve(path))
  const ofRun = RECORDS.some((name) => existsSync(join(folder, name)))
  if (RECORDS.includes(basename(path).toLowerCase()) || (ofRun && existsSync(path))) {
    throw new TapedeckError('TD_USAGE', `--out ${path}: a run’s own files are never written over; choose another name`)
  }
}

/** A file that is never seen half: `write` makes it under another name, and it takes its place when it is whole. Throws TD_RUN_WRITE. */
export async function writeOutFile(path: string, write: (building: string) => void | Promise<void>): Promise<void> {
  const building = join(dirname(resolve(path)), `.${basename(path)}.${process.pid}.tmp`)
  try {
    makeFolder(dirname(building))
    await write(building)
    renameSync(building, path)
  } catch (error) {
    if (existsSync(building)) rmSync(building)
    if (error instanceof TapedeckError) throw error
    throw new TapedeckError('TD_RUN_WRITE', `${path}: cannot be written (${messageOf(error).split('\n')[0]}); free space or choose another place`, { cause: error })
  }
}
