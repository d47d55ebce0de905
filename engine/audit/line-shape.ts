import { isTimeframe } from '../core/timeframe.ts'
import type { PastLine } from '../ports.ts'

type Shape = (value: unknown) => string | null

const kind = (type: 'string' | 'number' | 'boolean') => (value: unknown): string | null =>
  (typeof value === type ? null : `expected a ${type}`)
const [text, number, truth] = [kind('string'), kind('number'), kind('boolean')]
const record: Shape = (value) =>
  (typeof value === 'object' && value !== null && !Array.isArray(value) ? null : 'expected an object')

const rows: Shape = (value) =>
  (Array.isArray(value) && value.length > 0 && value.every(isRow) ? null : 'expected rows of six numbers')
const isRow = (row: unknown): boolean =>
  Array.isArray(row) && row.length === 6 && row.every((cell) => Number.isFinite(cell))

const time: Shape = (value) =>
  (typeof value === 'string' && Number.isFinite(Date.parse(value)) ? null : 'expected an ISO time')

const sent: Shape = (value) => (record(value) === null && ['signed', 'public']
  .every((name) => Number.isFinite((value as Readonly<Record<string, unknown>>)[name]))
  ? null : 'expected numbers of signed and public requests')

const CANDLES = { timestamp: time, symbol: text, more: truth, missed: truth, rows }
const SETTLING = { timestamp: time, symbol: text, timeframe: (value: unknown) => (typeof value === 'string' && isTimeframe(value) ? null : 'expected a timeframe'), rows }
const WAKE = { timestamp: time, event: (value: unknown) => (value === 'wake' ? null : 'expected "wake", "candles" or "settling"') }
const ACCOUNT = { cash: number, costs: record, instruments: record }
const SESSION_END = { timestamp: time, requests: sent }
const FILL = {
  timestamp: time, id: text, symbol: text, side: text, price: number, quantity: number, notional: number,
  fee_base: number, fee_quote: number,
}
const TRADE = {
  timestamp: time, symbol: text, entryTime: time, exitTime: time, reason: text, quantity: number, entryPrice: number,
  exitPrice: number, fees: number,
}
const OPERATOR = { timestamp: time, act: text, reason: text }

/** Types whose symbol has to be one of the run's. */
const FED = new Set(['market', 'fill', 'trade'])

function shapeOf({ type, event }: PastLine): Readonly<Record<string, Shape>> {
  if (type === 'market') return event === 'candles' ? CANDLES : event === 'settling' ? SETTLING : WAKE
  if (type === 'session' && event === 'account') return ACCOUNT
  if (type === 'session' && (event === 'stopped' || event === 'finished')) return SESSION_END
  if (type === 'fill') return FILL
  if (type === 'trade') return TRADE
  if (type === 'operator') return OPERATOR
  return {}
}

/**
 * What is wrong with the fields that a replay or a parity check feeds on, in words; null when they can be used.
 * `symbols`: those of the run, where they are known.
 */
export function shapeFault(fields: PastLine, symbols: readonly string[] | null = null): string | null {
  for (const [name, fault] of Object.entries(shapeOf(fields))) {
    const what = fault(fields[name])
    if (what !== null) return `its ${name} is ${said(fields[name])}, ${what}`
  }
  const { type, symbol } = fields
  if (symbols === null || !FED.has(type) || typeof symbol !== 'string' || symbols.includes(symbol)) return null
  return `its symbol is ${said(symbol)}, which the run does not trade`
}

/** A value as a message shows it: never a whole batch of candles. */
function said(value: unknown): string {
  const json = JSON.stringify(value) ?? 'missing'
  return json.length <= 60 ? json : `${json.slice(0, 57)}…`
}
