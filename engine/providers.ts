import { makeDeps, registry, type World } from './assemble.ts'
import type { Resolution } from './config/resolve.ts'
import type { EpochMs } from './core/time.ts'
import { TapedeckError } from './errors.ts'
import { disabled, enabled, type ServiceHealth } from './pipeline/provider-health.ts'
import type { Plugin } from './ports.ts'
import { RealClock } from './real-clock.ts'
import { redactor } from './recording/redaction.ts'
import type { ServiceBook } from './session/service-book.ts'

/** Rules: always the last link, never out of order. */
const RULES = 'technical'

/** One AI service, as it stands. */
export interface ServiceStatus {
  readonly name: string
  /** From 1; null for one that is not in the chain. */
  readonly priority: number | null
  readonly model: string | null
  /** The environment variable without which it is left out; null when nothing is lacking. */
  readonly lacks: string | null
  /** Why it cannot be asked as it is set up; null when it can. */
  readonly fault: string | null
  readonly health: ServiceHealth
  /** Questions with an outcome, and the share of them that were answered; null before the first. */
  readonly asked: number
  readonly successRate: number | null
  /** Of the newest answers, in ms. */
  readonly p50: number | null
  readonly p95: number | null
}

/**
 * All AI services in order of priority: those of the scenario, or else the default chain; then the others of which something
 * is known. Asks nobody.
 */
export async function serviceStatus(
  book: ServiceBook, world: World, chain: Pick<Resolution, 'scenario' | 'plugins'> | { readonly backups: boolean },
): Promise<readonly ServiceStatus[]> {
  const { links, others } = 'scenario' in chain ? scenarioChain(chain) : await defaultChain(chain.backups)
  const named = new Set([...links, ...others].map(({ plugin: { name } }) => name))
  const gone = book.names.filter((name) => !named.has(name))
  const redact = redactor(world.env)
  return [
    ...await Promise.all(links.map((link, index) => status(link, index + 1, book, world, redact))),
    ...await Promise.all(others.map((link) => status(link, null, book, world, redact))),
    ...gone.map((name) => figures(name, null, { model: null, lacks: null, fault: null }, book, redact)),
  ]
}

interface Link {
  readonly plugin: Plugin<'provider', unknown>
  readonly options: unknown
}

function scenarioChain({ scenario, plugins: { providers } }: Pick<Resolution, 'scenario' | 'plugins'>): Chain {
  const links = providers.map((plugin, index) => ({ plugin, options: scenario.providers[index].options }))
  return { links: links.filter(({ plugin }) => plugin.name !== RULES), others: [] }
}

interface Chain {
  readonly links: readonly Link[]
  readonly others: readonly Link[]
}

/** Services that need a key, in the order of the manifest; without backups only the first is asked. */
async function defaultChain(backups: boolean): Promise<Chain> {
  const plugins = await Promise.all(registry.names('provider').map((name) => registry.plugin('provider', name)))
  const links = plugins.filter(({ env = [] }) => env.length > 0).map((plugin) => ({ plugin, options: plugin.options.parse({}) }))
  return backups ? { links, others: [] } : { links: links.slice(0, 1), others: links.slice(1) }
}

async function status(
  { plugin, options }: Link, priority: number | null, book: ServiceBook, world: World, redact: (text: string) => string,
): Promise<ServiceStatus> {
  let setUp: Pick<ServiceStatus, 'model' | 'lacks' | 'fault'>
  try {
    const { model = null, lacks = null } = await plugin.create(options, makeDeps(world, new RealClock(), 1, plugin.env), undefined)
    setUp = { model, lacks, fault: null }
  } catch (error) {
    if (!(error instanceof TapedeckError)) throw error
    setUp = { model: null, lacks: null, fault: redact(error.message) }
  }
  return figures(plugin.name, priority, setUp, book, redact)
}

function figures(
  name: string, priority: number | null, setUp: Pick<ServiceStatus, 'model' | 'lacks' | 'fault'>, book: ServiceBook,
  redact: (text: string) => string,
): ServiceStatus {
  const health = book.read(name)
  const asked = Object.values(health.errors).reduce((sum, errors) => sum + errors, health.successes)
  const sorted = [...health.latencies].sort((a, b) => a - b)
  const rank = (share: number): number | null => sorted[Math.ceil(share * sorted.length) - 1] ?? null
  return {
    name, priority, ...setUp, health: { ...health, reason: health.reason === null ? null : redact(health.reason) }, asked,
    successRate: asked === 0 ? null : health.successes / asked, p50: rank(0.5), p95: rank(0.95),
  }
}

/** The plugin of an AI service. Throws TD_PLUGIN_UNKNOWN with what was probably meant, TD_USAGE for the rules. */
export async function serviceNamed(name: string): Promise<Plugin<'provider', unknown>> {
  const plugin = await registry.plugin('provider', name)
  if (name !== RULES) return plugin
  throw new TapedeckError('TD_USAGE', `${name}: the strategy's own rules are no AI service; they always answer, and cannot be switched off or tested`)
}

/** Lets a service be asked again, whatever was the matter. Throws TD_PLUGIN_UNKNOWN. Returns how it stood before. */
export async function enable(name: string, book: ServiceBook, now: EpochMs): Promise<ServiceHealth> {
  await serviceNamed(name)
  const before = book.read(name)
  if (before.state !== 'ACTIVE') book.update(name, (health) => enabled(health, now))
  return before
}

/** Nobody asks the service until a person enables it. Throws TD_PLUGIN_UNKNOWN. */
export async function disable(name: string, reason: string, book: ServiceBook, world: World, now: EpochMs): Promise<ServiceHealth> {
  await serviceNamed(name)
  return book.update(name, (health) => disabled(health, now, redactor(world.env)(reason)))
}
