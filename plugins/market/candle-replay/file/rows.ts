import { candleColumns, type CandleColumns } from '../../../../engine/core/candle.ts'
import { TapedeckError } from '../../../../engine/errors.ts'
import { rowError } from '../wording.ts'
import { ByteParser } from './byte-parser.ts'
import { wholeLines, type Chunk } from './chunk.ts'
import { readLayout, unitsPerMs } from './line-text.ts'
import type { TapeFile } from './locate.ts'
import { openFile } from './open-file.ts'
import type { Intake } from './raw-file.ts'

/** Rows that travel together: few enough for the processor's cache, enough to forget the cost of a promise. */
export const BATCH_ROWS = 4096

/** Rows `0 … rows − 1` as the file has them, times in milliseconds; nothing but the number syntax has been checked. */
export interface RowBatch {
  readonly file: string
  /** Line number of row 0. */
  readonly firstLine: number
  readonly columns: CandleColumns
  readonly rows: number
}

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf])

/** Reads the first line; `start` is where the rows begin. */
function startParser(
  { bytes, start, end }: Chunk, file: string, columns: CandleColumns,
): { parser: ByteParser; start: number } {
  const from = bytes.subarray(start, end).indexOf(BYTE_ORDER_MARK) === 0 ? start + BYTE_ORDER_MARK.length : start
  const next = bytes.indexOf(10, from) + 1
  const layout = readLayout(bytes.toString('utf8', from, next - 1).replace(/\r$/, ''), file)
  return { parser: new ByteParser(file, layout, columns), start: layout.header ? next : from }
}

/** A dump's times are milliseconds or microseconds: which, its first row tells. */
function unitOf({ columns, firstLine }: ByteParser, file: string): 1 | 1000 {
  const time = columns.openTime[0]
  const units = unitsPerMs(time)
  if (units !== null) return units
  const guess = time < 1e11 ? 'seconds' : 'nanoseconds'
  throw rowError(file, firstLine, null,
    `timestamp ${time} looks like ${guess}; expected epoch milliseconds (13 digits) or microseconds (16 digits)`)
}

/**
 * The rows of one file in batches that fill `columns`, which are reused. Throws TD_TAPE_EMPTY for a file without rows,
 * TD_FILE_HEADER, TD_FILE_UNREADABLE, and TD_CANDLE_INVALID for a cell that is no number.
 */
export async function* readRows(file: TapeFile, intake: Intake, columns: CandleColumns): AsyncGenerator<RowBatch> {
  const { name } = file
  let parser: ByteParser | null = null
  let units: 1 | 1000 | null = null

  function* take(full: ByteParser): Generator<RowBatch> {
    const { rows, firstLine } = full
    if (rows > 0) {
      units ??= unitOf(full, name)
      if (units !== 1) for (let row = 0; row < rows; row++) columns.openTime[row] /= units
      yield { file: name, firstLine, columns, rows }
      full.clear()
    }
    if (full.failure !== null) throw full.failure
  }

  for await (const region of wholeLines(openFile(file, intake), name)) {
    let at = region.start
    if (parser === null) ({ parser, start: at } = startParser(region, name, columns))
    while (at < region.end) {
      at = parser.parse(region.bytes, at, region.end)
      if (parser.full || parser.failure !== null) yield* take(parser)
    }
  }
  if (parser !== null) yield* take(parser)
  if (units !== null) return
  throw new TapedeckError('TD_TAPE_EMPTY', `${name} ${parser === null ? 'is empty' : 'has only a header, no candle'}`)
}

/** The rows of several files, one after the other. */
export async function* readFiles(
  files: readonly TapeFile[], intake: Intake, rows = BATCH_ROWS,
): AsyncGenerator<RowBatch> {
  const columns = candleColumns(rows)
  for (const file of files) yield* readRows(file, intake, columns)
}
