import { fileURLToPath } from 'node:url'
import type { World } from './assemble.ts'
import { playPass, type PassRequest } from './compare-pass.ts'
import type { KeptCell } from './compare/kept.ts'
import { TapedeckError } from './errors.ts'

export interface JobOptions {
  /** Passes at a time; 1 plays them in this thread. */
  readonly jobs: number
  readonly onProgress?: (share: number) => void
  /** Told of a pass's cells as soon as they are on disk. */
  readonly onKept: (cells: readonly KeptCell[]) => void
}

/** What a thread is given beside its pass. */
export interface JobData {
  readonly request: PassRequest
  readonly env: Readonly<Record<string, string | undefined>>
  /** Shared with the thread: place 0 is 1 when it is to end early, the others tell how far each pass is, in millionths. */
  readonly board: SharedArrayBuffer
  readonly place: number
}

/** What comes back from a thread: an error cannot cross with its class. */
export type JobResult =
  | { readonly cells: readonly KeptCell[] }
  | { readonly failed: { readonly code: string | null; readonly message: string; readonly aborted: boolean } }

const PARTS = 1_000_000
const LOOK_EVERY_MS = 100
/** Sources run as they are only in tests; threads need the compiled program. */
const WORKER = new URL('./compare-worker.js', import.meta.url)

/** Plays passes, several at a time in threads. The first failure ends the others; what was kept until then stays. */
export async function playPasses(passes: readonly PassRequest[], world: World, options: JobOptions): Promise<void> {
  if (passes.length === 0) return
  if (options.jobs <= 1 || passes.length === 1 || import.meta.url.endsWith('.ts')) return playHere(passes, world, options)
  const { Tinypool } = await import('tinypool')
  const threads = Math.min(options.jobs, passes.length)
  const pool = new Tinypool({ filename: fileURLToPath(WORKER), runtime: 'worker_threads', minThreads: threads, maxThreads: threads, isolateWorkers: false })
  const board = new SharedArrayBuffer(4 * (passes.length + 1))
  const places = new Int32Array(board)
  const stop = (): void => { Atomics.store(places, 0, 1) }
  world.signal.addEventListener('abort', stop, { once: true })
  if (world.signal.aborted) stop()
  const watch = setInterval(() => {
    let sum = 0
    for (let place = 1; place <= passes.length; place++) sum += Atomics.load(places, place)
    options.onProgress?.(sum / PARTS / passes.length)
  }, LOOK_EVERY_MS)
  try {
    const failures: unknown[] = []
    await Promise.all(passes.map(async (request, index) => {
      const result = await pool.run({ request, env: plainEnv(world.env), board, place: index + 1 } satisfies JobData) as JobResult
      if ('cells' in result) return options.onKept(result.cells)
      stop()
      if (!result.failed.aborted) failures.push(errorOf(result.failed))
      return undefined
    }))
    if (failures.length > 0) throw failures[0]
    world.signal.throwIfAborted()
  } finally {
    clearInterval(watch)
    world.signal.removeEventListener('abort', stop)
    await pool.destroy()
  }
}

async function playHere(passes: readonly PassRequest[], world: World, { onProgress, onKept }: JobOptions): Promise<void> {
  for (const [index, request] of passes.entries()) {
    onKept(await playPass(request, world, { onProgress: (share) => onProgress?.((index + share) / passes.length), now: () => Date.now() }))
    onProgress?.((index + 1) / passes.length)
  }
}

const plainEnv = (env: World['env']): Record<string, string | undefined> => ({ ...env })

const errorOf = ({ code, message }: { readonly code: string | null; readonly message: string }): Error =>
  code === null ? new Error(message) : new TapedeckError(code as ConstructorParameters<typeof TapedeckError>[0], message)

/** How far a pass is, and whether it is to end, as its thread sees it. */
export class Board {
  readonly #places: Int32Array
  readonly #place: number

  constructor(board: SharedArrayBuffer, place: number) {
    this.#places = new Int32Array(board)
    this.#place = place
  }

  get stopped(): boolean {
    return Atomics.load(this.#places, 0) === 1
  }

  tell(share: number): void {
    Atomics.store(this.#places, this.#place, Math.round(share * PARTS))
  }
}
