import { baseRate, breakEvenRate, roundTripCosts, type Policy } from '../core/policy.ts'
import type { RunRecord } from '../session/live-directory.ts'
import type { RunInfo, RunState } from './ports.ts'
import type { RunBook } from './run-book.ts'
import { withoutPaths } from './rows.ts'
import { kindOf } from './run-list.ts'
import { LIVE_LANE, snakePolicy } from './views.ts'

/** What only whoever runs it knows. */
export interface InfoMore {
  /** As run.json has it, or better known. */
  readonly state?: string
  readonly mode?: RunInfo['mode']
  readonly notes?: readonly string[]
  /** Names of shadow lanes. */
  readonly shadows?: readonly string[]
}

interface Recorded {
  readonly run?: string
  readonly state?: string
  readonly venue?: { readonly name?: string }
  readonly scenarioSha256?: string
  readonly startedAt?: string
  readonly warnings?: readonly string[]
  readonly scenario?: {
    readonly name?: string
    readonly symbols?: readonly string[]
    readonly timeframe?: string
    readonly strategy?: { readonly name?: string }
    readonly providers?: readonly { readonly name: string }[]
    readonly policy?: Policy
  }
}

const STATES: Readonly<Record<string, RunState>> = { running: 'running', stopped: 'stopped', finished: 'finished', interrupted: 'stopped', crashed: 'crashed' }

/** What run.json and the book tell of a run; null before there is any. */
export function runInfo(record: RunRecord | null, book: RunBook, more: InfoMore = {}): RunInfo {
  const { run = null, state = 'finished', venue, scenarioSha256 = null, startedAt = null, scenario = {}, warnings = [] } =
    (record ?? {}) as Recorded
  const { name = null, symbols = [], timeframe = null, strategy, providers = [], policy } = scenario
  const [stop, target] = [policy?.stopLoss ?? null, policy?.takeProfit ?? null]
  return {
    run,
    state: STATES[more.state ?? state] ?? 'failed',
    kind: record === null ? 'none' : kindOf(record),
    venue: venue?.name ?? 'paper',
    scenario: name,
    scenario_hash: scenarioSha256,
    strategy: strategy?.name ?? null,
    symbols,
    timeframe,
    mode: more.mode ?? 'AUTONOMOUS',
    started_at: startedAt,
    providers: providers.map((one) => one.name),
    policy: policy === undefined ? {} : snakePolicy(policy),
    base_rate: baseRate(stop, target),
    break_even: book.costs === null ? null : breakEvenRate(stop, target, roundTripCosts(book.costs)),
    notes: (more.notes ?? warnings).map(withoutPaths),
    currency: symbols.at(0)?.split('/').at(1) ?? 'USDT',
    lanes: [LIVE_LANE, ...(more.shadows ?? [])],
  }
}
