import { floorTo8, floorToLot, roundToTick, type Instrument } from '../../../engine/core/instrument.ts'
import type { EpochMs } from '../../../engine/core/time.ts'
import { intervalOf, type Timeframe } from '../../../engine/core/timeframe.ts'
import {
  account, bookTicker, cancelAnswer, cancelledList, cancelReplace, klines, myTrades, orderFull, orderResult, placedList, queriedOrder,
  queriedOrders, type OrderFill, type OrderStatus,
} from '../../binance/answers.ts'
import { CallError, marketId, type Connection, type VenueMarket } from '../../binance/connection.ts'

/** What the venue says of one order. Amounts are cumulative. */
export interface Report {
  readonly clientId: string
  readonly venueId: number
  readonly status: OrderStatus
  readonly executed: number
  /** Quote that the executed amount came to. */
  readonly quote: number
  readonly time: EpochMs
  /** A triggered stop limit rests in the book. */
  readonly working: boolean
  /** It waits for a price. */
  readonly algo: boolean
  /** With the answer to a market order; otherwise they are asked for. */
  readonly trades: readonly VenueTrade[] | null
}

/** One execution of an order. */
export interface VenueTrade {
  readonly price: number
  readonly quantity: number
  readonly fee: number
  readonly feeAsset: string
  readonly maker: boolean
  readonly time: EpochMs
}

/** Levels of a pair; null = no such leg. */
export interface PairOrder {
  readonly quantity: number
  readonly stop: number | null
  readonly target: number | null
  readonly listId: string
  readonly stopId: string
  readonly targetId: string
}

/** A stop limit's price lies this far below its trigger, so that it fills in a falling market. */
const LIMIT_BELOW = 0.01

const FINAL: ReadonlySet<OrderStatus> = new Set(['FILLED', 'CANCELED', 'REJECTED', 'EXPIRED', 'EXPIRED_IN_MATCH'])
export const isFinal = ({ status }: Report): boolean => FINAL.has(status)

/** Digits after the point of a step: 0.001 → 3, 0.25 → 2. */
const decimalsOf = (step: number): number =>
  (step === 0 ? 8 : step.toFixed(8).replace(/0+$/, '').split('.')[1].length)

/** Requests about orders, in the terms of one symbol. Everything throws CallError. */
export class VenueOrders {
  readonly #connection: Connection
  readonly #instrument: Instrument
  readonly #market: VenueMarket
  readonly #id: string

  constructor(connection: Connection, instrument: Instrument, market: VenueMarket) {
    this.#connection = connection
    this.#instrument = instrument
    this.#market = market
    this.#id = marketId(instrument.symbol)
  }

  /** `spend` in quote. */
  async buy(clientId: string, spend: number): Promise<Report> {
    const answer = await this.#connection.call('POST', 'order', {
      symbol: this.#id, side: 'BUY', type: 'MARKET', quoteOrderQty: floorTo8(spend).toFixed(8), newClientOrderId: clientId,
      newOrderRespType: 'FULL',
    }, orderFull)
    return reportOf(answer, answer.transactTime, answer.fills)
  }

  async sell(clientId: string, quantity: number): Promise<Report> {
    const answer = await this.#connection.call('POST', 'order', {
      symbol: this.#id, side: 'SELL', type: 'MARKET', quantity: this.#quantity(quantity), newClientOrderId: clientId, newOrderRespType: 'FULL',
    }, orderFull)
    return reportOf(answer, answer.transactTime, answer.fills)
  }

  /** Cancels the pair that `leg` belongs to and sells, in one request. Throws CallError `cancel-replace-…`. */
  async cancelAndSell(leg: string, clientId: string, quantity: number): Promise<Report> {
    const { newOrderResponse: answer } = await this.#connection.call('POST', 'order/cancelReplace', {
      symbol: this.#id, side: 'SELL', type: 'MARKET', cancelReplaceMode: 'STOP_ON_FAILURE', cancelOrigClientOrderId: leg,
      quantity: this.#quantity(quantity), newClientOrderId: clientId, newOrderRespType: 'FULL',
    }, cancelReplace)
    if (!('fills' in answer)) throw new CallError('unknown-outcome', 'the answer to order/cancelReplace does not say what was sold')
    return reportOf(answer, answer.transactTime, answer.fills)
  }

  /** Places stop and target as one pair, or the only one of them. */
  async protect({ quantity, stop, target, listId, stopId, targetId }: PairOrder): Promise<void> {
    const amount = this.#quantity(quantity)
    const symbol = this.#id
    if (stop !== null && target !== null) {
      await this.#connection.call('POST', 'orderList/oco', {
        symbol, side: 'SELL', quantity: amount, listClientOrderId: listId, aboveType: 'LIMIT_MAKER', abovePrice: this.#price(target),
        aboveClientOrderId: targetId, belowType: this.#stopType, belowStopPrice: this.#price(stop), belowClientOrderId: stopId,
        ...(this.#stopType === 'STOP_LOSS_LIMIT' ? { belowPrice: this.#price(roundToTick(stop * (1 - LIMIT_BELOW), this.#instrument.tickSize)), belowTimeInForce: 'GTC' } : {}),
      }, placedList)
    } else if (stop !== null) {
      await this.#connection.call('POST', 'order', {
        symbol, side: 'SELL', type: this.#stopType, quantity: amount, stopPrice: this.#price(stop), newClientOrderId: stopId,
        newOrderRespType: 'RESULT', ...(this.#stopType === 'STOP_LOSS_LIMIT' ? { price: this.#price(roundToTick(stop * (1 - LIMIT_BELOW), this.#instrument.tickSize)), timeInForce: 'GTC' } : {}),
      }, orderResult)
    } else if (target !== null) {
      await this.#connection.call('POST', 'order', {
        symbol, side: 'SELL', type: 'LIMIT_MAKER', quantity: amount, price: this.#price(target), newClientOrderId: targetId, newOrderRespType: 'RESULT',
      }, orderResult)
    }
  }

  /** Takes down a pair by its list, or a lone order by its id. */
  async cancel(listId: string | null, clientId: string): Promise<void> {
    if (listId !== null) await this.#connection.call('DELETE', 'orderList', { symbol: this.#id, listClientOrderId: listId }, cancelledList)
    else await this.#connection.call('DELETE', 'order', { symbol: this.#id, origClientOrderId: clientId }, cancelAnswer)
  }

  /** null: the venue does not know it. */
  async find(clientId: string): Promise<Report | null> {
    try {
      const row = await this.#connection.call('GET', 'order', { symbol: this.#id, origClientOrderId: clientId }, queriedOrder)
      return { ...reportOf(row, row.updateTime, null), working: row.isWorking && row.type === 'STOP_LOSS_LIMIT' }
    } catch (error) {
      if (error instanceof CallError && error.failure === 'not-found') return null
      throw error
    }
  }

  /** All orders with that client id that were sent since `since`: an id is free again once its order is done. */
  async namesakes(clientId: string, since: EpochMs): Promise<readonly Report[]> {
    const rows = await this.#connection.call('GET', 'allOrders', { symbol: this.#id, startTime: since, limit: 1000 }, queriedOrders)
    return rows.filter(({ clientOrderId }) => clientOrderId === clientId).map((row) => reportOf(row, row.updateTime, null))
  }

  async open(): Promise<readonly Report[]> {
    const rows = await this.#connection.call('GET', 'openOrders', { symbol: this.#id }, queriedOrders)
    return rows.map((row) => ({ ...reportOf(row, row.updateTime, null), working: row.isWorking && row.type === 'STOP_LOSS_LIMIT' }))
  }

  async trades(venueId: number): Promise<readonly VenueTrade[]> {
    const rows = await this.#connection.call('GET', 'myTrades', { symbol: this.#id, orderId: venueId, limit: 1000 }, myTrades)
    return rows.map(({ price, qty, commission, commissionAsset, isMaker, time }) => ({
      price, quantity: qty, fee: commission, feeAsset: commissionAsset, maker: isMaker, time,
    }))
  }

  /** Best bid: what a sale would get. */
  async bid(): Promise<number> {
    return (await this.#connection.call('GET', 'ticker/bookTicker', { symbol: this.#id }, bookTicker)).bidPrice
  }

  /** Open of the candle that opened at `time`, and of the first that it is put together from; NaN where there is none, null where the venue does not tell. */
  async openAt(timeframe: Timeframe, time: EpochMs): Promise<number | null> {
    try {
      const rows = await this.#connection.call('GET', 'klines', { symbol: this.#id, interval: intervalOf(timeframe), startTime: time, limit: 1 }, klines)
      return rows[0]?.openTime === time ? rows[0].open : NaN
    } catch (error) {
      if (error instanceof CallError) return null
      throw error
    }
  }

  /** Base units of the account, free and locked. */
  async balance(): Promise<{ readonly free: number; readonly locked: number }> {
    const { balances } = await this.#connection.call('GET', 'account', { omitZeroBalances: 'true' }, account)
    return balances.find(({ asset }) => asset === this.#instrument.base) ?? { free: 0, locked: 0 }
  }

  /** STOP_LOSS sells at the market once triggered; not every market takes it. */
  get #stopType(): 'STOP_LOSS' | 'STOP_LOSS_LIMIT' {
    return this.#market.orderTypes.includes('STOP_LOSS') ? 'STOP_LOSS' : 'STOP_LOSS_LIMIT'
  }

  #quantity(quantity: number): string {
    const lot = Math.max(this.#instrument.lotSize, this.#market.lotSize)
    return floorToLot(quantity, lot).toFixed(decimalsOf(lot))
  }

  #price(price: number): string {
    const tick = Math.max(this.#instrument.tickSize, this.#market.tickSize)
    return roundToTick(price, tick).toFixed(decimalsOf(tick))
  }
}

interface Told {
  readonly clientOrderId: string
  readonly orderId: number
  readonly status: OrderStatus
  readonly executedQty: number
  readonly cummulativeQuoteQty: number
  readonly type: string
}

const reportOf = (told: Told, time: EpochMs, fills: readonly OrderFill[] | null): Report => ({
  clientId: told.clientOrderId, venueId: told.orderId, status: told.status, executed: told.executedQty, quote: told.cummulativeQuoteQty,
  time, working: false, algo: told.type.startsWith('STOP_LOSS'),
  trades: fills?.map(({ price, qty, commission, commissionAsset }) => ({
    price, quantity: qty, fee: commission, feeAsset: commissionAsset, maker: false, time,
  })) ?? null,
})
