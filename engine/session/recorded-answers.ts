import type { Trail } from '../audit/trail.ts'
import type { EpochMs } from '../core/time.ts'
import { TapedeckError } from '../errors.ts'
import { NO_STEPS, type Step } from '../pipeline/consultation.ts'
import type { StrategyConversation } from '../pipeline/conversation.ts'
import type { StepSource } from '../pipeline/service-chain.ts'
import type { Clock, MaybePromise, PastLine } from '../ports.ts'
import type { Past } from './past.ts'
import { PastOver } from './retrace.ts'
import { stepFields, stepsOf } from './recorded-steps.ts'

/**
 * Writes what was asked and answered into the trail before the loop acts on it. A run that is gone through again takes
 * its answers from there, until it is over and `then` has to be asked.
 */
export class RecordedAnswers implements StepSource {
  readonly #past: Past
  readonly #trail: Trail
  readonly #then: StepSource | null

  constructor(past: Past, trail: Trail, then: StepSource | null) {
    this.#past = past
    this.#trail = trail
    this.#then = then
  }

  async steps(conversation: StrategyConversation): Promise<readonly Step[]> {
    const { symbol, time } = conversation.snapshot
    const steps = this.#past.over ? await this.#world.steps(conversation) : this.#past.steps(symbol)
    this.#trail.line('provider', time, { event: 'consulted', symbol, steps: steps.map(stepFields) })
    return steps
  }

  get #world(): StepSource {
    if (this.#then === null) throw new PastOver('the recorded run ends here')
    return this.#then
  }
}

/** Answers that were given in no time of the market's, such as those from a recording, take the time that they once took. */
export class TimedAnswers implements StepSource {
  readonly #inner: StepSource
  readonly #clock: Clock
  readonly #signal: AbortSignal

  constructor(inner: StepSource, clock: Clock, signal: AbortSignal) {
    this.#inner = inner
    this.#clock = clock
    this.#signal = signal
  }

  async steps(conversation: StrategyConversation): Promise<readonly Step[]> {
    const begun = this.#clock.now()
    const steps = await this.#inner.steps(conversation)
    const took = steps.reduce((sum, { replies }) => replies.reduce((ms, { latencyMs }) => ms + latencyMs, sum), 0)
    const missing = took - (this.#clock.now() - begun)
    // A venue's clock counts whole ms.
    if (missing > 0) await this.#clock.sleep(Math.ceil(missing), this.#signal)
    return steps
  }
}

/** What services are remembered by, or recorded in, cannot be read or written. */
const LOST: ReadonlySet<string> = new Set(['TD_HEALTH_BROKEN', 'TD_LOCKED', 'TD_RUN_WRITE'])

/** Where asking breaks down the rules go on: that a file of ours is damaged must not keep a run from leaving a position. */
export class SteadyAnswers implements StepSource {
  readonly #inner: StepSource
  readonly #lost: (error: TapedeckError) => void

  /** `lost` is told each time that nobody could be asked. */
  constructor(inner: StepSource, lost: (error: TapedeckError) => void) {
    this.#inner = inner
    this.#lost = lost
  }

  async steps(conversation: StrategyConversation): Promise<readonly Step[]> {
    try {
      return await this.#inner.steps(conversation)
    } catch (error) {
      if (!(error instanceof TapedeckError) || !LOST.has(error.code)) throw error
      this.#lost(error)
      return NO_STEPS
    }
  }
}

/** A run's recorded answers by symbol and time, for a backtest on the same opinions. */
export class KnownAnswers implements StepSource {
  readonly #known = new Map<string, Map<EpochMs, readonly Step[]>>()

  constructor(lines: readonly PastLine[]) {
    for (const line of lines) {
      if (line.type !== 'provider' || line['event'] !== 'consulted') continue
      const symbol = line['symbol'] as string
      const times = this.#known.get(symbol) ?? new Map<EpochMs, readonly Step[]>()
      this.#known.set(symbol, times)
      times.set(Date.parse(line.timestamp!), stepsOf(line))
    }
  }

  /** Nobody was asked at other times, for example while the process was down: the rules decide there. */
  steps({ snapshot: { symbol, time } }: StrategyConversation): MaybePromise<readonly Step[]> {
    return this.#known.get(symbol)?.get(time) ?? []
  }
}
