import { TapedeckError } from '../errors.ts'
import {
  Book, EmaKernel, type IndicatorBook, type IndicatorKernel, relativeStrength, RsiKernel, SmaKernel, type Source,
  SourceKernel, type Step, StepKernel, type Tick,
} from './kernels.ts'

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

type Library = typeof import('technicalindicators')
type Params = Readonly<Record<string, number | boolean>>

interface AnyEntry {
  /** Parameters with their defaults; NaN = has none. */
  readonly defaults: Params
  /** The columns it may read, the default first; none = it reads whole candles. */
  readonly sources: readonly Source[]
  /** The lines it draws, the principal first; none = it is one number. */
  readonly outputs: readonly string[]
  warmup(params: Params): number
}
interface OwnEntry extends AnyEntry { readonly kernel: (params: Params, source: Source) => IndicatorKernel }
interface LibraryEntry extends AnyEntry { readonly step: (library: Library, params: Params) => Step }
type Entry = OwnEntry | LibraryEntry

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

interface LinkedList { shift: (this: LinkedList) => unknown; forgets?: boolean; _head?: { prev: unknown } }

/** Loaded only on demand: most runs need our own kernels alone. */
async function loadLibrary(): Promise<Library> {
  const library = await import('technicalindicators')
  // Its lists never let go of a value that was shifted out, because the next one points back at it: 10 M candles would
  // fill the memory. The class is not exported, but it is the parent of one that is.
  const list = Object.getPrototypeOf(library.FixedSizeLinkedList.prototype) as LinkedList
  if (!list.forgets) {
    const shift = list.shift
    list.shift = function () {
      const value = shift.call(this)
      if (this._head) this._head.prev = undefined
      return value
    }
    list.forgets = true
  }
  return library
}

const PRICES = ['close', 'open', 'high', 'low'] as const
const COLUMNS = [...PRICES, 'volume'] as const

const own = <P extends Params>(
  defaults: P, warmup: (params: P) => number, kernel: (params: P, source: Source) => IndicatorKernel,
): Entry => ({ defaults, sources: COLUMNS, outputs: [], warmup, kernel: kernel as OwnEntry['kernel'] })

const reading = (sources: readonly Source[]) => <P extends Params>(
  defaults: P, warmup: (params: P) => number, step: (library: Library, params: P) => Step, outputs: string[] = [],
): Entry => ({ defaults, sources, outputs, warmup, step: step as LibraryEntry['step'] })
const ofColumn = reading(COLUMNS)
/** Inside these the library takes 0 for "no value yet", which a price never is and a volume may be. */
const ofPrice = reading(PRICES)
const ofCandle = reading([])

/** The library's typings of `nextValue` contradict its code (`ADX.nextValue(price: number)`), so they are not used. */
const each = (indicator: { nextValue(input: never): unknown }): Step => (input) => indicator.nextValue(input)

/** The library's constructors insist on a history; ours is always empty. */
const NONE: number[] = []
const V = { values: NONE }
const C = { open: NONE, high: NONE, low: NONE, close: NONE, volume: NONE }
const N = { period: NaN }

const periodOf = (p: { period: number }): number => p.period
const fade = (factor: number): number => Math.ceil(Math.log(1e-9) / Math.log(factor))
const wilder = (n: number): number => Math.max(n, fade(1 - 1 / n))
const exponential = (n: number): number => Math.max(n, fade(1 - 2 / (n + 1)))
const settled = (simple: boolean, n: number): number => (simple ? n : exponential(n))
const wilderOf = (p: { period: number }): number => wilder(p.period)

/**
 * What works row by row in technicalindicators 3.1 (its candlestick patterns, charts and profiles do not). It rounds
 * `mfi` to 2 decimals and `adl` to whole units of volume. `psar` forgets its start by reversing: no bound can be
 * derived, but each of 1,993 starts on hourly BTC/USDT had agreed with the others after at most 183 candles.
 */
const CATALOGUE: Readonly<Record<string, Entry>> = {
  source: own({}, () => 0, (_, source) => new SourceKernel(source)),
  sma: own(N, periodOf, (p, source) => new SmaKernel(p.period, source)),
  ema: own(N, (p) => exponential(p.period), (p, source) => new EmaKernel(p.period, source)),
  rsi: own({ period: 14 }, wilderOf, (p, source) => new RsiKernel(p.period, source)),

  wma: ofColumn(N, periodOf, (lib, p) => each(new lib.WMA({ ...p, ...V }))),
  wema: ofColumn(N, wilderOf, (lib, p) => each(new lib.WEMA({ ...p, ...V }))),
  roc: ofColumn(N, periodOf, (lib, p) => each(new lib.ROC({ ...p, ...V }))),
  highest: ofColumn(N, periodOf, (lib, p) => each(new lib.Highest({ ...p, ...V }))),
  lowest: ofColumn(N, periodOf, (lib, p) => each(new lib.Lowest({ ...p, ...V }))),
  sum: ofColumn(N, periodOf, (lib, p) => each(new lib.Sum({ ...p, ...V }))),
  averagegain: ofColumn(N, wilderOf, (lib, p) => each(new lib.AverageGain({ ...p, ...V }))),
  averageloss: ofColumn(N, wilderOf, (lib, p) => each(new lib.AverageLoss({ ...p, ...V }))),
  stochasticrsi: ofColumn(
    { rsiPeriod: 14, stochasticPeriod: 14, kPeriod: 3, dPeriod: 3 },
    (p) => wilder(p.rsiPeriod) + p.stochasticPeriod + p.kPeriod + p.dPeriod, stochasticRsi, ['stochRSI', 'k', 'd'],
  ),

  sd: ofPrice(N, periodOf, (lib, p) => each(new lib.SD({ ...p, ...V }))),
  bollingerbands: ofPrice({ period: 20, stdDev: 2 }, periodOf, bollinger, ['middle', 'upper', 'lower', 'pb']),
  macd: ofPrice(
    { fastPeriod: 12, slowPeriod: 26, signalPeriod: 9, SimpleMAOscillator: false, SimpleMASignal: false },
    (p) => settled(p.SimpleMAOscillator, Math.max(p.fastPeriod, p.slowPeriod))
      + settled(p.SimpleMASignal, p.signalPeriod),
    macd, ['MACD', 'signal', 'histogram'],
  ),
  trix: ofPrice({ period: 15 }, (p) => 3 * exponential(p.period) + 1, trix),
  kst: ofPrice(
    {
      ROCPer1: 10, ROCPer2: 15, ROCPer3: 20, ROCPer4: 30,
      SMAROCPer1: 10, SMAROCPer2: 10, SMAROCPer3: 10, SMAROCPer4: 15, signalPeriod: 9,
    },
    (p) => kstRows(p) + p.signalPeriod, kst, ['kst', 'signal'],
  ),

  truerange: ofCandle({}, () => 1, (lib) => each(new lib.TrueRange(C))),
  atr: ofCandle({ period: 14 }, wilderOf, (lib, p) => each(new lib.ATR({ ...p, ...C }))),
  adx: ofCandle({ period: 14 }, (p) => 2 * wilder(p.period), adx, ['adx', 'pdi', 'mdi']),
  cci: ofCandle({ period: 20 }, periodOf, cci),
  stochastic: ofCandle(
    { period: 14, signalPeriod: 3 }, (p) => p.period + p.signalPeriod,
    (lib, p) => each(new lib.Stochastic({ ...p, ...C })), ['k', 'd'],
  ),
  williamsr: ofCandle({ period: 14 }, periodOf, (lib, p) => each(new lib.WilliamsR({ ...p, ...C }))),
  mfi: ofCandle({ period: 14 }, (p) => p.period + 1, mfi),
  psar: ofCandle(
    { step: 0.02, max: 0.2 }, (p) => Math.max(200, Math.ceil(4 / p.step)),
    (lib, p) => each(new lib.PSAR({ ...p, ...C })),
  ),
  awesomeoscillator: ofCandle(
    { fastPeriod: 5, slowPeriod: 34 }, (p) => Math.max(p.fastPeriod, p.slowPeriod),
    (lib, p) => each(new lib.AwesomeOscillator({ ...p, ...C })),
  ),
  forceindex: ofCandle(
    { period: 13 }, (p) => exponential(p.period) + 1, (lib, p) => each(new lib.ForceIndex({ ...p, ...C })),
  ),
  keltnerchannels: ofCandle(
    { maPeriod: 20, atrPeriod: 10, multiplier: 1, useSMA: false },
    (p) => Math.max(settled(p.useSMA, p.maPeriod), wilder(p.atrPeriod)),
    (lib, p) => each(new lib.KeltnerChannels({ ...p, ...C })), ['middle', 'upper', 'lower'],
  ),
  chandelierexit: ofCandle(
    { period: 22, multiplier: 3 }, wilderOf,
    (lib, p) => each(new lib.ChandelierExit({ ...p, ...C })), ['exitLong', 'exitShort'],
  ),
  ichimokucloud: ofCandle(
    { conversionPeriod: 9, basePeriod: 26, spanPeriod: 52, displacement: 26 },
    (p) => Math.max(p.conversionPeriod, p.basePeriod, p.spanPeriod, p.displacement),
    (lib, p) => each(new lib.IchimokuCloud({ ...p, ...C })), ['conversion', 'base', 'spanA', 'spanB'],
  ),
  heikinashi: ofCandle({}, () => fade(1 / 2), (lib) => each(new lib.HeikinAshi(C)), ['close', 'open', 'high', 'low']),
  obv: ofCandle({}, () => Infinity, (lib) => each(new lib.OBV(C))),
  adl: ofCandle({}, () => Infinity, (lib) => each(new lib.ADL(C))),
  vwap: ofCandle({}, () => Infinity, (lib) => each(new lib.VWAP(C))),
}

const ALIASES: Readonly<Record<string, string>> = {
  bbands: 'bollingerbands', stddev: 'sd', stoch: 'stochastic', tr: 'truerange', wilders: 'wema',
}

/** Every name that a spec may use. */
export const INDICATOR_NAMES: readonly string[] = [...Object.keys(CATALOGUE), ...Object.keys(ALIASES)]

type StochasticRsiParams = Omit<ConstructorParameters<Library['StochasticRSI']>[0], 'values'>

/** The library's chain of RSI, stochastic and mean, but on an RSI that is not rounded and is 50 where nothing moves. */
function stochasticRsi(lib: Library, p: StochasticRsiParams): Step {
  const gain = new lib.AverageGain({ period: p.rsiPeriod, ...V })
  const loss = new lib.AverageLoss({ period: p.rsiPeriod, ...V })
  const stochastic = each(new lib.Stochastic({ period: p.stochasticPeriod, signalPeriod: p.kPeriod, ...C }))
  const mean = new lib.SMA({ period: p.dPeriod, ...V })
  return (price: number) => {
    const up = gain.nextValue(price)
    const down = loss.nextValue(price)
    if (up === undefined || down === undefined) return undefined
    const rsi = relativeStrength(up, down)
    const lines = stochastic({ high: rsi, low: rsi, close: rsi } as never) as { k: number; d?: number } | undefined
    return lines && { stochRSI: lines.k, k: lines.d, d: lines.d === undefined ? undefined : mean.nextValue(lines.d) }
  }
}

/** Rows for which the input has stood still: running sums leave a residue then, and a ratio of residues is noise. */
function stillness(): (input: number) => number {
  let last = NaN
  let rows = 0
  return (input) => {
    rows = input === last ? rows + 1 : 1
    last = input
    return rows
  }
}

function bollinger(lib: Library, p: { period: number; stdDev: number }): Step {
  const bands = new lib.BollingerBands({ ...p, ...V })
  const still = stillness()
  return (price: number) => {
    const lines = bands.nextValue(price)
    return still(price) < p.period ? lines : { ...lines, pb: NaN }
  }
}

function cci(lib: Library, p: { period: number }): Step {
  const index = new lib.CCI({ ...p, ...C }) as { nextValue(input: never): unknown }
  const still = stillness()
  return (candle: Tick) => {
    const value = index.nextValue(candle as never)
    return still(candle.high + candle.low + candle.close) < p.period ? value : NaN
  }
}

function mfi(lib: Library, p: { period: number }): Step {
  const index = new lib.MFI({ ...p, ...C })
  const still = stillness()
  return (candle: Tick) => {
    const value = index.nextValue(candle)
    return still(candle.volume) < p.period || candle.volume > 0 ? value : NaN
  }
}

/** Where nothing has moved at all it divides 0 by 0, and never recovers: then it starts again. */
function adx(lib: Library, p: { period: number }): Step {
  const start = (): Step => each(new lib.ADX({ ...p, ...C }))
  let step = start()
  return (candle) => {
    const lines = step(candle) as { adx: number } | undefined
    if (!Number.isNaN(lines?.adx)) return lines
    step = start()
    return step(candle)
  }
}

/** A signal of exactly 0 is missing from the library's answer; its histogram gives it away. */
function macd(lib: Library, p: Omit<ConstructorParameters<Library['MACD']>[0], 'values'>): Step {
  const lines = new lib.MACD({ ...p, ...V })
  return (price: number) => {
    const { MACD = NaN, signal, histogram = NaN } = lines.nextValue(price) ?? {}
    return { MACD, signal: signal ?? MACD - histogram, histogram }
  }
}

/** A value of exactly 0 is missing from the library's answers; how many are missing before the first value is known. */
function trix(lib: Library, p: { period: number }): Step {
  const line = new lib.TRIX({ ...p, ...V })
  let missing = 3 * p.period - 2
  return (price: number) => line.nextValue(price) ?? (missing-- > 0 ? undefined : 0)
}

type KstParams = Omit<ConstructorParameters<Library['KST']>[0], 'values'>

/** Candles to its first value. */
const kstRows = (p: KstParams): number => Math.max(
  p.ROCPer1 + p.SMAROCPer1, p.ROCPer2 + p.SMAROCPer2, p.ROCPer3 + p.SMAROCPer3, p.ROCPer4 + p.SMAROCPer4,
)

/** As in {@link trix}, a signal of exactly 0 is missing. */
function kst(lib: Library, p: KstParams): Step {
  const line = new lib.KST({ ...p, ...V })
  let missing = kstRows(p) + p.signalPeriod - 2
  return (price: number) => {
    const lines = line.nextValue(price) as { kst: number; signal?: number } | undefined
    return { kst: lines?.kst, signal: lines?.signal ?? (missing-- > 0 ? undefined : 0) }
  }
}

/** Numbers that do not count candles. */
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
    refuse(`${label}: there is no indicator "${name}"; did you mean "${nearest(name, INDICATOR_NAMES)}"? `
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

/** The name with the fewest letters to change (Levenshtein's distance), regardless of case. */
function nearest(name: string, names: readonly string[]): string {
  const distance = (a: string, b: string): number => {
    let row = Array.from({ length: b.length + 1 }, (_, column) => column)
    for (let i = 1; i <= a.length; i++) {
      const above = row
      row = [i]
      for (let j = 1; j <= b.length; j++) {
        row.push(Math.min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)))
      }
    }
    return row[b.length]
  }
  const wanted = String(name).toLowerCase()
  return names.reduce((best, one) => (distance(wanted, one) < distance(wanted, best) ? one : best))
}
