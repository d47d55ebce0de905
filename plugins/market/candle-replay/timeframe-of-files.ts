import { TIMEFRAMES, timeframeOf, type Timeframe } from '../../../engine/core/timeframe.ts'
import type { EpochMs } from '../../../engine/core/time.ts'
import { TapedeckError } from '../../../engine/errors.ts'
import type { TapeFile } from './file/locate.ts'
import type { Intake } from './file/raw-file.ts'
import { readFiles, type RowBatch } from './file/rows.ts'

const SAMPLE_ROWS = 200
const SAMPLE_BYTES = 65_536

/** How often which step forward comes between neighbours. */
type Steps = Map<number, number>

/** Counts the steps of a batch's first rows; returns the last time. */
function countSteps(steps: Steps, openTime: Float64Array, rows: number, previous: EpochMs): EpochMs {
  for (let row = 0; row < rows; row++) {
    const step = openTime[row] - previous
    if (step > 0) steps.set(step, (steps.get(step) ?? 0) + 1)
    previous = openTime[row]
  }
  return previous
}

/** The most frequent step; of equally frequent ones the shortest. */
function mostFrequent(steps: Steps): number | null {
  const [usual] = [...steps].sort(([stepA, countA], [stepB, countB]) => countB - countA || stepA - stepB)
  return usual?.[0] ?? null
}

/** The usual step in the first rows of a series. */
async function usualStep(files: readonly TapeFile[], intake: Intake): Promise<number | null> {
  const steps: Steps = new Map()
  let previous: EpochMs = NaN
  let seen = 0
  const sample = { ...intake, chunkBytes: Math.min(intake.chunkBytes, SAMPLE_BYTES), progress: { done: 0, total: 0 } }
  for await (const { columns, rows } of readFiles(files, sample, SAMPLE_ROWS)) {
    previous = countSteps(steps, columns.openTime, rows, previous)
    if ((seen += rows) >= SAMPLE_ROWS) break
  }
  return mostFrequent(steps)
}

const named = (step: number): string => timeframeOf(step) ?? `${step} ms`

/**
 * Passes a series through and looks at each file's first rows: coarser candles behind finer ones look like gaps, which
 * `gaps: allow` would run over. Throws TD_CANDLE_INVALID for a file with another timeframe than the first. A file of one
 * or two rows says nothing, and one that has the first file's step at all is only full of holes.
 */
export async function* oneTimeframe(batches: AsyncIterable<RowBatch>): AsyncGenerator<RowBatch> {
  let file: string | null = null
  let first: { readonly file: string; readonly step: number } | null = null
  for await (const batch of batches) {
    if (batch.file !== file && batch.rows >= 3) {
      const steps: Steps = new Map()
      countSteps(steps, batch.columns.openTime, Math.min(batch.rows, SAMPLE_ROWS), NaN)
      const step = mostFrequent(steps)
      if (step !== null && first === null) first = { file: batch.file, step }
      if (step !== null && first !== null && step !== first.step && !steps.has(first.step)) {
        throw new TapedeckError('TD_CANDLE_INVALID', `${batch.file} holds ${named(step)} candles and ${first.file} `
          + `${named(first.step)} candles: the files of one series need one timeframe`)
      }
    }
    file = batch.file
    yield batch
  }
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
