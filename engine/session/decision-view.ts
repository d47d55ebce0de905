import { closeSync, fstatSync, ftruncateSync, openSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { unchain } from '../audit/chain.ts'
import { bytesOf, setAside, writeAll } from '../audit/durable-file.ts'
import { rawLines } from '../audit/raw-lines.ts'
import { messageOf, TapedeckError } from '../errors.ts'
import { makeFolder } from './run-directory.ts'

/** How every decision line begins; the run's id is a JSON string. */
const HEAD = /^\{"type": "decision", "seq": (\d+), "run": ("(?:[^"\\]|\\.)*"), /

/**
 * `logs/autonomous_trades.jsonl`: one line per decision of every run, in the order in which they were written, as in
 * the trails but without `prev`. Several processes may append to it. Only a view: what it lacks, the trail has.
 */
export class DecisionView {
  readonly #path: string
  readonly #run: string
  readonly #file: number
  /** The newest decision of the run that the view has. */
  #seq: number
  #failed = false

  /**
   * Opens the file or makes it, sets aside what a crash left of a last line, and adds the decisions in `past`, raw
   * lines of `run`'s trail, that it lacks. Throws TD_RUN_WRITE.
   */
  constructor(path: string, run: string, past: readonly string[] = []) {
    this.#path = resolve(path)
    this.#run = JSON.stringify(run)
    this.#file = this.#guard(() => {
      makeFolder(dirname(this.#path))
      return openSync(this.#path, 'a')
    })
    try {
      this.#seq = this.#guard(() => this.#repair())
      for (const raw of past) this.append(`${unchain(raw)?.line ?? raw}\n`)
    } catch (error) {
      closeSync(this.#file)
      throw error
    }
  }

  /**
   * Takes a line of the trail, with its newline and without `prev`. Lines that are no decision, and decisions that the
   * view has, are passed over. Throws TD_RUN_WRITE; after that the view takes nothing more until it is opened again.
   */
  append(line: string | Uint8Array): void {
    const bytes = bytesOf(line)
    const seq = this.#seqOf(bytes)
    if (seq <= this.#seq) return
    if (this.#failed) throw new TapedeckError('TD_RUN_WRITE', `${this.#path}: an earlier decision could not be written`)
    this.#guard(() => {
      this.#failed = true
      writeAll(this.#file, bytes)
      this.#failed = false
    })
    this.#seq = seq
  }

  close(): void {
    closeSync(this.#file)
  }

  /** 0 for what is no decision of this run. */
  #seqOf(bytes: Buffer): number {
    const head = HEAD.exec(bytes.toString('latin1', 0, 512))
    return head !== null && Buffer.from(head[2], 'latin1').toString('utf8') === this.#run ? Number(head[1]) : 0
  }

  /** Returns the `seq` of the run's newest decision in the file. */
  #repair(): number {
    let seq = 0
    let size = 0
    for (const { bytes, whole } of rawLines(this.#path)) {
      size += bytes.length + (whole ? 1 : 0)
      if (whole) {
        seq = Math.max(seq, this.#seqOf(bytes))
        continue
      }
      // Another process may have gone on writing meanwhile: then it was no crash that left this.
      if (fstatSync(this.#file).size !== size) continue
      setAside(this.#path, bytes)
      ftruncateSync(this.#file, size - bytes.length)
    }
    return seq
  }

  #guard<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      if (error instanceof TapedeckError) throw error
      throw new TapedeckError('TD_RUN_WRITE',
        `${this.#path}: cannot write decisions (${messageOf(error)}); free space or make the folder writable`,
        { cause: error })
    }
  }
}
