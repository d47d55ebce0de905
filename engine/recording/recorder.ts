import { createHash } from 'node:crypto'
import type { Reply, Step } from '../pipeline/consultation.ts'
import type { StrategyConversation } from '../pipeline/conversation.ts'
import type { AnswerTape } from '../pipeline/service-chain.ts'
import type { Conversation, DecisionProvider, MaybePromise, ProviderRequest } from '../ports.ts'
import { frameOf, requestKey } from './key.ts'
import type { Tape } from './tape-file.ts'
import { TapeIndex } from './tape-index.ts'
import type { DecisionLine, ExchangeLine } from './tape-lines.ts'

/** How a decision's chain was put: the same hash is asked the same way. */
export function chainHash(providers: readonly DecisionProvider[], refinements: number, conversation: Conversation): string {
  const frames = providers.map((provider) => frameOf(provider.request!(conversation)))
  return createHash('sha256').update(JSON.stringify([refinements, ...frames])).digest('hex').slice(0, 16)
}

export interface RecorderPlan {
  readonly file: Tape
  readonly providers: readonly DecisionProvider[]
  readonly refinements: number
  /** Exchanges and decisions of earlier generations are not taken for known. */
  readonly generation: number
  readonly sample: number
  /** Date of the price table. */
  readonly prices: string
  /** Decisions that nobody answered count as not recorded. */
  readonly retryFailed?: boolean
}

/** Writes what is asked and answered, and answers itself what it knows: nothing is asked twice. */
export class Recorder implements AnswerTape {
  readonly #plan: RecorderPlan
  readonly #index: TapeIndex
  readonly #seqs = new WeakMap<Reply, number>()
  /** Being asked right now, by key. */
  readonly #asked = new Map<string, Promise<Reply>>()
  /** Lines up to this one were there before; what comes of this recorder's own questions is not asked about again. */
  readonly #before: number
  #chain: string | null = null

  constructor(plan: RecorderPlan) {
    this.#plan = plan
    const { file: { lines }, generation, sample } = plan
    this.#index = new TapeIndex(lines.filter((line) => line.generation === generation), sample)
    this.#before = lines.reduce((newest, { seq }) => Math.max(newest, seq), 0)
    for (const { line, reply } of this.#index.exchanges()) this.#seqs.set(reply, line.seq)
  }

  known(request: ProviderRequest): MaybePromise<Reply | null> {
    const known = this.#index.find(request)
    if (known !== null && known.reply.answer !== null) return known.reply
    const asked = this.#asked.get(requestKey(request, this.#plan.sample))
    // What fails for others is asked for oneself.
    return asked === undefined ? null : asked.then((reply) => (reply.answer === null ? null : reply), () => null)
  }

  async keep(request: ProviderRequest, asking: Promise<Reply>): Promise<Reply> {
    const { generation, sample, prices } = this.#plan
    const key = requestKey(request, sample)
    this.#asked.set(key, asking)
    try {
      const reply = await asking
      const { answer, failure, usage, latencyMs, attempts } = reply
      const line: ExchangeLine = {
        kind: 'exchange', seq: this.#plan.file.next(), key, sample, generation,
        request: { ...request, messages: [...request.messages], schema: { ...request.schema }, sampling: { ...request.sampling } },
        answer: answer === null ? null : answerOf(answer), failure, usage, latencyMs, attempts, prices,
      }
      this.#write(line)
      this.#seqs.set(reply, line.seq)
      this.#seqs.set(this.#index.addExchange(line).reply, line.seq)
      return reply
    } finally {
      if (this.#asked.get(key) === asking) this.#asked.delete(key)
    }
  }

  decided(conversation: StrategyConversation, steps: readonly Step[]): void {
    const { generation, sample } = this.#plan
    const { symbol, time } = conversation.snapshot
    const line: DecisionLine = {
      kind: 'decision', seq: this.#plan.file.next(), symbol, time, chain: this.chain(conversation), sample, generation,
      steps: steps.map(({ provider, skipped, replies }) => ({
        provider, skipped, exchanges: replies.flatMap((reply) => this.#seqs.get(reply) ?? []),
      })),
    }
    this.#write(line)
    this.#index.addDecision(line)
  }

  /** Whether the decision has been recorded already, by the same chain. */
  has(conversation: StrategyConversation): boolean {
    const { symbol, time } = conversation.snapshot
    const known = this.#index.decision(symbol, time)
    if (known === null || known.chain !== this.chain(conversation)) return false
    return this.#plan.retryFailed !== true || known.seq > this.#before || this.#wasAnswered(known)
  }

  #wasAnswered({ steps }: DecisionLine): boolean {
    const last = steps.at(-1)
    const end = last?.exchanges.at(-1)
    return last?.skipped === null && end !== undefined && this.#index.exchange(end)?.reply.answer !== null
  }

  chain(conversation: Conversation): string {
    return this.#chain ??= chainHash(this.#plan.providers, this.#plan.refinements, conversation)
  }

  #write(line: ExchangeLine | DecisionLine): void {
    this.#plan.file.append(line)
  }
}

const answerOf = ({ action, confidence, reasoning, raw, model, modelVersion, responseId }: ExchangeLine['answer'] & object): ExchangeLine['answer'] => ({
  action, confidence, reasoning, ...(raw === undefined ? {} : { raw }), ...(model === undefined ? {} : { model }),
  ...(modelVersion === undefined ? {} : { modelVersion }), ...(responseId === undefined ? {} : { responseId }),
})
