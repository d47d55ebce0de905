import { describe, expect, it } from 'vitest'
import type { Candle } from '../../engine/core/candle.ts'
import { instrumentOf } from '../../engine/core/instrument.ts'
import { isoTime } from '../../engine/core/time.ts'
import market from '../../plugins/market/binance.ts'
import { candleOf, playMarket, T0, type Script } from '../support/candle-venue.ts'
import { scriptedVenue, testDeps, type Reply } from '../support/scripted-venue.ts'

const MINUTE = 60_000
const SECOND = 1000
const iso = (index: number): string => isoTime(T0 + index * MINUTE)
const without = (...indices: number[]) => (candles: Candle[]): Candle[] => candles.filter((_, index) => !indices.includes(index))

describe('a start', () => {
  it('brings the newest closed candles at once, then each as it closes, and wake-ups between', async () => {
    const { seen, candles, alarms } = await playMarket({ start: 3 * MINUTE, end: 6 * MINUTE, checkIntervalMs: 25 * SECOND })
    expect(seen).toEqual([
      '181s BTC 1…2', '181s wake', '205s wake', '230s wake', '241s BTC 3', '241s wake', '255s wake', '280s wake',
      '301s BTC 4', '301s wake', '305s wake', '330s wake', '355s wake', '360s BTC 5', '360s wake', '360s wake',
    ])
    expect(candles).toEqual([1, 2, 3, 4, 5].map((index) => candleOf(index)))
    expect(alarms).toEqual([])
  })

  it('takes what there is where the venue has fewer candles', async () => {
    const { seen } = await playMarket({ start: 2 * MINUTE, end: 3 * MINUTE, warmup: 50 })
    expect(seen).toEqual(['121s BTC 0…1', '121s wake', '180s BTC 2', '180s wake', '180s wake'])
  })

  it('may have nothing to begin with', async () => {
    for (const script of [{ warmup: 0, start: 3 * MINUTE + 5 }, { warmup: 10, start: 5 }]) {
      const { seen } = await playMarket({ ...script, end: script.start + MINUTE, checkIntervalMs: 500_000 })
      expect(seen.map((one) => one.replace(/^\S+ /, ''))).toEqual([`BTC ${Math.floor(script.start / MINUTE)}`, 'wake', 'wake'])
    }
  })

  it('is not fooled by a first read that shows too little', async () => {
    for (const show of [() => [], without(0, 1)] as const) {
      const { seen, alarms } = await playMarket({
        start: 3 * MINUTE, end: 4 * MINUTE, warmup: 3, show: (candles, _symbol, at) => at < 181 * SECOND ? show(candles) : candles,
      })
      expect(seen).toContain('182s BTC 0…2')
      expect(alarms).toEqual([])
    }
  })

  it('reads long warm-ups page by page', async () => {
    const { seen, candles, asked } = await playMarket({ start: 2500 * MINUTE, end: 2501 * MINUTE, warmup: 2100 })
    expect(seen[0]).toBe('150001s BTC 400…2499')
    expect(candles.slice(0, 2100)).toEqual(Array.from({ length: 2100 }, (_, index) => candleOf(400 + index)))
    const starts = asked.filter(({ path }) => path === 'klines').map(({ params }) => (Number(params['startTime']) - T0) / MINUTE)
    expect(starts.slice(0, 6).map(Math.ceil)).toEqual([400, 1400, 2400, 400, 1400, 2400])
  })

  it('merges several symbols by close time', async () => {
    const { seen } = await playMarket({
      symbols: ['BTC/USDT', 'ETH/USDT'], start: 3 * MINUTE, end: 5 * MINUTE, warmup: 2,
      show: (candles, symbol) => symbol === 'ETHUSDT' ? candles.slice(2) : candles,
    })
    expect(seen).toEqual([
      '181s BTC 1', '181s BTC 2 more', '181s ETH 2', '181s wake', '240s wake', '241s BTC 3 more', '241s ETH 3', '241s wake',
      '300s BTC 4 more', '300s ETH 4', '300s wake', '300s wake',
    ])
  })

  it('after a pause backfills what was missed, and decides on what is fresh', async () => {
    const { seen, alarms } = await playMarket({ start: 6 * MINUTE + 20 * SECOND, end: 7 * MINUTE, after: { 'BTC/USDT': T0 + MINUTE } })
    expect(seen).toEqual(['381s BTC 2 missed', '381s BTC 3 missed', '381s BTC 4 missed', '381s BTC 5', '381s wake', '420s BTC 6', '420s wake', '420s wake'])
    expect(alarms).toEqual([])
    const late = await playMarket({ start: 6 * MINUTE + 30 * SECOND, end: 6 * MINUTE + 40 * SECOND, after: { 'BTC/USDT': T0 + 4 * MINUTE } })
    expect(late.seen).toEqual(['391s BTC 5 missed', '391s wake', '400s wake'])
  })

  it('after a pause keeps several symbols in step', async () => {
    const { seen } = await playMarket({
      symbols: ['BTC/USDT', 'ETH/USDT'], start: 5 * MINUTE, end: 5 * MINUTE + 30 * SECOND, after: { 'BTC/USDT': T0 + 2 * MINUTE, 'ETH/USDT': T0 + MINUTE },
    })
    expect(seen).toEqual(['301s ETH 2 missed', '301s BTC 3 more missed', '301s ETH 3 missed', '301s BTC 4 more', '301s ETH 4', '301s wake', '330s wake'])
  })
})

describe('a candle is final', () => {
  const reads = (at: number[]) => (value: number): boolean => at.includes(value / SECOND)

  it('only when two reads agree', async () => {
    const early = reads([180, 181])
    const { seen, candles, alarms } = await playMarket({
      start: 2 * MINUTE, end: 4 * MINUTE,
      show: (candles, _symbol, at) => candles.map((one, index) => index === 2 && early(at) ? { ...one, close: one.close + at / 1e6 } : one),
    })
    expect(seen).toContain('183s BTC 2')
    expect(candles[2]).toEqual(candleOf(2))
    expect(alarms).toEqual([])
  })

  it('when nothing follows, 3 s after its close', async () => {
    const { seen } = await playMarket({ start: 2 * MINUTE, end: 4 * MINUTE, show: (candles, _symbol, at) => at < 190 * SECOND ? candles.slice(0, 3) : candles })
    expect(seen).toContain('183s BTC 2')
  })

  it('never while one of the two clocks says that it is in progress', async () => {
    for (const drift of [-5000, 5000]) {
      const { seen, candles, alarms } = await playMarket({ start: 2 * MINUTE + 10 * SECOND, end: 4 * MINUTE + 30 * SECOND, drift })
      expect(candles).toEqual([0, 1, 2, 3].map((index) => candleOf(index)))
      expect(seen).toContain(drift < 0 ? '186s BTC 2' : '181s BTC 2')
      expect(alarms).toEqual([{ event: 'clock-drift', symbol: 'BTC/USDT', ms: drift }])
    }
  })

  it('and a later change is noted once', async () => {
    const revised = { ...candleOf(2), close: 102.5, volume: 9 }
    const { candles, alarms } = await playMarket({
      start: 2 * MINUTE, end: 7 * MINUTE, show: (all, _symbol, at) => at >= 4 * MINUTE ? all.map((one, index) => index === 2 ? revised : one) : all,
    })
    expect(candles[2]).toEqual(candleOf(2))
    expect(alarms).toEqual([{
      event: 'candle-revised', symbol: 'BTC/USDT', openTime: iso(2),
      was: { open: 102, high: 104, low: 101, close: 103, volume: 3 }, is: { open: 102, high: 104, low: 101, close: 102.5, volume: 9 },
    }])
  })
})

describe('a hole', () => {
  it('is noted and passed once two reads agree on it', async () => {
    const { seen, alarms } = await playMarket({ start: 2 * MINUTE, end: 6 * MINUTE, show: without(3, 4) })
    expect(seen.filter((one) => one.includes('BTC'))).toEqual(['121s BTC 0…1', '183s BTC 2', '360s BTC 5'])
    expect(alarms.filter(({ event }) => event === 'gap')).toEqual([{ event: 'gap', symbol: 'BTC/USDT', from: iso(3), to: iso(4), missing: 2 }])
  })

  it('is none when the candle comes after all', async () => {
    const { seen, alarms } = await playMarket({
      start: 2 * MINUTE, end: 5 * MINUTE, show: (candles, _symbol, at) => at < 181 * SECOND ? without(2)(candles) : candles,
    })
    expect(seen).toContain('182s BTC 2')
    expect(alarms).toEqual([])
  })

  it('in the warm-up does not hold anything up', async () => {
    const { seen, alarms } = await playMarket({ start: 6 * MINUTE, end: 7 * MINUTE, warmup: 5, show: without(3) })
    expect(seen[0]).toBe('361s BTC 1…5')
    expect(alarms).toEqual([{ event: 'gap', symbol: 'BTC/USDT', from: iso(3), to: iso(3), missing: 1 }])
  })

  it('that is filled later is told as a revision', async () => {
    const { candles, alarms } = await playMarket({
      start: 2 * MINUTE, end: 6 * MINUTE, show: (all, _symbol, at) => at < 4 * MINUTE ? without(2)(all) : all,
    })
    expect(candles.map(({ openTime }) => (openTime - T0) / MINUTE)).toEqual([0, 1, 3, 4, 5])
    expect(alarms).toMatchObject([{ event: 'gap' }, { event: 'candle-revised', openTime: iso(2), was: null, is: { open: 102 } }])
  })
})

describe('trouble', () => {
  const between = (from: number, to: number, reply: Reply): NonNullable<Script['show']> =>
    (candles, _symbol, at) => at >= from * SECOND && at < to * SECOND ? reply : candles

  it('while candles do not come, wake-ups do; told once', async () => {
    const { seen, alarms } = await playMarket({
      start: 2 * MINUTE, end: 10 * MINUTE, checkIntervalMs: 30 * SECOND,
      show: (candles, _symbol, at) => at >= 3 * MINUTE && at < 7 * MINUTE ? candles.slice(0, 2) : candles,
    })
    const wakes = seen.filter((one) => one.endsWith('wake')).map((one) => parseInt(one))
    for (let at = 150; at < 600; at += 30) expect(wakes.some((wake) => wake >= at - 30 && wake <= at)).toBe(true)
    expect(seen.filter((one) => one.includes('missed'))).toHaveLength(4)
    expect(seen).toContain('481s BTC 7')
    expect(alarms).toEqual([
      { event: 'stale-market', symbol: 'BTC/USDT', since: iso(3) }, { event: 'market-recovered', symbol: 'BTC/USDT', since: iso(3) },
    ])
  })

  it('outages are retried ever more slowly, told once, and backfilled', async () => {
    const { seen, alarms, asked, candles } = await playMarket({
      start: 2 * MINUTE, end: 8 * MINUTE, checkIntervalMs: 20 * SECOND, show: between(180, 290, { status: 503, text: 'busy' }),
    })
    expect(asked.length).toBeLessThan(40)
    expect(candles).toEqual([0, 1, 2, 3, 4, 5, 6, 7].map((index) => candleOf(index)))
    expect(seen.filter((one) => one.includes('missed'))).toHaveLength(2)
    for (let at = 140; at <= 480; at += 20) expect(seen.some((one) => one.endsWith('wake') && Math.abs(parseInt(one) - at) <= 1), `${at}`).toBe(true)
    expect(alarms.map(({ event }) => event)).toEqual(['market-unreachable', 'stale-market', 'market-reachable', 'market-recovered'])
    expect(alarms[0]).toMatchObject({ symbol: 'BTC/USDT', reason: expect.stringContaining('HTTP 503') as string })
  })

  it('at the very start delays the start, not the wake-ups', async () => {
    const { seen, alarms } = await playMarket({ start: 2 * MINUTE, end: 4 * MINUTE, checkIntervalMs: 10 * SECOND, show: between(0, 150, 'break') })
    expect(seen.slice(0, 3)).toEqual(['130s wake', '140s wake', '150s wake'])
    expect(seen.find((one) => one.includes('BTC'))).toBe('152s BTC 0…1')
    expect(alarms.map(({ event }) => event)).toEqual(['market-unreachable', 'market-reachable'])
  })

  it('a venue that wants to be left alone is', async () => {
    const { asked } = await playMarket({
      symbols: ['BTC/USDT', 'ETH/USDT'], start: 2 * MINUTE, end: 5 * MINUTE,
      show: between(180, 200, { status: 429, text: '', headers: { 'retry-after': '15' } }),
    })
    const limited = asked.filter(({ path }) => path === 'klines')
    expect(limited.length).toBeLessThan(20)
  })

  it.each<[string, Reply]>([
    ['a page', { text: '<html>' }], ['an object', { json: {} }], ['rows of nothing', { json: [[]] }], ['cut JSON', { text: '[[17040672' }],
    ['a candle off the grid', { json: [[T0 + 5, '1', '1', '1', '1', '1', T0 + MINUTE]] }],
    ['a candle of the future', { json: [[T0 + 1e9 * MINUTE, '1', '1', '1', '1', '1', T0 + 2e9 * MINUTE]] }],
    ['an older candle than asked for', { json: [[T0 - 1e6 * MINUTE, '1', '1', '1', '1', '1', T0]] }],
    ['an impossible candle', { json: [[T0 + 2 * MINUTE, '5', '4', '3', '3', '1', T0 + 3 * MINUTE - 1]] }],
  ])('%s is never a candle', async (_name, reply) => {
    const { candles, alarms } = await playMarket({ start: 2 * MINUTE, end: 5 * MINUTE, show: between(180, 185, reply) })
    expect(candles).toEqual([0, 1, 2, 3, 4].map((index) => candleOf(index)))
    expect(alarms.map(({ event }) => event)).toEqual(['market-unreachable', 'market-reachable'])
  })

  it('one late symbol is waited for, but not for ever', async () => {
    const script = (until: number): Script => ({
      symbols: ['BTC/USDT', 'ETH/USDT'], start: 2 * MINUTE, end: 4 * MINUTE + 50 * SECOND,
      show: (candles, symbol, at) => symbol === 'ETHUSDT' && at >= 3 * MINUTE && at < until * SECOND ? candles.slice(0, 2) : candles,
    })
    const short = await playMarket(script(188))
    expect(short.seen.slice(3)).toContain('189s BTC 2 more')
    const long = await playMarket(script(225))
    expect(long.seen).toContain('195s BTC 2')
    expect(long.seen.find((one) => one.includes('ETH 2'))).toMatch(/ETH 2 missed$/)
    expect(long.seen).toContain('241s BTC 3 more')
  })

  it('a clock that cannot be read is no reason to stop', async () => {
    const { candles, asked } = await playMarket({ start: 2 * MINUTE, end: 4 * MINUTE, time: (at) => at < 140 * SECOND ? 'break' : { json: { serverTime: T0 + at } } })
    expect(candles).toHaveLength(4)
    expect(asked.filter(({ path }) => path === 'time')).toHaveLength(3)
  })

  it('the clock is compared every hour', async () => {
    const { alarms } = await playMarket({
      timeframe: '1h', start: 120 * MINUTE, end: 300 * MINUTE, time: (at) => ({ json: { serverTime: T0 + at + (at >= 180 * MINUTE ? 1500 : 900) } }),
    })
    expect(alarms).toEqual([180, 240].map(() => ({ event: 'clock-drift', symbol: 'BTC/USDT', ms: 1500 })))
  })
})

describe('an end', () => {
  it('comes when the run is stopped, after the orders of a last decision were settled', async () => {
    const { seen } = await playMarket({ start: 2 * MINUTE, end: 100 * MINUTE, stop: (so) => so.length === 4 })
    expect(seen).toEqual(['121s BTC 0…1', '121s wake', '180s wake', '181s BTC 2', '181s wake'])
  })

  it('of the tape reads through faults, and gives up when they do not end', async () => {
    let failures = 0
    const through = await playMarket({ start: 2 * MINUTE, end: 3 * MINUTE, show: (all, _symbol, at) => at >= 3 * MINUTE && failures++ < 5 ? 'break' : all })
    expect(through.seen.slice(-3)).toEqual(['180s BTC 2', '180s wake', '180s wake'])
    const never = await playMarket({ start: 2 * MINUTE, end: 3 * MINUTE, show: (all, _symbol, at) => at >= 3 * MINUTE ? 'break' : all })
    expect(never.seen).toEqual(['121s BTC 0…1', '121s wake', '180s wake'])
    expect(never.alarms.map(({ event }) => event)).toEqual(['market-unreachable'])
  })

  it('is the same every time', async () => {
    const script: Script = {
      symbols: ['BTC/USDT', 'ETH/USDT'], start: 2 * MINUTE, end: 12 * MINUTE, checkIntervalMs: 17 * SECOND,
      show: (candles, symbol, at) => {
        if (at % 7 === 0) return 'break'
        return symbol === 'BTCUSDT' && at > 400 * SECOND && at < 500 * SECOND ? without(5)(candles) : candles
      },
    }
    const [first, second] = [await playMarket(script), await playMarket(script)]
    expect(second.seen).toEqual(first.seen)
    expect(second.alarms).toEqual(first.alarms)
  })
})

describe('the plugin', () => {
  const plan = { symbols: ['BTC/USDT'], timeframe: '1m', fillTimeframe: null, instruments: {}, folder: '.' } as const

  it('takes no address from a scenario', () => {
    expect(market.options.safeParse({}).success).toBe(true)
    for (const url of ['https://api.binance.com', 'http://127.0.0.1:1']) {
      for (const key of ['url', 'baseUrl', 'host', 'venue']) expect(market.options.safeParse({ [key]: url }).success).toBe(false)
    }
  })

  it('needs a venue', async () => {
    await expect(market.create({}, testDeps(), plan)).rejects.toMatchObject({ code: 'TD_PLUGIN_OPTIONS' })
    await expect(market.create({}, testDeps(), {
      ...plan, live: { venue: { name: 'mainnet', url: null, apiKey: 'k', apiSecret: 's' }, journal: { note: () => {} }, warmup: 1, checkIntervalMs: 1000, after: {} },
    })).rejects.toMatchObject({ code: 'TD_VENUE' })
  })

  const INFO = {
    symbol: 'BTCUSDT', status: 'TRADING', baseAsset: 'BTC', quoteAsset: 'USDT', orderTypes: ['MARKET'], ocoAllowed: true,
    quoteOrderQtyMarketAllowed: true, cancelReplaceAllowed: true, filters: [
      { filterType: 'PRICE_FILTER', tickSize: '0.01000000' }, { filterType: 'LOT_SIZE', minQty: '0.00001', maxQty: '9000', stepSize: '0.00001' },
      { filterType: 'NOTIONAL', minNotional: '5', applyMinToMarket: true, maxNotional: '9000000', applyMaxToMarket: false },
    ],
  }
  const started = async (answer: () => Reply, instruments = {}): Promise<ReturnType<typeof market.create>> => {
    const { venue } = await scriptedVenue(answer)
    return market.create({}, testDeps(), { ...plan, instruments, live: { venue, journal: { note: () => {} }, warmup: 1, checkIntervalMs: 1000, after: {} } })
  }

  it('takes filters from the venue, but for those that the scenario sets', async () => {
    const answer = (): Reply => ({ json: { symbols: [INFO] } })
    expect(await (await started(answer)).instrument('BTC/USDT')).toEqual(instrumentOf('BTC/USDT', { tickSize: 0.01, lotSize: 0.00001, minNotional: 5 }))
    const own = { 'BTC/USDT': instrumentOf('BTC/USDT', { tickSize: 0.1, minNotional: 10 }) }
    expect(await (await started(answer, own)).instrument('BTC/USDT')).toEqual(instrumentOf('BTC/USDT', { tickSize: 0.1, lotSize: 0.00001, minNotional: 10 }))
  })

  it('asks for filters again after a passing failure, and says what a lasting one is', async () => {
    let failures = 0
    const source = await started(() => failures++ < 3 ? 'break' : { json: { symbols: [INFO] } })
    expect(await source.instrument('BTC/USDT')).toMatchObject({ tickSize: 0.01 })
    const unknown = await started(() => ({ status: 400, json: { code: -1121, msg: 'Invalid symbol.' } }))
    await expect(unknown.instrument('BTC/USDT')).rejects.toMatchObject({ code: 'TD_EXCHANGE_FAILED', message: expect.stringContaining('Invalid symbol') as string })
    const dead = await started(() => 'break')
    await expect(dead.instrument('BTC/USDT')).rejects.toMatchObject({ code: 'TD_EXCHANGE_FAILED' })
  })
})
