import { createHmac } from 'node:crypto'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { PracticeExchange } from '../../plugins/exchange/exchange.ts'
import { coded } from '../support/coded.ts'
import { advance, ask, call, KEYS, MINUTE, practice, QUIET, send, START, SYMBOL, tapeOf, type RawAnswer } from '../support/practice.ts'

const sign = (text: string, secret: string = KEYS.apiSecret): string => createHmac('sha256', secret).update(text).digest('hex')
const key = { 'x-mbx-apikey': KEYS.apiKey }
const order = 'symbol=BTCUSDT&side=BUY&type=MARKET&quoteOrderQty=100'

/** A request written by hand, letter by letter. */
const post = (exchange: PracticeExchange, query: string, body: string, headers: Record<string, string> = key): Promise<RawAnswer> =>
  send(`${exchange.url}/api/v3/order${query === '' ? '' : `?${query}`}`, {
    method: 'POST', body, headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
  })

describe('signatures', () => {
  it('cover the query string, the body, or both without anything between them', async () => {
    const exchange = await practice()
    const time = `timestamp=${START}`
    const inQuery = `${order}&${time}`
    expect((await post(exchange, `${inQuery}&signature=${sign(inQuery)}`, '')).status).toBe(200)
    expect((await post(exchange, '', `${inQuery}&signature=${sign(inQuery)}`)).status).toBe(200)
    expect((await post(exchange, order, `${time}&signature=${sign(order + time)}`)).status).toBe(200)
    expect((await post(exchange, `signature=${sign(inQuery)}&${inQuery}`, '')).status).toBe(200)
    expect(exchange.trades()).toHaveLength(4)
  })

  it('are refused when anything was changed on the way', async () => {
    const exchange = await practice()
    const text = `${order}&timestamp=${START}`
    for (const query of [
      `${text.replace('100', '900')}&signature=${sign(text)}`, `${text}&signature=${sign(text, 'another secret')}`, `${text}&signature=abc`,
      `side=BUY&symbol=BTCUSDT&type=MARKET&quoteOrderQty=100&timestamp=${START}&signature=${sign(text)}`,
    ]) {
      const answer = await post(exchange, query, '')
      expect(answer).toMatchObject({ status: 400, json: { code: -1022, msg: 'Signature for this request is not valid.' } })
    }
    expect((await post(exchange, text, '')).json).toMatchObject({ code: -1102, msg: expect.stringContaining("'signature'") as string })
    expect(exchange.orders()).toEqual([])
  })

  it('need our key', async () => {
    const exchange = await practice()
    const query = `${order}&timestamp=${START}&signature=${sign(`${order}&timestamp=${START}`)}`
    expect(await post(exchange, query, '', {})).toMatchObject({ status: 401, json: { code: -2014 } })
    expect(await post(exchange, query, '', { 'x-mbx-apikey': 'another' })).toMatchObject({ status: 401, json: { code: -2015 } })
    expect((await post(exchange, query, '')).status).toBe(200)
  })

  it('are not asked for where everybody may read', async () => {
    expect((await ask(await practice(), '/klines', { ...SYMBOL, interval: '1m' })).status).toBe(200)
  })
})

describe('timestamps', () => {
  const stale = { code: -1021, msg: 'Timestamp for this request is outside of the recvWindow.' }
  const early = { code: -1021, msg: "Timestamp for this request was 1000ms ahead of the server's time." }

  it.each([
    ['now', 0, {}, null], ['as old as the window', -5000, {}, null], ['older', -5001, {}, stale], ['a little ahead', 999, {}, null],
    ['a second ahead', 1000, {}, early], ['old, with a wide window', -60_000, { recvWindow: 60_000 }, null],
    ['old, with a narrow window', -11, { recvWindow: 10 }, stale],
  ])('%s', async (_case, offset, more, refusal) => {
    const exchange = await practice()
    const { json, status } = await call(exchange, 'GET', '/account', { timestamp: START + offset, ...more })
    expect([status, refusal === null ? null : json]).toEqual([refusal === null ? 200 : 400, refusal])
  })

  it('are needed, as numbers, with a window of up to a minute', async () => {
    const exchange = await practice()
    expect((await call(exchange, 'GET', '/account', { timestamp: '' })).json).toMatchObject({ code: -1102 })
    expect((await call(exchange, 'GET', '/account', { timestamp: 'now' })).json).toMatchObject({ code: -1100 })
    expect((await call(exchange, 'GET', '/account', { recvWindow: 60_001 })).json).toMatchObject({ code: -1131 })
  })

  it('are judged by the exchange\'s own time', async () => {
    const exchange = await practice()
    await advance(exchange)
    expect((await call(exchange, 'GET', '/account', { timestamp: START })).json).toEqual(stale)
    expect((await call(exchange, 'GET', '/account', { timestamp: START + MINUTE })).status).toBe(200)
  })
})

describe('control routes', () => {
  it('need the key', async () => {
    const { url } = await practice()
    expect(await send(`${url}/practice/state`)).toMatchObject({ status: 401, json: { code: -2014 } })
    expect(await send(`${url}/practice/advance`, { method: 'POST', body: '{"until":1}', headers: { 'x-mbx-apikey': 'x' } })).toMatchObject({ status: 401 })
  })

  it('step to the next close or an earlier moment, never back, and tell the end', async () => {
    const exchange = await practice(QUIET.slice(0, 2))
    expect(await advance(exchange, START + 1)).toEqual({ time: START + 1, ended: false })
    expect(await advance(exchange, START)).toEqual({ time: START + 1, ended: false })
    expect(await advance(exchange)).toEqual({ time: START + MINUTE, ended: false })
    expect(await advance(exchange)).toEqual({ time: START + 2 * MINUTE, ended: true })
    expect(exchange.endTime).toBe(START + 2 * MINUTE)
    expect(await advance(exchange, START + 5 * MINUTE)).toEqual({ time: START + 5 * MINUTE, ended: true })
  })

  it('tell the state', async () => {
    const exchange = await practice()
    await call(exchange, 'GET', '/account')
    await ask(exchange, '/time')
    const { json } = await send(`${exchange.url}/practice/state`, { headers: key })
    expect(json).toEqual({ time: START, pace: 'stepped', ended: false, endTime: START + 20 * MINUTE, counts: { signed: 1, public: 1, orders: 0 } })
  })

  it('keep the clock for one client, until it lets go or its time is over', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    onTestFinished(() => void vi.useRealTimers())
    const { url } = await practice()
    const post = async (route: string, body: object): Promise<unknown> =>
      (await send(`${url}/practice/${route}`, { method: 'POST', headers: key, body: JSON.stringify(body) })).json
    expect(await post('hold', { by: 'one', ms: 5_000 })).toEqual({ time: START, ended: false, held: false })
    expect(await post('advance', { until: START + 1 })).toEqual({ time: START, ended: false, held: true })
    expect(await post('advance', { until: START + 2, by: 'another' })).toEqual({ time: START, ended: false, held: true })
    expect(await post('hold', { by: 'another', ms: 0 })).toMatchObject({ held: true })
    expect(await post('advance', { until: START + 3, by: 'one' })).toEqual({ time: START + 3, ended: false })
    expect(await post('hold', { by: 'one', ms: 0 })).toMatchObject({ held: false })
    expect(await post('advance', { until: START + 4 })).toEqual({ time: START + 4, ended: false })
    expect(await post('hold', { by: 'another', ms: 5_000 })).toMatchObject({ held: false })
    vi.advanceTimersByTime(4_999)
    expect(await post('advance', { until: START + 5 })).toMatchObject({ held: true })
    vi.advanceTimersByTime(1)
    expect(await post('advance', { until: START + 5 })).toEqual({ time: START + 5, ended: false })
  })

  it('refuse nonsense, and to step a clock that runs by itself', async () => {
    const stepped = await practice()
    const advanceBy = (exchange: PracticeExchange, body: string): Promise<RawAnswer> =>
      send(`${exchange.url}/practice/advance`, { method: 'POST', headers: key, body })
    expect((await advanceBy(stepped, 'soon')).json).toMatchObject({ code: -1102 })
    expect((await advanceBy(stepped, '{"until":"soon"}')).status).toBe(400)
    const holdBy = (exchange: PracticeExchange, body: string): Promise<RawAnswer> =>
      send(`${exchange.url}/practice/hold`, { method: 'POST', headers: key, body })
    expect((await holdBy(stepped, '{"by":"me","ms":60000}')).json).toMatchObject({ code: -1102, msg: expect.stringContaining("'ms'") as string })
    expect((await holdBy(stepped, 'now')).status).toBe(400)
    const running = await practice(QUIET, { pace: 1 })
    expect((await advanceBy(running, '{"until":1e14}')).status).toBe(409)
    expect((await holdBy(running, '{"by":"me","ms":1}')).status).toBe(409)
  })
})

it('runs by itself at a pace, and orders meet the candles that pass', async () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  onTestFinished(() => void vi.useRealTimers())
  const exchange = await practice([...QUIET.slice(0, 2), [100, 100, 80, 85]], { pace: 100, balances: { BTC: 1 } })
  vi.advanceTimersByTime(10)
  expect(exchange.now()).toBe(START + 1000)
  const answer = await call(exchange, 'POST', '/order', { ...SYMBOL, side: 'SELL', type: 'STOP_LOSS', quantity: '1', stopPrice: '90' })
  expect(answer.status, answer.text).toBe(200)
  vi.advanceTimersByTime(1800)
  expect(exchange.trades()).toMatchObject([{ price: 90, time: START + 3 * MINUTE - 1 }])
  expect((await send(`${exchange.url}/practice/state`, { headers: key })).json).toMatchObject({ ended: true, time: START + 181_000 })
})

it('counts weight and orders in headers, by the exchange\'s time', async () => {
  const exchange = await practice()
  await ask(exchange, '/exchangeInfo')
  const second = await ask(exchange, '/time')
  expect(second.headers.get('x-mbx-used-weight-1m')).toBe('21')
  const placed = await call(exchange, 'POST', '/order', { ...SYMBOL, side: 'BUY', type: 'MARKET', quoteOrderQty: '100' })
  expect(placed.headers.get('x-mbx-order-count-10s')).toBe('1')
  await advance(exchange)
  expect((await ask(exchange, '/time')).headers.get('x-mbx-used-weight-1m')).toBe('1')
})

it('has nothing elsewhere', async () => {
  const exchange = await practice()
  expect((await send(`${exchange.url}/api/v3/nothing`)).status).toBe(404)
  expect(new URL(exchange.url).hostname).toBe('127.0.0.1')
})

it('names the symbols that are asked for', async () => {
  const exchange = await practice()
  const names = (answer: RawAnswer): unknown[] => (answer.json['symbols'] as unknown as { symbol: string }[]).map(({ symbol }) => symbol)
  expect(names(await ask(exchange, '/exchangeInfo', { symbols: '["BTCUSDT"]' }))).toEqual(['BTCUSDT'])
  expect((await ask(exchange, '/exchangeInfo', { symbols: '["ETHUSDT"]' })).json).toMatchObject({ code: -1121 })
  expect((await ask(exchange, '/exchangeInfo', { symbols: 'BTCUSDT' })).json).toMatchObject({ code: -1100 })
})

it('does not start without candles, an instrument or a port', async () => {
  const empty = { ...tapeOf([]), rows: 0 }
  await expect(practice(QUIET, { tapes: [empty] })).rejects.toThrow(coded('TD_TAPE_EMPTY', 'BTC/USDT'))
  await expect(practice(QUIET, { instruments: {} })).rejects.toThrow(coded('TD_RANGE_INVALID', 'BTC/USDT', 'no instrument'))
  const { port } = await practice()
  await expect(practice(QUIET, { port })).rejects.toThrow(coded('TD_USAGE', `127.0.0.1:${port}`, 'Name another port'))
})

it('may be closed twice', async () => {
  const exchange = await practice()
  await Promise.all([exchange.close(), exchange.close()])
  await expect(ask(exchange, '/ping')).rejects.toThrow()
})
