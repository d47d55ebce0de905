/** What is shown where there is no value. */
export const NONE = '–'

const formats = new Map<number, Intl.NumberFormat>()

/** `1,234.50` with a real minus sign. */
export function number(value: number | null | undefined, digits: number): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE
  const format = formats.get(digits)
    ?? new Intl.NumberFormat('en-GB', { minimumFractionDigits: digits, maximumFractionDigits: digits })
  formats.set(digits, format)
  const text = format.format(value)
  return /[1-9]/.test(text) ? text.replace('-', '−') : text.replace('-', '')
}

/** Enough decimals for a price of this size. */
export const priceDigits = (price: number): number => {
  const size = Math.abs(price)
  return size >= 1_000 ? 2 : size >= 10 ? 3 : size >= 1 ? 4 : size >= 0.01 ? 6 : 8
}

export const price = (value: number | null | undefined): string =>
  value === null || value === undefined ? NONE : number(value, priceDigits(value))

/** Up to eight decimals, none that are nought. */
export const quantity = (value: number): string => {
  const text = number(value, 8)
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text
}

/** Decimals of amounts of an account of this size: one of whole coins is told apart by what is far below a hundredth. */
export const moneyDigits = (equity: number | null | undefined): number =>
  equity !== null && equity !== undefined && Math.abs(equity) < 10 ? 8 : 2

export const money = (value: number | null | undefined, digits = 2): string => number(value, digits)

/** Enough decimals to tell the marks of an axis apart, which are in order. */
export function axisDigits(marks: readonly number[]): number {
  const step = Math.min(...marks.slice(1).map((mark, index) => Math.abs(mark - marks[index])))
  if (!Number.isFinite(step) || step <= 0) return 2
  const whole = (scaled: number): boolean => Math.round(scaled) > 0 && Math.abs(scaled - Math.round(scaled)) < 0.01
  let digits = 0
  while (digits < 8 && !whole(step * 10 ** digits)) digits++
  return digits
}

/** `+1.25 %` of 0.0125. */
export function percent(fraction: number | null | undefined, { signed = false, digits = 2 } = {}): string {
  if (fraction === null || fraction === undefined) return NONE
  const text = number(fraction * 100, digits)
  return `${signed && fraction > 0 && /[1-9]/.test(text) ? '+' : ''}${text}\u00A0%`
}

export const signedMoney = (value: number | null | undefined, digits = 2): string => {
  const text = money(value, digits)
  return value !== null && value !== undefined && value > 0 && /[1-9]/.test(text) ? `+${text}` : text
}

/** `up`, `down` or `flat`: for colours, which always stand beside a sign. */
export const course = (value: number | null | undefined): string =>
  value === null || value === undefined || Math.abs(value) < 1e-12 ? 'flat' : value > 0 ? 'up' : 'down'

/** ms → `850 ms`, `2.4 s`. */
export const latency = (ms: number | null): string =>
  ms === null ? NONE : ms < 1_000 ? `${number(ms, 0)}\u00A0ms` : `${number(ms / 1_000, 1)}\u00A0s`

/** `$0.0123` */
export const dollars = (value: number | null | undefined): string =>
  value === null || value === undefined ? NONE : `$${number(value, value !== 0 && value < 1 ? 4 : 2)}`

/** Either `2024-01-16T10:00:00.000Z` or `2024-01-16 10:00:00`, both UTC, as ms; NaN for neither. */
export const parseTime = (text: string): number =>
  Date.parse(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/.test(text) ? `${text.replace(' ', 'T')}Z` : text)

const two = (value: number): string => String(value).padStart(2, '0')

/** `16 Jan 10:00:00`, UTC. */
export function clock(ms: number): string {
  if (!Number.isFinite(ms)) return NONE
  const date = new Date(ms)
  const month = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'][date.getUTCMonth()]
  return `${two(date.getUTCDate())} ${month} ${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`
}

/** `2024-01-16 10:00`, UTC. */
export const minute = (ms: number): string => Number.isFinite(ms) ? new Date(ms).toISOString().slice(0, 16).replace('T', ' ') : NONE

/** `12 s ago`; null where it says nothing: on tape, whose times are long past, or far ahead. */
export function age(ms: number, now: number): string | null {
  const seconds = Math.round((now - ms) / 1_000)
  if (!(seconds >= -5 && seconds < 172_800)) return null
  if (seconds < 2) return 'now'
  if (seconds < 100) return `${seconds} s ago`
  return seconds < 6_000 ? `${Math.round(seconds / 60)} min ago` : `${Math.round(seconds / 3_600)} h ago`
}
