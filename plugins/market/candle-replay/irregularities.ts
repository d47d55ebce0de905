import type { EpochMs } from '../../../engine/core/time.ts'
import type { Timeframe } from '../../../engine/core/timeframe.ts'
import { timeframeMs } from '../../../engine/core/timeframe.ts'
import { TapedeckError } from '../../../engine/errors.ts'
import { countOf, timeText } from './wording.ts'

const LISTED = 20

/** What one series lacks or has twice. */
export class Irregularities {
  readonly #label: string
  readonly #timeframe: Timeframe
  readonly #listed: string[] = []
  #gaps = 0
  #missing = 0
  #dropped = 0

  constructor(label: string, timeframe: Timeframe) {
    this.#label = label
    this.#timeframe = timeframe
  }

  /** Candles from `first` up to, not including, `next` are missing. */
  gap(first: EpochMs, next: EpochMs): void {
    const step = timeframeMs(this.#timeframe)
    const missing = (next - first) / step
    this.#gaps++
    this.#missing += missing
    if (this.#gaps <= LISTED) this.#listed.push(`${timeText(first)} … ${timeText(next - step)} (${missing})`)
  }

  duplicate(): void {
    this.#dropped++
  }

  get hasGaps(): boolean {
    return this.#gaps > 0
  }

  get #summary(): string {
    return `${this.#label}: ${countOf(this.#missing, `missing ${this.#timeframe} candle`)} in ${countOf(this.#gaps, 'gap')}`
  }

  /** The refusal, once the whole range has been read: first and last missing candle of each gap and their number. */
  error(): TapedeckError {
    const more = this.#gaps > LISTED ? `; and ${this.#gaps - LISTED} more` : ''
    return new TapedeckError('TD_CANDLE_GAP', `${this.#summary}: ${this.#listed.join('; ')}${more}. `
      + 'Set "gaps: allow" to run over the next candle as it comes, '
      + 'or "gaps: fill" to repeat the last close with volume 0')
  }

  notes(gaps: 'refuse' | 'allow' | 'fill'): string[] {
    const notes: string[] = []
    if (gaps === 'allow' && this.#gaps > 0) notes.push(`${this.#summary} left open`)
    if (gaps === 'fill' && this.#gaps > 0) notes.push(`${this.#summary} filled with the last close and volume 0`)
    if (this.#dropped > 0) {
      notes.push(`${this.#label}: ${countOf(this.#dropped, `duplicated ${this.#timeframe} candle`)} dropped`)
    }
    return notes
  }
}
