import { z } from 'zod'
import type { Opinion } from '../engine/core/opinion.ts'
import { recursiveWarmup } from '../engine/core/indicators.ts'
import type { Snapshot } from '../engine/core/snapshot.ts'
import { defineStrategy, type Prompts } from '../engine/ports.ts'

const QUIET: Opinion = { action: 'HOLD', confidence: 0.5, reasoning: 'RSI is neither oversold nor overbought' }
const AGAINST: Opinion = { action: 'HOLD', confidence: 0.5, reasoning: 'RSI is stretched, but against the trend' }

const params = z.strictObject({
  rsiPeriod: z.int().min(2).default(14),
  maShort: z.int().min(1).default(9),
  maLong: z.int().min(2).default(50),
  volumePeriod: z.int().min(1).default(20),
  oversold: z.number().gt(0).max(100).default(45).describe('RSI at or below which a dip in an uptrend is bought'),
  overbought: z.number().min(0).lt(100).default(55).describe('RSI at or above which a bounce in a downtrend is sold'),
  askedStop: z.number().gt(0).lt(1).default(0.05).describe('fall that the AI is asked about, as a fraction; one recording serves every policy'),
  askedTarget: z.number().gt(0).default(0.03).describe('rise that the AI is asked about, as a fraction'),
  askedHorizon: z.int().min(1).default(48).describe('candles within which one of both has to happen'),
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

const percent = (fraction: number): string => `${Number((fraction * 100).toPrecision(4))} %`

const prompts: Prompts<Params> = {
  system({ askedStop, askedTarget, askedHorizon }) {
    const chance = askedStop / (askedStop + askedTarget)
    return [
      'You are the analyst of a system that trades spot, long only, without leverage. You are shown one closed candle at a time.',
      'Answer BUY to enter at the next open, SELL to leave a position that may be held, HOLD to do nothing.',
      `Confidence is a probability and is scored as one. For BUY: that the price rises ${percent(askedTarget)} above the next open before it falls `
        + `${percent(askedStop)} below it, within ${askedHorizon} candles. For SELL: that it falls ${percent(askedStop)} below the next open before it `
        + `rises ${percent(askedTarget)} above it. A market without any tendency gives ${percent(chance)} to BUY and ${percent(1 - chance)} to SELL. `
        + 'For HOLD it is not scored.',
      'Answer with one JSON object: action, confidence from 0 to 1, reasoning in one or two sentences.',
    ].join('\n')
  },
  initial(snapshot, { rsiPeriod, maShort, maLong, volumePeriod }, { symbol, timeframe, time, price, number }) {
    return [
      `${symbol}, ${timeframe} candles${time === null ? '' : `, ${time}`}`,
      `Price: ${price(snapshot.price)}`,
      `RSI (${rsiPeriod}): ${number(snapshot.value('rsi'))}`,
      `Short average (${maShort}): ${price(snapshot.value('ma_short'))}`,
      `Long average (${maLong}): ${price(snapshot.value('ma_long'))}`,
      `Trend: ${snapshot.trend}`,
      `Volume: ${number(snapshot.volume / snapshot.value('volume_ma'))} times its mean of ${volumePeriod} candles`,
      'What do you do?',
    ].join('\n')
  },
  refinement({ action, confidence }, _turn, { number }) {
    return `Are you confident about ${number(confidence)} for ${action}? Weigh what speaks against it, then confirm or correct your answer `
      + 'in the same form.'
  },
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
  prompts,
  asks: ({ askedStop, askedTarget, askedHorizon }) => ({ stopLoss: askedStop, takeProfit: askedTarget, horizon: askedHorizon }),
  scored: true,
})
