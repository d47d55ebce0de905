import type { Instrument } from '../core/instrument.ts'
import type { Costs } from '../core/matching.ts'
import type { EpochMs } from '../core/time.ts'
import { isTimeframe, timeframeMs } from '../core/timeframe.ts'
import type { PastLine } from '../ports.ts'
import { TrailBook, type OpenPosition } from '../session/trail-book.ts'
import { EquityPoints, type EquityPoint } from './equity-points.ts'
import { Newest } from './newest.ts'
import { OrderList } from './order-list.ts'
import {
  alarmRow, decisionRow, historyRow, seqOf, tradeRow, type AlarmRow, type DecisionRow, type HistoryRow, type OrderRow, type TradeRow,
} from './rows.ts'
import { RiskState, type Risk } from './risk-state.ts'

/** Open time in ms, open, high, low, close, volume. */
export type CandleValues = readonly [EpochMs, number, number, number, number, number]

export interface Mark {
  readonly symbol: string
  readonly time: EpochMs
  readonly kind: 'entry' | 'exit'
  readonly price: number
  readonly reason: string | null
}

/** What a line changed, told to whoever follows. */
export type Change =
  | { readonly kind: 'decision'; readonly row: DecisionRow }
  | { readonly kind: 'trade'; readonly row: TradeRow }
  | { readonly kind: 'order'; readonly row: OrderRow }
  | { readonly kind: 'candles'; readonly symbol: string; readonly candles: readonly CandleValues[] }
  | { readonly kind: 'equity'; readonly point: EquityPoint }
  | { readonly kind: 'position'; readonly symbol: string }
  | { readonly kind: 'alarm'; readonly row: AlarmRow }
  | { readonly kind: 'risk' | 'provider' | 'run' }

/** How much of a run is kept in memory, however long it lasts. */
export const KEPT = { decisions: 2_000, trades: 5_000, candles: 2_000, marks: 2_000, orders: 1_000, alarms: 200 } as const

/** A decision with what lists need of it. */
interface Decided {
  readonly row: DecisionRow
  readonly history: HistoryRow
}

/**
 * A run as its trail tells it, reduced line by line to what a page shows, in bounded memory. The same for a run that goes
 * on, told each line as it is written, and for one that has ended, fed from its file.
 */
export class RunBook {
  readonly decisions = new Newest<Decided>(KEPT.decisions)
  readonly trades = new Newest<TradeRow>(KEPT.trades)
  readonly marks = new Newest<Mark>(KEPT.marks)
  readonly alarms = new Newest<AlarmRow>(KEPT.alarms)
  readonly orders = new OrderList(KEPT.orders)
  readonly #candles = new Map<string, Newest<CandleValues>>()
  readonly #listeners = new Set<(change: Change) => void>()
  readonly #lineListeners = new Set<() => void>()
  readonly #byStatus = new Map<string, number>()
  /** Price of each symbol when it was first decided on, and now. */
  readonly #span = new Map<string, { readonly first: number; last: number }>()
  #book: TrailBook | null = null
  #costs: Costs | null = null
  #equity = new EquityPoints(0)
  #run: string | null = null
  #symbols: readonly string[] = []
  #timeframe: string | null = null
  #candleMs = 0
  #seq = 0
  #count = 0
  #won = 0
  #closed = 0
  #pnl = 0
  #aiCost = 0
  #asked = 0
  #answered = 0
  #since: string | null = null
  #lastEvent: string | null = null
  readonly #risk = new RiskState()

  /** `startCash` is for trails that do not tell it, as those of backtests. */
  constructor(readonly startCash: number | null = null) {}

  /** Takes the trail's next line; one that it has taken already is passed over. */
  see(line: PastLine): void {
    const seq = seqOf(line)
    if (!(seq > this.#seq)) return
    this.#seq = seq
    if (line.timestamp !== null && (this.#lastEvent === null || line.timestamp > this.#lastEvent)) this.#lastEvent = line.timestamp
    for (const listener of this.#lineListeners) listener()
    switch (line.type) {
      case 'session': return this.#session(line)
      case 'market': return this.#market(line)
      case 'decision': return this.#decision(line)
      case 'intent': case 'order': return this.#order(line)
      case 'fill': return this.#fill(line)
      case 'trade': return this.#trade(line)
      case 'risk':
        if (this.#risk.see(line)) this.#tell({ kind: 'risk' })
        return undefined
      case 'operator': return this.#operator(line)
      case 'provider': return this.#provider(line)
      case 'alarm': return this.#alarm(line)
      default: return undefined
    }
  }

  /** Returns what ends it. */
  onChange(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener)
    return () => { this.#listeners.delete(listener) }
  }

  /** Told of every line, also of those that change nothing. Returns what ends it. */
  onLine(listener: () => void): () => void {
    this.#lineListeners.add(listener)
    return () => { this.#lineListeners.delete(listener) }
  }

  get run(): string | null { return this.#run }
  get symbols(): readonly string[] { return this.#symbols }
  get timeframe(): string | null { return this.#timeframe }
  get costs(): Costs | null { return this.#costs }
  /** Newest line's number. */
  get seq(): number { return this.#seq }
  get lastEventAt(): string | null { return this.#lastEvent }
  /** When the first decision was made. */
  get since(): string | null { return this.#since }
  /** All of the run, also those that are no longer kept. */
  get decisionCount(): number { return this.#count }
  get tradeCount(): number { return this.#closed }
  get realisedPnl(): number { return this.#pnl }
  get winRate(): number | null { return this.#closed === 0 ? null : this.#won / this.#closed }
  /** USD. */
  get aiCost(): number { return this.#aiCost }
  /** Questions to AI services that were answered ÷ questions; null before the first. */
  get coverage(): number | null { return this.#asked === 0 ? null : this.#answered / this.#asked }
  get cash(): number | null { return this.#book?.cash ?? this.startCash }
  get begunWith(): number | null { return this.#book?.startCash ?? this.startCash }
  get equity(): number | null { return this.#book?.equity ?? this.startCash }
  get fees(): number { return this.#book?.fees ?? 0 }
  get openPositions(): number { return this.#book?.openCount ?? 0 }
  get positions(): readonly OpenPosition[] { return this.#book?.positions() ?? [] }
  get equityPoints(): EquityPoints { return this.#equity }
  get statuses(): ReadonlyMap<string, number> { return this.#byStatus }
  get spans(): Iterable<{ readonly first: number; readonly last: number }> { return this.#span.values() }

  position(symbol: string): OpenPosition | null {
    return this.#book?.position(symbol) ?? null
  }

  /** Oldest first. */
  candles(symbol: string): Newest<CandleValues> | null {
    return this.#candles.get(symbol) ?? null
  }

  get risk(): Risk {
    return this.#risk.at(this.#lastEvent)
  }

  /** The last decision, or null. */
  get lastDecision(): DecisionRow | null {
    return this.decisions.last()?.row ?? null
  }

  #tell(change: Change): void {
    for (const listener of this.#listeners) listener(change)
  }

  #session(line: PastLine): void {
    const { run, event, symbols, timeframe } = line
    if (event === 'start') {
      this.#run = run as string
      this.#symbols = symbols as string[]
      this.#timeframe = timeframe as string
      this.#candleMs = isTimeframe(this.#timeframe) ? timeframeMs(this.#timeframe) : 0
      if (this.startCash !== null) this.#begin(TrailBook.plain(this.startCash, this.#symbols))
    } else if (event === 'account') {
      const { cash, costs, instruments } = line as unknown as {
        readonly cash: number; readonly costs: Costs; readonly instruments: Readonly<Record<string, Instrument>>
      }
      this.#costs = costs
      this.#begin(new TrailBook({ cash, instruments }))
    }
    this.#tell({ kind: 'run' })
  }

  #begin(book: TrailBook): void {
    this.#book = book
    this.#equity = new EquityPoints(book.startCash)
  }

  #market(line: PastLine): void {
    this.#book?.see(line)
    const rows = line['rows'] as readonly CandleValues[] | undefined
    if (rows === undefined || rows.length === 0) return
    const symbol = line['symbol'] as string
    const [openTime, , , , close] = rows.at(-1)!
    this.#price(symbol, close)
    // Finer candles only tell what a position is worth now.
    if (line['event'] === 'candles') {
      const kept = this.#candles.get(symbol) ?? new Newest<CandleValues>(KEPT.candles)
      this.#candles.set(symbol, kept)
      for (const row of rows.slice(-KEPT.candles)) kept.add(row)
      this.#tell({ kind: 'candles', symbol, candles: rows })
      this.#mark(openTime + this.#candleMs)
    }
    if ((this.#book?.position(symbol) ?? null) !== null) this.#tell({ kind: 'position', symbol })
  }

  #mark(time: EpochMs): void {
    const value = this.equity
    if (value === null) return
    const newest = this.#equity.newest?.[0] ?? 0
    this.#tell({ kind: 'equity', point: this.#equity.add(Math.max(time, newest), value) })
  }

  #price(symbol: string, price: number): void {
    const span = this.#span.get(symbol)
    if (span !== undefined) span.last = price
  }

  #decision(line: PastLine): void {
    const row = decisionRow(line)
    const { symbol, timestamp, status } = row
    this.#count++
    this.#byStatus.set(status, (this.#byStatus.get(status) ?? 0) + 1)
    this.#since ??= timestamp
    this.#aiCost += row.cost_usd
    const decided = { row, history: historyRow(line) }
    const price = decided.history.market_data['price']
    if (typeof price === 'number') {
      if (!this.#span.has(symbol)) this.#span.set(symbol, { first: price, last: price })
      if (!this.#candles.has(symbol)) {
        this.#price(symbol, price)
        this.#book?.mark(symbol, price, Date.parse(timestamp))
        this.#mark(Date.parse(timestamp))
      }
    }
    this.decisions.add(decided)
    this.#tell({ kind: 'decision', row })
  }

  #order(line: PastLine): void {
    this.#book?.see(line)
    const row = this.orders.see(line)
    if (row !== null) this.#tell({ kind: 'order', row })
    if (typeof line['symbol'] === 'string') this.#tell({ kind: 'position', symbol: line['symbol'] })
  }

  #fill(line: PastLine): void {
    this.#book?.see(line)
    const { symbol, side, price, reason } = line as unknown as { symbol: string; side: string; price: number; reason: string | null }
    const time = Date.parse(line.timestamp ?? '')
    this.marks.add({ symbol, time, kind: side === 'buy' ? 'entry' : 'exit', price, reason })
    const newest = this.#candles.get(symbol)?.last()
    // What happened within a candle is worth that candle's close by now.
    if (newest !== undefined && time < newest[0] + this.#candleMs) this.#book?.mark(symbol, newest[4], time)
    this.#tell({ kind: 'order', row: this.orders.see(line)! })
    this.#mark(time)
    this.#tell({ kind: 'position', symbol })
  }

  #trade(line: PastLine): void {
    const row = tradeRow(line)
    this.#closed++
    this.#pnl += row.pnl
    if (row.pnl > 0) this.#won++
    this.trades.add(row)
    this.#tell({ kind: 'trade', row })
  }

  #operator(line: PastLine): void {
    const { act, symbol } = line
    this.#risk.said(line)
    if (act !== 'close' || typeof symbol !== 'string') return
    this.orders.leave(symbol)
    this.#tell({ kind: 'position', symbol })
  }

  #provider(line: PastLine): void {
    if (line['event'] === 'consulted') {
      const steps = line['steps'] as readonly { readonly failure: unknown; readonly turns: readonly unknown[] }[]
      if (steps.length === 0) return
      this.#asked++
      if (steps.some(({ failure, turns }) => failure === null && turns.length > 0)) this.#answered++
    }
    this.#tell({ kind: 'provider' })
  }

  #alarm(line: PastLine): void {
    const row = alarmRow(line)
    this.alarms.add(row)
    this.#tell({ kind: 'alarm', row })
  }
}
