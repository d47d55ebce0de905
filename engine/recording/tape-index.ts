import type { EpochMs } from '../core/time.ts'
import type { Reply } from '../pipeline/consultation.ts'
import type { Answer, ProviderRequest } from '../ports.ts'
import { frameOf, talkOf } from './key.ts'
import type { DecisionLine, ExchangeLine, TapeLine } from './tape-lines.ts'

/** A recorded exchange, ready to be answered with. */
export interface Known {
  readonly line: ExchangeLine
  readonly reply: Reply
}

export const replyOf = ({ answer, failure, latencyMs, attempts, usage }: ExchangeLine): Reply =>
  ({ answer: answer as Answer | null, failure, latencyMs, attempts, usage })

/** What a recording holds, to be found by question and by decision. Newer generations go before older ones. */
export class TapeIndex {
  readonly #bySeq = new Map<number, Known>()
  /** By frame, then by what was said; null before anybody looks: a replay that goes as recorded never does. */
  #byTalk: Map<string, Map<string, Known>> | null = null
  readonly #sample: number
  readonly #decisions = new Map<string, Map<EpochMs, DecisionLine>>()
  #newest = 0

  constructor(lines: readonly TapeLine[], sample = 0) {
    this.#sample = sample
    // Questions of one run have one frame, so that the newest is nearly always the right one.
    for (const line of lines) if (line.kind === 'exchange') this.addExchange(line)
    for (const line of lines) if (line.kind === 'decision') this.addDecision(line)
  }

  addExchange(line: ExchangeLine): Known {
    const known = { line, reply: replyOf(line) }
    this.#newest = Math.max(this.#newest, line.seq)
    this.#bySeq.set(line.seq, known)
    if (this.#byTalk !== null) this.#sort(known, this.#byTalk)
    return known
  }

  /** Puts an exchange where its question finds it. */
  #sort(known: Known, byTalk: Map<string, Map<string, Known>>): void {
    const { line } = known
    if (line.sample !== this.#sample) return
    const frame = frameOf(line.request)
    const talks = byTalk.get(frame) ?? new Map<string, Known>()
    byTalk.set(frame, talks)
    const talk = talkOf(line.request.messages)
    const before = talks.get(talk)
    if (before === undefined || isBetter(line, before.line)) talks.set(talk, known)
  }

  addDecision(line: DecisionLine): void {
    this.#newest = Math.max(this.#newest, line.seq)
    if (line.sample !== this.#sample) return
    const times = this.#decisions.get(line.symbol) ?? new Map<EpochMs, DecisionLine>()
    this.#decisions.set(line.symbol, times)
    const before = times.get(line.time)
    if (before === undefined || line.generation >= before.generation) times.set(line.time, line)
  }

  /** The newest line's number. */
  get newest(): number {
    return this.#newest
  }

  exchange(seq: number): Known | null {
    return this.#bySeq.get(seq) ?? null
  }

  /** What came of the same question, whoever asked it when. */
  find(request: ProviderRequest): Known | null {
    if (this.#byTalk === null) {
      this.#byTalk = new Map()
      for (const known of this.#bySeq.values()) this.#sort(known, this.#byTalk)
    }
    return this.#byTalk.get(frameOf(request))?.get(talkOf(request.messages)) ?? null
  }

  decision(symbol: string, time: EpochMs): DecisionLine | null {
    return this.#decisions.get(symbol)?.get(time) ?? null
  }

  exchanges(): IterableIterator<Known> {
    return this.#bySeq.values()
  }

  get size(): number {
    return this.#bySeq.size
  }

  /** A warning for each model whose alias stood for several versions. */
  mixedVersions(): readonly string[] {
    const versions = new Map<string, Set<string>>()
    for (const { line: { request: { provider, model }, answer } } of this.#bySeq.values()) {
      if (answer?.modelVersion === undefined) continue
      const name = `${provider} ${model}`
      versions.set(name, (versions.get(name) ?? new Set()).add(answer.modelVersion))
    }
    return [...versions].filter(([, seen]) => seen.size > 1)
      .map(([name, seen]) => `${name} was answered by several versions of the model: ${[...seen].join(', ')}`)
  }
}

/** An answer is better than a failure, a newer recording better than an older one. */
export function isBetter(line: ExchangeLine, before: ExchangeLine): boolean {
  if (line.generation !== before.generation) return line.generation > before.generation
  return line.answer !== null || before.answer === null
}
