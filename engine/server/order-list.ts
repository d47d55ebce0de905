import type { PastLine } from '../ports.ts'
import type { OrderRow } from './rows.ts'

interface Sent {
  readonly id: string
  readonly side: 'buy' | 'sell'
  readonly spend?: number
  readonly quantity?: number
  readonly reason?: string
}

const OVER = new Set(['rejected', 'expired', 'cancelled', 'void'])

/** The newest orders of a run and how each stands, and which symbols are being left. */
export class OrderList {
  readonly #most: number
  /** In the order in which they were sent. */
  readonly #rows = new Map<string, OrderRow>()
  readonly #leaving = new Map<string, string | null>()

  constructor(most: number) {
    this.#most = most
  }

  /** Newest first. */
  newest(limit: number): OrderRow[] {
    return [...this.#rows.values()].slice(-limit).reverse()
  }

  /** An order to sell the symbol is on its way, or a person has asked for one. */
  isLeaving(symbol: string): boolean {
    return this.#leaving.has(symbol)
  }

  /** A person wants to be out of the symbol. */
  leave(symbol: string): void {
    this.#leaving.set(symbol, null)
  }

  /** Takes an intent, order or fill line; returns the order that it is about, or null where it is about none. */
  see(line: PastLine): OrderRow | null {
    if (line.type === 'intent') return this.#intent(line)
    return line.type === 'fill' ? this.#fill(line) : this.#state(line)
  }

  #intent(line: PastLine): OrderRow | null {
    const { symbol, order } = line
    if (line['purpose'] !== undefined || typeof order !== 'object' || order === null) return null
    const { id, side, spend = null, quantity = null, reason = null } = order as Sent
    if (side === 'sell') this.#leaving.set(String(symbol), id)
    return this.#put({ id, symbol: String(symbol), side, state: 'sent', reason, time: line.timestamp ?? '', quantity, spend, price: null })
  }

  #state(line: PastLine): OrderRow | null {
    const { id, symbol, state, reason } = line
    if (typeof state === 'string' && OVER.has(state)) this.#ended(String(symbol), id)
    const row = typeof id === 'string' ? this.#rows.get(id) : undefined
    if (row === undefined || typeof state !== 'string') return null
    return this.#put({ ...row, state, reason: typeof reason === 'string' ? reason : row.reason })
  }

  /** Stops and targets are filled without having been sent as orders of their own. */
  #fill(line: PastLine): OrderRow {
    const { id, symbol, side, price, quantity, reason } = line as unknown as {
      id: string; symbol: string; side: 'buy' | 'sell'; price: number; quantity: number; reason: string | null
    }
    if (side === 'sell') this.#ended(symbol, null)
    const before = this.#rows.get(id)
    return this.#put({
      id, symbol, side, state: 'filled', reason: reason ?? before?.reason ?? null, time: line.timestamp ?? '', quantity,
      spend: before?.spend ?? null, price,
    })
  }

  #ended(symbol: string, id: unknown): void {
    const waiting = this.#leaving.get(symbol)
    if (waiting !== undefined && (id === null || waiting === id)) this.#leaving.delete(symbol)
  }

  #put(row: OrderRow): OrderRow {
    this.#rows.set(row.id, row)
    if (this.#rows.size > this.#most) this.#rows.delete(this.#rows.keys().next().value!)
    return row
  }
}
