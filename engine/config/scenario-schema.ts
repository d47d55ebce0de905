import { z } from 'zod'
import { AUDIT_LEVELS } from '../audit/trail.ts'
import { timeframeOption } from '../options.ts'
import { SYMBOL } from './settings.ts'

const FRACTION = 'expected a fraction between 0 and 1: 0.05 means 5 %'
const GAIN = 'expected a fraction above 0: 0.03 means 3 %'
const SHARE = 'expected a share above 0 and up to 1: 0.02 means 2 %'
const CONFIDENCE = 'expected a number from 0 to 1, or breakeven+0.02'

const fraction = z.number(FRACTION).gt(0, FRACTION).lt(1, FRACTION)
const gain = z.number(GAIN).gt(0, GAIN)
const share = z.number(SHARE).gt(0, SHARE).max(1, SHARE)
const count = z.int().min(1)

const symbol = z.string().regex(SYMBOL, 'expected BASE/QUOTE in capitals, such as BTC/USDT')

const confidence = z.union(
  [z.number().min(0, CONFIDENCE).max(1, CONFIDENCE), z.string().regex(/^breakeven(\s*[+-]\s*0?\.\d+)?$/, CONFIDENCE)],
  CONFIDENCE,
)

/** The policy block as written: every key may be left out. Fractions: 0.05 means 5 %. */
export const policySchema = z.strictObject({
  minConfidence: confidence
    .describe('entries need at least this; breakeven+0.02 is computed from stop, target and costs'),
  minExitConfidence: confidence.describe('exits need at least this; 0 = always leave; left out = minConfidence'),
  stopLoss: fraction.nullable().describe('distance below the entry fill; null = none'),
  takeProfit: gain.nullable().describe('distance above the entry fill; null = none'),
  positionSize: share.describe('share of equity that an entry spends'),
  maxHold: count.nullable().describe('candles until the time stop; also the horizon of a prediction'),
  trailingStop: fraction.nullable().describe('distance of a stop that follows the highest high since entry'),
  breakEvenAt: gain.nullable().describe('gain at which the stop moves to entry plus costs'),
  maxOpenPositions: count.nullable(),
  maxExposure: share.nullable().describe('largest share of equity in all positions'),
  maxPositionSize: share.nullable().describe('largest share of equity in one entry'),
  maxDailyLoss: fraction.nullable()
    .describe('loss since 00:00 UTC after which only exits are allowed until the next day'),
  maxDrawdown: fraction.nullable().describe('loss from the peak after which trading halts'),
  cooldown: count.nullable().describe('candles after an exit before the symbol is entered again'),
  maxConsecutiveLosses: count.nullable()
    .describe('losing trades in a row after which entries wait for the next UTC day'),
  calibrate: count.nullable().describe('after so many resolved outcomes, confidence is replaced by the share of events that came at such a confidence so far; null = as it was said'),
}).partial()
export type PolicyInput = z.infer<typeof policySchema>

const instrument = z.strictObject({
  tickSize: z.number().min(0).default(0).describe('price step in quote; 0 = no rounding'),
  lotSize: z.number().min(0).default(0).describe('quantity step in base; 0 = no rounding'),
  minNotional: z.number().min(0).default(0).describe('smallest order value in quote'),
})

/** Where AI answers come from. */
export const RECORDING_MODES = ['replay', 'record-missing', 'record', 'live'] as const
export type RecordingMode = (typeof RECORDING_MODES)[number]

const FILE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$/
const FILE_NAME_SAID = 'expected letters, digits, dots, dashes or underscores'

const provider = z.union([z.string().min(1), z.looseObject({ name: z.string().min(1) })])

/** A scenario file. Plugin blocks keep their own options; each plugin checks those itself. */
export const scenarioSchema = z.strictObject({
  $schema: z.string().optional(),
  name: z.string().regex(FILE_NAME, `${FILE_NAME_SAID}: it names the run`),
  description: z.string().optional(),
  symbol: symbol.optional(),
  symbols: z.array(symbol).min(1).optional(),
  timeframe: timeframeOption.optional(),
  market: z.looseObject({ source: z.string().optional().describe('a market plugin; left out = candle-replay') }),
  instrument: instrument.optional(),
  instruments: z.record(symbol, instrument).optional(),
  broker: z.looseObject({ name: z.string().optional().describe('a broker plugin; left out = paper') }).optional(),
  strategy: z.strictObject({
    name: z.string().min(1),
    params: z.record(z.string(), z.unknown()).optional(),
  }),
  providers: z.array(provider).min(1).optional(),
  recording: z.strictObject({
    path: z.string().min(1).describe('folder of the recording; made by tapedeck record'),
    mode: z.enum(RECORDING_MODES).default('replay')
      .describe('replay: answers come from it alone; record-missing: what it lacks is asked; record: all is asked anew, by tapedeck record; live: it is not used'),
  }).optional().describe('AI answers on tape'),
  refinement: z.strictObject({
    turns: z.int().min(0).max(5).describe('how often a provider is asked whether it stands by its answer'),
  }).optional(),
  consult: z.strictObject({
    when: z.union([
      z.enum(['always', 'signal']), z.strictObject({ every: z.int().min(1) }),
    ]).describe('always; signal: where the rules say BUY or SELL; every: each n-th candle. Otherwise the rules decide alone'),
  }).optional(),
  blind: z.boolean().optional().describe('prompts tell neither symbol nor dates, and prices are rebased to 100'),
  budget: z.strictObject({
    run: z.number().positive().nullable().optional().describe('most that a run may spend on AI answers, in USD'),
    day: z.number().positive().nullable().optional().describe('most that all runs together may spend on a UTC day, in USD; 5 for a run that asks while it goes, where neither is given'),
  }).optional(),
  notify: z.union([
    z.array(provider).min(1), z.record(z.string().min(1), z.looseObject({}).nullable()),
  ]).optional().describe('who is told of what happens, in runs against a venue: plugins by name with their options, or a list'),
  shadow: z.array(z.strictObject({
    name: z.string().regex(FILE_NAME, FILE_NAME_SAID).optional().describe('left out = what it changes'),
    provider: provider.optional().describe('who is asked instead, before the rules'),
    ...policySchema.shape,
  })).min(1).optional().describe('lanes on paper beside a live or paper run, on the same candles, each with another provider or other policy'),
  matrix: z.record(z.string().min(1), z.union([z.string(), z.number(), z.null(), z.boolean(), z.array(z.unknown()).min(1)])).optional()
    .describe('what tapedeck compare varies: providers, policy keys, or paths such as strategy.params.fast; each a list, or a range 0.5:0.9:0.05'),
  minCoverage: share.optional().describe('share of decisions that an AI has to have answered; a run with less exits with 3'),
  policy: policySchema.optional(),
  audit: z.enum(AUDIT_LEVELS).optional()
    .describe('full: every line; trades: all but SKIPPED and REJECTED decisions; off: none'),
  seed: z.int().min(0).optional(),
})
export type ScenarioInput = z.infer<typeof scenarioSchema>
