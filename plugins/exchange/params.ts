import { refusals } from './errors.ts'

const DECIMAL = /^([0-9]{1,20})(\.[0-9]{1,20})?$/
const DECIMAL_RANGE = '^([0-9]{1,20})(\\.[0-9]{1,20})?$'
const INTEGER = /^[0-9]{1,20}$/
const CLIENT_ID = /^[a-zA-Z0-9\-_.:/]{1,36}$/
const CLIENT_ID_RANGE = '^[a-zA-Z0-9-_]{1,36}$'

/** A request's parameters, read one by one; what is malformed is refused in Binance's words. An empty one counts as not sent. */
export class Params {
  readonly values: Readonly<Record<string, string>>

  constructor(values: Readonly<Record<string, string>>) {
    this.values = values
  }

  has(name: string): boolean {
    return this.text(name) !== null
  }

  text(name: string): string | null {
    const value = this.values[name]
    return value === undefined || value === '' ? null : value
  }

  needText(name: string): string {
    const value = this.text(name)
    if (value === null) throw refusals.missing(name)
    return value
  }

  /** A whole number, not negative. */
  whole(name: string): number | null {
    const value = this.text(name)
    if (value === null) return null
    if (!INTEGER.test(value)) throw refusals.illegal(name, '^[0-9]{1,20}$')
    return Number(value)
  }

  /** An amount with up to 8 decimals; 0 is no amount. */
  amount(name: string): number | null {
    const value = this.text(name)
    if (value === null) return null
    const match = DECIMAL.exec(value)
    if (match === null) throw refusals.illegal(name, DECIMAL_RANGE)
    if ((match[2] ?? '').replace(/0+$/, '').length > 9) throw refusals.precision(name)
    const amount = Number(value)
    if (amount === 0) throw refusals.invalidMessage(`Invalid ${/price/i.test(name) ? 'price' : 'quantity'}.`)
    return amount
  }

  needAmount(name: string): number {
    const amount = this.amount(name)
    if (amount === null) throw refusals.missing(name)
    return amount
  }

  clientId(name: string): string | null {
    const value = this.text(name)
    if (value !== null && !CLIENT_ID.test(value)) throw refusals.illegal(name, CLIENT_ID_RANGE)
    return value
  }

  /** `limit`, capped as Binance caps it. */
  limit(standard: number, most: number): number {
    const limit = this.whole('limit') ?? standard
    if (limit < 1) throw refusals.invalidParameter('limit')
    return Math.min(limit, most)
  }
}

/** Query string and body as one set; a parameter sent in both counts as the query has it. */
export function parseParams(query: string, body: string): Params {
  const values = Object.create(null) as Record<string, string>
  for (const text of [body, query]) {
    if (text !== '') for (const [name, value] of new URLSearchParams(text)) values[name] = value
  }
  return new Params(values)
}
