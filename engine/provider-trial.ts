import { makeDeps, registry, type World } from './assemble.ts'
import { costOf, factsOf } from './core/models.ts'
import { ProviderFailure, type FailureKind } from './core/provider-failure.ts'
import type { Snapshot } from './core/snapshot.ts'
import { wordingOf } from './core/wording.ts'
import { TapedeckError } from './errors.ts'
import { charged } from './pipeline/provider-health.ts'
import type { Answer, Conversation, Plugin } from './ports.ts'
import { serviceNamed } from './providers.ts'
import { RealClock } from './real-clock.ts'
import { redactor } from './recording/redaction.ts'
import { parseOptions } from './registry.ts'
import type { ServiceBook } from './session/service-book.ts'

export interface TrialOptions {
  readonly model: string | null
  /** Asked instead of the service's own address. */
  readonly baseURL: string | null
}

/** What came of one real question. */
export interface TrialResult {
  readonly provider: string
  readonly model: string | null
  readonly answer: Pick<Answer, 'action' | 'confidence' | 'reasoning' | 'modelVersion'> | null
  readonly failure: { readonly kind: FailureKind; readonly status: number | null; readonly message: string; readonly remedy: string } | null
  readonly latencyMs: number
  readonly inputTokens: number
  readonly outputTokens: number
  /** null where no price is known. */
  readonly costUsd: number | null
}

/**
 * Asks one small question through the plugin, once and whatever its health is, and notes in the book what it cost. Throws
 * TD_PLUGIN_UNKNOWN, TD_PLUGIN_OPTIONS, and what the signal aborts with.
 */
export async function tryService(name: string, { model, baseURL }: TrialOptions, book: ServiceBook, world: World): Promise<TrialResult> {
  const plugin = await serviceNamed(name)
  const options = parseOptions(plugin.options, model === null ? {} : { model }, `provider ${name}`, [], 'TD_PLUGIN_OPTIONS')
  const clock = new RealClock()
  const provider = await plugin.create(options, makeDeps(pointed(world, plugin, baseURL), clock, 1, plugin.env), undefined)
  const redact = redactor(world.env)
  const begun = world.stopwatch()
  let answer: Answer | null = null
  let failure: ProviderFailure | null = null
  try {
    answer = await provider.answer(await sampleQuestion(), world.signal)
  } catch (error) {
    if (!(error instanceof ProviderFailure)) throw error
    failure = error
  }
  const latencyMs = answer?.latencyMs ?? world.stopwatch() - begun
  const { inputTokens, outputTokens } = answer?.usage ?? failure?.usage ?? { inputTokens: 0, outputTokens: 0 }
  const price = factsOf(provider.model)
  const costUsd = price === null ? null : costOf(price, inputTokens, outputTokens)
  if (inputTokens + outputTokens > 0) {
    book.update(name, (health) => charged(health, clock.now(), { inputTokens, outputTokens, costUsd: costUsd ?? 0 }))
  }
  return {
    provider: name, model: provider.model ?? null, latencyMs, inputTokens, outputTokens, costUsd,
    answer: answer === null ? null : {
      action: answer.action, confidence: answer.confidence, reasoning: redact(answer.reasoning),
      ...(answer.modelVersion === undefined ? {} : { modelVersion: answer.modelVersion }),
    },
    failure: failure === null ? null
      : { kind: failure.kind, status: failure.status, message: redact(failure.message), remedy: REMEDIES[failure.kind] },
  }
}

/** Whoever types an address may send a key there, as with the environment: it does not come from a file of others. */
function pointed(world: World, { name, env = [] }: Plugin<'provider', unknown>, baseURL: string | null): World {
  if (baseURL === null) return world
  const variable = env.find((one) => one.endsWith('_BASE_URL'))
  if (variable === undefined) throw new TapedeckError('TD_USAGE', `--base-url: ${name} is asked at no address`)
  return { ...world, env: { ...world.env, [variable]: baseURL } }
}

const SAMPLE: Readonly<Record<string, number>> = { rsi: 38.4127, ma_short: 42180.35, ma_long: 41875.1, volume_ma: 812.4 }
const SAMPLE_PLAN = { tickSize: 0.01, timeframe: '1h', blind: false }

/** A candle that was made up, asked about as a scenario would. */
async function sampleQuestion(): Promise<Conversation> {
  const strategy = await registry.strategy('autonomous-scalper')
  const params = strategy.params.parse({})
  const snapshot: Snapshot = {
    symbol: 'BTC/USDT', time: Date.UTC(2024, 0, 15, 12), price: 42105.5, volume: 903.7, trend: 'UP', names: Object.keys(SAMPLE),
    value: (name) => SAMPLE[name], inPosition: false,
  }
  const prompts = strategy.prompts!
  const text = prompts.initial(snapshot, params, wordingOf(snapshot, SAMPLE_PLAN))
  return {
    snapshot, system: prompts.system(params), messages: [{ role: 'user', text }], rules: () => strategy.technical(snapshot, params),
  }
}

/** What to do about each class of failure. */
const REMEDIES: Readonly<Record<FailureKind, string>> = {
  timeout: 'try again later, or give it more time with timeoutMs',
  network: 'see whether this machine reaches the address, and whether a proxy stands between',
  server: 'the service has trouble: try again later; runs ask the next provider meanwhile',
  'rate-limit': 'the service wants fewer questions: wait, lower the rate, or take a larger plan',
  quota: 'the day\'s quota is used up: wait until it begins anew, or take a larger plan',
  key: 'set the key, or a new one, in the environment or in .env; see that it may use this model',
  payment: 'pay the bill or raise the spending limit at the service',
  'model-gone': 'name another model with --model, and in scenarios with model',
  'bad-request': 'the service does not take what was asked: another model, or other options such as temperature: null',
  refused: 'the model refused to answer: take another one',
  'too-long': 'the question does not fit this model: take one with a larger context',
  truncated: 'the answer did not fit: raise maxTokens, thoughts count as well',
  'not-json': 'the model does not keep to the form: take one that knows structured output',
  invalid: 'the model does not keep to the form: take one that knows structured output',
  error: 'the service could not be asked: see the message',
}
