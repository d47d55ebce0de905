import { z } from 'zod'
import type { Instrument } from '../../engine/core/instrument.ts'
import { TapedeckError } from '../../engine/errors.ts'
import { timeframeOption } from '../../engine/options.ts'
import { definePlugin } from '../../engine/ports.ts'
import { readAtStart } from '../binance/at-start.ts'
import { commission } from '../binance/answers.ts'
import { connect, marketId, type VenueMarket } from '../binance/connection.ts'
import { BinanceBroker } from './binance/binance-broker.ts'
import { emptySlot, recall, type Slot } from './binance/slot.ts'
import { VenueOrders } from './binance/venue-orders.ts'

const options = z.strictObject({
  cash: z.number().positive().default(10_000).describe('capital in quote: the account may hold more, which stays untouched'),
  slippageBps: z.number().min(0).lt(10_000).default(5).describe('what a market order is expected to lose, for break-even'),
  feeAsset: z.enum(['received', 'quote']).default('received').describe('quote only on a practice exchange that is set so'),
  fillTimeframe: timeframeOption.nullable().default(null)
    .describe('finer candles by which fills are dated and gaps are told, as the paper broker settles on them'),
})
export type BinanceBrokerOptions = z.infer<typeof options>

/**
 * Spot orders at Binance's test network, its demo or the practice exchange. Where it connects is never an option: the
 * venue comes from the environment. `create` throws TD_VENUE and TD_EXCHANGE_FAILED.
 */
export default definePlugin({
  kind: 'broker',
  name: 'binance',
  description: 'Real orders at Binance spot through ccxt: market entries, a resting stop and target pair, nothing ever unprotected in silence.',
  options,
  env: ['ALLOW_MAINNET'],
  async create({ cash, slippageBps, feeAsset, fillTimeframe }, deps, { instruments, timeframe, live }) {
    if (live === undefined) {
      throw new TapedeckError('TD_PLUGIN_OPTIONS', 'broker binance trades at a venue, which a backtest has not; write "broker: { name: paper, cash: 10000 }": '
        + 'a backtest fills by that block, and rehearse sends its orders to a practice exchange')
    }
    const [first] = Object.keys(instruments)
    const connection = await connect(live.venue, deps, {
      resynced: (ms) => live.journal.note('alarm', { event: 'clock-drift', symbol: first, ms }),
    })
    const slots = new Map<string, { readonly slot: Slot; readonly orders: VenueOrders }>()
    let maker = 0
    let taker = 0
    for (const instrument of Object.values(instruments)) {
      const { symbol } = instrument
      const market = await readAtStart('broker "binance"', `the filters of ${symbol}`, live.venue, deps, () => connection.market(symbol))
      const { standardCommission } = await readAtStart('broker "binance"', `the fees of ${symbol}`, live.venue, deps,
        () => connection.call('GET', 'account/commission', { symbol: marketId(symbol) }, commission))
      maker = Math.max(maker, standardCommission.maker)
      taker = Math.max(taker, standardCommission.taker)
      const misfit = misfits(instrument, market)
      // A run that is gone on with may hold something: it has to go on, and the venue's coarser steps are kept anyway.
      if (misfit !== null && live.past.length === 0) throw new TapedeckError('TD_PLUGIN_OPTIONS', `${symbol}: ${misfit}`)
      if (misfit !== null) deps.log.warn(`${symbol}: ${misfit}`)
      const slot = emptySlot(instrument, market)
      recall(slot, live.idPrefix, live.past)
      slots.set(symbol, { slot, orders: new VenueOrders(connection, instrument, market) })
    }
    return new BinanceBroker({ cash, costs: { maker, taker, feeAsset, slippageBps } }, deps, live, slots, { timeframe, fillTimeframe }, connection)
  },
})

/** What of the scenario's instrument the venue would refuse, or null: an entry that cannot be protected is worse than none. */
function misfits({ tickSize, lotSize, minNotional }: Instrument, market: VenueMarket): string | null {
  const fits = (step: number, theirs: number): boolean => theirs === 0 || Math.abs(step / theirs - Math.round(step / theirs)) < 1e-6 && step > 0
  if (!fits(tickSize, market.tickSize)) return `instrument.tickSize ${tickSize} is not a multiple of the venue's ${market.tickSize}; correct or omit it`
  if (!fits(lotSize, market.lotSize)) return `instrument.lotSize ${lotSize} is not a multiple of the venue's ${market.lotSize}; correct or omit it`
  if (minNotional < market.minNotional) return `instrument.minNotional ${minNotional} is below the venue's ${market.minNotional}; correct or omit it`
  return null
}
