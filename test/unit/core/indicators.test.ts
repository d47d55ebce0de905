import * as library from 'technicalindicators'
import { describe, expect, it } from 'vitest'
import { candleColumns, type CandleColumns } from '../../../engine/core/candle.ts'
import {
  INDICATOR_NAMES, type IndicatorSpec, type IndicatorSpecs, prepareIndicators, recursiveWarmup,
} from '../../../engine/core/indicators.ts'
import { TapedeckError } from '../../../engine/errors.ts'

/** A wavy market of `rows` sound candles, the same every time. */
function market(rows: number): CandleColumns {
  const columns = candleColumns(rows)
  let open = 1_000
  for (let i = 0; i < rows; i++) {
    const close = open + 20 * Math.sin(i / 7) + 9 * Math.cos(i * 1.7) - 4 * Math.sin(i * i)
    columns.open[i] = open
    columns.close[i] = close
    columns.high[i] = Math.max(open, close) + 3 + 2 * Math.sin(i * 2.3)
    columns.low[i] = Math.min(open, close) - 4 - 3 * Math.cos(i * 3.1)
    columns.volume[i] = 500 + 300 * Math.cos(i * 0.9)
    open = close
  }
  return columns
}

/** `rows` candles without any movement, traded or not. */
function flat(rows: number, volume = 0): CandleColumns {
  const columns = candleColumns(rows)
  for (const name of ['open', 'high', 'low', 'close'] as const) columns[name].fill(100)
  columns.volume.fill(volume)
  return columns
}

function joined(...parts: CandleColumns[]): CandleColumns {
  const columns = candleColumns(parts.reduce((rows, part) => rows + part.close.length, 0))
  let at = 0
  for (const part of parts) {
    for (const name of ['open', 'high', 'low', 'close', 'volume'] as const) columns[name].set(part[name], at)
    at += part.close.length
  }
  return columns
}

async function compute(spec: IndicatorSpec, columns: CandleColumns, batch = columns.close.length): Promise<number[]> {
  const book = (await prepareIndicators({ x: spec }))(0)
  const values: number[] = []
  for (let start = 0; start < columns.close.length; start += batch) {
    const end = Math.min(columns.close.length, start + batch)
    const row = book.append(columns, start, end)
    for (let k = 0; k < end - start; k++) values.push(book.at(0, row + k, 0))
  }
  return values
}

const candles = market(400)
const closes = [...candles.close]
const ohlcv = {
  open: [...candles.open], high: [...candles.high], low: [...candles.low], close: closes, volume: [...candles.volume],
}

/** What the library computes in one go, per indicator: [spec, results, principal output]. */
const BATCH: readonly (readonly [spec: IndicatorSpec, results: readonly unknown[], lines?: readonly string[]])[] = [
  [{ indicator: 'sma', period: 9 }, library.SMA.calculate({ period: 9, values: closes })],
  [{ indicator: 'ema', period: 9 }, library.EMA.calculate({ period: 9, values: closes })],
  [{ indicator: 'wma', period: 9 }, library.WMA.calculate({ period: 9, values: closes })],
  [{ indicator: 'wema', period: 9 }, library.WEMA.calculate({ period: 9, values: closes })],
  [{ indicator: 'wilders', period: 9 }, library.WEMA.calculate({ period: 9, values: closes })],
  [{ indicator: 'roc', period: 12 }, library.ROC.calculate({ period: 12, values: closes })],
  [{ indicator: 'highest', period: 9 }, library.Highest.calculate({ period: 9, values: closes })],
  [{ indicator: 'lowest', period: 9 }, library.Lowest.calculate({ period: 9, values: closes })],
  [{ indicator: 'sum', period: 9 }, library.Sum.calculate({ period: 9, values: closes })],
  [{ indicator: 'averagegain', period: 9 }, library.AverageGain.calculate({ period: 9, values: closes })],
  [{ indicator: 'averageloss', period: 9 }, library.AverageLoss.calculate({ period: 9, values: closes })],
  [{ indicator: 'sd', period: 9 }, library.SD.calculate({ period: 9, values: closes })],
  [{ indicator: 'stddev', period: 9 }, library.SD.calculate({ period: 9, values: closes })],
  [
    { indicator: 'bbands' },
    library.BollingerBands.calculate({ period: 20, stdDev: 2, values: closes }), ['middle', 'upper', 'lower', 'pb'],
  ],
  [
    { indicator: 'macd' },
    library.MACD.calculate({
      fastPeriod: 12, slowPeriod: 26, signalPeriod: 9, SimpleMAOscillator: false, SimpleMASignal: false, values: closes,
    }), ['MACD', 'signal', 'histogram'],
  ],
  [{ indicator: 'trix', period: 5 }, library.TRIX.calculate({ period: 5, values: closes })],
  [
    { indicator: 'kst' },
    library.KST.calculate({
      ROCPer1: 10, ROCPer2: 15, ROCPer3: 20, ROCPer4: 30,
      SMAROCPer1: 10, SMAROCPer2: 10, SMAROCPer3: 10, SMAROCPer4: 15, signalPeriod: 9, values: closes,
    }), ['kst', 'signal'],
  ],
  [{ indicator: 'truerange' }, library.TrueRange.calculate(ohlcv)],
  [{ indicator: 'tr' }, library.TrueRange.calculate(ohlcv)],
  [{ indicator: 'atr' }, library.ATR.calculate({ period: 14, ...ohlcv })],
  [{ indicator: 'adx' }, library.ADX.calculate({ period: 14, ...ohlcv }), ['adx', 'pdi', 'mdi']],
  [{ indicator: 'cci' }, library.CCI.calculate({ period: 20, ...ohlcv })],
  [{ indicator: 'stochastic' }, library.Stochastic.calculate({ period: 14, signalPeriod: 3, ...ohlcv }), ['k', 'd']],
  [{ indicator: 'stoch' }, library.Stochastic.calculate({ period: 14, signalPeriod: 3, ...ohlcv }), ['k', 'd']],
  [{ indicator: 'williamsr' }, library.WilliamsR.calculate({ period: 14, ...ohlcv })],
  [{ indicator: 'mfi' }, library.MFI.calculate({ period: 14, ...ohlcv })],
  [{ indicator: 'psar' }, library.PSAR.calculate({ step: 0.02, max: 0.2, ...ohlcv })],
  [
    { indicator: 'awesomeoscillator' },
    library.AwesomeOscillator.calculate({ fastPeriod: 5, slowPeriod: 34, ...ohlcv }),
  ],
  [{ indicator: 'forceindex' }, library.ForceIndex.calculate({ period: 13, ...ohlcv })],
  [
    { indicator: 'keltnerchannels' },
    library.KeltnerChannels.calculate({ maPeriod: 20, atrPeriod: 10, multiplier: 1, useSMA: false, ...ohlcv }),
    ['middle', 'upper', 'lower'],
  ],
  [
    { indicator: 'chandelierexit' },
    library.ChandelierExit.calculate({ period: 22, multiplier: 3, ...ohlcv }), ['exitLong', 'exitShort'],
  ],
  [
    { indicator: 'ichimokucloud' },
    library.IchimokuCloud.calculate({
      conversionPeriod: 9, basePeriod: 26, spanPeriod: 52, displacement: 26, ...ohlcv,
    }),
    ['conversion', 'base', 'spanA', 'spanB'],
  ],
  [{ indicator: 'obv' }, library.OBV.calculate(ohlcv)],
  [{ indicator: 'adl' }, library.ADL.calculate(ohlcv)],
  [{ indicator: 'vwap' }, library.VWAP.calculate(ohlcv)],
]

describe('every indicator agrees with technicalindicators’ batch results, on the last rows', () => {
  it.each(BATCH.map(([spec, results, lines]) => ({ name: spec.indicator, spec, results, lines })))(
    '$name',
    async ({ spec, results, lines }) => {
      expect(results.length).toBeGreaterThan(300)
      for (const line of lines ?? [undefined]) {
        const values = await compute(line === undefined ? spec : { ...spec, output: line }, candles, 37)
        const first = values.length - results.length
        expect(values.slice(0, first).every(Number.isNaN), 'no value before the first').toBe(true)
        for (const [i, result] of results.entries()) {
          const expected = line === undefined ? result : (result as Record<string, number | undefined>)[line]
          const actual = values[first + i]
          if (typeof expected !== 'number') expect(actual).toBeNaN()
          else expect(Math.abs(actual - expected)).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(expected)))
        }
        if (line === lines?.[0]) expect(await compute(spec, candles)).toEqual(values)
      }
    },
  )

  it('leaves out none: own rsi and source are tested with the kernels, stochasticrsi and heikinashi below', () => {
    const elsewhere = ['bollingerbands', 'rsi', 'source', 'stochasticrsi', 'heikinashi']
    expect(new Set([...BATCH.map(([spec]) => spec.indicator), ...elsewhere])).toEqual(new Set(INDICATOR_NAMES))
  })

  it('heikinashi', async () => {
    const expected = library.HeikinAshi.calculate(ohlcv)
    for (const output of ['open', 'high', 'low', 'close'] as const) {
      expect(await compute({ indicator: 'heikinashi', output }, candles)).toEqual(expected[output])
    }
  })

  it('stochasticrsi is computed on an unrounded RSI', async () => {
    const rsi = await compute({ indicator: 'rsi', period: 14 }, candles)
    const raw = rsi.map((value, row) => {
      const window = rsi.slice(row - 13, row + 1)
      return row < 27 ? NaN : (100 * (value - Math.min(...window))) / (Math.max(...window) - Math.min(...window))
    })
    const smooth = (values: number[]): number[] =>
      values.map((value, row) => (value + values[row - 1] + values[row - 2]) / 3)
    const k = smooth(raw)
    const expected = { stochRSI: raw, k, d: smooth(k) }
    for (const [output, values] of Object.entries(expected)) {
      const actual = await compute({ indicator: 'stochasticrsi', output }, candles)
      expect(actual.findIndex((value) => !Number.isNaN(value))).toBe({ stochRSI: 27, k: 29, d: 31 }[output])
      for (let row = 31; row < values.length; row++) expect(actual[row]).toBeCloseTo(values[row], 8)
    }
  })

  it('gives the same bits however the tape is cut', async () => {
    for (const indicator of INDICATOR_NAMES) {
      const spec = needsPeriod(indicator) ? { indicator, period: 5 } : { indicator }
      expect(await compute(spec, candles, 1), indicator).toEqual(await compute(spec, candles))
    }
  })
})

const needsPeriod = (indicator: string): boolean => {
  try {
    recursiveWarmup({ indicator })
    return false
  } catch {
    return true
  }
}

describe('the library’s traps', () => {
  it('adx recovers from a flat start, which makes the library’s NaN for ever', async () => {
    const values = await compute({ indicator: 'adx', period: 5 }, joined(flat(30), candles))
    expect(values.slice(0, 30).every(Number.isNaN)).toBe(true)
    expect(values.slice(45).some(Number.isNaN)).toBe(false)
    const alone = await compute({ indicator: 'adx', period: 5 }, candles)
    expect(values[429]).toBeCloseTo(alone[399], 8)
  })

  it('macd, trix and kst are 0, not missing, where nothing moves', async () => {
    for (const output of ['MACD', 'signal', 'histogram']) {
      const values = await compute({ indicator: 'macd', output }, flat(60))
      const first = output === 'MACD' ? 25 : 33
      expect(values).toEqual(values.map((_, row) => (row < first ? NaN : 0)))
    }
    const trix = await compute({ indicator: 'trix', period: 4 }, flat(20))
    expect(trix).toEqual(trix.map((_, row) => (row < 10 ? NaN : 0)))
    const signal = await compute({ indicator: 'kst', output: 'signal' }, flat(60))
    expect(signal).toEqual(signal.map((_, row) => (row < 52 ? NaN : 0)))
  })

  it('ratios of what rounding left over are no value after a window without movement or volume', async () => {
    const tape = joined(candles, flat(40), candles)
    const still = { from: 400 + 20, to: 440 }
    for (const spec of [
      { indicator: 'cci', period: 20 }, { indicator: 'bbands', output: 'pb' }, { indicator: 'mfi', period: 14 },
      { indicator: 'williamsr', period: 14 },
    ]) {
      const values = await compute(spec, tape)
      expect(values.slice(still.from, still.to).every(Number.isNaN), spec.indicator).toBe(true)
      expect(values.slice(still.to + 25).some(Number.isNaN), spec.indicator).toBe(false)
    }
  })

  it('an infinite quotient is no value', async () => {
    const volume = joined(flat(5, 0), flat(5, 3))
    const values = await compute({ indicator: 'roc', period: 5, source: 'volume' }, volume)
    expect(values.some((value) => value === Infinity)).toBe(false)
  })

  it('its lists let go of old values', async () => {
    await prepareIndicators({ slow: { indicator: 'wma', period: 3 } })
    await prepareIndicators({ slow: { indicator: 'wma', period: 3 } })
    const list = new library.FixedSizeLinkedList(2) as unknown as {
      push(value: number): void; shift(): number; _head: { prev: unknown; data: number }; length: number
    }
    for (let i = 0; i < 10; i++) list.push(i)
    expect([list._head.prev, list._head.data, list.length]).toEqual([undefined, 8, 2])
    expect([list.shift(), list.shift(), list.length]).toEqual([8, 9, 0])
  })
})

describe('specs', () => {
  const refusal = async (spec: unknown): Promise<string> => {
    const error = await prepareIndicators({ fast: spec } as IndicatorSpecs).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(TapedeckError)
    expect((error as TapedeckError).code).toBe('TD_PLUGIN_OPTIONS')
    return (error as TapedeckError).message
  }

  const refused = async (spec: unknown, message: string): Promise<void> => {
    expect(await refusal(spec)).toContain(message)
  }

  it('refuses an unknown name, with a suggestion and the list', async () => {
    expect(await refusal({ indicator: 'smaa', period: 3 })).toMatch(
      /^indicator "fast": there is no indicator "smaa"\. Did you mean "sma"\? Known: source, sma, ema, rsi,.* wilders$/,
    )
    expect(await refusal({ indicator: 'ATR' })).toContain('Did you mean "atr"?')
    expect(await refusal({ indicator: 'constructor' })).toContain('there is no indicator "constructor"')
  })

  it.each([0, -3, 2.5, NaN, Infinity, '9', 1_000_001])('refuses a period of %s', async (period) => {
    expect(await refusal({ indicator: 'sma', period })).toBe(
      `indicator "fast" (sma): "period" must be a whole number from 1 to 1000000, not ${period}`,
    )
  })

  it('refuses what is missing, unknown, out of range or of another kind', async () => {
    await refused({ indicator: 'ema' }, 'indicator "fast" (ema): "period" must be a whole number from 1 to 1000000')
    await refused({ indicator: 'macd', period: 9 }, 'there is no parameter "period"; possible: fastPeriod, slowPeriod,')
    await refused({ indicator: 'bbands', stdDev: 0 }, '"stdDev" must be a number above 0, not 0')
    await refused({ indicator: 'macd', SimpleMASignal: 1 }, '"SimpleMASignal" must be true or false, not 1')
    await refused({ indicator: 'obv', period: 2 }, 'possible: none')
  })

  it('refuses an output or a source that the indicator does not have', async () => {
    await refused({ indicator: 'macd', output: 'macd' }, 'no output "macd"; possible: MACD, signal, histogram')
    await refused({ indicator: 'rsi', output: 'k' }, 'possible: none, it has a single value')
    await refused({ indicator: 'atr', source: 'close' }, 'possible: none, it reads whole candles')
    await refused({ indicator: 'sd', period: 3, source: 'volume' }, 'possible: close, open, high, low')
    await refused({ indicator: 'sma', period: 3, source: 'hlc3' }, 'possible: close, open, high, low, volume')
  })

  it('reads the column it is told to, and treats undefined as left out', async () => {
    expect(await compute({ indicator: 'source', source: 'high' }, candles)).toEqual(ohlcv.high)
    expect(await compute({ indicator: 'wma', period: 1, source: 'low' }, candles)).toEqual(ohlcv.low)
    const rsi = await compute({ indicator: 'rsi', period: 14 }, candles)
    expect(await compute({ indicator: 'rsi' }, candles)).toEqual(rsi)
    expect(recursiveWarmup({ indicator: 'rsi', period: undefined } as unknown as IndicatorSpec)).toBe(280)
  })

  it('keeps the names’ order and gives every book a state of its own', async () => {
    const make = await prepareIndicators({ b: { indicator: 'sma', period: 2 }, a: { indicator: 'obv' } })
    const [one, other] = [make(1), make(1)]
    expect(one.names).toEqual(['b', 'a'])
    const row = one.append(candles, 0, 10)
    expect(one.at(0, row + 9, 0)).toBe((closes[8] + closes[9]) / 2)
    expect(other.at(1, other.append(candles, 5, 6), 0)).toBeNaN()
    expect((await prepareIndicators({}))(3).append(candles, 0, 10)).toBe(3)
  })
})

describe('recursive warm-up', () => {
  it.each([
    [{ indicator: 'sma', period: 21 }, 21],
    [{ indicator: 'rsi', period: 14 }, 280],
    [{ indicator: 'rsi', period: 1 }, 1],
    [{ indicator: 'ema', period: 1 }, 1],
    [{ indicator: 'ema', period: 20 }, 208],
    [{ indicator: 'atr' }, 280],
    [{ indicator: 'macd' }, 270 + 93],
    [{ indicator: 'macd', SimpleMAOscillator: true, SimpleMASignal: true }, 35],
    [{ indicator: 'bbands' }, 20],
    [{ indicator: 'source' }, 0],
    [{ indicator: 'obv' }, Infinity],
  ] satisfies [IndicatorSpec, number][])('of %j is %d', (spec, candlesNeeded) => {
    expect(recursiveWarmup(spec)).toBe(candlesNeeded)
  })

  it('is enough for every indicator that forgets its start: another start then gives the same value', async () => {
    const tape = market(1_400)
    for (const indicator of INDICATOR_NAMES) {
      const spec = needsPeriod(indicator) ? { indicator, period: 8 } : { indicator }
      const warmup = recursiveWarmup(spec)
      if (warmup === Infinity) continue
      const make = await prepareIndicators({ x: spec })
      const [long, short] = [make(0), make(0)]
      const a = long.at(0, long.append(tape, 0, 1_400) + 700 + warmup, 0)
      const b = short.at(0, short.append(tape, 700, 1_400) + warmup, 0)
      expect(Math.abs(a - b), indicator).toBeLessThanOrEqual(1e-7 * Math.max(1, Math.abs(a)))
    }
  })
})
