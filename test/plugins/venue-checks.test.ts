import { describe, expect, it } from 'vitest'
import { checkVenueHealth, type Check } from '../../plugins/binance/checks.ts'
import { connect } from '../../plugins/binance/connection.ts'
import { scriptedVenue, SteppedClock, testDeps, type Asked, type Reply } from '../support/scripted-venue.ts'

const NOW = 1_700_000_000_000

const INFO = {
  symbol: 'BTCUSDT', status: 'TRADING', baseAsset: 'BTC', quoteAsset: 'USDT',
  orderTypes: ['LIMIT', 'LIMIT_MAKER', 'MARKET', 'STOP_LOSS', 'STOP_LOSS_LIMIT'], ocoAllowed: true, quoteOrderQtyMarketAllowed: true,
  cancelReplaceAllowed: true, filters: [
    { filterType: 'PRICE_FILTER', tickSize: '0.01' }, { filterType: 'LOT_SIZE', minQty: '0.00001', maxQty: '9000', stepSize: '0.00001' },
    { filterType: 'NOTIONAL', minNotional: '5', applyMinToMarket: true, maxNotional: '9000000', applyMaxToMarket: false },
    { filterType: 'PERCENT_PRICE_BY_SIDE', bidMultiplierUp: '5', bidMultiplierDown: '0.2', askMultiplierUp: '5', askMultiplierDown: '0.2' },
    { filterType: 'MAX_NUM_ORDERS', maxNumOrders: 3 }, { filterType: 'MAX_NUM_ALGO_ORDERS', maxNumAlgoOrders: 2 },
    { filterType: 'MAX_NUM_ORDER_LISTS', maxNumOrderLists: 2 },
  ],
}
const ACCOUNT = {
  canTrade: true, accountType: 'SPOT', permissions: ['SPOT'],
  balances: [{ asset: 'USDT', free: '1000.0', locked: '0.0' }, { asset: 'BNB', free: '0.0', locked: '0.0' }],
}
const RATES = { maker: '0.001', taker: '0.001', buyer: '0', seller: '0' }
const NONE = { maker: '0', taker: '0', buyer: '0', seller: '0' }
const COMMISSION = {
  symbol: 'BTCUSDT', standardCommission: RATES, specialCommission: NONE, taxCommission: NONE,
  discount: { enabledForAccount: true, enabledForSymbol: true, discountAsset: 'BNB', discount: '0.75' },
}
const open = (type: string): object => ({
  symbol: 'BTCUSDT', orderId: 1, orderListId: -1, clientOrderId: 'x', price: '1', origQty: '1', executedQty: '0', cummulativeQuoteQty: '0',
  status: 'NEW', type, side: 'SELL', time: 1, updateTime: 1, isWorking: true,
})
const LIST = {
  orderListId: 1, contingencyType: 'OCO', listStatusType: 'EXEC_STARTED', listOrderStatus: 'EXECUTING', listClientOrderId: 'l', transactionTime: 1,
  symbol: 'BTCUSDT', orders: [],
}
const WELL: Readonly<Record<string, unknown>> = {
  'time': { serverTime: NOW }, 'account': ACCOUNT, 'exchangeInfo': { symbols: [INFO] }, 'account/commission': COMMISSION,
  'openOrders': [], 'openOrderList': [],
}

interface Found {
  readonly checks: readonly Check[]
  readonly asked: readonly Asked[]
}

async function examined(unlike: Readonly<Record<string, unknown>> = {}, replies: Readonly<Record<string, Reply>> = {}, symbols = ['BTC/USDT']): Promise<Found> {
  const { venue, asked } = await scriptedVenue(({ path }) => replies[path] ?? { json: { ...WELL, ...unlike }[path] })
  const deps = testDeps(new SteppedClock(NOW))
  return { checks: await checkVenueHealth(await connect(venue, deps), symbols, deps), asked }
}

const info = (changes: object): Record<string, unknown> => ({ exchangeInfo: { symbols: [{ ...INFO, ...changes }] } })
const bad = ({ checks }: Found): readonly string[] => checks.filter(({ ok }) => ok !== true).map(({ name, ok, detail }) => `${name} ${ok}: ${detail}`)

describe('the checks of a venue', () => {
  it('are all well where all is well, and only look', async () => {
    const { checks, asked } = await examined()
    expect(checks.filter(({ ok }) => ok !== true)).toEqual([])
    expect(checks.map(({ name }) => name)).toEqual([
      'venue', 'clock', 'keys', 'trading', 'account', 'BTC/USDT status', 'BTC/USDT pairs', 'BTC/USDT entries', 'BTC/USDT exits', 'BTC/USDT order types',
      'BTC/USDT filters', 'BTC/USDT fees', 'BTC/USDT room for orders', 'BTC/USDT room for stop orders', 'BTC/USDT room for order lists',
      'BTC/USDT free USDT',
    ])
    expect(checks.find(({ name }) => name === 'BTC/USDT filters')?.detail).toBe(
      'price step 0.01, quantity step 0.00001, quantity 0.00001 … 9000, at least 5 USDT, sell at 0.2 … 5 times the average price')
    expect(checks.find(({ name }) => name === 'BTC/USDT fees')?.detail).toBe('maker 0.1 %, taker 0.1 %')
    expect(asked.every(({ method }) => method === 'GET')).toBe(true)
  })

  const rich = { account: { ...ACCOUNT, balances: [...ACCOUNT.balances.slice(0, 1), { asset: 'BNB', free: '2.5', locked: '0' }] } }
  it.each<[string, Record<string, unknown>, string]>([
    ['a clock that is off', { time: { serverTime: NOW + 1500 } }, "clock false: the venue's clock is 1500 ms ahead of this machine's; more than 1000 ms is too much: set this machine's clock by NTP"],
    ['an account that may not trade', { account: { ...ACCOUNT, canTrade: false } }, 'trading false: the account may not trade; allow "Spot & Margin Trading" for the key, and look for restrictions of the account'],
    ['another kind of account', { account: { ...ACCOUNT, accountType: 'MARGIN', permissions: [] } }, 'account false: MARGIN with no permissions; a spot account is needed'],
    ['a halt', info({ status: 'BREAK' }), 'BTC/USDT status false: BREAK; only TRADING takes orders: wait, or trade another symbol'],
    ['no pairs', info({ ocoAllowed: false }), 'BTC/USDT pairs false: OCO is not allowed; positions could not be protected: trade another symbol'],
    ['no quote amounts', info({ quoteOrderQtyMarketAllowed: false }), 'BTC/USDT entries false: market orders by quote amount are not allowed; entries need them: trade another symbol'],
    ['no cancelReplace', info({ cancelReplaceAllowed: false }), 'BTC/USDT exits null: no cancelReplace: exits cancel the pair first and sell then'],
    ['no stops', info({ orderTypes: ['LIMIT', 'MARKET'] }), 'BTC/USDT order types false: no LIMIT_MAKER, no STOP_LOSS or STOP_LOSS_LIMIT; trade another symbol'],
    ['fees in another asset', rich, 'BTC/USDT fee asset null: fees would be taken in BNB, of which 2.5 are free; switch off paying fees with BNB, so that results are what the books say'],
    ['too many orders', { openOrders: [open('LIMIT'), open('LIMIT')] }, 'BTC/USDT room for orders false: 2 open, at most 3; a position needs 2 more: cancel some'],
    ['too many lists', { openOrderList: [LIST, LIST, { ...LIST, symbol: 'ETHUSDT' }] }, 'BTC/USDT room for order lists false: 2 open, at most 2; a position needs 1 more: cancel some'],
    ['no quote', { account: { ...ACCOUNT, balances: [] } }, 'BTC/USDT free USDT false: 0 USDT; the smallest order is 5 USDT: put USDT into the account'],
  ])('say what to do about %s', async (_name, unlike, expected) => {
    expect(bad(await examined(unlike))).toEqual([expected])
  })

  it('count stops apart from other orders', async () => {
    const found = await examined({ ...info({ filters: [{ filterType: 'MAX_NUM_ALGO_ORDERS', maxNumAlgoOrders: 2 }] }), openOrders: [open('STOP_LOSS'), open('STOP_LOSS_LIMIT'), open('LIMIT')] })
    expect(bad(found)).toEqual(['BTC/USDT room for stop orders false: 2 open, at most 2; a position needs 1 more: cancel some'])
    expect(found.checks.find(({ name }) => name === 'BTC/USDT room for orders')?.detail).toBe('3 open, no limit')
  })

  it('add up what a trade costs', async () => {
    const { checks } = await examined({ 'account/commission': { ...COMMISSION, specialCommission: { ...NONE, taker: '0.0002' }, taxCommission: { ...NONE, maker: '0.0003' } } })
    expect(checks.find(({ name }) => name === 'BTC/USDT fees')?.detail).toBe('maker 0.13 %, taker 0.12 %')
  })

  it('end early where nobody answers', async () => {
    const { checks } = await examined({}, { time: { status: 503, text: '' } })
    expect(checks).toEqual([{ name: 'venue', ok: false, detail: expect.stringMatching(/HTTP 503 .*; check the network/) as string }])
  })

  it('go on without keys that are accepted', async () => {
    const { checks, asked } = await examined({}, { account: { status: 401, json: { code: -2015, msg: 'Invalid API-key, IP, or permissions for action.' } } })
    expect(checks.find(({ name }) => name === 'keys')).toMatchObject({ ok: false, detail: expect.stringMatching(/-2015.*; check BINANCE_API_KEY and BINANCE_API_SECRET/) as string })
    expect(checks.find(({ name }) => name === 'BTC/USDT status')?.ok).toBe(true)
    expect(asked.map(({ path }) => path)).toEqual(['time', 'account', 'exchangeInfo'])
  })

  it('tell a symbol that does not exist, and look at the others', async () => {
    const { venue } = await scriptedVenue(({ path, params }) => params['symbol'] === 'BTCUSD'
      ? { status: 400, json: { code: -1121, msg: 'Invalid symbol.' } } : { json: WELL[path] })
    const deps = testDeps(new SteppedClock(NOW))
    const checks = await checkVenueHealth(await connect(venue, deps), ['BTC/USD', 'BTC/USDT'], deps)
    expect(checks.find(({ name }) => name === 'BTC/USD')).toMatchObject({ ok: false, detail: expect.stringContaining('Invalid symbol') as string })
    expect(checks.filter(({ name }) => name.startsWith('BTC/USDT ')).every(({ ok }) => ok)).toBe(true)
  })

  it.each<[string, string]>([['account/commission', 'BTC/USDT fees'], ['openOrders', 'BTC/USDT room'], ['openOrderList', 'BTC/USDT room']])(
    'that cannot be made because of %s say so', async (path, name) => {
      const found = await examined({}, { [path]: { text: 'nonsense' } })
      expect(found.checks.filter(({ ok }) => ok !== true)).toMatchObject([{ name, ok: false }])
    })
})
