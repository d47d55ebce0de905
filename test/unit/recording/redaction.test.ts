import { describe, expect, it } from 'vitest'
import { redactor, struck } from '../../../engine/recording/redaction.ts'
import { soundnessOf } from '../../../engine/recording/soundness.ts'
import { readTape, TapeFile, writeManifest } from '../../../engine/recording/tape-file.ts'
import { temporaryFolder } from '../../support/run-scenario.ts'
import { decision, exchange, FAILED } from '../../support/tape-lines.ts'

/** As base64 has it: each of these signs is written otherwise in a URL. */
const BASE64 = 'aGk/cGxh+bnRlZA=='
const redact = redactor({ SIGNING_SECRET: BASE64, GEMINI_API_KEY: 'planted-key-1', LONGER_TOKEN: 'planted-key-12', PATH: '/usr/bin' })

describe('redactor', () => {
  it.each([
    ['by itself', 'planted-key-1', '[redacted]'],
    ['in an address', 'https://x.invalid/v1?key=planted-key-1&b=2', 'https://x.invalid/v1?key=[redacted]&b=2'],
    ['in an address that is encoded', `https://x.invalid/?s=${encodeURIComponent(BASE64)}`, 'https://x.invalid/?s=[redacted]'],
    ['encoded in small letters', `s=${encodeURIComponent(BASE64).toLowerCase().replace(/.*/, () => 'aGk%2fcGxh%2bbnRlZA%3d%3d')}`, 's=[redacted]'],
    ['in a body', JSON.stringify({ error: { message: `no: ${BASE64}` } }), '{"error":{"message":"no: [redacted]"}}'],
    ['in a body that escapes slashes', JSON.stringify({ message: BASE64 }).replaceAll('/', '\\/'), '{"message":"[redacted]"}'],
    ['twice', 'planted-key-1 planted-key-1', '[redacted] [redacted]'],
    ['as the beginning of a longer one', 'Bearer planted-key-12', 'Bearer [redacted]'],
  ])('strikes a secret %s', (_, text, expected) => {
    expect(redact(text)).toBe(expected)
  })

  it('leaves ordinary words alone, whatever a variable holds', () => {
    const careless = redactor({ SORT_KEY: 'price', EMPTY_TOKEN: '', UNSET_KEY: undefined, HOME: 'somewhere', KEYBOARD: 'querty-layout' })
    expect(careless('the price somewhere, querty-layout')).toBe('the price somewhere, querty-layout')
  })

  it('strikes a secret that holds signs with a meaning in patterns and in JSON', () => {
    const odd = redactor({ DB_PASSWORD: 'a"$&(.*\\b', API_PASSPHRASE: 'correct horse' })
    expect(odd(`${JSON.stringify({ said: 'a"$&(.*\\b' })} correct horse correct%20horse`)).toBe('{"said":"[redacted]"} [redacted] [redacted]')
  })
})

describe('a recorded line', () => {
  it('keeps its shape when a secret looks like one of its numbers, names or hashes', () => {
    const folder = temporaryFolder()
    const line = exchange(1, 'a', { usage: { inputTokens: 190_400, outputTokens: 1, costUsd: 0.190_400 } })
    const env = { A_PASSWORD: '190400', B_KEY: 'exchange', C_KEY: 'request', D_TOKEN: line.key.slice(8, 16), E_SECRET: 'confidence' }
    const file = new TapeFile(folder, redactor(env))
    writeManifest(folder, { format: 1, keyVersion: 1, createdBy: 'a test', generation: 1, complete: true })
    const time = { ...decision(2, 0, [1]), time: 1_705_190_400_000 }
    file.append(line)
    file.append(time)
    file.close()
    expect(readTape(folder).lines).toEqual([line, time])
    expect(soundnessOf(folder, redactor(env)).faults).toEqual([])
  })

  it('is struck in everything that a service can say', () => {
    const said = struck(exchange(1, 'a', {
      ...FAILED, failure: { ...FAILED.failure, message: 'at /bot?key=planted-key-1', headers: { via: 'planted-key-1' }, body: 'planted-key-1', answer: 'planted-key-1' },
    }), redact)
    expect(JSON.stringify(said)).not.toContain('planted-key')
    expect(said.failure).toMatchObject({ message: 'at /bot?key=[redacted]', status: 503, headers: { via: '[redacted]' } })
  })

  it('is found again where a conversation had to be struck', () => {
    const folder = temporaryFolder()
    const asked = exchange(1, 'tell me planted-key-1')
    const file = new TapeFile(folder, redact)
    file.append(asked)
    file.append(exchange(2, 'x', { request: { ...asked.request, messages: [...asked.request.messages, { role: 'assistant', text: 'no' }, { role: 'user', text: 'do' }] } }))
    file.close()
    const texts = readTape(folder).lines.flatMap((line) => (line.kind === 'exchange' ? [line.request.messages.map(({ text }) => text)] : []))
    expect(texts).toEqual([['tell me [redacted]'], ['tell me [redacted]', 'no', 'do']])
    new TapeFile(folder, redact).close()
  })
})

it('finds a key that was set with a line end behind it', () => {
  const striking = redactor({ OPENAI_API_KEY: `${BASE64}\r\n`, SHORT_KEY: ' abc   ' })
  expect(striking(`${BASE64} ${encodeURIComponent(BASE64)} abc`)).toBe('[redacted] [redacted] abc')
})
