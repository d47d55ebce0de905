import type { Trail } from '../audit/trail.ts'
import type { Approved, Execution, Order } from '../core/order.ts'
import { rowOf, type Candle } from '../core/candle.ts'
import type { Instrument } from '../core/instrument.ts'
import type { EpochMs } from '../core/time.ts'
import type { Timeframe } from '../core/timeframe.ts'
import type { Account, Broker, MarketEvent, MarketSource, MaybePromise, OrderReceipt } from '../ports.ts'
import type { Past } from './past.ts'

/** The recorded run has been gone through and nothing stands behind it. */
export class PastOver extends Error {
  override readonly name = 'PastOver'
}

/** Answers as the recorded broker did; once that is over, the broker behind it, if there is one. */
export class ReplayBroker implements Broker {
  readonly #past: Past
  readonly #account: Account
  readonly #then: Broker | null
  readonly idle = false

  constructor(past: Past, account: Account, then: Broker | null) {
    this.#past = past
    this.#account = account
    this.#then = then
  }

  account(): Account {
    return this.#account
  }

  async submit(order: Approved<Order>): Promise<OrderReceipt> {
    return this.#past.over ? this.#world.submit(order) : this.#past.receipt(order.id)
  }

  async settle(now: EpochMs, symbol: string, candle?: Candle): Promise<readonly Execution[]> {
    return this.#past.over ? this.#world.settle(now, symbol, candle) : this.#past.executions(symbol)
  }

  async raiseStop(symbol: string, stop: number): Promise<void> {
    if (this.#past.over) await this.#world.raiseStop(symbol, stop)
  }

  cancel(orderId: string): ReturnType<Broker['cancel']> {
    return this.#past.over ? this.#world.cancel(orderId) : null
  }

  get #world(): Broker {
    if (this.#then === null) throw new PastOver('the recorded run ends here')
    return this.#then
  }
}

/** Sends what the recorded market sent; once that is over, the market behind it, if there is one. */
export class ReplayMarket implements MarketSource {
  readonly #past: Past
  readonly #timeframe: Timeframe
  readonly #then: MarketSource | null
  readonly #instruments: Readonly<Record<string, Instrument>>

  constructor(
    past: Past, timeframe: Timeframe, instruments: Readonly<Record<string, Instrument>>, then: MarketSource | null,
  ) {
    this.#past = past
    this.#timeframe = timeframe
    this.#instruments = instruments
    this.#then = then
  }

  instrument(symbol: string): MaybePromise<Instrument> {
    return this.#instruments[symbol]
  }

  async *events(): AsyncGenerator<MarketEvent> {
    while (!this.#past.over) yield this.#past.event(this.#timeframe)
    if (this.#then !== null) yield* this.#then.events()
  }
}

/** Writes everything that the market sends into the trail before the loop sees it. */
export class RecordedMarket implements MarketSource {
  readonly #market: MarketSource
  readonly #trail: Trail

  constructor(market: MarketSource, trail: Trail) {
    this.#market = market
    this.#trail = trail
  }

  instrument(symbol: string): MaybePromise<Instrument> {
    return this.#market.instrument(symbol)
  }

  async *events(): AsyncGenerator<MarketEvent> {
    for await (const event of this.#market.events()) {
      this.#record(event)
      yield event
    }
  }

  #record(event: MarketEvent): void {
    if (event.kind === 'wake') return this.#trail.line('market', event.time, { event: 'wake' })
    if (event.kind === 'operator') {
      const { time, act, symbol, reason } = event
      return this.#trail.line('operator', time, { act, symbol, reason })
    }
    const { symbol, timeframe, columns, start, end, settles, decides, more, missed = false, arrivedAt } = event
    const rows = Array.from({ length: end - start }, (_, index) => rowOf(columns, start + index))
    if (!decides) return this.#trail.line('market', arrivedAt ?? null, { event: 'settling', symbol, timeframe, rows })
    this.#trail.line('market', arrivedAt ?? null, { event: 'candles', symbol, more, missed, ...(settles ? {} : { settles }), rows })
  }
}
