import { floorToLot } from '../../engine/core/instrument.ts'
import type { EpochMs } from '../../engine/core/time.ts'
import type { PracticeExchange } from '../../plugins/exchange/exchange.ts'

const OPEN: ReadonlySet<string> = new Set(['NEW', 'PARTIALLY_FILLED'])

/** A time without protection, and how much was without. */
export interface Spell {
  readonly from: EpochMs
  readonly to: EpochMs
  readonly sellable: number
}

/** Watches at an exchange, request by request, whether what the bot holds has a resting stop below all of it. */
export class NakedWatch {
  readonly spells: Spell[] = []
  readonly #instrument: { readonly lotSize: number; readonly minNotional: number }
  #since: { readonly from: EpochMs; readonly sellable: number } | null = null

  constructor(instrument: { readonly lotSize: number; readonly minNotional: number }) {
    this.#instrument = instrument
  }

  look(exchange: PracticeExchange): void {
    const now = exchange.now()
    const naked = this.#naked(exchange)
    if (naked > 0) this.#since ??= { from: now, sellable: naked }
    else this.#end(now)
  }

  /** Whatever is still naked has been so until now. */
  end(exchange: PracticeExchange): void {
    this.look(exchange)
    this.#end(exchange.now())
  }

  #end(to: EpochMs): void {
    if (this.#since !== null && to > this.#since.from) this.spells.push({ ...this.#since, to })
    this.#since = null
  }

  /** Base units that could be sold and that no stop would sell. */
  #naked(exchange: PracticeExchange): number {
    const { lotSize, minNotional } = this.#instrument
    let held = 0
    let price = 0
    for (const trade of exchange.trades()) {
      held += trade.side === 'BUY' ? trade.quantity - (trade.feeAsset === 'BTC' ? trade.fee : 0) : -trade.quantity
      if (trade.side === 'BUY') price = trade.price
    }
    const sellable = floorToLot(held, lotSize)
    // What the levels are far from would not be sold at the entry's price, and may be dust already.
    if (sellable * price * 0.95 < minNotional) return 0
    const guarded = exchange.orders()
      .filter(({ side, status, stopPrice }) => side === 'SELL' && stopPrice > 0 && OPEN.has(status))
      .reduce((sum, { quantity, executedQuantity }) => sum + quantity - executedQuantity, 0)
    return guarded >= sellable - lotSize / 2 ? 0 : sellable - guarded
  }
}
