import { instrumentOf, type Instrument } from '../core/instrument.ts'
import type { Fill } from '../core/order.ts'
import { applyFill, createPortfolio, equity, voidPosition, type Holding, type Portfolio } from '../core/portfolio.ts'
import type { EpochMs } from '../core/time.ts'
import type { PastLine } from '../ports.ts'
import { fillOf } from './past.ts'

/** What a trail's books begin with. */
export interface BookTerms {
  readonly cash: number
  readonly instruments: Readonly<Record<string, Instrument>>
}

export interface OpenPosition {
  readonly symbol: string
  readonly quote: string
  /** Base units. */
  readonly quantity: number
  readonly entryPrice: number
  readonly entryTime: EpochMs
  /** Resting prices; null = none. */
  readonly stop: number | null
  readonly target: number | null
  /** Close of the newest candle that the run has seen, or the entry's price before there was one. */
  readonly price: number
  /** By the venue's time, up to the newest thing that the run has seen. */
  readonly ageMs: number
  /** Quote won or lost if it were sold at `price`, fees of the entry in, those of the exit not. */
  readonly unrealised: number
  /** The same as a share of what the position cost. */
  readonly unrealisedShare: number
}

/** Cash and holdings of a run, from the lines of its trail alone: each goes through {@link see}, in order. */
export class TrailBook {
  readonly #portfolio: Portfolio
  readonly #holdings: ReadonlyMap<string, Holding>
  readonly #told = new Set<string>()
  /** Somebody else's sales may come beside the trail; then each of the trail's own has to be known again. */
  readonly #mixed: boolean
  /** Sales that were booked before the trail told of them. */
  readonly #ahead = new Set<string>()
  #now: EpochMs = 0

  constructor({ cash, instruments }: BookTerms, mixed = false) {
    this.#portfolio = createPortfolio(cash, Object.values(instruments))
    this.#holdings = new Map(this.#portfolio.holdings.map((holding) => [holding.instrument.symbol, holding]))
    this.#mixed = mixed
  }

  /** For trails that do not tell what an account was like: symbols without filters. */
  static plain(cash: number, symbols: readonly string[]): TrailBook {
    return new TrailBook({ cash, instruments: Object.fromEntries(symbols.map((symbol) => [symbol, instrumentOf(symbol)])) })
  }

  /** Newest time of the venue that was told. */
  get now(): EpochMs {
    return this.#now
  }

  get cash(): number {
    return this.#portfolio.cash
  }

  get startCash(): number {
    return this.#portfolio.startCash
  }

  get fees(): number {
    return this.#portfolio.fees
  }

  get openCount(): number {
    return this.#portfolio.openPositions
  }

  /** Cash plus what is held, in quote. */
  get equity(): number {
    return equity(this.#portfolio)
  }

  see(fields: PastLine): void {
    const { type, timestamp } = fields
    if (type === 'fill') {
      const fill = fillOf(fields)
      if (this.#ahead.delete(fingerprint(fill))) return
      if (this.#mixed) this.#told.add(fingerprint(fill))
      this.#book(fill)
      return
    }
    const holding = this.#holdings.get(String(fields['symbol']))
    if (type === 'market') {
      if (timestamp !== null) this.#now = Math.max(this.#now, Date.parse(timestamp))
      const rows = fields['rows'] as readonly (readonly number[])[] | undefined
      if (rows !== undefined && holding !== undefined) holding.mark = rows.at(-1)![4]
    } else if (holding !== undefined) this.#follow(fields, holding)
  }

  /** A sale that the trail may not hold yet; when it comes there as well, it counts once. */
  beside(fill: Fill): void {
    const holding = this.#holdings.get(fill.symbol)
    const print = fingerprint(fill)
    if (this.#told.has(print) || this.#ahead.has(print) || holding?.open !== true || fill.time < holding.entryTime) return
    this.#ahead.add(print)
    this.#book(fill)
  }

  /** A price that no market line told. */
  mark(symbol: string, price: number, time: EpochMs): void {
    this.#now = Math.max(this.#now, time)
    const holding = this.#holdings.get(symbol)
    if (holding !== undefined) holding.mark = price
  }

  positions(): OpenPosition[] {
    return this.#portfolio.holdings.filter(({ open }) => open).map((holding) => positionOf(holding, this.#now))
  }

  position(symbol: string): OpenPosition | null {
    const holding = this.#holdings.get(symbol)
    return holding?.open === true ? positionOf(holding, this.#now) : null
  }

  #book(fill: Fill): void {
    const holding = this.#holdings.get(fill.symbol)
    if (holding !== undefined) applyFill(this.#portfolio, holding, fill, 0)
  }

  /** Levels that moved, and books that were set back. */
  #follow({ type, ...fields }: PastLine, holding: Holding): void {
    if (type === 'order' && fields['event'] === 'stop-raised') holding.stop = fields['to'] as number
    else if (type === 'order' && fields['state'] === 'void') voidPosition(this.#portfolio, holding)
    else if (type === 'intent' && fields['purpose'] === 'protect') {
      holding.stop = (fields['stop'] as number | null) ?? NaN
      holding.target = (fields['target'] as number | null) ?? NaN
    }
  }
}

/** One execution, whoever wrote it down. */
const fingerprint = ({ symbol, side, time, price, quantity }: Fill): string =>
  [symbol, side, time, price, quantity].join(' ')

const level = (price: number): number | null => (Number.isNaN(price) ? null : price)

function positionOf(holding: Holding, now: EpochMs): OpenPosition {
  const { instrument: { symbol, quote }, quantity, entryPrice, entryTime, stop, target, mark, cost } = holding
  const unrealised = quantity * mark - cost
  return {
    symbol, quote, quantity, entryPrice, entryTime, stop: level(stop), target: level(target), price: mark,
    ageMs: Math.max(0, now - entryTime), unrealised, unrealisedShare: unrealised / cost,
  }
}
