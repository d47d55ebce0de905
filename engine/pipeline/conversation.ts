import type { Opinion } from '../core/opinion.ts'
import type { Snapshot } from '../core/snapshot.ts'
import type { EpochMs } from '../core/time.ts'
import { wordingOf, type Wording, type WordingPlan } from '../core/wording.ts'
import type { Conversation, Message, Prompts, Strategy } from '../ports.ts'

/** Numbers as they are, where nobody knows of steps. */
const PLAIN: WordingPlan = { blind: false, tickSize: 0, timeframe: '' }

/**
 * What is asked about the candle that a symbol's snapshot shows. Reused from candle to candle; prompts are rendered only
 * when somebody reads them.
 */
export class StrategyConversation<P = unknown> implements Conversation {
  readonly snapshot: Snapshot
  readonly #strategy: Strategy<P>
  readonly #params: P
  readonly #asking: WordingPlan
  #system: string | null = null
  /** Known beforehand where it is frozen. */
  #opening: string | null = null
  #opinion: Opinion | null = null

  constructor(strategy: Strategy<P>, params: P, snapshot: Snapshot, asking: WordingPlan = PLAIN) {
    this.#strategy = strategy
    this.#params = params
    this.#asking = asking
    this.snapshot = snapshot
  }

  get system(): string {
    return this.#system ??= this.#strategy.prompts?.system(this.#params) ?? ''
  }

  get messages(): readonly Message[] {
    return this.begin().messages
  }

  rules(): Opinion {
    return this.#opinion ?? this.#strategy.technical(this.snapshot, this.#params)
  }

  /** A conversation with one provider, from phase 1. It is about the candle that the snapshot shows while it is read. */
  begin(): Dialogue {
    const prompts = (): Prompts<P> => this.#prompts()
    const wording = (): Wording => wordingOf(this.snapshot, this.#asking)
    return new Dialogue(
      this, () => this.#opening ?? prompts().initial(this.#asking.blind ? new BlindSnapshot(this.snapshot) : this.snapshot, this.#params, wording()),
      (opinion, turn) => prompts().refinement(opinion, turn, wording()),
    )
  }

  #prompts(): Prompts<P> {
    const { prompts, name } = this.#strategy
    if (prompts === undefined) throw new Error(`strategy ${name} has no prompts, so only its rules can answer`)
    return prompts
  }

  /** The same for later: it goes on saying what it says now when the snapshot has moved on. */
  freeze(): StrategyConversation<P> {
    const frozen = new StrategyConversation(this.#strategy, this.#params, new StillSnapshot(this.snapshot), this.#asking)
    const [{ text }] = this.messages
    frozen.#opening = text
    frozen.#opinion = this.rules()
    return frozen
  }
}

/** What one provider has been asked and has answered. Roles alternate, beginning with the user. */
export class Dialogue implements Conversation {
  readonly #about: Conversation
  readonly #refinement: (opinion: Opinion, turn: number) => string
  /** Written down when they are read: rules and stand-ins look at the snapshot only. */
  readonly #unread: (() => readonly Message[])[]
  #messages: readonly Message[] = []

  constructor(about: Conversation, opening: () => string, refinement: (opinion: Opinion, turn: number) => string) {
    this.#about = about
    this.#unread = [() => [{ role: 'user', text: opening() }]]
    this.#refinement = refinement
  }

  get system(): string {
    return this.#about.system
  }

  get messages(): readonly Message[] {
    while (this.#unread.length > 0) {
      this.#messages = [...this.#messages, ...this.#unread[0]()]
      this.#unread.shift()
    }
    return this.#messages
  }

  get snapshot(): Snapshot {
    return this.#about.snapshot
  }

  rules(): Opinion {
    return this.#about.rules()
  }

  /** The provider said `opinion`; the next question is refinement turn `turn`, from 1. */
  refine({ action, confidence, reasoning }: Opinion, turn: number): void {
    const said = JSON.stringify({ action, confidence, reasoning })
    this.#go(said, () => this.#refinement({ action, confidence, reasoning }, turn))
  }

  /** The provider's `answer` cannot be used because of `fault`; it is asked for the same once more. */
  repair(answer: string | null, fault: string): void {
    this.#go(answer === null || answer === '' ? '(no answer)' : answer, () => `That answer cannot be used: ${fault}. Answer again with nothing but the JSON object.`)
  }

  #go(said: string, question: () => string): void {
    this.#unread.push(() => [{ role: 'assistant', text: said }, { role: 'user', text: question() }])
  }
}

/** Tells neither what is traded nor when. Prices go through the wording, which rebases them. */
class BlindSnapshot implements Snapshot {
  readonly #snapshot: Snapshot
  readonly symbol = 'ASSET'
  readonly time = NaN

  constructor(snapshot: Snapshot) {
    this.#snapshot = snapshot
  }

  get price(): number { return this.#snapshot.price }
  get volume(): number { return this.#snapshot.volume }
  get trend(): Snapshot['trend'] { return this.#snapshot.trend }
  get names(): readonly string[] { return this.#snapshot.names }
  get inPosition(): boolean { return this.#snapshot.inPosition }
  value(name: string, back?: number): number { return this.#snapshot.value(name, back) }
}

/** What a snapshot shows of its newest candle. */
class StillSnapshot implements Snapshot {
  readonly symbol: string
  readonly time: EpochMs
  readonly price: number
  readonly volume: number
  readonly trend: Snapshot['trend']
  readonly names: readonly string[]
  readonly #values: readonly number[]

  constructor(snapshot: Snapshot) {
    this.symbol = snapshot.symbol
    this.time = snapshot.time
    this.price = snapshot.price
    this.volume = snapshot.volume
    this.trend = snapshot.trend
    this.names = snapshot.names
    this.#values = snapshot.names.map((name) => snapshot.value(name))
  }

  value(name: string, back = 0): number {
    const index = this.names.indexOf(name)
    if (index < 0 || back !== 0) throw new RangeError(`only the newest values were kept, not "${name}" ${back} candles ago`)
    return this.#values[index]
  }

  get inPosition(): boolean {
    throw new Error('a question that is asked later knows of no position')
  }
}
