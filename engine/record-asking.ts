import PQueue from 'p-queue'
import { serviceChain } from './answers.ts'
import type { World } from './assemble.ts'
import type { Resolution } from './config/resolve.ts'
import { isoTime } from './core/time.ts'
import { timeframeMs } from './core/timeframe.ts'
import { TapedeckError } from './errors.ts'
import type { Budget } from './pipeline/budget.ts'
import { hasAnswered, type Step } from './pipeline/consultation.ts'
import { refusal } from './pipeline/provider-health.ts'
import type { AnswerTape } from './pipeline/service-chain.ts'
import { VirtualClock } from './real-clock.ts'
import { decisionPoints, type Estimate, type Sources } from './record-estimate.ts'
import type { Recorder } from './recording/recorder.ts'

/** How much is asked at once, and who is told. */
export interface Pace {
  /** Decisions that are asked about at once. */
  readonly concurrency: number
  /** Decisions per minute at most; null = as they come. */
  readonly perMinute: number | null
  readonly onProgress: (done: number, total: number, costUsd: number) => void
}

/** A person who lets a service be asked again is heard this soon. */
const LISTEN_MS = 2_000
/** What has been asked is paid for: whoever stops it waits so long for those answers. */
const GRACE_MS = 5_000

function graceAfter(stop: AbortSignal): AbortSignal {
  const late = new AbortController()
  stop.addEventListener('abort', () => { setTimeout(() => { late.abort(stop.reason) }, GRACE_MS).unref() }, { once: true })
  if (stop.aborted) late.abort(stop.reason)
  return late.signal
}

function exhausted(spent: number, { budgetUsd }: Estimate, day: number | null): string {
  const bound = day === null ? '' : `, or that of ${day} USD a day (budget.day)`
  return `${spent.toPrecision(3)} USD are spent, and the worst case of the next question does not fit into the budget of ${budgetUsd} USD${bound}; give more to go on`
}

/** The questions of one recording, many at a time. */
export class Asking {
  asked = 0
  answered = 0
  /** Why nothing more is asked. */
  stopped: TapedeckError | null = null
  readonly #resolution: Resolution
  readonly #world: World
  readonly #sources: Sources
  readonly #budget: Budget
  readonly #options: Pace
  readonly #estimate: Estimate
  #left = false
  /** Money was missing while other questions still held some: from here on one at a time, so that nothing is left unspent. */
  #sparing = false
  #underWay = 0
  #waitsUntil = ''

  constructor(resolution: Resolution, world: World, sources: Sources, budget: Budget, options: Pace, estimate: Estimate) {
    this.#resolution = resolution
    this.#world = world
    this.#sources = sources
    this.#budget = budget
    this.#options = options
    this.#estimate = estimate
  }

  /** Once through the tape. Returns whether something that can be asked about was left out. */
  async through(recorder: Recorder): Promise<boolean> {
    this.#left = false
    const { concurrency, perMinute } = this.#options
    const atOnce = this.#sparing ? 1 : concurrency
    const queue = new PQueue({ concurrency: atOnce, ...(perMinute === null ? {} : { interval: 60_000, intervalCap: perMinute }) })
    const failures: unknown[] = []
    const { ai, links } = this.#sources
    const { scenario } = this.#resolution
    const chain = serviceChain(links, { ...this.#world, signal: graceAfter(this.#world.signal) }, {
      ai, candleMs: timeframeMs(scenario.timeframe), seed: scenario.seed, tape: this.#guarded(recorder), budget: this.#budget,
      changed: (service, { state, reason }) => this.#say(`${service} is ${state}${reason === null ? '' : `: ${reason}`}`),
    })
    for await (const conversation of decisionPoints(this.#resolution, this.#world, this.#sources)) {
      if (recorder.has(conversation)) continue
      if (await this.#mayNotGoOn() || failures.length > 0 || this.#sparing && atOnce > 1) break
      const frozen = conversation.freeze()
      // No more are frozen than can be asked about soon.
      await queue.onSizeLessThan(atOnce)
      void queue.add(async () => {
        this.#underWay++
        try {
          this.#count(await chain.steps(frozen))
        } finally {
          this.#underWay--
        }
      }).catch((error: unknown) => failures.push(error))
    }
    if (this.#world.signal.aborted) queue.clear()
    await queue.onIdle()
    // What was cut short by the person who stopped it is asked about next time.
    if (failures.length > 0 && !this.#world.signal.aborted) throw failures[0]
    return this.#left && this.stopped === null && !this.#world.signal.aborted
  }

  /**
   * A decision that money was missing for, or about which nobody could be asked because services were left alone, is not
   * one of the market's: it is asked about later.
   */
  #guarded(recorder: Recorder): AnswerTape {
    return {
      known: (request) => recorder.known(request),
      keep: (request, asking) => recorder.keep(request, asking),
      decided: (conversation, steps) => {
        if (steps.some(({ skipped }) => skipped === 'budget')) {
          if (this.#underWay > 1) {
            this.#sparing = true
            this.#left = true
            return
          }
          this.stopped = new TapedeckError('TD_BUDGET', exhausted(this.#budget.spent, this.#estimate, this.#sources.ai.budget.day))
        } else if (steps.every(({ skipped, replies }) => skipped !== null && replies.length === 0)) this.#left = true
        else recorder.decided(conversation, steps)
      },
    }
  }

  /** Waits while every service has to be left alone; true when nothing more is to be asked. */
  async #mayNotGoOn(): Promise<boolean> {
    const { services, book, clock } = this.#sources
    for (;;) {
      if (this.stopped !== null || this.#world.signal.aborted) return true
      const now = clock.now()
      const able = services.filter(({ provider: { lacks } }) => lacks === undefined).map(({ name }) => book.read(name))
      const waits = able.map((health) => (refusal(health, now) === null ? 0 : health.until === null ? Infinity : health.until - now))
      const wait = Math.min(...waits)
      if (wait <= 0) return false
      if (wait === Infinity) {
        this.stopped = new TapedeckError('TD_PROVIDER_FAILED', able.length === 0
          ? `no service has its key; set ${[...new Set(services.map(({ provider: { lacks } }) => lacks))].join(' or ')} in the environment or .env`
          : `every service is disabled until a person enables it (${able.map(({ reason }) => reason).join('; ')}); see tapedeck providers`)
        return true
      }
      const until = isoTime(now + wait)
      if (until !== this.#waitsUntil) this.#say(`every service has to be left alone until ${until} (${able.map(({ reason }) => reason).join('; ')}); tapedeck providers enable NAME ends that`)
      this.#waitsUntil = until
      // What a person says meanwhile is heard.
      await clock.sleep(Math.min(wait, LISTEN_MS), this.#world.signal).catch(() => {})
    }
  }

  /** Nobody waits for stand-ins, so that nobody has to know of their pauses. */
  #say(message: string): void {
    if (!(this.#sources.clock instanceof VirtualClock)) this.#world.log.warn(message)
  }

  #count(steps: readonly Step[]): void {
    const last = steps.at(-1)
    if (last === undefined || last.replies.length === 0 && steps.every(({ skipped }) => skipped !== null)) return
    this.asked++
    if (hasAnswered(last)) this.answered++
    const { decisions, recorded } = this.#estimate
    this.#options.onProgress(this.asked, decisions - recorded, this.#budget.spent)
  }
}
