import { onTestFinished, describe, expect, it } from 'vitest'
import type { Candle } from '../../engine/core/candle.ts'
import { download } from '../../engine/download.ts'
import { VirtualClock } from '../../engine/real-clock.ts'
import { coded } from '../support/coded.ts'
import { DataHost, json, type Mischief } from '../support/data-host.ts'
import { quietWorld } from '../support/run-scenario.ts'
import { candlesFrom, MONDAY } from '../support/tape-files.ts'

const HOUR = 3_600_000

/** Downloads 1,500 candles in time that passes at once; returns what came and how long it took. */
async function fetched(mischief: Mischief): Promise<{ rows: Candle[]; error: unknown; took: number; calls: number }> {
  const host = await DataHost.open(candlesFrom(MONDAY, 1500, '1h'), MONDAY + 1500 * HOUR, mischief)
  onTestFinished(() => host.close())
  const rows: Candle[] = []
  const clock = new VirtualClock(0)
  let error: unknown = null
  try {
    await download({ symbol: 'BTC/USDT', timeframe: '1h', from: MONDAY, to: null },
      { last: null, add: (page) => rows.push(...page), progress: () => {} },
      { ...quietWorld(), env: { BINANCE_DATA_URL: host.url } }, clock)
  } catch (caught) {
    error = caught
  }
  return { rows, error, took: clock.now(), calls: host.asked.length }
}

describe('a download', () => {
  it('takes no candle whose close is a moment ago', async () => {
    expect((await fetched(() => false)).rows).toHaveLength(1499)
  })

  it.each<[string, Mischief]>([
    ['garbage', (_call, response) => { response.writeHead(200).end('<html>'); return true }],
    ['an object', (_call, response) => json(response, 200, { ok: true })],
    ['numbers instead of texts', (_call, response) => json(response, 200, [[MONDAY + 1000 * HOUR, 1, 2, 1, 1, 1, 1]])],
    ['a broken server', (_call, response) => json(response, 502, {})],
  ])('waits out %s with a budget of tries, then keeps what came before', async (_, mischief) => {
    const { rows, error, calls, took } = await fetched((call, response, page) => call > 1 && mischief(call, response, page))
    expect(error).toEqual(coded('TD_EXCHANGE_FAILED', 'GET klines'))
    expect(rows).toHaveLength(1000)
    expect(calls).toBe(1 + 8)
    expect(took).toBeGreaterThan(0)
    expect(took).toBeLessThan(70_000)
  })

  it('waits as long as it is asked to, and counts failures anew after each answer', async () => {
    const { rows, took } = await fetched((call, response) =>
      call % 4 !== 0 && json(response, 429, { code: -1003, msg: 'Slow down.' }, { 'retry-after': '60' }))
    expect(rows).toHaveLength(1499)
    expect(took).toBeGreaterThanOrEqual(6 * 60_000)
  })
})
