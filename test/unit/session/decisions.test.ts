import { describe, expect, it } from 'vitest'
import { instrumentOf } from '../../../engine/core/instrument.ts'
import { DEFAULT_POLICY } from '../../../engine/core/policy.ts'
import type { Snapshot } from '../../../engine/core/snapshot.ts'
import type { ChainLink } from '../../../engine/pipeline/provider-chain.ts'
import type { Answer, Strategy } from '../../../engine/ports.ts'
import { firstRows, MemoryMarket, randomWalk } from '../../support/memory-market.ts'
import {
  decisionsOf, dice, flat, freely, HOUR, marketOf, opinion, play, playOne, scripted, START, tapeOf,
} from '../../support/play.ts'

const at = (index: number): string => new Date(START + index * HOUR).toISOString()

describe('a decision', () => {
  it('is made at every close after the warm-up, and at none before', async () => {
    const strategy = scripted({}, { warmup: () => 4 })
    const run = await playOne(freely(), { market: marketOf(flat(100, 10)), strategy })
    const decisions = decisionsOf(run)
    // Candles 0 … 3 only feed indicators; the first decision is at the close of candle 4, which is the open of 5.
    expect(decisions.map(({ timestamp }) => timestamp)).toEqual([5, 6, 7, 8, 9, 10].map(at))
    expect(run.lines.filter(({ event }) => event === 'warmup')).toMatchObject([
      { symbol: 'BTC/USDT', first_candle: START, warmup: 4, timestamp: at(1) },
    ])
    expect(run.decisions.total).toBe(6)
  })

  it('never comes where the tape ends in the warm-up', async () => {
    const strategy = scripted({}, { warmup: () => 10, technical: () => { throw new Error('asked too early') } })
    const run = await playOne(freely(), { market: marketOf(flat(100, 10)), strategy })
    expect(decisionsOf(run)).toEqual([])
    expect(run.measures.finalEquity).toBe(10_000)
  })

  it('has one line each, whatever becomes of it', async () => {
    const run = await playOne(freely({}, { minConfidence: 0.5 }), {
      market: marketOf(flat(100, 9)),
      strategy: scripted({
        0: 'SELL', 1: opinion('BUY', 0.4), 2: 'BUY', 3: 'BUY', 4: opinion('SELL', 0.4), 5: 'SELL', 6: 'HOLD', 8: 'BUY',
      }),
    })
    const byTime = decisionsOf(run).sort((a, b) => (a.timestamp! < b.timestamp! ? -1 : 1))
    expect(byTime.map(({ action, status, reason }) => [action, status, reason])).toEqual([
      ['SELL', 'REJECTED', 'no-position'],
      ['BUY', 'REJECTED', 'low-confidence'],
      ['BUY', 'EXECUTED', null],
      ['BUY', 'REJECTED', 'already-in-position'],
      ['SELL', 'REJECTED', 'low-confidence'],
      ['SELL', 'EXECUTED', null],
      ['HOLD', 'SKIPPED', 'hold'],
      ['HOLD', 'SKIPPED', 'hold'],
      ['BUY', 'FAILED', 'end-of-tape'],
    ])
    expect(run.decisions).toMatchObject({
      total: 9, byStatus: { EXECUTED: 2, FAILED: 1, REJECTED: 4, SKIPPED: 2 }, byProvider: { technical: 9 },
      byReason: { hold: 2, 'no-position': 1, 'low-confidence': 2, 'already-in-position': 1, 'end-of-tape': 1 },
    })
  })

  it('counts a pending entry as a position', async () => {
    const run = await playOne(freely({ latencyCandles: 2 }), {
      market: marketOf(flat(100, 6)), strategy: scripted({ 0: 'BUY', 1: 'BUY', 2: 'SELL' }),
    })
    expect(decisionsOf(run).filter(({ status }) => status === 'REJECTED').map(({ reason }) => reason))
      .toEqual(['already-in-position', 'no-position'])
    expect(run.fills.map(({ timestamp }) => timestamp)).toEqual([at(3), at(5)])
  })

  it('sizes an entry by the equity at its close', async () => {
    // Half of 10,000 buys 50 at 100; at 120 the equity is 11,000, of which half is spent once the first is sold.
    const run = await playOne(freely({}, { positionSize: 0.5, takeProfit: null }), {
      market: marketOf([...flat(100, 2), ...flat(120, 4)]), strategy: scripted({ 0: 'BUY', 2: 'SELL', 3: 'BUY' }),
    })
    expect(run.fills[0]).toMatchObject({ side: 'buy', notional: 5000, quantity: 50 })
    expect(run.fills[2]).toMatchObject({ side: 'buy', price: 120 })
    expect(run.fills[2].notional).toBeCloseTo(5500, 8)
  })

  it('knows who answered, why others did not, and how sure each turn was', async () => {
    const script: readonly (Error | Answer)[] = [
      { action: 'BUY', confidence: 0.9, reasoning: 'first', model: 'm' },
      { action: 'HOLD', confidence: 0.4, reasoning: 'second' },
      new Error('overloaded'),
    ]
    let next = 0
    const links: ChainLink[] = [
      {
        name: 'ai',
        provider: {
          refines: true,
          answer: () => {
            const said = script[Math.min(next++, script.length - 1)]
            if (said instanceof Error) throw said
            return said
          },
        },
      },
      { name: 'technical', provider: { refines: false, answer: (conversation) => conversation.rules() } },
    ]
    const run = await playOne(freely(), {
      market: marketOf(flat(100, 2)), links, strategy: scripted({}, { scored: true }),
    })
    const [first, second] = decisionsOf(run)
    expect(first).toMatchObject({
      provider: 'ai', model: 'm', fallbacks: [], action: 'HOLD', confidence: 0.4, reasoning: 'second',
      status: 'SKIPPED',
      phases: {
        initial: { action: 'BUY', confidence: 0.9, pTargetFirst: 0.9, reasoning: 'first' },
        refinement: [{ action: 'HOLD', confidence: 0.4, pTargetFirst: null, reasoning: 'second' }],
      },
    })
    expect(second).toMatchObject({
      provider: 'technical', model: null, fallbacks: [{ provider: 'ai', error: 'error: overloaded' }], action: 'HOLD',
    })
    expect(run.measures.coverage).toBe(0.5)
    expect(run.decisions.byProvider).toEqual({ ai: 1, technical: 1 })
  })
})

describe('a strategy that looks at its position', () => {
  const seen: (readonly [number, boolean])[] = []
  const looking: Strategy = {
    ...scripted({}).strategy, usesPortfolio: true,
    technical: (snapshot: Snapshot) => {
      seen.push([(snapshot.time - START) / HOUR, snapshot.inPosition])
      return snapshot.inPosition ? opinion('SELL', 0.5) : opinion('BUY')
    },
  }

  it('sees it at each close', async () => {
    seen.length = 0
    const run = await playOne(freely(), { market: marketOf(flat(100, 6)), strategy: { strategy: looking, params: {} } })
    // Bought in candle 1, sold in candle 2, bought in 3 …
    expect(seen).toEqual([[1, false], [2, true], [3, false], [4, true], [5, false], [6, true]])
    expect(run.fills.map(({ side }) => side)).toEqual(['buy', 'sell', 'buy', 'sell', 'buy', 'sell'])
  })

  it('is asked by each lane for itself', async () => {
    const columns = randomWalk(200, 4, '1h', 0.02)
    const variants = [0.01, 0.03].map((stopLoss) => ({
      policy: { ...DEFAULT_POLICY, minConfidence: 0, minExitConfidence: 0.9, stopLoss, takeProfit: 0.02 },
    }))
    const strategy = { strategy: looking, params: {} }
    const run = (some: typeof variants): ReturnType<typeof play> =>
      play(freely(), { market: new MemoryMarket(columns, '1h'), strategy, variants: some })
    const together = await run(variants)
    for (const [index, variant] of variants.entries()) {
      const alone = (await run([variant])).runs[0]
      expect(alone.trades.length).toBeGreaterThan(3)
      expect(together.runs[index].trades).toEqual(alone.trades)
      expect(together.runs[index].decisions).toEqual(alone.decisions)
      expect(together.runs[index].audit).toBe(alone.audit)
    }
    expect(together.runs[0].trades).not.toEqual(together.runs[1].trades)
  })

  it('must say so: others may not ask', async () => {
    const secret: Strategy = { ...looking, usesPortfolio: false }
    await expect(playOne(freely(), { market: marketOf(flat(100, 3)), strategy: { strategy: secret, params: {} } }))
      .rejects.toThrow(/usesPortfolio/)
  })
})

describe('the loop', () => {
  it('ends early but validly when it is told to stop', async () => {
    const columns = randomWalk(300, 9, '1h', 0.02)
    const controller = new AbortController()
    const strategy = dice(2)
    const stopping: Strategy = {
      ...strategy.strategy,
      technical: (snapshot, params) => {
        if (snapshot.time === columns.openTime[150]) controller.abort()
        return strategy.strategy.technical(snapshot, params)
      },
    }
    const scenario = freely({}, { stopLoss: 0.02, takeProfit: 0.02 })
    const { runs: [run], session } = await play(scenario, {
      market: new MemoryMarket(columns, '1h', 'BTC/USDT', 50), strategy: { strategy: stopping, params: {} },
      signal: controller.signal,
    })
    expect(session.interrupted).toBe(true)
    // The batch in hand, rows 100 … 149, is still dealt with.
    expect(session.candles).toBe(150)
    expect(decisionsOf(run)).toHaveLength(150)
    expect(run.lane.portfolio.openPositions).toBe(0)
    const plain = await playOne(scenario, { market: new MemoryMarket(firstRows(columns, 150), '1h'), strategy })
    expect(run.trades).toEqual(plain.trades)
  })

  it('lets go of the market when something breaks', async () => {
    let closed = false
    const market = {
      instrument: instrumentOf,
      async *events() {
        try {
          yield* new MemoryMarket(tapeOf(flat(100, 3)), '1h').events()
        } finally {
          closed = true
        }
      },
    }
    const strategy = scripted({}, { technical: () => { throw new RangeError('broken rules') } })
    await expect(playOne(freely(), { market, strategy })).rejects.toThrow('broken rules')
    expect(closed).toBe(true)
  })

  it('refuses candles of a symbol that nobody asked for', async () => {
    const market = new MemoryMarket(tapeOf(flat(100, 3)), '1h', 'DOGE/USDT')
    await expect(playOne(freely(), { market, strategy: scripted({}) })).rejects.toThrow(/DOGE\/USDT/)
  })
})
