import type { FailureKind } from '../core/provider-failure.ts'
import { isoDay, DAY_MS, type EpochMs } from '../core/time.ts'

/** Everything that is remembered of a service, also across restarts. Plain JSON. */
export interface ServiceHealth {
  readonly state: 'ACTIVE' | 'COOLING' | 'DISABLED'
  /** Why it is not ACTIVE. */
  readonly reason: string | null
  readonly since: EpochMs | null
  /** When it may be tried again; null while ACTIVE, and while only a person can enable it. */
  readonly until: EpochMs | null
  /** Transient failures in a row. */
  readonly failures: number
  /** Times in a row that it was left to cool down, or that a probe of it failed while it was disabled. */
  readonly setbacks: number
  readonly successes: number
  readonly errors: Readonly<Partial<Record<FailureKind, number>>>
  /** Of the newest answers, in ms, oldest first. */
  readonly latencies: readonly number[]
  readonly inputTokens: number
  readonly outputTokens: number
  readonly costUsd: number
  /** Spent on `day`, by which a daily budget counts. */
  readonly day: string | null
  readonly dayUsd: number
  readonly lastUsed: EpochMs | null
}

export const NEW_SERVICE: ServiceHealth = {
  state: 'ACTIVE', reason: null, since: null, until: null, failures: 0, setbacks: 0, successes: 0, errors: {},
  latencies: [], inputTokens: 0, outputTokens: 0, costUsd: 0, day: null, dayUsd: 0, lastUsed: null,
}

/** Transient failures in a row that disable a service. */
const MOST_FAILURES = 5
const MINUTE = 60_000
/** A server that asks for more patience than this is left to cool down. */
export const SHORT_HINT_MS = 5_000
const FIRST_COOL_DOWN_MS = MINUTE / 2
const LONGEST_COOL_DOWN_MS = 15 * MINUTE
const FIRST_PROBE_MS = 15 * MINUTE
const LAST_PROBE_MS = 6 * 60 * MINUTE
/** A quota whose reset the service does not tell is tried again after an hour. */
const QUOTA_MS = 60 * MINUTE
/** Whatever a server asks for: a day later one question does no harm, and a slip of its clock ends no autonomy. */
const LONGEST_HINT_MS = 25 * 60 * MINUTE
const LATENCIES = 200

/**
 * What a failure means for its service. `person`: only one can mend it: a key, a bill, a model's name. `none`: the service
 * is not to blame, or cannot do better. `reset`: it is left alone until its quota begins anew. `cool`: it is left alone for
 * a while. `count`: nothing but that too many in a row disable it, since what we asked wrongly gets no better by waiting,
 * and the next question may be another one.
 */
const CONSEQUENCES: Readonly<Record<FailureKind, 'person' | 'none' | 'reset' | 'cool' | 'count'>> = {
  key: 'person', payment: 'person', 'model-gone': 'person',
  refused: 'none', 'too-long': 'none', truncated: 'none', 'not-json': 'none', invalid: 'none',
  quota: 'reset',
  timeout: 'cool', network: 'cool', server: 'cool', 'rate-limit': 'cool',
  'bad-request': 'count', error: 'count',
}

/** Sent once more within the decision's deadline: the next attempt may well succeed. */
export const isWorthRetrying = (kind: FailureKind, retryAfterMs: number | null): boolean =>
  kind === 'server' || kind === 'network' || (kind === 'rate-limit' && retryAfterMs !== null && retryAfterMs <= SHORT_HINT_MS)

/** A clock that was corrected by more than this was wrong when it was noted down. */
const CLOCK_SLIP_MS = 5 * MINUTE
/** Noted down by a clock that was ahead: a pause that was to take minutes would take until then. */
const isAhead = ({ since }: ServiceHealth, now: EpochMs): boolean => since !== null && since - now > CLOCK_SLIP_MS

/** Why a service may not be asked now, or null. Once its time has come it may: one question is the probe. */
export function refusal(health: ServiceHealth, now: EpochMs): 'disabled' | 'cooling' | null {
  const { state, until } = health
  if (state === 'ACTIVE' || (until !== null && (now >= until || isAhead(health, now)))) return null
  return state === 'DISABLED' ? 'disabled' : 'cooling'
}

/** The service stands for one question until its outcome is known: nobody else may ask it. */
export const isProbe = ({ state }: ServiceHealth): boolean => state !== 'ACTIVE'

const doubled = (first: number, times: number, last: number): number => Math.min(last, first * 2 ** Math.min(times, 20))

const patience = (hintMs: number | null): number => (hintMs !== null && hintMs > 0 ? Math.min(hintMs, LONGEST_HINT_MS) : 0)

/** Only a person can enable it: what comes of questions that were under way by then is counted and changes nothing. */
const isShut = ({ state, until }: ServiceHealth): boolean => state === 'DISABLED' && until === null

/** Of a question that went out before the service was left alone: only one that was asked since can tell whether it is back. */
const isLate = (health: ServiceHealth, begun: EpochMs, now: EpochMs): boolean =>
  health.state !== 'ACTIVE' && health.since !== null && begun <= health.since && !isAhead(health, now)

/** An answer came to a question of the time `begun`. It closes whatever was open by then. */
export function succeeded(
  health: ServiceHealth, now: EpochMs, { latencyMs, inputTokens, outputTokens, costUsd }: {
    readonly latencyMs: number; readonly inputTokens: number; readonly outputTokens: number; readonly costUsd: number
  }, begun: EpochMs = now,
): ServiceHealth {
  const counted: ServiceHealth = {
    ...charged(health, now, { inputTokens, outputTokens, costUsd }), successes: health.successes + 1,
    latencies: [...health.latencies, latencyMs].slice(-LATENCIES), lastUsed: now,
  }
  return isLate(health, begun, now) ? counted : answered(counted, now)
}

function answered(health: ServiceHealth, now: EpochMs): ServiceHealth {
  if (isShut(health)) return health
  const since = health.state === 'ACTIVE' ? health.since : now
  return { ...health, state: 'ACTIVE', reason: null, since, until: null, failures: 0, setbacks: 0 }
}

/** Tokens that were paid for, with an answer or without. */
export function charged(
  health: ServiceHealth, now: EpochMs, { inputTokens, outputTokens, costUsd }: {
    readonly inputTokens: number; readonly outputTokens: number; readonly costUsd: number
  },
): ServiceHealth {
  const day = isoDay(Math.floor(now / DAY_MS))
  return {
    ...health, inputTokens: health.inputTokens + inputTokens, outputTokens: health.outputTokens + outputTokens,
    costUsd: health.costUsd + costUsd, day, dayUsd: spentOn(health, now) + costUsd,
  }
}

/** USD spent on the UTC day of `now`. */
export const spentOn = ({ day, dayUsd }: ServiceHealth, now: EpochMs): number =>
  (day === isoDay(Math.floor(now / DAY_MS)) ? dayUsd : 0)

/** A question of the time `begun` failed for good, after whatever attempts were worth while. */
export function failed(
  health: ServiceHealth, now: EpochMs, failure: {
    readonly kind: FailureKind; readonly message: string; readonly retryAfterMs: number | null; readonly resetAtMs: number | null
  }, begun: EpochMs = now,
): ServiceHealth {
  const { kind, message, retryAfterMs, resetAtMs } = failure
  const counted: ServiceHealth = {
    ...health, errors: { ...health.errors, [kind]: (health.errors[kind] ?? 0) + 1 }, lastUsed: now,
  }
  if (isShut(health)) return counted
  const consequence = CONSEQUENCES[kind]
  // A probe that was answered with nonsense was answered.
  if (consequence === 'none') return isLate(health, begun, now) ? counted : answered(counted, now)
  if (consequence === 'person') return { ...counted, state: 'DISABLED', reason: message, since: now, until: null }
  const hinted = now + patience(retryAfterMs)
  // A reset that is over by our clock must not have it asked without a pause.
  const least = consequence === 'reset' ? Math.max(now + (resetAtMs === null ? QUOTA_MS : patience(resetAtMs - now)), hinted, now + FIRST_COOL_DOWN_MS) : hinted
  // Many questions that are under way when a service fails tell of one failure, not of many in a row.
  if (isLate(health, begun, now)) return { ...counted, until: Math.max(health.until!, least) }
  if (consequence === 'reset') return { ...counted, state: 'COOLING', reason: message, since: now, until: least }
  const failures = health.failures + 1
  if (health.state === 'DISABLED' || failures >= MOST_FAILURES) {
    const probes = health.state === 'DISABLED' ? health.setbacks + 1 : 0
    const until = Math.max(now + doubled(FIRST_PROBE_MS, probes, LAST_PROBE_MS), least)
    return { ...counted, state: 'DISABLED', reason: message, since: now, until, failures, setbacks: probes }
  }
  // What we asked wrongly gets no better by waiting, and the next question may be another one.
  if (consequence === 'count') return { ...counted, failures }
  const until = Math.max(now + doubled(FIRST_COOL_DOWN_MS, health.setbacks, LONGEST_COOL_DOWN_MS), least)
  return { ...counted, state: 'COOLING', reason: message, since: now, until, failures, setbacks: health.setbacks + 1 }
}

/** A person has spoken. */
export const enabled = (health: ServiceHealth, now: EpochMs): ServiceHealth =>
  ({ ...health, state: 'ACTIVE', reason: null, since: now, until: null, failures: 0, setbacks: 0 })
export const disabled = (health: ServiceHealth, now: EpochMs, reason: string): ServiceHealth =>
  ({ ...health, state: 'DISABLED', reason, since: now, until: null })

/** Where health is kept. `update` is one step, whoever else keeps it there as well. */
export interface HealthBook {
  read(service: string): ServiceHealth
  update(service: string, change: (health: ServiceHealth) => ServiceHealth): ServiceHealth
  /** What all services have cost together on the UTC day of `now`, in USD. */
  spentToday(now: EpochMs): number
}

/** Health of the same services under a name of its own, so that whose trouble is its own; money is counted together. */
export const healthOf = (book: HealthBook, whose: string): HealthBook => ({
  read: (service) => book.read(`${service}@${whose}`),
  update: (service, change) => book.update(`${service}@${whose}`, change),
  spentToday: (now) => book.spentToday(now),
})

/** Health that ends with the process. */
export class MemoryBook implements HealthBook {
  readonly #known = new Map<string, ServiceHealth>()

  read(service: string): ServiceHealth {
    return this.#known.get(service) ?? NEW_SERVICE
  }

  update(service: string, change: (health: ServiceHealth) => ServiceHealth): ServiceHealth {
    const changed = change(this.read(service))
    this.#known.set(service, changed)
    return changed
  }

  spentToday(now: EpochMs): number {
    return [...this.#known.values()].reduce((sum, health) => sum + spentOn(health, now), 0)
  }
}
