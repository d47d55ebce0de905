import { z } from 'zod'
import type { Opinion } from '../engine/core/opinion.ts'
import { defineStrategy } from '../engine/ports.ts'

const HOLD: Opinion = { action: 'HOLD', confidence: 0, reasoning: 'no fresh cross' }
const HOT: Opinion = { action: 'HOLD', confidence: 0, reasoning: 'crossed up, but RSI is too high' }
const BUY: Opinion = { action: 'BUY', confidence: 1, reasoning: 'short average crossed above the long one' }
const SELL: Opinion = { action: 'SELL', confidence: 1, reasoning: 'short average crossed below the long one' }

/** Buys when a short average crosses above a long one while RSI is not overbought; sells on the opposite cross. */
export default defineStrategy({
  name: 'sma-cross',
  description: 'Moving-average cross with an RSI ceiling: the classic yardstick.',
  params: z.strictObject({
    fast: z.int().min(1).default(9),
    slow: z.int().min(2).default(21),
    rsiPeriod: z.int().min(1).default(14),
    rsiMax: z.number().min(0).max(100).default(70),
  }).refine(({ fast, slow }) => fast < slow, { error: 'fast must be smaller than slow', path: ['fast'] }),
  warmup: ({ slow, rsiPeriod }) => Math.max(slow, rsiPeriod),
  shortWarmup: 'RSI starts at its first value, to match the published reference tables',
  indicators: ({ fast, slow, rsiPeriod }) => ({
    rsi: { indicator: 'rsi', period: rsiPeriod },
    ma_short: { indicator: 'sma', period: fast },
    ma_long: { indicator: 'sma', period: slow },
  }),
  technical(snapshot, { rsiMax }) {
    const short = snapshot.value('ma_short')
    const long = snapshot.value('ma_long')
    const shortBefore = snapshot.value('ma_short', 1)
    const longBefore = snapshot.value('ma_long', 1)
    if (shortBefore <= longBefore && short > long) return snapshot.value('rsi') < rsiMax ? BUY : HOT
    return shortBefore >= longBefore && short < long ? SELL : HOLD
  },
})
