import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Packer, Unpacker } from '../../../engine/recording/packing.ts'
import type { ExchangeLine, TapeLine } from '../../../engine/recording/tape-lines.ts'
import type { Message } from '../../../engine/ports.ts'
import { decision, exchange, FAILED } from '../../support/tape-lines.ts'

const message = fc.record<Message>({ role: fc.constantFrom('user', 'assistant'), text: fc.constantFrom('', 'a', 'b', '1:a', 'user') })
const asked = fc.record({
  model: fc.constantFrom('m-1', 'm-2'), system: fc.constantFrom('be brief', 'be long'), sample: fc.integer({ min: 0, max: 1 }),
  messages: fc.array(message, { minLength: 1, maxLength: 6 }), schema: fc.dictionary(fc.constantFrom('x', 'y'), fc.jsonValue({ maxDepth: 1 }), { noNullPrototype: true }),
  failed: fc.boolean(), decides: fc.boolean(),
})

function linesOf(questions: readonly (typeof asked extends fc.Arbitrary<infer T> ? T : never)[]): readonly TapeLine[] {
  let seq = 0
  return questions.flatMap(({ model, system, sample, messages, schema, failed, decides }): readonly TapeLine[] => {
    // As the file gives it back.
    const request = JSON.parse(JSON.stringify({ ...exchange(1, '').request, model, system, messages, schema })) as ExchangeLine['request']
    const line = exchange(++seq, '', { request, sample, ...(failed ? FAILED : {}) })
    return decides ? [line, decision(++seq, seq, [line.seq])] : [line]
  })
}

const written = (lines: readonly TapeLine[], packer = new Packer([])): readonly unknown[] =>
  lines.flatMap((line) => packer.pack(line)).map((line) => JSON.parse(JSON.stringify(line)) as unknown)

function read(values: readonly unknown[]): readonly (TapeLine | string)[] {
  const unpacker = new Unpacker()
  return values.flatMap((value) => unpacker.unpack(value) ?? [])
}

const first = (text: string, seq = 1): ExchangeLine => exchange(seq, text)
const following = (line: ExchangeLine, seq: number): ExchangeLine => exchange(seq, '', {
  request: { ...line.request, messages: [...line.request.messages, { role: 'assistant', text: 'BUY' }, { role: 'user', text: 'sure?' }] },
})

describe('packing', () => {
  it('gives back every line as it was, also when the file was closed in between', () => {
    fc.assert(fc.property(fc.array(asked, { maxLength: 12 }), fc.nat(12), (questions, at) => {
      const lines = linesOf(questions)
      expect(read(written(lines))).toEqual(lines)
      const before = lines.slice(0, at)
      expect(read([...written(before), ...written(lines.slice(at), new Packer(before))])).toEqual(lines)
    }))
  })

  it('says once what questions share, and of a conversation only what is new', () => {
    const one = first('a long question')
    const values = written([one, following(one, 2), first('another', 3)])
    expect(values).toMatchObject([
      { kind: 'frame', frame: 1 }, { seq: 1, frame: 1, after: null, messages: [{ text: 'a long question' }] },
      { seq: 2, frame: 1, after: 1, messages: [{ text: 'BUY' }, { text: 'sure?' }] }, { seq: 3, frame: 1, after: null },
    ])
    expect(JSON.stringify(values.slice(1))).not.toContain('be brief')
  })

  it('refuses references to what does not stand before', () => {
    const one = first('a')
    const [frame, begun, next] = written([one, following(one, 2)])
    expect(read([begun])).toEqual(['frame 1 does not stand before it'])
    expect(read([frame, next, begun])).toEqual(['exchange 1 does not stand before it', one])
    expect(read([frame, { ...next as object, after: 2 }])).toEqual(['exchange 2 does not stand before it'])
  })

  it.each<[string, unknown, RegExp]>([
    ['nothing', null, /^it: /], ['a list', [], /^it: /], ['an unknown kind', { kind: 'poem' }, /^kind: /],
    ['a key that is none', { ...written([first('a')])[1] as object, key: 'abc' }, /^key: /],
    ['an unknown action', { ...written([first('a')])[1] as object, answer: { action: 'SHORT', confidence: 1, reasoning: '' } }, /^answer\.action: /],
    ['an unknown skip', { ...decision(1, 0, []), steps: [{ provider: 'x', skipped: 'bored', exchanges: [] }] }, /^steps\.0\.skipped: /],
    ['no messages', { ...written([first('a')])[1] as object, messages: [] }, /^messages: /],
  ])('refuses %s and says which part is wrong', (_, value, says) => {
    expect(read([value])).toEqual([expect.stringMatching(says)])
  })
})
