import PQueue from 'p-queue'
import { budgetOf, DEFAULT_BUDGET_USD, dueBy, lockRecording, recordingFolder, serviceChain, tellLacking } from './answers.ts'
import { prepareDecisions, type World } from './assemble.ts'
import { RealClock, VirtualClock } from './real-clock.ts'
import type { AiPlan, Resolution } from './config/resolve.ts'
import { AS_OF, factsOf, type ModelFacts } from './core/models.ts'
import { isoTime, type EpochMs } from './core/time.ts'
import { timeframeMs } from './core/timeframe.ts'
import { TapedeckError } from './errors.ts'
import type { Budget } from './pipeline/budget.ts'
import { hasAnswered, type Step } from './pipeline/consultation.ts'
import type { StrategyConversation } from './pipeline/conversation.ts'
import { MemoryBook, refusal, type HealthBook } from './pipeline/provider-health.ts'
import type { ChainLink } from './pipeline/provider-chain.ts'
import type { AnswerTape } from './pipeline/service-chain.ts'
import type { Clock } from './ports.ts'
import { peekRecording } from './recording/open-recording.ts'
import { Recorder } from './recording/recorder.ts'
import { openTape } from './tape.ts'

/** Answers are short: this many tokens a turn are reckoned with, beside the worst case. */
const USUAL_ANSWER_TOKENS = 120
const CHARACTERS_PER_TOKEN = 4

export interface RecordOptions {
  readonly mode: 'record-missing' | 'record'
  /** Decisions that are asked about at once. */
  readonly concurrency: number
  /** Decisions per minute at most; null = as they come. */
  readonly perMinute: number | null
  /** USD; null = the scenario's, or {@link DEFAULT_BUDGET_USD}. */
  readonly budget: number | null
  /** Answers to each question. */
  readonly samples: number
  /** Decisions that were recorded without an answer are asked about again. */
  readonly retryFailed: boolean
  /** Nothing is asked, and nothing on the disk changes. */
  readonly dryRun: boolean
  /** Told before anything is asked. */
  readonly estimated: (estimate: Estimate) => void
  readonly onProgress: (done: number, total: number, costUsd: number) => void
}

/** What is ahead. */
export interface Estimate {
  readonly folder: string
  readonly decisions: number
  /** Of those, by how many the recording has them already. */
  readonly recorded: number
  readonly requests: number
  readonly inputTokens: number
  readonly outputTokens: number
  /** By the first service's price; null where no price is known. */
  readonly costUsd: number | null
  readonly worstUsd: number | null
  readonly budgetUsd: number
  readonly prices: string
  readonly providers: readonly { readonly name: string; readonly model: string | null; readonly lacks: string | null }[]
  /** Decisions that a model may remember instead of judge, by its training cut-off. */
  readonly contaminated: readonly { readonly model: string; readonly cutoff: string; readonly decisions: number }[]
}

export interface RecordResult {
  readonly folder: string
  readonly estimate: Estimate
  /** Decisions that were asked about now, and of them those that an AI answered. */
  readonly asked: number
  readonly answered: number
  readonly costUsd: number
  readonly finished: boolean
  /** Why it ended early; null when it did not, or when a person stopped it. */
  readonly stopped: TapedeckError | null
}

/** Every candle at which a scenario asks an AI. The conversation moves on with the next one. */
async function* decisionPoints(resolution: Resolution, world: World, from: Sources): AsyncGenerator<StrategyConversation> {
  const { scenario } = resolution
  const { tracks, warmup } = await prepareDecisions(resolution, world)
  const isDue = dueBy(from.ai.consult, timeframeMs(scenario.timeframe))
  for await (const event of (await openTape(resolution, world)).events()) {
    if (event.kind !== 'candles' || !event.decides) continue
    const track = tracks.find(({ symbol }) => symbol === event.symbol)!
    track.open(event)
    for (let row = event.start; row < event.end; row++) {
      track.at(row)
      if (track.number >= warmup && (isDue === null || isDue(track.conversation))) yield track.conversation
    }
    track.keep()
    track.advance()
    if (world.signal.aborted) return
  }
}

interface Sources {
  readonly ai: AiPlan
  readonly links: readonly ChainLink[]
  readonly services: readonly ChainLink[]
  readonly book: HealthBook
  readonly clock: Clock
}

/**
 * Asks everything that a scenario would ask on its tape, and writes it into the scenario's recording: nothing twice, and
 * never for more than the budget. What was broken off is gone on with. Throws TD_SCENARIO_INVALID for a scenario that asks
 * nobody or has no recording, TD_LOCKED, TD_RUN_WRITE and what the tape throws.
 */
export async function record(resolution: Resolution, world: World, options: RecordOptions): Promise<RecordResult> {
  const { scenario, folder: home, plugins: { strategy } } = resolution
  const { ai, name } = scenario
  if (ai === undefined) throw new TapedeckError('TD_SCENARIO_INVALID', `${name}: only rules decide, there is nothing to record; name AI providers under providers`)
  if (ai.recording === null) throw new TapedeckError('TD_SCENARIO_INVALID', `${name}: recording is missing; write recording: { path: DIR }`)
  if (strategy.usesPortfolio === true) {
    throw new TapedeckError('TD_SCENARIO_INVALID', `${name}: strategy ${strategy.name} looks at its position, so that its questions are not known before it trades; they cannot be recorded`)
  }
  const folder = recordingFolder(home, ai.recording.path)
  const { links } = await prepareDecisions(resolution, world)
  const services = links.slice(0, -1)
  // Stand-ins wait for nobody: their pauses are over at once.
  const standIns = services.every(({ provider }) => isStandIn(provider.model))
  const clock = standIns ? new VirtualClock(Date.now()) : world.services?.clock ?? new RealClock()
  const book = standIns ? new MemoryBook() : world.services?.book ?? new MemoryBook()
  const sources: Sources = { ai, links, services, book, clock }
  const money = { ...ai.budget, run: options.budget ?? ai.budget.run ?? DEFAULT_BUDGET_USD }
  const budget = budgetOf({ budget: money }, { ...world, services: { book, clock } })

  const unpriced = services.find(({ provider }) => provider.lacks === undefined && !isStandIn(provider.model) && factsOf(provider.model) === null)
  if (options.budget !== null && unpriced !== undefined) {
    throw new TapedeckError('TD_BUDGET', `no price is known for ${unpriced.provider.model ?? unpriced.name}, so that --budget cannot hold; leave --budget out to record all the same`)
  }

  const recording = options.dryRun ? peekRecording(folder, options.mode) : lockRecording(folder, options.mode, world)
  try {
    const recorders = Array.from({ length: options.samples }, (_, sample) => new Recorder({
      file: recording.file, generation: recording.generation, providers: services.map(({ provider }) => provider),
      refinements: ai.refinements, sample, prices: AS_OF, retryFailed: options.retryFailed,
    }))
    const estimate = await estimateOf(resolution, world, sources, recorders, budget, money.run, folder)
    const nothing = { folder, estimate, asked: 0, answered: 0, costUsd: 0, stopped: null }
    options.estimated(estimate)
    if (options.dryRun) return { ...nothing, finished: false }
    const asking = new Asking(resolution, { ...world, services: { book, clock } }, sources, budget, options, estimate)
    if (estimate.recorded < estimate.decisions) tellLacking(links, world)
    if (estimate.recorded < estimate.decisions) for (const recorder of recorders) while (await asking.through(recorder));
    const finished = asking.stopped === null && !world.signal.aborted
    if (finished) recording.complete()
    return { ...nothing, asked: asking.asked, answered: asking.answered, costUsd: budget.spent, finished, stopped: asking.stopped }
  } finally {
    recording.close()
  }
}

const isStandIn = (model: string | undefined): boolean => model?.startsWith('simulated') === true

async function estimateOf(
  resolution: Resolution, world: World, sources: Sources, recorders: readonly Recorder[], budget: Budget, budgetUsd: number, folder: string,
): Promise<Estimate> {
  const { ai, services } = sources
  // Who has no key is not asked, and costs nothing.
  const asked = services.filter(({ provider: { lacks } }) => lacks === undefined)
  const facts = asked.map(({ provider: { model } }) => factsOf(model))
  const before = facts.map(() => 0)
  const first = (asked[0] ?? services[0]).provider
  let decisions = 0
  let recorded = 0
  let requests = 0
  let inputTokens = 0
  let worst = 0
  for await (const conversation of decisionPoints(resolution, world, sources)) {
    for (const recorder of recorders) {
      decisions++
      if (recorder.has(conversation)) {
        recorded++
        continue
      }
      const { system, messages: [{ text }] } = conversation
      for (let turn = 0; turn <= ai.refinements; turn++) {
        requests++
        // Each turn says again what was said before it.
        inputTokens += (system.length + text.length + turn * 4 * USUAL_ANSWER_TOKENS * 2) / CHARACTERS_PER_TOKEN
        worst += budget.worstCase(first, conversation)
      }
    }
    facts.forEach((one, index) => { if (isBefore(conversation.snapshot.time, one)) before[index] += recorders.length })
  }
  world.signal.throwIfAborted()
  const priced = factsOf(first.model) !== null
  const outputTokens = requests * USUAL_ANSWER_TOKENS
  return {
    folder, decisions, recorded, requests, inputTokens: Math.round(inputTokens), outputTokens,
    costUsd: priced ? budget.cost(first, inputTokens, outputTokens) : null, worstUsd: priced ? worst : null, budgetUsd, prices: AS_OF,
    providers: services.map(({ name, provider: { model = null, lacks = null } }) => ({ name, model, lacks })),
    contaminated: asked.flatMap(({ provider: { model } }, index) => {
      const cutoff = facts[index]?.cutoff ?? null
      return cutoff === null || before[index] === 0 ? [] : [{ model: model!, cutoff, decisions: before[index] }]
    }),
  }
}

const isBefore = (time: EpochMs, facts: ModelFacts | null): boolean =>
  facts !== null && facts.cutoff !== null && time < Date.parse(facts.cutoff)

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
class Asking {
  asked = 0
  answered = 0
  /** Why nothing more is asked. */
  stopped: TapedeckError | null = null
  readonly #resolution: Resolution
  readonly #world: World
  readonly #sources: Sources
  readonly #budget: Budget
  readonly #options: RecordOptions
  readonly #estimate: Estimate
  #left = false
  /** Money was missing while other questions still held some: from here on one at a time, so that nothing is left unspent. */
  #sparing = false
  #underWay = 0
  #waitsUntil = ''

  constructor(resolution: Resolution, world: World, sources: Sources, budget: Budget, options: RecordOptions, estimate: Estimate) {
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
