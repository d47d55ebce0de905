import { DAY_MS, type EpochMs } from '../../engine/core/time.ts'
import { decimal } from './decimal.ts'
import { refusals } from './errors.ts'
import { findOrder } from './order-endpoints.ts'
import type { Params } from './params.ts'
import { accountTrade, queriedOrder } from './render.ts'
import { idOf, listingIn, type Call, type Endpoint, type World } from './world.ts'

const ACCOUNT_ID = 354_937_868
const NO_COMMISSION = { maker: decimal(0), taker: decimal(0), buyer: decimal(0), seller: decimal(0) }

function account({ balances, costs: { maker, taker } }: World, { params, now }: Call): unknown {
  const all = balances.assets().map((asset) => {
    const { free, locked } = balances.of(asset)
    return { asset, free: decimal(free), locked: decimal(locked) }
  })
  const shown = params.text('omitZeroBalances') === 'true' ? all.filter(({ free, locked }) => Number(free) + Number(locked) > 0) : all
  return {
    makerCommission: Math.round(maker * 10_000), takerCommission: Math.round(taker * 10_000), buyerCommission: 0, sellerCommission: 0,
    commissionRates: { ...NO_COMMISSION, maker: decimal(maker), taker: decimal(taker) },
    canTrade: true, canWithdraw: true, canDeposit: true, brokered: false, requireSelfTradePrevention: false, preventSor: false,
    updateTime: now, accountType: 'SPOT', balances: shown, permissions: ['SPOT'], uid: ACCOUNT_ID,
  }
}

function commission(world: World, { params }: Call): unknown {
  const { maker, taker } = world.costs
  return {
    symbol: listingIn(world, params).id,
    standardCommission: { ...NO_COMMISSION, maker: decimal(maker), taker: decimal(taker) },
    specialCommission: NO_COMMISSION,
    taxCommission: NO_COMMISSION,
    discount: { enabledForAccount: false, enabledForSymbol: false, discountAsset: 'BNB', discount: decimal(0.25) },
  }
}

function queryOrder(world: World, { params }: Call): unknown {
  const listing = listingIn(world, params)
  const order = findOrder(world, listing, params, 'orderId', 'origClientOrderId')
  if (order === null) throw refusals.noOrder()
  return queriedOrder(listing.id, order)
}

function openOrders(world: World, { params }: Call): unknown {
  const symbols = params.has('symbol') ? [listingIn(world, params).symbol] : world.ledger.symbols()
  return symbols.flatMap((symbol) => [...world.ledger.of(symbol).open].map((order) => queriedOrder(idOf(symbol), order)))
}

/** The span that startTime and endTime name, both ends inside; null when neither is sent. */
function timeSpan(params: Params): { readonly from: EpochMs; readonly to: EpochMs } | null {
  const from = params.whole('startTime')
  const to = params.whole('endTime')
  if (from === null && to === null) return null
  if (from !== null && to !== null && to - from > DAY_MS) throw refusals.moreThanADay()
  return { from: from ?? to! - DAY_MS, to: to ?? from! + DAY_MS }
}

/** The oldest `limit` from where the request says, or the newest when it does not say. */
function page<T>(rows: readonly T[], params: Params, fromId: number | null, idOfRow: (row: T) => number, timeOf: (row: T) => EpochMs): readonly T[] {
  const limit = params.limit(500, 1000)
  const span = timeSpan(params)
  if (fromId !== null && span !== null) throw refusals.combination()
  if (fromId !== null) return rows.filter((row) => idOfRow(row) >= fromId).slice(0, limit)
  if (span !== null) return rows.filter((row) => timeOf(row) >= span.from && timeOf(row) <= span.to).slice(0, limit)
  return rows.slice(-limit)
}

function allOrders(world: World, { params }: Call): unknown {
  const { id, symbol } = listingIn(world, params)
  const rows = page(world.ledger.of(symbol).orders, params, params.whole('orderId'), ({ orderId }) => orderId, ({ time }) => time)
  return rows.map((order) => queriedOrder(id, order))
}

function myTrades(world: World, { params }: Call): unknown {
  const { id, symbol } = listingIn(world, params)
  const orderId = params.whole('orderId')
  const trades = orderId === null ? world.ledger.of(symbol).trades : world.ledger.order(symbol, orderId)?.fills ?? []
  const rows = page(trades, params, params.whole('fromId'), ({ tradeId }) => tradeId, ({ time }) => time)
  return rows.map((trade) => accountTrade(id, trade))
}

const reading = { method: 'GET', signed: true, changes: false } as const

export const accountEndpoints: readonly Endpoint[] = [
  { ...reading, path: '/account', weight: 20, answer: account },
  { ...reading, path: '/account/commission', weight: 20, answer: commission },
  { ...reading, path: '/order', weight: 4, answer: queryOrder },
  { ...reading, path: '/openOrders', weight: 6, answer: openOrders },
  { ...reading, path: '/allOrders', weight: 20, answer: allOrders },
  { ...reading, path: '/myTrades', weight: 20, answer: myTrades },
]
