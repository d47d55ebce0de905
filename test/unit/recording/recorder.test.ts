import { beforeEach, describe, expect, it } from 'vitest'
import type { Step } from '../../../engine/pipeline/consultation.ts'
import type { StrategyConversation } from '../../../engine/pipeline/conversation.ts'
import { ServiceChain } from '../../../engine/pipeline/service-chain.ts'
import { Recorder, type RecorderPlan } from '../../../engine/recording/recorder.ts'
import { readTape, TapeFile } from '../../../engine/recording/tape-file.ts'
import { soundnessOf } from '../../../engine/recording/soundness.ts'
import type { DecisionLine, ExchangeLine } from '../../../engine/recording/tape-lines.ts'
import { servicesOf } from '../../support/chains.ts'
import { temporaryFolder } from '../../support/run-scenario.ts'
import { opinion, refused, talkAt, talking, withoutUsage, type TalkingLink } from '../../support/talks.ts'
import { putRecording } from '../../support/tape-lines.ts'

let folder: string
beforeEach(() => { folder = temporaryFolder() })

/** Lets `work` record with these services; the file is closed afterwards. */
async function recording<T>(
  links: readonly TalkingLink[], work: (ask: (talk: StrategyConversation) => Promise<readonly Step[]>, recorder: Recorder) => Promise<T>, own: Partial<RecorderPlan> = {},
): Promise<T> {
  const file = new TapeFile(folder, (text) => text)
  try {
    const recorder = new Recorder({ file, providers: links.map(({ provider }) => provider), refinements: 1, generation: 1, sample: 0, prices: '2026-01-01', ...own })
    const chain: ServiceChain = servicesOf(links, { tape: recorder })
    return await work((talk) => chain.steps(talk), recorder)
  } finally {
    file.close()
  }
}

const exchanges = (): readonly ExchangeLine[] => readTape(folder).lines.filter((line) => line.kind === 'exchange')
const decisions = (): readonly DecisionLine[] => readTape(folder).lines.filter((line) => line.kind === 'decision')

describe('the recorder', () => {
  it('keeps what was asked, answered and decided', async () => {
    const one = talking('one')
    one.script.push(opinion('BUY', 0.8), opinion('HOLD', 0.5))
    await recording([one], (ask) => ask(talkAt(1)))
    const [first, second] = exchanges()
    expect(first).toMatchObject({
      seq: 1, sample: 0, generation: 1, request: { provider: 'one', messages: [{ role: 'user', text: 'BTC/USDT costs 101\nWhat do you do?' }] },
      answer: { action: 'BUY', confidence: 0.8, raw: '{}', modelVersion: 'v1', responseId: 'r1' }, failure: null, usage: { inputTokens: 10, outputTokens: 5 }, attempts: 1,
      prices: '2026-01-01',
    })
    expect(second.request.messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user'])
    expect(decisions()).toMatchObject([{ symbol: 'BTC/USDT', time: Date.UTC(2024, 0, 1, 1), steps: [{ provider: 'one', skipped: null, exchanges: [1, 2] }] }])
    expect(soundnessOf(putManifest(), (text) => text).faults).toEqual([])
  })

  it('asks nothing twice, neither now nor after it was opened again', async () => {
    const one = talking('one')
    const [first, again] = await recording([one], async (ask, recorder) => {
      expect(recorder.has(talkAt(1))).toBe(false)
      const steps = await ask(talkAt(1))
      expect(recorder.has(talkAt(1))).toBe(true)
      // The same question at another time.
      return [steps, await ask(talkAt(2, 101))]
    })
    expect(one.heard).toHaveLength(2)
    expect(withoutUsage(again)).toEqual(withoutUsage(first))
    const later = talking('one')
    await recording([later], async (ask, recorder) => {
      expect([1, 2, 3].map((hour) => recorder.has(talkAt(hour, 101)))).toEqual([true, true, false])
      expect((await ask(talkAt(3, 101)))[0].turns.map(({ action }) => action)).toEqual(['BUY', 'BUY'])
    })
    expect(later.heard).toEqual([])
    expect(exchanges().map(({ seq }) => seq)).toEqual([1, 2])
    expect(decisions().map(({ seq, steps }) => [seq, steps[0].exchanges])).toEqual([[3, [1, 2]], [4, [1, 2]], [5, [1, 2]]])
  })

  it('lets those who ask the same at once wait for one answer', async () => {
    const one = talking('one')
    const all = await recording([one], (ask) => Promise.all([1, 2, 3, 4].map((hour) => ask(talkAt(hour, 100)))))
    expect(one.heard).toHaveLength(2)
    for (const steps of all) expect(withoutUsage(steps)).toEqual(withoutUsage(all[0]))
    expect(decisions().map(({ steps }) => steps[0].exchanges)).toEqual(Array.from({ length: 4 }, () => [1, 2]))
  })

  it('asks for itself what failed for another', async () => {
    const one = talking('one')
    one.script.push(refused())
    const [first, ...others] = await recording([one], (ask) => Promise.all([1, 2, 3].map((hour) => ask(talkAt(hour, 100)))))
    expect([first, ...others].map(([step]) => step.failure?.kind ?? null)).toEqual(['refused', null, null])
    expect(one.heard).toHaveLength(3)
    expect(exchanges().map(({ failure }) => failure?.kind ?? null)).toEqual(['refused', null, null])
  })

  it('goes on in the middle of a conversation that was broken off', async () => {
    const before = talking('one')
    before.script.push(opinion('SELL', 0.9))
    await recording([before], async (_, recorder) => {
      const request = before.provider.request!(talkAt(1).begin())
      await recorder.keep(request, Promise.resolve({ answer: opinion('SELL', 0.9), failure: null, latencyMs: 7, attempts: 2, usage: { inputTokens: 1, outputTokens: 1, costUsd: 0.5 } }))
      expect(recorder.has(talkAt(1))).toBe(false)
    })
    const one = talking('one')
    const [{ replies }] = await recording([one], (ask) => ask(talkAt(1)))
    expect(one.heard).toEqual(['SELL? Sure?'])
    expect(replies[0]).toMatchObject({ latencyMs: 7, attempts: 2, usage: { costUsd: 0.5 } })
    expect(decisions()[0].steps[0].exchanges).toEqual([1, 2])
  })

  it('does not take what other services, other turns, an older generation or another sample said for known', async () => {
    const kept = (links: readonly TalkingLink[], own: Partial<RecorderPlan> = {}): Promise<boolean> =>
      recording(links, async (_, recorder) => Promise.resolve(recorder.has(talkAt(1))), own)
    await recording([talking('one')], (ask) => ask(talkAt(1)))
    expect(await kept([talking('one')])).toBe(true)
    expect(await kept([talking('one', { model: 'm-2' })])).toBe(false)
    expect(await kept([talking('one'), talking('two')])).toBe(false)
    expect(await kept([talking('one')], { refinements: 2 })).toBe(false)
    expect(await kept([talking('one')], { generation: 2 })).toBe(false)
    expect(await kept([talking('one')], { sample: 1 })).toBe(false)
  })

  it('counts failed decisions as missing where it is told to, but asks about each once', async () => {
    const one = talking('one')
    one.script.push(refused())
    await recording([one], (ask) => ask(talkAt(1)))
    await recording([talking('one')], (ask) => ask(talkAt(2)))
    const has = (recorder: Recorder): readonly boolean[] => [1, 2].map((hour) => recorder.has(talkAt(hour)))
    await recording([one], async (_, recorder) => { await Promise.resolve(expect(has(recorder)).toEqual([true, true])) })
    const still = talking('one')
    still.script.push(refused('still not'))
    await recording([still], async (ask, recorder) => {
      expect(has(recorder)).toEqual([false, true])
      expect((await ask(talkAt(1)))[0].failure?.message).toBe('still not')
      expect(has(recorder)).toEqual([true, true])
    }, { retryFailed: true })
    await recording([talking('one')], async (ask, recorder) => {
      expect(has(recorder)).toEqual([false, true])
      expect((await ask(talkAt(1)))[0].failure).toBeNull()
    }, { retryFailed: true })
    await recording([one], async (_, recorder) => { await Promise.resolve(expect(has(recorder)).toEqual([true, true])) }, { retryFailed: true })
  })

  it('numbers the lines of two samples of one file apart', async () => {
    const one = talking('one')
    const file = new TapeFile(folder, (text) => text)
    const plan = { file, providers: [one.provider], refinements: 1, generation: 1, prices: '2026-01-01' }
    for (const recorder of [0, 1].map((sample) => new Recorder({ ...plan, sample }))) await servicesOf([one], { tape: recorder }).steps(talkAt(1))
    file.close()
    expect(one.heard).toHaveLength(4)
    expect(readTape(folder).lines.map(({ seq, sample }) => [seq, sample])).toEqual([[1, 0], [2, 0], [3, 0], [4, 1], [5, 1], [6, 1]])
    expect(soundnessOf(putManifest(), (text) => text).faults).toEqual([])
  })
})

/** A manifest beside what was recorded. */
const putManifest = (): string => putRecording(folder, readTape(folder).lines)
