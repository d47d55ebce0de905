import { describe, expect, it } from 'vitest'
import { instrumentOf } from '../../engine/core/instrument.ts'
import type { Connection, VenueMarket } from '../../plugins/binance/connection.ts'
import { VenueOrders } from '../../plugins/broker/binance/venue-orders.ts'
import { START } from '../support/practice.ts'

/** A venue that has one candle, which opened at START, and notes what it was asked. */
function asking(): { readonly orders: VenueOrders; readonly asked: unknown[] } {
  const asked: unknown[] = []
  const candle = { openTime: START, open: 101.5 }
  const connection: Pick<Connection, 'call'> = {
    call: (...request) => {
      asked.push(request.slice(0, 3))
      return Promise.resolve([candle] as never)
    },
  }
  return { orders: new VenueOrders(connection as Connection, instrumentOf('BTC/USDT', {}), {} as VenueMarket), asked }
}

describe('the open of the candle of a fill', () => {
  it.each([['5s', '1s'], ['30s', '1s'], ['10m', '5m'], ['1h', '1h']] as const)(
    'of %s is asked for by an interval that the venue has: %s', async (timeframe, interval) => {
      const { orders, asked } = asking()
      expect(await orders.openAt(timeframe, START)).toBe(101.5)
      expect(asked).toEqual([['GET', 'klines', { symbol: 'BTCUSDT', interval, startTime: START, limit: 1 }]])
    })

  it('is not that of a later one', async () => {
    expect(await asking().orders.openAt('5s', START - 5_000)).toBeNaN()
  })
})
