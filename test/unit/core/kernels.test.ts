import { ADX, AverageGain, EMA, RSI, SMA } from 'technicalindicators'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { candleColumns, type CandleColumns } from '../../../engine/core/candle.ts'
import {
  Book, EmaKernel, type IndicatorKernel, relativeStrength, RsiKernel, SmaKernel, SourceKernel, StepKernel,
} from '../../../engine/core/kernels.ts'

/** Exact sum of doubles, rounded once: J. R. Shewchuk's partials with half-even correction, as Python's math.fsum. */
function fsum(values: ArrayLike<number>): number {
  const partials: number[] = []
  for (let k = 0; k < values.length; k++) {
    let x = values[k]
    let kept = 0
    for (let y of partials) {
      if (Math.abs(x) < Math.abs(y)) [x, y] = [y, x]
      const high = x + y
      const low = y - (high - x)
      if (low !== 0) partials[kept++] = low
      x = high
    }
    partials.length = kept
    partials.push(x)
  }
  let n = partials.length - 1
  let high = n >= 0 ? partials[n] : 0
  let low = 0
  while (n > 0) {
    const x = high
    const y = partials[--n]
    high = x + y
    low = y - (high - x)
    if (low !== 0) break
  }
  if (n > 0 && ((low < 0 && partials[n - 1] < 0) || (low > 0 && partials[n - 1] > 0))) {
    const x = high + low * 2
    if (low * 2 === x - high) high = x
  }
  return high
}

/** Seeded, uniform in [0, 1) (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

function closes(values: ArrayLike<number>): CandleColumns {
  const columns = candleColumns(values.length)
  columns.close.set(values)
  return columns
}

function run(kernel: IndicatorKernel, values: ArrayLike<number>): Float64Array {
  const out = new Float64Array(values.length)
  kernel.run(closes(values), 0, values.length, out, 0)
  return out
}

/** Feeds the rows in pieces of the given sizes, then what is left. */
function runInPieces(kernel: IndicatorKernel, values: ArrayLike<number>, sizes: readonly number[]): Float64Array {
  const columns = closes(values)
  const out = new Float64Array(values.length)
  let start = 0
  for (const size of [...sizes, values.length]) {
    const end = Math.min(values.length, start + size)
    kernel.run(columns, start, end, out, start)
    start = end
  }
  return out
}

const walk = (rows: number, seed: number, tick = 0.01): Float64Array => {
  const random = seeded(seed)
  let ticks = 4_000_000
  return Float64Array.from({ length: rows }, () => {
    ticks += Math.round((random() - 0.5) * 2_000)
    return ticks * tick
  })
}

const close = (actual: number, expected: number): boolean =>
  Math.abs(actual - expected) <= 1e-9 * Math.max(1, Math.abs(expected))

describe('sma', () => {
  it('is fsum/n to the last bit over a million candles, so ties of two lengths stay ties', () => {
    const random = seeded(7)
    const prices = Float64Array.from({ length: 1_000_000 }, () => (9_998 + Math.floor(random() * 4)) / 100)
    const short = run(new SmaKernel(9, 'close'), prices)
    const long = run(new SmaKernel(21, 'close'), prices)
    let wrong = 0
    let ties = 0
    for (let row = 20; row < prices.length; row++) {
      const a = fsum(prices.subarray(row - 8, row + 1)) / 9
      const b = fsum(prices.subarray(row - 20, row + 1)) / 21
      if (a === b) ties++
      if (short[row] !== a || long[row] !== b) wrong++
    }
    expect(ties).toBeGreaterThan(1_000)
    expect(wrong).toBe(0)
  })

  it('is fsum/n to the last bit on a random walk in integer ticks', () => {
    const prices = walk(300_000, 11)
    for (const n of [1, 2, 3, 50]) {
      const out = run(new SmaKernel(n, 'close'), prices)
      let wrong = 0
      for (let row = n - 1; row < prices.length; row++) {
        if (out[row] !== fsum(prices.subarray(row + 1 - n, row + 1)) / n) wrong++
      }
      expect(wrong, `sma ${n}`).toBe(0)
    }
  })

  it('does not drift over 10 million candles, even when values of 1e9 pass through a window of 1e-3', () => {
    const random = seeded(3)
    const columns = candleColumns(100_000)
    const out = new Float64Array(100_000)
    const kernel = new SmaKernel(21, 'close')
    for (let batch = 0; batch < 100; batch++) {
      for (let row = 0; row < 100_000; row++) columns.close[row] = random() * (row % 997 === 0 ? 1e9 : 1e-3)
      kernel.run(columns, 0, 100_000, out, 0)
    }
    for (let row = 20; row < 100_000; row += 7) {
      expect(out[row]).toBe(fsum(columns.close.subarray(row - 20, row + 1)) / 21)
    }
  })

  it('has no value for the first n − 1 rows, wherever the batches end', () => {
    const values = [1, 2, 3, 4, 5, 6]
    for (const sizes of [[], [1], [2], [3], [4], [1, 1, 1, 1, 1]]) {
      expect([...runInPieces(new SmaKernel(4, 'close'), values, sizes)]).toEqual([NaN, NaN, NaN, 2.5, 3.5, 4.5])
    }
  })

  it('gives the same bits however the tape is cut into batches', () => {
    fc.assert(fc.property(
      fc.array(fc.double({ min: 1e-9, max: 1e12, noNaN: true }), { minLength: 1, maxLength: 200 }),
      fc.integer({ min: 1, max: 30 }),
      fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 12 }),
      (values, n, sizes) => {
        const whole = run(new SmaKernel(n, 'close'), values)
        expect(runInPieces(new SmaKernel(n, 'close'), values, sizes)).toEqual(whole)
      },
    ))
  })

  it('agrees with technicalindicators', () => {
    const prices = walk(5_000, 5)
    const out = run(new SmaKernel(20, 'close'), prices)
    const expected = SMA.calculate({ period: 20, values: [...prices] })
    expect(expected.every((value, i) => close(out[i + 19], value))).toBe(true)
  })
})

describe('ema', () => {
  it('is seeded with the mean of the first n values', () => {
    expect([...run(new EmaKernel(3, 'close'), [1, 2, 6, 4, 8])]).toEqual([NaN, NaN, 3, 3.5, 5.75])
  })

  it('starts at the sma to the last bit', () => {
    for (let seed = 0; seed < 50; seed++) {
      const prices = walk(21, seed)
      expect(run(new EmaKernel(21, 'close'), prices)[20]).toBe(run(new SmaKernel(21, 'close'), prices)[20])
    }
  })

  it('of 1 candle is the candle', () => {
    expect([...run(new EmaKernel(1, 'close'), [3, 1, 2])]).toEqual([3, 1, 2])
  })

  it('agrees with technicalindicators, cut anywhere', () => {
    const prices = walk(5_000, 6)
    const expected = EMA.calculate({ period: 21, values: [...prices] })
    const out = run(new EmaKernel(21, 'close'), prices)
    expect(expected.every((value, i) => close(out[i + 20], value))).toBe(true)
    expect(runInPieces(new EmaKernel(21, 'close'), prices, [5, 0, 15, 1, 1, 1_000])).toEqual(out)
  })
})

describe('rsi', () => {
  it('starts at row n with the plain means of the first n gains and losses', () => {
    // Gains 2, 0, 3 and losses 0, 1, 0: 5/3 against 1/3; then a loss of 2: 10/9 against 8/9.
    const out = run(new RsiKernel(3, 'close'), [10, 12, 11, 14, 12])
    expect(Number.isNaN(out[2])).toBe(true)
    expect(out[3]).toBeCloseTo(100 - 100 / (1 + 5), 12)
    expect(out[4]).toBeCloseTo(100 - 100 / (1 + 10 / 8), 12)
  })

  it('is 50 in a flat market, 100 without a loss, 0 without a gain', () => {
    expect(run(new RsiKernel(3, 'close'), [5, 5, 5, 5, 5])[4]).toBe(50)
    expect(run(new RsiKernel(3, 'close'), [5, 6, 7, 8, 9])[4]).toBe(100)
    expect(run(new RsiKernel(3, 'close'), [9, 8, 7, 6, 5])[4]).toBe(0)
    const pairs = [[0, 0], [1, 0], [0, 1], [1, 1]] as const
    expect(pairs.map(([gain, loss]) => relativeStrength(gain, loss))).toEqual([50, 100, 0, 50])
  })

  it('agrees with technicalindicators within its rounding to 2 decimals, cut anywhere', () => {
    const prices = walk(5_000, 8)
    const out = run(new RsiKernel(14, 'close'), prices)
    const expected = RSI.calculate({ period: 14, values: [...prices] })
    expect(expected).toHaveLength(prices.length - 14)
    expect(expected.every((value, i) => Math.abs(out[i + 14] - value) <= 0.005 + 1e-9)).toBe(true)
    expect(runInPieces(new RsiKernel(14, 'close'), prices, [1, 12, 0, 1, 1, 1, 1_000])).toEqual(out)
  })

  it('agrees with technicalindicators’ unrounded mean gain and loss within 1e-9', () => {
    const prices = [...walk(5_000, 9)]
    const out = run(new RsiKernel(14, 'close'), prices)
    const gains = AverageGain.calculate({ period: 14, values: prices })
    const losses = AverageGain.calculate({ period: 14, values: prices.map((price) => -price) })
    expect(gains.every((gain, i) => close(out[i + 14], 100 - 100 / (1 + gain / losses[i])))).toBe(true)
  })
})

it('source repeats its column', () => {
  const columns = candleColumns(3)
  columns.volume.set([7, 8, 9])
  const out = new Float64Array(4)
  new SourceKernel('volume').run(columns, 1, 3, out, 2)
  expect([...out]).toEqual([0, 0, 8, 9])
})

describe('step kernel', () => {
  it('turns a missing, infinite or NaN answer into no value', () => {
    const answers = [undefined, Infinity, NaN, 0]
    const out = run(new StepKernel(() => answers.shift(), 'close', null), [1, 2, 3, 4])
    expect([...out]).toEqual([NaN, NaN, NaN, 0])
  })

  it('feeds every row a candle of its own, which the indicator may keep', () => {
    const adx = new ADX({ period: 5, high: [], low: [], close: [] })
    const columns = candleColumns(40)
    const prices = walk(40, 12)
    for (let row = 0; row < 40; row++) {
      columns.close[row] = prices[row]
      columns.high[row] = prices[row] + 3
      columns.low[row] = prices[row] - 2
    }
    const out = new Float64Array(40)
    new StepKernel((candle) => adx.nextValue(candle), null, 'pdi').run(columns, 0, 40, out, 0)
    const [high, low, close] = [[...columns.high], [...columns.low], [...columns.close]]
    const expected = ADX.calculate({ period: 5, high, low, close })
    expect([...out.subarray(40 - expected.length)]).toEqual(expected.map((lines) => lines.pdi))
  })
})

describe('book', () => {
  const book = (history: number): Book =>
    new Book(['price', 'mean'], [new SourceKernel('close'), new SmaKernel(2, 'close')], history)

  it('looks back across batches as a plain array would', () => {
    fc.assert(fc.property(
      fc.integer({ min: 0, max: 40 }),
      fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 20 }),
      (history, sizes) => {
        const made = book(history)
        const seen: number[] = []
        for (const size of sizes) {
          const batch = Float64Array.from({ length: size + 2 }, (_, i) => seen.length + i)
          const start = made.append(closes(batch), 1, size + 1)
          for (let k = 0; k < size; k++) seen.push(batch[k + 1])
          for (const row of [0, 1, size >> 1, size - 1]) {
            if (row < 0 || row >= size) continue
            const now = seen.length - size + row
            for (let back = 0; back <= history; back++) {
              expect(made.at(0, start + row, back)).toBe(seen[now - back] ?? NaN)
              const mean = (seen[now - back] + seen[now - back - 1]) / 2
              expect(made.at(1, start + row, back)).toBe(now - back >= 1 ? mean : NaN)
            }
          }
        }
      },
    ), { numRuns: 60 })
  })

  it('forgets nothing when candles come one at a time', () => {
    const made = book(5)
    for (let i = 0; i < 5_000; i++) {
      const row = made.append(closes([i]), 0, 1)
      expect([made.at(0, row, 0), made.at(0, row, Math.min(5, i))]).toEqual([i, i - Math.min(5, i)])
    }
  })

  it('refuses to look ahead, beyond its history or between candles', () => {
    const made = book(3)
    const row = made.append(closes([1, 2, 3, 4, 5, 6]), 0, 6) + 5
    expect(made.at(0, row, 3)).toBe(3)
    for (const back of [-1, 4, 0.5, NaN, Infinity, 2 ** 32]) {
      expect(() => made.at(0, row, back), String(back)).toThrow(RangeError)
    }
    expect(() => made.at(1, row, 4)).toThrow('"mean" was asked for 4 candles back: it must be a whole number from 0')
    expect(() => book(-1)).toThrow(RangeError)
  })
})
