/** What may be traded of a symbol: price step, quantity step, smallest order value. 0 means no rounding and no minimum. */
export interface Instrument {
  readonly symbol: string
  readonly base: string
  readonly quote: string
  /** Price step in quote. */
  readonly tickSize: number
  /** Quantity step in base. */
  readonly lotSize: number
  /** Smallest price × quantity in quote. */
  readonly minNotional: number
}

export const instrumentOf = (
  symbol: string,
  { tickSize = 0, lotSize = 0, minNotional = 0 }: Partial<Pick<Instrument, 'tickSize' | 'lotSize' | 'minNotional'>> = {},
): Instrument => {
  const [base = symbol, quote = ''] = symbol.split('/')
  return { symbol, base, quote, tickSize, lotSize, minNotional }
}

/** `count × step` without the noise of multiplying by 0.1: steps are decimal, so dividing by their inverse is exact to the last bit. */
const steps = (count: number, step: number): number => {
  const inverse = Math.round(1 / step)
  return Math.abs(inverse * step - 1) < 1e-9 ? count / inverse : count * step
}

/**
 * Quantity rounded down to the lot. Binary noise is forgiven: 1e-9 of a lot, and where a quantity is billions of lots,
 * as with lots of 1e-8, its last two binary places.
 */
export const floorToLot = (quantity: number, lotSize: number): number =>
  lotSize === 0 ? quantity : steps(Math.floor((quantity / lotSize) * (1 + 2 ** -51) + 1e-9), lotSize)

/** Price rounded to the nearest tick. */
export const roundToTick = (price: number, tickSize: number): number =>
  tickSize === 0 ? price : steps(Math.round(price / tickSize), tickSize)

/**
 * Amounts as Binance carries them: rounded down to 8 decimals. Two decimal factors and their product are each off by half
 * a binary place, which in an amount over 100 is more than 1e-6 of the last decimal: both are forgiven.
 */
export const floorTo8 = (amount: number): number => Math.floor(amount * 1e8 * (1 + 2 ** -51) + 1e-6) / 1e8

/**
 * A holding after amounts were added to it or taken away: where there is a lot size all of them have 8 decimals, and
 * so has their sum, without the binary noise that would make it one lot less.
 */
export const carried = (quantity: number, { lotSize }: Instrument): number =>
  lotSize === 0 ? quantity : Math.round(quantity * 1e8) / 1e8

/** What of `quantity` an order can carry. */
export const sellable = (quantity: number, price: number, instrument: Instrument): number => {
  const lots = floorToLot(quantity, instrument.lotSize)
  return lots > 0 && lots * price >= instrument.minNotional ? lots : 0
}
