import { EXIT_REASONS, type ExitReason } from '../../core/order.ts'
import { EXIT_LABELS } from '../facts.ts'
import { count, plural, stepName } from '../format.ts'
import { html, trusted, type Markup } from '../markup.ts'
import type { ReportData } from '../report-data.ts'
import { section } from './bits.ts'
import { MARK_LIMIT } from './page-data.ts'

/** The exits' signs in the legend, the same shapes that the script draws: shape and colour both tell the reason. */
const SIGNS: Readonly<Record<ExitReason, string>> = {
  signal: '<circle class="ink-fill" cx="8" cy="8" r="4.5"/>',
  stop: '<path class="down-fill" d="M3 4h10l-5 9z"/>',
  stop_gap: '<path class="down-line" d="M3 4h10l-5 9z"/>',
  target: '<path class="up-fill" d="M8 2.5l5.5 5.5-5.5 5.5-5.5-5.5z"/>',
  target_gap: '<path class="up-line" d="M8 2.5l5.5 5.5-5.5 5.5-5.5-5.5z"/>',
  time: '<path class="ink-fill" d="M4 4h8v8H4z"/>',
  trailing: '<path class="warn-fill" d="M3 4h10l-5 9z"/>',
  end: '<path class="ink-line" d="M4 4l8 8M12 4l-8 8"/>',
  operator: '<path class="ink-line" d="M4 4h8v8H4z"/>',
  unprotected: '<path class="warn-fill" d="M4 4h8v8H4z"/>',
}
const ENTRY = '<path class="accent-fill" d="M3 12h10l-5-9z"/>'
const level = (kind: string): string => `<path class="${kind}-line dash" d="M1 8h14"/>`

const sign = (shape: string, label: string): Markup =>
  html`<li><svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">${trusted(shape)}</svg> ${label}</li>`

const legend = (data: ReportData): Markup => html`
<ul class="legend needs-script" aria-label="Signs in the chart">${sign(ENTRY, 'Entry')}${EXIT_REASONS
  .filter((reason) => data.exits[reason] > 0).map((reason) => sign(SIGNS[reason], EXIT_LABELS[reason]))}
${sign(level('down'), 'Stop while open')}${sign(level('up'), 'Target while open')}</ul>`

/** Not a noscript element, so that it also shows where a viewer blocks the script of a file. */
const NO_SCRIPT = html`<p class="note without-script">Charts need JavaScript; nothing else on this page does.</p>`

function notes(data: ReportData): Markup[] {
  const lines = data.charts.filter((chart) => chart.factor > 1).map((chart) => {
    const whose = data.charts.length > 1 ? `${chart.symbol}: each` : 'Each'
    const joins = `${whose} bar joins ${plural(chart.factor, 'candle')} of ${data.timeframe}`
    return `${joins} into ${stepName(chart.stepMs)}; entries and exits stand in the bar that contains them.`
  })
  if (data.trades.length > MARK_LIMIT) {
    const all = count(data.trades.length)
    lines.push(`The run has ${all} trades; up to ${count(MARK_LIMIT)} are marked at once. Zoom in to see the others.`)
  }
  return lines.map((line) => html`<p class="note">${line}</p>`)
}

const symbolPicker = (data: ReportData): Markup => html`
<label>Symbol <select id="symbol">${data.charts.map((chart, index) => html`
<option value="${index}">${chart.symbol}</option>`)}</select></label>`

const BUTTONS = html`
<span class="buttons">
<button type="button" data-do="previous">‹ <span class="long-word">Previous</span> trade</button>
<button type="button" data-do="next"><span class="long-word">Next</span> trade ›</button>
</span>
<span class="buttons">
<button type="button" data-do="log" aria-pressed="false" aria-label="Logarithmic price scale">Log</button>
<button type="button" data-do="in" aria-label="Zoom in">+</button>
<button type="button" data-do="out" aria-label="Zoom out">−</button>
<button type="button" data-do="all">Whole run</button>
</span>`

const KEYS = 'Arrow keys move, plus and minus zoom, Home shows the whole run.'

/** The candles with every trade on them. */
export const priceChart = (data: ReportData): Markup => section({
  id: 'price',
  title: 'Chart',
  body: html`
<figure class="panel chart">
<div class="tools needs-script" role="group" aria-label="Chart">
${data.charts.length > 1 && symbolPicker(data)}
${BUTTONS}
</div>
<p class="readout" id="price-readout"></p>
<p class="hidden" id="trade-status" role="status"></p>
<div class="canvas tall" id="price-chart" tabindex="0" role="application"
aria-label="Candles of ${data.symbols.join(', ')} with entries and exits, as listed under Trades. ${KEYS}"></div>
${NO_SCRIPT}
<figcaption>${legend(data)}
<p class="note needs-script"><span id="marks-note"></span>
Click the chart to zoom with the wheel; with the keyboard, use ← → + − and Home.</p>
${notes(data)}</figcaption>
</figure>`,
})

/** The account's value and how far it was below its peak, by day. */
export const equityChart = (data: ReportData): Markup => section({
  id: 'equity',
  title: 'Equity and drawdown',
  lead: `At the end of each UTC day, in ${data.quote}. The line marks the starting cash.`,
  body: html`
<figure class="panel chart">
<p class="readout" id="equity-readout"></p>
<div class="canvas" id="equity-chart" tabindex="0" role="application"
aria-label="Daily equity above, drawdown from its peak below. ${KEYS}"></div>
${NO_SCRIPT}
</figure>`,
})
