import { linkSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { isAlive } from './run-directory.ts'

/** A claim that is as old as that is meant. */
const SETTLED_MS = 100
const NOTHING = new Int32Array(new SharedArrayBuffer(4))

interface Claim {
  readonly file: string
  readonly number: number
  /** 0 where it cannot be told. */
  readonly pid: number
  /** What {@link birthOf} said of the process, or nothing. */
  readonly birth: string
}

/**
 * Something that one process may have at a time. A claim is a file `<base>.<number>.pid` that appears in one step with
 * its process's id inside. What a dead process claimed is not replaced, which two could do at once, but outbid with the
 * next number, of which there is one; and whoever still sees a living claim beside its own steps back.
 */
export class ProcessLock {
  /** What this process has: its own claims, in files, look like those of a dead process that had the same id. */
  static readonly #held = new Set<string>()
  readonly #base: string
  readonly #file: string
  #released = false

  private constructor(base: string, file: string) {
    this.#base = base
    this.#file = file
    ProcessLock.#held.add(base)
  }

  /**
   * Takes the lock, or returns the id of the process that has it, which may be this one. A claim in this process's name
   * that it does not have is that of a dead process which had the same id, as happens in containers.
   */
  static take(given: string): ProcessLock | number {
    const base = resolve(given)
    if (ProcessLock.#held.has(base)) return process.pid
    for (;;) {
      const before = claims(base)
      const living = before.find(holds)
      if (living !== undefined) {
        // Whoever is about to step back has a claim too for a moment, and is not the one who has the lock.
        Atomics.wait(NOTHING, 0, 0, SETTLED_MS)
        if (claims(base).some(({ file, pid }) => file === living.file && pid === living.pid)) return living.pid
        continue
      }
      const file = `${base}.${Math.max(0, ...before.map(({ number }) => number)) + 1}.pid`
      if (!appear(file)) continue
      const others = claims(base).filter((claim) => claim.file !== file)
      if (!others.some(holds)) {
        others.forEach(clear)
        return new ProcessLock(base, file)
      }
      // Both may have stepped back: who was first shows at the next look, which is not at the same time for all.
      rmSync(file, { force: true })
      Atomics.wait(NOTHING, 0, 0, 1 + (process.pid % 13))
    }
  }

  /** The living process that has the lock, or null. */
  static holder(base: string): number | null {
    return claims(base).find(isLiving)?.pid ?? null
  }

  /** Shows systems that tidy up old files that this one is in use. Never throws. */
  touch(now: Date): void {
    try {
      utimesSync(this.#file, now, now)
    } catch {
      // Too late, or no longer allowed: no reason to end a process that trades.
    }
  }

  /** Safe to call twice. */
  release(): void {
    if (this.#released) return
    this.#released = true
    ProcessLock.#held.delete(this.#base)
    rmSync(this.#file, { force: true })
  }
}

function clear({ file }: Claim): void {
  try {
    rmSync(file, { force: true })
  } catch {
    // It was another user's. It is outbid, so it may stay.
  }
}

const holds = (claim: Claim): boolean => claim.pid !== process.pid && isLiving(claim)

/** The process of that id runs, and is the one that made the claim: ids are given anew after a while, or a restart. */
function isLiving({ pid, birth }: Claim): boolean {
  if (pid === 0 || !isAlive(pid)) return false
  const now = birthOf(pid)
  return now === null || (now !== DEAD && (birth === '' || birth === now))
}

const DEAD = 'dead'

/** When a process started, in the system's own count; null where the system does not tell. */
function birthOf(pid: number): string | null {
  try {
    // The name in parentheses may hold anything; after it come the state and, as the 20th field, the start.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // A killed process keeps its id until its parent has taken note.
    return fields[0] === 'Z' || fields[0] === 'X' ? DEAD : fields[19] ?? null
  } catch {
    return null
  }
}

function claims(base: string): Claim[] {
  const name = basename(base)
  return readdirSync(dirname(base)).flatMap((entry) => {
    const number = entry.startsWith(`${name}.`) ? /^(\d+)\.pid$/.exec(entry.slice(name.length + 1))?.[1] : undefined
    if (number === undefined) return []
    const file = join(dirname(base), entry)
    const text = contentOf(file)
    if (text === null) return []
    const [pid, birth = ''] = text.trim().split(' ')
    return [{ file, number: Number(number), pid: /^[1-9]\d*$/.test(pid) ? Number(pid) : 0, birth }]
  })
}

/** null when the file has gone meanwhile. */
function contentOf(file: string): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

/** The file comes into being with its content, once: false when somebody else was quicker. */
function appear(file: string): boolean {
  const own = `${file}.${process.pid}.tmp`
  writeFileSync(own, `${process.pid} ${birthOf(process.pid) ?? ''}\n`)
  try {
    linkSync(own, file)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    rmSync(own, { force: true })
  }
}
