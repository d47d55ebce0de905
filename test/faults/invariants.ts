import { expect } from 'vitest'
import { timeframeMs } from '../../engine/core/timeframe.ts'
import type { EpochMs } from '../../engine/core/time.ts'
import { idPrefix } from '../../engine/live.ts'
import type { PastLine } from '../../engine/ports.ts'
import { replay } from '../../engine/replay.ts'
import { readRun } from '../../engine/session/live-directory.ts'
import { verifyRun } from '../../engine/verify.ts'
import type { PracticeOrder, PracticeTrade } from '../../plugins/exchange/exchange.ts'
import { quietWorld } from '../support/run-scenario.ts'
import { BEGIN, calmFrom, CHECK_INTERVAL_MS, isFaulty, TIMEFRAME, type FaultRun } from './fault-session.ts'
import type { Mishap } from './mishaps.ts'

/** Amounts as the exchange carries them: eight decimals, so that sums of them can be equal to the last one. */
const exact = (amount: number): string => amount.toFixed(8).replace(/^-(0\.0+)$/, '$1')
const sum = <T>(items: readonly T[], of: (item: T) => number): number => items.reduce((total, item) => total + of(item), 0)
const timeOf = ({ timestamp }: PastLine): EpochMs => Date.parse(timestamp!)
const isOpen = ({ status }: PracticeOrder): boolean => status === 'NEW' || status === 'PARTIALLY_FILLED'

/** What must be true of a session at whose end the exchange was well again, whatever went wrong in it. */
export async function expectSound(run: FaultRun): Promise<void> {
  const { lines, directory, setup, exchange } = run
  everyDecisionOnce(run)
  noOrderTwice(run)
  everyExecutionOnce(run)
  if (!isFaulty(setup, 'reset')) sameMoney(run)
  if (!isFaulty(setup, 'reset')) neverOversold(run)
  else nothingAfterReset(run)
  neverSilentlyNaked(run)
  everyMishapTold(run)
  // What still rests at the end protects what is still held.
  expect(exchange.orders().filter(isOpen).filter(({ side }) => side === 'BUY')).toEqual([])
  const { sound, firstFault, endKnown, state } = verifyRun(directory)
  expect({ sound, firstFault, endKnown, state }).toEqual({ sound: true, firstFault: null, endKnown: true, state: 'finished' })
  const again = await replay(directory, quietWorld())
  expect(again.difference).toBeNull()
  expect(again.lines).toBe(lines.length)
  expect(again.restarts).toBe(lines.filter(({ event }) => event === 'restarted').length)
  expect(again.restarts).toBeLessThanOrEqual(setup.stops?.length ?? 0)
}

/** One decision for each candle, in the trail and in the view; a candle that is missing at the exchange is told of. */
function everyDecisionOnce({ lines, decisions, setup: { candles } }: FaultRun): void {
  const step = timeframeMs(TIMEFRAME)
  const decided = lines.filter(({ type }) => type === 'decision').map(timeOf).sort((a, b) => a - b)
  expect(decided).toEqual([...new Set(decided)])
  expect(decisions.length).toBe(decided.length)
  const gaps = sum(lines.filter(({ event }) => event === 'gap'), ({ missing }) => Number(missing))
  expect(decided.length + gaps).toBe(candles)
  expect(decided.at(-1)).toBe(BEGIN + candles * step)
}

/** Every order at the exchange is ours and was meant; only an exchange that repeats a request has two of a name. */
function noOrderTwice({ exchange, directory, lines, setup }: FaultRun): void {
  const ids = exchange.orders().map(({ clientOrderId }) => clientOrderId)
  const meant = meantOf(prefixOf(directory), lines)
  expect(ids.filter((id) => !meant.has(id))).toEqual([])
  const twice = [...new Set(ids.filter((id, index) => ids.indexOf(id) !== index))]
  if (isFaulty(setup, 'duplicate')) {
    const told = new Set(lines.filter(({ event }) => event === 'bought-twice').map(({ order }) => order))
    const executedTwice = twice.filter((id) => exchange.orders().filter((order) => order.clientOrderId === id && order.executedQuantity > 0).length > 1)
    expect(executedTwice.filter((id) => !told.has(meant.get(id)))).toEqual([])
  } else expect(twice).toEqual([])
}

const prefixOf = (directory: string): string => idPrefix(String(readRun(directory)['run']))

/** What the trail calls each order that an intent announced, by its client id. */
function meantOf(prefix: string, lines: readonly PastLine[]): ReadonlyMap<string, string> {
  const meant = new Map<string, string>()
  let entry = ''
  for (const line of lines) {
    if (line.type !== 'intent') continue
    const stem = `${prefix}-${entry.replace(/-entry$/, '')}`
    if (line['purpose'] === undefined) {
      const order = line['order'] as { id: string; side: string }
      if (order.side === 'sell') continue
      entry = order.id
      meant.set(`${prefix}-${entry.replace(/-entry$/, '')}-e`, entry)
    } else if (line['purpose'] === 'protect') {
      const pair = Number(line['pair'])
      for (const leg of ['stop', 'target'] as const) meant.set(`${stem}-${leg[0]}${pair}`, `${entry}-${leg}${pair === 1 ? '' : `-${pair}`}`)
    } else if (line['purpose'] === 'sale') meant.set(String(line['id']), String(line['order']))
  }
  return meant
}

/** Fills in the trail and trades at the exchange are the same amounts, order by order. */
function everyExecutionOnce({ exchange, directory, lines, setup }: FaultRun): void {
  const meant = meantOf(prefixOf(directory), lines)
  const orders = new Map(exchange.orders().map((order): [number, PracticeOrder] => [order.orderId, order]))
  const nameOf = ({ orderId }: PracticeTrade): string => meant.get(orders.get(orderId)!.clientOrderId)!
  const fee = (asset: string) => ({ feeAsset, fee: paid }: PracticeTrade): number => (feeAsset === asset ? paid : 0)
  const traded = amounts(exchange.trades(), nameOf, [({ quantity }) => quantity, ({ notional }) => notional, fee('BTC'), fee('USDT')])
  const booked = amounts(lines.filter(({ type }) => type === 'fill'), ({ id }) => String(id),
    ['quantity', 'notional', 'fee_base', 'fee_quote'].map((name) => (line: PastLine) => Number(line[name])))
  // After a reset the exchange knows nothing of what was before it.
  expect(isFaulty(setup, 'reset') ? Object.fromEntries(Object.keys(traded).map((name) => [name, booked[name]])) : booked).toEqual(traded)
}

function amounts<T>(items: readonly T[], name: (item: T) => string, of: readonly ((item: T) => number)[]): Record<string, string[]> {
  const groups: Record<string, T[]> = {}
  for (const item of items) (groups[name(item)] ??= []).push(item)
  return Object.fromEntries(Object.entries(groups).map(([group, members]) => [group, of.map((amount) => exact(sum(members, amount)))]))
}

/** What the trail says is held and left is what the account has more, or less, than at the start. */
function sameMoney({ exchange, lines, balances }: FaultRun): void {
  const fills = lines.filter(({ type }) => type === 'fill').map((line) => ({
    sign: line['side'] === 'buy' ? 1 : -1, quantity: Number(line['quantity']), notional: Number(line['notional']),
    feeBase: Number(line['fee_base']), feeQuote: Number(line['fee_quote']),
  }))
  const total = (asset: 'BTC' | 'USDT'): number => exchange.balance(asset).free + exchange.balance(asset).locked
  expect(exact(sum(fills, ({ sign, quantity, feeBase }) => sign * quantity - feeBase))).toBe(exact(total('BTC') - balances.BTC))
  expect(exact(sum(fills, ({ sign, notional, feeQuote }) => sign * notional + feeQuote))).toBe(exact(balances.USDT - total('USDT')))
}

/** At no moment has more been sold than bought: what else is in the account is not ours. */
function neverOversold({ exchange }: FaultRun): void {
  let held = 0
  for (const { side, quantity, fee, feeAsset } of exchange.trades()) {
    held += side === 'BUY' ? quantity - (feeAsset === 'BTC' ? fee : 0) : -quantity
    expect(held).toBeGreaterThan(-1e-9)
  }
}

/** Once the bot knows of a reset it sends nothing, and nothing of it is left at the exchange. */
function nothingAfterReset({ lines, exchange }: FaultRun): void {
  const reset = lines.findIndex(({ type, event }) => type === 'alarm' && event === 'reset')
  if (reset < 0) return
  expect(lines.slice(reset).filter(({ type }) => type === 'intent' || type === 'fill')).toEqual([])
  expect(lines.slice(reset).filter(({ type, state }) => type === 'risk' && state === 'HALTED')).toHaveLength(1)
  expect(exchange.orders().filter(isOpen)).toEqual([])
}

/** Alarms that say that a position may stand without a stop, the last ones because an attempt to end that has failed. */
const ALARMED = new Set(['naked', 'orders-unknown', 'protection-refused', 'sale-refused', 'outcome-unknown'])

/** Without a stop for longer than one wake-up: then each wake-up says so. */
function neverSilentlyNaked({ spells, lines, setup: { policy, candles } }: FaultRun): void {
  if (policy?.['stopLoss'] === null) return
  for (const { from, to } of spells.filter((spell) => spell.to - spell.from > CHECK_INTERVAL_MS)) {
    const wakes = lines.flatMap((line, index) => (line.type === 'market' && line['event'] === 'wake' ? [{ index, time: timeOf(line) }] : []))
    const silent = wakes.filter(({ index, time }, number) => {
      // A wake-up that ends it need not tell of it.
      if (time <= from || time >= to - CHECK_INTERVAL_MS / 2) return false
      return !lines.slice(index, wakes[number + 1]?.index).some(({ type, event }) => type === 'alarm' && ALARMED.has(String(event)))
    })
    expect(silent.map(({ time }) => new Date(time).toISOString())).toEqual([])
    // Whatever went wrong, it is over some wake-ups after the exchange is well.
    expect(to).toBeLessThan(calmFrom(candles) + 6 * CHECK_INTERVAL_MS)
  }
}

/** Episodes whose beginning and end have a line each. */
const EPISODES = [['venue-unreachable', 'venue-unreachable-over'], ['market-unreachable', 'market-reachable']] as const
/** Read before there is a run that could tell of it; the user is warned instead. */
const AT_START = /\/(exchangeInfo|account\/commission)$/

/** Every failure that reached the bot has an alarm around it. */
function everyMishapTold({ mishaps, lines, warnings }: FaultRun): void {
  const alarms = lines.filter(({ type }) => type === 'alarm').map((line) => ({ event: String(line['event']), time: timeOf(line) }))
  const told = (time: EpochMs): boolean => alarms.some((alarm) => Math.abs(alarm.time - time) <= CHECK_INTERVAL_MS)
    || EPISODES.some(([begins, ends]) => {
      const last = alarms.findLast((alarm) => alarm.time <= time && (alarm.event === begins || alarm.event === ends))
      return last?.event === begins
    })
  const begun = new Set(mishaps.filter(({ request }) => AT_START.test(request)).map(({ time }) => time))
  const atStart = ({ request, time }: Mishap): boolean => AT_START.test(request) || (request === 'GET /time' && begun.has(time))
  // A clock that is read anew is told of by the next alarm about it.
  expect(warnings.length).toBeGreaterThanOrEqual(mishaps.filter((mishap) => AT_START.test(mishap.request) && mishap.what !== 'code -1021').length)
  expect(mishaps.filter((mishap) => !atStart(mishap) && !told(mishap.time))).toEqual([])
}
