import type { TrailLine } from '../audit/reader.ts'
import { columnsOfRows, type CandleRow } from '../core/candle.ts'
import type { Execution, ExitReason } from '../core/order.ts'
import type { EpochMs } from '../core/time.ts'
import type { Timeframe } from '../core/timeframe.ts'
import { TapedeckError } from '../errors.ts'
import type { Step } from '../pipeline/consultation.ts'
import type { MarketEvent, OperatorAct, OrderReceipt, PastLine } from '../ports.ts'
import { stepsOf } from './recorded-steps.ts'

/** A line that the session wrote differently from how it is recorded. */
export class Difference extends TapedeckError {
  /** From 1. */
  readonly line: number
  readonly recorded: string
  readonly replayed: string

  constructor(line: number, recorded: string, replayed: string) {
    super('TD_REPLAY_DIFFERS', `line ${line} differs\n  recorded: ${recorded}\n  replayed: ${replayed}`)
    this.line = line
    this.recorded = recorded
    this.replayed = replayed
  }
}

/**
 * Lines that come from outside the loop: what plugins noted, and starts and stops of the process. Everything else is
 * either an answer of the world, which the recorded ports give again, or follows from those.
 */
const isNote = ({ type, purpose, event }: PastLine): boolean =>
  type === 'alarm' || (type === 'intent' && purpose !== undefined) || (type === 'provider' && event === 'state')
  || (type === 'session' && (event === 'restarted' || event === 'stopped' || event === 'finished'))

/** Lines before which the broker has told all that it had to tell. */
const ASIDE = new Set(['market', 'operator', 'intent', 'provider'])
const ENDED = new Set(['cancelled', 'rejected', 'expired', 'void'])

/**
 * A recorded run that a session goes through again. Market and broker take their answers from it, and each line that
 * the session writes is held against the one that is recorded. Once it is `over`, the world itself has to answer.
 */
export class Past {
  readonly #lines: readonly TrailLine[]
  readonly #passed: (notes: number) => void
  readonly #ended: () => void
  #at = 0
  #over = false
  #notes = 0

  /**
   * `passed` is told of notes that were gone by, so that line numbers go on behind them; `ended`, once, that the world
   * answers from here on.
   */
  constructor(lines: readonly TrailLine[], passed: (notes: number) => void, ended: () => void) {
    this.#lines = lines
    this.#passed = passed
    this.#ended = ended
  }

  /** Every recorded line has been gone through. */
  get over(): boolean {
    if (this.#over) return true
    let notes = 0
    while (this.#at < this.#lines.length && isNote(this.#lines[this.#at].fields)) {
      this.#at++
      notes++
    }
    this.#notes += notes
    if (notes > 0) this.#passed(notes)
    this.#over = this.#at === this.#lines.length
    if (this.#over) this.#ended()
    return this.#over
  }

  /** Notes that were gone by: they came from outside and stand as they are. */
  get notes(): number {
    return this.#notes
  }

  /** The session wrote `text` (without newline). Throws {@link Difference}. Not to be called once it is over. */
  retrace(text: string): void {
    const recorded = this.#lines[this.#at]
    if (recorded.text !== text) throw new Difference(this.#at + 1, recorded.text, text)
    this.#at++
  }

  /** The next thing that the market or a person sent. */
  event(timeframe: Timeframe): MarketEvent {
    const { fields, text } = this.#lines[this.#at]
    if (fields.type === 'operator') return actOf(fields)
    if (fields.type === 'market' && fields['event'] === 'wake') return { kind: 'wake', time: timeOf(fields) }
    if (fields.type === 'market') return batchOf(fields, timeframe)
    throw new Difference(this.#at + 1, text, '(the session waits for the market)')
  }

  /** What came of asking about the symbol's candle. */
  steps(symbol: string): readonly Step[] {
    const { fields, text } = this.#lines[this.#at]
    if (fields.type !== 'provider' || fields['symbol'] !== symbol) throw new Difference(this.#at + 1, text, `(the session asks about ${symbol})`)
    return stepsOf(fields)
  }

  /** What the broker said to the order. */
  receipt(orderId: string): OrderReceipt {
    for (let at = this.#at; at < this.#lines.length; at++) {
      const { fields } = this.#lines[at]
      if (isNote(fields)) continue
      if (fields.type !== 'order' || fields['id'] !== orderId) break
      return { orderId, state: fields['state'] as OrderReceipt['state'], reason: fields['reason'] as string | null }
    }
    throw new Difference(this.#at + 1, this.#lines[this.#at].text, `(the session sends order ${orderId})`)
  }

  /** What the broker told of a symbol before the loop went on. */
  executions(symbol: string): Execution[] {
    const found: Execution[] = []
    for (let at = this.#at; at < this.#lines.length; at++) {
      const { fields } = this.#lines[at]
      if (isNote(fields)) continue
      if (ASIDE.has(fields.type)) break
      if (fields['symbol'] !== symbol) continue
      if (fields.type === 'fill') found.push(fillOf(fields))
      if (fields.type === 'order' && ENDED.has(fields['state'] as string)) found.push(endOf(fields))
    }
    return found
  }
}

const timeOf = ({ timestamp }: PastLine): EpochMs => Date.parse(timestamp!)

function batchOf(fields: PastLine, timeframe: Timeframe): MarketEvent {
  const rows = fields['rows'] as readonly CandleRow[]
  const common = {
    kind: 'candles', symbol: fields['symbol'] as string, columns: columnsOfRows(rows), start: 0, end: rows.length, arrivedAt: timeOf(fields),
  } as const
  if (fields['event'] === 'settling') {
    return { ...common, timeframe: fields['timeframe'] as Timeframe, settles: true, decides: false, more: false }
  }
  return {
    ...common, timeframe, settles: fields['settles'] !== false, decides: true, more: fields['more'] as boolean, missed: fields['missed'] as boolean,
  }
}

const actOf = (fields: PastLine): OperatorAct => ({
  kind: 'operator', time: timeOf(fields), act: fields['act'] as OperatorAct['act'],
  symbol: fields['symbol'] as string | null, reason: fields['reason'] as string,
})

/** A fill as the order desk wrote it. */
export const fillOf = (fields: PastLine): Extract<Execution, { kind: 'fill' }> => ({
  kind: 'fill',
  orderId: fields['id'] as string,
  symbol: fields['symbol'] as string,
  side: fields['side'] as 'buy' | 'sell',
  time: timeOf(fields),
  price: fields['price'] as number,
  quantity: fields['quantity'] as number,
  notional: fields['notional'] as number,
  feeBase: fields['fee_base'] as number,
  feeQuote: fields['fee_quote'] as number,
  slippage: fields['slippage'] as number,
  liquidity: fields['liquidity'] as 'maker' | 'taker',
  reason: fields['reason'] as ExitReason | null,
  ambiguous: fields['ambiguous'] as boolean,
  stop: fields['stop'] as number | null,
  target: fields['target'] as number | null,
})

function endOf(fields: PastLine): Execution {
  const { symbol, state, id, reason } = fields as unknown as {
    symbol: string; state: 'cancelled' | 'rejected' | 'expired' | 'void'; id: string; reason: string
  }
  const time = timeOf(fields)
  return state === 'void' ? { kind: 'void', symbol, time, reason: 'reset' }
    : { kind: 'order', orderId: id, symbol, time, state, reason }
}
