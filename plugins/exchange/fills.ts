import { floorTo8, type Instrument } from '../../engine/core/instrument.ts'
import { buy, sell, type Amounts, type Costs } from '../../engine/core/matching.ts'

export const noAmounts = (): Amounts => ({ price: 0, quantity: 0, notional: 0, feeBase: 0, feeQuote: 0, slippage: 0 })

/** A market buy that spends up to `spend` quote at the last price worsened by slippage. */
export function buyFor(spend: number, last: number, costs: Costs, instrument: Instrument): Amounts {
  const amounts = noAmounts()
  buy(amounts, spend, last, costs, instrument)
  return amounts
}

/**
 * A buy of exactly `quantity` at `price`. Its price and notional are those of a sale whose slippage goes the other way;
 * only the fee is paid elsewhere.
 */
export function buyQuantity(quantity: number, price: number, liquidity: 'maker' | 'taker', costs: Costs, instrument: Instrument): Amounts {
  const amounts = noAmounts()
  sell(amounts, quantity, price, liquidity, { ...costs, slippageBps: -costs.slippageBps }, instrument)
  if (costs.feeAsset === 'received') {
    amounts.feeBase = floorTo8(quantity * (liquidity === 'taker' ? costs.taker : costs.maker))
    amounts.feeQuote = 0
  }
  return amounts
}

/** A sale of `quantity` at `price`, which a taker's slippage worsens. */
export function sellQuantity(quantity: number, price: number, liquidity: 'maker' | 'taker', costs: Costs, instrument: Instrument): Amounts {
  const amounts = noAmounts()
  sell(amounts, quantity, price, liquidity, costs, instrument)
  return amounts
}
