import type { EpochMs } from '../core/time.ts'
import { isBetter } from './tape-index.ts'
import type { ExchangeLine, TapeLine } from './tape-lines.ts'

/** What came of a question: an action with its confidence, or the class of a failure. */
export interface Verdict {
  readonly action: string | null
  readonly confidence: number | null
  readonly failure: string | null
}

/** A question, as people look for it. */
export interface Question {
  readonly key: string
  readonly provider: string
  readonly model: string
  /** 1 = the first question of a conversation. */
  readonly turn: number
  readonly sample: number
  /** Of the first decision that it was asked for; null when none was recorded. */
  readonly symbol: string | null
  readonly time: EpochMs | null
}

export interface Comparison {
  /** Questions with the same outcome in the same words. */
  readonly same: number
  /** Questions with the same outcome, for other reasons. */
  readonly reworded: number
  readonly differing: readonly (Question & { readonly a: Verdict; readonly b: Verdict })[]
  readonly onlyA: readonly Question[]
  readonly onlyB: readonly Question[]
}

/** Two recordings question by question, by the outcome that a replay would take. */
export function compare(a: readonly TapeLine[], b: readonly TapeLine[]): Comparison {
  const [before, after] = [outcomes(a), outcomes(b)]
  let same = 0
  let reworded = 0
  const differing: (Question & { a: Verdict; b: Verdict })[] = []
  const onlyA: Question[] = []
  for (const [key, one] of before.byKey) {
    const other = after.byKey.get(key)
    if (other === undefined) onlyA.push(before.question(one))
    else if (!isSame(verdictOf(one), verdictOf(other))) differing.push({ ...before.question(one), a: verdictOf(one), b: verdictOf(other) })
    else if (one.answer?.reasoning === other.answer?.reasoning) same++
    else reworded++
  }
  const onlyB = [...after.byKey].filter(([key]) => !before.byKey.has(key)).map(([, one]) => after.question(one))
  return { same, reworded, differing, onlyA, onlyB }
}

function outcomes(lines: readonly TapeLine[]): { readonly byKey: ReadonlyMap<string, ExchangeLine>; question(line: ExchangeLine): Question } {
  const byKey = new Map<string, ExchangeLine>()
  const askedAt = new Map<string, { readonly symbol: string; readonly time: EpochMs }>()
  const keys = new Map<number, string>()
  for (const line of lines) {
    if (line.kind !== 'exchange') continue
    keys.set(line.seq, line.key)
    const before = byKey.get(line.key)
    if (before === undefined || isBetter(line, before)) byKey.set(line.key, line)
  }
  for (const line of lines) {
    if (line.kind !== 'decision') continue
    for (const seq of line.steps.flatMap(({ exchanges }) => exchanges)) {
      const key = keys.get(seq)
      if (key !== undefined && !askedAt.has(key)) askedAt.set(key, line)
    }
  }
  return {
    byKey,
    question({ key, sample, request: { provider, model, messages } }) {
      const { symbol = null, time = null } = askedAt.get(key) ?? {}
      return { key, provider, model, turn: messages.filter(({ role }) => role === 'user').length, sample, symbol, time }
    },
  }
}

const verdictOf = ({ answer, failure }: ExchangeLine): Verdict =>
  ({ action: answer?.action ?? null, confidence: answer?.confidence ?? null, failure: failure?.kind ?? null })

const isSame = (a: Verdict, b: Verdict): boolean =>
  a.action === b.action && a.confidence === b.confidence && a.failure === b.failure
