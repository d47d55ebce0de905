import { z } from 'zod'
import { timeOption } from '../../engine/options.ts'
import { definePlugin } from '../../engine/ports.ts'
import { openReplay } from './candle-replay/source.ts'

const paths = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)])

const options = z.strictObject({
  file: paths.optional()
    .describe('candles of the only symbol: a path, a pattern with *, ? or **, or a list that is read in order'),
  files: z.record(z.string(), paths).optional().describe('the same by symbol'),
  fillFile: z.union([paths, z.record(z.string(), paths)]).optional()
    .describe('finer candles to settle orders on, with broker.fillTimeframe; without it the market file itself, if it is finer'),
  from: timeOption.optional().describe('first open time'),
  to: timeOption.optional().describe('open times end before it'),
  gaps: z.enum(['refuse', 'allow', 'fill']).default('refuse')
    .describe('missing candles: refuse the run, go on with the next candle, or repeat the last close with volume 0'),
  duplicates: z.enum(['refuse', 'drop']).default('refuse').describe('identical rows for one time'),
}).refine(({ file, files }) => (file === undefined) !== (files === undefined), {
  message: 'needs either "file" (one symbol) or "files" (a path by symbol)',
})

/**
 * Candles from files: CSV with the header `timestamp,open,high,low,close,volume` or Binance's public dumps, plain, gzip
 * or zip. `create` throws TD_FILE_MISSING, TD_PLUGIN_OPTIONS and TD_RANGE_INVALID; reading throws TD_FILE_HEADER,
 * TD_FILE_UNREADABLE, TD_CANDLE_INVALID, TD_CANDLE_GAP, TD_TAPE_EMPTY and TD_RANGE_INVALID.
 */
export default definePlugin({
  kind: 'market',
  name: 'candle-replay',
  description: 'Recorded candles from CSV files and Binance\'s public dumps, plain, .gz or .zip.',
  options,
  create: (parsed, deps, plan) => openReplay(parsed, plan, deps.signal),
})
