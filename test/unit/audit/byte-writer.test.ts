import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ByteWriter, roundIndicator } from '../../../engine/audit/byte-writer.ts'

const written = (work: (writer: ByteWriter) => void): string => {
  let text = ''
  const writer = new ByteWriter((bytes) => (text += Buffer.from(bytes).toString('utf8')))
  work(writer)
  writer.flush()
  return text
}

describe('ByteWriter', () => {
  it('prints every number as JavaScript does', () => {
    const prices = fc.integer({ min: 0, max: 10_000_000_000 }).chain((whole) => fc.integer({ min: 0, max: 9 }).map((decimals) => whole / 10 ** decimals))
    fc.assert(fc.property(fc.array(fc.oneof(fc.double(), prices, fc.integer(), fc.maxSafeInteger())), (values) => {
      const text = written((writer) => values.forEach((value) => { writer.number(value); writer.text(' ') }))
      expect(text).toBe(values.map((value) => `${Number.isFinite(value) ? String(value) : 'null'} `).join(''))
    }), { numRuns: 2000 })
  })

  it.each([0, -0, 1, 10, 100, 1e8, 1e8 + 1, 123456789.5, 1e14 + 0.5, 1e15, 1e21, 0.1, 0.5, 1e-6, 9.9e-7, 1e-7, 0.00000001, 5e-324, 99999999, 100000000.25, 4261.48])(
    'prints %d', (value) => {
      expect(written((writer) => writer.number(value))).toBe(String(value))
      expect(written((writer) => writer.number(-value))).toBe(String(-value))
    })

  it('rounds indicators to 6 decimals, 8 below 1', () => {
    fc.assert(fc.property(fc.oneof(fc.double({ min: -1e7, max: 1e7, noNaN: true }), fc.double({ min: -1, max: 1, noNaN: true })), (value) => {
      const scale = Math.abs(value) < 1 ? 1e8 : 1e6
      // Halves round away from the sign's own direction only in how -0 and .5 ties print; sizes are what counts.
      const expected = Math.sign(value) * Math.round(Math.abs(value) * scale) / scale
      expect(Number(written((writer) => writer.rounded(value)))).toBeCloseTo(expected, 9)
      expect(written((writer) => writer.rounded(Math.abs(value)))).toBe(String(roundIndicator(Math.abs(value))))
    }), { numRuns: 2000 })
    expect(written((writer) => writer.rounded(NaN))).toBe('null')
    expect(written((writer) => writer.rounded(70.5))).toBe('70.5')
  })

  it('hands on blocks without losing or splitting what is longer than its buffer', () => {
    const long = 'é'.repeat(2_000_000)
    const text = written((writer) => {
      for (let index = 0; index < 200_000; index++) writer.integer(index)
      writer.text(long)
      writer.bytes(Buffer.from('x'.repeat(3_000_000)))
      writer.number(1.5)
    })
    const numbers = Array.from({ length: 200_000 }, (_, index) => String(index)).join('')
    expect(text === `${numbers}${long}${'x'.repeat(3_000_000)}1.5`).toBe(true)
  })
})
