import type { Figures } from '../../core/figures.ts'
import { daysOf } from '../facts.ts'
import { FIGURE_LABELS, figureText, whyUndefined, type FigureKey } from '../figure-list.ts'
import { change, count, gain, money, percent, plural, ratio } from '../format.ts'
import { html, type Markup, type Part } from '../markup.ts'
import type { ReportData } from '../report-data.ts'
import { baselines, bounds } from './baselines.ts'
import { delta, section, tone, typeset, typesetLine } from './bits.ts'
import { breakEven } from './break-even.ts'

const POINTS = 240

/** The daily equity as a line, thinned to a few hundred points: it shows without a script and on paper. */
function sparkline(equity: Float64Array, startCash: number): Markup | null {
  if (equity.length < 2) return null
  const step = Math.max(1, Math.ceil(equity.length / POINTS))
  const kept = equity.filter((_, day) => day % step === 0 || day === equity.length - 1)
  const low = kept.reduce((least, value) => Math.min(least, value), startCash)
  const high = kept.reduce((most, value) => Math.max(most, value), startCash)
  const y = (value: number): string => (high === low ? 40 : 76 - ((value - low) / (high - low)) * 72).toFixed(1)
  const x = (index: number): string => ((index / (kept.length - 1)) * 400).toFixed(1)
  const path = Array.from(kept, (value, index) => `${x(index)},${y(value)}`).join(' ')
  const colour = tone(equity[equity.length - 1] - startCash)
  return html`<svg class="spark ${colour}" viewBox="0 0 400 80" preserveAspectRatio="none" aria-hidden="true">
<polygon points="0,80 ${path} 400,80"/><line x1="0" x2="400" y1="${y(startCash)}" y2="${y(startCash)}"/>
<polyline points="${path}"/></svg>`
}

/** Second lines of the cards: the figure that puts the first into proportion. */
const beside = (data: ReportData): Partial<Record<FigureKey, string | null>> => {
  const { figures, quote } = data
  const show = (value: number | null, text: string): string | null => (value === null ? null : text)
  return {
    totalReturn: `${gain(figures.finalEquity - data.startCash, quote)} ${quote}`,
    cagr: `over ${plural(daysOf(data), 'day')}`,
    maxDrawdown: show(figures.maxDrawdownDaily, `${percent(figures.maxDrawdownDaily)} at day ends`),
    sharpe: show(figures.annualVolatility, `volatility ${percent(figures.annualVolatility)} a year`),
    sortino: show(figures.calmar, `Calmar ${ratio(figures.calmar)}`),
    winRate: show(figures.averageWin, `average win ${change(figures.averageWin)}, loss ${change(figures.averageLoss)}`),
    profitFactor: show(figures.expectancy, `${change(figures.expectancy)} a trade`),
    trades: figures.longestLosingStreak > 0 ? `at most ${count(figures.longestLosingStreak)} losses in a row` : null,
    exposure: 'of candles with a position',
    fees: `and ${money(figures.slippage, quote)} of slippage`,
  }
}

const CARDS: readonly FigureKey[] = [
  'totalReturn', 'cagr', 'maxDrawdown', 'sharpe', 'sortino', 'winRate', 'profitFactor', 'trades', 'exposure', 'fees',
]
const TONED: ReadonlySet<FigureKey> = new Set<FigureKey>(['totalReturn', 'cagr'])

function value(figures: Figures, key: FigureKey, quote: string): Part {
  const text = figureText(figures, key, quote)
  if (TONED.has(key) && figures[key] !== null) return delta(figures[key], text)
  return html`<span class="n">${typeset(text)}</span>`
}

function card(data: ReportData, key: FigureKey, small: string | null | undefined): Markup {
  const why = whyUndefined(data.figures, key)
  const note = why ?? small
  return html`
<div class="card" title="${FIGURE_LABELS[key].meaning}"><dt>${FIGURE_LABELS[key].label}</dt>
<dd>${value(data.figures, key, data.quote)}${note && html`<small>${typesetLine(note)}</small>`}</dd></div>`
}

/** The answer first: what became of the money, and whether that beats having no skill. */
export function overview(data: ReportData): Markup {
  const { figures, quote, startCash } = data
  const notes = beside(data)
  return section({
    id: 'overview',
    title: 'Overview',
    body: html`
<div class="hero">
<div><p class="label">Final equity</p>
<p class="big n">${typeset(money(figures.finalEquity, quote))} <span class="unit">${quote}</span></p>
<p>${delta(figures.totalReturn, change(figures.totalReturn))}
<span class="soft">from ${money(startCash, quote)} ${quote}</span></p></div>
${sparkline(data.dailyEquity, startCash)}
</div>
<dl class="cards">${CARDS.map((key) => card(data, key, notes[key]))}</dl>
<h3>Against no skill</h3>
<div class="pair">${baselines(data)}${breakEven(data)}</div>
${bounds(data)}`,
  })
}
