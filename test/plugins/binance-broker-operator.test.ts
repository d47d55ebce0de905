import { describe, expect, it } from 'vitest'
import { buyAt, closeOf, holding, UNSENT, VenueDesk } from '../support/venue-broker.ts'

const BARE = { protection: { stopLoss: null, takeProfit: null } }
const sells = (desk: VenueDesk): number => desk.exchange.orders().filter(({ side, type }) => side === 'SELL' && type === 'MARKET').length

describe('a halt', () => {
  it('that comes while an entry is being checked keeps it from leaving', async () => {
    const desk = await VenueDesk.open()
    desk.on('GET ticker/bookTicker', { executed: true, first: async () => { desk.halted = 'now' } })
    expect(await desk.submit(buyAt(0))).toMatchObject({ state: 'rejected', reason: 'halted' })
    expect(desk.requests('POST order')).toEqual([])
    desk.halted = null
    await desk.candle(1)
    expect(await desk.submit(buyAt(1))).toMatchObject({ state: 'accepted' })
  })
})

describe("a person's sale of a position with nothing that rests", () => {
  const bare = async (): Promise<VenueDesk> => {
    // The coins of somebody else would cover a second sale.
    const desk = await VenueDesk.open({ balances: { USDT: 10_000, BTC: 50 } })
    await desk.submit(buyAt(0, BARE))
    await desk.candle(1)
    expect(desk.openOrders).toEqual([])
    return desk
  }

  it('is taken in by a halted loop', async () => {
    const desk = await bare()
    desk.halted = 'panic'
    expect(await (await desk.otherProcess()).flatten!('BTC/USDT')).toBe(true)
    expect(await desk.wake(60_000)).toMatchObject([{ side: 'sell', reason: 'operator' }])
    expect(sells(desk)).toBe(1)
  })

  it('is taken in by the next process, halted or not', async () => {
    const desk = await bare()
    expect(await (await desk.otherProcess()).flatten!('BTC/USDT')).toBe(true)
    await desk.restart()
    expect(await desk.wake(60_000)).toMatchObject([{ side: 'sell', reason: 'operator' }])
    expect(sells(desk)).toBe(1)
    expect(desk.exchange.balance('BTC')).toEqual({ free: 50, locked: 0 })
  })
})

describe('a person who wants out', () => {
  it('waits for an entry whose fate nobody knows yet', async () => {
    const desk = await VenueDesk.open()
    const halfway = new Promise<boolean>((resolve, reject) => {
      desk.on('POST order', { ...UNSENT, first: async () => { (await desk.otherProcess()).flatten!('BTC/USDT').then(resolve, reject) } })
    })
    await desk.submit(buyAt(0))
    expect(await halfway).toBe(false)
    expect(desk.clock.now()).toBeGreaterThan(closeOf(0))
  })

  it('is out of a position that its stop has closed meanwhile', async () => {
    const desk = await holding({ candles: ['100/101/99/100', '100/101/99/100', '100/101/1/2'] })
    await desk.clock.sleep(2 * 3_600_000)
    const other = await desk.otherProcess()
    expect(await other.flatten!('BTC/USDT')).toBe(true)
    expect(other.takeExecutions!('BTC/USDT')).toMatchObject([{ kind: 'fill', reason: 'stop' }, { kind: 'order', state: 'cancelled' }])
    expect(sells(desk)).toBe(0)
  })
})
