import { TIMEFRAMES, timeframeOf, type Timeframe } from '../../../engine/core/timeframe.ts'
import { TapedeckError } from '../../../engine/errors.ts'
import type { TapeFile } from './file/locate.ts'
import type { Intake } from './file/raw-file.ts'
import { readFiles } from './file/rows.ts'

const SAMPLE_ROWS = 200
const SAMPLE_BYTES = 65_536

/** The most frequent step forward between neighbours in the first rows; of equally frequent ones the shortest. */
async function usualStep(files: readonly TapeFile[], intake: Intake): Promise<number | null> {
  const counts = new Map<number, number>()
  let previous = NaN
  let seen = 0
  const sample = { ...intake, chunkBytes: Math.min(intake.chunkBytes, SAMPLE_BYTES), progress: { done: 0, total: 0 } }
  for await (const { columns, rows } of readFiles(files, sample, SAMPLE_ROWS)) {
    for (let row = 0; row < rows; row++) {
      const step = columns.openTime[row] - previous
      if (step > 0) counts.set(step, (counts.get(step) ?? 0) + 1)
      previous = columns.openTime[row]
    }
    if ((seen += rows) >= SAMPLE_ROWS) break
  }
  const [usual] = [...counts].sort(([stepA, countA], [stepB, countB]) => countB - countA || stepA - stepB)
  return usual?.[0] ?? null
}

/**
 * The timeframe of the candles in a series' files, or `fallback` when they hold a single candle.
 * Throws TD_CANDLE_INVALID when their distance is no timeframe.
 */
export async function timeframeOfFiles(
  files: readonly TapeFile[], intake: Intake, fallback: Timeframe,
): Promise<Timeframe> {
  const step = await usualStep(files, intake)
  if (step === null) return fallback
  const timeframe = timeframeOf(step)
  if (timeframe !== null) return timeframe
  throw new TapedeckError('TD_CANDLE_INVALID',
    `${files[0].name}: candles are ${step} ms apart; expected one of ${Object.keys(TIMEFRAMES).join(', ')}`)
}
