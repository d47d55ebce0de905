import type { EpochMs } from '../../engine/core/time.ts'
import { copyOrder, isOpen, type BookOrder, type OrderList, type PracticeOrder, type PracticeTrade } from './orders.ts'

/** What one symbol's orders left behind, in the order of their ids. */
interface SymbolRecords {
  readonly orders: BookOrder[]
  readonly trades: PracticeTrade[]
  /** Open orders, in the order of their ids. */
  readonly open: Set<BookOrder>
}

/** Every order, list and trade that ever was, and the numbers that the next ones get. */
export class Ledger {
  readonly #symbols = new Map<string, SymbolRecords>()
  readonly #byId = new Map<number, BookOrder>()
  readonly #byClientId = new Map<string, BookOrder>()
  readonly #lists: OrderList[] = []
  readonly #listById = new Map<number, OrderList>()
  readonly #openLists = new Set<OrderList>()
  #orderIds = 0
  #tradeIds = 0
  #listIds = 0
  #clientIds = 0
  #accepted = 0

  /** Orders that were ever accepted, those before a reset included. */
  get accepted(): number {
    return this.#accepted
  }

  of(symbol: string): SymbolRecords {
    let records = this.#symbols.get(symbol)
    if (records === undefined) this.#symbols.set(symbol, records = { orders: [], trades: [], open: new Set() })
    return records
  }

  nextOrderId(): number {
    return ++this.#orderIds
  }

  nextListId(): number {
    return this.#listIds++
  }

  /** For requests that bring no client id of their own: 22 characters, as Binance's own are. */
  nextClientId(): string {
    return `practice${String(++this.#clientIds).padStart(14, '0')}`
  }

  addOrder(order: BookOrder): void {
    const records = this.of(order.symbol)
    records.orders.push(order)
    if (isOpen(order)) records.open.add(order)
    this.#byId.set(order.orderId, order)
    this.#byClientId.set(clientKey(order.symbol, order.clientOrderId), order)
    this.#accepted++
  }

  addList(list: OrderList): void {
    this.#lists.push(list)
    this.#listById.set(list.orderListId, list)
    this.#openLists.add(list)
  }

  addTrade(order: BookOrder, trade: Omit<PracticeTrade, 'tradeId' | 'orderId' | 'orderListId' | 'symbol' | 'side'>): void {
    const { orderId, orderListId, symbol, side } = order
    const made: PracticeTrade = { tradeId: ++this.#tradeIds, orderId, orderListId, symbol, side, ...trade }
    order.fills.push(made)
    this.of(symbol).trades.push(made)
  }

  /** Takes what is no longer open off the books. */
  close(order: BookOrder, time: EpochMs): void {
    this.of(order.symbol).open.delete(order)
    const { list } = order
    if (list === null) return
    list.time = time
    if (list.legs.some(isOpen)) return
    list.status = 'ALL_DONE'
    this.#openLists.delete(list)
  }

  order(symbol: string, orderId: number): BookOrder | null {
    const order = this.#byId.get(orderId)
    return order?.symbol === symbol ? order : null
  }

  /** The newest order of that client id: ids may be used again once an order is done. */
  orderByClientId(symbol: string, clientOrderId: string): BookOrder | null {
    return this.#byClientId.get(clientKey(symbol, clientOrderId)) ?? null
  }

  list(listId: number): OrderList | null {
    return this.#listById.get(listId) ?? null
  }

  listByClientId(listClientOrderId: string): OrderList | null {
    return this.#lists.findLast((list) => list.listClientOrderId === listClientOrderId) ?? null
  }

  get lists(): readonly OrderList[] {
    return this.#lists
  }

  get openLists(): readonly OrderList[] {
    return [...this.#openLists]
  }

  symbols(): string[] {
    return [...this.#symbols.keys()]
  }

  copyOrders(symbol?: string): readonly PracticeOrder[] {
    const names = symbol === undefined ? this.symbols() : [symbol]
    return names.flatMap((name) => this.of(name).orders.map(copyOrder)).sort((a, b) => a.orderId - b.orderId)
  }

  copyTrades(symbol?: string): readonly PracticeTrade[] {
    const names = symbol === undefined ? this.symbols() : [symbol]
    return names.flatMap((name) => this.of(name).trades).sort((a, b) => a.tradeId - b.tradeId)
  }

  /** Everything vanishes; numbers go on from where they were. */
  clear(): void {
    this.#symbols.clear()
    this.#byId.clear()
    this.#byClientId.clear()
    this.#lists.length = 0
    this.#listById.clear()
    this.#openLists.clear()
  }
}

const clientKey = (symbol: string, clientOrderId: string): string => `${symbol} ${clientOrderId}`
