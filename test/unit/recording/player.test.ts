import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { ProviderFailure } from '../../../engine/core/provider-failure.ts'
import { MemoryBook } from '../../../engine/pipeline/provider-health.ts'
import type { Step } from '../../../engine/pipeline/consultation.ts'
import { Player } from '../../../engine/recording/player.ts'
import { Recorder } from '../../../engine/recording/recorder.ts'
import { readTape, TapeFile } from '../../../engine/recording/tape-file.ts'
import { TapeIndex } from '../../../engine/recording/tape-index.ts'
import { servicesOf } from '../../support/chains.ts'
import { coded } from '../../support/coded.ts'
import { EventClock } from '../../support/event-clock.ts'
import { temporaryFolder } from '../../support/run-scenario.ts'
import { opinion, refused, talkAt, talking, withoutUsage, type TalkingLink } from '../../support/talks.ts'

const down = (): ProviderFailure => new ProviderFailure('server', 'answered 503', { status: 503 })
const nonsense = opinion('BUY', 7)

let folder: string
beforeEach(() => { folder = temporaryFolder() })

/** Asks about these hours one after the other, hours apart where `pauseMs` says so, and records it. */
async function recorded(links: readonly TalkingLink[], hours: readonly number[], pauseMs = 0, budgetUsd: number | null = null): Promise<readonly (readonly Step[])[]> {
  const file = new TapeFile(folder, (text) => text)
  const clock = new EventClock()
  const tape = new Recorder({ file, providers: links.map(({ provider }) => provider), refinements: 1, generation: 1, sample: 0, prices: '2026-01-01' })
  const chain = servicesOf(links, { tape, clock, book: new MemoryBook(), budget: { run: budgetUsd, priceOf: () => ({ input: 1_000, output: 1_000 }) } })
  const all: (readonly Step[])[] = []
  for (const hour of hours) {
    all.push(withoutUsage(await chain.steps(talkAt(hour))))
    await clock.sleep(pauseMs)
  }
  file.close()
  return all
}

/** Services with these names that fail the test when they are asked. */
const silent = (...names: readonly string[]): readonly TalkingLink[] => names.map((name) => {
  const link = talking(name)
  return { ...link, provider: { ...link.provider, answer: () => { throw new Error('a replay asks nobody') } } }
})

const player = (links: readonly TalkingLink[], refinements = 1): Player =>
  new Player({ folder, index: new TapeIndex(readTape(folder).lines), links, refinements })

describe('the player', () => {
  it('walks an outage as it was: failures, whom they made skip, repairs and recovery', async () => {
    const [one, two, three] = [talking('one'), talking('two'), talking('three', { lacks: 'THREE_KEY' })]
    one.script.push(opinion('BUY', 0.8), opinion('BUY', 0.8), down(), down(), down())
    two.script.push(nonsense, opinion('SELL', 0.6), refused())
    const hours = [1, 2, 3, 4, 5, 6, 7]
    const steps = await recorded([three, one, two], hours, 12_000)
    const skips = steps.flatMap((all) => all.map(({ skipped }) => skipped))
    expect(new Set(skips)).toEqual(new Set([null, 'no-key', 'cooling']))
    expect(steps.flatMap((all) => all.flatMap(({ failure }) => failure?.kind ?? []))).toEqual(expect.arrayContaining(['server', 'refused']))
    expect(steps.at(-1)!.at(-1)).toMatchObject({ provider: 'one', failure: null })
    for (let round = 0; round < 2; round++) {
      // Nobody has a key any more, or everybody has one: it makes no difference.
      const playing = player(silent('three', 'one', 'two'))
      expect(hours.map((hour) => playing.steps(talkAt(hour)))).toEqual(steps)
      expect(playing.used.size).toBe(readTape(folder).lines.filter(({ kind }) => kind === 'exchange').length)
      expect(playing.walked.size).toBe(hours.length)
    }
  })

  it('ends a conversation where money ended it', async () => {
    // A refusal to go on after the first turn leaves a reply without a decision.
    const steps = await recorded([talking('one')], [1, 2, 3], 0, 0.1)
    const broken = steps.find(([step]) => step.skipped === 'budget')
    expect(broken).toBeDefined()
    const playing = player(silent('one'))
    expect([1, 2, 3].map((hour) => playing.steps(talkAt(hour)))).toEqual(steps)
  })

  it('takes answers by question for other services, in their order, past recorded failures', async () => {
    const [one, two] = [talking('one'), talking('two')]
    one.script.push(refused())
    two.script.push(opinion('SELL', 0.6), opinion('SELL', 0.7))
    const [first] = await recorded([one, two], [1])
    expect(player(silent('two')).steps(talkAt(1))).toEqual([first[1]])
    expect(player(silent('two', 'one')).steps(talkAt(1))).toEqual([first[1]])
    expect(() => player(silent('one')).steps(talkAt(1))).not.toThrow()
    expect(player(silent('one')).steps(talkAt(1))).toEqual([first[0]])
    // The same questions at another time.
    expect(player(silent('one', 'two')).steps(talkAt(9, 101))).toEqual(first)
  })

  it('takes fewer turns from a longer recording', async () => {
    const one = talking('one')
    one.script.push(opinion('BUY', 0.8), opinion('HOLD', 0.5))
    const [[step]] = await recorded([one], [1])
    const [shorter] = player(silent('one'), 0).steps(talkAt(1))
    expect(shorter.turns).toEqual(step.turns.slice(0, 1))
    expect(() => player(silent('one'), 2).steps(talkAt(1))).toThrow(coded('TD_RECORDING_MISS', 'one (m-1)'))
  })

  it('does not guess: what was never asked is an error with the nearest question and what differs', async () => {
    await recorded([talking('one')], [1, 2])
    expect(() => player(silent('one')).steps(talkAt(3))).toThrow(coded('TD_RECORDING_MISS', folder, 'no answer of one (m-1)', 'BTC/USDT at 2024-01-01'))
    const playing = player(silent('one'))
    const message = messageOf(() => playing.steps(talkAt(3)))
    expect(message).toContain('(line 1, - recorded, + asked)')
    expect(message).toContain('- messages.0 (user): BTC/USDT costs 101\n')
    expect(message).toContain('+ messages.0 (user): BTC/USDT costs 103')
    expect(message).not.toContain('be brief')
    expect(messageOf(() => player(silent('two')).steps(talkAt(1)))).toContain('- provider: one\n    + provider: two')
    // The same hour, another price: the recorded question of that hour is the one to compare with.
    expect(messageOf(() => player(silent('one')).steps(talkAt(2, 7)))).toMatch(/- messages\.0 \(user\): BTC\/USDT costs 102\n +\+ messages\.0 \(user\): BTC\/USDT costs 7/)
  })

  it('counts what answered, and what nobody asked for', async () => {
    await recorded([talking('one')], [1, 2, 3])
    const playing = player(silent('one'))
    playing.steps(talkAt(2))
    playing.steps(talkAt(2))
    expect([[...playing.used], [...playing.walked]]).toEqual([[4, 5], [6]])
  })

  it('prefers the newest generation and, in one, an answer to a failure', async () => {
    const again = talking('one')
    await recorded([again], [1])
    const { lines } = readTape(folder)
    const newer = lines.map((line) => ({ ...line, seq: line.seq + 10, generation: 2 })).map((line) => (line.kind === 'exchange'
      ? { ...line, answer: { ...line.answer!, confidence: 0.9 } } : { ...line, steps: line.steps.map((step) => ({ ...step, exchanges: step.exchanges.map((seq) => seq + 10) })) }))
    const confidences = (index: TapeIndex, names: readonly string[]): readonly number[] =>
      new Player({ folder, index, links: silent(...names), refinements: 0 }).steps(talkAt(1))[0].turns.map(({ confidence }) => confidence)
    expect(confidences(new TapeIndex([...lines, ...newer]), ['one'])).toEqual([0.9])
    expect(confidences(new TapeIndex([...newer, ...lines]), ['one'])).toEqual([0.9])
    const failure = { kind: 'server' as const, message: '', status: 503, retryAfterMs: null, headers: {}, body: null, answer: null }
    const failed = lines.map((line) => (line.kind === 'exchange' ? { ...line, seq: line.seq + 20, answer: null, failure } : line))
    expect(confidences(new TapeIndex([...lines, ...failed]), ['one'])).toEqual([0.7])
    expect(confidences(new TapeIndex([...failed, ...lines]), ['one'])).toEqual([0.7])
  })
})

function messageOf(act: () => unknown): string {
  try {
    act()
  } catch (error) {
    return (error as Error).message
  }
  throw new Error('nothing was refused')
}

describe('a recording that is damaged', () => {
  /** The tape with each line changed. */
  const damage = (change: (line: Record<string, unknown>) => object): void => {
    const path = join(folder, 'tape.jsonl')
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n').map((text) => JSON.stringify(change(JSON.parse(text) as Record<string, unknown>)))
    writeFileSync(path, `${lines.join('\n')}\n`)
  }
  const playing = () => new Player({ folder, index: new TapeIndex(readTape(folder).lines), links: silent('one'), refinements: 1 }).steps(talkAt(1))

  it.each<[string, string, object, RegExp]>([
    ['neither answer nor failure', 'exchange', { answer: null }, /line 2: it has to hold either an answer or a failure/],
    ['a cost below nothing', 'exchange', { usage: { inputTokens: 1, outputTokens: 1, costUsd: -5 } }, /line 2: usage\.costUsd/],
    ['a time that is none', 'decision', { time: 1e300 }, /line 4: time/],
    ['somebody who was not asked', 'decision', { steps: [{ provider: 'who', skipped: null, exchanges: [] }] }, /names who, which was not in its chain/],
  ])('is told as such: %s', async (_, kind, wrong, says) => {
    await recorded([talking('one')], [1])
    damage((line) => (line['kind'] === kind ? { ...line, ...wrong } : line))
    expect(playing).toThrow(coded('TD_RECORDING_BROKEN', folder))
    expect(playing).toThrow(says)
  })
})
