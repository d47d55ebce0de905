import { closeSync, existsSync, fsyncSync, ftruncateSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setAside, syncFolder, writeAll, writeDurably } from '../audit/durable-file.ts'
import { rawLines, textOf } from '../audit/raw-lines.ts'
import { messageOf, TapedeckError } from '../errors.ts'
import { KEY_VERSION } from './key.ts'
import { Packer, Unpacker } from './packing.ts'
import { struck } from './redaction.ts'
import { manifestFile, type Manifest, type TapeLine } from './tape-lines.ts'

const LINES = 'tape.jsonl'
const MANIFEST = 'manifest.json'
/** Lines that a power cut may cost at most; a killed process loses none. */
const SYNC_EVERY = 64

const broken = (path: string, what: string, cause?: unknown): TapedeckError =>
  new TapedeckError('TD_RECORDING_BROKEN', `${path}: ${what}`, { cause })

/** The manifest of a recording that can be read as it is. Throws TD_RECORDING_MISSING and TD_RECORDING_BROKEN. */
export function readManifest(folder: string): Manifest {
  const manifest = manifestOfAnyVersion(folder)
  if (manifest.keyVersion === KEY_VERSION) return manifest
  throw broken(join(folder, MANIFEST),
    `its keys have version ${manifest.keyVersion}, expected ${KEY_VERSION}; run tapedeck recordings migrate ${folder}`)
}

/** The manifest, whatever version its keys have. Throws TD_RECORDING_MISSING and TD_RECORDING_BROKEN. */
export function manifestOfAnyVersion(folder: string): Manifest {
  const path = join(folder, MANIFEST)
  if (!existsSync(path)) {
    throw new TapedeckError('TD_RECORDING_MISSING', `${folder}: there is no recording; make one with tapedeck record <scenario>`)
  }
  let value: unknown
  try {
    value = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw broken(path, `cannot be read (${messageOf(error)}); restore the file`, error)
  }
  const parsed = manifestFile.safeParse(value)
  if (parsed.success) return parsed.data
  throw broken(path, `is no manifest of a recording: ${parsed.error.issues[0].path.join('.')} ${parsed.error.issues[0].message}`)
}

/** Where a recording's lines are. */
export const tapePath = (folder: string): string => join(folder, LINES)

/** Whether a folder looks like a recording. */
export const isRecording = (folder: string): boolean => existsSync(join(folder, MANIFEST)) && existsSync(tapePath(folder))

export function writeManifest(folder: string, manifest: Manifest): void {
  writeDurably(join(folder, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`)
}

export interface TapeContents {
  readonly lines: readonly TapeLine[]
  /** Bytes of whole lines; what follows was left unfinished. */
  readonly size: number
  readonly torn: Buffer | null
}

/** All lines of a recording. An unfinished last line is told, not read. Throws TD_RECORDING_BROKEN for any other damage. */
export function readTape(folder: string): TapeContents {
  const path = join(folder, LINES)
  const lines: TapeLine[] = []
  const unpacker = new Unpacker()
  let number = 0
  let size = 0
  let torn: Buffer | null = null
  if (!existsSync(path)) return { lines, size, torn }
  for (const { bytes, whole } of rawLines(path)) {
    if (!whole) {
      torn = Buffer.from(bytes)
      break
    }
    const line = lineOf(path, ++number, bytes, unpacker)
    if (line !== null) lines.push(line)
    size += bytes.length + 1
  }
  return { lines, size, torn }
}

function lineOf(path: string, number: number, bytes: Uint8Array, unpacker: Unpacker): TapeLine | null {
  const text = textOf(bytes)
  let value: unknown
  try {
    value = text === null ? null : JSON.parse(text)
  } catch (error) {
    throw broken(path, `line ${number} is no JSON; see tapedeck recordings verify`, error)
  }
  const line = unpacker.unpack(value)
  if (typeof line === 'string') throw broken(path, `line ${number}: ${line}`)
  return line
}

/** Lines of a recording, and a place for more. */
export interface Tape {
  /** Those that it had when it was opened. */
  readonly lines: readonly TapeLine[]
  /** The number of a new line. */
  next(): number
  append(line: TapeLine): void
}

/** A recording that is written to: it only grows, line by line. */
export class TapeFile implements Tape {
  readonly folder: string
  readonly lines: readonly TapeLine[]
  /** Where an unfinished last line was put; null where there was none. */
  readonly torn: string | null
  readonly #path: string
  readonly #file: number
  readonly #packer: Packer
  readonly #redact: (text: string) => string
  #seq: number
  #unsynced = 0
  /** After it nothing is written: what follows half a line could not be read. */
  #failure: TapedeckError | null = null

  /**
   * Opens or creates it; every line passes `redact`. What a kill left unfinished is kept beside it. Throws
   * TD_RECORDING_BROKEN and TD_RUN_WRITE.
   */
  constructor(folder: string, redact: (text: string) => string) {
    this.folder = folder
    this.#redact = redact
    this.#path = join(folder, LINES)
    try {
      mkdirSync(folder, { recursive: true })
      const { lines, size, torn } = readTape(folder)
      this.torn = torn === null ? null : setAside(this.#path, torn)
      this.#file = openSync(this.#path, 'a')
      if (torn !== null) ftruncateSync(this.#file, size)
      syncFolder(folder)
      this.lines = lines
      this.#packer = new Packer(lines)
      this.#seq = lines.reduce((newest, { seq }) => Math.max(newest, seq), 0)
    } catch (error) {
      throw unwritable(folder, error)
    }
  }

  next(): number {
    return ++this.#seq
  }

  append(line: TapeLine): void {
    if (this.#failure !== null) throw this.#failure
    try {
      const text = this.#packer.pack(struck(line, this.#redact)).map((one) => `${JSON.stringify(one)}\n`).join('')
      writeAll(this.#file, Buffer.from(text))
      if (++this.#unsynced < SYNC_EVERY) return
      fsyncSync(this.#file)
      this.#unsynced = 0
    } catch (error) {
      throw this.#failure = unwritable(this.folder, error)
    }
  }

  close(): void {
    fsyncSync(this.#file)
    closeSync(this.#file)
  }
}

const unwritable = (folder: string, error: unknown): TapedeckError =>
  error instanceof TapedeckError ? error
    : new TapedeckError('TD_RUN_WRITE', `${folder}: the recording cannot be written (${messageOf(error)})`, { cause: error })

/** Replaces all lines in one step. */
export function rewriteTape(folder: string, lines: readonly TapeLine[]): void {
  try {
    writeDurably(join(folder, LINES), packed(lines))
  } catch (error) {
    throw unwritable(folder, error)
  }
}

function* packed(lines: readonly TapeLine[]): Generator<string> {
  const packer = new Packer([])
  for (const line of lines) for (const one of packer.pack(line)) yield `${JSON.stringify(one)}\n`
}
