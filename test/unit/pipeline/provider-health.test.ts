import { describe, expect, it } from 'vitest'
import { FAILURE_KINDS, type FailureKind } from '../../../engine/core/provider-failure.ts'
import {
  charged, disabled, enabled, failed, isProbe, isWorthRetrying, NEW_SERVICE, refusal, SHORT_HINT_MS, spentOn, succeeded,
  type ServiceHealth,
} from '../../../engine/pipeline/provider-health.ts'
import { ServiceBook } from '../../../engine/session/service-book.ts'
import { temporaryFolder } from '../../support/run-scenario.ts'

const NOW = Date.UTC(2024, 5, 1, 12)
const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const USED = { latencyMs: 800, inputTokens: 300, outputTokens: 40, costUsd: 0.01 }
const FOR_A_PERSON: readonly FailureKind[] = ['key', 'payment', 'model-gone']
const NO_PENALTY: readonly FailureKind[] = ['refused', 'too-long', 'truncated', 'not-json', 'invalid']
const COOLED: readonly FailureKind[] = ['timeout', 'network', 'server', 'rate-limit']

const failure = (kind: FailureKind, hints: { retryAfterMs?: number; resetAtMs?: number } = {}) =>
  ({ kind, message: `${kind} it is`, retryAfterMs: null, resetAtMs: null, ...hints })

interface Failing {
  readonly health: ServiceHealth
  readonly now: number
}

const NEW_FAILING: Failing = { health: NEW_SERVICE, now: NOW }

/** `times` failures in a row, each of a question that is asked as soon as it may be. */
function failing(times: number, kind: FailureKind = 'server', from: Failing = NEW_FAILING): Failing {
  let { health, now } = from
  for (let count = 0; count < times; count++) {
    now = (health.until ?? now) + 1
    health = failed(health, now, failure(kind))
  }
  return { health, now }
}

/** Ms for which it is left alone. */
const left = ({ health, now }: Failing): number => health.until! - now

describe('what is sent once more', () => {
  it.each(FAILURE_KINDS)('%s', (kind) => {
    expect(isWorthRetrying(kind, null)).toBe(kind === 'server' || kind === 'network')
    expect(isWorthRetrying(kind, SHORT_HINT_MS)).toBe(kind === 'server' || kind === 'network' || kind === 'rate-limit')
    expect(isWorthRetrying(kind, SHORT_HINT_MS + 1)).toBe(kind === 'server' || kind === 'network')
  })
})

describe('a cool-down', () => {
  it.each(COOLED)('follows %s, and one question finds out whether the service is back', (kind) => {
    const { health, now } = failing(1, kind)
    expect(health).toMatchObject({
      state: 'COOLING', reason: `${kind} it is`, since: now, until: now + 30 * SECOND, failures: 1, errors: { [kind]: 1 }, lastUsed: now,
    })
    expect(refusal(health, now + 30 * SECOND - 1)).toBe('cooling')
    expect(refusal(health, now + 30 * SECOND)).toBeNull()
    expect(isProbe(health)).toBe(true)
    expect(isProbe(NEW_SERVICE)).toBe(false)
  })

  it('doubles with each probe that fails', () => {
    expect([1, 2, 3, 4].map((times) => left(failing(times)))).toEqual([30 * SECOND, MINUTE, 2 * MINUTE, 4 * MINUTE])
  })

  it('lasts as long as the server asks for, and never less than without asking', () => {
    expect(failed(NEW_SERVICE, NOW, failure('rate-limit', { retryAfterMs: HOUR })).until).toBe(NOW + HOUR)
    expect(failed(NEW_SERVICE, NOW, failure('rate-limit', { retryAfterMs: SECOND })).until).toBe(NOW + 30 * SECOND)
  })

  it('lasts no longer than a day, by whose slip of a clock so ever', () => {
    for (const retryAfterMs of [900 * DAY, Infinity]) {
      expect(failed(NEW_SERVICE, NOW, failure('rate-limit', { retryAfterMs })).until).toBe(NOW + 25 * HOUR)
    }
    expect(failed(NEW_SERVICE, NOW, failure('quota', { resetAtMs: NOW + 900 * DAY })).until).toBe(NOW + 25 * HOUR)
    expect(failed(NEW_SERVICE, NOW, failure('server', { retryAfterMs: NaN })).until).toBe(NOW + 30 * SECOND)
  })

  it('is closed by an answer: all is as in the beginning', () => {
    const { health, now } = failing(3)
    const back = succeeded(health, now + HOUR, USED)
    expect(back).toMatchObject({ state: 'ACTIVE', reason: null, since: now + HOUR, until: null, failures: 0, setbacks: 0, successes: 1 })
    expect(left(failing(1, 'server', { health: back, now: now + HOUR }))).toBe(30 * SECOND)
    expect(back.errors).toEqual({ server: 3 })
  })
})

describe('a service that fails again and again', () => {
  it('is disabled after 5 failures, not before', () => {
    expect(failing(4).health.state).toBe('COOLING')
    expect(failing(5).health).toMatchObject({ state: 'DISABLED', reason: 'server it is', failures: 5 })
    expect(refusal(failing(5).health, failing(5).health.until! - 1)).toBe('disabled')
    expect(refusal(failing(5).health, failing(5).health.until!)).toBeNull()
  })

  it('is probed after 15 minutes, doubling to 6 hours: for ever, so that no night ends its service', () => {
    const minutes = [5, 6, 7, 8, 9, 10, 11, 60].map((times) => left(failing(times)) / MINUTE)
    expect(minutes).toEqual([15, 30, 60, 120, 240, 360, 360, 360])
  })

  it('is back with the first answer', () => {
    const { health, now } = failing(9)
    expect(succeeded(health, now + DAY, USED)).toMatchObject({ state: 'ACTIVE', failures: 0, setbacks: 0, until: null })
  })

  it.each(['bad-request', 'error'] as const)('is not left alone for %s, which waiting does not mend, until there are 5 of them', (kind) => {
    expect(failing(4, kind).health).toMatchObject({ state: 'ACTIVE', failures: 4, until: null, errors: { [kind]: 4 } })
    expect(failing(5, kind).health).toMatchObject({ state: 'DISABLED', failures: 5 })
    expect(left(failing(5, kind))).toBe(15 * MINUTE)
  })

  it('starts counting again when it answers in between', () => {
    const { health, now } = failing(4)
    const back = succeeded(health, now + HOUR, USED)
    expect(failing(4, 'server', { health: back, now: now + HOUR }).health.state).toBe('COOLING')
  })

  it('waits as long as a server asks for, also between probes', () => {
    const { health, now } = failing(5)
    expect(failed(health, now + HOUR, failure('rate-limit', { retryAfterMs: DAY })).until).toBe(now + HOUR + DAY)
  })
})

describe('what only a person can mend', () => {
  it.each(FOR_A_PERSON)('%s: never asked again until then', (kind) => {
    for (const { health, now } of [NEW_FAILING, failing(1), failing(7)]) {
      const after = failed(health, now + DAY, failure(kind))
      expect(after).toMatchObject({ state: 'DISABLED', reason: `${kind} it is`, since: now + DAY, until: null })
      expect(refusal(after, now + 9_999 * DAY)).toBe('disabled')
    }
  })

  it('ends when a person says so, and failures begin from nought', () => {
    const again = enabled(failed(failing(7).health, NOW + DAY, failure('key')), NOW + 2 * DAY)
    expect(again).toMatchObject({ state: 'ACTIVE', reason: null, since: NOW + 2 * DAY, until: null, failures: 0, setbacks: 0 })
    expect(refusal(again, NOW + 2 * DAY)).toBeNull()
    expect(again.errors).toEqual({ server: 7, key: 1 })
    expect(failed(again, NOW + 3 * DAY, failure('server'))).toMatchObject({ state: 'COOLING', until: NOW + 3 * DAY + 30 * SECOND })
  })
})

describe('an answer that cannot be used', () => {
  it.each(NO_PENALTY)('%s: the service is not to blame', (kind) => {
    expect(failed(NEW_SERVICE, NOW, failure(kind)))
      .toEqual({ ...NEW_SERVICE, errors: { [kind]: 1 }, lastUsed: NOW })
    // It was there, which is what a probe was to find out.
    for (const { health, now } of [failing(2), failing(8)]) {
      expect(failed(health, now + DAY, failure(kind)))
        .toMatchObject({ state: 'ACTIVE', reason: null, since: now + DAY, until: null, failures: 0, setbacks: 0 })
    }
  })
})

describe('a daily quota', () => {
  const reset = NOW + 12 * HOUR

  it('lasts until its reset', () => {
    const after = failed(NEW_SERVICE, NOW, failure('quota', { resetAtMs: reset }))
    expect(after).toMatchObject({ state: 'COOLING', reason: 'quota it is', until: reset, failures: 0, setbacks: 0 })
    expect(refusal(after, reset - 1)).toBe('cooling')
    expect(refusal(after, reset)).toBeNull()
  })

  it('never disables, however often it is met', () => {
    expect(failing(40, 'quota').health.state).toBe('COOLING')
  })

  it('lasts longer where the server says so, an hour where nobody knows, and never no time at all', () => {
    const until = (hints: { retryAfterMs?: number; resetAtMs?: number }): number => failed(NEW_SERVICE, NOW, failure('quota', hints)).until!
    expect(until({ resetAtMs: reset, retryAfterMs: DAY })).toBe(NOW + DAY)
    expect(until({ resetAtMs: reset, retryAfterMs: SECOND })).toBe(reset)
    expect(until({})).toBe(NOW + HOUR)
    // The service's day has begun anew by our clock, and yet it says that there is no quota left.
    expect(until({ resetAtMs: NOW - 1 })).toBe(NOW + 30 * SECOND)
  })
})

describe('questions that were under way', () => {
  const asked = NOW - SECOND

  it('tell of one failure together, not of many in a row', () => {
    let health = failed(NEW_SERVICE, NOW, failure('server'), asked)
    for (let count = 1; count <= 20; count++) health = failed(health, NOW + count, failure('server'), asked)
    expect(health).toMatchObject({ state: 'COOLING', failures: 1, setbacks: 1, since: NOW, until: NOW + 30 * SECOND, errors: { server: 21 } })
  })

  it('push no probe of a disabled service into the far future', () => {
    const { health, now } = failing(5)
    expect(failed(health, now + 1, failure('timeout'), now - 1)).toMatchObject({ until: health.until, setbacks: 0, failures: 5 })
  })

  it('end no cool-down: what the server asked for holds, whoever it still answers', () => {
    const cooling = failed(NEW_SERVICE, NOW, failure('rate-limit', { retryAfterMs: MINUTE }), asked)
    for (const after of [succeeded(cooling, NOW + 1, USED, asked), failed(cooling, NOW + 1, failure('refused'), asked)]) {
      expect(after).toMatchObject({ state: 'COOLING', until: NOW + MINUTE, lastUsed: NOW + 1 })
    }
    expect(succeeded(cooling, NOW + 1, USED, asked)).toMatchObject({ successes: 1, costUsd: 0.01 })
  })

  it('bring hints that count', () => {
    const cooling = failed(NEW_SERVICE, NOW, failure('server'), asked)
    expect(failed(cooling, NOW + 1, failure('rate-limit', { retryAfterMs: HOUR }), asked).until).toBe(NOW + 1 + HOUR)
    expect(failed(cooling, NOW + 1, failure('quota', { resetAtMs: NOW + DAY }), asked).until).toBe(NOW + DAY)
  })

  it('may still find out what a person has to mend', () => {
    const cooling = failed(NEW_SERVICE, NOW, failure('server'), asked)
    expect(failed(cooling, NOW + 1, failure('key'), asked)).toMatchObject({ state: 'DISABLED', until: null })
  })
})

describe('a service that a person has disabled', () => {
  const shut = disabled(NEW_SERVICE, NOW, 'too dear')

  it('stays so whatever comes of questions that were under way', () => {
    const later = NOW + 5_000
    for (const after of [succeeded(shut, later, USED), ...FAILURE_KINDS.map((kind) => failed(shut, later, failure(kind)))]) {
      expect(after).toMatchObject({ state: 'DISABLED', reason: 'too dear', since: NOW, until: null, lastUsed: later })
      expect(refusal(after, NOW + 365 * DAY)).toBe('disabled')
    }
    expect(succeeded(shut, later, USED)).toMatchObject({ successes: 1, latencies: [800], costUsd: 0.01, dayUsd: 0.01 })
    expect(failed(shut, later, failure('server')).errors).toEqual({ server: 1 })
  })

  it('is asked again when a person enables it', () => {
    const again = enabled(shut, NOW + 1)
    expect(again).toMatchObject({ state: 'ACTIVE', reason: null, until: null })
    expect(refusal(again, NOW + 1)).toBeNull()
  })
})

describe('what is counted', () => {
  it('keeps the newest 200 latencies, oldest first', () => {
    let health = NEW_SERVICE
    for (let latencyMs = 0; latencyMs < 230; latencyMs++) health = succeeded(health, NOW, { ...USED, latencyMs })
    expect(health.latencies).toEqual(Array.from({ length: 200 }, (_, index) => index + 30))
    expect(health.successes).toBe(230)
  })

  it('money by the UTC day', () => {
    const midnight = Date.UTC(2024, 5, 2)
    const before = charged(charged(NEW_SERVICE, midnight - 2, USED), midnight - 1, USED)
    expect([spentOn(before, midnight - 1), spentOn(before, midnight)]).toEqual([0.02, 0])
    const after = charged(before, midnight, USED)
    expect(after).toMatchObject({ day: '2024-06-02', dayUsd: 0.01, inputTokens: 900, outputTokens: 120 })
    expect(after.costUsd).toBeCloseTo(0.03, 12)
  })
})

describe('every state', () => {
  it.each<[string, ServiceHealth]>([
    ['new', NEW_SERVICE], ['cooling', failing(2).health], ['disabled, probing itself', failing(8).health],
    ['out of quota', failed(NEW_SERVICE, NOW, failure('quota', { resetAtMs: NOW + DAY }))],
    ['with a key that is wrong', failed(NEW_SERVICE, NOW, failure('key'))], ['disabled by a person', disabled(NEW_SERVICE, NOW, 'too dear')],
    ['enabled by a person', enabled(failing(8).health, NOW + 1)],
    ['answering', succeeded(NEW_SERVICE, NOW, { latencyMs: 12.5, inputTokens: 1, outputTokens: 1, costUsd: 1e-9 })],
    ['with every kind of failure', FAILURE_KINDS.reduce((health, kind) => failed(health, NOW, failure(kind)), NEW_SERVICE)],
  ])('outlives the process: %s', (_, health) => {
    const out = temporaryFolder()
    new ServiceBook(out).update('one', () => health)
    const read = new ServiceBook(out).read('one')
    expect(read).toEqual(health)
    for (const now of [NOW, NOW + HOUR, NOW + 9 * DAY]) expect(refusal(read, now)).toBe(refusal(health, now))
  })
})

describe('a clock that was ahead', () => {
  const later = NOW + 400 * DAY

  it.each(['server', 'quota'] as const)('leaves nobody alone until then: %s', (kind) => {
    const health = failed(NEW_SERVICE, later, failure(kind))
    expect(refusal(health, NOW)).toBeNull()
    expect(isProbe(health)).toBe(true)
    expect(succeeded(health, NOW + SECOND, USED, NOW)).toMatchObject({ state: 'ACTIVE', until: null })
    expect(failed(health, NOW + SECOND, failure('server'), NOW)).toMatchObject({ since: NOW + SECOND, until: expect.any(Number) as number })
    expect(failed(health, NOW + SECOND, failure('server'), NOW).until).toBeLessThan(NOW + HOUR)
  })

  it('enables nobody whom a person has disabled', () => {
    expect(refusal(disabled(NEW_SERVICE, later, 'too dear'), NOW)).toBe('disabled')
  })

  it('by a little changes nothing', () => {
    expect(refusal(failed(NEW_SERVICE, NOW + SECOND, failure('server')), NOW)).toBe('cooling')
  })
})
