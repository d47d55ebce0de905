import type { Snapshot } from './snapshot.ts'
import { isoTime } from './time.ts'

/** How a strategy's prompts are to be written. */
export interface WordingPlan {
  /** 0 = unknown: prices have 8 significant digits. */
  readonly tickSize: number
  readonly timeframe: string
  /** Neither symbol nor dates are told, and prices are rebased. */
  readonly blind: boolean
}

/**
 * How numbers and names stand in prompts. One place for all of them, so that a change in the last binary place of an
 * indicator changes no prompt, and a prompt that hides its market hides it everywhere.
 */
export interface Wording {
  /** `BTC/USDT`, or `the asset` where it is hidden. */
  readonly symbol: string
  readonly timeframe: string
  /** ISO time of the decision, or null where it is hidden. */
  readonly time: string | null
  /** A price, or anything in units of price: to the tick; where the market is hidden, the newest close is 100. */
  readonly price: (value: number) => string
  /** Any other number: 4 significant digits. NaN is `unknown`. */
  readonly number: (value: number) => string
}

/** Without an exponent and without zeros at the end. */
function significant(value: number, digits: number): string {
  if (!Number.isFinite(value)) return 'unknown'
  if (value === 0) return '0'
  const text = value.toPrecision(digits)
  if (!text.includes('e')) return withoutZeros(text)
  const decimals = Math.min(100, Math.max(0, digits - 1 - Math.floor(Math.log10(Math.abs(value)))))
  return withoutZeros(Number(text).toFixed(decimals))
}

/** By hand: whole tapes of prompts are written again at every replay. */
function withoutZeros(text: string): string {
  if (!text.includes('.')) return text
  let end = text.length
  while (text[end - 1] === '0') end--
  return text.slice(0, text[end - 1] === '.' ? end - 1 : end)
}

/** Of tick sizes; a run has few of them and asks at every prompt. */
const DECIMALS = new Map<number, number>()

/** Decimals that a price in whole steps can have. */
function decimalsOf(tickSize: number): number {
  const known = DECIMALS.get(tickSize)
  if (known !== undefined) return known
  const [digits, exponent] = tickSize.toExponential().split('e')
  const decimals = Math.max(0, digits.replace('.', '').length - 1 - Number(exponent))
  DECIMALS.set(tickSize, decimals)
  return decimals
}

/** How a snapshot's numbers are written. */
export function wordingOf({ symbol, time, price: close }: Snapshot, { tickSize, timeframe, blind }: WordingPlan): Wording {
  const number = (value: number): string => significant(value, 4)
  if (blind) {
    return { symbol: 'the asset', timeframe, time: null, price: (value) => significant((value / close) * 100, 6), number }
  }
  const decimals = tickSize === 0 ? null : decimalsOf(tickSize)
  const price = (value: number): string =>
    (decimals === null || !Number.isFinite(value) ? significant(value, 8) : value.toFixed(decimals))
  // Written only where it is read: most turns do not tell it.
  return { symbol, timeframe, get time() { return isoTime(time) }, price, number }
}
