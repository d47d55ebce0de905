import { describe, expect, it } from 'vitest'
import { parseFault, type FaultPlan, type FaultRule, type PracticeExchange } from '../../plugins/exchange/exchange.ts'
import { Misfortune } from '../../plugins/exchange/misfortune.ts'
import { coded } from '../support/coded.ts'
import { advance, ask, call, marketBuy, marketSell, MINUTE, pair, practice, QUIET, send, START, SYMBOL, KEYS, type RawAnswer } from '../support/practice.ts'

const withFault = (rule: FaultRule, seed = 1, rows = QUIET): Promise<PracticeExchange> =>
  practice(rows, { faults: { seed, rules: [rule] }, balances: { USDT: 10_000, BTC: 10 } })

const account = (exchange: PracticeExchange): Promise<RawAnswer> => call(exchange, 'GET', '/account')
const times = async (exchange: PracticeExchange, params: Readonly<Record<string, string | number>> = {}): Promise<number[]> =>
  ((await ask(exchange, '/klines', { ...SYMBOL, interval: '1m', ...params })).json as unknown as number[][]).map(([time]) => (time - START) / MINUTE)

/** The reason why a request got no answer, or fails the test. */
const noAnswer = (request: Promise<RawAnswer>): Promise<unknown> =>
  request.then(({ text }) => expect.fail(`answered ${text}`), (error: unknown) => error)

describe('answers that never come', () => {
  it('lost-answer: executed, then the connection breaks', async () => {
    const exchange = await withFault({ fault: 'lost-answer', on: 'POST /order', at: [1] })
    await noAnswer(marketBuy(exchange, 1000, { newClientOrderId: 'entry' }))
    expect((await call(exchange, 'GET', '/order', { ...SYMBOL, origClientOrderId: 'entry' })).json).toMatchObject({ status: 'FILLED' })
  })

  it('lost-request: not executed, the connection breaks', async () => {
    const exchange = await withFault({ fault: 'lost-request', on: 'POST /order', at: [1] })
    await noAnswer(marketBuy(exchange, 1000))
    expect(exchange.orders()).toEqual([])
    expect((await marketBuy(exchange, 1000)).status).toBe(200)
  })

  /** An exchange that hangs on orders, once an order has arrived there. */
  async function hanging(rule: Partial<FaultRule>, seed: number): Promise<{ exchange: PracticeExchange; request: Promise<unknown>; abort: AbortController }> {
    let tell = (): void => undefined
    const arrived = new Promise<void>((resolve) => {
      tell = resolve
    })
    const exchange = await practice(QUIET, {
      faults: { seed, rules: [{ fault: 'hang', on: 'POST /order', ...rule }] }, onRequest: () => setImmediate(tell),
    })
    const abort = new AbortController()
    const request = noAnswer(call(exchange, 'POST', '/order', { ...SYMBOL, side: 'BUY', type: 'MARKET', quoteOrderQty: '100' }, {
      headers: { 'x-mbx-apikey': KEYS.apiKey }, signal: abort.signal,
    }))
    await arrived
    return { exchange, request, abort }
  }

  it.each([[0, 0], [1, 1]])('hang with value %i: the connection stays open, %i order executed, and closing ends it', async (value, orders) => {
    const { exchange, request } = await hanging({ value }, 1)
    expect(exchange.orders()).toHaveLength(orders)
    expect((await ask(exchange, '/ping')).status).toBe(200)
    expect(await Promise.race([request, Promise.resolve('still waiting')])).toBe('still waiting')
    await exchange.close()
    await request
  })

  it('hang without a value: executed or not, by chance', async () => {
    const executed = new Set<number>()
    for (let seed = 0; seed < 12; seed++) {
      const { exchange, request, abort } = await hanging({}, seed)
      executed.add(exchange.orders().length)
      abort.abort()
      await request
    }
    expect(executed).toEqual(new Set([0, 1]))
  })
})

describe('executions that differ', () => {
  it('duplicate: executed twice, answered once', async () => {
    const exchange = await withFault({ fault: 'duplicate' })
    const { json } = await marketBuy(exchange, 1000, { newClientOrderId: 'entry' })
    expect(json).toMatchObject({ orderId: 1, executedQty: '10.00000000' })
    expect(exchange.trades()).toHaveLength(2)
    expect(exchange.balance('USDT').free).toBe(8_000)
  })

  it('duplicate: not while the first order is open, nor without the money', async () => {
    const exchange = await withFault({ fault: 'duplicate' })
    await pair(exchange, 4, 95, 105, { listClientOrderId: 'pair', aboveClientOrderId: 'up', belowClientOrderId: 'down' })
    expect(exchange.orders()).toHaveLength(2)
    await marketBuy(exchange, 6_000)
    expect(exchange.trades()).toHaveLength(1)
  })

  it('partial-fill: a share fills and the rest expires', async () => {
    const exchange = await withFault({ fault: 'partial-fill', value: 0.3 })
    expect((await marketBuy(exchange, 1000)).json).toMatchObject({
      status: 'EXPIRED', origQty: '10.00000000', executedQty: '3.00000000', cummulativeQuoteQty: '300.00000000', fills: [{ qty: '3.00000000' }],
    })
    expect((await marketSell(exchange, 1)).json).toMatchObject({ status: 'EXPIRED', origQty: '1.00000000', executedQty: '0.30000000' })
    expect(exchange.balance('USDT').free).toBe(9_729.97)
  })

  it('expired: no fill, and while it lasts an empty book', async () => {
    const exchange = await withFault({ fault: 'expired' })
    expect((await marketBuy(exchange, 1000)).json).toMatchObject({ status: 'EXPIRED', executedQty: '0.00000000', fills: [] })
    expect(exchange.balance('USDT').free).toBe(10_000)
    expect((await ask(exchange, '/ticker/bookTicker', SYMBOL)).json).toMatchObject({ bidPrice: '0.00000000', askQty: '0.00000000' })
    expect((await ask(exchange, '/depth', SYMBOL)).json).toMatchObject({ bids: [], asks: [] })
  })

  it('partial-leg: the target fills a share and ends the stop; the rest waits alone', async () => {
    const exchange = await withFault({ fault: 'partial-leg', at: [1], value: 0.25 }, 1, [QUIET[0], [100, 106, 99, 100], [100, 104, 90, 100], [100, 106, 99, 100]])
    await pair(exchange, 8, 95, 105)
    for (let step = 0; step < 3; step++) await advance(exchange)
    expect(exchange.orders()).toMatchObject([{ type: 'STOP_LOSS', status: 'EXPIRED' }, { status: 'PARTIALLY_FILLED', executedQuantity: 2 }])
    expect(exchange.balance('BTC')).toEqual({ free: 2, locked: 6 })
    expect((await call(exchange, 'GET', '/openOrderList')).json).toHaveLength(1)
    await advance(exchange)
    expect(exchange.orders()[1]).toMatchObject({ status: 'FILLED', executedQuantity: 8 })
    expect(exchange.trades().map(({ quantity }) => quantity)).toEqual([2, 6])
  })

  it('partial-leg: what is left can be cancelled', async () => {
    const exchange = await withFault({ fault: 'partial-leg' }, 1, [[100, 106, 99, 100]])
    await pair(exchange, 8, 95, 105)
    await advance(exchange)
    const { json } = await call(exchange, 'DELETE', '/orderList', { ...SYMBOL, orderListId: 0 })
    expect(json['orderReports']).toMatchObject([{ status: 'EXPIRED' }, { status: 'CANCELED', executedQty: '4.00000000' }])
    expect(exchange.balance('BTC')).toEqual({ free: 6, locked: 0 })
  })

  it('reset: orders and trades vanish once, balances are fresh, the next request is already met by it', async () => {
    const exchange = await withFault({ fault: 'reset', from: START + MINUTE })
    await marketBuy(exchange, 1000, { newClientOrderId: 'entry' })
    await pair(exchange, 8, 95, 105)
    await advance(exchange)
    const gone = await call(exchange, 'GET', '/order', { ...SYMBOL, origClientOrderId: 'entry' })
    expect(gone).toMatchObject({ status: 400, json: { code: -2013 } })
    expect([exchange.orders(), exchange.trades()]).toEqual([[], []])
    expect([exchange.balance('USDT'), exchange.balance('BTC')]).toEqual([{ free: 10_000, locked: 0 }, { free: 1, locked: 0 }])
    await marketBuy(exchange, 1000)
    expect(exchange.trades()).toHaveLength(1)
  })
})

describe('refusals', () => {
  it('rate-limit: 429 with Retry-After until that has passed', async () => {
    const exchange = await withFault({ fault: 'rate-limit', at: [2], value: 30 })
    expect((await account(exchange)).status).toBe(200)
    for (let request = 0; request < 2; request++) {
      const answer = await marketBuy(exchange, 1000)
      expect(answer).toMatchObject({ status: 429, json: { code: -1003 } })
      expect(answer.headers.get('retry-after')).toBe('30')
    }
    await advance(exchange, START + 29_001)
    expect((await account(exchange)).headers.get('retry-after')).toBe('1')
    await advance(exchange, START + 30_000)
    expect((await account(exchange)).status).toBe(200)
    expect(exchange.orders()).toEqual([])
  })

  it('ban: 418 with Retry-After and the time of its end', async () => {
    const exchange = await withFault({ fault: 'ban', at: [1] })
    const answer = await account(exchange)
    expect(answer).toMatchObject({ status: 418, json: { code: -1003, msg: expect.stringContaining(`banned until ${START + 120_000}`) as string } })
    expect(answer.headers.get('retry-after')).toBe('120')
  })

  it.each([[10_000, /outside of the recvWindow/], [-2_000, /ahead of the server's time/]])('drift by %i ms: time and timestamps shift', async (value, message) => {
    const exchange = await withFault({ fault: 'drift', value })
    const { json } = await ask(exchange, '/time')
    expect(json).toEqual({ serverTime: START + value })
    expect((await account(exchange)).json).toMatchObject({ code: -1021, msg: expect.stringMatching(message) as string })
    expect((await call(exchange, 'GET', '/account', { timestamp: START + value })).status).toBe(200)
  })

  it('server-error: 503 page or -1000, not executed', async () => {
    const page = await withFault({ fault: 'server-error', value: 0 })
    expect(await marketBuy(page, 1000)).toMatchObject({ status: 503, json: null })
    const coded = await withFault({ fault: 'server-error', value: 1 })
    expect(await marketBuy(coded, 1000)).toMatchObject({ status: 500, json: { code: -1000 } })
    expect([...page.orders(), ...coded.orders()]).toEqual([])
  })

  it('server-error-executed: 504 and -1007, executed', async () => {
    const exchange = await withFault({ fault: 'server-error-executed', on: 'POST /order' })
    expect(await marketBuy(exchange, 1000)).toMatchObject({ status: 504, json: { code: -1007 } })
    expect(exchange.orders()).toMatchObject([{ status: 'FILLED' }])
  })

  it('overloaded: -1008, not executed', async () => {
    const exchange = await withFault({ fault: 'overloaded' })
    expect(await marketBuy(exchange, 1000)).toMatchObject({ status: 503, json: { code: -1008 } })
    expect(exchange.orders()).toEqual([])
  })
})

describe('answers that mislead', () => {
  it('garbage: 200 with a page, cut JSON or wrong types, executed', async () => {
    for (const [value, check] of [
      [0, ({ text }: RawAnswer) => expect(text).toMatch(/^<html>/)],
      [1, ({ text, json }: RawAnswer) => expect([text[0], json]).toEqual(['{', null])],
      [2, ({ json }: RawAnswer) => expect(json).toMatchObject({ orderId: 'NaN', executedQty: null, fills: [{ price: null }] })],
    ] as const) {
      const exchange = await withFault({ fault: 'garbage', on: 'POST /order', value })
      const answer = await marketBuy(exchange, 1000)
      expect(answer.status).toBe(200)
      check(answer)
      expect(exchange.orders()).toHaveLength(1)
    }
  })

  it('slow: exchange time passes before the execution, candles close on the way', async () => {
    const exchange = await withFault({ fault: 'slow', value: 90_000, on: 'POST /order ' }, 1, [[100, 101, 99, 100], [120, 121, 119, 120], QUIET[0]])
    await call(exchange, 'POST', '/order', { ...SYMBOL, side: 'SELL', type: 'LIMIT_MAKER', quantity: '1', price: '100.5' })
    expect(exchange.now()).toBe(START + 90_000)
    expect(exchange.orders()).toEqual([])
    const { json } = await marketBuy(exchange, 1000)
    expect(json).toMatchObject({ transactTime: START + 180_000 })
  })

  it('stale-candles: the newest closed candles are not there yet', async () => {
    const exchange = await withFault({ fault: 'stale-candles', at: [2, 3], value: 2 })
    for (let step = 0; step < 5; step++) await advance(exchange)
    expect(await times(exchange)).toEqual([0, 1, 2, 3, 4, 5])
    expect(await times(exchange)).toEqual([0, 1, 2])
    expect(await times(exchange, { limit: 2 })).toEqual([1, 2])
    expect(await times(exchange)).toEqual([0, 1, 2, 3, 4, 5])
  })

  it('missing-candle: one is left out, from the end or by its open time', async () => {
    const exchange = await withFault({ fault: 'missing-candle' })
    for (let step = 0; step < 4; step++) await advance(exchange)
    expect(await times(exchange)).toEqual([0, 1, 2, 4])
    exchange.setFaults({ rules: [{ fault: 'missing-candle', value: START + MINUTE }] })
    expect(await times(exchange)).toEqual([0, 2, 3, 4])
    exchange.setFaults({ rules: [{ fault: 'missing-candle', value: 3 }] })
    expect(await times(exchange)).toEqual([0, 2, 3, 4])
  })

  it('revised-candle: the newest closed one changes after the first reads, then never again', async () => {
    const exchange = await withFault({ fault: 'revised-candle', value: 2 })
    for (let step = 0; step < 3; step++) await advance(exchange)
    const last = async (): Promise<unknown> => (await ask(exchange, '/klines', { ...SYMBOL, interval: '1m', limit: 2 })).json
    const closes = async (): Promise<unknown[]> => (await last() as unknown[][]).map((row) => row[4])
    expect(await closes()).toEqual(['100.10000000', '100.00000000'])
    expect(await closes()).toEqual(['100.10000000', '100.00000000'])
    expect(await closes()).toEqual(['100.00000000', '100.00000000'])
    await advance(exchange)
    expect(await closes()).toEqual(['100.10000000', '100.00000000'])
  })
})

describe('when faults strike', () => {
  const struck = (plan: FaultPlan, requests: number, name = 'POST /order', time = START): number[] => {
    const misfortune = new Misfortune(plan)
    return Array.from({ length: requests }, (_, index) => index + 1).filter(() => misfortune.strikes({ name, market: true }, time).size > 0)
  }

  it('is a matter of counting, place and time', () => {
    expect(struck({ rules: [{ fault: 'lost-answer', at: [2, 5] }] }, 6)).toEqual([2, 5])
    expect(struck({ rules: [{ fault: 'lost-answer', on: 'GET' }] }, 3)).toEqual([])
    expect(struck({ rules: [{ fault: 'lost-answer', on: 'POST /order ' }] }, 1, 'POST /orderList/oco')).toEqual([])
    expect(struck({ rules: [{ fault: 'lost-answer', on: 'POST /order ' }] }, 1)).toEqual([1])
    expect(struck({ rules: [{ fault: 'lost-answer', from: START + 1 }] }, 3)).toEqual([])
    expect(struck({ rules: [{ fault: 'lost-answer', to: START }] }, 3)).toEqual([])
    expect(struck({ rules: [{ fault: 'stale-candles' }, { fault: 'partial-leg' }] }, 3)).toEqual([])
    expect(struck({ rules: [{ fault: 'duplicate' }] }, 3, 'GET /order')).toEqual([])
  })

  it('is a matter of the seed, which gives the same again', () => {
    const plan = (seed: number): FaultPlan => ({ seed, rules: [{ fault: 'lost-answer', rate: 0.25 }] })
    const [first, again, other] = [struck(plan(1), 2000), struck(plan(1), 2000), struck(plan(2), 2000)]
    expect(first).toEqual(again)
    expect(first).not.toEqual(other)
    expect(first.length).toBeGreaterThan(400)
    expect(first.length).toBeLessThan(600)
  })

  it('does not depend on what else may strike', () => {
    const alone = struck({ rules: [{ fault: 'lost-answer', rate: 0.3 }] }, 200)
    const misfortune = new Misfortune({ rules: [{ fault: 'lost-answer', rate: 0.3 }, { fault: 'ban', rate: 0.5 }] })
    const together = Array.from({ length: 200 }, (_, index) => index + 1)
      .filter(() => misfortune.strikes({ name: 'POST /order', market: true }, START).has('lost-answer'))
    expect(together).toEqual(alone)
  })

  it('can be changed while the exchange runs', async () => {
    const exchange = await practice()
    exchange.setFaults({ rules: [{ fault: 'overloaded' }] })
    expect((await account(exchange)).status).toBe(503)
    exchange.setFaults({ rules: [] })
    expect((await account(exchange)).status).toBe(200)
  })

  it('never concerns the control routes', async () => {
    const exchange = await withFault({ fault: 'lost-answer' })
    expect(await advance(exchange)).toMatchObject({ time: START + MINUTE })
    expect((await send(`${exchange.url}/practice/state`, { headers: { 'x-mbx-apikey': KEYS.apiKey } })).status).toBe(200)
  })
})

describe('faults on the command line', () => {
  it.each<[string, FaultRule]>([
    ['lost-answer', { fault: 'lost-answer' }],
    ['lost-answer:0.1', { fault: 'lost-answer', rate: 0.1 }],
    ['lost-answer:rate=0.1', { fault: 'lost-answer', rate: 0.1 }],
    ['rate-limit@3,7:on=POST /order:value=2', { fault: 'rate-limit', at: [3, 7], on: 'POST /order', value: 2 }],
    ['drift:value=-1500:from=2024-01-01T10:30:value=7', { fault: 'drift', value: 7, from: Date.UTC(2024, 0, 1, 10, 30) }],
    ['reset:from=2024-01-02:to=1704240000000', { fault: 'reset', from: Date.UTC(2024, 0, 2), to: 1_704_240_000_000 }],
    ['ban:1:on=GET /klines', { fault: 'ban', rate: 1, on: 'GET /klines' }],
  ])('%s', (text, rule) => {
    expect(parseFault(text)).toEqual(rule)
  })

  it.each([
    ['lost-anwser:0.1', ['no fault is called "lost-anwser"', 'Did you mean "lost-answer"?', 'revised-candle']],
    ['', ['no fault is called ""', 'There are: lost-answer']],
    ['ban:2', ['rate "2" is not a share from 0 to 1', 'Expected kind']],
    ['ban@0', ['"0" must be whole numbers from 1 on']],
    ['ban@x', ['"x" must be whole numbers']],
    ['ban:value=much', ['value "much" is not a number']],
    ['ban:from=tomorrow', ['from "tomorrow" is not a time']],
    ['ban@1:0.5', ['exclude each other']],
    ['ban:often', ['":often" is none of the parts']],
    ['ban:size=3', ['"size=3" is none of the parts']],
  ])('refuses %s', (text, says) => {
    expect(() => parseFault(text)).toThrow(coded('TD_USAGE', ...says))
  })
})
