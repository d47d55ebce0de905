import { pathToFileURL } from 'node:url'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { program, sample, workspace } from '../support/cli.ts'
import { root } from '../support/shared.ts'

const full = process.env['TAPEDECK_FULL'] === '1'
const DAYS = full ? 31 : 2
const MB = 1 << 20

interface Sample {
  readonly day: number
  readonly rss: number
  readonly heapUsed: number
  /** Longest time so far in which the event loop was busy without a pause, in ms. */
  readonly longest: number
}

describe(`a rehearsal of ${DAYS - 1} simulated ${DAYS === 2 ? 'day' : 'days'} in one go`, () => {
  it('keeps its memory flat and never blocks the event loop', async () => {
    const place = workspace()
    place.put('soak.yaml', {
      name: 'soak', symbol: 'BTC/USDT', timeframe: '1h',
      market: { file: sample, from: '2024-01-01', to: new Date(Date.UTC(2024, 0, 1 + DAYS)).toISOString() },
      strategy: { name: 'random', params: { seed: 5, buy: 0.3, sell: 0.1 } },
      policy: { minConfidence: 0.6, stopLoss: 0.02, takeProfit: 0.02, positionSize: 0.2, trailingStop: 0.015 },
    })
    const sampler = pathToFileURL(join(root, 'test/soak/sampler.mjs')).href
    const { code, stderr } = await place.startCommand(process.execPath,
      ['--expose-gc', '--import', sampler, program, 'rehearse', 'soak.yaml', '--json'],
      { CHECK_INTERVAL: '60', TAPEDECK_TEST_SAMPLES: place.path('samples.json') }).done
    expect(stderr.replaceAll(/^warning: .*\n/gm, '')).toBe('')
    expect(code).toBe(0)
    const samples = JSON.parse(place.read('samples.json')) as Sample[]
    expect(samples).toHaveLength(DAYS)
    const [first] = samples
    // Single samples hang on when memory was last given back to the system; the last days together do not.
    const last = samples.slice(-Math.min(5, DAYS - 1))
    const grown = last.reduce((sum, { rss }) => sum + rss, 0) / last.length / first.rss - 1
    const longest = Math.max(...samples.map((one) => one.longest))
    console.info(`soak: ${DAYS} days, RSS ${(first.rss / MB).toFixed(0)} MiB after the first, ${(grown * 100).toFixed(1)} % more in the end; `
      + `heap ${(first.heapUsed / MB).toFixed(0)} … ${(samples.at(-1)!.heapUsed / MB).toFixed(0)} MiB; longest block ${longest.toFixed(0)} ms`)
    expect(grown).toBeLessThan(0.1)
    expect(longest).toBeLessThan(100)
  }, 900_000)
})
