import { expect } from 'vitest'
import type { TrailLine } from '../../engine/audit/reader.ts'
import { idPrefix } from '../../engine/live.ts'
import type { PastLine } from '../../engine/ports.ts'
import { readRun, type RunRecord } from '../../engine/session/live-directory.ts'
import type { PracticeTrade } from '../../plugins/exchange/exchange.ts'
import type { KilledRun } from './killed-run.ts'
import { balancesOf, CASH, TAPE } from './setups.ts'

/** Amounts as the exchange carries them: eight decimals, so that sums of them can be equal to the last one. */
const exact = (amount: number): string => amount.toFixed(8).replace(/^-(0\.0+)$/, '$1')
const sum = <T>(items: readonly T[], of: (item: T) => number): number =>
  items.reduce((total, item) => total + of(item), 0)

const fillsIn = (lines: readonly TrailLine[]): PastLine[] =>
  lines.map(({ fields }) => fields).filter(({ type }) => type === 'fill')

/** What the trail calls each order that an intent announced, by its client id. */
export function meantOrders(record: RunRecord, lines: readonly TrailLine[]): ReadonlyMap<string, string> {
  const prefix = idPrefix(String(record['run']))
  const meant = new Map<string, string>()
  let entry = ''
  let stem = ''
  for (const { fields } of lines) {
    if (fields.type !== 'intent') continue
    const { purpose } = fields
    if (purpose === 'sale') meant.set(String(fields['id']), String(fields['order']))
    else if (purpose === 'protect') {
      const pair = Number(fields['pair'])
      const number = pair === 1 ? '' : `-${pair}`
      for (const leg of ['stop', 'target'] as const) {
        if (fields[leg] !== null) meant.set(`${stem}-${leg[0]}${pair}`, `${entry}-${leg}${number}`)
      }
    } else if (purpose === undefined) {
      const { id, side } = fields['order'] as { readonly id: string; readonly side: string }
      if (side === 'sell') continue
      entry = id
      stem = `${prefix}-${entry.replace(/-entry$/, '')}`
      meant.set(`${stem}-e`, entry)
    }
  }
  return meant
}

/** Every order at the exchange was meant, in a line that was there before it, and was sent once. */
export function noOrderTwice({ exchange, directory }: KilledRun, lines: readonly TrailLine[]): void {
  const meant = meantOrders(readRun(directory), lines)
  const ids = exchange.orders().map(({ clientOrderId }) => clientOrderId)
  expect(ids).toEqual([...new Set(ids)])
  expect(ids.filter((id) => !meant.has(id))).toEqual([])
}

/** Fills in the trail and trades at the exchange are the same amounts, order by order. */
export function everyExecutionOnce({ exchange, directory }: KilledRun, lines: readonly TrailLine[]): void {
  const meant = meantOrders(readRun(directory), lines)
  const clientIds = new Map(exchange.orders().map((order) => [order.orderId, order.clientOrderId]))
  const nameOf = ({ orderId }: PracticeTrade): string => meant.get(clientIds.get(orderId)!)!
  const fee = (asset: string) => (trade: PracticeTrade): number => (trade.feeAsset === asset ? trade.fee : 0)
  const trades = exchange.trades()
  const fills = fillsIn(lines)
  const traded = amounts(trades, nameOf,
    [({ quantity }) => quantity, ({ notional }) => notional, fee('BTC'), fee('USDT')])
  const booked = amounts(fills, ({ id }) => String(id),
    ['quantity', 'notional', 'fee_base', 'fee_quote'].map((name) => (line: PastLine) => Number(line[name])))
  expect(booked).toEqual(traded)
  for (const { id, price } of fills) {
    const own = trades.filter((trade) => nameOf(trade) === id)
    if (own.length === 1) expect(price).toBe(own[0].price)
  }
}

function amounts<T>(
  items: readonly T[], name: (item: T) => string, of: readonly ((item: T) => number)[],
): Record<string, string[]> {
  const groups: Record<string, T[]> = {}
  for (const item of items) (groups[name(item)] ??= []).push(item)
  return Object.fromEntries(Object.entries(groups)
    .map(([group, members]) => [group, of.map((amount) => exact(sum(members, amount)))]))
}

/** What the trail says is held and left is what the account has more, or less, than at the start. */
export function sameMoney({ setup, exchange, directory }: KilledRun, lines: readonly TrailLine[]): void {
  const fills = fillsIn(lines)
  const signed = (name: string) => (line: PastLine): number => (line['side'] === 'buy' ? 1 : -1) * Number(line[name])
  const held = sum(fills, signed('quantity')) - sum(fills, (line) => Number(line['fee_base']))
  const paid = sum(fills, signed('notional')) + sum(fills, (line) => Number(line['fee_quote']))
  const before = balancesOf(setup)
  const total = (asset: keyof typeof before): number => exchange.balance(asset).free + exchange.balance(asset).locked
  expect(exact(held)).toBe(exact(total('BTC') - before.BTC))
  expect(exact(paid)).toBe(exact(before.USDT - total('USDT')))
  const { finalEquity } = readRun(directory)['figures'] as { finalEquity: number }
  expect(finalEquity).toBeCloseTo(CASH - paid + held * TAPE.close.at(-1)!, 6)
}
