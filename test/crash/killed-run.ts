import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { EpochMs } from '../../engine/core/time.ts'
import { readRun } from '../../engine/session/live-directory.ts'
import type { PracticeExchange, PracticeOptions } from '../../plugins/exchange/exchange.ts'
import type { Workspace } from '../support/cli.ts'
import { NakedWatch } from '../support/naked-watch.ts'
import { practiceOn, stage } from '../support/rehearsal.ts'
import { root } from '../support/shared.ts'
import { balancesOf, CHECK_INTERVAL_MS, INSTRUMENT, scenarioOf, tapeCsv, type Setup } from './setups.ts'

const SWITCH = `--import ${pathToFileURL(join(root, 'test/crash/kill-switch.mjs')).href}`

/** A process that was killed, or the one that came to the end. */
export interface Life {
  /** Time at the exchange when it was started; 0 where the exchange is its own. */
  readonly startedAt: EpochMs
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
  /** As it was when the run had ended: closed. */
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
  const open = async (more: Partial<PracticeOptions>): Promise<PracticeExchange> =>
    (await practiceOn(staged, { balances: balancesOf(setup), ...setup.exchange, ...more })).exchange
  const theirs = setup.exchange === null ? null : await open({ onRequest: () => { watch.look(theirs!) } })
  const lives: Life[] = []
  try {
    for (const kill of [...kills, null]) {
      const startedAt = theirs?.now() ?? 0
      lives.push({ startedAt, ...await live(here, theirs?.url ?? null, kill) })
      // Killed after its last word: nothing is left to go on with.
      if (stateOf(here) === 'finished') break
    }
    if (theirs !== null) watch.end(theirs)
  } finally {
    await theirs?.close()
  }
  const directory = directoryOf(here)!
  const exchange = theirs ?? await open({ journal: join(directory, 'exchange.jsonl') })
  await exchange.close()
  return { setup, lives, directory, exchange, watch, view: here.read('logs', 'autonomous_trades.jsonl') }
}

async function live(here: Workspace, url: string | null, kill: number | null): Promise<Omit<Life, 'startedAt'>> {
  const report = here.path('moments.txt')
  rmSync(report, { force: true })
  // Before run.json is there nothing has been begun that could be gone on with.
  const resume = directoryOf(here) === null ? [] : ['--resume']
  const at = url === null ? [] : ['--exchange', url]
  const { child, done } = here.start(['rehearse', 'scenario.yaml', '--json', ...resume, ...at], {
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
