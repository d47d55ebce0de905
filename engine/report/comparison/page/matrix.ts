import type { Cell, Comparison, Window } from '../../../compare/comparison.ts'
import { html, type Markup, type Part } from '../../markup.ts'
import { numberHeading, scrollBox, section, tone, typesetLine } from '../../page/bits.ts'
import { baselineRows, badgeText, FIGURES } from '../wording.ts'
import { utcMinute } from '../../format.ts'

/** What a column is sorted by; what is not known sorts below everything. */
const SORTED: Readonly<Record<string, (cell: Cell) => number | null>> = {
  netReturn: ({ netReturn }) => netReturn,
  trades: ({ figures }) => figures.trades,
  maxDrawdown: ({ figures }) => figures.maxDrawdown,
  sharpe: ({ figures }) => figures.sharpe,
  skill: ({ calibration }) => calibration.skill,
  coverage: ({ coverage }) => coverage,
  answered: ({ answered }) => answered,
  aiCost: ({ aiCost }) => aiCost,
  latencyP95: ({ latencyP95 }) => latencyP95,
  random: ({ random }) => random?.percentile ?? null,
  ambiguous: ({ ambiguousCandles }) => ambiguousCandles,
}

/** Every tape's matrix, with filters above them. */
export const matrix = (comparison: Comparison): Markup => section({
  id: 'matrix', title: 'Matrix', lead: '★ best, ✓ significant, ? dubious; [ ] is the interval of 95 %. A heading sorts, a name opens the decisions.',
  body: html`
<div class="tools needs-script">
<label>Filter <input type="search" id="filter" placeholder="part of a name, a badge …"></label>
${comparison.axes.filter(({ values }) => values.length > 1).map(({ key, values }) => html`
<label>${key} <select data-axis="${key}"><option value="">all</option>${values.map((value) => html`<option>${value}</option>`)}</select></label>`)}
<span id="filter-count" role="status"></span>
</div>
${comparison.windows.map((window, index) => windowTable(comparison, window, index))}`,
})

function windowTable(comparison: Comparison, window: Window, index: number): Markup {
  const cells = comparison.cells.filter(({ scenario }) => scenario === window.scenario)
  const caption = `${window.scenario}: ${window.symbols.join(', ')} ${window.timeframe}, ${utcMinute(window.firstOpen)} – ${utcMinute(window.lastOpen)}`
  return html`
<div class="panel">${scrollBox(caption, html`
<table class="data matrix" id="matrix-${index}">
<caption>${caption}</caption>
<thead><tr><th scope="col" class="pick"><span class="hidden">Equity</span></th><th scope="col">Cell</th><th scope="col">Marks</th>${FIGURES.map(({ title }) => numberHeading(title))}</tr></thead>
<tbody>${cells.map((cell) => cellRow(cell, comparison))}</tbody>
<tfoot>${baselineRows(window).map(([name, value, note]) => html`
<tr><td></td><th scope="row">${name}</th><td></td><td class="num">${typesetLine(value)}</td><td colspan="${FIGURES.length}" class="soft">${note}</td></tr>`)}</tfoot>
</table>`)}</div>`
}

function cellRow(cell: Cell, { axes }: Comparison): Markup {
  const best = cell.badges.some(({ kind }) => kind === 'best')
  const axisValues = JSON.stringify(Object.fromEntries(axes.map(({ key }) => [key, cell.labels[key] ?? (key === 'scenario' ? cell.scenario : '')])))
  return html`
<tr data-cell="${cell.id}" data-axes="${axisValues}"${best && html` class="own"`}>
<td class="pick" data-v="0"><input type="checkbox" class="needs-script" aria-label="Equity of ${cell.name}"${best && html` checked`}></td>
<th scope="row" data-v="${cell.name}">${cell.name}</th>
<td data-v="${cell.badges.map(badgeText).join(' ')}">${cell.badges.map((badge) => html`<span class="mark ${badge.kind.replaceAll(' ', '-')}" title="${badge.why}">${badgeText(badge)}</span> `)}</td>
${FIGURES.map(({ key, text }) => {
    const value = SORTED[key](cell)
    const shown: Part = typesetLine(text(cell))
    return html`<td class="num${key === 'netReturn' && html` ${tone(cell.netReturn)}`}" data-v="${value ?? -Infinity}">${shown}</td>`
  })}
</tr>`
}
