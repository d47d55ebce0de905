import type { Comparison, PassDetail } from '../../../compare/comparison.ts'

/** Points of a curve on the page: more than a screen can show would only make the file large. */
const MOST_POINTS = 400
/** Candles kept on each side of a decision. */
const AROUND = 24

const round = (value: number): number => Number(value.toPrecision(6))

/** What the page's scripts need: numbers rounded to six digits, candles only around decisions. */
export function pageData(comparison: Comparison, details: readonly PassDetail[]): unknown {
  return {
    cells: Object.fromEntries(comparison.cells.map(({ id, name, pass, scenario, firstDay, dailyEquity }) => [id, { name, pass, scenario, equity: thinned(firstDay, dailyEquity) }])),
    holds: comparison.windows.map(({ scenario, buyAndHold: { firstDay, dailyEquity } }) => ({ scenario, equity: thinned(firstDay, dailyEquity) })),
    passes: Object.fromEntries(details.map((detail) => [detail.pass, passData(detail)])),
  }
}

/** Days and percent of the start. */
function thinned(firstDay: number, equity: readonly number[]): { readonly days: number[]; readonly values: number[] } {
  const step = Math.max(1, Math.ceil(equity.length / MOST_POINTS))
  const rows = equity.map((_, index) => index).filter((index) => index % step === 0 || index === equity.length - 1)
  return { days: rows.map((row) => firstDay + row), values: rows.map((row) => round((equity[row] / equity[0] - 1) * 100)) }
}

function passData({ symbols, charts, opinions, omitted, decisions }: PassDetail): unknown {
  return {
    symbols, omitted, decisions,
    opinions: opinions.map(({ time, symbol, provider, action, confidence, turns, latencyMs, costUsd }) => ({
      time, symbol, provider, action, confidence: round(confidence), turns: turns.map((turn) => ({ ...turn, confidence: round(turn.confidence) })), latencyMs, costUsd,
    })),
    charts: charts.map((chart, symbol) => near(chart, opinions.filter((one) => one.symbol === symbol).map(({ time }) => time))),
  }
}

/** The candles around given times, ascending; each row is open time, open, high, low, close. */
function near({ openTime, open, high, low, close, length, stepMs }: PassDetail['charts'][number], times: readonly number[]): unknown {
  const wanted = new Set<number>()
  for (const time of times) {
    let [from, until] = [0, length]
    while (from < until) {
      const middle = (from + until) >> 1
      if (openTime[middle] < time) from = middle + 1
      else until = middle
    }
    for (let row = Math.max(0, from - AROUND); row < Math.min(length, from + AROUND); row++) wanted.add(row)
  }
  const rows = [...wanted].sort((a, b) => a - b)
  return { stepMs, rows: rows.map((row) => [openTime[row], round(open[row]), round(high[row]), round(low[row]), round(close[row])]) }
}
