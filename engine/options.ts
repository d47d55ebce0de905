import { z } from 'zod'
import { parseTime } from './core/time.ts'
import { isTimeframe, TIMEFRAMES, type Timeframe } from './core/timeframe.ts'

/** Options that several plugins and the scenario file have in common. */

/** Epoch milliseconds, an ISO time or YYYY-MM-DD; comes out as epoch milliseconds. */
export const timeOption = z.union([z.number(), z.string(), z.date()]).transform((input, context) => {
  const parsed = parseTime(input)
  if (parsed !== null) return parsed
  context.addIssue({ code: 'custom', message: 'must be epoch milliseconds (13 digits), an ISO time or YYYY-MM-DD' })
  return z.NEVER
})

export const timeframeOption = z
  .custom<Timeframe>((value) => typeof value === 'string' && isTimeframe(value), `expected one of ${Object.keys(TIMEFRAMES).join(', ')}`)
  .meta({ type: 'string', enum: Object.keys(TIMEFRAMES) })
