import { TapedeckError, type ErrorCode } from '../../../engine/errors.ts'
import { isoTime, type EpochMs } from '../../../engine/core/time.ts'

const LAST_DATE = 8_640_000_000_000_000

/** A time for a message; a number that is no time at all is shown as it came. */
export const timeText = (time: EpochMs): string => (Math.abs(time) <= LAST_DATE ? isoTime(time) : String(time))

/** `1 candle`, `2 candles`. */
export const countOf = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`

/** A piece of a file for a message: quoted, without control characters, not longer than a line. */
export const excerpt = (text: string): string => JSON.stringify(text.length > 120 ? `${text.slice(0, 120)}…` : text)

/** An error at one row. `row` is the 1-based line number in the file, so that an editor finds it. */
export const rowError = (
  file: string, row: number, time: EpochMs | null, broken: string, code: ErrorCode = 'TD_CANDLE_INVALID',
): TapedeckError =>
  new TapedeckError(code, `${file}, row ${row}${time === null ? '' : `, ${timeText(time)}`}: ${broken}`)
