import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { rawLines, textOf } from './audit/raw-lines.ts'
import { shapeFault } from './audit/line-shape.ts'
import { parseTrailLine } from './audit/reader.ts'
import { TrailTail } from './audit/tail.ts'
import type { Environment } from './config/settings.ts'
import { messageOf, TapedeckError } from './errors.ts'
import { checkHost, startServer, type Server } from './server/server.ts'
import { RunBook } from './server/run-book.ts'
import { runInfo } from './server/run-info.ts'
import { serviceList } from './server/service-list.ts'
import { readRun, standingIn, type RunRecord } from './session/live-directory.ts'
import { ServiceBook } from './session/service-book.ts'
import { version } from './version.ts'

export interface ServeOptions {
  /** Directory of the run that is shown; null where there is none yet. */
  readonly run: string | null
  /** Parent folder of run directories. */
  readonly out: string
  readonly host: string
  readonly port: number
  readonly env: Environment
  /** Told what a person should know. */
  readonly warn: (message: string) => void
}

/** How often a run that somebody else goes on with is looked at. */
const FOLLOW_MS = 1_000
/** Lines that are read before anything else gets a turn. */
const TURN = 2_000

/** The built page, beside the compiled program. */
export const dashboardFolder = (): string => fileURLToPath(new URL('./server/dashboard', import.meta.url))

/** Serves a run's page without trading. A run that another process goes on with is followed. */
export async function serveRuns({ run, out, host, port, env, warn }: ServeOptions): Promise<Server> {
  checkHost(host, env)
  let record = run === null ? null : readRun(run)
  const book = new RunBook(record === null || record['venue'] !== undefined ? null : cashOf(record))
  const follower = run === null ? null : await Follower.of(join(run, 'audit.jsonl'), book, () => { record = readRun(run) }, warn)
  const services = new ServiceBook(out)
  const health = cautious(() => {
    const { providers } = runInfo(record, book)
    return serviceList(services, providers)
  }, warn)
  try {
    const server = await startServer({
      shown: { book, info: () => runInfo(record, book, record === null ? {} : { state: standingIn(run!, record) }), services: health, lanes: () => [] },
      controls: null, host, port, env, out, run, dashboard: dashboardFolder(), version: version(), now: Date.now,
      report: (error) => { warn(`a request failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`) },
    })
    return {
      url: server.url,
      async close() {
        follower?.close()
        await server.close()
      },
    }
  } catch (error) {
    follower?.close()
    throw error
  }
}

/** What a backtest began with. */
function cashOf(record: RunRecord): number | null {
  const { scenario } = record as { readonly scenario?: { readonly broker?: { readonly options?: { readonly cash?: unknown } } } }
  const cash = scenario?.broker?.options?.cash
  return typeof cash === 'number' ? cash : null
}

/** A file that got damaged meanwhile is said once, and what was known before is shown on. */
function cautious<T>(read: () => readonly T[], warn: (message: string) => void): () => readonly T[] {
  let known: readonly T[] = []
  let said = ''
  return () => {
    try {
      known = read()
    } catch (error) {
      const message = messageOf(error)
      if (message !== said) warn(message)
      said = message
    }
    return known
  }
}

/** Feeds a book from a trail: first what is there, then what is added. */
class Follower {
  readonly #timer: NodeJS.Timeout

  private constructor(tail: TrailTail, book: RunBook, changed: () => void, warn: (message: string) => void) {
    this.#timer = setInterval(() => {
      try {
        const lines = tail.read()
        for (const line of lines) if (shapeFault(line) === null) book.see(line)
        if (lines.length > 0) changed()
      } catch (error) {
        this.close()
        warn(`the run cannot be followed any more: ${messageOf(error)}`)
      }
    }, FOLLOW_MS).unref()
  }

  /** Throws TD_TRAIL_BROKEN. A run without a trail is shown without one. */
  static async of(path: string, book: RunBook, changed: () => void, warn: (message: string) => void): Promise<Follower | null> {
    if (!existsSync(path)) {
      warn(`${basename(join(path, '..'))}: the run has no audit trail, so only its report can be shown`)
      return null
    }
    let number = 0
    let end = 0
    for (const { bytes, whole } of rawLines(path)) {
      if (!whole) continue
      const line = parseTrailLine(textOf(bytes))
      if (line === null || shapeFault(line.fields) !== null) {
        throw new TapedeckError('TD_TRAIL_BROKEN', `${path}: line ${number + 1} is damaged; \`tapedeck verify\` tells what else is wrong; restore the file`)
      }
      book.see(line.fields)
      end += bytes.length + 1
      if (++number % TURN === 0) await nextTurn()
    }
    return new Follower(new TrailTail(path, end), book, changed, warn)
  }

  close(): void {
    clearInterval(this.#timer)
  }
}
