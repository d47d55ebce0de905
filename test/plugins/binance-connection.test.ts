import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { orderAck, orderFull, serverTime } from '../../plugins/binance/answers.ts'
import { CallError, checkVenue, connect, marketId, type CallFailure, type Connection } from '../../plugins/binance/connection.ts'
import type { Venue } from '../../engine/ports.ts'
import { scriptedVenue, SteppedClock, testDeps, type Reply } from '../support/scripted-venue.ts'

const refusal = (code: number, msg: string, status = 400, more: object = {}): { status: number; json: object } => ({ status, json: { code, msg, ...more } })
const ACK = { symbol: 'BTCUSDT', orderId: 28, orderListId: -1, clientOrderId: 'a1', transactTime: 1_700_000_000_000 }
const ORDER = { symbol: 'BTCUSDT', side: 'BUY', type: 'MARKET', quoteOrderQty: 100, newClientOrderId: 'a1' }

/** The error that sending an order ends with. */
async function failureOf(connection: Connection): Promise<CallError> {
  const error: unknown = await connection.call('POST', 'order', ORDER, orderAck).then(() => null, (thrown: unknown) => thrown)
  if (!(error instanceof CallError)) throw new Error('expected a CallError', { cause: error })
  return error
}

describe('every error class of the exchange', () => {
  const table: readonly (readonly [name: string, reply: Reply, failure: CallFailure, details?: Partial<CallError>])[] = [
    ['−1000', refusal(-1000, 'An unknown error occurred while processing the request.'), 'unknown-outcome', { code: -1000 }],
    ['−1001', refusal(-1001, 'Internal error; unable to process your request.'), 'unknown-outcome', { code: -1001 }],
    ['−1006', refusal(-1006, 'An unexpected response was received from the message bus.'), 'unknown-outcome', { code: -1006 }],
    ['−1007 by 504', refusal(-1007, 'Timeout waiting for response from backend server.', 504), 'unknown-outcome', { code: -1007 }],
    ['503 with a page', { status: 503, text: '<html>busy</html>' }, 'unknown-outcome', { code: null }],
    ['500 with an empty body', { status: 500, text: '' }, 'unknown-outcome'],
    ['500 with a refusal that it cannot know', refusal(-9999, 'boom', 500), 'unknown-outcome'],
    ['a broken connection', 'break', 'unknown-outcome', { code: null }],
    ['no answer', 'hang', 'unknown-outcome', { code: null }],
    ['200 with a page', { text: '<html>hello</html>' }, 'unknown-outcome'],
    ['200 with cut JSON', { text: '{"symbol": "BTCU' }, 'unknown-outcome'],
    ['200 with nothing', { text: '' }, 'unknown-outcome'],
    ['200 with wrong types', { json: { ...ACK, orderId: 'x' } }, 'unknown-outcome'],
    ['408', { status: 408, text: '' }, 'unknown-outcome'],
    ['−1008', refusal(-1008, 'Server is currently overloaded with other requests.', 503), 'not-executed', { code: -1008 }],
    ['−1003', refusal(-1003, 'Too many requests.'), 'not-executed', { code: -1003 }],
    ['−1015', refusal(-1015, 'Too many new orders.'), 'not-executed'],
    ['429', { ...refusal(-1003, 'Too many requests.', 429), headers: { 'retry-after': '7' } }, 'not-executed', { code: -1003, retryAfterMs: 7000 }],
    ['418', { status: 418, text: '', headers: { 'retry-after': '120' } }, 'not-executed', { retryAfterMs: 120_000 }],
    ['−2010 balance', refusal(-2010, 'Account has insufficient balance for requested action.'), 'insufficient-funds', { code: -2010 }],
    ['−2010 stop', refusal(-2010, 'Stop price would trigger immediately.'), 'would-trigger'],
    ['−2010 maker', refusal(-2010, 'Order would immediately match and take.'), 'would-trigger'],
    ['−1013 relationship', refusal(-1013, 'The relationship of the prices for the orders is not correct.'), 'would-trigger'],
    ['−2010 relationship', refusal(-2010, 'The relationship of the prices for the orders is not correct.'), 'would-trigger'],
    ['−2010 duplicate', refusal(-2010, 'Duplicate order sent.'), 'duplicate'],
    ['−2010 anything else', refusal(-2010, 'This action is disabled on this account.'), 'rejected'],
    ['−1013 LOT_SIZE', refusal(-1013, 'Filter failure: LOT_SIZE'), 'filter', { code: -1013, filter: 'LOT_SIZE' }],
    ['−1013 PRICE_FILTER', refusal(-1013, 'Filter failure: PRICE_FILTER'), 'filter', { filter: 'PRICE_FILTER' }],
    ['−1013 NOTIONAL', refusal(-1013, 'Filter failure: NOTIONAL'), 'filter', { filter: 'NOTIONAL' }],
    ['−1013 MAX_NUM_ALGO_ORDERS', refusal(-1013, 'Filter failure: MAX_NUM_ALGO_ORDERS'), 'filter', { filter: 'MAX_NUM_ALGO_ORDERS' }],
    ['−1013 without a filter', refusal(-1013, 'Price * QTY is zero or less.'), 'rejected', { code: -1013, filter: null }],
    ['−2011', refusal(-2011, 'Unknown order sent.'), 'not-found', { code: -2011 }],
    ['−2013', refusal(-2013, 'Order does not exist.'), 'not-found', { code: -2013 }],
    ['−2026', refusal(-2026, 'Order was canceled or expired with no executed qty over 90 days ago and has been archived.'), 'archived'],
    ['−2022', refusal(-2022, 'Order cancel-replace failed.', 400, { data: { cancelResult: 'FAILURE' } }), 'cancel-replace-failed',
      { code: -2022, data: { cancelResult: 'FAILURE' } }],
    ['−2021 by 409', refusal(-2021, 'Order cancel-replace partially failed.', 409, { data: { cancelResult: 'SUCCESS' } }), 'cancel-replace-partial',
      { code: -2021, data: { cancelResult: 'SUCCESS' } }],
    ['−2021 by 429', refusal(-2021, 'Order cancel-replace partially failed.', 429, { data: { cancelResult: 'SUCCESS' } }), 'cancel-replace-partial'],
    ['−2014', refusal(-2014, 'API-key format invalid.', 401), 'forbidden', { code: -2014 }],
    ['−2015', refusal(-2015, 'Invalid API-key, IP, or permissions for action.', 401), 'forbidden', { code: -2015 }],
    ['−1022', refusal(-1022, 'Signature for this request is not valid.'), 'forbidden'],
    ['401', { status: 401, text: '' }, 'forbidden'],
    ['403', { status: 403, text: '<html>blocked</html>' }, 'forbidden'],
    ['451', { status: 451, text: '' }, 'forbidden'],
    ['−1121', refusal(-1121, 'Invalid symbol.'), 'rejected', { code: -1121 }],
    ['−1102', refusal(-1102, 'Mandatory parameter was not sent.'), 'rejected'],
    ['404', { status: 404, text: '' }, 'rejected'],
  ]

  it.each(table.map(([name, reply, failure, details]) => ({ name, reply, failure, details })))('$name', async ({ reply, failure, details }) => {
    const { venue, asked } = await scriptedVenue(() => reply)
    const error = await failureOf(await connect(venue, testDeps(), { timeoutMs: reply === 'hang' ? 50 : 10_000 }))
    expect(error).toMatchObject({ failure, ...details })
    expect(error.message).toContain('POST order')
    expect(error.message).not.toMatch(/the-key|the-secret|signature=/)
    expect(asked).toHaveLength(1)
  })

  it('knows −2015 for what it is, even after calls that worked', async () => {
    let worked = false
    const { venue } = await scriptedVenue(() => worked ? refusal(-2015, 'Invalid API-key, IP, or permissions for action.', 401) : { json: ACK })
    const connection = await connect(venue, testDeps())
    await connection.call('POST', 'order', ORDER, orderAck)
    worked = true
    expect(await failureOf(connection)).toMatchObject({ failure: 'forbidden', code: -2015 })
  })

  it('gives up on an answer whose body never ends', async () => {
    const { venue } = await scriptedVenue(() => 'endless')
    const connection = await connect(venue, testDeps(), { timeoutMs: 50 })
    expect(await failureOf(connection)).toMatchObject({ failure: 'unknown-outcome' })
  })

  it('is certain that nothing was executed where nobody listens', async () => {
    const gone = await scriptedVenue(() => 'break')
    const connection = await connect(gone.venue, testDeps(undefined, {
      fetch: async () => { throw new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED 127.0.0.1:1') }) },
    }))
    expect(await failureOf(connection)).toMatchObject({ failure: 'not-executed' })
  })

  it('sends nothing with an amount that is no number, nor after close', async () => {
    const { venue, asked } = await scriptedVenue(() => ({ json: ACK }))
    const connection = await connect(venue, testDeps())
    await expect(connection.call('POST', 'order', { ...ORDER, quoteOrderQty: Number.NaN }, orderAck)).rejects.toMatchObject({ failure: 'not-executed' })
    await expect(connection.call('POST', 'order/nonsense', ORDER, orderAck)).rejects.toMatchObject({ failure: 'not-executed' })
    await connection.close()
    expect(await failureOf(connection)).toMatchObject({ failure: 'not-executed' })
    expect(asked).toHaveLength(0)
  })
})

describe('requests', () => {
  it('are signed with the clock of the run, and counted', async () => {
    const { venue, asked } = await scriptedVenue(({ path }) => ({ json: path === 'time' ? { serverTime: 5 } : ACK }))
    const connection = await connect(venue, testDeps(new SteppedClock(1_234_567)))
    await connection.call('POST', 'order', { ...ORDER, quoteOrderQty: 1e-7 }, orderAck)
    await connection.call('GET', 'time', {}, serverTime)
    const [{ params, headers }] = asked
    expect(params).toMatchObject({ timestamp: '1234567', recvWindow: '5000', quoteOrderQty: '0.00000010', newClientOrderId: 'a1' })
    expect(headers['x-mbx-apikey']).toBe('the-key')
    const { signature, ...signed } = params
    const text = Object.entries(signed).map(([name, value]) => `${name}=${value}`).join('&')
    expect(signature).toBe(createHmac('sha256', 'the-secret').update(text).digest('hex'))
    expect(asked[1].params).toEqual({})
    expect(asked[1].headers['x-mbx-apikey']).toBeUndefined()
    expect(connection.counts).toEqual({ signed: 1, public: 1 })
  })

  it.each([
    ['POST', 'order'], ['GET', 'order'], ['DELETE', 'order'], ['POST', 'order/test'], ['POST', 'order/cancelReplace'], ['POST', 'orderList/oco'],
    ['GET', 'orderList'], ['DELETE', 'orderList'], ['GET', 'openOrders'], ['GET', 'openOrderList'], ['GET', 'allOrders'],
    ['GET', 'myTrades'], ['GET', 'account'], ['GET', 'account/commission'],
  ] as const)('reach %s %s, signed', async (method, path) => {
    const { venue, asked } = await scriptedVenue(() => ({ json: { fine: true } }))
    const connection = await connect(venue, testDeps())
    expect(await connection.call(method, path, { symbol: 'BTCUSDT' }, z.object({ fine: z.boolean() }))).toEqual({ fine: true })
    expect(asked).toMatchObject([{ method, path }])
    expect(asked[0].params).toHaveProperty('signature')
  })

  it.each(['time', 'exchangeInfo', 'klines', 'ticker/price', 'ticker/24hr', 'ticker/bookTicker', 'avgPrice', 'depth'])('reach GET %s without keys', async (path) => {
    const { venue, asked } = await scriptedVenue(() => ({ json: { fine: true } }))
    await (await connect(venue, testDeps())).call('GET', path, {}, z.unknown())
    expect(asked).toMatchObject([{ method: 'GET', path }])
    expect(asked[0].params).not.toHaveProperty('signature')
  })

  it('read the clock and sign again after −1021, once', async () => {
    const clock = new SteppedClock(1_000_000)
    let late = true
    const { venue, asked } = await scriptedVenue(({ path, params }) => {
      if (path === 'time') return { json: { serverTime: 1_009_000 } }
      return late && params['timestamp'] !== '1009000' ? refusal(-1021, 'Timestamp for this request is outside of the recvWindow.') : { json: ACK }
    })
    const connection = await connect(venue, testDeps(clock))
    expect(await connection.call('POST', 'order', ORDER, orderAck)).toEqual(ACK)
    expect(asked.map(({ path }) => path)).toEqual(['order', 'time', 'order'])
    late = false
    await connection.call('POST', 'order', ORDER, orderAck)
    expect(asked.at(-1)?.params['timestamp']).toBe('1009000')
    expect(await connection.syncTime()).toBe(9000)
  })

  it('give up when −1021 comes again, or the clock cannot be read', async () => {
    const stubborn = await scriptedVenue(({ path }) => path === 'time' ? { json: { serverTime: 1 } } : refusal(-1021, 'Timestamp outside.'))
    expect(await failureOf(await connect(stubborn.venue, testDeps()))).toMatchObject({ failure: 'not-executed', code: -1021 })
    expect(stubborn.asked.map(({ path }) => path)).toEqual(['order', 'time', 'order'])
    const blind = await scriptedVenue(({ path }) => path === 'time' ? { status: 503, text: '' } : refusal(-1021, 'Timestamp outside.'))
    expect(await failureOf(await connect(blind.venue, testDeps()))).toMatchObject({ failure: 'not-executed', code: -1021 })
    expect(blind.asked.map(({ path }) => path)).toEqual(['order', 'time'])
  })

  it('turn decimal strings into numbers, and refuse what is none', async () => {
    const fill = { price: '4000.00000000', qty: '1.00000000', commission: '4.00000000', commissionAsset: 'USDT', tradeId: 56 }
    const full = {
      ...ACK, price: '0.00000000', origQty: '10.0', executedQty: '10.0', cummulativeQuoteQty: '10.0', status: 'FILLED', type: 'MARKET',
      side: 'SELL', fills: [fill], somethingNew: 1,
    }
    let answer: object = full
    const { venue } = await scriptedVenue(() => ({ json: answer }))
    const connection = await connect(venue, testDeps())
    expect(await connection.call('POST', 'order', ORDER, orderFull)).toMatchObject({ executedQty: 10, fills: [{ price: 4000, commission: 4 }] })
    for (const executedQty of ['', 'NaN', 'Infinity', '1e400', '0x10', null, 10]) {
      answer = { ...full, executedQty }
      await expect(connection.call('POST', 'order', ORDER, orderFull)).rejects.toMatchObject({ failure: 'unknown-outcome' })
    }
  })

  it('keep answers apart that come in another order', async () => {
    const { venue } = await scriptedVenue(({ params }) =>
      params['symbol'] === 'A' ? { status: 429, text: '', headers: { 'retry-after': '9' } } : { status: 429, text: '', headers: { 'retry-after': '1' } })
    const connection = await connect(venue, testDeps())
    const [a, b] = await Promise.allSettled(['A', 'B'].map((symbol) => connection.call('GET', 'openOrders', { symbol }, z.unknown())))
    expect(a).toMatchObject({ reason: { retryAfterMs: 9000 } })
    expect(b).toMatchObject({ reason: { retryAfterMs: 1000 } })
  })
})

describe('where requests may go', () => {
  const venue = (name: Venue['name'], url: string | null = null): Venue => ({ name, url, apiKey: 'k', apiSecret: 's' })

  it('never follows a redirect', async () => {
    const elsewhere = await scriptedVenue(() => ({ json: ACK }))
    for (const status of [301, 302, 303, 307, 308]) {
      const { venue: redirecting } = await scriptedVenue(() => ({ status, text: '', headers: { location: `${elsewhere.venue.url}/api/v3/order` } }))
      const connection = await connect(redirecting, testDeps())
      expect(await failureOf(connection)).toMatchObject({ failure: 'forbidden' })
      await expect(connection.call('GET', 'time', {}, serverTime)).rejects.toMatchObject({ failure: 'forbidden' })
    }
    expect(elsewhere.asked).toHaveLength(0)
  })

  it.each([
    ['testnet', 'https://testnet.binance.vision/api/v3/order'],
    ['demo', 'https://demo-api.binance.com/api/v3/order'],
    ['mainnet', 'https://api.binance.com/api/v3/order'],
  ] as const)('sends orders for %s to its own host, never following redirects', async (name, place) => {
    const calls: { url: string; redirect: string | undefined }[] = []
    const connection = await connect(venue(name), testDeps(undefined, {
      env: { ALLOW_MAINNET: 'yes' },
      fetch: async (url, init) => {
        calls.push({ url: url as string, redirect: init?.redirect })
        return Response.json(ACK)
      },
    }))
    expect(await connection.call('POST', 'order', ORDER, orderAck)).toEqual(ACK)
    await connection.call('GET', 'time', {}, z.unknown())
    expect(calls).toEqual([{ url: place, redirect: 'error' }, { url: place.replace(/order$/, 'time'), redirect: 'error' }])
  })

  it('refuses practice exchanges that are not on this machine', () => {
    for (const url of [
      null, '', 'http://example.com', 'https://127.0.0.1:1', 'http://127.0.0.1:1/api', 'http://127.0.0.1.example.com', 'http://localhost:1',
      'http://user:pass@127.0.0.1:1', 'http://0.0.0.0:1', 'http://10.0.0.1:80', 'http://[::2]:1', 'not a url',
    ]) {
      expect(() => checkVenue(venue('practice', url), {}), String(url)).toThrow(expect.objectContaining({ code: 'TD_VENUE' }))
    }
    for (const url of ['http://127.0.0.1:4711', 'http://127.1.2.3:1', 'http://[::1]:4711']) checkVenue(venue('practice', url), {})
  })

  it('refuses an address for a venue of Binance', () => {
    for (const name of ['testnet', 'demo', 'mainnet'] as const) {
      expect(() => checkVenue(venue(name, 'https://evil.example'), { ALLOW_MAINNET: 'yes' })).toThrow(/only ever reached at .*leave the address out/)
    }
  })

  it('refuses mainnet without the opt-in, before anything is sent', async () => {
    for (const env of [{}, { ALLOW_MAINNET: 'true' }, { ALLOW_MAINNET: '' }]) {
      await expect(connect(venue('mainnet'), testDeps(undefined, { env }))).rejects.toMatchObject({ code: 'TD_VENUE' })
    }
    expect(() => checkVenue(venue('mainnet'), { ALLOW_MAINNET: 'yes' })).not.toThrow()
  })

  it('names the keys that are missing', () => {
    expect(() => checkVenue({ ...venue('testnet'), apiKey: '' }, {})).toThrow(/BINANCE_API_KEY must be set/)
    expect(() => checkVenue({ ...venue('testnet'), apiKey: '', apiSecret: '' }, {})).toThrow(/BINANCE_API_KEY and BINANCE_API_SECRET must be set/)
  })

  it('writes symbols as Binance does', () => {
    expect(marketId('BTC/USDT')).toBe('BTCUSDT')
  })
})
