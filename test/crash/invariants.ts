import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { unchain } from '../../engine/audit/chain.ts'
import { readTrail, type TrailLine } from '../../engine/audit/reader.ts'
import { timeframeMs } from '../../engine/core/timeframe.ts'
import { idPrefix } from '../../engine/live.ts'
import type { PastLine } from '../../engine/ports.ts'
import { replay } from '../../engine/replay.ts'
import { readRun } from '../../engine/session/live-directory.ts'
import { verifyRun } from '../../engine/verify.ts'
import type { PracticeOrder, PracticeTrade } from '../../plugins/exchange/exchange.ts'
import { quietWorld } from '../support/run-scenario.ts'
import type { KilledRun } from './killed-run.ts'
import { BALANCES, CASH, CHECK_INTERVAL_MS, TAPE } from './setups.ts'

/** Amounts as the exchange carries them: eight decimals, so that sums of them can be equal to the last one. */
const exact = (amount: number): string => amount.toFixed(8).replace(/^-(0\.0+)$/, '$1')
const sum = <T>(items: readonly T[], of: (item: T) => number): number => items.reduce((total, item) => total + of(item), 0)

/** What must be true of a run that was killed and gone on with, however often and wherever. */
export async function expectWhole(run: KilledRun): Promise<readonly TrailLine[]> {
  const { lines, torn } = readTrail(join(run.directory, 'audit.jsonl'))
  const fields = lines.map((line) => line.fields)
  expect(torn).toBeNull()
  nothingLost(run, fields)
  everyDecisionOnce(run, lines)
  noOrderTwice(run, fields)
  everyExecutionOnce(run, fields)
  sameMoney(run, fields)
  neverNakedForLong(run)
  const { sound, firstFault, endKnown, state } = verifyRun(run.directory)
  expect({ sound, firstFault, endKnown, state }).toEqual({ sound: true, firstFault: null, endKnown: true, state: 'finished' })
  const again = await replay(run.directory, quietWorld())
  expect(again.difference).toBeNull()
  expect(again.lines).toBe(lines.length)
  return lines
}

/** Each process found all whole lines of the one before; what it found torn is kept and reported. */
function nothingLost({ lives, directory }: KilledRun, fields: readonly PastLine[]): void {
  const last = lives.at(-1)!.trail
  const torn: string[] = []
  for (const { trail } of lives) {
    const whole = trail.subarray(0, trail.lastIndexOf(10) + 1)
    expect(last.subarray(0, whole.length).equals(whole)).toBe(true)
    if (whole.length < trail.length) torn.push(trail.subarray(whole.length).toString('utf8'))
  }
  const alarms = fields.filter(({ type, event }) => type === 'alarm' && event === 'torn-line')
  // Whoever was killed before it could say what it had found has left that to the next.
  expect(alarms.length).toBeLessThanOrEqual(torn.length)
  expect(new Set(alarms.map(({ file }) => readFileSync(String(file), 'utf8')))).toEqual(new Set(torn))
  expect(torn.length === 0 || existsSync(join(directory, 'audit.torn-1.txt'))).toBe(true)
}

/** One decision for each candle, in the trail and in the view. */
function everyDecisionOnce({ view, lives }: KilledRun, lines: readonly TrailLine[]): void {
  const decisions = lines.filter(({ fields }) => fields.type === 'decision')
  const times = decisions.map(({ fields }) => Date.parse(fields.timestamp!)).sort((a, b) => a - b)
  const closes = Array.from(TAPE.openTime, (time) => time + timeframeMs('1m'))
  // A run begins with the first candle that one of its processes could write down.
  const begunLater = lives.some(({ killedAt, trail }) => killedAt !== null && !trail.includes('"event": "candles"'))
  expect(times).toEqual(begunLater ? closes.slice(-times.length) : closes)
  expect(times.length).toBeGreaterThanOrEqual(closes.length - lives.length + 1)
  expect(view).toBe(decisions.map(({ raw }) => `${unchain(raw)!.line}\n`).join(''))
}

/** Every order at the exchange is ours, was meant, and was sent once. */
function noOrderTwice({ exchange, directory }: KilledRun, fields: readonly PastLine[]): void {
  const ids = exchange.orders().map(({ clientOrderId }) => clientOrderId)
  expect(ids).toEqual([...new Set(ids)])
  const meant = meantOf(prefixOf(directory), fields)
  expect(ids.filter((id) => !meant.has(id))).toEqual([])
}

const prefixOf = (directory: string): string => idPrefix(String(readRun(directory)['run']))

/** What the trail calls each order that an intent announced, by its client id. */
function meantOf(prefix: string, fields: readonly PastLine[]): ReadonlyMap<string, string> {
  const meant = new Map<string, string>()
  let entry = ''
  for (const line of fields) {
    if (line.type !== 'intent') continue
    const stem = (): string => `${prefix}-${entry.replace(/-entry$/, '')}`
    if (line['purpose'] === undefined) {
      const order = line['order'] as { id: string; side: string }
      if (order.side === 'sell') continue
      entry = order.id
      meant.set(`${stem()}-e`, entry)
    } else if (line['purpose'] === 'protect') {
      const pair = Number(line['pair'])
      for (const leg of ['stop', 'target'] as const) meant.set(`${stem()}-${leg[0]}${pair}`, `${entry}-${leg}${pair === 1 ? '' : `-${pair}`}`)
    } else if (line['purpose'] === 'sale') meant.set(String(line['id']), String(line['order']))
  }
  return meant
}

/** Fills in the trail and trades at the exchange are the same amounts, order by order. */
function everyExecutionOnce({ exchange, directory }: KilledRun, fields: readonly PastLine[]): void {
  const meant = meantOf(prefixOf(directory), fields)
  const orders = new Map(exchange.orders().map((order): [number, PracticeOrder] => [order.orderId, order]))
  const nameOf = ({ orderId }: PracticeTrade): string => meant.get(orders.get(orderId)!.clientOrderId)!
  const fee = (asset: string) => ({ feeAsset, fee: paid }: PracticeTrade): number => (feeAsset === asset ? paid : 0)
  const traded = amounts(exchange.trades(), nameOf, [({ quantity }) => quantity, ({ notional }) => notional, fee('BTC'), fee('USDT')])
  const booked = amounts(fields.filter(({ type }) => type === 'fill'), ({ id }) => String(id),
    ['quantity', 'notional', 'fee_base', 'fee_quote'].map((name) => (line: PastLine) => Number(line[name])))
  expect(booked).toEqual(traded)
  // An order that fills at once fills at one price here, and that price is what the fill says.
  for (const line of fields.filter(({ type, id }) => type === 'fill' && exchange.trades().filter((trade) => nameOf(trade) === id).length === 1)) {
    expect(line['price']).toBe(exchange.trades().find((trade) => nameOf(trade) === line['id'])!.price)
  }
}

function amounts<T>(items: readonly T[], name: (item: T) => string, of: readonly ((item: T) => number)[]): Record<string, string[]> {
  const groups: Record<string, T[]> = {}
  for (const item of items) (groups[name(item)] ??= []).push(item)
  return Object.fromEntries(Object.entries(groups).sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([group, members]) => [group, of.map((amount) => exact(sum(members, amount)))]))
}

/** What the trail says is held and left is what the account has more, or less, than at the start. */
function sameMoney({ exchange, directory }: KilledRun, fields: readonly PastLine[]): void {
  const fills = fields.filter(({ type }) => type === 'fill').map((line) => ({
    sign: line['side'] === 'buy' ? 1 : -1, quantity: Number(line['quantity']), notional: Number(line['notional']),
    feeBase: Number(line['fee_base']), feeQuote: Number(line['fee_quote']),
  }))
  const held = sum(fills, ({ sign, quantity, feeBase }) => sign * quantity - feeBase)
  const paid = sum(fills, ({ sign, notional, feeQuote }) => sign * notional + feeQuote)
  const total = (asset: 'BTC' | 'USDT'): number => exchange.balance(asset).free + exchange.balance(asset).locked
  expect(exact(held)).toBe(exact(total('BTC') - BALANCES.BTC))
  expect(exact(paid)).toBe(exact(BALANCES.USDT - total('USDT')))
  const { finalEquity } = readRun(directory)['figures'] as { finalEquity: number }
  expect(finalEquity).toBeCloseTo(CASH - paid + held * TAPE.close.at(-1)!, 6)
}

/** Each death costs one wake-up at most. */
function neverNakedForLong({ watch, lives }: KilledRun): void {
  const longest = Math.max(0, ...watch.spells.map(({ from, to }) => to - from))
  expect(longest).toBeLessThanOrEqual(CHECK_INTERVAL_MS * Math.max(1, lives.length - 1))
}

/** The same trades as in an undisturbed run, unless an order never reached the exchange or faults struck elsewhere. */
export function expectSameTrades({ setup, exchange, directory }: KilledRun, undisturbed: readonly TrailLine[], lines: readonly TrailLine[]): void {
  const arrived = new Set(exchange.orders().map(({ clientOrderId }) => clientOrderId))
  const lost = [...meantOf(prefixOf(directory), lines.map(({ fields }) => fields)).keys()].some((id) => !arrived.has(id))
  if (lost || setup.exchange.faults !== undefined) return
  expect(tradesOf(lines)).toEqual(tradesOf(undisturbed))
}

const tradesOf = (lines: readonly TrailLine[]): object[] =>
  lines.filter(({ fields }) => fields.type === 'trade').map(({ fields: { seq: _seq, run: _run, ...trade } }) => trade)
