import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { readRun } from '../../engine/session/live-directory.ts'
import type { PracticeExchange } from '../../plugins/exchange/exchange.ts'
import type { Workspace } from '../support/cli.ts'
import { practiceOn, stage } from '../support/rehearsal.ts'
import { root } from '../support/shared.ts'
import { NakedWatch } from './naked-watch.ts'
import { BALANCES, CHECK_INTERVAL_MS, INSTRUMENT, scenarioOf, tapeCsv, type Setup } from './setups.ts'

const SWITCH = `--import ${pathToFileURL(join(root, 'test/crash/kill-switch.mjs')).href}`

/** A process that was killed, or the one that came to the end. */
export interface Life {
  /** The moment at which it was killed, null where it came to its end. */
  readonly killedAt: string | null
  /** The moments that it went through, where it came to its end. */
  readonly moments: readonly string[]
  /** The trail as it left it; empty where there was none. */
  readonly trail: Buffer
}

/** A run that was killed and gone on with until its tape was over. */
export interface KilledRun {
  readonly setup: Setup
  readonly lives: readonly Life[]
  /** The run's directory. */
  readonly directory: string
  readonly exchange: PracticeExchange
  readonly watch: NakedWatch
  /** Decisions as the view of all runs has them. */
  readonly view: string
}

/**
 * Starts the program on an exchange that lives on here, kills it at the given moments, one process after the other, and
 * lets the last one come to the end. Throws where a process ends otherwise.
 */
export async function killedRun(setup: Setup, here: Workspace, kills: readonly number[]): Promise<KilledRun> {
  here.put('tape.csv', tapeCsv())
  const staged = await stage(scenarioOf(setup), here.folder)
  const watch = new NakedWatch(INSTRUMENT)
  const { exchange, venue } = await practiceOn(staged, {
    balances: BALANCES, onRequest: () => { watch.look(exchange) }, ...setup.exchange,
  })
  try {
    const lives: Life[] = []
    for (const kill of [...kills, null]) {
      lives.push(await live(here, venue.url, kill))
      // Killed after its last word: nothing is left to go on with.
      if (stateOf(here) === 'finished') break
    }
    watch.end(exchange)
    const view = here.read('logs', 'autonomous_trades.jsonl')
    return { setup, lives, directory: directoryOf(here)!, exchange, watch, view }
  } finally {
    await exchange.close()
  }
}

async function live(here: Workspace, url: string, kill: number | null): Promise<Life> {
  const report = here.path('moments.txt')
  // Before run.json is there nothing has been begun that could be gone on with.
  const resume = directoryOf(here) === null ? [] : ['--resume']
  const { child, done } = here.start(['rehearse', 'scenario.yaml', ...resume, '--exchange', url, '--json'], {
    NODE_OPTIONS: `${process.env['NODE_OPTIONS'] ?? ''} ${SWITCH}`, CHECK_INTERVAL: String(CHECK_INTERVAL_MS / 1000),
    TAPEDECK_TEST_MOMENTS: report, ...(kill === null ? {} : { TAPEDECK_TEST_KILL_AT: String(kill) }),
  })
  const { code, stderr } = await done
  const moments = existsSync(report) ? readFileSync(report, 'utf8').trimEnd().split('\n') : []
  const trail = directoryOf(here) === null ? null : join(directoryOf(here)!, 'audit.jsonl')
  const bytes = trail !== null && existsSync(trail) ? readFileSync(trail) : Buffer.alloc(0)
  if (child.signalCode === 'SIGKILL') return { killedAt: moments[0], moments: [], trail: bytes }
  if (code !== 0) throw new Error(`the program ended with ${code} instead of going on: ${stderr}`)
  return { killedAt: null, moments, trail: bytes }
}

function stateOf(here: Workspace): unknown {
  const directory = directoryOf(here)
  return directory === null ? null : readRun(directory)['state']
}

/** The run that can be gone on with; null while there is none. */
function directoryOf(here: Workspace): string | null {
  const runs = here.list('runs').filter((name) => existsSync(here.path('runs', name, 'run.json')))
  if (runs.length > 1) throw new Error(`one run became ${runs.length}: ${readdirSync(here.path('runs')).join(', ')}`)
  return runs.length === 0 ? null : here.path('runs', runs[0])
}
