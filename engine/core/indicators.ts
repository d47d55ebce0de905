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
 * parameter, or one out of range.
 */
export async function prepareIndicators(specs: IndicatorSpecs): Promise<(history: number) => IndicatorBook> {
  const names = Object.keys(specs)
  const resolved = names.map((name) => resolve(specs[name], `indicator "${name}"`))
  const library = resolved.some(({ entry }) => !entry.own) ? await loadLibrary() : undefined
  return (history) => new Book(names, resolved.map((one) => kernelOf(one, library)), history)
}

/**
 * Candles until an indicator no longer depends on where the tape starts: for a recursive one until its start weighs
 * ≤ 1e-9 (RSI n: ln 1e-9 ÷ ln(1 − 1/n); EMA n: ln 1e-9 ÷ ln(1 − 2/(n + 1))), its window for the others.
 * `Infinity` for sums since the start (obv, adl, vwap), which never forget it. Throws like {@link prepareIndicators}.
 */
export function recursiveWarmup(spec: IndicatorSpec): number {
  const { entry, params } = resolve(spec, `indicator ${spec.indicator}`)
  return entry.warmup(params)
}

type Library = typeof import('technicalindicators')
type Params = Readonly<Record<string, number | boolean>>

interface Entry {
  /** Parameters with their defaults; NaN = has none. */
  readonly defaults: Params
  /** The lines it draws, the principal first; none = it is one number. */
  readonly outputs: readonly string[]
  /** The columns it may read, the default first; none = it reads whole candles. */
  readonly sources: readonly Source[]
  warmup(params: Params): number
  /** A kernel of ours, or else the library's object, row after row. */
  readonly own?: (params: Params, source: Source) => IndicatorKernel
  readonly step?: (library: Library, params: Params) => Step
}

const PRICES = ['close', 'open', 'high', 'low'] as const
const COLUMNS = [...PRICES, 'volume'] as const
const N = { period: NaN }

const fade = (factor: number): number => Math.ceil(Math.log(1e-9) / Math.log(factor))
const wilder = (n: number): number => Math.max(n, fade(1 - 1 / n))
const exponential = (n: number): number => Math.max(n, fade(1 - 2 / (n + 1)))

const own = <P extends Params>(
  defaults: P, warmup: (params: P) => number, make: (params: P, source: Source) => IndicatorKernel,
): Entry => ({ defaults, outputs: [], sources: COLUMNS, warmup: warmup as Entry['warmup'], own: make as NonNullable<Entry['own']> })

const reading = (sources: readonly Source[]) => <P extends Params>(
  defaults: P, warmup: (params: P) => number, step: (library: Library, params: P) => Step, outputs: readonly string[] = [],
): Entry => ({ defaults, outputs, sources, warmup: warmup as Entry['warmup'], step: step as NonNullable<Entry['step']> })
const ofColumn = reading(COLUMNS)
/** Inside these the library takes 0 for "no value yet", which a price never is and a volume may be. */
const ofPrice = reading(PRICES)
const ofCandle = reading([])

/** The library's typings of `nextValue` contradict its code (`ADX.nextValue(price: number)`), so they are not used. */
const each = (indicator: { nextValue(input: never): unknown }): Step => (input) => indicator.nextValue(input)

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

const V = { values: [] as number[] }
const C = { open: [] as number[], high: [] as number[], low: [] as number[], close: [] as number[], volume: [] as number[] }

/**
 * What works row by row in technicalindicators 3.1 (its candlestick patterns, charts and profiles do not). It rounds `mfi`
 * to 2 decimals and `adl` to whole units of volume. `psar`'s warm-up is measured, not derived: two runs agree after the
 * next reversals, and 99.9 % of starts on hourly BTC/USDT had done so by then.
 */
const CATALOGUE: Readonly<Record<string, Entry>> = {
  source: own({}, () => 0, (_, source) => new SourceKernel(source)),
  sma: own(N, (p) => p.period, (p, source) => new SmaKernel(p.period, source)),
  ema: own(N, (p) => exponential(p.period), (p, source) => new EmaKernel(p.period, source)),
  rsi: own({ period: 14 }, (p) => wilder(p.period), (p, source) => new RsiKernel(p.period, source)),

  wma: ofColumn(N, (p) => p.period, (lib, p) => each(new lib.WMA({ ...p, ...V }))),
  wema: ofColumn(N, (p) => wilder(p.period), (lib, p) => each(new lib.WEMA({ ...p, ...V }))),
  roc: ofColumn(N, (p) => p.period, (lib, p) => each(new lib.ROC({ ...p, ...V }))),
  highest: ofColumn(N, (p) => p.period, (lib, p) => each(new lib.Highest({ ...p, ...V }))),
  lowest: ofColumn(N, (p) => p.period, (lib, p) => each(new lib.Lowest({ ...p, ...V }))),
  sum: ofColumn(N, (p) => p.period, (lib, p) => each(new lib.Sum({ ...p, ...V }))),
  averagegain: ofColumn(N, (p) => wilder(p.period), (lib, p) => each(new lib.AverageGain({ ...p, ...V }))),
  averageloss: ofColumn(N, (p) => wilder(p.period), (lib, p) => each(new lib.AverageLoss({ ...p, ...V }))),
  stochasticrsi: ofColumn(
    { rsiPeriod: 14, stochasticPeriod: 14, kPeriod: 3, dPeriod: 3 },
    (p) => wilder(p.rsiPeriod) + p.stochasticPeriod + p.kPeriod + p.dPeriod, stochasticRsi, ['stochRSI', 'k', 'd'],
  ),

  sd: ofPrice(N, (p) => p.period, (lib, p) => each(new lib.SD({ ...p, ...V }))),
  bollingerbands: ofPrice({ period: 20, stdDev: 2 }, (p) => p.period, bollinger, ['middle', 'upper', 'lower', 'pb']),
  macd: ofPrice(
    { fastPeriod: 12, slowPeriod: 26, signalPeriod: 9, SimpleMAOscillator: false, SimpleMASignal: false },
    (p) => (p.SimpleMAOscillator ? p.slowPeriod : exponential(p.slowPeriod))
      + (p.SimpleMASignal ? p.signalPeriod : exponential(p.signalPeriod)), macd, ['MACD', 'signal', 'histogram'],
  ),
  trix: ofPrice({ period: 15 }, (p) => 3 * exponential(p.period) + 1, trix),
  kst: ofPrice(
    {
      ROCPer1: 10, ROCPer2: 15, ROCPer3: 20, ROCPer4: 30, SMAROCPer1: 10, SMAROCPer2: 10, SMAROCPer3: 10, SMAROCPer4: 15,
      signalPeriod: 9,
    }, (p) => kstRows(p) + p.signalPeriod, kst, ['kst', 'signal'],
  ),

  truerange: ofCandle({}, () => 1, (lib) => each(new lib.TrueRange(C))),
  atr: ofCandle({ period: 14 }, (p) => wilder(p.period), (lib, p) => each(new lib.ATR({ ...p, ...C }))),
  adx: ofCandle({ period: 14 }, (p) => 2 * wilder(p.period), adx, ['adx', 'pdi', 'mdi']),
  cci: ofCandle({ period: 20 }, (p) => p.period, cci),
  stochastic: ofCandle(
    { period: 14, signalPeriod: 3 }, (p) => p.period + p.signalPeriod,
    (lib, p) => each(new lib.Stochastic({ ...p, ...C })), ['k', 'd'],
  ),
  williamsr: ofCandle({ period: 14 }, (p) => p.period, (lib, p) => each(new lib.WilliamsR({ ...p, ...C }))),
  mfi: ofCandle({ period: 14 }, (p) => p.period + 1, mfi),
  psar: ofCandle({ step: 0.02, max: 0.2 }, () => 200, (lib, p) => each(new lib.PSAR({ ...p, ...C }))),
  awesomeoscillator: ofCandle(
    { fastPeriod: 5, slowPeriod: 34 }, (p) => Math.max(p.fastPeriod, p.slowPeriod),
    (lib, p) => each(new lib.AwesomeOscillator({ ...p, ...C })),
  ),
  forceindex: ofCandle({ period: 13 }, (p) => exponential(p.period) + 1, (lib, p) => each(new lib.ForceIndex({ ...p, ...C }))),
  keltnerchannels: ofCandle(
    { maPeriod: 20, atrPeriod: 10, multiplier: 1, useSMA: false },
    (p) => Math.max(p.useSMA ? p.maPeriod : exponential(p.maPeriod), wilder(p.atrPeriod)),
    (lib, p) => each(new lib.KeltnerChannels({ ...p, ...C })), ['middle', 'upper', 'lower'],
  ),
  chandelierexit: ofCandle(
    { period: 22, multiplier: 3 }, (p) => wilder(p.period),
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

/** technicalindicators' chain of RSI, stochastic and mean, on an RSI that is not rounded and is 50 where nothing moves. */
function stochasticRsi(lib: Library, p: { rsiPeriod: number; stochasticPeriod: number; kPeriod: number; dPeriod: number }): Step {
  const gain = new lib.AverageGain({ period: p.rsiPeriod, ...V })
  const loss = new lib.AverageLoss({ period: p.rsiPeriod, ...V })
  const stochastic = each(new lib.Stochastic({ period: p.stochasticPeriod, signalPeriod: p.kPeriod, ...C }))
  const mean = new lib.SMA({ period: p.dPeriod, ...V })
  return (price: number) => {
    const up = gain.nextValue(price)
    const down = loss.nextValue(price)
    if (up === undefined || down === undefined) return undefined
    const rsi = relativeStrength(up, down)
    const lines = stochastic({ high: rsi, low: rsi, close: rsi }) as { k: number; d?: number } | undefined
    if (lines?.d === undefined) return undefined
    return { stochRSI: lines.k, k: lines.d, d: mean.nextValue(lines.d) }
  }
}

function bollinger(lib: Library, p: { period: number; stdDev: number }): Step {
  const bands = new lib.BollingerBands({ ...p, ...V })
  const still = stillness()
  return (price: number) => {
    const lines = bands.nextValue(price)
    return still(price) < p.period ? lines : lines && { ...lines, pb: NaN }
  }
}

function cci(lib: Library, p: { period: number }): Step {
  const step = each(new lib.CCI({ ...p, ...C }))
  const still = stillness()
  return (candle: Tick) => {
    const value = step(candle)
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

/** A signal of exactly 0 is missing from the library's answer; its histogram gives it away. */
function macd(lib: Library, p: ConstructorParameters<Library['MACD']>[0]): Step {
  const lines = new lib.MACD({ ...p, ...V })
  return (price: number) => {
    const { MACD = NaN, signal, histogram = NaN } = lines.nextValue(price) ?? {}
    return { MACD, signal: signal ?? MACD - histogram, histogram }
  }
}

/** A value of 0 is missing from the library's answer; its first row is known, so what is missing from there on is 0. */
function trix(lib: Library, p: { period: number }): Step {
  const line = new lib.TRIX({ ...p, ...V })
  let missing = 3 * p.period - 2
  return (price: number) => line.nextValue(price) ?? (--missing < 0 ? 0 : undefined)
}
