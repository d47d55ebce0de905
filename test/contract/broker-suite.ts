import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Candle } from '../../engine/core/candle.ts'
import { instrumentOf, type Instrument } from '../../engine/core/instrument.ts'
import type { Costs } from '../../engine/core/matching.ts'
import type { Approved, EntryOrder, Execution, ExitOrder, Fill, Order } from '../../engine/core/order.ts'
import { DEFAULT_POLICY } from '../../engine/core/policy.ts'
import { approve, type RiskContext } from '../../engine/core/risk.ts'
import type { Broker, MaybePromise } from '../../engine/ports.ts'

/** What a broker is set up with; candles are an hour long. */
export interface BrokerSetting {
  readonly cash: number
  readonly costs: Costs
  readonly instruments: readonly Instrument[]
}
export type MakeBroker = (setting: BrokerSetting) => MaybePromise<Broker>

const HOUR = 3_600_000
const START = Date.UTC(2024, 0, 1)
const BTC = 'BTC/USDT'
const ETH = 'ETH/USDT'
const COSTS: Costs = { maker: 0.001, taker: 0.002, feeAsset: 'quote', slippageBps: 10 }
const FREE: Costs = { maker: 0, taker: 0, feeAsset: 'quote', slippageBps: 0 }

/** Candle number `index` from START on, as `open/high/low/close`. */
export function candleAt(index: number, text: string): Candle {
  const [open, high, low, close] = text.split('/').map(Number)
  return { openTime: START + index * HOUR, open, high, low, close, volume: 1 }
}

/** The close of candle number `index`. */
const closeOf = (index: number): number => START + (index + 1) * HOUR

const PERMISSIVE: RiskContext = {
  state: 'ACTIVE', policy: { ...DEFAULT_POLICY, stopLoss: null }, instrument: instrumentOf(BTC), costs: FREE, price: 1,
  marketAgeMs: 0, maxMarketAgeMs: 0, latencyMs: 0, deadlineMs: Infinity, inPosition: false, openPositions: 0,
  exposure: 0, equity: Infinity, wantedSpend: 0, equityAtDayStart: 1, peakEquity: 1, consecutiveLosses: 0,
  candlesSinceExit: Infinity,
}

/** Only risk validation makes approved orders, so that is where these come from. */
function approved<T extends Order>(order: T): Approved<T> {
  const result = approve(order, { ...PERMISSIVE, inPosition: order.side === 'sell' }, null)
  if (typeof result === 'string') throw new Error(`the order is refused: ${result}`)
  return result
}

/** A buy of 1,000 decided at the close of candle `index`, with a stop at −5 % and a target at +5 %. */
export const entryAt = (index: number, fields: Partial<EntryOrder> = {}): Approved<EntryOrder> => approved<EntryOrder>({
  id: `entry-${index}`, symbol: BTC, side: 'buy', spend: 1000, protection: { stopLoss: 0.05, takeProfit: 0.05 },
  decidedAt: closeOf(index), latencyMs: 0, ...fields,
})

export const exitAt = (index: number, fields: Partial<ExitOrder> = {}): Approved<ExitOrder> => approved<ExitOrder>({
  id: `exit-${index}`, symbol: BTC, side: 'sell', quantity: 10, reason: 'signal', decidedAt: closeOf(index),
  latencyMs: 0, ...fields,
})

/** Executions may be reused by the broker, so they are copied. */
export async function settled(broker: Broker, candle: Candle, symbol = BTC): Promise<Execution[]> {
  return (await broker.settle(candle.openTime + HOUR, symbol, candle)).map((execution) => ({ ...execution }))
}

export const fillsOf = (executions: readonly Execution[]): Fill[] =>
  executions.filter((execution): execution is Fill => execution.kind === 'fill')

/**
 * What every broker that settles orders on candles must do. The candles avoid what fill models disagree about: a target
 * is passed, never only touched, and no open lies beyond a target.
 */
export function describeBroker(name: string, makeBroker: MakeBroker): void {
  const instruments = [BTC, ETH].map((symbol) => instrumentOf(symbol))
  const make = async (costs: Costs = FREE): Promise<Broker> => makeBroker({ cash: 10_000, costs, instruments })

  /** A broker that bought 10 at 100 in candle 1. */
  const holding = async (costs: Costs = FREE): Promise<Broker> => {
    const broker = await make(costs)
    await broker.submit(entryAt(0))
    const [fill] = fillsOf(await settled(broker, candleAt(1, '100/101/99/100')))
    expect(fill.side).toBe('buy')
    return broker
  }

  describe(`${name} as a broker`, () => {
    it('tells its cash and costs', async () => {
      expect(await (await make(COSTS)).account()).toEqual({ cash: 10_000, costs: COSTS })
    })

    it('is idle and calm until something is sent', async () => {
      const broker = await make()
      expect(broker.idle).toBe(true)
      expect(await settled(broker, candleAt(0, '100/1000/1/100'))).toEqual([])
      expect(broker.calm === undefined || broker.calm(BTC)).not.toBeNull()
      expect(await broker.settle(closeOf(0), BTC)).toHaveLength(0)
    })

    it('fills an entry at the next open, worsened by slippage, and arms its pair from the fill', async () => {
      const broker = await make(COSTS)
      expect(await broker.submit(entryAt(0))).toEqual({ orderId: 'entry-0', state: 'accepted', reason: null })
      expect(broker.idle).toBe(false)
      expect(broker.calm?.(BTC) ?? null).toBeNull()
      const executions = await settled(broker, candleAt(1, '100/101/99/100'))
      expect(executions).toHaveLength(1)
      // 100 × 1.001 = 100.1; 1000 ÷ (100.1 × 1.002) units cost 1000 with their fee of 0.2 %.
      const [fill] = fillsOf(executions)
      expect(fill).toMatchObject({
        kind: 'fill', orderId: 'entry-0', symbol: BTC, side: 'buy', time: START + HOUR, feeBase: 0, liquidity: 'taker',
        reason: null, ambiguous: false,
      })
      expect(fill.price).toBeCloseTo(100.1, 10)
      expect(fill.quantity).toBeCloseTo(1000 / (100.1 * 1.002), 10)
      expect(fill.notional + fill.feeQuote).toBeCloseTo(1000, 9)
      expect(fill.slippage).toBeCloseTo(fill.quantity * 0.1, 9)
      // 100.1 × 0.95 and × 1.05
      expect(fill.stop).toBeCloseTo(95.095, 10)
      expect(fill.target).toBeCloseTo(105.105, 10)
      expect(broker.idle).toBe(false)
      expect(await settled(broker, candleAt(2, '100/105/95.1/100'))).toEqual([])
    })

    it('does not fill an order in a candle that opened before the decision', async () => {
      const broker = await make()
      await broker.submit(entryAt(3))
      expect(await settled(broker, candleAt(2, '100/101/99/100'))).toEqual([])
      expect(await settled(broker, candleAt(3, '100/101/99/100'))).toEqual([])
      expect(await settled(broker, candleAt(4, '90/91/89/90'))).toMatchObject([{ orderId: 'entry-3', price: 90 }])
    })

    it('takes the first candle that comes where some are missing', async () => {
      const broker = await make()
      await broker.submit(entryAt(0))
      expect(await settled(broker, candleAt(7, '80/81/79/80'))).toMatchObject([{ price: 80, time: START + 7 * HOUR }])
    })

    it('takes an order once, however often it is sent', async () => {
      const broker = await make()
      for (let times = 0; times < 3; times++) {
        expect(await broker.submit(entryAt(0))).toMatchObject({ orderId: 'entry-0', state: 'accepted' })
      }
      expect(await settled(broker, candleAt(1, '100/101/99/100'))).toHaveLength(1)
      // Not again once it is filled, nor once the position is gone.
      expect(await broker.submit(entryAt(0))).toMatchObject({ state: 'accepted' })
      expect(await settled(broker, candleAt(2, '100/101/99/100'))).toEqual([])
      await broker.submit(exitAt(2))
      expect(await settled(broker, candleAt(3, '100/101/99/100'))).toHaveLength(1)
      await broker.submit(entryAt(0))
      await broker.submit(exitAt(2))
      expect(await settled(broker, candleAt(4, '100/101/99/100'))).toEqual([])
      expect(broker.idle).toBe(true)
    })

    it('rejects an exit without a position, an entry beside one, and a second order while one is pending', async () => {
      const broker = await make()
      expect(await broker.submit(exitAt(0))).toMatchObject({ orderId: 'exit-0', state: 'rejected' })
      expect(broker.idle).toBe(true)
      await broker.submit(entryAt(1))
      expect(await broker.submit(entryAt(2))).toMatchObject({ orderId: 'entry-2', state: 'rejected' })
      expect(await settled(broker, candleAt(3, '100/101/99/100'))).toMatchObject([{ orderId: 'entry-1' }])
      expect(await broker.submit(entryAt(3))).toMatchObject({ orderId: 'entry-3', state: 'rejected' })
      expect(await settled(broker, candleAt(4, '100/101/99/100'))).toEqual([])
      await broker.submit(exitAt(4))
      expect(await broker.submit(exitAt(5))).toMatchObject({ orderId: 'exit-5', state: 'rejected' })
      expect(await settled(broker, candleAt(6, '100/101/99/100'))).toMatchObject([{ orderId: 'exit-4', quantity: 10 }])
      expect(broker.idle).toBe(true)
    })

    it('protects from the entry candle on', async () => {
      for (const [text, price, reason, liquidity] of [
        ['100/101/94/96', 95, 'stop', 'taker'], ['100/106/99/101', 105, 'target', 'maker'],
      ] as const) {
        const broker = await make()
        await broker.submit(entryAt(0))
        const [entry, exit] = fillsOf(await settled(broker, candleAt(1, text)))
        expect([entry.side, entry.price, entry.stop, entry.target]).toEqual(['buy', 100, 95, 105])
        expect(exit).toMatchObject({ side: 'sell', price, reason, liquidity, quantity: 10, time: START + HOUR })
        expect(broker.idle).toBe(true)
      }
    })

    it('closes at the stop, worsened by slippage, with the taker\'s fee', async () => {
      const broker = await holding({ ...FREE, taker: 0.002, slippageBps: 10 })
      // 1000 ÷ (100.1 × 1.002) units were bought at 100.1; the stop rests at 95.095 and sells at 95.095 × 0.999.
      const [fill] = fillsOf(await settled(broker, candleAt(2, '98/99/90/91')))
      expect(fill).toMatchObject({ side: 'sell', reason: 'stop', liquidity: 'taker', feeBase: 0 })
      expect([fill.stop, fill.target]).toEqual([null, null])
      expect(fill.price).toBeCloseTo(95.095 * 0.999, 9)
      expect(fill.quantity).toBeCloseTo(1000 / (100.1 * 1.002), 9)
      expect(fill.notional).toBeCloseTo(fill.price * fill.quantity, 9)
      expect(fill.feeQuote).toBeCloseTo(fill.notional * 0.002, 9)
      expect(fill.slippage).toBeCloseTo(fill.quantity * 95.095 * 0.001, 9)
    })

    it('closes at the target exactly, with the maker\'s fee', async () => {
      const broker = await holding({ ...FREE, maker: 0.001, slippageBps: 0 })
      const [fill] = fillsOf(await settled(broker, candleAt(2, '102/107/101/106')))
      expect(fill).toMatchObject({ price: 105, quantity: 10, reason: 'target', liquidity: 'maker', slippage: 0 })
      expect(fill.feeQuote).toBeCloseTo(1.05, 10)
    })

    it('pays the open where the market leaps over the stop', async () => {
      const [fill] = fillsOf(await settled(await holding(), candleAt(2, '90/92/88/91')))
      expect(fill).toMatchObject({ price: 90, reason: 'stop_gap', liquidity: 'taker', ambiguous: false })
    })

    it('says which candle touched both levels', async () => {
      const [fill] = fillsOf(await settled(await holding(), candleAt(2, '100/107/94/101')))
      expect(fill.ambiguous).toBe(true)
    })

    it('takes the pair down with an exit, which fills at the next open whatever the levels say', async () => {
      const broker = await holding()
      expect(await broker.submit(exitAt(1))).toMatchObject({ state: 'accepted' })
      const executions = await settled(broker, candleAt(2, '90/110/80/100'))
      expect(executions).toMatchObject([{ orderId: 'exit-1', side: 'sell', price: 90, quantity: 10, reason: 'signal' }])
      expect(broker.idle).toBe(true)
      expect(await settled(broker, candleAt(3, '90/110/80/100'))).toEqual([])
    })

    it('keeps the reason of a time stop', async () => {
      const broker = await holding()
      await broker.submit(exitAt(1, { reason: 'time' }))
      expect(await settled(broker, candleAt(2, '101/102/100/101'))).toMatchObject([{ price: 101, reason: 'time' }])
    })

    it('does without a stop or a target where the entry says so', async () => {
      const broker = await make()
      await broker.submit(entryAt(0, { protection: { stopLoss: null, takeProfit: null } }))
      expect(await settled(broker, candleAt(1, '100/10000/1/100')))
        .toMatchObject([{ side: 'buy', stop: null, target: null }])
      expect(await settled(broker, candleAt(2, '50/20000/0.5/100'))).toEqual([])
      expect(broker.idle).toBe(false)
    })

    it('raises a stop for later candles and never lowers it', async () => {
      const broker = await holding()
      await broker.raiseStop(BTC, 98)
      await broker.raiseStop(BTC, 96)
      expect(await settled(broker, candleAt(2, '100/101/98.5/99'))).toEqual([])
      expect(await settled(broker, candleAt(3, '99/100/97/98'))).toMatchObject([{ price: 98, reason: 'trailing' }])
      // Nothing is held any more, and the next position starts with its own stop.
      await broker.raiseStop(BTC, 99)
      await broker.submit(entryAt(3))
      expect(await settled(broker, candleAt(4, '100/101/96/100'))).toMatchObject([{ side: 'buy', stop: 95 }])
      expect(await settled(broker, candleAt(5, '100/101/94/95'))).toMatchObject([{ price: 95, reason: 'stop' }])
    })

    it('cancels what is pending and nothing else', async () => {
      const broker = await make()
      expect(await broker.cancel('entry-0')).toBeNull()
      await broker.submit(entryAt(0))
      expect(await broker.cancel('entry-1')).toBeNull()
      expect(await broker.cancel('entry-0'))
        .toMatchObject({ kind: 'order', orderId: 'entry-0', symbol: BTC, state: 'cancelled' })
      expect(broker.idle).toBe(true)
      expect(await settled(broker, candleAt(1, '100/101/99/100'))).toEqual([])
      expect(await broker.cancel('entry-0')).toBeNull()
      await broker.submit(entryAt(1))
      await settled(broker, candleAt(2, '100/101/99/100'))
      expect(await broker.cancel('entry-1')).toBeNull()
    })

    it('leaves the pair where an exit is cancelled', async () => {
      const broker = await holding()
      await broker.submit(exitAt(1))
      expect(await broker.cancel('exit-1')).toMatchObject({ state: 'cancelled' })
      expect(await settled(broker, candleAt(2, '96/97/94/95'))).toMatchObject([{ price: 95, reason: 'stop' }])
    })

    it('keeps symbols apart', async () => {
      const broker = await holding()
      await broker.submit(entryAt(1, { id: 'other', symbol: ETH, spend: 50 }))
      expect(await settled(broker, candleAt(2, '10/10.1/9.9/10'), ETH))
        .toMatchObject([{ symbol: ETH, price: 10, quantity: 5 }])
      expect(await settled(broker, candleAt(2, '100/101/99/100'))).toEqual([])
      expect(await settled(broker, candleAt(3, '9/9.1/8.9/9'), ETH))
        .toMatchObject([{ symbol: ETH, reason: 'stop_gap' }])
      expect(broker.idle).toBe(false)
      expect(await settled(broker, candleAt(3, '90/91/89/90'))).toMatchObject([{ symbol: BTC, reason: 'stop_gap' }])
      expect(broker.idle).toBe(true)
    })

    it('closes what is held at the last close, after cancelling what is pending, if it can', async () => {
      const flat = await make(COSTS)
      if (flat.closeAt === undefined) return
      const last = candleAt(1, '100/102/99/101')
      expect(flat.closeAt(BTC, last)).toHaveLength(0)
      await flat.submit(entryAt(1))
      expect(flat.closeAt(BTC, last)).toMatchObject([{ kind: 'order', orderId: 'entry-1', state: 'cancelled' }])
      expect(flat.idle).toBe(true)

      const broker = await holding(COSTS)
      await broker.submit(exitAt(1))
      const [update, fill] = broker.closeAt!(BTC, last)
      expect(update).toMatchObject({ kind: 'order', orderId: 'exit-1', state: 'cancelled' })
      expect(fill).toMatchObject({ side: 'sell', reason: 'end', liquidity: 'taker', time: START + HOUR })
      // 101 × 0.999
      expect((fill as Fill).price).toBeCloseTo(100.899, 9)
      expect(broker.idle).toBe(true)
      expect(broker.closeAt!(BTC, last)).toHaveLength(0)
    })

    it('goes on in a fork without touching the original, if it can', async () => {
      const broker = await holding()
      if (broker.fork === undefined) return
      await broker.submit(exitAt(1))
      const fork = broker.fork()
      expect(await settled(fork, candleAt(2, '90/91/89/90'))).toMatchObject([{ orderId: 'exit-1', price: 90 }])
      expect([fork.idle, broker.idle]).toEqual([true, false])
      expect(await settled(broker, candleAt(2, '91/92/90/91'))).toMatchObject([{ orderId: 'exit-1', price: 91 }])
      await fork.submit(entryAt(2, { id: 'fresh' }))
      expect(broker.idle).toBe(true)
    })

    /** What may happen at a close, and by how much each candle moves. */
    const steps = fc.array(fc.record({
      act: fc.constantFrom('wait', 'wait', 'wait', 'wait', 'buy', 'sell', 'raise', 'cancel', 'again'),
      open: fc.integer({ min: -20, max: 20 }),
      up: fc.nat(30),
      down: fc.nat(30),
      close: fc.integer({ min: -10, max: 10 }),
    }), { minLength: 5, maxLength: 60 })

    it('is calm only where it would have done nothing: leaving such candles out changes nothing', async () => {
      let calmCandles = 0
      await fc.assert(fc.asyncProperty(steps, fc.boolean(), async (walk, bare) => {
        const asked = await make(COSTS)
        const spared = await make(COSTS)
        if (asked.calm === undefined) return
        let price = 1000
        let newest: Approved<Order> | null = null
        for (const [index, { act, open, up, down, close }] of walk.entries()) {
          const at = price + open
          const end = Math.max(100, at + close)
          const candle = candleAt(index, `${at}/${Math.max(at, end) + up}/${Math.min(at, end) - down}/${end}`)
          price = end
          const range = spared.calm!(BTC)
          const calm = range !== null && candle.low > range.low && candle.high < range.high
          const before = asked.idle
          const executions = await settled(asked, candle)
          if (calm) {
            calmCandles++
            expect(executions).toEqual([])
            expect(asked.idle).toBe(before)
          } else expect(await settled(spared, candle)).toEqual(executions)
          expect(asked.calm(BTC)).toEqual(spared.calm!(BTC))
          expect(spared.idle).toBe(asked.idle)

          const protection = bare ? { stopLoss: null, takeProfit: null } : { stopLoss: 0.02, takeProfit: 0.03 }
          if (act === 'buy') newest = entryAt(index, { protection })
          if (act === 'sell') newest = exitAt(index)
          for (const broker of [asked, spared]) {
            if (newest !== null && (act === 'buy' || act === 'sell' || act === 'again')) await broker.submit(newest)
            if (act === 'raise') await broker.raiseStop(BTC, price - 5)
            if (act === 'cancel' && newest !== null) await broker.cancel(newest.id)
          }
        }
      }), { numRuns: 150 })
      expect(calmCandles).toBeGreaterThan(500)
    })

    it('buys and sells in turns and sells what it bought', async () => {
      let trips = 0
      await fc.assert(fc.asyncProperty(steps, async (walk) => {
        const broker = await make({ ...COSTS, feeAsset: 'received' })
        let price = 1000
        let held = 0
        for (const [index, { act, open, up, down, close }] of walk.entries()) {
          const at = price + open
          const end = Math.max(100, at + close)
          const candle = candleAt(index, `${at}/${Math.max(at, end) + up}/${Math.min(at, end) - down}/${end}`)
          price = end
          for (const fill of fillsOf(await settled(broker, candle))) {
            expect(fill.time).toBe(candle.openTime)
            expect(fill.quantity > 0 && fill.feeQuote >= 0 && fill.slippage >= 0).toBe(true)
            // Inside the candle but for slippage; a target that the open has left behind may be paid as it stands.
            const lowest = fill.liquidity === 'maker' ? 0 : candle.low * (1 - 0.001) - 1e-9
            expect(fill.price).toBeGreaterThanOrEqual(lowest)
            expect(fill.price).toBeLessThanOrEqual(candle.high * (1 + 0.001) + 1e-9)
            if (fill.side === 'buy') {
              expect(held).toBe(0)
              held = fill.quantity - fill.feeBase
            } else {
              expect(fill.quantity).toBe(held)
              expect(fill.reason).not.toBeNull()
              held = 0
              trips++
            }
          }
          if (act === 'buy' || act === 'again') await broker.submit(entryAt(index))
          if (act === 'sell') await broker.submit(exitAt(index))
          if (act === 'raise') await broker.raiseStop(BTC, price - 5)
        }
      }), { numRuns: 100 })
      expect(trips).toBeGreaterThan(50)
    })
  })
}
