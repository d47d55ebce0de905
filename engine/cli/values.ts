import { isTimeframe, TIMEFRAMES, type Timeframe } from '../core/timeframe.ts'
import { TapedeckError } from '../errors.ts'

/** A flag's timeframe. Throws TD_USAGE. */
export function asTimeframe(text: string): Timeframe {
  if (!isTimeframe(text)) {
    throw new TapedeckError('TD_USAGE', `--timeframe ${text}: expected one of ${Object.keys(TIMEFRAMES).join(', ')}`)
  }
  return text
}

/** A flag's whole number. Throws TD_USAGE. */
export function wholeNumber(flag: string, value: number, least: number, most = Number.MAX_SAFE_INTEGER): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value
  const came = Number.isNaN(value) ? 'something else' : String(value)
  const upTo = most === Number.MAX_SAFE_INTEGER ? '' : ` to ${most.toLocaleString('en')}`
  throw new TapedeckError('TD_USAGE', `--${flag}: expected a whole number from ${least}${upTo}, got ${came}`)
}

/** A flag's `key=value`. Throws TD_USAGE; a value left empty is refused because it would silently mean null. */
export function pair(flag: string, text: string, example: string): readonly [key: string, value: string] {
  const at = text.indexOf('=')
  if (at < 1) throw new TapedeckError('TD_USAGE', `--${flag} ${text}: expected key=value, such as ${example}`)
  const value = text.slice(at + 1)
  if (value.trim() === '') {
    throw new TapedeckError('TD_USAGE', `--${flag} ${text}: the value is empty; write null for none`)
  }
  return [text.slice(0, at), value]
}
