import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hashUniform, roughNormal, seededRandom } from '../../../engine/core/random.ts'

const draws = (seed: number, count: number): number[] => {
  const random = seededRandom(seed)
  return Array.from({ length: count }, () => random())
}
const mean = (numbers: readonly number[]): number => numbers.reduce((sum, number) => sum + number, 0) / numbers.length
/** Mean product of neighbours around their mean: 0 when they know nothing of each other. */
const serialProduct = (numbers: readonly number[]): number =>
  mean(numbers.slice(1).map((number, index) => (number - 0.5) * (numbers[index] - 0.5)))

describe('seededRandom', () => {
  it('gives the same numbers for a seed on every platform', () => {
    expect(draws(1, 4)).toEqual(draws(1, 4))
    expect(draws(1, 4).map((number) => number * 2 ** 32)).toMatchInlineSnapshot(`
      [
        2525438366,
        4109251415,
        787059663,
        1992990118,
      ]
    `)
  })

  it('gives numbers in [0, 1) for any whole seed, and others for another', () => {
    fc.assert(fc.property(fc.maxSafeInteger(), (seed) => {
      for (const number of draws(seed, 50)) if (!(number >= 0 && number < 1)) throw new Error(`${number}`)
      expect(draws(seed, 3)).not.toEqual(draws(seed === 0 ? 1 : seed - Math.sign(seed), 3))
    }))
  })

  it('spreads evenly, also across neighbouring seeds', () => {
    const buckets = new Int32Array(16)
    const rows = draws(7, 160_000)
    for (const number of rows) buckets[Math.floor(number * 16)]++
    for (const count of buckets) expect(Math.abs(count - 10_000)).toBeLessThan(500)
    expect(Math.abs(serialProduct(rows))).toBeLessThan(0.001)
    expect(mean(Array.from({ length: 10_000 }, (_, seed) => draws(seed, 1)[0]))).toBeCloseTo(0.5, 1)
  })

  it('uses all bits of a seed', () => {
    expect(draws(1, 3)).not.toEqual(draws(1 + 2 ** 32, 3))
    expect(draws(-1, 3)).not.toEqual(draws(1, 3))
  })
})

describe('hashUniform', () => {
  it('depends on its three numbers and on nothing else', () => {
    const time = 1_609_718_400_000
    expect(hashUniform(1, time, 0)).toBe(hashUniform(1, time, 0))
    const others = [
      hashUniform(1, time, 0), hashUniform(2, time, 0), hashUniform(1, time + 1, 0), hashUniform(1, time, 1),
      hashUniform(time, 1, 0), hashUniform(1, 0, time), hashUniform(1, time + 2 ** 32, 0),
    ]
    expect(new Set(others).size).toBe(others.length)
    expect(others.map((number) => number * 2 ** 32)).toMatchInlineSnapshot(`
      [
        3810891393,
        3476376862,
        3659264442,
        1472218230,
        3566031314,
        3198501443,
        3170331262,
      ]
    `)
  })

  it('is uniform over a tape of minutes', () => {
    const numbers = Array.from({ length: 100_000 }, (_, index) => hashUniform(3, 1_609_718_400_000 + index * 60_000, 5))
    const buckets = new Int32Array(10)
    for (const number of numbers) buckets[Math.floor(number * 10)]++
    for (const count of buckets) expect(Math.abs(count - 10_000)).toBeLessThan(500)
    expect(Math.abs(serialProduct(numbers))).toBeLessThan(0.001)
  })
})

it('roughNormal has mean 0 and variance 1', () => {
  const random = seededRandom(11)
  const numbers = Array.from({ length: 50_000 }, () => roughNormal(random))
  expect(mean(numbers)).toBeCloseTo(0, 1)
  expect(mean(numbers.map((number) => number * number))).toBeCloseTo(1, 1)
})
