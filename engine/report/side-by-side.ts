import type { Figures } from '../core/figures.ts'
import { DAY_MS, isoDay } from '../core/time.ts'
import { FIGURE_GROUPS, FIGURE_LABELS, figureText, whyUndefined } from './figure-list.ts'
import { change, percent } from './format.ts'
import { html, type Markup } from './markup.ts'
import { delta, numberHeading, scrollBox, section, typeset } from './page/bits.ts'
import { frame } from './page/frame.ts'

/** One run of a page that shows several. */
export interface ComparedRun {
  readonly id: string
  readonly about: string
  readonly quote: string
  readonly figures: Figures
  /** Days since 1970-01-01. */
  readonly firstDay: number
  /** Last equity of each UTC day. */
  readonly dailyEquity: Float64Array
  readonly warnings: readonly string[]
}

const [WIDTH, HEIGHT, LEFT, BOTTOM] = [1100, 380, 64, 26]
const POINTS = 400
/** A line each, told apart by its dashes too. */
const DASHES = ['', '7 4', '2 3', '10 3 2 3', '14 4', '4 2 1 2']

/** Growth since the first day: what runs with different cash have in common. */
const growth = ({ dailyEquity }: ComparedRun, day: number): number => dailyEquity[day] / dailyEquity[0] - 1

function equityLines(runs: readonly ComparedRun[]): Markup {
  const shown = runs.filter(({ dailyEquity }) => dailyEquity.length > 1)
  if (shown.length === 0) return html`<p class="note">No run lasted for more than a day.</p>`
  const from = Math.min(...shown.map(({ firstDay }) => firstDay))
  const until = Math.max(...shown.map(({ firstDay, dailyEquity }) => firstDay + dailyEquity.length - 1))
  let [low, high] = [0, 0]
  for (const run of shown) {
    for (let day = 0; day < run.dailyEquity.length; day++) {
      const value = growth(run, day)
      low = Math.min(low, value)
      high = Math.max(high, value)
    }
  }
  if (high === low) high = low + 0.01
  const x = (day: number): string => (LEFT + ((day - from) / (until - from)) * (WIDTH - LEFT - 8)).toFixed(1)
  const y = (value: number): string => (8 + ((high - value) / (high - low)) * (HEIGHT - BOTTOM - 8)).toFixed(1)
  const path = (run: ComparedRun): string => {
    const step = Math.max(1, Math.ceil(run.dailyEquity.length / POINTS))
    const days = Array.from(run.dailyEquity.keys()).filter((day, _, all) => day % step === 0 || day === all.length - 1)
    return days.map((day) => `${x(run.firstDay + day)},${y(growth(run, day))}`).join(' ')
  }
  const levels = [low, low + (high - low) / 4, low + (high - low) / 2, high - (high - low) / 4, high]
  const label = shown.map((run) => `${run.id} ${change(growth(run, run.dailyEquity.length - 1))}`).join(', ')
  return html`
<svg class="overlay" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="Growth of the equity: ${label}">
${levels.map((value) => html`<line class="grid" x1="${LEFT}" x2="${WIDTH}" y1="${y(value)}" y2="${y(value)}"/>
<text x="${LEFT - 8}" y="${y(value)}" dy="4" text-anchor="end">${typeset(percent(value, 1))}</text>`)}
<line class="zero" x1="${LEFT}" x2="${WIDTH}" y1="${y(0)}" y2="${y(0)}"/>
<text x="${LEFT}" y="${HEIGHT - 6}">${isoDay(from)}</text><text x="${WIDTH}" y="${HEIGHT - 6}" text-anchor="end">${isoDay(until)}</text>
${shown.map((run) => html`<polyline class="run${runs.indexOf(run) % 6}" stroke-dasharray="${DASHES[Math.floor(runs.indexOf(run) / 6) % DASHES.length]}" points="${path(run)}"/>`)}
</svg>`
}

const legend = (runs: readonly ComparedRun[]): Markup => html`
<ul class="overlay-legend">${runs.map(({ id, about, figures }, index) => html`
<li><svg viewBox="0 0 30 8" width="30" height="8" aria-hidden="true"><polyline class="run${index % 6}" stroke-dasharray="${DASHES[Math.floor(index / 6) % DASHES.length]}" points="0,4 30,4"/></svg>
<b>${id}</b> <span class="soft">${about}</span> ${delta(figures.totalReturn, change(figures.totalReturn))}</li>`)}</ul>`

const figureTables = (runs: readonly ComparedRun[]): Markup => html`
<div class="panel">${scrollBox('Figures', html`
<table class="data">
<thead><tr><th scope="col">Figure</th>${runs.map(({ id }) => numberHeading(id))}</tr></thead>
<tbody>${FIGURE_GROUPS.flatMap(({ keys }) => keys).map((key) => html`
<tr><th scope="row" title="${FIGURE_LABELS[key].meaning}">${FIGURE_LABELS[key].label}</th>${runs.map(({ figures, quote }) => html`
<td class="num"${figures[key] === null && html` title="${whyUndefined(figures, key)}"`}>${figures[key] === undefined ? '' : typeset(figureText(figures, key, quote))}</td>`)}</tr>`)}
</tbody></table>`)}</div>`

/** Several runs on one page that needs neither script nor network. The same runs give the same bytes. */
export function renderSideBySide(runs: readonly ComparedRun[]): string {
  const warned = runs.filter(({ warnings }) => warnings.length > 0)
  return frame({
    kind: 'side-by-side', title: `${runs.length} runs side by side · Tapedeck`, data: null, body: html`
<header class="top"><p class="eyebrow">Tapedeck</p><h1>${runs.length} runs side by side</h1></header>
<main>
${section({ id: 'equity', title: 'Equity', lead: 'Growth since each run’s own first day, at the end of each UTC day.', body: html`<figure class="panel">${equityLines(runs)}<figcaption>${legend(runs)}</figcaption></figure>` })}
${section({ id: 'figures', title: 'Figures', lead: 'A difference here may be chance: it has not been tested.', body: figureTables(runs) })}
${warned.length > 0 && section({ id: 'warnings', title: 'Warnings', body: warned.map(({ id, warnings }) => html`
<div class="notice" role="note"><p><strong>! ${id}</strong></p><ul>${warnings.map((warning) => html`<li>${warning}</li>`)}</ul></div>`) })}
</main>
<footer><p>This file is complete in itself: it loads nothing and sends nothing. All times are UTC.</p></footer>
`,
  })
}

/** `2024-01-01 – 2024-06-15`. */
export const daysText = (firstDay: number, days: number): string =>
  (days === 0 ? 'no day' : `${isoDay(firstDay)} – ${isoDay((firstDay * DAY_MS + (days - 1) * DAY_MS) / DAY_MS)}`)
