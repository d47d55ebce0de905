import type { Action } from '../core/opinion.ts'
import { isoTime, type EpochMs } from '../core/time.ts'
import { hasAnswered, type Consultation } from '../pipeline/consultation.ts'
import type { Track } from '../session/track.ts'

/** What was said of one symbol, in the order of its candles: BUY and SELL of anybody, and HOLD of whoever was asked for it. */
export interface SaidOfSymbol {
  /** Candle numbers, and the closes of those candles. */
  readonly rows: readonly number[]
  readonly times: readonly EpochMs[]
  readonly said: readonly Consultation[]
}

/** Lines for opinions.jsonl are handed over in pieces of about this many characters. */
const PIECE = 1 << 16

/** Keeps what a pass hears. Rules say the same few things over and over, in the same objects. */
export class OpinionLog {
  readonly symbols: readonly { readonly rows: number[]; readonly times: EpochMs[]; readonly said: Consultation[] }[]
  readonly #names: readonly string[]

  constructor(symbols: readonly string[]) {
    this.#names = symbols
    this.symbols = symbols.map(() => ({ rows: [], times: [], said: [] }))
  }

  readonly heard = (track: Track, consultation: Consultation): void => {
    if (consultation.opinion.action === 'HOLD' && consultation.steps.length === 0) return
    const symbol = this.symbols[track.index]
    symbol.rows.push(track.number)
    symbol.times.push(track.snapshot.time)
    symbol.said.push(consultation)
  }

  /** opinions.jsonl: one line per opinion, symbols one after the other. */
  *lines(): Generator<string> {
    const ends = new Map<Consultation, string>()
    let piece = ''
    for (const [index, { times, said }] of this.symbols.entries()) {
      const symbol = JSON.stringify(this.#names[index])
      for (let at = 0; at < said.length; at++) {
        piece += `{"timestamp":"${isoTime(times[at])}","symbol":${symbol},${endOf(said[at], ends)}\n`
        if (piece.length < PIECE) continue
        yield piece
        piece = ''
      }
    }
    if (piece !== '') yield piece
  }
}

function endOf(consultation: Consultation, known: Map<Consultation, string>): string {
  const remembered = known.get(consultation)
  if (remembered !== undefined) return remembered
  const { provider, model, initial, turns, opinion, fallbacks, latencyMs, usage } = consultation
  const said = ({ action, confidence, reasoning }: typeof opinion): object => ({ action, confidence, reasoning })
  const end = JSON.stringify({
    provider, model, answered: answeredBy(consultation), action: opinion.action, confidence: opinion.confidence,
    turns: [initial, ...turns].map(said), fallbacks, latencyMs, ...usage,
  }).slice(1)
  if (consultation.steps.length === 0) known.set(consultation, end)
  return end
}

/** Whether an AI was asked and decided; null where none was asked. */
export function answeredBy({ steps }: Consultation): boolean | null {
  const last = steps.at(-1)
  return last === undefined ? null : hasAnswered(last)
}

/** Confidence that the target comes before the stop. */
export const targetFirst = (action: Action, confidence: number): number => (action === 'BUY' ? confidence : 1 - confidence)
