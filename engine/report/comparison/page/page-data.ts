import type { Cell, Comparison, PassDetail } from '../../../compare/comparison.ts'
import { priceDecimals } from '../../format.ts'
import type { ChartCandles } from '../../report-data.ts'
import { plain } from '../../text.ts'
import { groupsOf, namesOf } from '../rows.ts'
import { providerFacts } from '../wording.ts'

/** Most values of all equity curves together; with more, every second day or fewer is kept. */
const EQUITY_VALUES = 150_000

/** Six significant digits: more than a pixel can show. */
const short = (value: number): number => Number(value.toPrecision(6))
const level = (value: number | null): number | null => (value === null || !Number.isFinite(value) ? null : short(value))

/** Every `step`-th value from the first on, as growth since the start in percent; the last value always. */
function growth(equity: readonly number[], start: number, step: number): number[] {
  const kept = equity.filter((_, day) => day % step === 0 || day === equity.length - 1)
  return kept.map((value) => Number(((value / start - 1) * 100).toFixed(3)))
}

function candles(chart: ChartCandles): object {
  const column = (values: Float64Array): number[] => Array.from(values.subarray(0, chart.length), short)
  const start = chart.openTime[0] ?? 0
  return {
    symbol: plain(chart.symbol), stepMs: chart.stepMs, start, digits: priceDecimals(chart.close.subarray(0, chart.length)),
    // Steps after the start; most tapes have no gap, and then the numbers of the candles say it all.
    steps: Array.from(chart.openTime.subarray(0, chart.length), (time) => (time - start) / chart.stepMs),
    open: column(chart.open), high: column(chart.high), low: column(chart.low), close: column(chart.close),
  }
}

/** Words that occur over and over, each once. */
class Words {
  readonly list: string[] = []
  readonly #at = new Map<string, number>()

  of(word: string): number {
    const known = this.#at.get(word)
    if (known !== undefined) return known
    this.#at.set(word, this.list.length)
    return this.list.push(plain(word)) - 1
  }
}

function pass(detail: PassDetail, at: ReadonlyMap<string, number>, words: Words): object {
  return {
    symbols: detail.symbols.map(plain),
    charts: detail.charts.map(candles),
    omitted: detail.omitted,
    /** [time, symbol, provider, action, confidence, latency, cost, turns]; a turn is [action, confidence, reasoning]. */
    opinions: detail.opinions.map((one) => [
      one.time, one.symbol, words.of(one.provider), words.of(one.action), short(one.confidence), Math.round(one.latencyMs), short(one.costUsd),
      one.turns.map(({ action, confidence, reasoning }) => [words.of(action), short(confidence), plain(reasoning)]),
    ]),
    /** By number of the cell: [opinion, status, reason or −1, earned]. */
    decisions: Object.fromEntries(Object.entries(detail.decisions).flatMap(([id, rows]) => {
      const cell = at.get(id)
      if (cell === undefined) return []
      return [[cell, rows.map(({ opinion, status, reason, earned }) => [opinion, words.of(status), reason === null ? -1 : words.of(reason), level(earned)])]]
    })),
  }
}

/** What the page's script draws. Everything else is in the page already. */
export function pageData(comparison: Comparison, details: readonly PassDetail[]): object {
  const { cells, windows, curves } = comparison
  const name = namesOf(comparison)
  const values = cells.reduce((sum, { dailyEquity }) => sum + dailyEquity.length, 0)
  const step = Math.max(1, Math.ceil(values / EQUITY_VALUES))
  const at = new Map(cells.map(({ id }, index) => [id, index]))
  const passes = new Map(details.map((detail, index) => [detail.pass, index]))
  const scenarios = groupsOf(comparison).map(({ scenario }) => scenario)
  const words = new Words()
  const startOf = (cell: Cell): number => windows.find(({ scenario }) => scenario === cell.scenario)?.startCash ?? cell.dailyEquity[0] ?? 1
  return {
    step,
    scenarios: scenarios.map(plain),
    cells: cells.map((cell) => ({
      name: plain(name(cell.id)), scenario: scenarios.indexOf(cell.scenario), pass: passes.get(cell.pass) ?? null,
      labels: Object.fromEntries(Object.entries(cell.labels).map(([key, value]) => [key, plain(value)])),
      first: cell.firstDay, days: cell.dailyEquity.length, growth: growth(cell.dailyEquity, startOf(cell), step),
    })),
    windows: windows.map((window) => ({
      scenario: scenarios.indexOf(window.scenario), best: window.best === null ? null : at.get(window.best) ?? null,
      first: window.buyAndHold.firstDay, days: window.buyAndHold.dailyEquity.length, growth: growth(window.buyAndHold.dailyEquity, window.startCash, step),
    })),
    curves: curves.map((curve) => ({
      name: plain(curve.name), scenario: scenarios.indexOf(curve.scenario), baseRate: level(curve.baseRate), breakEven: level(curve.breakEven),
      points: curve.points.toSorted((a, b) => a.threshold - b.threshold).map(({ threshold, coverage, expectancy, interval }) =>
        [short(threshold), level(coverage), level(expectancy), level(interval?.low ?? null), level(interval?.high ?? null)]),
    })),
    reliability: providerFacts(comparison).filter(({ calibration }) => calibration.bins.length > 0).map(({ name: own, scenario, calibration }) => ({
      name: plain(own), scenario: scenarios.indexOf(scenario), baseRate: level(calibration.baseRate), breakEven: level(calibration.breakEven),
      bins: calibration.bins.map(({ confidence, accuracy, low, high, n }) => [short(confidence), short(accuracy), short(low), short(high), n]),
    })),
    passes: details.map((detail) => pass(detail, at, words)),
    words: words.list,
  }
}
