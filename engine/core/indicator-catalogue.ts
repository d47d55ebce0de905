import {
  EmaKernel, type IndicatorKernel, relativeStrength, RsiKernel, SmaKernel, type Source, SourceKernel, type Step, type Tick,
} from './kernels.ts'

export type Library = typeof import('technicalindicators')
export type Params = Readonly<Record<string, number | boolean>>

interface AnyEntry {
  /** Parameters with their defaults; NaN = has none. */
  readonly defaults: Params
  /** The columns it may read, the default first; none = it reads whole candles. */
  readonly sources: readonly Source[]
  /** The lines it draws, the principal first; none = it is one number. */
  readonly outputs: readonly string[]
  warmup(params: Params): number
}
export interface OwnEntry extends AnyEntry { readonly kernel: (params: Params, source: Source) => IndicatorKernel }
export interface LibraryEntry extends AnyEntry { readonly step: (library: Library, params: Params) => Step }
export type Entry = OwnEntry | LibraryEntry

interface LinkedList { shift: (this: LinkedList) => unknown; forgets?: boolean; _head?: { prev: unknown } }

/** Loaded only on demand: most runs need our own kernels alone. */
export async function loadLibrary(): Promise<Library> {
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
export const CATALOGUE: Readonly<Record<string, Entry>> = {
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

export const ALIASES: Readonly<Record<string, string>> = {
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
