import { z } from 'zod'
import type { Instrument } from '../../engine/core/instrument.ts'
import { TapedeckError } from '../../engine/errors.ts'
import {
  definePlugin, type Deps, type LiveMarketPlan, type MarketEvent, type MarketPlan, type MarketSource, type TapeFacts,
} from '../../engine/ports.ts'
import type { Timeframe } from '../../engine/core/timeframe.ts'
import { readAtStart } from '../binance/at-start.ts'
import { connect, connectPublic, type Connection } from '../binance/connection.ts'
import { publicOrigin } from '../binance/public-data.ts'
import { LiveCandles } from './binance/live-candles.ts'

/** Nothing: where it connects is not for a scenario to say. */
const options = z.strictObject({})

/** A call that hangs keeps wake-ups waiting no longer than the check interval, within these, in ms. */
const TIMEOUT_MS = { least: 1000, most: 10_000 }

class BinanceMarket implements MarketSource {
  readonly #plan: MarketPlan
  readonly #live: LiveMarketPlan
  readonly #connection: Connection
  readonly #deps: Deps

  constructor(plan: MarketPlan, live: LiveMarketPlan, connection: Connection, deps: Deps) {
    this.#plan = plan
    this.#live = live
    this.#connection = connection
    this.#deps = deps
  }

  /** The venue's filters, where the scenario does not set its own. Throws TD_EXCHANGE_FAILED. */
  async instrument(symbol: string): Promise<Instrument> {
    const own = this.#plan.instruments[symbol]
    const venue = (await this.#filters(symbol)).instrument
    return {
      ...venue,
      tickSize: own?.tickSize || venue.tickSize,
      lotSize: own?.lotSize || venue.lotSize,
      minNotional: own?.minNotional || venue.minNotional,
    }
  }

  ownTimeframe(): Timeframe {
    return this.#plan.timeframe
  }

  async *events(): AsyncGenerator<MarketEvent> {
    try {
      yield* new LiveCandles(this.#plan, this.#live, this.#connection, this.#deps).events()
    } finally {
      await this.#connection.close()
    }
  }

  get requests(): { readonly signed: number; readonly public: number } {
    return this.#connection.counts
  }

  facts(): TapeFacts {
    const { name } = this.#live.venue
    const notes: Readonly<Record<typeof name, readonly string[]>> = {
      practice: ['candles of the practice exchange, which plays a tape'],
      testnet: ['candles of Binance\'s testnet: its prices are not the market\'s, so this proves the machine, not the profit'],
      demo: ['candles of Binance\'s demo trading'],
      public: ['candles of Binance, from its public data'],
      mainnet: ['candles of Binance'],
    }
    return { files: {}, notes: notes[name] }
  }

  #filters(symbol: string): ReturnType<Connection['market']> {
    return readAtStart('market "binance"', `the filters of ${symbol}`, this.#live.venue, this.#deps, () => this.#connection.market(symbol))
  }
}

/**
 * Candles of a venue as they close, by REST. A first start brings the newest closed candles for the warm-up, a restart the
 * ones that closed since; then each candle once it is final, with a wake-up right after it, and wake-ups every
 * `checkIntervalMs`, counted from the start. Candles that became known too late to act on are `missed`. Notes the alarms
 * `gap`, `candle-revised`, `stale-market`, `market-recovered`, `market-unreachable`, `market-reachable` and `clock-drift`.
 * Throws TD_PLUGIN_OPTIONS without a venue and TD_VENUE for one that must not be contacted.
 */
export default definePlugin({
  kind: 'market',
  name: 'binance',
  description: 'Candles of a Binance venue, or of the practice exchange, as they close.',
  options,
  env: ['ALLOW_MAINNET', 'BINANCE_DATA_URL'],
  async create(_parsed, deps, plan) {
    if (plan.live === undefined) {
      throw new TapedeckError('TD_PLUGIN_OPTIONS',
        'market "binance" reads from a venue; backtest and rehearse play recorded candles: write "market: { file: candles.csv }"')
    }
    const timeoutMs = Math.max(TIMEOUT_MS.least, Math.min(TIMEOUT_MS.most, plan.live.checkIntervalMs))
    const { venue } = plan.live
    const connection = venue.name === 'public' ? await connectPublic(publicOrigin(deps.env), deps, timeoutMs) : await connect(venue, deps, { timeoutMs })
    return new BinanceMarket(plan, plan.live, connection, deps)
  },
})
