import { TapedeckError } from '../errors.ts'
import { ALIASES, CATALOGUE, INDICATOR_NAMES, loadLibrary, type Entry, type Library, type Params } from './indicator-catalogue.ts'
import { Book, type IndicatorBook, type IndicatorKernel, type Source, StepKernel } from './kernels.ts'
import { didYouMean } from './suggest.ts'

export { INDICATOR_NAMES } from './indicator-catalogue.ts'
export type { IndicatorBook, IndicatorKernel, Source } from './kernels.ts'

/**
 * An indicator by name with its parameters. `sma`, `ema`, `rsi` and `source` (the column itself) are own incremental
 * kernels; every other name is one of technicalindicators'. `output` picks one line of an indicator that has several
 * (`macd`: MACD, signal, histogram); without it the first one is meant.
 */
export interface IndicatorSpec {
  readonly indicator: string
  readonly period?: number
  readonly source?: Source
  readonly output?: string
  readonly [parameter: string]: number | string | boolean | undefined
}

export type IndicatorSpecs = Readonly<Record<string, IndicatorSpec>>

/**
 * Checks the specs and loads what they need; the maker then gives every symbol a book of its own, without waiting.
 * `history` is how many candles back `at` may look. Throws `TD_PLUGIN_OPTIONS` on an unknown indicator, output or
 * parameter, or a value out of range.
 */
export async function prepareIndicators(specs: IndicatorSpecs): Promise<(history: number) => IndicatorBook> {
  const names = Object.keys(specs)
  const choices = names.map((name) => choose(specs[name], `indicator "${name}"`))
  const library = choices.some(({ entry }) => 'step' in entry) ? await loadLibrary() : undefined
  return (history) => new Book(names, choices.map((choice) => kernelOf(choice, library)), history)
}

/**
 * Candles until an indicator no longer depends on where the tape starts: for a recursive one until its start weighs
 * ≤ 1e-9 (RSI n: ln 1e-9 ÷ ln(1 − 1/n); EMA n: ln 1e-9 ÷ ln(1 − 2/(n + 1))), its window for the others. `Infinity` for
 * sums since the start (obv, adl, vwap), which never forget it. Throws like {@link prepareIndicators}.
 */
export function recursiveWarmup(spec: IndicatorSpec): number {
  const { entry, params } = choose(spec, 'indicator')
  return entry.warmup(params)
}

/** What a spec means. */
interface Choice {
  readonly entry: Entry
  readonly params: Params
  readonly source: Source
  readonly output: string | null
}

function kernelOf({ entry, params, source, output }: Choice, library: Library | undefined): IndicatorKernel {
  if ('kernel' in entry) return entry.kernel(params, source)
  if (!library) throw new Error('technicalindicators was not loaded')
  return new StepKernel(entry.step(library, params), entry.sources.length === 0 ? null : source, output)
}

const FACTORS = new Set(['stdDev', 'multiplier', 'step', 'max'])
const FLAG = { expected: 'true or false', holds: (value: unknown) => typeof value === 'boolean' }
const FACTOR = { expected: 'a number above 0', holds: (value: unknown) => Number.isFinite(value) && Number(value) > 0 }
const PERIOD = {
  expected: 'a whole number from 1 to 1000000',
  holds: (value: unknown) => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 1_000_000,
}

function choose(spec: IndicatorSpec, label: string): Choice {
  const name = spec.indicator
  const found = Object.hasOwn(ALIASES, name) ? ALIASES[name] : name
  if (!Object.hasOwn(CATALOGUE, found)) {
    refuse(`${label}: there is no indicator "${name}".${didYouMean(String(name), INDICATOR_NAMES)} `
      + `Known: ${INDICATOR_NAMES.join(', ')}`)
  }
  const entry = CATALOGUE[found]
  const where = `${label} (${name})`
  const { indicator: _, source, output, ...given } = spec
  if (output !== undefined && !entry.outputs.includes(output)) {
    const possible = entry.outputs.join(', ') || 'none, it has a single value'
    refuse(`${where}: there is no output "${output}"; possible: ${possible}`)
  }
  if (source !== undefined && !entry.sources.includes(source)) {
    const possible = entry.sources.join(', ') || 'none, it reads whole candles'
    refuse(`${where}: it cannot read source "${source}"; possible: ${possible}`)
  }
  const params = checked(entry.defaults, given, where)
  return { entry, params, source: source ?? entry.sources[0] ?? 'close', output: output ?? entry.outputs[0] ?? null }
}

/** The parameters with defaults filled in. */
function checked(defaults: Params, given: Readonly<Record<string, unknown>>, where: string): Params {
  const params: Record<string, number | boolean> = { ...defaults }
  for (const [key, value] of Object.entries(given)) {
    if (value === undefined) continue
    if (!Object.hasOwn(defaults, key)) {
      refuse(`${where}: there is no parameter "${key}"; possible: ${Object.keys(defaults).join(', ') || 'none'}`)
    }
    params[key] = value as number | boolean
  }
  for (const [key, value] of Object.entries(params)) {
    const kind = typeof defaults[key] === 'boolean' ? FLAG : FACTORS.has(key) ? FACTOR : PERIOD
    if (!kind.holds(value)) {
      const found = given[key] === undefined ? '' : `, not ${String(value)}`
      refuse(`${where}: "${key}" must be ${kind.expected}${found}`)
    }
  }
  return params
}

function refuse(message: string): never {
  throw new TapedeckError('TD_PLUGIN_OPTIONS', message)
}
