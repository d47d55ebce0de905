import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { KEY_VERSION } from './key.ts'
import { readManifest, readTape, TapeFile, writeManifest, type Tape } from './tape-file.ts'
import type { Manifest } from './tape-lines.ts'

/** A recording that is being written. */
export interface OpenRecording {
  readonly file: Tape
  /** Where an unfinished last line was put; null where there was none. */
  readonly torn: string | null
  readonly generation: number
  /** Everything that was to be asked has been: the next `record` begins anew. */
  complete(): void
  close(): void
}

/** What is there, and the generation that new lines belong to. */
function stateOf(folder: string, mode: 'record-missing' | 'record'): { readonly begun: Manifest | null; readonly generation: number } {
  const begun = existsSync(join(folder, 'manifest.json')) ? readManifest(folder) : null
  if (begun === null) return { begun, generation: 1 }
  return { begun, generation: mode === 'record' && begun.complete ? begun.generation + 1 : begun.generation }
}

/** The same to look at only: nothing on the disk changes. */
export function peekRecording(folder: string, mode: 'record-missing' | 'record'): OpenRecording {
  const { generation } = stateOf(folder, mode)
  const refuse = (): never => { throw new Error('nothing is written to a recording that is only looked at') }
  return { file: { lines: readTape(folder).lines, next: refuse, append: refuse }, torn: null, generation, complete: refuse, close: () => {} }
}

/**
 * Opens a recording for writing, or begins one. `record-missing` goes on with the newest generation; so does `record`
 * where that was broken off, and otherwise begins the next. One process at a time; see the caller's lock.
 */
export function openRecording(
  folder: string, mode: 'record-missing' | 'record', createdBy: string, redact: (text: string) => string,
): OpenRecording {
  const file = new TapeFile(folder, redact)
  try {
    const { begun, generation } = stateOf(folder, mode)
    const manifest: Manifest = { format: 1, keyVersion: KEY_VERSION, createdBy, generation, complete: false }
    // What is only added to was complete and stays so.
    if (mode === 'record' || begun === null) writeManifest(folder, manifest)
    return {
      file, torn: file.torn, generation, complete: () => writeManifest(folder, { ...manifest, complete: true }), close: () => file.close(),
    }
  } catch (error) {
    file.close()
    throw error
  }
}
