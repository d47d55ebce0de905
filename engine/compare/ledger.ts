import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf, TapedeckError } from '../errors.ts'

/** One distinct configuration that was ever tried on a stretch of candles. */
export interface Trial {
  /** The cell's content hash. */
  readonly trial: string
  /** SHA-256 of the candles. */
  readonly candles: string
  /** Per day, not annualised; null where it is undefined. */
  readonly sharpe: number | null
}

export const LEDGER = 'trials.jsonl'

/**
 * Every distinct trial that was made below `out`, in trials.jsonl: what the best of them proves depends on how many there were.
 * Lines are only ever appended; a line that a crash left torn is ended and ignored.
 */
export class Ledger {
  readonly #path: string
  readonly #trials = new Map<string, Trial>()
  #torn = false

  constructor(out: string) {
    this.#path = join(out, LEDGER)
    if (!existsSync(this.#path)) return
    const text = readFileSync(this.#path, 'utf8')
    this.#torn = text !== '' && !text.endsWith('\n')
    for (const line of text.split('\n')) {
      const trial = parse(line)
      if (trial !== null) this.#trials.set(`${trial.candles} ${trial.trial}`, trial)
    }
  }

  /** Enters trials; one that is there already adds nothing. Throws TD_RUN_WRITE. */
  enter(trials: readonly Trial[]): void {
    const fresh = trials.filter(({ candles, trial }) => !this.#trials.has(`${candles} ${trial}`))
    for (const one of fresh) this.#trials.set(`${one.candles} ${one.trial}`, one)
    if (fresh.length === 0) return
    const lines = fresh.map(({ candles, trial, sharpe }) => `${JSON.stringify({ candles, trial, sharpe })}\n`).join('')
    try {
      mkdirSync(join(this.#path, '..'), { recursive: true })
      appendFileSync(this.#path, `${this.#torn ? '\n' : ''}${lines}`)
      this.#torn = false
    } catch (error) {
      throw new TapedeckError('TD_RUN_WRITE', `${this.#path}: the trials cannot be entered (${messageOf(error)}); free space or give another --out`, { cause: error })
    }
  }

  on(candles: string): Trial[] {
    return [...this.#trials.values()].filter((one) => one.candles === candles)
  }
}

function parse(line: string): Trial | null {
  try {
    const { candles, trial, sharpe } = JSON.parse(line) as Trial
    return typeof candles === 'string' && typeof trial === 'string' && (sharpe === null || typeof sharpe === 'number') ? { candles, trial, sharpe } : null
  } catch {
    return null
  }
}
