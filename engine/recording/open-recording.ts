import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { KEY_VERSION } from './key.ts'
import { readManifest, TapeFile, writeManifest } from './tape-file.ts'
import type { Manifest } from './tape-lines.ts'

/** A recording that is being written. */
export interface OpenRecording {
  readonly file: TapeFile
  readonly generation: number
  /** Everything that was to be asked has been: the next `record` begins anew. */
  complete(): void
  close(): void
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
    const begun = existsSync(join(folder, 'manifest.json')) ? readManifest(folder) : null
    const anew = begun === null || (mode === 'record' && begun.complete)
    const generation = begun === null ? 1 : anew ? begun.generation + 1 : begun.generation
    const manifest: Manifest = { format: 1, keyVersion: KEY_VERSION, createdBy, generation, complete: false }
    // What is only added to was complete and stays so.
    if (mode === 'record' || begun === null) writeManifest(folder, manifest)
    return {
      file, generation, complete: () => writeManifest(folder, { ...manifest, complete: true }), close: () => file.close(),
    }
  } catch (error) {
    file.close()
    throw error
  }
}
