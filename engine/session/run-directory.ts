import { closeSync, copyFileSync, existsSync, linkSync, mkdirSync, openSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { writeAll } from '../audit/durable-file.ts'
import { messageOf, TapedeckError } from '../errors.ts'

const NOTE = 'writer.pid'

/** Makes a folder and those above it. Node's own recursive way never returns where the system refuses without saying why, as below /proc. */
export function makeFolder(path: string): void {
  if (existsSync(path)) return
  makeFolder(dirname(path))
  try {
    mkdirSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

/**
 * A run's files, written beside their final place and moved there in one step: an error or a crash leaves no run that
 * looks finished. Every failure to write is TD_RUN_WRITE.
 */
export class RunDirectory {
  /** Where the run will be once it is finished. */
  readonly path: string
  readonly #building: string
  #audit: number | null = null
  #done = false
  #parentIsNew = false

  constructor(parent: string, run: string) {
    this.path = resolve(parent, run)
    this.#building = resolve(parent, `.${run}.tmp`)
    this.#guard(() => {
      this.#parentIsNew = !existsSync(parent)
      makeFolder(resolve(parent))
      this.#claim()
    })
  }

  /** Appends to audit.jsonl; to be given to the trail as its sink. */
  readonly appendAudit = (bytes: Uint8Array): void => {
    this.#guard(() => {
      this.#audit ??= openSync(join(this.#building, 'audit.jsonl'), 'a')
      writeAll(this.#audit, bytes)
    })
  }

  write(name: string, text: string): void {
    this.#guard(() => writeFileSync(join(this.#building, name), text))
  }

  /** Writes a text that is made piece by piece, so that a large table is never one string. */
  writePieces(name: string, pieces: Iterable<string>): void {
    this.#guard(() => {
      const file = openSync(join(this.#building, name), 'w')
      try {
        let block = ''
        for (const piece of pieces) {
          block += piece
          if (block.length < 1 << 16) continue
          writeAll(file, Buffer.from(block))
          block = ''
        }
        writeAll(file, Buffer.from(block))
      } finally {
        closeSync(file)
      }
    })
  }

  /** Takes over a file of another run that is being written, without a copy where the disk allows it. */
  share(name: string, other: RunDirectory): void {
    this.#guard(() => {
      const [from, to] = [join(other.#building, name), join(this.#building, name)]
      if (!existsSync(from)) return
      try {
        linkSync(from, to)
      } catch {
        copyFileSync(from, to)
      }
    })
  }

  /** The run is complete: takes its place, replacing an older run of the same id. */
  finish(): void {
    this.#guard(() => {
      this.#closeAudit()
      rmSync(join(this.#building, NOTE))
      const older = `${this.#building}.old`
      rmSync(older, { recursive: true, force: true })
      const replaces = existsSync(this.path)
      if (replaces) renameSync(this.path, older)
      try {
        renameSync(this.#building, this.path)
      } catch (error) {
        if (replaces) renameSync(older, this.path)
        throw error
      }
      rmSync(older, { recursive: true, force: true })
    })
    this.#done = true
  }

  /** Leaves nothing behind, unless the run is finished. Safe to call at any time, also on the way out of the process. */
  discard(): void {
    if (this.#done) return
    this.#done = true
    try {
      this.#closeAudit()
    } finally {
      rmSync(this.#building, { recursive: true, force: true })
      this.#leaveParent()
    }
  }

  /** A folder that was made for a run that never came to be goes again, unless others use it by now. */
  #leaveParent(): void {
    if (!this.#parentIsNew) return
    try {
      rmdirSync(dirname(this.path))
    } catch {
      // Somebody else's run is in it.
    }
  }

  /**
   * One writer per run id: what a dead one left is cleared away, a living one is respected. The folder arrives with its
   * writer's note inside, in one rename, so that nobody sees it unclaimed.
   */
  #claim(): void {
    const own = `${this.#building}-${process.pid}`
    rmSync(own, { recursive: true, force: true })
    mkdirSync(own)
    try {
      writeFileSync(join(own, NOTE), String(process.pid))
      if (existsSync(this.#building)) this.#clearLeftover()
      renameSync(own, this.#building)
    } catch (error) {
      rmSync(own, { recursive: true, force: true })
      // Another process was quicker: a folder with something in it is not replaced.
      if (['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) this.#clearLeftover()
      throw error
    }
  }

  #clearLeftover(): void {
    const note = join(this.#building, NOTE)
    const writer = existsSync(note) ? Number(readFileSync(note, 'utf8')) : 0
    // The own pid is that of a dead process that had the same, as happens in containers.
    if (writer > 0 && writer !== process.pid && isAlive(writer)) {
      throw new TapedeckError('TD_RUN_WRITE', `${this.path}: process ${writer} is writing this run; wait for it or give another --out`)
    }
    rmSync(this.#building, { recursive: true, force: true })
  }

  #closeAudit(): void {
    if (this.#audit === null) return
    const file = this.#audit
    this.#audit = null
    closeSync(file)
  }

  #guard(work: () => void): void {
    try {
      work()
    } catch (error) {
      if (error instanceof TapedeckError) throw error
      throw new TapedeckError('TD_RUN_WRITE', `${this.path}: cannot write the run (${messageOf(error)}); free space or give another --out`, { cause: error })
    }
  }
}

/** Whether a process of that id exists, whoever it belongs to. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
