import { z } from 'zod'
import { AUDIT_LEVELS } from '../audit/trail.ts'
import { isTimeframe, TIMEFRAMES, type Timeframe } from '../core/timeframe.ts'

const fraction = z.number().gt(0).lt(1)
const count = z.int().min(1)

const timeframe = z
  .custom<Timeframe>((value) => typeof value === 'string' && isTimeframe(value), `expected one of ${Object.keys(TIMEFRAMES).join(', ')}`)
  .meta({ type: 'string', enum: Object.keys(TIMEFRAMES) })

export const symbol = z.string().regex(/^[A-Z0-9]{1,20}\/[A-Z0-9]{1,20}$/, 'expected BASE/QUOTE in capitals, such as BTC/USDT')

const confidence = z.union(
  [z.number().min(0).max(1), z.string().regex(/^breakeven(\s*[+-]\s*0?\.\d+)?$/)],
  'expected a number from 0 to 1, or breakeven+0.02',
)

/** The policy block as written: every key may be left out. Fractions: 0.05 means 5 %. */
export const policySchema = z.strictObject({
  minConfidence: confidence.describe('entries need at least this; breakeven+0.02 is computed from stop, target and costs'),
  minExitConfidence: confidence.describe('exits need at least this; 0 = always leave; left out = minConfidence'),
  stopLoss: fraction.nullable().describe('distance below the entry fill; null = none'),
  takeProfit: z.number().gt(0).nullable().describe('distance above the entry fill; null = none'),
  positionSize: z.number().gt(0).max(1).describe('share of equity that an entry spends'),
  maxHold: count.nullable().describe('candles until the time stop; also the horizon of a prediction'),
  trailingStop: fraction.nullable().describe('distance of a stop that follows the highest high since entry'),
  breakEvenAt: z.number().gt(0).nullable().describe('gain at which the stop moves to entry plus costs'),
  maxOpenPositions: count.nullable(),
  maxExposure: z.number().gt(0).max(1).nullable().describe('largest share of equity in all positions'),
  maxPositionSize: z.number().gt(0).max(1).nullable().describe('largest share of equity in one entry'),
  maxDailyLoss: fraction.nullable().describe('loss since 00:00 UTC after which only exits are allowed until the next day'),
  maxDrawdown: fraction.nullable().describe('loss from the peak after which trading halts'),
  cooldown: count.nullable().describe('candles after an exit before the symbol is entered again'),
  maxConsecutiveLosses: count.nullable().describe('losing trades in a row after which entries wait for the next UTC day'),
}).partial()
export type PolicyInput = z.infer<typeof policySchema>

const instrument = z.strictObject({
  tickSize: z.number().min(0).default(0).describe('price step in quote; 0 = no rounding'),
  lotSize: z.number().min(0).default(0).describe('quantity step in base; 0 = no rounding'),
  minNotional: z.number().min(0).default(0).describe('smallest order value in quote'),
})

const provider = z.union([z.string().min(1), z.looseObject({ name: z.string().min(1) })])

/** A scenario file. Plugin blocks keep their own options; each plugin checks those itself. */
export const scenarioSchema = z.strictObject({
  $schema: z.string().optional(),
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$/, 'expected letters, digits, dots, dashes or underscores: it names the run'),
  description: z.string().optional(),
  symbol: symbol.optional(),
  symbols: z.array(symbol).min(1).optional(),
  timeframe: timeframe.optional(),
  market: z.looseObject({ source: z.string().default('candle-replay').describe('a market plugin') }),
  instrument: instrument.optional(),
  instruments: z.record(symbol, instrument).optional(),
  broker: z.looseObject({ name: z.string().default('paper').describe('a broker plugin') }).optional(),
  strategy: z.strictObject({
    name: z.string().min(1),
    params: z.record(z.string(), z.unknown()).optional(),
  }),
  providers: z.array(provider).min(1).optional(),
  policy: policySchema.optional(),
  audit: z.enum(AUDIT_LEVELS).optional().describe('full: every line; trades: all but SKIPPED and REJECTED decisions; off: none'),
  seed: z.int().min(0).optional(),
})
export type ScenarioInput = z.infer<typeof scenarioSchema>
