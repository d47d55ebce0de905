import { createHash } from 'node:crypto'
import type {
  Badge, CalibrationSummary, Cell, Comparison, Disagreement, OpinionRow, PairedRow, PassDetail, Regret, ThresholdCurve, Window,
} from '../../engine/compare/comparison.ts'
import type { TradeColumns } from '../../engine/core/figures.ts'
import { computeFigures } from '../../engine/core/metrics.ts'
import { EXIT_REASONS } from '../../engine/core/order.ts'
import { baseRate, breakEvenRate, DEFAULT_POLICY } from '../../engine/core/policy.ts'
import { DAY_MS } from '../../engine/core/time.ts'
import { TIMEFRAMES } from '../../engine/core/timeframe.ts'
import { ChartCollector } from '../../engine/report/chart-candles.ts'
import { seeded, walk } from './report-fixture.ts'

export interface ComparisonOptions {
  readonly thresholds?: readonly number[]
  readonly providers?: readonly string[]
  /** Opinions of each pass, and candles of its chart. */
  readonly opinions?: number
  readonly candles?: number
  /** Put where names, reasons and answers stand. */
  readonly hostile?: string
}

export interface ComparisonFixture {
  readonly comparison: Comparison
  readonly details: readonly PassDetail[]
}

const START = Date.UTC(2022, 0, 3)
const CASH = 10_000
const STEP = TIMEFRAMES['4h']
/** How good each provider is, so that the pages have something to show. */
const SKILL: Readonly<Record<string, number>> = { gemini: 0.0009, openai: 0.0002, simulated: -0.0004, technical: 0.0001 }

const hash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16)

function tradesOf(random: () => number, count: number, edge: number): TradeColumns {
  const of = (value: () => number): Float64Array => Float64Array.from({ length: count }, value)
  return {
    length: count, symbol: new Uint8Array(count), entryTime: of(() => START), exitTime: of(() => START + STEP), entryPrice: of(() => 100),
    exitPrice: of(() => 101), quantity: of(() => 1), reason: new Uint8Array(count).fill(1), fees: of(() => 0.2), slippage: of(() => 0.05),
    cost: of(() => 100), pnl: of(() => (random() - 0.5 + edge * 100) * 4), stop: of(() => 95), target: of(() => 103), held: of(() => 6),
  }
}

function calibration(provider: string, rules: boolean, resolved: number): CalibrationSummary {
  const none = {
    brier: null, brierInterval: null, skill: null, skillInterval: null, skillBounds: null, ece: null, reliability: null, resolution: null,
    uncertainty: null, effective: null, medianResolution: null, bins: [],
  }
  const rates = { baseRate: 0.61, walkRate: baseRate(0.05, 0.03), breakEven: breakEvenRate(0.05, 0.03, 0.003) }
  if (rules || resolved === 0) return { scored: 0, resolved: 0, censored: 0, ambiguous: 0, ...none, ...rates }
  const lift = (SKILL[provider] ?? 0) * 60
  return {
    scored: resolved + 7, resolved, censored: 7, ambiguous: 3, effective: resolved / 12.5,
    brier: 0.2381 - lift / 4, brierInterval: { low: 0.221, high: 0.2553 }, skill: lift, skillInterval: { low: lift - 0.06, high: lift + 0.05 },
    skillBounds: { low: lift - 0.004, high: lift + 0.003 }, ece: 0.0412, reliability: 0.0031, resolution: 0.0062, uncertainty: 0.2379,
    ...rates, medianResolution: 9,
    bins: [0.5, 0.6, 0.7, 0.8, 0.9].map((from, index) => {
      const accuracy = Math.min(0.97, 0.52 + index * (0.05 + lift) + 0.01)
      return { from, to: from + 0.1, n: 60 - index * 11, confidence: from + 0.05, accuracy, low: accuracy - 0.08, high: Math.min(1, accuracy + 0.09) }
    }),
  }
}

const refusals = (random: () => number, threshold: number): Regret[] => {
  const one = (reason: string, side: Regret['side'], count: number, mean: number | null): Regret => {
    const resolved = mean === null ? 0 : count - 2
    return { reason, side, count, resolved, unknown: count - resolved, mean, total: (mean ?? 0) * resolved, winRate: mean === null ? null : 0.5 + mean * 10 }
  }
  return [
    one('confidence', 'entry', Math.round(threshold * 100), (random() - 0.4) / 100), one('already-in-position', 'entry', 31, -0.0012),
    one('cooldown', 'entry', 4, null), one('confidence', 'exit', 12, 0.0021),
  ]
}

interface Place { readonly scenario: string; readonly days: number; readonly symbol: string }

function cellOf(place: Place, provider: string, threshold: number, random: () => number): Cell {
  const rules = provider === 'technical'
  const short = place.days < 60
  const count = threshold >= 0.9 ? 0 : Math.round(place.days * (1.4 - threshold))
  const trades = tradesOf(random, count, SKILL[provider] ?? 0)
  const dailyEquity = Float64Array.from({ length: place.days + 1 }, () => CASH)
  for (let day = 1; day <= place.days; day++) {
    dailyEquity[day] = count === 0 ? CASH : dailyEquity[day - 1] * (1 + (SKILL[provider] ?? 0) + (random() - 0.5) * 0.014)
  }
  const finalEquity = dailyEquity[place.days]
  const netReturn = finalEquity / CASH - 1
  const lastOpen = START + place.days * DAY_MS - STEP
  const figures = computeFigures({
    startCash: CASH, finalEquity, dailyEquity, firstDay: START / DAY_MS, maxDrawdown: count === 0 ? 0 : -0.031 - random() * 0.05,
    firstOpen: START, lastOpen, moments: place.days * 6, momentsInPosition: count * 4, candles: place.days * 6, trades, fees: count * 0.2,
    slippage: count * 0.05, traded: count * 200, ambiguousCandles: count > 20 ? 2 : 0, coverage: rules ? null : 0.98, aiCost: rules ? 0 : place.days * 0.0123,
  })
  const id = hash(`${place.scenario} ${provider} ${threshold}`)
  const badges: Badge[] = []
  if (rules) badges.push({ kind: 'baseline', why: 'technical rules alone, not asked for' })
  if (provider === 'simulated') badges.push({ kind: 'simulated', why: 'answers are drawn, no model was asked' })
  if (short) badges.push({ kind: 'too short', why: 'under 60 days' })
  if (provider === 'gemini') badges.push({ kind: 'after cut-off', why: 'all candles are later than the training cut-off of 2021-09' })
  if (provider === 'openai') badges.push({ kind: 'spans cut-off', why: 'a part of the candles is earlier than the training cut-off of 2022-04' })
  const exits = Object.fromEntries(EXIT_REASONS.map((reason) => [reason, reason === 'stop' ? count : 0])) as Cell['exits']
  return {
    id, pass: hash(`${place.scenario} ${provider}`), name: `${place.scenario} · ${provider} · minConfidence ${threshold}`,
    labels: { scenario: place.scenario, providers: provider, minConfidence: String(threshold), 'policy.stopLoss': '0.05' }, scenario: place.scenario, provider,
    model: rules ? null : `${provider}-model-1`, policy: { ...DEFAULT_POLICY, minConfidence: threshold }, setup: hash(`${provider} ${threshold}`), baseline: rules,
    netReturn, interval: short || count < 30 ? null : { low: netReturn - 0.081, high: netReturn + 0.0932 },
    tooShort: short ? 'too short: 20 days, 60 are needed' : count < 30 ? `too short: ${count} trades, 30 are needed` : null,
    figures, exits,
    decisions: { total: place.days * 6 - 20, byStatus: { EXECUTED: count }, byReason: { confidence: 40 }, byProvider: { [provider]: place.days * 6 - 20 }, aiAsked: rules ? 0 : 240, aiFlipped: 21 },
    calibration: calibration(provider, rules, short ? 0 : 231),
    refinement: rules || short ? null : {
      answered: 240, flipped: 21, compared: 204, brierFirst: 0.2412, brierLast: 0.2385, difference: -0.0027, interval: { low: -0.0081, high: 0.0024 },
      verdict: 'no significant difference between the first and the last answer',
    },
    answered: rules ? null : 0.98, coverage: rules ? null : Math.max(0, 1.25 - threshold * 1.25), aiCost: figures.aiCost, latencyP95: rules ? null : 1840 + threshold * 100,
    ambiguousCandles: figures.ambiguousCandles,
    bounds: figures.ambiguousCandles > 0 ? { conservative: netReturn - 0.004, optimistic: netReturn + 0.0061 } : null,
    random: count === 0 ? null : { percentile: 0.5 + (SKILL[provider] ?? 0) * 400, draws: 1000, median: -0.0123, low: -0.092, high: 0.0711 },
    sharpeStats: short || count === 0 ? null : {
      sharpe: 0.061, periods: place.days, skewness: -0.12, kurtosis: 3.4, minimumTrackRecord: netReturn > 0 ? 732.4 : null, deflatedRaw: 0.412, deflatedEffective: 0.633,
    },
    regret: refusals(random, threshold), badges, warnings: [], firstDay: START / DAY_MS, dailyEquity: Array.from(dailyEquity), folder: short ? null : `cells/${id}`,
  }
}

function windowOf(place: Place, cells: readonly Cell[]): Window {
  const own = cells.filter((cell) => cell.scenario === place.scenario && !cell.baseline)
  const best = own.filter(({ figures }) => figures.trades > 0).toSorted((a, b) => b.netReturn - a.netReturn)[0] ?? null
  const short = place.days < 60
  return {
    scenario: place.scenario, symbols: [place.symbol], timeframe: '4h', candles: hash(place.symbol).repeat(4), firstOpen: START, lastOpen: START + place.days * DAY_MS - STEP,
    quote: 'USDT', startCash: CASH,
    buyAndHold: {
      totalReturn: -0.0831, maxDrawdown: short ? null : -0.2514, note: 'all cash at the first open, same costs, out at the last close',
      dailyEquity: Array.from({ length: place.days + 1 }, (_, day) => CASH * (1 - (0.0831 * day) / place.days)), firstDay: START / DAY_MS,
    },
    trials: 37, effectiveTrials: 6.42, expectedMaximumSharpe: short ? null : 0.0843,
    overfitting: short ? null : { probability: 0.3333, columns: own.length - 3, left: 3, blocks: 16 },
    realityCheck: short ? null : { p: 0.2314, against: 'flat', columns: own.length }, minimumBacktestYears: short ? null : 1.92, best: best?.id ?? null,
    verdict: short ? 'Too short to believe anything.' : 'The best of 37 trials is no better than luck would make it.',
  }
}

function curvesOf(cells: readonly Cell[]): ThresholdCurve[] {
  const names = [...new Set(cells.filter(({ baseline }) => !baseline).map(({ pass }) => pass))]
  return names.map((pass) => {
    const own = cells.filter((cell) => cell.pass === pass && !cell.baseline)
    const { scenario, provider, calibration: { breakEven, baseRate: rate } } = own[0]
    return {
      name: provider, scenario, provider, baseRate: rate, breakEven,
      points: own.map((cell) => ({
        threshold: cell.policy.minConfidence, cell: cell.id, coverage: cell.coverage, trades: cell.figures.trades, expectancy: cell.figures.expectancy,
        interval: cell.interval === null || cell.figures.expectancy === null ? null : { low: cell.figures.expectancy - 0.004, high: cell.figures.expectancy + 0.0041 },
      })),
    }
  })
}

function pairsOf(cells: readonly Cell[], windows: readonly Window[]): PairedRow[] {
  return windows.flatMap(({ scenario, best }): PairedRow[] => {
    const own = cells.filter((cell) => cell.scenario === scenario)
    const one = own.find(({ id }) => id === best)
    if (one === undefined) return []
    const row = (b: string, against: string, mean: number): PairedRow => one.interval === null
      ? { a: one.id, b, against, days: 20, mean, interval: null, verdict: 'too short' }
      : { a: one.id, b, against, days: 200, mean, interval: { low: mean - 0.0006, high: mean + 0.0007 }, verdict: mean > 0.0006 ? 'better' : 'no significant difference' }
    return [
      row('buy-and-hold', 'buy-and-hold', 0.00121), ...own.filter(({ baseline }) => baseline).map(({ id }) => row(id, 'baseline', 0.00031)),
      ...own.filter(({ id, baseline }) => id !== best && !baseline).slice(0, 9).map(({ id }, index) => row(id, index < 3 ? 'best' : 'provider', 0.0002 * index - 0.0003)),
    ]
  })
}

function detailOf(place: Place, cells: readonly Cell[], random: () => number, opinionCount: number, candles: number, text: (plain: string) => string): PassDetail {
  const rows = candles || place.days * 6
  const collector = new ChartCollector(place.symbol, STEP)
  const tape = walk(random, rows, STEP, 46_458.51, 0.00007)
  collector.add(tape, 0, rows)
  const [{ pass, provider }] = cells
  const every = Math.max(1, Math.floor((rows - 25) / opinionCount))
  const opinions = Array.from({ length: Math.min(opinionCount, rows - 25) }, (_, index): OpinionRow => {
    const confidence = Math.round((0.5 + random() * 0.45) * 100) / 100
    const action = ['BUY', 'SELL', 'HOLD', 'BUY'][index % 4]
    return {
      time: tape.openTime[20 + index * every] + STEP, symbol: 0, provider, action, confidence,
      turns: [
        { action: 'BUY', confidence: 0.62, reasoning: text(`Momentum of candle ${index} is rising; the average was crossed from below.`) },
        { action, confidence, reasoning: text('Asked again, with the volume in view, the answer stands.') },
      ],
      latencyMs: 900 + Math.round(random() * 1200), costUsd: 0.0031,
    }
  })
  return {
    pass, symbols: [place.symbol], charts: [collector.result()], opinions, omitted: 12,
    decisions: Object.fromEntries(cells.map(({ id, policy }) => [id, opinions.map(({ action, confidence }, opinion) => {
      if (action === 'HOLD') return { opinion, status: 'SKIPPED', reason: null, earned: null }
      const passes = confidence >= policy.minConfidence
      return { opinion, status: passes ? 'EXECUTED' : 'REJECTED', reason: passes ? null : text('confidence'), earned: opinion % 5 === 0 ? null : Math.round((random() - 0.5) * 600) / 1e4 }
    })])),
  }
}

/** A comparison made by hand: two scenarios, one too short; providers, thresholds, a cell without trades. The same for the same options. */
export function comparisonFixture(options: ComparisonOptions = {}): ComparisonFixture {
  const { thresholds = [0.5, 0.6, 0.7, 0.9], providers = ['gemini', 'openai', 'simulated'], opinions = 24, candles = 0, hostile = '' } = options
  const text = (plain: string): string => plain + hostile
  const random = seeded(23)
  const places: Place[] = [
    { scenario: text('btc-2022'), days: 200, symbol: text('BTC/USDT') }, { scenario: text('eth-january'), days: 20, symbol: text('ETH/USDT') },
  ]
  const made = places.flatMap((place) => [
    ...providers.flatMap((provider) => thresholds.map((threshold) => cellOf(place, text(provider), threshold, random))), cellOf(place, 'technical', 0.6, random),
  ])
  const windows = places.map((place) => windowOf(place, made))
  const starred = (cell: Cell): Badge[] => {
    if (!windows.some(({ best }) => best === cell.id)) return []
    return [{ kind: 'best', why: 'highest net return of this window' }, { kind: 'dubious', why: 'what luck makes of 37 trials is as good' }]
  }
  const cells = made.map((cell) => ({ ...cell, badges: [...starred(cell), ...cell.badges].map((badge) => ({ ...badge, why: text(badge.why) })), warnings: hostile === '' ? [] : [hostile] }))
  const disagreements = places.map(({ scenario, days }): Disagreement => ({
    scenario, a: text(providers[0]), b: text(providers[1] ?? providers[0]), decisions: 240, agreement: days < 60 ? null : 0.7125,
    table: { 'BUY × BUY': 91, 'BUY × HOLD': 30, 'HOLD × HOLD': 80, 'SELL × BUY': 39 }, aRight: days < 60 ? null : 0.53, bRight: days < 60 ? null : 0.41,
  }))
  const comparison: Comparison = {
    format: 1, id: 'providers-on-majors-91c0ffee12ab', name: text('Providers on majors'), tapedeck: '0.1.0',
    axes: [
      { key: 'scenario', values: places.map(({ scenario }) => scenario) }, { key: 'providers', values: providers.map(text) },
      { key: 'minConfidence', values: thresholds.map(String) }, { key: 'policy.stopLoss', values: ['0.05'] },
    ],
    cells, windows, pairs: pairsOf(cells, windows), curves: curvesOf(cells), disagreements,
    across: [{ setup: cells[0].setup, name: text(`${providers[0]} · 0.5`), scenarios: 2, days: 200, meanDaily: 0.00071, interval: { low: -0.0002, high: 0.0016 } }],
    assumptions: [text('A decision at a candle’s close fills at the next open; stop and target rest from the entry candle on.'), 'Intervals: stationary bootstrap of daily returns, 10,000 draws.'],
    warnings: [text('openai-model-1 may have seen a part of these candles in training.')], interrupted: false,
  }
  const details = [...new Set(cells.filter(({ baseline }) => !baseline).map(({ pass }) => pass))].map((pass) => {
    const own = cells.filter((cell) => cell.pass === pass && !cell.baseline)
    const place = places.find(({ scenario }) => scenario === own[0].scenario)!
    return detailOf(place, own, random, opinions, candles, text)
  })
  return { comparison, details }
}
