import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { redactor } from '../../../engine/recording/redaction.ts'
import { soundnessOf } from '../../../engine/recording/soundness.ts'
import { surveyOf } from '../../../engine/recording/survey.ts'
import type { TapeLine } from '../../../engine/recording/tape-lines.ts'
import { coded } from '../../support/coded.ts'
import { temporaryFolder } from '../../support/run-scenario.ts'
import { decision, exchange, FAILED, putRecording } from '../../support/tape-lines.ts'

const SECRET = 'sk-very-secret-0123'
const redact = redactor({ OPENAI_API_KEY: SECRET })

let folder: string
beforeEach(() => { folder = temporaryFolder() })

const sound: readonly TapeLine[] = [exchange(1, 'a'), exchange(2, 'b', FAILED), decision(3, 0, [1]), decision(4, 1, [2])]

describe('soundnessOf', () => {
  it('finds nothing wrong with a sound recording', () => {
    putRecording(folder, sound)
    expect(soundnessOf(folder, redact)).toEqual({ exchanges: 2, decisions: 2, faults: [] })
  })

  // The first line holds what the questions share.
  it.each<[string, readonly TapeLine[], number, RegExp]>([
    ['a key of another question', [exchange(1, 'a', { key: 'ab'.repeat(32) })], 2, /its key abababababab… is not that of its question/],
    ['a decision about nothing', [exchange(1, 'a'), decision(2, 0, [1, 7])], 3, /refers to exchange 7, which is not there/],
    ['neither answer nor failure', [exchange(1, 'a', { answer: null })], 2, /either an answer or a failure/],
    ['both', [exchange(1, 'a', { failure: FAILED.failure })], 2, /either an answer or a failure/],
    ['an impossible confidence', [exchange(1, 'a', { answer: { action: 'BUY', confidence: 7, reasoning: 'sure' } })], 2, /its answer: .*confidence/],
    ['a number given twice', [exchange(1, 'a'), exchange(1, 'b')], 3, /its number 1 was given before/],
    ['a secret', [exchange(1, `my key is ${SECRET}`)], 2, /it holds the value of a secret/],
  ])('finds %s', (_, lines, line, says) => {
    putRecording(folder, lines)
    const { faults } = soundnessOf(folder, redact)
    expect(faults).toEqual([{ line, what: expect.stringMatching(says) as string }])
    expect(JSON.stringify(faults)).not.toContain(SECRET)
  })

  it('finds a generation that the manifest does not know of', () => {
    putRecording(folder, [exchange(1, 'a', { generation: 3 })], { generation: 2 })
    expect(soundnessOf(folder, redact).faults).toEqual([{ line: 2, what: expect.stringMatching(/generation 3 is later than the manifest's, 2/) as string }])
  })

  it('reads on after lines that say nothing', () => {
    putRecording(folder, sound)
    const path = join(folder, 'tape.jsonl')
    const [frame, first, ...rest] = readFileSync(path, 'utf8').trimEnd().split('\n')
    writeFileSync(path, `${[frame, '{"kind":', first, '[]', ...rest].join('\n')}\n`)
    appendFileSync(path, '{"kind":"exch')
    const { exchanges, decisions, faults } = soundnessOf(folder, redact)
    expect({ exchanges, decisions }).toEqual({ exchanges: 2, decisions: 2 })
    expect(faults.map(({ line }) => line)).toEqual([2, 4, 8])
    expect(faults[2].what).toMatch(/unfinished/)
  })

  it('needs a manifest of this version', () => {
    expect(() => soundnessOf(folder, redact)).toThrow(coded('TD_RECORDING_MISSING', folder))
    putRecording(folder, sound, { keyVersion: 0 })
    expect(() => soundnessOf(folder, redact)).toThrow(coded('TD_RECORDING_BROKEN', 'keys have version 0', `tapedeck recordings migrate ${folder}`))
  })
})

describe('surveyOf', () => {
  it('counts what there is', () => {
    const version = (modelVersion: string) => ({ answer: { action: 'HOLD' as const, confidence: 0.5, reasoning: '', modelVersion } })
    putRecording(folder, [
      ...sound, exchange(5, 'c', { model: 'm-2', generation: 2, ...version('m-2-b') }), exchange(6, 'd', { model: 'm-2', generation: 2, ...version('m-2-a') }),
      decision(7, 5, [5], { symbol: 'ADA/USDT', generation: 2 }),
    ], { complete: false })
    appendFileSync(join(folder, 'tape.jsonl'), '{')
    expect(surveyOf(folder)).toMatchObject({
      folder, manifest: { generation: 2, complete: false }, exchanges: 4, decisions: 3, symbols: ['ADA/USDT', 'BTC/USDT'],
      from: Date.UTC(2024, 0, 1, 0), to: Date.UTC(2024, 0, 1, 5), inputTokens: 400, outputTokens: 40, torn: true,
      models: [
        { provider: 'fake', model: 'm-1', versions: [], exchanges: 2, failed: 1 },
        { provider: 'fake', model: 'm-2', versions: ['m-2-a', 'm-2-b'], exchanges: 2, failed: 0 },
      ],
      generations: [{ generation: 1, exchanges: 2, decisions: 2 }, { generation: 2, exchanges: 2, decisions: 1 }],
    })
    expect(surveyOf(folder).costUsd).toBeCloseTo(0.04, 12)
  })

  it('knows an empty one', () => {
    putRecording(folder, [])
    expect(surveyOf(folder)).toMatchObject({ exchanges: 0, decisions: 0, from: null, to: null, bytes: 0, torn: false, generations: [] })
  })
})
