import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ANSWER_SCHEMA, parseAnswer } from '../../../engine/core/answer.ts'
import { opinionFault } from '../../../engine/core/opinion.ts'
import { isRepairable, ProviderFailure } from '../../../engine/core/provider-failure.ts'

const GOOD = { action: 'BUY', confidence: 0.7, reasoning: 'why' }
const json = JSON.stringify(GOOD)

function fault(text: string): string {
  try {
    parseAnswer(text)
  } catch (error) {
    expect(error).toBeInstanceOf(ProviderFailure)
    expect((error as ProviderFailure).answer).toBe(text)
    return `${(error as ProviderFailure).kind}: ${(error as ProviderFailure).message}`
  }
  throw new Error('it was accepted')
}

describe('an answer', () => {
  it.each([json, `\n  ${json}\n`, `\`\`\`json\n${json}\n\`\`\``, `\`\`\`\n${JSON.stringify(GOOD, null, 2)}\`\`\``, '{"reasoning":"why","confidence":7e-1,"action":"BUY"}'])(
    'is read from %j', (text) => expect(parseAnswer(text)).toEqual(GOOD))

  it.each([
    ['', 'not-json: the answer is empty'],
    [`Sure: ${json}`, 'not-json: the answer is not one JSON object'],
    [`${json} ${json}`, 'not-json: the answer is not one JSON object'],
    [json.slice(0, 20), 'not-json: the answer is not one JSON object'],
    [json.replace('0.7', 'NaN'), 'not-json: the answer is not one JSON object'],
    ['[]', 'invalid: expected one JSON object, got []'],
    ['null', 'invalid: expected one JSON object, got null'],
    ['{}', 'invalid: the field "action" is missing'],
    [json.replace('0.7', '7'), 'invalid: confidence 7 is outside [0, 1]'],
    [json.replace('0.7', '-0.1'), 'invalid: confidence -0.1 is outside [0, 1]'],
    [json.replace('0.7', '1e999'), 'invalid: confidence Infinity is outside [0, 1]'],
    [json.replace('0.7', '"high"'), 'invalid: confidence "high" is not a number from 0 to 1'],
    [json.replace('0.7', 'null'), 'invalid: confidence null is not a number from 0 to 1'],
    [json.replace('BUY', 'buy'), 'invalid: action "buy" is not BUY, SELL or HOLD'],
    [json.replace('"BUY"', '1'), 'invalid: action 1 is not BUY, SELL or HOLD'],
    [json.replace('"why"', '["why"]'), 'invalid: reasoning is not text'],
    [json.replace('{', '{"size":1,'), 'invalid: the field "size" does not belong there'],
    [json.replace('{', '{"__proto__":{"action":"SELL"},'), 'invalid: the field "__proto__" does not belong there'],
  ])('%j is refused', (text, said) => expect(fault(text)).toBe(said))

  it('quotes little of what is wrong, and nothing raw', () => {
    const said = fault(json.replace('BUY', `${'x'.repeat(1000)}`))
    expect(said.length).toBeLessThan(150)
    expect(fault(json.replace('{', '{"\\u001b[2J":1,'))).not.toContain('\u001b')
  })

  it('is refused however deeply it is nested', () => {
    const deep = '['.repeat(1e5) + ']'.repeat(1e5)
    expect(fault(deep)).toBe('invalid: expected one JSON object, got something that is nested too deeply')
    expect(fault(json.replace('"BUY"', deep))).toContain('is not BUY, SELL or HOLD')
  })

  it('keeps control characters and cuts what is endless', () => {
    expect(parseAnswer(JSON.stringify({ ...GOOD, reasoning: 'a\u0000\u001b[31m' })).reasoning).toBe('a\u0000\u001b[31m')
    expect(parseAnswer(JSON.stringify({ ...GOOD, reasoning: 'x'.repeat(1e6) })).reasoning).toBe(`${'x'.repeat(10_000)}…`)
  })

  it('is valid or repairable, whatever comes', () => {
    const some = fc.oneof(fc.string(), fc.json(), fc.record({
      action: fc.constantFrom('BUY', 'SELL', 'HOLD', 'x'), confidence: fc.oneof(fc.double(), fc.string()), reasoning: fc.string(),
    }).map((value) => JSON.stringify(value)))
    fc.assert(fc.property(some, (text) => {
      try {
        expect(opinionFault(parseAnswer(text))).toBeNull()
      } catch (error) {
        expect(isRepairable((error as ProviderFailure).kind)).toBe(true)
      }
    }))
  })

  it('is described as strictly as every service can', () => {
    expect(ANSWER_SCHEMA.required).toEqual(Object.keys(ANSWER_SCHEMA.properties))
    expect(ANSWER_SCHEMA.additionalProperties).toBe(false)
  })
})
