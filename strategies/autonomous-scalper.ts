import { z } from 'zod'
import type { Opinion } from '../engine/core/opinion.ts'
import { recursiveWarmup } from '../engine/core/indicators.ts'
import type { Snapshot } from '../engine/core/snapshot.ts'
import { defineStrategy } from '../engine/ports.ts'

const QUIET: Opinion = { action: 'HOLD', confidence: 0.5, reasoning: 'RSI is neither oversold nor overbought' }
const AGAINST: Opinion = { action: 'HOLD', confidence: 0.5, reasoning: 'RSI is stretched, but against the trend' }

const params = z.strictObject({
  rsiPeriod: z.int().min(2).default(14),
  maShort: z.int().min(1).default(9),
  maLong: z.int().min(2).default(50),
  volumePeriod: z.int().min(1).default(20),
  oversold: z.number().gt(0).max(100).default(45).describe('RSI at or below which a dip in an uptrend is bought'),
  overbought: z.number().min(0).lt(100).default(55).describe('RSI at or above which a bounce in a downtrend is sold'),
}).refine(({ maShort, maLong }) => maShort < maLong, { error: 'maShort must be smaller than maLong', path: ['maShort'] })

type Params = z.infer<typeof params>

/**
 * Confidence from how far RSI is stretched (depth, 0 … 1 of the way to the end of its scale) and how many of three
 * witnesses agree: the trend (always), price on the trend's side of the long average, volume above its mean.
 */
function opinion(action: 'BUY' | 'SELL', depth: number, snapshot: Snapshot): Opinion {
  const { price, volume } = snapshot
  const long = snapshot.value('ma_long')
  const priceAgrees = action === 'BUY' ? price > long : price < long
  const volumeAgrees = volume > snapshot.value('volume_ma')
  const agreeing = 1 + Number(priceAgrees) + Number(volumeAgrees)
  const confidence = Math.min(0.95, 0.5 + 0.35 * depth + 0.08 * agreeing)
  const state = action === 'BUY' ? 'oversold in an uptrend' : 'overbought in a downtrend'
  return {
    action,
    confidence: Math.round(confidence * 1e4) / 1e4,
    reasoning: `RSI ${snapshot.value('rsi').toFixed(1)} is ${state}; ${agreeing} of 3 witnesses agree`,
  }
}

/** The seed system's idea: RSI, two averages, trend and volume; buys dips in uptrends and leaves bounces in downtrends. */
export default defineStrategy<Params>({
  name: 'autonomous-scalper',
  description: 'Buys oversold dips in an uptrend, leaves on overbought bounces in a downtrend.',
  params,
  warmup: ({ rsiPeriod, maLong, volumePeriod }) =>
    Math.max(recursiveWarmup({ indicator: 'rsi', period: rsiPeriod }), maLong, volumePeriod),
  indicators: ({ rsiPeriod, maShort, maLong, volumePeriod }) => ({
    rsi: { indicator: 'rsi', period: rsiPeriod },
    ma_short: { indicator: 'sma', period: maShort },
    ma_long: { indicator: 'sma', period: maLong },
    volume_ma: { indicator: 'sma', period: volumePeriod, source: 'volume' },
  }),
  technical(snapshot, { oversold, overbought }) {
    const rsi = snapshot.value('rsi')
    if (rsi <= oversold) {
      return snapshot.trend === 'UP' ? opinion('BUY', (oversold - rsi) / oversold, snapshot) : AGAINST
    }
    if (rsi >= overbought) {
      return snapshot.trend === 'DOWN' ? opinion('SELL', (rsi - overbought) / (100 - overbought), snapshot) : AGAINST
    }
    return QUIET
  },
  scored: true,
})
