import type { Costs } from '../../engine/core/matching.ts'
import type { EpochMs } from '../../engine/core/time.ts'
import type { Balances } from './balances.ts'
import type { Book } from './book.ts'
import type { CandleTrouble } from './candle-trouble.ts'
import { refusals } from './errors.ts'
import type { Ledger } from './ledger.ts'
import type { Listing } from './listing.ts'
import type { Params } from './params.ts'

/** What endpoints see of the exchange. */
export interface World {
  /** By Binance's symbol: 'BTCUSDT'. */
  readonly listings: ReadonlyMap<string, Listing>
  readonly costs: Costs
  readonly balances: Balances
  readonly ledger: Ledger
  readonly book: Book
}

/** One request as an endpoint sees it. */
export interface Call {
  readonly params: Params
  readonly now: EpochMs
  /** The time that the exchange claims it is. */
  readonly serverTime: EpochMs
  /** How much of a market order fills: 1, or less where a fault says so. */
  readonly liquidity: number
  /** Nobody offers or asks. */
  readonly emptyBook: boolean
  /** What is wrong with the candles that it shows. */
  readonly candles: CandleTrouble
}

export interface Endpoint {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** Below /api/v3. */
  readonly path: string
  readonly signed: boolean
  /** The request may change the account: it is written to the journal. */
  readonly changes: boolean
  /** What it weighs against the limit of 6,000 a minute. */
  readonly weight: number
  answer(world: World, call: Call): unknown
}

/** The listing that `symbol` names. */
export function listingIn({ listings }: World, params: Params): Listing {
  const listing = listings.get(params.needText('symbol'))
  if (listing === undefined) throw refusals.symbol()
  return listing
}

/** The listings that `symbol`, `symbols` or neither of them (all) name. */
export function listingsIn(world: World, params: Params): readonly Listing[] {
  if (params.has('symbol')) return [listingIn(world, params)]
  const text = params.text('symbols')
  if (text === null) return [...world.listings.values()]
  const names = parseNames(text)
  return names.map((name) => {
    const listing = world.listings.get(name)
    if (listing === undefined) throw refusals.symbol()
    return listing
  })
}

function parseNames(text: string): readonly string[] {
  try {
    const names: unknown = JSON.parse(text)
    if (Array.isArray(names) && names.every((name) => typeof name === 'string')) return names
  } catch {
    // Refused below, like any other text that is no list of names.
  }
  throw refusals.illegal('symbols', '^\\[("[A-Z0-9-_.]{1,20}"(,"[A-Z0-9-_.]{1,20}"){0,}){0,1}\\]$')
}

/** The symbol's name at Binance, for an order in the ledger. */
export const idOf = (symbol: string): string => symbol.replace('/', '')
