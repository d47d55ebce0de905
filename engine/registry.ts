import { z, type ZodType } from 'zod'
import { TapedeckError, type ErrorCode } from './errors.ts'
import { expectation } from './expectation.ts'
import type { Plugin, PluginKind, Strategy } from './ports.ts'
import { didYouMean } from './core/suggest.ts'

type Loader<T> = () => Promise<{ default: T }>
export type PluginManifest = { readonly [K in PluginKind]: Readonly<Record<string, Loader<Plugin<K, unknown>>>> }
export type StrategyManifest = Readonly<Record<string, Loader<Strategy>>>

async function load<T extends { readonly name: string }>(
  manifest: Readonly<Record<string, Loader<T>>>, kind: string, name: string,
): Promise<T> {
  const loader = Object.hasOwn(manifest, name) ? manifest[name] : undefined
  if (loader === undefined) {
    const known = Object.keys(manifest)
    throw new TapedeckError(
      'TD_PLUGIN_UNKNOWN', `unknown ${kind} "${name}"; there are: ${known.join(', ')}.${didYouMean(name, known)}`,
    )
  }
  const { default: found } = await loader()
  // Runs record the name of what they used, so it has to be the one it is found by.
  if (found.name !== name) throw new Error(`the manifest lists ${kind} "${name}", but it calls itself "${found.name}"`)
  return found
}

/** Finds plugins and strategies by name and loads them when they are first needed. */
export class Registry {
  readonly #plugins: PluginManifest
  readonly #strategies: StrategyManifest

  constructor(plugins: PluginManifest, strategies: StrategyManifest) {
    this.#plugins = plugins
    this.#strategies = strategies
  }

  /** Throws TD_PLUGIN_UNKNOWN. Options are unknown to the type system until {@link parseOptions} has checked them. */
  plugin<K extends PluginKind>(kind: K, name: string): Promise<Plugin<K, unknown>> {
    return load(this.#plugins[kind], `${kind} plugin`, name)
  }

  strategy(name: string): Promise<Strategy> {
    return load(this.#strategies, 'strategy', name)
  }

  /** Every plugin of every kind, in the order of the manifest. */
  async all(): Promise<readonly Plugin<PluginKind, unknown>[]> {
    const kinds = Object.keys(this.#plugins) as PluginKind[]
    return (await Promise.all(kinds.map((kind) => Promise.all(this.names(kind).map((name) => this.plugin(kind, name)))))).flat()
  }

  names(kind: PluginKind): readonly string[] {
    return Object.keys(this.#plugins[kind])
  }

  get strategyNames(): readonly string[] {
    return Object.keys(this.#strategies)
  }
}

/** The keys that an object schema knows, through wrappers. */
function knownKeys(schema: ZodType, path: readonly PropertyKey[]): readonly string[] {
  let node: unknown = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
  for (const step of path) {
    const { properties, items } = node as { properties?: Record<string, unknown>; items?: unknown }
    node = typeof step === 'number' ? items : properties?.[String(step)]
    if (node === undefined) return []
  }
  return Object.keys((node as { properties?: Record<string, unknown> }).properties ?? {})
}

/** Parses with one clear line per mistake: where, what came, what was expected, and the key that was probably meant. */
export function parseOptions<T>(
  schema: ZodType<T>, input: unknown, file: string, at: readonly string[], code: ErrorCode,
): T {
  const result = schema.safeParse(input, { error: expectation })
  if (result.success) return result.data
  const lines = result.error.issues.flatMap(insideUnions).map((issue) => {
    const path = [...at, ...issue.path.map(String)].join('.')
    const place = path === '' ? file : `${file}: ${path}`
    if (issue.code === 'unrecognized_keys') {
      const known = knownKeys(schema, issue.path)
      return issue.keys.map((key) => `${place}: unknown key "${key}".${didYouMean(key, known)}`).join('\n')
    }
    const got = issue.code === 'invalid_key' ? issue.path.at(-1) : valueAt(input, issue.path)
    return `${place}: ${issue.message}${got === undefined ? ' (missing)' : `, got ${shown(got)}`}`
  })
  throw new TapedeckError(code, lines.join('\n'))
}

/** Of several alternatives the one of the right kind is meant: what is wrong inside it is what the user asks. */
function insideUnions(issue: z.core.$ZodIssue): z.core.$ZodIssue[] {
  if (issue.code !== 'invalid_union') return [issue]
  const meant = issue.errors.find((issues) => issues.length > 0 && issues.every(({ path }) => path.length > 0))
  return meant?.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] })) ?? [issue]
}

/** A value as it was written, cut to what fits a line. */
function shown(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : JSON.stringify(value)
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input
  for (const step of path) {
    value = typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[step] : undefined
  }
  return value
}
