import { accessSync, constants, mkdirSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import type { World } from './assemble.ts'
import type { AiPlan, Resolution, ResolvedScenario } from './config/resolve.ts'
import { AS_OF, factsOf } from './core/models.ts'
import { seededRandom } from './core/random.ts'
import { DAY_MS } from './core/time.ts'
import { decisionDeadlineMs, timeframeMs } from './core/timeframe.ts'
import { RealClock } from './real-clock.ts'
import { messageOf, TapedeckError } from './errors.ts'
import { Budget } from './pipeline/budget.ts'
import { NO_STEPS, type Step } from './pipeline/consultation.ts'
import type { StrategyConversation } from './pipeline/conversation.ts'
import { MemoryBook, type ServiceHealth } from './pipeline/provider-health.ts'
import type { ChainLink } from './pipeline/provider-chain.ts'
import { Service } from './pipeline/service.ts'
import { ServiceChain, type AnswerTape, type StepSource } from './pipeline/service-chain.ts'
import type { MaybePromise } from './ports.ts'
import { Player } from './recording/player.ts'
import type { Use } from './recording/pruning.ts'
import { Recorder } from './recording/recorder.ts'
import { redactor } from './recording/redaction.ts'
import { readManifest, readTape } from './recording/tape-file.ts'
import { TapeIndex } from './recording/tape-index.ts'
import { openRecording, type OpenRecording } from './recording/open-recording.ts'
import { ProcessLock } from './session/process-lock.ts'
import { version } from './version.ts'

/** Who answers a run's questions, and what there is to tell of it afterwards. */
export interface Answers {
  readonly source: StepSource
  /** A recording that answers alone: its exchanges, and how many of them nobody asked for. Otherwise null. */
  replayed(): { readonly exchanges: number; readonly unused: number; readonly notes: readonly string[] } | null
  /** Lines of the recording that answered so far. */
  used(): Use
  /** The run came to its end: a recording that it made anew is whole, and the next one begins another generation. */
  complete(): void
  close(): void
}

export interface AnswerOptions {
  /** Services may be asked where the scenario names no recording. */
  readonly live?: boolean
  /** Told of every change of a service's state. */
  readonly changed?: (service: string, health: ServiceHealth) => void
}

/** What runs that ask while they go may spend on a UTC day, and a recording at once, where nobody says otherwise; in USD. */
export const DEFAULT_BUDGET_USD = 5

const NOTHING_USED: Use = { exchanges: new Set(), decisions: new Set() }

/** Links that cost something to ask: all but the rules at the end. */
const services = (links: readonly ChainLink[]): readonly ChainLink[] => links.slice(0, -1)

/** Asks only where it is worth the money: that depends on the snapshot alone, so that every lane and every replay agree. */
class Sparing implements StepSource {
  readonly #inner: StepSource
  readonly #isDue: (conversation: StrategyConversation) => boolean

  constructor(inner: StepSource, isDue: (conversation: StrategyConversation) => boolean) {
    this.#inner = inner
    this.#isDue = isDue
  }

  steps(conversation: StrategyConversation): MaybePromise<readonly Step[]> {
    return this.#isDue(conversation) ? this.#inner.steps(conversation) : NO_STEPS
  }
}

/** Whether an AI is asked about a candle at all. */
export function dueBy(consult: AiPlan['consult'], candleMs: number): ((conversation: StrategyConversation) => boolean) | null {
  if (consult === 'always') return null
  if (consult === 'signal') return (conversation) => conversation.rules().action !== 'HOLD'
  return ({ snapshot }) => Math.round(snapshot.time / candleMs) % consult.every === 0
}

/** `source`, asked as sparingly as the scenario wants. */
export function sparing(source: StepSource, { ai, timeframe }: ResolvedScenario): StepSource {
  const isDue = dueBy(ai?.consult ?? 'always', timeframeMs(timeframe))
  return isDue === null ? source : new Sparing(source, isDue)
}

/** The folder of a scenario's recording. */
export const recordingFolder = (folder: string, path: string): string => (isAbsolute(path) ? path : join(folder, path))

/**
 * What answers a scenario's AI questions: its recording alone, services with or without one. null where only rules are
 * asked. Throws TD_RECORDING_MISSING where nothing may be asked and nothing is recorded.
 */
export async function openAnswers(
  { scenario, folder }: Resolution, world: World, links: readonly ChainLink[], { live = false, changed = () => {} }: AnswerOptions = {},
): Promise<Answers | null> {
  const { ai, timeframe, name } = scenario
  if (ai === undefined) return null
  const candleMs = timeframeMs(timeframe)
  if (ai.recording === null && !live) {
    throw new TapedeckError('TD_RECORDING_MISSING', `${name}: ${services(links).map((link) => link.name).join(', ')} would have to be asked; `
      + 'write recording: { path: DIR } into the scenario and make the recording with tapedeck record, or leave providers out')
  }
  const mode = ai.recording?.mode ?? 'live'
  const path = ai.recording === null ? null : recordingFolder(folder, ai.recording.path)
  if (mode === 'replay') {
    const { index, notes } = openRecordingToPlay(path!)
    const player = new Player({ folder: path!, index, links: services(links), refinements: ai.refinements })
    return {
      source: player, complete() {}, close() {},
      replayed: () => ({ exchanges: index.size, unused: index.size - player.used.size, notes }),
      used: () => ({ exchanges: player.used, decisions: player.walked }),
    }
  }
  if (mode === 'record' && !live) {
    // A tape flies past an outage that the network needs minutes for: its answers would replace good ones.
    throw new TapedeckError('TD_SCENARIO_INVALID', `${name}: recording.mode: record would replace good answers by whatever comes while a tape is played; `
      + 'use tapedeck record --mode record, which waits for services that are down')
  }
  const recording = mode === 'live' ? null : lockRecording(path!, mode, world)
  const tape = recording === null ? null : new Recorder({
    file: recording.file, generation: recording.generation, providers: services(links).map(({ provider }) => provider),
    refinements: ai.refinements, sample: 0, prices: AS_OF,
  })
  tellLacking(links, world)
  const bounded = boundedBudget(ai.budget)
  if (services(links).some(({ provider: { model } }) => (factsOf(model)?.output ?? 0) > 0)) {
    const { run, day } = bounded
    const most = [...(run === null ? [] : [`${run} USD a run`]), ...(day === null ? [] : [`${day} USD a day`])].join(' and ')
    const questions = Math.round(DAY_MS / candleMs) * scenario.symbols.length * (ai.refinements + 1)
    world.log.info(`AI answers may cost ${most} (budget); there are at most ${questions} questions a day of the market`)
  }
  const chain = serviceChain(links, world, {
    ai, candleMs, seed: scenario.seed, changed, tape, budget: budgetOf({ budget: bounded }, world),
  })
  return { source: chain, replayed: () => null, used: () => NOTHING_USED, complete: () => recording?.complete(), close: () => recording?.close() }
}

/** What may be spent: nothing that asks goes without a limit. */
export const boundedBudget = (budget: AiPlan['budget']): AiPlan['budget'] =>
  budget.run === null && budget.day === null ? { run: null, day: DEFAULT_BUDGET_USD } : budget

/** Makes this process the only one that writes to a recording, until it is released. Throws TD_LOCKED. */
export function takeWriter(path: string): ProcessLock {
  const lock = ProcessLock.take(join(path, 'writer'))
  if (typeof lock !== 'number') return lock
  throw new TapedeckError('TD_LOCKED', `${path}: process ${lock} is recording; wait for it or stop it`)
}

/** A recording that this process alone writes to. Throws TD_LOCKED. */
export function lockRecording(path: string, mode: 'record-missing' | 'record', { env, log }: World): OpenRecording {
  try {
    mkdirSync(path, { recursive: true })
    accessSync(path, constants.W_OK)
  } catch (error) {
    throw new TapedeckError('TD_RUN_WRITE', `${path}: the recording cannot be written there (${messageOf(error)}); name another folder`, { cause: error })
  }
  const lock = takeWriter(path)
  try {
    const recording = openRecording(path, mode, `tapedeck ${version()}`, redactor(env))
    if (recording.torn !== null) log.warn(`${path}: the last line of the recording was unfinished; it is set aside in ${recording.torn}`)
    return {
      ...recording,
      close() {
        recording.close()
        lock.release()
      },
    }
  } catch (error) {
    lock.release()
    throw error
  }
}

/** A recording's contents, and what a reader must know of them. */
function openRecordingToPlay(path: string): { readonly index: TapeIndex; readonly notes: readonly string[] } {
  readManifest(path)
  const { lines, torn } = readTape(path)
  const index = new TapeIndex(lines)
  const notes = torn === null ? [] : [`${path}: the last line of the recording is unfinished and was left out`]
  return { index, notes: [...notes, ...index.mixedVersions()] }
}

export interface ServiceChainOptions {
  readonly ai: AiPlan
  readonly candleMs: number
  readonly seed: number
  readonly changed: (service: string, health: ServiceHealth) => void
  readonly tape: AnswerTape | null
  readonly budget?: Budget
}

/** Says who cannot be asked for want of a key, one line each. */
export function tellLacking(links: readonly ChainLink[], { log }: World): void {
  for (const { name, provider: { lacks } } of services(links)) {
    if (lacks !== undefined) log.warn(`${name} is left out: ${lacks} is not set`)
  }
}

/** Services as they are asked over the network. Who cannot be asked for want of a key is left out. */
export function serviceChain(
  links: readonly ChainLink[], world: World, { ai, candleMs, seed, changed, tape, budget }: ServiceChainOptions,
): ServiceChain {
  const { book, clock } = world.services ?? { book: new MemoryBook(), clock: new RealClock() }
  // A damaged book is told before the run begins, not at its first question.
  for (const { name } of services(links)) book.read(name)
  const random = seededRandom(seed)
  const money = budget ?? budgetOf(ai, world)
  const redact = redactor(world.env)
  return new ServiceChain({
    services: services(links).map(({ name, provider }) => new Service({ name, provider, book, budget: money, clock, random, redact, changed })),
    refinements: ai.refinements, deadlineMs: decisionDeadlineMs(candleMs), clock, signal: world.signal, tape,
  })
}

/** The scenario's budget, with today's prices. */
export const budgetOf = ({ budget }: Pick<AiPlan, 'budget'>, world: World): Budget => {
  const { book } = world.services ?? { book: new MemoryBook() }
  return new Budget({ ...budget, priceOf: ({ model }) => factsOf(model), book })
}
