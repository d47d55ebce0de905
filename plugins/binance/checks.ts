import type { Deps, Venue } from '../../engine/ports.ts'
import { account, commission, orderLists, queriedOrders, type AccountAnswer, type Commission } from './answers.ts'
import { CallError, connect, marketId, type Connection, type VenueMarket } from './connection.ts'

/** One line of `tapedeck doctor`. */
export interface Check {
  readonly name: string
  /** false = orders would fail; null = worth knowing, or not to be found out. */
  readonly ok: boolean | null
  /** What was found and, where it is not well, what to do. */
  readonly detail: string
}

/** Beyond this the venue begins to refuse what is signed, in ms. */
const DRIFT_MS = 1000
/** What one position rests with: an OCO of a target and a stop. The market sale beside it never rests. */
const NEEDED = { orders: 2, algoOrders: 1, lists: 1 }
const ALGO_TYPES = new Set(['STOP_LOSS', 'STOP_LOSS_LIMIT', 'TAKE_PROFIT', 'TAKE_PROFIT_LIMIT'])

const check = (name: string, ok: boolean | null, found: string, remedy = ''): Check =>
  ({ name, ok, detail: ok === true || remedy === '' ? found : `${found}; ${remedy}` })

const ADVICE: Partial<Record<CallError['failure'], string>> = {
  'forbidden': 'check BINANCE_API_KEY and BINANCE_API_SECRET, that they are keys of this venue, and the key\'s IP list '
    + 'and permissions',
  'not-executed': 'the venue is busy or limits us: wait and run doctor again',
  'unknown-outcome': 'check the network and whether the venue is up, then run doctor again',
}

const NO_NETWORK = /ENOTFOUND|ECONNREFUSED|EAI_AGAIN|ENETUNREACH/

/** A check that could not be made, because its call failed. */
function failed(name: string, error: unknown): Check {
  if (!(error instanceof CallError)) throw error
  const advice = NO_NETWORK.test(error.message) ? ADVICE['unknown-outcome'] : ADVICE[error.failure]
  return check(name, false, error.message, advice ?? 'check the symbol and the venue')
}

const percent = (rate: number): string => `${+(rate * 100).toFixed(4)} %`

/**
 * Everything at the venue that orders for `symbols` depend on: reachable, clock, keys, permissions, and per symbol its
 * status, order kinds, filters, fees and room for orders. Sends no order. What fails says what to do.
 */
export async function checkVenueHealth(
  connection: Connection, symbols: readonly string[], { signal }: Deps,
): Promise<readonly Check[]> {
  const checks: Check[] = []
  try {
    const drift = await connection.syncTime()
    checks.push(check('venue', true, `${connection.venue.name} answers`))
    checks.push(check('clock', Math.abs(drift) <= DRIFT_MS, `the venue's clock is ${drift} ms ahead of this machine's`,
      `more than ${DRIFT_MS} ms is too much: set this machine's clock by NTP`))
  } catch (error) {
    return [failed('venue', error)]
  }
  let owned: AccountAnswer | null = null
  try {
    owned = await connection.call('GET', 'account', { omitZeroBalances: 'true' }, account)
    checks.push(check('keys', true, 'the venue accepts them'), ...permissionChecks(owned))
  } catch (error) {
    checks.push(failed('keys', error))
  }
  for (const symbol of symbols) {
    if (!signal.aborted) checks.push(...await symbolChecks(connection, symbol, owned))
  }
  return checks
}

/** {@link checkVenueHealth} over a connection of its own, which gives a venue 5 s for an answer. Throws TD_VENUE. */
export async function examineVenue(venue: Venue, symbols: readonly string[], deps: Deps): Promise<readonly Check[]> {
  const connection = await connect(venue, deps, { timeoutMs: 5_000 })
  try {
    // Where time runs faster, what a first answer takes would look like a clock that is wrong.
    if (venue.name === 'practice') await connection.syncTime().catch(() => 0)
    return await checkVenueHealth(connection, symbols, deps)
  } finally {
    await connection.close()
  }
}

function permissionChecks({ canTrade, accountType, permissions }: AccountAnswer): readonly Check[] {
  return [
    check('trading', canTrade, canTrade ? 'the account may trade' : 'the account may not trade',
      'allow "Spot & Margin Trading" for the key, and look for restrictions of the account'),
    check('account', accountType === 'SPOT' || permissions.includes('SPOT'),
      `${accountType} with ${permissions.join(', ') || 'no permissions'}`, 'a spot account is needed'),
  ]
}

async function symbolChecks(connection: Connection, symbol: string, owned: AccountAnswer | null): Promise<readonly Check[]> {
  let market: VenueMarket
  try {
    market = await connection.market(symbol)
  } catch (error) {
    return [failed(symbol, error)]
  }
  const checks = marketChecks(symbol, market)
  if (owned === null) return checks
  try {
    const fees = await connection.call('GET', 'account/commission', { symbol: market.id }, commission)
    checks.push(...feeChecks(symbol, market, owned, fees))
  } catch (error) {
    checks.push(failed(`${symbol} fees`, error))
  }
  try {
    checks.push(...await roomChecks(connection, symbol, market))
  } catch (error) {
    checks.push(failed(`${symbol} room`, error))
  }
  const { quote } = market.instrument
  const free = owned.balances.find(({ asset }) => asset === quote)?.free ?? 0
  checks.push(check(`${symbol} free ${quote}`, free > 0 && free >= market.minNotional, `${free} ${quote}`,
    `the smallest order is ${market.minNotional} ${quote}: put ${quote} into the account`))
  return checks
}

function marketChecks(symbol: string, market: VenueMarket): Check[] {
  const types = new Set(market.orderTypes)
  const missing = [
    ...['MARKET', 'LIMIT_MAKER'].filter((type) => !types.has(type)),
    ...(types.has('STOP_LOSS') || types.has('STOP_LOSS_LIMIT') ? [] : ['STOP_LOSS or STOP_LOSS_LIMIT']),
  ]
  const { tickSize, lotSize, lot, minNotional, percentPriceBySide: band } = market
  return [
    check(`${symbol} status`, market.status === 'TRADING', market.status, 'only TRADING takes orders: wait, or trade another symbol'),
    check(`${symbol} pairs`, market.ocoAllowed, market.ocoAllowed ? 'OCO is allowed' : 'OCO is not allowed',
      'positions could not be protected: trade another symbol'),
    check(`${symbol} entries`, market.quoteOrderQtyMarketAllowed,
      `market orders by quote amount are ${market.quoteOrderQtyMarketAllowed ? '' : 'not '}allowed`,
      'entries need them: trade another symbol'),
    check(`${symbol} exits`, market.cancelReplaceAllowed ? true : null,
      market.cancelReplaceAllowed ? 'cancel and sell in one request' : 'no cancelReplace: exits cancel the pair first and sell then'),
    check(`${symbol} order types`, missing.length === 0,
      missing.length === 0 ? market.orderTypes.join(', ') : `no ${missing.join(', no ')}`, 'trade another symbol'),
    check(`${symbol} filters`, true, [
      `price step ${tickSize}`, `quantity step ${lotSize}`, `quantity ${lot.min} … ${lot.max}`,
      `at least ${minNotional} ${market.instrument.quote}`,
      ...(band === null ? [] : [`sell at ${band.askMultiplierDown} … ${band.askMultiplierUp} times the average price`]),
    ].join(', ')),
  ]
}

function feeChecks(symbol: string, market: VenueMarket, owned: AccountAnswer, fees: Commission): readonly Check[] {
  const { standardCommission, specialCommission, taxCommission, discount } = fees
  const total = (side: 'maker' | 'taker'): number =>
    standardCommission[side] + (specialCommission?.[side] ?? 0) + taxCommission[side]
  const rates = check(`${symbol} fees`, true, `maker ${percent(total('maker'))}, taker ${percent(total('taker'))}`)
  const { base, quote } = market.instrument
  const { discountAsset } = discount
  const held = owned.balances.find(({ asset }) => asset === discountAsset)?.free ?? 0
  const discounted = discount.enabledForAccount && discount.enabledForSymbol && held > 0
  if (!discounted || discountAsset === base || discountAsset === quote) return [rates]
  return [rates, check(`${symbol} fee asset`, null, `fees would be taken in ${discountAsset}, of which ${held} are free`,
    `switch off paying fees with ${discountAsset}, so that results are what the books say`)]
}

async function roomChecks(connection: Connection, symbol: string, market: VenueMarket): Promise<readonly Check[]> {
  const open = await connection.call('GET', 'openOrders', { symbol: marketId(symbol) }, queriedOrders)
  const lists = (await connection.call('GET', 'openOrderList', {}, orderLists)).filter((one) => one.symbol === market.id)
  const algo = open.filter(({ type }) => ALGO_TYPES.has(type))
  const room = (what: string, used: number, needed: number, most: number): Check =>
    check(`${symbol} room for ${what}`, used + needed <= most,
      `${used} open, ${most === Infinity ? 'no limit' : `at most ${most}`}`, `a position needs ${needed} more: cancel some`)
  return [
    room('orders', open.length, NEEDED.orders, market.maxNumOrders),
    room('stop orders', algo.length, NEEDED.algoOrders, market.maxNumAlgoOrders),
    room('order lists', lists.length, NEEDED.lists, market.maxNumOrderLists),
  ]
}
