import { describe, expect, it } from 'vitest'
import type { Costs } from '../../engine/core/matching.ts'
import { START } from '../support/practice.ts'
import { BTC, buyAt, closeOf, ETH, FREE, holding, HOUR, idOf, QUIET, sellAt, VenueDesk } from '../support/venue-broker.ts'

const COSTS: Costs = { maker: 0.001, taker: 0.002, feeAsset: 'quote', slippageBps: 12 }
/** When candle `index` opens, which is how fills are dated. */
const openOf = (index: number): number => START + index * HOUR
const POSITION = `0-${closeOf(0) / 1000}`

describe('the binance broker as a broker', () => {
  it('tells the scenario\'s cash and the venue\'s costs', async () => {
    const desk = await VenueDesk.open({ costs: COSTS, balances: { USDT: 77_000 }, options: { cash: 5000 } })
    expect(await desk.broker.account()).toEqual({ cash: 5000, costs: COSTS })
  })

  it('tells nothing until something is sent', async () => {
    const desk = await VenueDesk.open({ candles: [QUIET, '100/1000/1/100'] })
    expect(await desk.candle(1)).toEqual([])
    expect(desk.exchange.accepted).toBe(0)
    // Something may always have happened at a venue.
    expect(desk.broker.idle).toBe(false)
    expect(desk.broker.cancel(buyAt(0).id)).toBeNull()
  })

  it('fills an entry at the next open, worsened by slippage, and arms its pair from the fill on ticks', async () => {
    const desk = await VenueDesk.open({ costs: COSTS, candles: [QUIET, '100/101/99/100', '100/105/95.12/100'] })
    expect(await desk.submit(buyAt(0))).toEqual({ orderId: `${POSITION}-entry`, state: 'accepted', reason: null })
    const [fill, ...more] = await desk.candle(1)
    expect(more).toEqual([])
    // 100 × 1.0012 = 100.12; 1000 ÷ (100.12 × 1.002) = 9.968078… units cost no more than 1000 with their fee of 0.2 %.
    expect(fill).toMatchObject({
      kind: 'fill', orderId: `${POSITION}-entry`, symbol: BTC, side: 'buy', time: openOf(1), price: 100.12, quantity: 9.96807, feeBase: 0,
      liquidity: 'taker', reason: null, ambiguous: false, stop: 95.11, target: 105.13,
    })
    const { quantity, notional, feeQuote, slippage } = desk.fills[0]
    expect(notional).toBeCloseTo(9.96807 * 100.12, 7)
    expect(feeQuote).toBeCloseTo(notional * 0.002, 7)
    expect(notional + feeQuote).toBeLessThanOrEqual(1000)
    expect(slippage).toBeCloseTo(quantity * 0.12, 9)
    // 100.12 × 0.95 = 95.114 and × 1.05 = 105.126, to the tick.
    expect(desk.openOrders).toMatchObject([
      { clientOrderId: idOf(0, 's1'), type: 'STOP_LOSS', stopPrice: 95.11, quantity: 9.96807 },
      { clientOrderId: idOf(0, 't1'), type: 'LIMIT_MAKER', price: 105.13, quantity: 9.96807 },
    ])
    expect(await desk.candle(2)).toEqual([])
  })

  it('pays a buy\'s fee in base, protects the rest on the lot and leaves dust', async () => {
    const desk = await holding({ costs: { ...FREE, taker: 0.00123 }, instrument: { tickSize: 0.01, lotSize: 0.01, minNotional: 5 }, candles: [QUIET, QUIET, '90/91/89/90'] })
    expect(desk.fills).toMatchObject([{ quantity: 10, feeBase: 0.0123, feeQuote: 0 }])
    // 9.9877 are held, of which 9.98 are whole lots.
    expect(desk.openOrders.map(({ quantity }) => quantity)).toEqual([9.98, 9.98])
    expect(await desk.candle(2)).toMatchObject([{ side: 'sell', quantity: 9.98, price: 90, reason: 'stop_gap' }])
    // The dust goes with the next position: 90 buys 11.11 less 0.013665 in fees, and 0.0077 are there.
    await desk.submit(buyAt(2))
    await desk.candle(3)
    expect(desk.openOrders.map(({ quantity }) => quantity)).toEqual([11.1, 11.1])
    await desk.submit(sellAt(3))
    await desk.candle(4)
    expect(desk.fills.at(-1)).toMatchObject({ side: 'sell', quantity: 11.1, reason: 'signal' })
    expect(desk.exchange.balance('BTC').free).toBeCloseTo(10 - 0.0123 - 9.98 + 11.11 - 0.0136653 - 11.1, 8)
  })

  it('takes an order once, however often it is sent', async () => {
    const desk = await VenueDesk.open()
    for (let times = 0; times < 3; times++) {
      expect(await desk.submit(buyAt(0))).toMatchObject({ state: 'accepted' })
    }
    expect(await desk.candle(1)).toHaveLength(1)
    expect(await desk.submit(buyAt(0))).toMatchObject({ state: 'accepted' })
    expect(await desk.candle(2)).toEqual([])
    await desk.submit(sellAt(2))
    await desk.submit(sellAt(2))
    expect(await desk.candle(3)).toHaveLength(1)
    await desk.submit(buyAt(0))
    await desk.submit(sellAt(2))
    expect(await desk.candle(4)).toEqual([])
    expect(desk.exchange.trades()).toHaveLength(2)
  })

  it('rejects an exit without a position and an entry beside one', async () => {
    const desk = await VenueDesk.open()
    expect(await desk.submit(sellAt(0))).toEqual({ orderId: sellAt(0).id, state: 'rejected', reason: 'no-position' })
    await desk.submit(buyAt(0))
    await desk.candle(1)
    expect(await desk.submit(buyAt(1))).toMatchObject({ state: 'rejected', reason: 'already-in-position' })
    expect(await desk.candle(2)).toEqual([])
    expect(desk.exchange.trades()).toHaveLength(1)
  })

  it.each([['100/101/94/96', 95, 'stop', 'taker'], ['100/106/99/101', 105, 'target', 'maker']] as const)(
    'protects from the entry candle on: %s', async (text, price, reason, liquidity) => {
      const desk = await VenueDesk.open({ candles: [QUIET, text] })
      await desk.submit(buyAt(0))
      const executions = await desk.candle(1)
      expect(executions).toMatchObject([
        { side: 'buy', price: 100, stop: 95, target: 105 }, { side: 'sell', price, reason, liquidity, quantity: 10, time: openOf(1) },
      ])
      expect(desk.openOrders).toEqual([])
    })

  it.each([
    ['stop', '98/99/90/91', 95, 'taker'], ['stop_gap', '90/92/88/91', 90, 'taker'], ['target', '102/107/101/106', 105, 'maker'],
    ['target', '106/107/101/106', 105, 'maker'], ['stop', '100/107/94/101', 95, 'taker'],
  ] as const)('closes with reason %s in %s', async (reason, text, price, liquidity) => {
    const desk = await holding({ candles: [QUIET, QUIET, text] })
    const role = liquidity === 'maker' ? 'target' : 'stop'
    expect(await desk.candle(2)).toMatchObject([{
      orderId: `${POSITION}-entry-${role}`, side: 'sell', price, reason, liquidity, quantity: 10, notional: price * 10, time: openOf(2), stop: null, target: null,
    }])
    expect(await desk.candle(3)).toEqual([])
    expect(desk.exchange.balance('BTC')).toEqual({ free: 0, locked: 0 })
  })

  it('calls a target that the open has left behind a gap, where the venue pays the open', async () => {
    const desk = await holding({ candles: [QUIET, QUIET, '110/112/109/111'], fillModel: 'open-on-gap' })
    expect(await desk.candle(2)).toMatchObject([{ price: 110, reason: 'target_gap' }])
  })

  it('closes at the stop, worsened by slippage, with the taker\'s fee, and at the target with the maker\'s', async () => {
    const stopped = await holding({ costs: COSTS, candles: [QUIET, QUIET, '98/99/90/91'] })
    const [stop] = await stopped.candle(2)
    expect(stop).toMatchObject({ price: 94.995868, quantity: 9.96807, reason: 'stop' })
    const [, fill] = stopped.fills
    expect(fill.feeQuote).toBeCloseTo(fill.notional * 0.002, 7)
    expect(fill.slippage).toBeCloseTo(9.96807 * 95.11 * 0.0012, 6)
    const won = await holding({ costs: COSTS, candles: [QUIET, QUIET, '102/107/101/106'] })
    await won.candle(2)
    expect(won.fills[1]).toMatchObject({ price: 105.13, reason: 'target', slippage: 0 })
    expect(won.fills[1].feeQuote).toBeCloseTo(won.fills[1].notional * 0.001, 7)
  })

  it.each(['signal', 'time', 'operator'] as const)('takes the pair down with an exit for %s, which fills at the next open', async (reason) => {
    const desk = await holding({ candles: [QUIET, QUIET, '98/110/80/100'] })
    expect(await desk.submit(sellAt(1, { reason }))).toEqual({ orderId: sellAt(1).id, state: 'accepted', reason: null })
    expect(desk.openOrders).toEqual([])
    expect(await desk.candle(2)).toMatchObject([{ orderId: sellAt(1).id, side: 'sell', price: 98, quantity: 10, reason, time: openOf(2) }])
    expect(await desk.candle(3)).toEqual([])
  })

  it('does not tell at a candle what happened after it', async () => {
    const desk = await VenueDesk.open({ candles: [QUIET, '100/101/99/100', '100/101/94/95'] })
    await desk.clock.sleep(HOUR)
    await desk.submit(buyAt(1))
    // It has filled at the open of candle 2, and candle 1 is being settled late.
    expect(await desk.candle(1)).toEqual([])
    expect(await desk.candle(2)).toMatchObject([{ side: 'buy', time: openOf(2) }, { side: 'sell', time: openOf(2), reason: 'stop' }])
  })

  it('tells at a wake-up what happened until then, and not again', async () => {
    const desk = await VenueDesk.open()
    await desk.submit(buyAt(0))
    expect(await desk.wake(60_000)).toMatchObject([{ side: 'buy', price: 100 }])
    expect(await desk.wake(60_000)).toEqual([])
    expect(await desk.candle(1)).toEqual([])
  })

  it.each([
    [{ stopLoss: null, takeProfit: null }, []], [{ stopLoss: 0.05, takeProfit: null }, ['STOP_LOSS']], [{ stopLoss: null, takeProfit: 0.05 }, ['LIMIT_MAKER']],
  ] as const)('does without a stop or a target where the entry says so: %j', async (protection, types) => {
    const desk = await VenueDesk.open({ candles: [QUIET, QUIET, '100/101/99/100', '100/106/94/100'] })
    await desk.submit(buyAt(0, { protection }))
    expect(await desk.candle(1)).toMatchObject([{ side: 'buy', stop: protection.stopLoss && 95, target: protection.takeProfit && 105 }])
    expect(desk.openOrders.map(({ type }) => type)).toEqual(types)
    expect(await desk.candle(2)).toEqual([])
    expect(desk.alarms).toEqual([])
    const executions = await desk.candle(3)
    if (types.length === 0) {
      expect(executions).toEqual([])
      expect(await desk.submit(sellAt(3))).toMatchObject({ state: 'accepted' })
      expect(await desk.candle(4)).toMatchObject([{ quantity: 10, reason: 'signal' }])
    } else expect(executions).toMatchObject([{ quantity: 10, reason: protection.stopLoss === null ? 'target' : 'stop' }])
  })

  it('raises a stop for later candles and never lowers it', async () => {
    const desk = await holding({ candles: [QUIET, QUIET, '100/101/98.5/99', '99/100/97/98', '100/101/96/100', '100/101/94/95'] })
    await desk.raiseStop(98)
    const [stop] = desk.openOrders
    await desk.raiseStop(96)
    expect(desk.openOrders.map(({ stopPrice, price }) => stopPrice || price)).toEqual([98, 105])
    expect(desk.openOrders[0]).toEqual(stop)
    expect(await desk.candle(2)).toEqual([])
    expect(await desk.candle(3)).toMatchObject([{ orderId: `${POSITION}-entry-stop-2`, price: 98, reason: 'trailing' }])
    // Nothing is held any more, and the next position starts with its own stop.
    await desk.raiseStop(99)
    await desk.submit(buyAt(3))
    expect(await desk.candle(4)).toMatchObject([{ side: 'buy', stop: 95 }])
    expect(await desk.candle(5)).toMatchObject([{ price: 95, reason: 'stop' }])
    expect(desk.alarms).toEqual([])
  })

  it('keeps symbols apart', async () => {
    const desk = await holding({ candles: [QUIET, QUIET, QUIET, '90/91/89/90'], eth: ['10/10/10/10', '10/10/10/10', '10/10.1/9.9/10', '9/9.1/8.9/9'] })
    await desk.submit(buyAt(1, { symbol: ETH, spend: 50 }))
    expect(await desk.candle(2, ETH)).toMatchObject([{ symbol: ETH, price: 10, quantity: 5 }])
    expect(await desk.candle(2)).toEqual([])
    expect(await desk.candle(3, ETH)).toMatchObject([{ symbol: ETH, reason: 'stop_gap', quantity: 5 }])
    expect(await desk.candle(3)).toMatchObject([{ symbol: BTC, reason: 'stop_gap', quantity: 10 }])
    await desk.restart()
    expect([...await desk.wake(), ...await desk.wake(0, ETH)]).toEqual([])
  })

  it('has what happened while nobody was there told after a restart, once', async () => {
    const desk = await holding({ candles: [QUIET, QUIET, '100/101/94/96'] })
    await desk.clock.sleep(2 * HOUR)
    await desk.restart()
    expect(await desk.candle(2)).toMatchObject([{ orderId: `${POSITION}-entry-stop`, price: 95, quantity: 10, reason: 'stop', time: openOf(2) }])
    await desk.restart()
    expect(await desk.wake()).toEqual([])
    expect(await desk.submit(buyAt(0))).toMatchObject({ state: 'rejected' })
    expect(desk.exchange.trades()).toHaveLength(2)
  })

  it('refuses a run without a venue', async () => {
    const { default: binance } = await import('../../plugins/broker/binance.ts')
    const { testDeps } = await import('../support/scripted-venue.ts')
    await expect(binance.create(binance.options.parse({}), testDeps(), { instruments: {}, timeframe: '1h' })).rejects.toMatchObject({ code: 'TD_PLUGIN_OPTIONS' })
  })
})
