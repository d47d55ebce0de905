import { budgetOf, DEFAULT_BUDGET_USD, lockRecording, recordingFolder, tellLacking } from './answers.ts'
import { prepareDecisions, type World } from './assemble.ts'
import type { Resolution } from './config/resolve.ts'
import { AS_OF, factsOf } from './core/models.ts'
import { TapedeckError } from './errors.ts'
import { MemoryBook } from './pipeline/provider-health.ts'
import { RealClock, VirtualClock } from './real-clock.ts'
import { Asking, type Pace } from './record-asking.ts'
import { estimateOf, type Estimate, type Sources } from './record-estimate.ts'
import { peekRecording } from './recording/open-recording.ts'
import { Recorder } from './recording/recorder.ts'

export interface RecordOptions extends Pace {
  readonly mode: 'record-missing' | 'record'
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
