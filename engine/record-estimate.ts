import { dueBy } from './answers.ts'
import { prepareDecisions, type World } from './assemble.ts'
import type { AiPlan, Resolution } from './config/resolve.ts'
import { AS_OF, factsOf, type ModelFacts } from './core/models.ts'
import type { EpochMs } from './core/time.ts'
import { timeframeMs } from './core/timeframe.ts'
import type { Budget } from './pipeline/budget.ts'
import type { StrategyConversation } from './pipeline/conversation.ts'
import type { ChainLink } from './pipeline/provider-chain.ts'
import type { HealthBook } from './pipeline/provider-health.ts'
import type { Clock } from './ports.ts'
import type { Recorder } from './recording/recorder.ts'
import { openTape } from './tape.ts'

/** Answers are short: this many tokens a turn are reckoned with, beside the worst case. */
const USUAL_ANSWER_TOKENS = 120
const CHARACTERS_PER_TOKEN = 4

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

/** Every candle at which a scenario asks an AI. The conversation moves on with the next one. */
export async function* decisionPoints(resolution: Resolution, world: World, from: Sources): AsyncGenerator<StrategyConversation> {
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

/** Who is asked, and how. */
export interface Sources {
  readonly ai: AiPlan
  readonly links: readonly ChainLink[]
  readonly services: readonly ChainLink[]
  readonly book: HealthBook
  readonly clock: Clock
}

/** Goes through the tape once and asks nobody. */
export async function estimateOf(
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
