import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { brokenRule, type Candle } from '../../engine/core/candle.ts'
import type { Timeframe } from '../../engine/core/timeframe.ts'
import type { Deps, MarketPlan, MarketSource } from '../../engine/ports.ts'
import plugin from '../../plugins/market/synthetic.ts'
import { candlesOf, eventsOf, planFor } from '../support/tape-files.ts'

const open = async (
  options: Record<string, unknown>, plan: Partial<MarketPlan> = {}, signal = new AbortController().signal,
): Promise<MarketSource> =>
  plugin.create(plugin.options.parse(options), { signal } as Deps, planFor('/', plan.timeframe ?? '1h', plan))
const make = async (options: Record<string, unknown>, timeframe: Timeframe = '1h'): Promise<Candle[]> =>
  candlesOf(await open(options, { timeframe }))

const returnsOf = (candles: readonly Candle[]): number[] =>
  candles.slice(1).map(({ close }, index) => close / candles[index].close - 1)
const mean = (numbers: readonly number[]): number => numbers.reduce((sum, number) => sum + number, 0) / numbers.length
const centred = (numbers: readonly number[]): number[] => {
  const centre = mean(numbers)
  return numbers.map((number) => number - centre)
}
const product = (a: readonly number[], b: readonly number[]): number =>
  mean(a.map((number, index) => number * b[index]))
function correlation(first: readonly number[], second: readonly number[]): number {
  const [a, b] = [centred(first), centred(second)]
  return product(a, b) / Math.sqrt(product(a, a) * product(b, b))
}
/** The change over every stretch of `length` candles. */
const stretches = (candles: readonly Candle[], length: number): number[] =>
  candles.slice(length).map(({ close }, index) => close / candles[index].close - 1)

describe('synthetic candles', () => {
  it('are the same for a seed on every machine', async () => {
    const candles = await make({})
    expect(candles).toHaveLength(5000)
    expect(candles).toEqual(await make({ seed: 1 }))
    expect(candles).not.toEqual(await make({ seed: 2 }))
    expect(createHash('sha256').update(JSON.stringify(candles)).digest('hex'))
      .toBe('d24c546f91cdb7d5783856e425c61ca975519efe052701c714fda875863b7ed0')
  })

  it('begin alike, however many there are', async () => {
    expect((await make({ candles: 9000 })).slice(0, 5000)).toEqual(await make({}))
  })

  it.each(['1m', '1h', '1d', '1w'] as const)('are sound, rounded %s candles on the grid', async (timeframe) => {
    for (const seed of [1, 2, 3]) {
      const candles = await make({ seed, from: '2024-01-03', candles: 20_000 }, timeframe)
      const step = candles[1].openTime - candles[0].openTime
      for (const [index, { openTime, open: first, high, low, close, volume }] of candles.entries()) {
        const broken = brokenRule(first, high, low, close, volume)
        if (broken !== null || openTime !== candles[0].openTime + index * step) throw new Error(`${index}: ${broken}`)
        const rounded = [first, high, low, close].every((price) => price === Number(price.toFixed(2)))
        if (!rounded) throw new Error(`${index}: ${[first, high, low, close].join(' ')}`)
        if (volume !== Number(volume.toFixed(5)) || volume === 0) throw new Error(`${volume}`)
      }
      expect(Math.max(...candles.map(({ high }) => high))).toBeLessThan(30_000 * 60)
      expect(Math.min(...candles.map(({ low }) => low))).toBeGreaterThan(30_000 / 60)
    }
  })

  it('always have a crash, a rise and a sideways stretch within the first thousand', async () => {
    for (let seed = 1; seed <= 40; seed++) {
      const candles = await make({ seed, candles: 1000 })
      expect(Math.min(...stretches(candles, 40)), `crash of seed ${seed}`).toBeLessThan(-0.1)
      expect(Math.max(...stretches(candles, 150)), `rise of seed ${seed}`).toBeGreaterThan(0.03)
      const calm = stretches(candles, 100).filter((change) => Math.abs(change) < 0.02)
      expect(calm.length, `sideways of seed ${seed}`).toBeGreaterThan(5)
    }
  })

  it('have volatility in clusters and volume that goes with it', async () => {
    const candles = await make({ candles: 20_000 })
    const sizes = returnsOf(candles).map(Math.abs)
    expect(correlation(sizes.slice(1), sizes.slice(0, -1))).toBeGreaterThan(0.1)
    expect(correlation(sizes, candles.slice(1).map(({ volume }) => volume))).toBeGreaterThan(0.5)
  })

  it('mostly open where the last one closed', async () => {
    const candles = await make({})
    const jumps = candles.slice(1).filter(({ open: first }, index) => first !== candles[index].close)
    expect(jumps.length).toBeGreaterThan(100)
    expect(jumps.length).toBeLessThan(600)
  })

  it('follow start price, tick and first time', async () => {
    const candles = await make({ startPrice: 2, tickSize: 0.0005, from: '2022-02-02T00:30:00Z', candles: 3000 })
    expect(candles[0].openTime).toBe(Date.UTC(2022, 1, 2, 1))
    expect(candles[0].open).toBeGreaterThan(1.9)
    expect(candles[0].open).toBeLessThan(2.1)
    for (const { close } of candles) expect(Math.abs(close * 2000 - Math.round(close * 2000))).toBeLessThan(1e-9)
  })
})

describe('the synthetic source', () => {
  it('yields batches, says what it is and how far it is', async () => {
    const source = await open({ candles: 10_000, seed: 7 })
    expect(source.progress!()).toBe(0)
    expect((await eventsOf(source)).map(({ candles }) => candles.length)).toEqual([4096, 4096, 1808])
    expect(source.progress!()).toBe(1)
    expect(source.facts!()).toEqual({ files: {}, notes: ['synthetic candles, seed 7'] })
    expect(await source.ownTimeframe!('BTC/USDT')).toBe('1h')
    expect(await candlesOf(source)).toEqual(await candlesOf(source))
  })

  it('gives every symbol its own candles, at the same times', async () => {
    const symbols = ['BTC/USDT', 'ETH/USDT', 'SOL/USDT']
    const events = await eventsOf(await open({ candles: 5000 }, { symbols }))
    expect(events.map(({ symbol }) => symbol)).toEqual(Array.from({ length: 15_000 }, (_, index) => symbols[index % 3]))
    expect(events.map(({ more }) => more)).toEqual(Array.from({ length: 15_000 }, (_, index) => index % 3 < 2))
    expect(events.every(({ candles }) => candles.length === 1)).toBe(true)
    const [first, second, third] = symbols.map((one) =>
      events.filter(({ symbol }) => symbol === one).flatMap(({ candles }) => candles))
    expect(first).toEqual(await make({}))
    expect(second.map(({ openTime }) => openTime)).toEqual(first.map(({ openTime }) => openTime))
    expect(Math.abs(correlation(returnsOf(first), returnsOf(second)))).toBeLessThan(0.1)
    expect(Math.abs(correlation(returnsOf(second), returnsOf(third)))).toBeLessThan(0.1)
  })

  it('ends when it is aborted, also from outside, which it lets speak', async () => {
    const controller = new AbortController()
    const source = await open({ candles: 100_000_000 }, {}, controller.signal)
    setTimeout(() => controller.abort(), 20)
    let rows = 0
    for await (const event of source.events()) if (event.kind === 'candles') rows += event.end - event.start
    expect(rows).toBeGreaterThan(0)
    expect(rows).toBeLessThan(100_000_000)
  })

  it('refuses a fill timeframe and impossible options', async () => {
    await expect(open({}, { fillTimeframe: '1m' })).rejects.toMatchObject({ code: 'TD_PLUGIN_OPTIONS' })
    const mistakes = [{ candles: 0 }, { seed: 1.5 }, { startPrice: 9, tickSize: 0.01 }, { from: 'soon' }, { file: 'x' }]
    for (const wrong of mistakes) {
      expect(plugin.options.safeParse(wrong).success, JSON.stringify(wrong)).toBe(false)
    }
  })
})
