import { describe, expect, it } from 'vitest'
import { FAILURE_KINDS, ProviderFailure, type FailureFacts, type FailureKind } from '../../../engine/core/provider-failure.ts'
import { Budget, type BudgetPlan } from '../../../engine/pipeline/budget.ts'
import { disabled, enabled, MemoryBook, type ServiceHealth } from '../../../engine/pipeline/provider-health.ts'
import { Service, type ServicePlan } from '../../../engine/pipeline/service.ts'
import type { Answer, Conversation } from '../../../engine/ports.ts'
import { EventClock } from '../../support/event-clock.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const GOOD: Answer = { action: 'BUY', confidence: 0.7, reasoning: 'up' }
/** 1 USD a thousand tokens. */
const PRICE = { input: 1_000, output: 1_000 }
const MAX_TOKENS = 100

const conversation: Conversation = {
  system: '', messages: [{ role: 'user', text: 'now?' }], snapshot: {} as Conversation['snapshot'],
  rules: () => ({ action: 'HOLD', confidence: 0, reasoning: 'rules' }),
}

type Act = (signal: AbortSignal, clock: EventClock) => unknown

/** Answers after `ms`, or stops at once when it is told to. */
const after = (ms: number, outcome: unknown): Act => async (signal, clock) => {
  await clock.sleep(ms, signal)
  if (outcome instanceof Error) throw outcome
  return outcome
}
const deaf: Act = () => new Promise(() => {})
const fail = (kind: FailureKind, facts: FailureFacts = {}): Act => () => { throw new ProviderFailure(kind, `${kind} it is`, facts) }
const say = (answer: unknown = GOOD): Act => () => answer

/** A service that does these things one after the other, and then answers. */
function served(acts: readonly Act[], plan: Partial<Omit<ServicePlan, 'budget'>> & { readonly bounds?: Partial<BudgetPlan> } = {}) {
  const clock = new EventClock()
  const book = new MemoryBook()
  const changes: ServiceHealth[] = []
  const calls: number[] = []
  const script = [...acts]
  const budget = new Budget({ run: null, day: null, priceOf: () => null, book, ...plan.bounds })
  const service = new Service({
    name: 'one', book, budget, clock, random: () => 0.5, redact: (text) => text, changed: (_, health) => changes.push(health),
    provider: {
      refines: true, model: 'm', maxTokens: MAX_TOKENS,
      answer: (_, signal) => {
        calls.push(clock.now())
        return (script.shift() ?? say())(signal, clock) as Answer
      },
    },
    ...plan,
  })
  const begun = clock.now()
  const ask = (ms = 30 * SECOND, signal = new AbortController().signal) => service.ask(conversation, clock.now() + ms, signal)
  /** When it was called, in ms since the beginning. */
  const times = (): readonly number[] => calls.map((at) => at - begun)
  const health = (): ServiceHealth => book.read('one')
  return { service, clock, book, budget, changes, calls, ask, times, health }
}

describe('what is asked again', () => {
  it.each(FAILURE_KINDS)('%s', async (kind) => {
    const { ask, calls } = served([fail(kind), fail(kind), fail(kind)])
    const { attempts, failure } = await ask()
    const worth = kind === 'server' || kind === 'network'
    expect(attempts).toBe(worth ? 3 : 1)
    expect(calls).toHaveLength(attempts)
    expect(failure).toMatchObject({ kind, message: `${kind} it is` })
  })

  it('a rate limit only where the server asks for a moment', async () => {
    const short = served([fail('rate-limit', { retryAfterMs: 2 * SECOND })])
    expect(await short.ask()).toMatchObject({ answer: GOOD, attempts: 2 })
    expect(short.times()).toEqual([0, 2_250])
    const long = served([fail('rate-limit', { retryAfterMs: 6 * SECOND })])
    expect(await long.ask()).toMatchObject({ attempts: 1, failure: { kind: 'rate-limit', retryAfterMs: 6 * SECOND } })
  })

  it('nothing that was paid for', async () => {
    const { ask } = served([fail('server', { usage: { inputTokens: 10, outputTokens: 10 } })], { bounds: { priceOf: () => PRICE } })
    expect(await ask()).toMatchObject({ attempts: 1, usage: { inputTokens: 10, outputTokens: 10, costUsd: 0.02 } })
  })

  it('counts one failure for all attempts, and one answer whatever it took', async () => {
    const down = served([fail('server'), fail('server'), fail('network')])
    await down.ask()
    expect(down.health()).toMatchObject({ failures: 1, errors: { network: 1 }, state: 'COOLING' })
    const shaky = served([fail('server'), fail('network')])
    expect(await shaky.ask()).toMatchObject({ answer: GOOD, attempts: 3 })
    expect(shaky.health()).toMatchObject({ failures: 0, errors: {}, successes: 1, state: 'ACTIVE' })
    expect(shaky.changes).toEqual([])
  })
})

describe('pauses', () => {
  it.each([
    ['none, with luck', 0, [0, 0, 0]],
    ['up to half a second, then up to a second', 0.999, [0, 500, 1_499]],
  ])('%s', async (_, chance, expected) => {
    const { ask, times } = served([fail('server'), fail('server')], { random: () => chance })
    await ask()
    expect(times()).toEqual(expected)
  })

  it('are never shorter than what the server asks for', async () => {
    const { ask, times } = served([fail('server', { retryAfterMs: 3 * SECOND }), fail('server', { retryAfterMs: 4 * SECOND })], { random: () => 0 })
    await ask()
    expect(times()).toEqual([0, 3_000, 7_000])
  })

  it('are not begun when the deadline comes first', async () => {
    const { ask, clock } = served([fail('server', { retryAfterMs: 30 * SECOND })])
    const begun = clock.now()
    expect(await ask()).toMatchObject({ attempts: 1, failure: { kind: 'server' } })
    expect(clock.now()).toBe(begun)
  })
})

describe('the deadline', () => {
  it.each([['listens to signals', after(MINUTE, GOOD)], ['does not', deaf]])('ends a question to a provider that %s', async (_, act) => {
    const { ask, clock, health } = served([act])
    const begun = clock.now()
    expect(await ask(10 * SECOND)).toMatchObject({
      answer: null, attempts: 1, latencyMs: 10 * SECOND, failure: { kind: 'timeout', message: 'no answer before the decision\'s deadline' },
    })
    expect(clock.now() - begun).toBe(10 * SECOND)
    expect(health()).toMatchObject({ state: 'COOLING', errors: { timeout: 1 } })
  })

  it('is one for all attempts', async () => {
    const { ask, times } = served([after(4 * SECOND, new ProviderFailure('server', 'no')), after(4 * SECOND, new ProviderFailure('server', 'no')), deaf])
    expect(await ask(10 * SECOND)).toMatchObject({ latencyMs: 10 * SECOND, attempts: 3, failure: { kind: 'timeout' } })
    expect(times()).toEqual([0, 4_250, 8_750])
  })

  it('that is over costs no request', async () => {
    const { ask, calls } = served([])
    expect(await ask(0)).toMatchObject({ failure: { kind: 'timeout' } })
    expect(calls).toEqual([])
  })

  it('leaves nobody waiting when the answer comes in time', async () => {
    const { ask, clock } = served([after(3 * SECOND, GOOD)])
    const begun = clock.now()
    expect(await ask()).toMatchObject({ answer: GOOD, latencyMs: 3 * SECOND })
    expect(clock.now() - begun).toBe(3 * SECOND)
  })

  it('hears no late failure of a question that was given up', async () => {
    const late: Act = async (_, clock) => {
      await clock.sleep(MINUTE)
      throw new Error('far too late')
    }
    const { ask, clock, health } = served([late])
    expect(await ask(10 * SECOND)).toMatchObject({ failure: { kind: 'timeout' } })
    await clock.sleep(2 * MINUTE)
    expect(health().errors).toEqual({ timeout: 1 })
  })
})

describe('an abort', () => {
  const reason = new Error('somebody pressed Ctrl-C')

  it.each<[string, Act]>([
    ['a provider that listens', after(MINUTE, GOOD)], ['a provider that does not', deaf],
    ['a provider that fails of it in its own words', (signal) => new Promise((_, reject) => { signal.addEventListener('abort', () => reject(new Error('socket closed'))) })],
    ['a pause', fail('server', { retryAfterMs: 20 * SECOND })],
  ])('passes through from %s, and is nobody\'s failure', async (_, act) => {
    const { ask, clock, health, budget, service } = served([act], { bounds: { priceOf: () => PRICE, run: 0.6 } })
    const stop = new AbortController()
    void clock.sleep(5 * SECOND).then(() => stop.abort(reason))
    await expect(ask(30 * SECOND, stop.signal)).rejects.toBe(reason)
    expect(health()).toMatchObject({ state: 'ACTIVE', errors: {}, lastUsed: null })
    // What was set aside is free again.
    expect(budget.spent).toBe(0)
    expect(service.refusal(conversation)).toBeNull()
  })

  it('that came before sends nothing', async () => {
    const { ask, calls } = served([])
    await expect(ask(1_000, AbortSignal.abort(reason))).rejects.toBe(reason)
    expect(calls).toEqual([])
  })

  it('of a probe leaves the probe to another one', async () => {
    const { ask, clock, service } = served([fail('timeout'), deaf])
    await ask()
    await clock.sleep(MINUTE)
    const stop = new AbortController()
    const asking = ask(30 * SECOND, stop.signal)
    expect(service.refusal(conversation)).toBe('cooling')
    stop.abort(reason)
    await expect(asking).rejects.toBe(reason)
    expect(service.refusal(conversation)).toBeNull()
  })
})

describe('a probe', () => {
  it('goes out alone, once, when the time has come', async () => {
    const { ask, clock, service, times, changes } = served([fail('timeout'), after(SECOND, GOOD)])
    await ask()
    expect(service.refusal(conversation)).toBe('cooling')
    await clock.sleep(30 * SECOND)
    expect(service.refusal(conversation)).toBeNull()
    const probing = ask()
    expect(service.refusal(conversation)).toBe('cooling')
    await probing
    expect(service.refusal(conversation)).toBeNull()
    expect(times()).toEqual([0, 30 * SECOND])
    expect(changes.map(({ state }) => state)).toEqual(['COOLING', 'ACTIVE'])
  })

  it('is not repeated: one question is enough to find out', async () => {
    const { ask, clock, calls, health } = served([fail('timeout'), fail('server')])
    await ask()
    await clock.sleep(30 * SECOND)
    expect(await ask()).toMatchObject({ attempts: 1, failure: { kind: 'server' } })
    expect(calls).toHaveLength(2)
    expect(health()).toMatchObject({ state: 'COOLING', setbacks: 2, until: clock.now() + MINUTE })
  })

  it('of a disabled service is refused to others as disabled', async () => {
    const { ask, clock, service } = served([...Array.from({ length: 5 }, () => fail('error')), after(SECOND, GOOD)])
    for (let count = 0; count < 5; count++) await ask()
    expect(service.refusal(conversation)).toBe('disabled')
    await clock.sleep(15 * MINUTE)
    const probing = ask()
    expect(service.refusal(conversation)).toBe('disabled')
    await probing
    expect(service.refusal(conversation)).toBeNull()
  })

  it('stays alone when an older question ends meanwhile', async () => {
    const { ask, clock, service } = served([after(40 * SECOND, GOOD), fail('timeout'), after(20 * SECOND, GOOD)])
    const old = ask(2 * MINUTE)
    await ask()
    await clock.sleep(30 * SECOND)
    const probing = ask()
    await old
    expect(service.refusal(conversation)).toBe('cooling')
    await probing
    expect(service.refusal(conversation)).toBeNull()
  })
})

describe('a change of state', () => {
  it('is told once, however many questions are under way', async () => {
    const { ask, changes, health } = served(Array.from({ length: 8 }, (_, index) => after(SECOND + index, new ProviderFailure('timeout', 'slow'))))
    await Promise.all(Array.from({ length: 8 }, () => ask()))
    expect(changes.map(({ state }) => state)).toEqual(['COOLING'])
    expect(health()).toMatchObject({ errors: { timeout: 8 }, failures: 1 })
  })

  it('is told when one that probes itself turns out to need a person', async () => {
    const { ask, clock, changes } = served([...Array.from({ length: 5 }, () => fail('error')), fail('key'), fail('key')])
    for (let count = 0; count < 5; count++) await ask()
    await clock.sleep(15 * MINUTE)
    await ask()
    expect(changes).toMatchObject([{ state: 'DISABLED', reason: 'error it is' }, { state: 'DISABLED', reason: 'key it is', until: null }])
  })

  it('is told when a person has made it, somewhere else', async () => {
    const { ask, service, changes, book } = served([say(GOOD)])
    await ask()
    book.update(service.name, (health) => disabled(health, 7, 'too dear'))
    expect(service.refusal(conversation)).toBe('disabled')
    expect(service.refusal(conversation)).toBe('disabled')
    book.update(service.name, (health) => enabled(health, 8))
    expect(service.refusal(conversation)).toBeNull()
    expect(changes).toMatchObject([{ state: 'DISABLED', reason: 'too dear' }, { state: 'ACTIVE' }])
  })
})

describe('the budget', () => {
  /** 402 tokens of question and 100 of answer. */
  const WORST = 0.502
  const bounds = (bound: Partial<BudgetPlan>) => ({ bounds: { priceOf: () => PRICE, ...bound } })
  const paid = { ...GOOD, usage: { inputTokens: 30, outputTokens: 20 } }

  it.each([['run', { run: WORST }], ['day', { day: WORST }]])('of the %s has the worst case set aside before, and gets back what is left', async (_, bound) => {
    const { ask, service, budget } = served([after(SECOND, paid)], bounds(bound))
    expect(service.refusal(conversation)).toBeNull()
    const asking = ask()
    expect(service.refusal(conversation)).toBe('budget')
    expect(await asking).toMatchObject({ usage: { costUsd: 0.05 } })
    expect(budget.spent).toBe(0.05)
    expect(service.refusal(conversation)).toBe('budget')
  })

  it('is kept through the pauses between attempts: nobody else spends it', async () => {
    const { ask, service, clock } = served([fail('server', { retryAfterMs: 10 * SECOND }), say(paid)], bounds({ run: 0.56 }))
    const asking = ask()
    await clock.sleep(5 * SECOND)
    expect(service.refusal(conversation)).toBe('budget')
    expect(await asking).toMatchObject({ attempts: 2, answer: paid })
    expect(service.refusal(conversation)).toBeNull()
  })

  it.each([['run', { run: 1 }], ['day', { day: 1 }]])('of the %s is never overrun by questions that are under way together', async (_, bound) => {
    const dear = { ...GOOD, usage: { inputTokens: 402, outputTokens: 100 } }
    const { ask, service, budget, calls, book, clock } = served(Array.from({ length: 50 }, (_, index) => after(index % 3, dear)), bounds(bound))
    await Promise.all(Array.from({ length: 50 }, async (_, index) => {
      // At every moment between two steps of another one's question.
      for (let step = 0; step < index; step++) await Promise.resolve()
      if (service.refusal(conversation) === null) await ask()
      if (service.refusal(conversation) === null) await ask()
    }))
    expect(calls).toHaveLength(1)
    expect(budget.spent).toBeLessThanOrEqual(1)
    expect(book.spentToday(clock.now())).toBeLessThanOrEqual(1)
  })

  it('counts what a failure cost', async () => {
    const { ask, health, budget } = served([fail('not-json', { usage: { inputTokens: 100, outputTokens: 50 }, answer: 'Sure!' })], bounds({}))
    expect(await ask()).toMatchObject({ failure: { kind: 'not-json', answer: 'Sure!' }, usage: { costUsd: 0.15 } })
    expect(budget.spent).toBe(0.15)
    expect(health()).toMatchObject({ inputTokens: 100, outputTokens: 50, costUsd: 0.15, dayUsd: 0.15, errors: { 'not-json': 1 } })
  })

  it('gets no nonsense into the book that is kept', async () => {
    const odd = { ...GOOD, latencyMs: NaN, usage: { inputTokens: NaN, outputTokens: -5 } }
    const { ask, health, budget, clock } = served([after(SECOND, odd)], bounds({ run: 1 }))
    expect(await ask()).toMatchObject({ latencyMs: SECOND, usage: { inputTokens: 0, outputTokens: 0, costUsd: 0 } })
    expect(health()).toMatchObject({ latencies: [SECOND], inputTokens: 0, outputTokens: 0, dayUsd: 0, lastUsed: clock.now() })
    expect(budget.spent).toBe(0)
  })
})

describe('an error that nobody named', () => {
  it.each<[string, Act, string]>([
    ['a defect of a plugin', () => { throw new TypeError('x is not a function') }, 'x is not a function'],
    ['a rejection', () => Promise.reject(new RangeError('too far')), 'too far'],
    ['text that is thrown', () => { throw 'plain' as unknown as Error }, 'plain'],
  ])('%s is of the class error', async (_, act, message) => {
    const { ask, health } = served([act])
    expect(await ask()).toMatchObject({ answer: null, attempts: 1, failure: { kind: 'error', message, status: null, body: null } })
    expect(health()).toMatchObject({ state: 'ACTIVE', failures: 1, errors: { error: 1 } })
  })

  it('no answer at all is one too', async () => {
    expect(await served([() => undefined]).ask()).toMatchObject({ answer: null, failure: { kind: 'error' } })
  })
})

describe('secrets', () => {
  const redact = (text: string): string => text.replaceAll('s3cret', '[redacted]')

  it('are struck out of everything that a failure tells', async () => {
    const facts = { status: 418, body: 'body s3cret', answer: 'answer s3cret', headers: { 'x-request-id': 'id s3cret' }, cause: new Error('s3cret') }
    const { ask, health } = served([() => { throw new ProviderFailure('key', 'bad key s3cret', facts) }], { redact })
    const reply = await ask()
    expect(reply.failure).toEqual({
      kind: 'key', message: 'bad key [redacted]', status: 418, retryAfterMs: null, headers: { 'x-request-id': 'id [redacted]' },
      body: 'body [redacted]', answer: 'answer [redacted]',
    })
    expect(JSON.stringify([reply, health()])).not.toContain('s3cret')
    expect(health().reason).toBe('bad key [redacted]')
  })

  it('are struck out of errors that nobody named', async () => {
    const { ask } = served([() => { throw new Error('https://x.example/?key=s3cret') }], { redact })
    expect((await ask()).failure!.message).toBe('https://x.example/?key=[redacted]')
  })

  it.each<[string, object]>([
    ['answers', { reasoning: 'because s3cret', raw: '{"reasoning":"because s3cret"}' }],
    ['answers that cannot be used', { action: 's3cret', reasoning: 7, raw: 's3cret' }],
    ['what it says of itself', { model: 's3cret', modelVersion: 's3cret', responseId: 's3cret' }],
  ])('are struck out of %s', async (_, told) => {
    const { ask } = served([say({ ...GOOD, ...told })], { redact })
    const text = JSON.stringify(await ask())
    expect(text).toContain('[redacted]')
    expect(text).not.toContain('s3cret')
  })
})

describe('why it is not asked', () => {
  it('a key is missing, whatever else there is', () => {
    const provider = { refines: true, lacks: 'SOME_KEY', answer: () => GOOD }
    expect(served([], { provider }).service.refusal(conversation)).toBe('no-key')
  })

  it('nothing, at first', () => {
    expect(served([]).service.refusal(conversation)).toBeNull()
  })
})

describe('a service that does not say what it took', () => {
  const bounds = { priceOf: () => PRICE, run: 1.5 }

  it.each<[string, Act]>([
    ['answers', say()], ['answers that cannot be used', fail('not-json', { answer: 'Sure!' })], ['something else', fail('server', { status: 200, body: '{}' })],
  ])('is charged with the worst case: %s', async (_, act) => {
    const { ask, service, budget, health, calls, clock } = served([act], { bounds })
    const { usage } = await ask()
    expect(calls).toHaveLength(1)
    expect(usage).toEqual({ inputTokens: 402, outputTokens: MAX_TOKENS, costUsd: 0.502 })
    expect([budget.spent, health().costUsd]).toEqual([0.502, 0.502])
    await ask()
    expect(budget.allows(service.provider, conversation, clock.now())).toBe(false)
  })

  it('is charged nothing where it did not answer, or has no price', async () => {
    expect((await served([fail('rate-limit', { status: 429, body: '{}' })], { bounds }).ask()).usage.costUsd).toBe(0)
    expect((await served([say()]).ask()).usage).toEqual({ inputTokens: 0, outputTokens: 0, costUsd: 0 })
  })

  it('keeps amounts out of the book that are none', async () => {
    const { ask, health } = served([say({ ...GOOD, latencyMs: 1e300, usage: { inputTokens: 1e308, outputTokens: 1e308 } })])
    await ask()
    expect(health()).toMatchObject({ inputTokens: 0, outputTokens: 0, costUsd: 0, latencies: [0] })
  })
})
