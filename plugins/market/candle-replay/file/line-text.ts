import { TapedeckError } from '../../../../engine/errors.ts'
import type { EpochMs } from '../../../../engine/core/time.ts'
import { excerpt, rowError } from '../wording.ts'

const PLAIN = ['timestamp', 'open', 'high', 'low', 'close', 'volume']
const DUMP = ['open_time', 'open', 'high', 'low', 'close', 'volume', 'close_time']
const DUMP_CELLS = 12

/** A plain decimal, with an exponent if need be: what exporters write, and nothing else that Number() would take. */
const DECIMAL = /^-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/

/** How a file lays out its rows. */
export interface Layout {
  readonly cells: 6 | 12
  /** Whether the first line is a header. */
  readonly header: boolean
}

const expectation = `expected the header "${PLAIN.join(',')}" or one of Binance's public dumps (${DUMP_CELLS} columns)`

/** Reads the first line. Throws TD_FILE_HEADER with what was expected and what was found. */
export function readLayout(line: string, file: string): Layout {
  const cells = line.split(',')
  if (cells.length === DUMP_CELLS) {
    if (DECIMAL.test(cells[0])) return { cells: 12, header: false }
    if (DUMP.every((name, index) => cells[index] === name)) return { cells: 12, header: true }
  } else if (cells.length === PLAIN.length && PLAIN.every((name, index) => cells[index] === name)) {
    return { cells: 6, header: true }
  }
  const missing = PLAIN.filter((name) => !cells.includes(name))
  const hint = DECIMAL.test(cells[0]) ? '; the header is missing'
    : missing.length > 0 ? `; missing: ${missing.join(', ')}`
    : '; in exactly this order, without other columns'
  throw new TapedeckError('TD_FILE_HEADER', `${file}: ${expectation}${hint}; found ${excerpt(line)}`)
}

/** Milliseconds per unit of a file's times: 1 for milliseconds, 1/1000 for microseconds; null when it is neither. */
export const unitsPerMs = (time: number): 1 | 1000 | null =>
  time >= 1e11 && time < 1e14 ? 1 : time >= 1e14 && time < 1e17 ? 1000 : null

const timeOf = (cell: string): EpochMs | null => {
  const units = DECIMAL.test(cell) ? unitsPerMs(Number(cell)) : null
  return units === null ? null : Number(cell) / units
}

/**
 * Reads one row the slow way, to accept what the fast way does not know or to say what is wrong with it.
 * Returns time (in the file's unit), open, high, low, close, volume. Throws TD_CANDLE_INVALID naming the cell.
 */
export function readRowText(line: string, layout: Layout, file: string, row: number): number[] {
  const cells = line.split(',')
  const time = timeOf(cells[0])
  if (cells.length !== layout.cells) {
    throw rowError(file, row, time, `has ${cells.length} cells instead of ${layout.cells}: ${excerpt(line)}`)
  }
  return PLAIN.map((column, index) => {
    const cell = cells[index]
    if (cell === '') throw rowError(file, row, time, `${column} is empty`)
    if (!DECIMAL.test(cell)) throw rowError(file, row, time, `${column} ${excerpt(cell)} is not a decimal number`)
    if (!Number.isFinite(Number(cell))) throw rowError(file, row, time, `${column} ${excerpt(cell)} is not finite`)
    return Number(cell)
  })
}
