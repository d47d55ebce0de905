import { requestKey } from './key.ts'
import { TapeIndex } from './tape-index.ts'
import type { DecisionLine, ExchangeLine, TapeLine } from './tape-lines.ts'

/** What replays took from a recording: numbers of lines. */
export interface Use {
  readonly exchanges: ReadonlySet<number>
  readonly decisions: ReadonlySet<number>
}

/**
 * The lines that replays can still need. What newer ones have taken the place of goes; so does, where `use` is given, what
 * is not among it. What stays answers every replay as before.
 */
export function keptLines(lines: readonly TapeLine[], use: Use | null): readonly TapeLine[] {
  const samples = [...new Set(lines.map(({ sample }) => sample))]
  const indices = new Map(samples.map((sample) => [sample, new TapeIndex(lines, sample)]))
  const wanted = use === null ? null : new Wanted(lines, use)
  const kept = new Set<number>()
  for (const line of lines) {
    const index = indices.get(line.sample)!
    if (line.kind === 'decision') {
      if (index.decision(line.symbol, line.time) !== line || wanted?.decision(line) === false) continue
      kept.add(line.seq)
      for (const { exchanges } of line.steps) for (const seq of exchanges) kept.add(seq)
    } else if (index.find(line.request)?.line === line && wanted?.exchange(line) !== false) kept.add(line.seq)
  }
  return lines.filter(({ seq }) => kept.has(seq))
}

/** What replays use. They ask for sample 0 alone: further samples stay with the questions that they are of. */
class Wanted {
  readonly #use: Use
  readonly #questions = new Set<string>()
  readonly #moments = new Set<string>()

  constructor(lines: readonly TapeLine[], use: Use) {
    this.#use = use
    const sampled = lines.some(({ sample }) => sample > 0)
    for (const line of sampled ? lines : []) {
      if (line.kind === 'decision' && use.decisions.has(line.seq)) this.#moments.add(momentOf(line))
      if (line.kind === 'exchange' && use.exchanges.has(line.seq)) this.#questions.add(requestKey(line.request))
    }
  }

  decision(line: DecisionLine): boolean {
    return line.sample === 0 ? this.#use.decisions.has(line.seq) : this.#moments.has(momentOf(line))
  }

  exchange(line: ExchangeLine): boolean {
    return line.sample === 0 ? this.#use.exchanges.has(line.seq) : this.#questions.has(requestKey(line.request))
  }
}

const momentOf = ({ symbol, time }: DecisionLine): string => `${symbol} ${time}`
