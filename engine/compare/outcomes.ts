import type { Consultation } from '../pipeline/consultation.ts'
import { answeredBy, type OpinionLog } from './opinion-log.ts'
import type { Bets } from './bets.ts'

/** What became of the events that opinions foretold, in the order in which they were said. */
export interface Outcomes {
  /** By position: symbol and place in its log. */
  readonly symbol: Uint8Array
  readonly place: Int32Array
  /** 1: the event came (BUY: target first, SELL: stop first). 0: the other did. −1: neither, so far as the tape and horizon go. */
  readonly came: Int8Array
  /** The same where, in a candle that touched both, the other came first. */
  readonly otherwise: Int8Array
  /** Candles from the open that would have filled to the one that decided. */
  readonly took: Float64Array
  /** When the outcome was known, and the opinion was given: ms. */
  readonly said: Float64Array
  readonly known: Float64Array
  readonly length: number
}

/** Two sets of bets on one symbol that differ in the fill model only. */
export interface BetPair {
  readonly careful: Bets
  readonly hopeful: Bets
}

/**
 * The outcomes of all scored opinions: BUY and SELL of whoever answers for itself. `rules`: the strategy's own are scored too.
 * `closeOf` gives the time at which a candle's number is closed.
 */
export function outcomesOf(log: OpinionLog, bets: readonly BetPair[], closeOf: (symbol: number, row: number) => number, rules: boolean): Outcomes {
  const rows: { symbol: number; place: number; time: number }[] = []
  for (const [symbol, { said, times }] of log.symbols.entries()) {
    for (let place = 0; place < said.length; place++) if (isScored(said[place], rules)) rows.push({ symbol, place, time: times[place] })
  }
  if (log.symbols.length > 1) rows.sort((a, b) => a.time - b.time || a.symbol - b.symbol)
  const length = rows.length
  const outcomes = {
    symbol: new Uint8Array(length), place: new Int32Array(length), came: new Int8Array(length).fill(-1),
    otherwise: new Int8Array(length).fill(-1), took: new Float64Array(length), said: new Float64Array(length),
    known: new Float64Array(length).fill(Infinity), length,
  }
  for (let at = 0; at < length; at++) {
    const { symbol, place, time } = rows[at]
    const { rows: numbers, said } = log.symbols[symbol]
    const row = numbers[place]
    outcomes.symbol[at] = symbol
    outcomes.place[at] = place
    outcomes.said[at] = time
    const wanted = said[place].opinion.action === 'BUY' ? 'target' : 'stop'
    const careful = bets[symbol].careful.at(row)
    if (careful === null || (careful.end !== 'target' && careful.end !== 'stop')) continue
    outcomes.came[at] = careful.end === wanted ? 1 : 0
    outcomes.took[at] = careful.exitRow - careful.entryRow + 1
    outcomes.known[at] = closeOf(symbol, careful.exitRow)
    outcomes.otherwise[at] = outcomes.came[at]
    if (!careful.ambiguous) continue
    const hopeful = bets[symbol].hopeful.at(row)
    if (hopeful !== null) outcomes.otherwise[at] = (hopeful.end === 'target' ? 'target' : 'stop') === wanted ? 1 : 0
  }
  return outcomes
}

function isScored(consultation: Consultation, rules: boolean): boolean {
  if (consultation.opinion.action === 'HOLD') return false
  return answeredBy(consultation) ?? rules
}

/** Whether the target came before the stop, for a decision at the close of a candle; null where neither did. */
export const eventsIn = (bets: readonly BetPair[]) => (symbol: number, row: number): boolean | null => {
  const bet = bets[symbol].careful.at(row)
  return bet === null || (bet.end !== 'target' && bet.end !== 'stop') ? null : bet.end === 'target'
}
