import type { Policy } from '../core/policy.ts'
import type { Timeframe } from '../core/timeframe.ts'
import type { AuditLevel } from '../audit/trail.ts'
import { didYouMean } from '../core/suggest.ts'
import { TapedeckError } from '../errors.ts'
import type { Plugin, Strategy } from '../ports.ts'
import { parseOptions, type Registry } from '../registry.ts'
import { aiInput, noteOrigins, writtenAi, type Origin } from './origins.ts'
import { resolvePolicy } from './resolve-policy.ts'
import type { LoadedScenario } from './scenario-file.ts'
import type { RecordingMode, ScenarioInput } from './scenario-schema.ts'
import type { Settings } from './settings.ts'

interface InstrumentRules {
  readonly tickSize: number
  readonly lotSize: number
  readonly minNotional: number
}

/** A scenario with nothing left open: plain JSON, hashed for the run's id. Paths are as written in the file. */
export interface ResolvedScenario {
  readonly name: string
  readonly symbols: readonly string[]
  readonly timeframe: Timeframe
  readonly market: { readonly source: string; readonly options: unknown }
  readonly instruments: Readonly<Record<string, InstrumentRules>>
  readonly broker: { readonly name: string; readonly options: unknown }
  readonly strategy: { readonly name: string; readonly params: unknown }
  readonly providers: readonly { readonly name: string; readonly options: unknown }[]
  /** How AI is asked; absent where only rules are. */
  readonly ai?: AiPlan
  /** Who is told of what happens; absent where nobody is. */
  readonly notify?: readonly { readonly name: string; readonly options: unknown }[]
  readonly policy: Policy
  readonly audit: AuditLevel
  readonly seed: number
}

/** How AI is asked. */
export interface AiPlan {
  /** null: there is none, answers are asked for as they are needed. */
  readonly recording: { readonly path: string; readonly mode: RecordingMode } | null
  /** Turns of phase 2. */
  readonly refinements: number
  readonly consult: 'always' | 'signal' | { readonly every: number }
  readonly blind: boolean
  readonly budget: { readonly run: number | null; readonly day: number | null }
  readonly minCoverage: number | null
}

/** A lane on paper beside a run that trades, with one thing changed. */
export interface Shadow {
  readonly name: string
  readonly description: string
  /** It has a provider of its own, so that it hears other answers. */
  readonly asks: boolean
  readonly resolution: Resolution
}

export interface Resolution {
  readonly scenario: ResolvedScenario
  readonly folder: string
  /** The file's own words about itself, for reports; no part of the run's hash. */
  readonly description: string | null
  /** By path, such as `policy.stopLoss`. */
  readonly origins: ReadonlyMap<string, Origin>
  /** Blocks of the file that were left out, so that reports can say which defaults were taken. */
  readonly omitted: readonly string[]
  /** No part of the run's hash: what trades does not depend on them. */
  readonly shadows: readonly Shadow[]
  readonly plugins: {
    readonly market: Plugin<'market', unknown>
    readonly broker: Plugin<'broker', unknown>
    readonly providers: readonly Plugin<'provider', unknown>[]
    readonly notifiers: readonly Plugin<'notifier', unknown>[]
    readonly strategy: Strategy
  }
}

/**
 * Settles every value of a scenario: command line, scenario, strategy's policy, environment, defaults. Throws coded
 * errors for names and options that do not exist.
 */
export async function resolveScenario(
  loaded: LoadedScenario, settings: Settings, registry: Registry,
): Promise<Resolution> {
  const { input, path, overridden } = loaded
  const origins = new Map<string, Origin>()
  const written = (at: string): Origin =>
    [...overridden].some((one) => one === at || at.startsWith(`${one}.`)) ? 'command line' : 'scenario'

  const symbols = input.symbols
    ?? [input.symbol ?? settings.symbol ?? missing(path, 'symbol', 'symbol: BTC/USDT', 'SYMBOL')]
  origins.set('symbols',
    input.symbols ?? input.symbol ? written(input.symbols ? 'symbols' : 'symbol') : 'environment SYMBOL')
  if (new Set(symbols).size !== symbols.length) {
    throw new TapedeckError('TD_SCENARIO_INVALID', `${path}: symbols: each symbol may be listed once`)
  }
  if (symbols.length > 255) {
    throw new TapedeckError('TD_SCENARIO_INVALID', `${path}: symbols: at most 255, got ${symbols.length}`)
  }
  const timeframe = input.timeframe ?? settings.timeframe ?? missing(path, 'timeframe', 'timeframe: 1h', 'TIMEFRAME')
  origins.set('timeframe', input.timeframe ? written('timeframe') : 'environment TIMEFRAME')

  const strategy = await named(path, 'strategy.name', registry.strategy(input.strategy.name))
  const params = parseOptions(strategy.params, input.strategy.params ?? {}, path, ['strategy', 'params'],
    'TD_PLUGIN_OPTIONS')
  const { source = 'candle-replay', ...marketOptions } = input.market
  const market = await named(path, 'market.source', registry.plugin('market', source))
  const { name: brokerName = 'paper', ...brokerOptions } = input.broker ?? {}
  const broker = await named(path, 'broker.name', registry.plugin('broker', brokerName))
  const chain = (input.providers ?? ['technical']).map((one) => (typeof one === 'string' ? { name: one } : one))
  const providers = await Promise.all(chain.map(({ name }, index) =>
    named(path, `providers.${index}`, registry.plugin('provider', name))))
  if (!chain.some(({ name }) => name === 'technical')) {
    // The last link is always the strategy's own rules: a silent AI must never leave a position without a decision.
    chain.push({ name: 'technical' })
    providers.push(await registry.plugin('provider', 'technical'))
  }
  if (chain.findIndex(({ name }) => name === 'technical') !== chain.length - 1) {
    throw new TapedeckError('TD_SCENARIO_INVALID',
      `${path}: providers: technical always answers, so it must come last, once`)
  }

  const twice = chain.find(({ name }, index) => chain.findIndex((other) => other.name === name) !== index)
  if (twice !== undefined) {
    throw new TapedeckError('TD_SCENARIO_INVALID',
      `${path}: providers: ${twice.name} is listed twice; health and recordings are kept by name, so each may be listed once`)
  }
  if (!settings.enableBackupApis) {
    // The first AI and the rules: nobody else may be asked.
    const first = chain.findIndex(({ name }) => name !== 'technical')
    for (let index = chain.length - 2; index > first; index--) {
      chain.splice(index, 1)
      providers.splice(index, 1)
    }
  }
  const ai = chain.length === 1 ? null : aiPlan(input)
  if (ai !== null && strategy.prompts === undefined) {
    throw new TapedeckError('TD_SCENARIO_INVALID', `${path}: providers: strategy ${strategy.name} has no prompts, so that no AI can be asked; `
      + 'leave providers out, or take a strategy that has prompts, such as autonomous-scalper')
  }

  const told = toldBy(input.notify)
  const notifiers = await Promise.all(told.map(({ name, at }) => named(path, at, registry.plugin('notifier', name))))
  const repeated = told.find(({ name }, index) => told.findIndex((one) => one.name === name) !== index)
  if (repeated !== undefined) {
    throw new TapedeckError('TD_SCENARIO_INVALID', `${path}: ${repeated.at}: ${repeated.name} is listed twice; list it once`)
  }

  const market_ = { source,
    options: parseOptions(market.options, marketOptions, path, ['market'], 'TD_PLUGIN_OPTIONS') }
  const broker_ = { name: brokerName,
    options: parseOptions(broker.options, brokerOptions, path, ['broker'], 'TD_PLUGIN_OPTIONS') }
  const policy = resolvePolicy(loaded, settings, strategy, broker_.options, origins, written)
  for (const symbol of Object.keys(input.instruments ?? {})) {
    if (symbols.includes(symbol)) continue
    throw new TapedeckError('TD_SCENARIO_INVALID',
      `${path}: instruments: "${symbol}" is not among the symbols.${didYouMean(symbol, symbols)}`)
  }
  const instruments = Object.fromEntries(symbols.map((symbol) => {
    const given = input.instruments?.[symbol] ?? input.instrument
    const block = input.instruments?.[symbol] === undefined ? 'instrument' : `instruments.${symbol}`
    origins.set(`instruments.${symbol}`, given === undefined ? 'default' : written(block))
    return [symbol, given ?? { tickSize: 0, lotSize: 0, minNotional: 0 }]
  }))

  const scenario: ResolvedScenario = {
    name: input.name,
    symbols,
    timeframe,
    market: market_,
    instruments,
    broker: broker_,
    strategy: { name: strategy.name, params },
    providers: chain.map(({ name, ...options }, index) => ({
      name,
      options: parseOptions(providers[index].options, options, path, ['providers', String(index)], 'TD_PLUGIN_OPTIONS'),
    })),
    ...(ai === null ? {} : { ai }),
    ...(told.length === 0 ? {} : {
      notify: told.map(({ name, at, options }, index) => ({
        name, options: parseOptions(notifiers[index].options, options, path, at.split('.'), 'TD_PLUGIN_OPTIONS'),
      })),
    }),
    policy,
    audit: input.audit ?? 'full',
    seed: input.seed ?? 1,
  }
  noteOrigins(origins, '', { ...input, ai: aiInput(input) }, scenario, writtenAi(written))
  const omitted = (['instrument', 'broker', 'providers', 'policy'] as const).filter(
    (block) => input[block] === undefined && !(block === 'instrument' && input.instruments !== undefined),
  )
  const shadows = await shadowsOf(loaded, settings, registry, strategy.usesPortfolio === true)
  return { scenario, folder: loaded.folder, description: input.description ?? null, origins, omitted, shadows, plugins: { market, broker, providers, notifiers, strategy } }
}

/** The scenario once for each shadow, with what it changes. */
async function shadowsOf(loaded: LoadedScenario, settings: Settings, registry: Registry, ownOpinions: boolean): Promise<Shadow[]> {
  const { input, path } = loaded
  const shadows: Shadow[] = []
  for (const [index, { name: given, provider: other, ...policy }] of (input.shadow ?? []).entries()) {
    const provider = typeof other === 'string' ? { name: other } : other
    const changed = Object.entries(policy)
    if (provider === undefined && changed.length === 0) {
      throw new TapedeckError('TD_SCENARIO_INVALID', `${path}: shadow.${index}: it changes nothing; write provider: NAME, or a policy key such as minConfidence: 0.7`)
    }
    const words = [...(provider === undefined ? [] : [provider.name]), ...changed.map(([key, value]) => `${key} ${String(value)}`)]
    const name = given ?? words.join(' ').replaceAll(/[^A-Za-z0-9._]+/g, '-').slice(0, 80)
    if (shadows.some((one) => one.name === name)) {
      throw new TapedeckError('TD_SCENARIO_INVALID', `${path}: shadow.${index}: ${name} is listed twice; give one of the two a name`)
    }
    const { shadow: _shadow, notify: _notify, ...rest } = input
    const providers = provider === undefined ? rest.providers : [provider, ...(provider.name === 'technical' ? [] : ['technical'])]
    // A recording has one writer, the trading lane; what a shadow hears stands in its own trail.
    const records = rest.recording?.mode !== undefined && rest.recording.mode !== 'replay'
    const own = { ...rest, providers, policy: { ...rest.policy, ...policy }, recording: records ? undefined : rest.recording }
    const resolution = await resolveScenario({ ...loaded, path: `${path}: shadow.${index}`, input: own }, settings, registry)
    shadows.push({ name, description: words.join(', '), asks: resolution.scenario.ai !== undefined && (provider !== undefined || ownOpinions), resolution })
  }
  return shadows
}

/** The `notify` block as a list, with the place of each. */
function toldBy(notify: ScenarioInput['notify'] = []): { readonly name: string; readonly at: string; readonly options: object }[] {
  if (!Array.isArray(notify)) {
    return Object.entries(notify).map(([name, options]) => ({ name, at: `notify.${name}`, options: options ?? {} }))
  }
  return notify.map((one, index) => {
    const { name, ...options } = typeof one === 'string' ? { name: one } : one
    return { name, at: `notify.${index}`, options }
  })
}

function aiPlan({ recording, refinement, consult, blind, budget, minCoverage }: ScenarioInput): AiPlan {
  return {
    recording: recording ?? null, refinements: refinement?.turns ?? 1, consult: consult?.when ?? 'always', blind: blind ?? false,
    budget: { run: budget?.run ?? null, day: budget?.day ?? null }, minCoverage: minCoverage ?? null,
  }
}

/** The resolution of a scenario that was resolved before, as a run's record keeps it. Throws TD_PLUGIN_UNKNOWN for what is no longer there. */
export async function recallResolution(scenario: ResolvedScenario, folder: string, registry: Registry): Promise<Resolution> {
  const [market, broker, strategy, providers, notifiers] = await Promise.all([
    registry.plugin('market', scenario.market.source), registry.plugin('broker', scenario.broker.name), registry.strategy(scenario.strategy.name),
    Promise.all(scenario.providers.map(({ name }) => registry.plugin('provider', name))),
    Promise.all((scenario.notify ?? []).map(({ name }) => registry.plugin('notifier', name))),
  ])
  return { scenario, folder, description: null, origins: new Map(), omitted: [], shadows: [], plugins: { market, broker, providers, notifiers, strategy } }
}

/** A name that does not exist is told with the place where it was written. */
const named = <T>(path: string, at: string, loading: Promise<T>): Promise<T> =>
  loading.catch((error: unknown) => {
    if (!(error instanceof TapedeckError)) throw error
    throw new TapedeckError(error.code, `${path}: ${at}: ${error.message}`, { cause: error })
  })

function missing(path: string, key: string, example: string, variable: string): never {
  throw new TapedeckError('TD_SCENARIO_INVALID', `${path}: ${key} is missing; write "${example}" or set ${variable}`)
}
