import { createHash, type Hash } from 'node:crypto'
import { open, type FileHandle } from 'node:fs/promises'
import { TapedeckError, messageOf } from '../../../../engine/errors.ts'
import type { TapeFile } from './locate.ts'

/** How much of the stored bytes one pass has been through. */
export interface Progress {
  done: number
  total: number
}

/** What every reader of one source shares. */
export interface Intake {
  readonly chunkBytes: number
  readonly digests: Digests
  readonly progress: Progress
  readonly signal: AbortSignal
}

interface Digest {
  readonly hash: Hash
  offset: number
  hex: string | null
}

/** SHA-256 of stored files: every byte is hashed once, however many readers and passes go over it. */
export class Digests {
  readonly #files = new Map<string, Digest>()

  #of(path: string): Digest {
    let digest = this.#files.get(path)
    if (digest === undefined) this.#files.set(path, (digest = { hash: createHash('sha256'), offset: 0, hex: null }))
    return digest
  }

  /** A reader has `bytes` of the file from `position` on; none means that the file ends there. */
  advance(path: string, position: number, bytes: Uint8Array): void {
    const digest = this.#of(path)
    const known = digest.offset - position
    if (digest.hex !== null || known < 0 || known > bytes.length) return
    if (bytes.length === 0) digest.hex = digest.hash.digest('hex')
    else if (known < bytes.length) digest.hash.update(known === 0 ? bytes : bytes.subarray(known))
    digest.offset = position + bytes.length
  }

  /** Null while the file has not been read to its end. */
  hex(path: string): string | null {
    return this.#of(path).hex
  }

  /** Hashes what no reader needed, for example the rows after the range. */
  async complete(file: TapeFile, intake: Intake): Promise<void> {
    const digest = this.#of(file.path)
    if (digest.hex !== null) return
    const raw = await RawFile.open(file, { ...intake, progress: { done: 0, total: 0 } }, digest.offset)
    try {
      const buffer = Buffer.allocUnsafe(intake.chunkBytes)
      while ((await raw.read(buffer, 0, buffer.length)) > 0) intake.signal.throwIfAborted()
    } finally {
      await raw.close()
    }
  }
}

/** The error for a file that is there but does not give its bytes. */
export function unreadable(file: TapeFile, why: string, cause?: unknown): TapedeckError {
  const reason = cause === undefined ? '' : `: ${messageOf(cause)}`
  return new TapedeckError('TD_FILE_UNREADABLE', `${file.name} ${why}${reason}`, { cause })
}

/** A file read once from front to back, hashed and counted on the way. */
export class RawFile {
  readonly #file: TapeFile
  readonly #handle: FileHandle
  readonly #intake: Intake
  #position: number

  private constructor(file: TapeFile, handle: FileHandle, intake: Intake, position: number) {
    this.#file = file
    this.#handle = handle
    this.#intake = intake
    this.#position = position
  }

  static async open(file: TapeFile, intake: Intake, position = 0): Promise<RawFile> {
    try {
      return new RawFile(file, await open(file.path, 'r'), intake, position)
    } catch (cause) {
      throw unreadable(file, 'cannot be opened', cause)
    }
  }

  /** The first bytes, without moving. */
  async head(length: number): Promise<Buffer> {
    const { bytesRead, buffer } = await this.#handle.read(Buffer.alloc(length), 0, length, 0)
    return buffer.subarray(0, bytesRead)
  }

  /** Reads up to `length` bytes into `buffer` at `offset`; 0 at the end. */
  async read(buffer: Buffer, offset: number, length: number): Promise<number> {
    const { bytesRead } = await this.#handle.read(buffer, offset, length, this.#position)
    this.#intake.digests.advance(this.#file.path, this.#position, buffer.subarray(offset, offset + bytesRead))
    this.#intake.progress.done += bytesRead
    this.#position += bytesRead
    return bytesRead
  }

  close(): Promise<void> {
    return this.#handle.close()
  }
}
