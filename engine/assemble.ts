import { exchange, exchangeFaults, plugins, publicData, venueChecks } from '../plugins/index.ts'
import { strategies } from '../strategies/index.ts'
import type { Resolution, ResolvedScenario } from './config/resolve.ts'
import { prepareIndicators } from './core/indicators.ts'
import { instrumentOf, type Instrument } from './core/instrument.ts'
import type { FillModelName } from './core/matching.ts'
import { seededRandom } from './core/random.ts'
import type { Timeframe } from './core/timeframe.ts'
import { timeframeMs } from './core/timeframe.ts'
import type { Trail } from './audit/trail.ts'
import { RealClock } from './real-clock.ts'
import { openAnswers, sparing, type Answers } from './answers.ts'
import { ProviderChain, type ChainLink } from './pipeline/provider-chain.ts'
import type { HealthBook, ServiceHealth } from './pipeline/provider-health.ts'
import type { StepSource } from './pipeline/service-chain.ts'
import type { Account, Broker, Clock, Deps, Logger, MarketPlan, MarketSource, MaybePromise } from './ports.ts'
import { Registry } from './registry.ts'
import { DecisionRuns } from './session/decision-runs.ts'
import { Lane, type Member, type ThresholdStep } from './session/lane.ts'
import { stateFields } from './session/recorded-steps.ts'
import type { SessionPlan } from './session/session.ts'
import { Track } from './session/track.ts'

/** Everything that can be named in a scenario. */
export const registry = new Registry(plugins, strategies)

/** The practice exchange, loaded when it is needed. */
export const loadExchange = exchange

/** The faults that it can be asked for, in words. */
export const loadFaults = exchangeFaults

/** Questions to a venue that send no order, loaded when they are needed. */
export const loadVenueChecks = venueChecks

/** Binance's public candles, loaded when they are needed. */
export const loadPublicData = publicData

/** Time that only the loop moves. */
export class SimulatedClock implements Clock {
  #now = 0
  now(): number { return this.#now }
  reach(time: number): void { this.#now = time }
  /** Nothing waits in simulated time. */
  async sleep(): Promise<void> {}
}

/** What services of all runs on this machine share. */
export interface ServiceWorld {
  readonly book: HealthBook
  /** Time of the network; never a simulated one. */
  readonly clock: Clock
}

export interface World {
  /** Left out: nothing is remembered, and the machine's own clock. */
  readonly services?: ServiceWorld
  readonly env: Readonly<Record<string, string | undefined>>
  readonly log: Logger
  readonly signal: AbortSignal
  readonly stopwatch: () => number
}

/** A lane beside the scenario's own: the same but for what is given. */
export interface LaneVariant {
  readonly policy?: ResolvedScenario['policy']
  readonly fillModel?: FillModelName
  /** Thresholds that change on the way: such a variant is a lane of its own. */
  readonly thresholds?: readonly ThresholdStep[]
}

/** What somebody who compares wants of the lanes beside their results. */
export interface Scrutiny {
  /** What the providers leave unanswered is HOLD instead of the rules' answer. */
  readonly alone: boolean
  /** Lanes note what became of every BUY and SELL. */
  readonly notes: boolean
}

export interface Assembly {
  readonly market: MarketSource
  readonly plan: Omit<SessionPlan, 'observe'>
  /** null where only rules are asked. */
  readonly answers: Answers | null
}

/**
 * The composition root: a resolved scenario becomes market, tracks, chain and lanes. `trails` has one entry per variant.
 * `atEnd` says what becomes of positions when the tape ends.
 */
export async function assemble(
  resolution: Resolution, world: World, atEnd: 'close' | 'keep',
  variants: readonly LaneVariant[] = [{}], trails: readonly (Trail | null)[] = [null], scrutiny: Scrutiny = { alone: false, notes: false },
): Promise<Assembly> {
  const { scenario, folder, plugins: chosen } = resolution
  const clock = new SimulatedClock()
  const { strategy } = chosen
  const instruments = scenario.symbols.map((symbol) => instrumentOf(symbol, scenario.instruments[symbol]))
  const bySymbol = Object.fromEntries(instruments.map((instrument) => [instrument.symbol, instrument]))
  const market = await openMarket(scenario, folder, chosen.market, bySymbol, makeDeps(world, clock, scenario.seed, chosen.market.env))

  const { links, tracks, warmup } = await prepareDecisions(resolution, world)
  const changed = (service: string, health: ServiceHealth): void => {
    for (const trail of trails) trail?.line('provider', clock.now(), stateFields(service, health))
  }
  const answers = await openAnswers(resolution, world, links, { changed })
  const chain = new ProviderChain(links, answers === null ? null : sparing(answers.source, scenario), world.signal, scrutiny.alone)
  const groups = groupVariants(variants, scenario, (index) => strategy.usesPortfolio === true || (trails[index] ?? null) !== null || variants[index].thresholds !== undefined)
  const lanes: Lane[] = []
  for (const group of groups) {
    const [first] = group
    const { fillModel, policy = scenario.policy, thresholds } = variants[first.variant]
    const options = fillModel === undefined ? scenario.broker.options : { ...(scenario.broker.options as object), fillModel }
    const broker = await chosen.broker.create(
      options, makeDeps(world, clock, scenario.seed, chosen.broker.env), { instruments: bySymbol, timeframe: scenario.timeframe },
    )
    if (group.length > 1 && broker.fork === undefined) throw new Error(`broker ${chosen.broker.name} cannot run several variants in one pass`)
    const lane = new Lane({
      policy, broker, account: await broker.account(), instruments, timeframeMs: timeframeMs(scenario.timeframe),
      trail: trails[first.variant] ?? null, ...(thresholds && { thresholds }), ...(scrutiny.notes && { notes: new DecisionRuns(instruments.length) }),
    }, group)
    lanes.push(lane)
  }
  return {
    market,
    answers,
    plan: {
      market, tracks, lanes, chain, timeframe: scenario.timeframe, warmup,
      usesPortfolio: strategy.usesPortfolio === true, clock, signal: world.signal, atEnd, stopwatch: world.stopwatch,
    },
  }
}

/** What decides: the strategy's indicators per symbol, and who is asked. */
export interface Decisions {
  readonly tracks: readonly Track[]
  readonly links: readonly ChainLink[]
  readonly warmup: number
}

/** Tracks of a scenario's symbols, and its providers. Questions write prices as the scenario says, wherever it runs: so they are the same everywhere. */
export async function prepareDecisions({ scenario, plugins: { strategy, providers } }: Resolution, world: World): Promise<Decisions> {
  const { params } = scenario.strategy
  const warmup = strategy.warmup(params)
  const makeBook = await prepareIndicators(strategy.indicators(params))
  const tracks = scenario.symbols.map((symbol, index) => new Track({
    index, symbol, timeframe: scenario.timeframe, book: makeBook(warmup), strategy, params,
    tickSize: scenario.instruments[symbol].tickSize, blind: scenario.ai?.blind ?? false,
  }))
  // Services are asked in the time of the network, whatever the market's is.
  const network = world.services?.clock ?? new RealClock()
  const links = await Promise.all(providers.map(async (plugin, index) => ({
    name: plugin.name,
    provider: await plugin.create(
      scenario.providers[index].options, makeDeps(world, network, scenario.seed, plugin.env), undefined,
    ),
  })))
  return { tracks, links, warmup }
}

/** What a lane is told of its account. */
export interface LaneTerms extends Account {
  readonly instruments: Readonly<Record<string, Instrument>>
}

export interface OneLane {
  readonly market: MarketSource
  readonly broker: Broker
  readonly terms: LaneTerms
  readonly trail: Trail | null
  readonly clock: Clock
  readonly atEnd: 'close' | 'keep'
  /** False: orders are noted and not sent. */
  readonly sends: boolean
  /** Who answers before the rules, where the scenario names others; told all links. */
  readonly answers: (links: readonly ChainLink[]) => MaybePromise<StepSource>
}

/** One lane with market and broker as they are given: a run against a venue, and everything that goes through it again. */
export async function assembleOne(
  resolution: Resolution, world: World, { market, broker, terms, trail, clock, atEnd, sends, answers }: OneLane,
): Promise<{ readonly lane: Lane; readonly plan: SessionPlan }> {
  const { scenario: { symbols, timeframe, policy }, plugins: { strategy } } = resolution
  const { tracks, links, warmup } = await prepareDecisions(resolution, world)
  const chain = new ProviderChain(links, links.length === 1 ? null : sparing(await answers(links), resolution.scenario), world.signal)
  const instruments = symbols.map((symbol) => terms.instruments[symbol])
  const account = { cash: terms.cash, costs: terms.costs }
  const lane = new Lane(
    { policy, broker, account, instruments, timeframeMs: timeframeMs(timeframe), trail, sends }, [{ variant: 0, ...policy }],
  )
  return {
    lane,
    plan: {
      market, tracks, lanes: [lane], chain, timeframe, warmup, usesPortfolio: strategy.usesPortfolio === true, clock,
      signal: world.signal, atEnd, stopwatch: world.stopwatch,
    },
  }
}

/** Variants that differ in thresholds only share a lane; `alone` names those that write a trail or see their own position. */
function groupVariants(variants: readonly LaneVariant[], scenario: ResolvedScenario, alone: (index: number) => boolean): Member[][] {
  const groups = new Map<string, Member[]>()
  variants.forEach(({ policy = scenario.policy, fillModel = null }, variant) => {
    const { minConfidence, minExitConfidence, ...rest } = policy
    const key = alone(variant) ? String(variant) : JSON.stringify([rest, fillModel])
    const group = groups.get(key) ?? []
    group.push({ variant, minConfidence, minExitConfidence })
    groups.set(key, group)
  })
  return [...groups.values()]
}

export function openMarket(
  scenario: ResolvedScenario, folder: string, plugin: Resolution['plugins']['market'],
  instruments: Readonly<Record<string, Instrument>>, deps: Deps,
): Promise<MarketSource> | MarketSource {
  const { fillTimeframe = null } = scenario.broker.options as { fillTimeframe?: Timeframe | null }
  const plan: MarketPlan = { symbols: scenario.symbols, timeframe: scenario.timeframe, fillTimeframe, instruments, folder }
  return plugin.create(scenario.market.options, deps, plan)
}

/** What a plugin may touch; nothing else of the world reaches it. */
export function makeDeps(world: World, clock: Clock, seed: number, env: readonly string[] = []): Deps {
  let ids = 0
  return {
    clock,
    nextId: (prefix) => `${prefix}-${++ids}`,
    random: seededRandom(seed),
    fetch: globalThis.fetch,
    env: Object.fromEntries(env.map((name) => [name, world.env[name]])),
    log: world.log,
    signal: world.signal,
  }
}
