import { isoTime, type EpochMs } from '../core/time.ts'

/** Stands for a figure that is undefined; whoever prints it prints its reason too. */
export const UNDEFINED = '–'

type Figure = number | null

/** What is neither finite nor null cannot come from a sound run; it prints as undefined, never as `Infinity`. */
const isNumber = (value: Figure): value is number => value !== null && Number.isFinite(value)

/** `-1,234.50`. A value that rounds to zero has no sign, so that `-0.00` never appears. */
export function fixed(value: Figure, digits: number): string {
  if (!isNumber(value)) return UNDEFINED
  const size = Math.abs(value)
  if (size >= 1e15) return value.toExponential(3)
  const [whole, decimals] = size.toFixed(digits).split('.')
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',')
  const text = decimals === undefined ? grouped : `${grouped}.${decimals}`
  return value < 0 && /[1-9]/.test(text) ? `-${text}` : text
}

/** Like {@link fixed}, with a plus sign before anything that prints above zero. */
export function signed(value: Figure, digits: number): string {
  const text = fixed(value, digits)
  return isNumber(value) && value > 0 && /[1-9]/.test(text) ? `+${text}` : text
}

/** Up to `digits` decimals, without trailing zeros: `0.025`, `1,200`. */
export function trimmed(value: Figure, digits: number): string {
  const text = fixed(value, digits)
  return text.includes('.') && !text.includes('e') ? text.replace(/\.?0+$/, '') : text
}

/** A fraction in percent: 0.1234 → `12.34 %`. */
export const percent = (fraction: Figure, digits = 2): string =>
  isNumber(fraction) ? `${fixed(fraction * 100, digits)} %` : UNDEFINED

/** A change in percent: `+12.34 %`, `-3.00 %`. */
export const change = (fraction: Figure, digits = 2): string =>
  isNumber(fraction) ? `${signed(fraction * 100, digits)} %` : UNDEFINED

/** The difference of two fractions, in percentage points. */
export const points = (fraction: Figure): string =>
  isNumber(fraction) ? `${signed(fraction * 100, 2)} pp` : UNDEFINED

const COIN_DIGITS: Readonly<Record<string, number>> = { BTC: 8, ETH: 6, BNB: 6, SOL: 6 }

/** Decimals for amounts of a quote currency: cents, or finer where the unit is a coin of great value. */
export const moneyDigits = (quote: string): number =>
  Object.hasOwn(COIN_DIGITS, quote) ? COIN_DIGITS[quote] : 2

/** An amount without its unit: `12,345.67`. */
export const money = (value: Figure, quote: string): string => fixed(value, moneyDigits(quote))

/** An amount won or lost, without its unit: `+12.30`. */
export const gain = (value: Figure, quote: string): string => signed(value, moneyDigits(quote))

export const ratio = (value: Figure): string => fixed(value, 2)
export const count = (value: Figure): string => fixed(value, 0)

/** Six significant digits, as few decimals as that needs, never an exponent. */
export function quantity(value: Figure): string {
  if (!isNumber(value) || value === 0) return fixed(value, 0)
  return trimmed(value, Math.min(12, Math.max(0, 5 - Math.floor(Math.log10(Math.abs(value))))))
}

/** How many decimals a series of prices really uses, 2 to 8, so that a column of them lines up. */
export function priceDecimals(prices: ArrayLike<number>): number {
  let decimals = 2
  const step = Math.max(1, Math.floor(prices.length / 500))
  for (let index = 0; index < prices.length && decimals < 8; index += step) {
    const price = prices[index]
    while (decimals < 8 && Math.abs(price * 10 ** decimals - Math.round(price * 10 ** decimals)) > 1e-4) decimals++
  }
  return decimals
}

/** `2021-03-04 12:00` in UTC; seconds only where there are any. */
export function utcMinute(time: EpochMs): string {
  return isoTime(time).slice(0, time % 60_000 === 0 ? 16 : 19).replace('T', ' ')
}

const UNITS = [['w', 604_800_000], ['d', 86_400_000], ['h', 3_600_000], ['m', 60_000], ['s', 1_000]] as const

/** The length of a candle in its largest whole unit: `4h`, `2d`, `90m`. */
export function stepName(ms: number): string {
  for (const [unit, size] of UNITS) if (ms % size === 0) return `${ms / size}${unit}`
  return `${ms}ms`
}

/** `1 trade`, `1,234 trades`. */
export const plural = (n: number, one: string, many = `${one}s`): string => `${count(n)} ${n === 1 ? one : many}`

/** A drawdown in a column that not every row has: nothing where it was never measured, `–` where it is undefined. */
export const drawdownText = (fraction: number | null | undefined): string =>
  fraction === undefined ? '' : percent(fraction)

/** How long something took: `12.3 ms`, `1.234 s`. */
export const duration = (ms: number): string => (ms < 1000 ? `${fixed(ms, 1)} ms` : `${fixed(ms / 1000, 3)} s`)

/** What answers cost. Cents matter where a question costs a hundredth of one: `0.0031 USD`. */
export const usd = (amount: number): string => `${amount === 0 ? '0' : amount < 0.01 ? amount.toPrecision(2) : fixed(amount, 2)} USD`
