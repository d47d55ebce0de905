import fc from 'fast-check'
import { instrumentOf } from '../../engine/core/instrument.ts'
import { Core, ENDPOINTS, nameOf, type CoreOptions } from '../../plugins/exchange/core.ts'
import { Dispatcher, type Outcome } from '../../plugins/exchange/dispatch.ts'
import { signatureOf } from '../../plugins/exchange/signature.ts'
import { COSTS, KEYS, START } from './practice.ts'
import { randomWalk } from './memory-market.ts'

/** Something that a client or the clock does; `size` and `where` are in [0, 1) and scale it. */
export interface Act {
  readonly what: (typeof ACTS)[number]
  readonly size: number
  readonly where: number
}
const ACTS = [
  'wait', 'wait', 'wait', 'buy', 'buy', 'sell', 'pair', 'pair', 'stop', 'stop-limit', 'target', 'limit-buy', 'limit-sell', 'cancel', 'cancel-list', 'replace',
  'cancel-all',
] as const

const unit = fc.double({ min: 0, max: 0.999, noNaN: true })
export const acts = fc.array(fc.record({ what: fc.constantFrom(...ACTS), size: unit, where: unit }), { minLength: 10, maxLength: 60 })

const ROWS = 200
const walk = randomWalk(ROWS, 7, '1m', 0.01)
walk.openTime.forEach((_time, row) => {
  walk.openTime[row] = START + row * 60_000
})

export const coreOptions = (more: Partial<CoreOptions> = {}): CoreOptions => ({
  tapes: [{ symbol: 'BTC/USDT', timeframe: '1m', columns: walk, rows: ROWS, finer: null }],
  instruments: { 'BTC/USDT': instrumentOf('BTC/USDT', { tickSize: 0.01, lotSize: 0.00001, minNotional: 5 }) },
  costs: { ...COSTS, taker: 0.002, slippageBps: 3 }, fillModel: 'conservative', balances: { USDT: 10_000, BTC: 0.5 }, startTime: START, pace: 'stepped', ...more,
})

/** An exchange without a network, whose requests are signed all the same. */
export class PracticeCore {
  readonly core: Core
  readonly #dispatcher: Dispatcher

  constructor(options: CoreOptions) {
    this.core = new Core(options)
    this.#dispatcher = new Dispatcher(this.core, KEYS, () => undefined)
  }

  request(name: string, params: Readonly<Record<string, string | number>>): Outcome {
    const endpoint = ENDPOINTS.find((one) => nameOf(one) === name)!
    const query = new URLSearchParams({ symbol: 'BTCUSDT', timestamp: this.core.clock.now(), ...params } as unknown as Record<string, string>).toString()
    return this.#dispatcher.handle({
      endpoint, query: `${query}&signature=${signatureOf(query, '', KEYS.apiSecret)}`, body: '', apiKey: KEYS.apiKey,
    })
  }

  perform({ what, size, where }: Act): void {
    const { clock, world: { balances, ledger, listings } } = this.core
    const last = listings.get('BTCUSDT')!.tape.price(clock.now())
    const open = [...ledger.of('BTC/USDT').open]
    const chosen = open[Math.floor(where * open.length)]
    const price = (factor: number): string => (last * factor).toFixed(2)
    const quantity = (Math.floor(balances.of('BTC').free * (0.1 + size) * 1e5) / 1e5).toFixed(5)
    const sell = { side: 'SELL', quantity }
    const stopPrice = price(1 - 0.002 - 0.01 * where)
    switch (what) {
      case 'wait': clock.moveTo(clock.nextClose === Infinity ? clock.now() : clock.nextClose); break
      case 'buy': this.request('POST /order', { side: 'BUY', type: 'MARKET', quoteOrderQty: (balances.of('USDT').free * (0.01 + size)).toFixed(8) }); break
      case 'sell': this.request('POST /order', { ...sell, type: 'MARKET' }); break
      case 'pair': this.request('POST /orderList/oco', {
        ...sell, aboveType: 'LIMIT_MAKER', abovePrice: price(1.002 + 0.01 * size), ...where < 0.5 ? { belowType: 'STOP_LOSS', belowStopPrice: stopPrice }
          : { belowType: 'STOP_LOSS_LIMIT', belowStopPrice: stopPrice, belowPrice: stopPrice, belowTimeInForce: 'GTC' },
      }); break
      case 'stop': this.request('POST /order', { ...sell, type: 'STOP_LOSS', stopPrice }); break
      case 'stop-limit': this.request('POST /order', { ...sell, type: 'STOP_LOSS_LIMIT', timeInForce: 'GTC', stopPrice, price: price(1 - 0.002 * where) }); break
      case 'target': this.request('POST /order', { ...sell, type: 'LIMIT_MAKER', price: price(1.001 + 0.01 * where) }); break
      case 'limit-buy': this.request('POST /order', {
        side: 'BUY', type: 'LIMIT', timeInForce: 'GTC', price: price(0.99 + 0.02 * where), quantity: (size * 0.2 + 0.001).toFixed(5),
      }); break
      case 'limit-sell': this.request('POST /order', { ...sell, type: 'LIMIT', timeInForce: where < 0.5 ? 'GTC' : 'IOC', price: price(0.99 + 0.02 * where) }); break
      case 'cancel': this.request('DELETE /order', { orderId: chosen?.orderId ?? 1 }); break
      case 'cancel-list': this.request('DELETE /orderList', { orderListId: chosen?.orderListId ?? 0 }); break
      case 'replace': this.request('POST /order/cancelReplace', {
        ...sell, type: 'MARKET', quantity: chosen?.quantity.toFixed(5) ?? quantity, cancelReplaceMode: size < 0.5 ? 'STOP_ON_FAILURE' : 'ALLOW_FAILURE',
        cancelOrderId: chosen?.orderId ?? 1,
      }); break
      case 'cancel-all': this.request('DELETE /openOrders', {}); break
    }
  }

  /** Everything that may be known about it from outside. */
  state(): object {
    const { clock, world: { balances, ledger } } = this.core
    return {
      time: clock.now(), orders: ledger.copyOrders(), trades: ledger.copyTrades(), lists: ledger.lists.map(({ legs, ...list }) => ({ ...list, legs: legs.length })),
      btc: balances.of('BTC'), usdt: balances.of('USDT'), accepted: ledger.accepted,
    }
  }
}
