import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { registry } from '../../engine/assemble.ts'
import { checkStrategy, TOLERANCE, type CheckResult } from '../../engine/check-strategy.ts'
import type { CandleColumns } from '../../engine/core/candle.ts'
import type { Opinion } from '../../engine/core/opinion.ts'
import type { Snapshot } from '../../engine/core/snapshot.ts'
import { TapedeckError } from '../../engine/errors.ts'
import type { Strategy } from '../../engine/ports.ts'
import scalper from '../../strategies/autonomous-scalper.ts'
import buyAndHold from '../../strategies/buy-and-hold.ts'
import { strategies } from '../../strategies/index.ts'
import random from '../../strategies/random.ts'
import smaCross from '../../strategies/sma-cross.ts'
import { columnsOf, MemoryMarket, randomWalk } from '../support/memory-market.ts'
import { decisionsOf, HOUR, marketOf, playOne, type Row } from '../support/play.ts'
import { leapingWalk } from '../support/random-runs.ts'

const scenarioWith = (strategy: object): object =>
  ({ name: 'strategies', symbol: 'BTC/USDT', timeframe: '1h', strategy })

/** A snapshot that shows these values. */
function snapshotOf(
  values: Readonly<Record<string, number | readonly number[]>>, fields: Partial<Snapshot> = {},
): Snapshot {
  return {
    symbol: 'BTC/USDT', time: 0, price: 100, volume: 1, trend: 'SIDEWAYS', names: Object.keys(values),
    inPosition: false,
    value: (name, back = 0) => {
      const value = values[name]
      return typeof value === 'number' ? value : value[back]
    },
    ...fields,
  }
}

describe('every bundled strategy', () => {
  const defaults: Readonly<Record<string, unknown>> = {
    'autonomous-scalper': { rsiPeriod: 14, maShort: 9, maLong: 50, volumePeriod: 20, oversold: 45, overbought: 55, askedStop: 0.05, askedTarget: 0.03, askedHorizon: 48 },
    'sma-cross': { fast: 9, slow: 21, rsiPeriod: 14, rsiMax: 70 },
    'buy-and-hold': {},
    random: { seed: 1, buy: 0.02, sell: 0.02 },
  }

  it('is in the manifest under its own name', async () => {
    expect(Object.keys(strategies).sort()).toEqual(Object.keys(defaults).sort())
    for (const [name, load] of Object.entries(strategies)) expect((await load()).default.name).toBe(name)
  })

  it.each(Object.keys(defaults))('%s has all defaults and refuses what it does not know', async (name) => {
    const strategy = await registry.strategy(name)
    expect(strategy.params.parse({})).toEqual(defaults[name])
    expect(strategy.params.safeParse({ sped: 1 }).success).toBe(false)
    expect(strategy.description.length).toBeGreaterThan(20)
    const market = new MemoryMarket(randomWalk(320, 1, '1h', 0.02), '1h')
    const run = await playOne(scenarioWith({ name }), { market })
    expect(decisionsOf(run).length).toBe(320 - strategy.warmup(strategy.params.parse({})))
  })

  it.each([
    ['sma-cross', { fast: 21, slow: 9 }], ['sma-cross', { fast: 9, slow: 9 }], ['sma-cross', { rsiMax: 101 }],
    ['sma-cross', { slow: 20.5 }], ['autonomous-scalper', { maShort: 50 }], ['autonomous-scalper', { oversold: -1 }],
    ['random', { buy: 0.6, sell: 0.5 }], ['random', { seed: -1 }], ['random', { buy: 1.1 }],
  ] as const)('%s refuses %j', async (name, params) => {
    expect((await registry.strategy(name)).params.safeParse(params).success).toBe(false)
  })

  it('is missed by name', async () => {
    await expect(registry.strategy('sma-crss')).rejects.toThrow(TapedeckError)
    await expect(registry.strategy('sma-crss')).rejects.toThrow(/sma-cross/)
  })

  it('says HOLD with the very same object again and again', () => {
    const held = new Map<string, Set<Opinion>>()
    const hear = (name: string, opinion: Opinion): void => {
      if (opinion.action === 'HOLD') held.set(name, (held.get(name) ?? new Set()).add(opinion))
    }
    for (let turn = 0; turn < 3000; turn++) {
      const [rsi, short, long] = [(turn * 37) % 101, (turn * 7) % 10, (turn * 11) % 10]
      const trend = short > long ? 'UP' : short < long ? 'DOWN' : 'SIDEWAYS'
      const seen = snapshotOf(
        { rsi, ma_short: [short, 5], ma_long: [long, (turn * 3) % 10], volume_ma: 1 },
        { time: turn * HOUR, trend, inPosition: turn % 2 === 1 },
      )
      hear('scalper', scalper.technical(seen, scalper.params.parse({})))
      hear('sma-cross', smaCross.technical(seen, smaCross.params.parse({})))
      hear('random', random.technical(seen, random.params.parse({})))
      hear('buy-and-hold', buyAndHold.technical(seen, {}))
    }
    expect(Object.fromEntries([...held].map(([name, opinions]) => [name, opinions.size])))
      .toEqual({ scalper: 2, 'sma-cross': 2, random: 1, 'buy-and-hold': 1 })
  })
})

describe('sma-cross', () => {
  /** Wilder's RSI and plain averages, straight from their definitions. */
  function oracle(closes: readonly number[], fast: number, slow: number, rsiPeriod: number, rsiMax: number): string[] {
    const mean = (end: number, count: number): number =>
      closes.slice(end - count + 1, end + 1).reduce((sum, close) => sum + close, 0) / count
    let gain = 0
    let loss = 0
    return closes.map((close, index) => {
      const change = index === 0 ? 0 : close - closes[index - 1]
      const [up, down] = [Math.max(change, 0), Math.max(-change, 0)]
      if (index >= 1 && index <= rsiPeriod) {
        gain += up / rsiPeriod
        loss += down / rsiPeriod
      } else if (index > rsiPeriod) {
        gain = (gain * (rsiPeriod - 1) + up) / rsiPeriod
        loss = (loss * (rsiPeriod - 1) + down) / rsiPeriod
      }
      if (index < Math.max(slow, rsiPeriod)) return 'none'
      const [before, now] = [mean(index - 1, fast) - mean(index - 1, slow), mean(index, fast) - mean(index, slow)]
      // Closer than this, the last bit of a sum decides.
      if (Math.abs(before) < 1e-6 || Math.abs(now) < 1e-6) return 'tie'
      const rsi = loss === 0 ? (gain === 0 ? 50 : 100) : 100 - 100 / (1 + gain / loss)
      if (before <= 0 && now > 0) return Math.abs(rsi - rsiMax) < 1e-6 ? 'tie' : rsi < rsiMax ? 'BUY' : 'HOLD hot'
      return before >= 0 && now < 0 ? 'SELL' : 'HOLD'
    })
  }

  it.each([
    { fast: 9, slow: 21, rsiPeriod: 14, rsiMax: 70 }, { fast: 2, slow: 5, rsiPeriod: 7, rsiMax: 60 },
    { fast: 1, slow: 2, rsiPeriod: 30, rsiMax: 55 },
  ])('$fast/$slow does what its definition says on a walk', async (params) => {
    const tape = randomWalk(3000, 17, '1h', 0.02)
    const run = await playOne(scenarioWith({ name: 'sma-cross', params }), { market: new MemoryMarket(tape, '1h') })
    const expected = oracle([...tape.close], params.fast, params.slow, params.rsiPeriod, params.rsiMax)
    const said = new Map(decisionsOf(run).map(({ timestamp, action, confidence }) =>
      [Date.parse(timestamp!), { action, confidence }]))
    const seen: Record<string, number> = {}
    expected.forEach((wanted, row) => {
      seen[wanted] = (seen[wanted] ?? 0) + 1
      const decision = said.get(tape.openTime[row] + HOUR)
      if (wanted === 'none') expect(decision).toBeUndefined()
      else if (wanted !== 'tie') {
        const action = wanted.slice(0, 4)
        expect(decision, `row ${row}`).toEqual({ action, confidence: action === 'HOLD' ? 0 : 1 })
      }
    })
    expect(seen['BUY']).toBeGreaterThan(20)
    expect(seen['SELL']).toBeGreaterThan(20)
    expect(seen['HOLD hot']).toBeGreaterThan(0)
    expect(seen['tie'] ?? 0).toBeLessThan(30)
  })

  it('decides first at index 21 with its defaults', () => {
    expect(smaCross.warmup(smaCross.params.parse({}))).toBe(21)
  })
})

describe('random', () => {
  const actionsFrom = async (tape: CandleColumns, params: object): Promise<Map<string, unknown>> => {
    const run = await playOne(scenarioWith({ name: 'random', params }), { market: new MemoryMarket(tape, '1h') })
    return new Map(decisionsOf(run).map(({ timestamp, action }) => [timestamp!, action]))
  }
  const params = { seed: 5, buy: 0.1, sell: 0.05 }

  it('is its seed, wherever the tape starts', async () => {
    const tape = leapingWalk(2000, 1)
    const whole = await actionsFrom(tape, params)
    const later = await actionsFrom(leapingWalk(1500, 2, tape.openTime[500]), params)
    expect(later.size).toBe(1500)
    for (const [time, action] of later) expect(action).toBe(whole.get(time))
    expect(await actionsFrom(tape, params)).toEqual(whole)
    expect(await actionsFrom(tape, { ...params, seed: 6 })).not.toEqual(whole)
  })

  it('says BUY and SELL as often as it was told', async () => {
    const actions = [...(await actionsFrom(leapingWalk(8000, 1), params)).values()]
    // Within five standard deviations of 800 and 400.
    expect(Math.abs(actions.filter((action) => action === 'BUY').length - 800)).toBeLessThan(5 * 27)
    expect(Math.abs(actions.filter((action) => action === 'SELL').length - 400)).toBeLessThan(5 * 20)
    const never = [...(await actionsFrom(leapingWalk(500, 1), { buy: 0, sell: 0 })).values()]
    expect(new Set(never)).toEqual(new Set(['HOLD']))
    const always = [...(await actionsFrom(leapingWalk(500, 1), { buy: 1, sell: 0 })).values()]
    expect(new Set(always)).toEqual(new Set(['BUY']))
  })
})

describe('autonomous-scalper', () => {
  const params = scalper.params.parse({})
  const see = (rsi: number, trend: Snapshot['trend'], price = 100, volume = 1): Opinion =>
    scalper.technical(snapshotOf({ rsi, ma_short: 1, ma_long: 100, volume_ma: 10 }, { trend, price, volume }), params)

  it('buys dips in an uptrend and sells bounces in a downtrend, surer the further and the more agree', () => {
    // RSI 36 is a fifth of the way from 45 to 0: 0.5 + 0.35 × 0.2 + 0.08 × witnesses.
    expect(see(36, 'UP', 99, 9)).toMatchObject({ action: 'BUY', confidence: 0.65 })
    expect(see(36, 'UP', 101, 9)).toMatchObject({ action: 'BUY', confidence: 0.73 })
    expect(see(36, 'UP', 101, 11)).toMatchObject({ action: 'BUY', confidence: 0.81 })
    expect(see(0, 'UP', 101, 11)).toMatchObject({ action: 'BUY', confidence: 0.95 })
    // RSI 64 is a fifth of the way from 55 to 100.
    expect(see(64, 'DOWN', 101, 9)).toMatchObject({ action: 'SELL', confidence: 0.65 })
    expect(see(64, 'DOWN', 99, 11)).toMatchObject({ action: 'SELL', confidence: 0.81 })
    // The thresholds themselves count.
    expect(see(45, 'UP', 99, 9)).toMatchObject({ action: 'BUY', confidence: 0.58 })
    expect(see(55, 'DOWN', 101, 9)).toMatchObject({ action: 'SELL', confidence: 0.58 })
  })

  it('waits between the thresholds and against the trend', () => {
    for (const trend of ['UP', 'DOWN', 'SIDEWAYS'] as const) expect(see(50, trend).action).toBe('HOLD')
    expect(see(20, 'DOWN').action).toBe('HOLD')
    expect(see(20, 'SIDEWAYS').action).toBe('HOLD')
    expect(see(80, 'UP').action).toBe('HOLD')
    // Before there is an RSI.
    expect(see(NaN, 'UP').action).toBe('HOLD')
  })

  it('is never surer than 1 nor less sure than 0, whatever its parameters', () => {
    const level = fc.double({ min: 0, max: 100, noNaN: true })
    const price = fc.double({ min: 0.01, max: 1e6, noNaN: true })
    fc.assert(fc.property(
      level, level, level, fc.constantFrom('UP', 'DOWN', 'SIDEWAYS'), price, price,
      (rsi, oversold, overbought, trend, now, volume) => {
        // Whatever it accepts, it has to cope with.
        const accepted = scalper.params.safeParse({ oversold, overbought })
        if (!accepted.success) return
        const seen = snapshotOf({ rsi, ma_short: 1, ma_long: 100, volume_ma: 10 }, { trend, price: now, volume })
        const { action, confidence, reasoning } = scalper.technical(seen, accepted.data)
        expect(confidence >= 0 && confidence <= 1, `${action} with ${confidence}`).toBe(true)
        expect(reasoning.length).toBeGreaterThan(0)
      },
    ), { numRuns: 1000, examples: [[0, 0, 100, 'UP', 1, 1], [100, 0, 100, 'DOWN', 1, 1]] })
  })
})

describe('buy-and-hold', () => {
  it('buys once with everything, without stop or target, and keeps it to the end', async () => {
    const rows: Row[] = [[100, 101, 99, 100], [110, 200, 50, 60], [60, 61, 20, 30], [30, 90, 30, 88]]
    const run = await playOne({
      name: 'hold', symbol: 'BTC/USDT', timeframe: '1h', strategy: { name: 'buy-and-hold' },
      broker: { name: 'paper', cash: 1100, fees: { maker: 0, taker: 0 }, slippageBps: 0 },
    }, { market: marketOf(rows) })
    // 10 at 110, worth 88 in the end.
    expect(run.fills.map(({ side, price, quantity, reason }) => [side, price, quantity, reason]))
      .toEqual([['buy', 110, 10, null], ['sell', 88, 10, 'end']])
    expect([run.fills[0].stop, run.fills[0].target]).toEqual([null, null])
    expect(run.measures.finalEquity).toBeCloseTo(880, 8)
  })
})

describe('checkStrategy', () => {
  const tape = randomWalk(900, 31, '1h', 0.01)
  const movement = ({ movements }: CheckResult, name: string): CheckResult['movements'][number] =>
    movements.find((one) => one.name === name)!

  it('passes the autonomous scalper: nothing moves beyond the last bits of a sum', async () => {
    const result = await checkStrategy(scalper, scalper.params.parse({}), tape, '1h', 5)
    expect(result.warmup).toBe(280)
    expect(result.candles).toBe(900)
    expect(result.movements.map(({ name }) => name))
      .toEqual(['rsi', 'ma_short', 'ma_long', 'volume_ma', 'action', 'confidence'])
    for (const { name, startLargest, startMoved, endMoved } of result.movements) {
      expect([name, startMoved, endMoved]).toEqual([name, 0, 0])
      expect(startLargest).toBeLessThanOrEqual(TOLERANCE)
    }
    // Each of five shifts of k × 619 ÷ 6 candles compares 620 − shift decisions at either end.
    const expected = [1, 2, 3, 4, 5].reduce((sum, cut) => sum + 2 * (620 - Math.floor((cut * 619) / 6)), 0)
    expect(result.compared).toBe(expected)
  })

  it.each(['random', 'buy-and-hold'])('passes %s', async (name) => {
    const strategy = await registry.strategy(name)
    const result = await checkStrategy(strategy, strategy.params.parse({}), tape, '1h', 3)
    expect(result.movements.every(({ startMoved, endMoved }) => startMoved === 0 && endMoved === 0)).toBe(true)
  })

  it('finds a warm-up that is too short', async () => {
    const hasty = { ...scalper, warmup: () => 50 }
    const result = await checkStrategy(hasty, scalper.params.parse({}), tape, '1h', 5)
    const rsi = movement(result, 'rsi')
    expect(rsi.startMoved).toBeGreaterThan(100)
    expect(rsi.startLargest).toBeGreaterThan(1e-3)
    expect(rsi.endMoved).toBe(0)
    // Plain averages know no start.
    expect(movement(result, 'ma_long').startMoved).toBe(0)
    expect(movement(result, 'confidence').startMoved).toBeGreaterThan(0)
  })

  it('finds a value that does not exist yet at the first decision', async () => {
    const early = { ...smaCross, warmup: () => 10 }
    const result = await checkStrategy(early, smaCross.params.parse({}), tape, '1h', 2)
    expect(movement(result, 'ma_long').startLargest).toBe(Infinity)
  })

  it('finds a strategy that looks ahead: here one that remembers prices it has seen in an earlier pass', async () => {
    const known = new Map<number, number>()
    const peeking: Strategy<object> = {
      ...buyAndHold, name: 'peeking',
      technical: ({ time, price }) => {
        known.set(time, price)
        const next = known.get(time + HOUR)
        return { action: next !== undefined && next > price ? 'BUY' : 'HOLD', confidence: 1, reasoning: '' }
      },
    }
    const result = await checkStrategy(peeking, {}, tape, '1h', 3)
    expect(movement(result, 'action').endMoved).toBeGreaterThan(100)
  })

  it('finds one that counts its own decisions', async () => {
    let calls = 0
    const counting: Strategy<object> = {
      ...buyAndHold, name: 'counting',
      technical: () => ({ action: 'HOLD', confidence: (calls++ % 1000) / 1000, reasoning: '' }),
    }
    const result = await checkStrategy(counting, {}, tape, '1h', 2)
    expect(movement(result, 'confidence').endMoved).toBeGreaterThan(100)
    expect(movement(result, 'action').endMoved).toBe(0)
  })

  it('has nothing to compare on a tape that is all warm-up', async () => {
    const short = columnsOf(Array.from({ length: 100 }, (_, row) => ({
      openTime: row * HOUR, open: 1, high: 1, low: 1, close: 1, volume: 1,
    })))
    const result = await checkStrategy(scalper, scalper.params.parse({}), short, '1h', 3)
    expect(result.compared).toBe(0)
  })
})
