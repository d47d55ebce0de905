import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url))

/** Where the files of one test run share what takes long to make; its main process removes it. */
export const madeFolder = (mainPid: number): string => join(tmpdir(), `tapedeck-made-${mainPid}`)

/** Recorded data and reference results that live beside the project, where they are installed. */
export const shared = (path: string): string => resolve(root, '../shared', path)

export const hasShared = existsSync(shared('reference'))

/** Said in the title of what is skipped. */
export const sharedNote = hasShared ? '' : ' (skipped: the shared reference data is not beside the project)'
