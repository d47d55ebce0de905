import {
  closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeFileSync, writeSync,
} from 'node:fs'
import { basename, dirname, extname, join } from 'node:path'

/** The same bytes as a buffer, or a text's in UTF-8. */
export const bytesOf = (line: Uint8Array | string): Buffer =>
  typeof line === 'string' ? Buffer.from(line) : Buffer.from(line.buffer, line.byteOffset, line.byteLength)

/** A write may take only part of what it is given. */
export function writeAll(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at)
}

/** Puts a folder's entries on disk: files that came, went or were renamed. */
export function syncFolder(path: string): void {
  let folder: number
  try {
    folder = openSync(path, 'r')
  } catch (error) {
    // Some systems do not open folders, and order their entries themselves.
    if (['EISDIR', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) return
    throw error
  }
  try {
    fsyncSync(folder)
  } catch (error) {
    if (!['EINVAL', 'EPERM', 'ENOTSUP'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  } finally {
    closeSync(folder)
  }
}

/** Writes a file that is never seen half: it takes its place in one step, and is on disk when this returns. */
export function writeDurably(path: string, pieces: string | Iterable<string>): void {
  const building = `${path}.${process.pid}.tmp`
  try {
    writeSynced(building, pieces)
    renameSync(building, path)
  } catch (error) {
    rmSync(building, { force: true })
    throw error
  }
  syncFolder(dirname(path))
}

function writeSynced(path: string, pieces: string | Iterable<string>): void {
  const file = openSync(path, 'w')
  try {
    let block = ''
    for (const piece of typeof pieces === 'string' ? [pieces] : pieces) {
      block += piece
      if (block.length < 1 << 16) continue
      writeAll(file, Buffer.from(block))
      block = ''
    }
    writeAll(file, Buffer.from(block))
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** Keeps the torn end of a file beside it, as `audit.torn-1.txt`, and returns that file's path. */
export function setAside(path: string, torn: Uint8Array): string {
  const stem = join(dirname(path), basename(path, extname(path)))
  for (let number = 1; ; number++) {
    const aside = `${stem}.torn-${number}.txt`
    // A start that was killed right after this step finds the same rest again.
    if (existsSync(aside) && readFileSync(aside).equals(torn)) return aside
    if (existsSync(aside)) continue
    writeFileSync(aside, torn, { flush: true })
    syncFolder(dirname(path))
    return aside
  }
}
