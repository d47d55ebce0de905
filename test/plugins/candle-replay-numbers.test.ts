import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { brokenRule, candleColumns } from '../../engine/core/candle.ts'
import { ByteParser, longNumber } from '../../plugins/market/candle-replay/file/byte-parser.ts'
import { isSound } from '../../plugins/market/candle-replay/series.ts'

const TIME = 1_609_718_400_000

/** The open price that the parser reads from `text`, NaN when it refuses it. */
function parsed(text: string, end = '\n'): number {
  const columns = candleColumns(4)
  const parser = new ByteParser('numbers.csv', { cells: 6, header: true }, columns)
  const bytes = Buffer.from(`${TIME},${text},2,1,1.5,${text}${end}`)
  expect(parser.parse(bytes, 0, bytes.length)).toBe(parser.failure === null ? bytes.length : 0)
  if (parser.failure !== null) return NaN
  const others = [columns.openTime[0], columns.high[0], columns.low[0], columns.close[0]]
  expect([parser.rows, ...others]).toEqual([1, TIME, 2, 1, 1.5])
  expect(Object.is(columns.volume[0], columns.open[0])).toBe(true)
  return columns.open[0]
}

const digits = (max: number): fc.Arbitrary<string> =>
  fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: max }).map((all) => all.join(''))
const zeros = (max: number): fc.Arbitrary<string> => fc.integer({ min: 1, max }).map((count) => '0'.repeat(count))
const decimal = fc.oneof(
  digits(20),
  fc.tuple(digits(12), digits(12)).map((parts) => parts.join('.')),
  fc.tuple(digits(3), digits(24)).map((parts) => parts.join('.')),
  fc.tuple(digits(20), digits(3)).map((parts) => parts.join('.')),
  fc.tuple(digits(8), digits(6), zeros(20)).map(([whole, fraction, end]) => `${whole}.${fraction}${end}`),
  fc.tuple(digits(4), zeros(30), digits(4)).map(([whole, middle, end]) => `${whole}.${middle}${end}`),
)

describe('numbers are read like Number() reads them', () => {
  it('to the last bit, whatever their length', () => {
    fc.assert(fc.property(decimal, fc.constantFrom('\n', '\r\n'), (text, end) => {
      expect(Object.is(parsed(text, end), Number(text))).toBe(true)
    }), { numRuns: 20_000 })
  })

  it('also as JavaScript prints any number, with sign and exponent', () => {
    fc.assert(fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (number) => {
      expect(Object.is(parsed(String(number)), number === 0 && String(number) === '0' ? 0 : number)).toBe(true)
    }), { numRuns: 5000 })
  })

  it('and prices with two, volumes with eight decimals', () => {
    const price = fc.double({ min: 0.01, max: 1e7, noNaN: true })
    fc.assert(fc.property(price, fc.constantFrom(2, 5, 8), (number, decimals) => {
      const text = number.toFixed(decimals)
      expect(parsed(text)).toBe(Number(text))
    }), { numRuns: 5000 })
  })

  it.each([
    '0', '0.0', '7.', '.5', '999999999', '1000000000', '999999999.999999999', '9007199254740991', '9007199254740992',
    '9007199254740993', '90071992547.40993', '0.1', '0.30000000000000004', '1004.6509690000001', '123456789012.00000',
    '1e3', '1E-7', '-5', '0000000000000000012.5', '1.7976931348623157e308', '179769313486231570000000000000000000000',
    `0.${'0'.repeat(23)}1`, `0.${'0'.repeat(22)}`, `1${'0'.repeat(30)}`, '5e-324',
  ])('%s', (text) => {
    expect(parsed(text)).toBe(Number(text))
  })

  it.each([
    '', '.', '-', '1..2', '1.2.3', '1,2', 'NaN', 'Infinity', '0x1F', '1_000', ' 1', '1 ', '+1', '1e', '1e400', '--1',
    '１',
  ])('refuses "%s"', (text) => expect(parsed(text)).toBeNaN())

  it('leaves whatever is no digit or dot to the slow way', () => {
    for (const text of ['12a', '1.2.3', '-1', '.5', '1e5']) {
      const bytes = Buffer.from(text)
      expect(longNumber(bytes, 0, bytes.length)).toBeNaN()
    }
  })

  it('refuses any text that is no decimal', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary-ascii' }).filter((text) => !/[,\n\r]/.test(text)), (text) => {
      const number = /^-?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text) ? Number(text) : NaN
      expect(parsed(text)).toBe(Number.isFinite(number) ? number : NaN)
    }), { numRuns: 5000 })
  })
})

it('takes the short rule for the long one', () => {
  const special = fc.constantFrom(0, -0, -1, 1, NaN, Infinity, -Infinity, 2, 3)
  const price = fc.oneof(special, fc.double())
  fc.assert(fc.property(price, price, price, price, price, (open, high, low, close, volume) => {
    expect(isSound(open, high, low, close, volume)).toBe(brokenRule(open, high, low, close, volume) === null)
  }), { numRuns: 20_000 })
})
