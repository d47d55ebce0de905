/** Milliseconds since 1970-01-01T00:00:00Z. */
export type EpochMs = number

export const DAY_MS = 86_400_000

/** ISO-8601 in UTC with milliseconds: `2020-01-01T00:00:00.000Z`. */
export const isoTime = (time: EpochMs): string => new Date(time).toISOString()

/** `YYYY-MM-DD` of a number of whole days since 1970-01-01 UTC. */
export const isoDay = (day: number): string => isoTime(day * DAY_MS).slice(0, 10)

/** 1973 in ms. Smaller numbers are a year, a compact date or seconds, meant as something else. */
const EARLIEST = 1e11
/** The last time that a date can hold: 100,000,000 days. */
const LATEST = 100_000_000 * DAY_MS

const ISO = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2})?)?$/

/**
 * Reads epoch milliseconds (number or digits, from 1973 on), `YYYY-MM-DD` (00:00 UTC) or an ISO time; a time without a zone is UTC.
 * Returns null for anything else, so that callers can name the place of the mistake.
 */
export function parseTime(input: number | string | Date): EpochMs | null {
  if (input instanceof Date) return Number.isNaN(input.getTime()) ? null : input.getTime()
  if (typeof input === 'number') return Number.isInteger(input) && input >= EARLIEST && input <= LATEST ? input : null
  const text = input.trim()
  if (/^\d+$/.test(text)) return parseTime(Number(text))
  if (!ISO.test(text)) return null
  const zoned = /Z|[+-]\d{2}:\d{2}$/.test(text) || text.length === 10 ? text : `${text}Z`
  const time = Date.parse(zoned)
  if (Number.isNaN(time)) return null
  // Date.parse rolls 2021-02-30 over into March; a date that does not exist is a mistake, not a wish.
  return new Date(Date.parse(`${text.slice(0, 10)}T00:00:00Z`)).toISOString().slice(0, 10) === text.slice(0, 10) ? time : null
}
