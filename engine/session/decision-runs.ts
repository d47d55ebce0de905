/** What a lane did with BUYs or SELLs of one symbol, from one candle number to another, each like the others. */
export interface DecisionRun {
  /** Candle numbers of the first and the last such decision. */
  readonly from: number
  readonly to: number
  /** The rule that refused them, or `low-confidence`; null: orders were sent. */
  readonly reason: string | null
}

const WIDTH = 3

/**
 * What became of a lane's decisions, kept as runs of equal outcomes per symbol and side: refusals come in rows of the
 * same kind, and a sweep has hundreds of millions. A run covers every BUY (or SELL) from its first to its last candle.
 */
export class DecisionRuns {
  readonly #sides: Runs[]

  constructor(symbols: number, sides: Runs[] = Array.from({ length: symbols * 2 }, () => new Runs())) {
    this.#sides = sides
  }

  copy(): DecisionRuns {
    return new DecisionRuns(0, this.#sides.map((runs) => runs.copy()))
  }

  note(symbol: number, side: 'buy' | 'sell', candle: number, reason: string | null): void {
    this.#sides[symbol * 2 + (side === 'buy' ? 0 : 1)].note(candle, reason)
  }

  of(symbol: number, side: 'buy' | 'sell'): readonly DecisionRun[] {
    return this.#sides[symbol * 2 + (side === 'buy' ? 0 : 1)].list()
  }
}

class Runs {
  #rows = new Int32Array(64 * WIDTH)
  #length = 0
  #reasons: (string | null)[] = []

  copy(): Runs {
    const copy = new Runs()
    copy.#rows = this.#rows.slice()
    copy.#length = this.#length
    copy.#reasons = this.#reasons.slice()
    return copy
  }

  note(candle: number, reason: string | null): void {
    const rows = this.#rows
    const at = this.#length
    if (at > 0 && this.#reasons[rows[at - 1]] === reason) {
      rows[at - 2] = candle
      return
    }
    let code = this.#reasons.indexOf(reason)
    if (code < 0) code = this.#reasons.push(reason) - 1
    if (at === rows.length) {
      this.#rows = new Int32Array(rows.length * 2)
      this.#rows.set(rows)
    }
    this.#rows[at] = this.#rows[at + 1] = candle
    this.#rows[at + 2] = code
    this.#length += WIDTH
  }

  list(): DecisionRun[] {
    const list: DecisionRun[] = []
    for (let at = 0; at < this.#length; at += WIDTH) {
      list.push({ from: this.#rows[at], to: this.#rows[at + 1], reason: this.#reasons[this.#rows[at + 2]] })
    }
    return list
  }
}
