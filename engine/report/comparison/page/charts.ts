import type { CalibrationSummary, Comparison } from '../../../compare/comparison.ts'
import { change, count, fixed, percent } from '../../format.ts'
import { html, type Markup, type Part } from '../../markup.ts'
import { numberHeading, scrollBox, section, typesetLine } from '../../page/bits.ts'
import { bracket } from '../columns.ts'
import { groupsOf } from '../rows.ts'
import { calibrationText, providerFacts, refinementText, type ProviderFacts } from '../wording.ts'

/** Not a noscript element, so that it also shows where a viewer blocks the script of a file. */
const NO_SCRIPT = html`<p class="note without-script">Charts need JavaScript; nothing else on this page does.</p>`

/** A table whose first column names the row; the others hold numbers, or words where `words` lists their headings. */
export function numbersTable(caption: string, headings: readonly string[], rows: readonly (readonly Part[])[], words: readonly string[] = []): Markup {
  const [name, ...others] = headings
  const isWord = others.map((title) => words.includes(title))
  return scrollBox(caption, html`
<table class="data"><caption>${caption}</caption>
<thead><tr><th scope="col">${name}</th>${others.map((title, column) => (isWord[column] ? html`<th scope="col">${title}</th>` : numberHeading(title)))}</tr></thead>
<tbody>${rows.map(([first, ...cells]) => html`<tr><th scope="row">${first}</th>${cells.map((cell, column) => html`
<td${!isWord[column] && html` class="num"`}>${typeof cell === 'string' ? typesetLine(cell) : cell}</td>`)}</tr>`)}</tbody></table>`)
}

const rate = (name: string, value: number | null): string => (value === null ? '' : `${name} ${percent(value, 1)}`)

/** Coverage and net expectancy by threshold: where acting starts to pay, and how little is then left to act on. */
export function curves(comparison: Comparison): Markup {
  const groups = groupsOf(comparison).map(({ scenario }, index) => ({ scenario, index, own: comparison.curves.filter((curve) => curve.scenario === scenario) }))
  const drawn = groups.filter(({ own }) => own.length > 0)
  const rows = (own: Comparison['curves']): Part[][] => own.flatMap(({ name, points }) => points.map(({ threshold, coverage, trades, expectancy, interval }) =>
    [name, fixed(threshold, 2), percent(coverage, 1), count(trades), change(expectancy), interval === null ? 'too short' : bracket(interval)]))
  return section({
    id: 'curves',
    title: 'Thresholds',
    lead: 'What a confidence threshold leaves to act on, and what a trade then earns after costs. Bands are 95 % intervals.',
    body: drawn.length === 0 ? html`<p class="note">Only one threshold was tried.</p>` : drawn.map(({ scenario, index, own }) => html`
<figure class="panel chart-pair"><h3>${scenario}</h3>
<div class="halves plain needs-script"><div class="drawing" data-curves="${index}" data-kind="expectancy"></div><div class="drawing" data-curves="${index}" data-kind="coverage"></div></div>
<ul class="legend needs-script" data-curve-legend="${index}"></ul>${NO_SCRIPT}
<figcaption class="note">Upright lines: ${[...new Set(own.flatMap((curve) =>
    [rate('base rate', curve.baseRate), rate('break-even', curve.breakEven)]))].filter((text) => text !== '').map(typesetLine).join(', ') || 'none, without stop and target'}.</figcaption>
<details><summary>Numbers</summary>${numbersTable(`Thresholds, ${scenario}`, ['Provider', 'Threshold', 'Coverage', 'Trades', 'Net expectancy', '95 % interval'], rows(own))}</details>
</figure>`),
  })
}

/** The equity of the chosen cells over each other. */
export const equity = ({ windows }: Comparison): Markup => section({
  id: 'equity',
  title: 'Equity',
  lead: 'Growth since the start, at the end of each UTC day. Tick cells in the matrix to draw them; up to six at once.',
  body: html`<figure class="panel"><div class="tools needs-script">
${windows.length > 1 && html`<label>Scenario <select id="equity-scenario">${windows.map(({ scenario }, index) => html`<option value="${index}">${scenario}</option>`)}</select></label>`}
<label class="slide">Day <input type="range" id="equity-day" min="0" value="0"></label></div>
<div class="drawing tall needs-script" id="equity-drawing"></div>
<ul class="legend needs-script" id="equity-legend" aria-live="polite"></ul>${NO_SCRIPT}</figure>`,
})

const bins = (summary: CalibrationSummary): Part[][] => summary.bins.map(({ from, to, n, confidence, accuracy, low, high }) =>
  [`${fixed(from, 2)} – ${fixed(to, 2)}`, count(n), percent(confidence, 1), percent(accuracy, 1), `[${fixed(low * 100, 1)}, ${fixed(high * 100, 1)}]`])

function provider({ name, scenario, calibration, refinement }: ProviderFacts, drawing: number): Markup {
  return html`<figure class="panel"><h3>${name} <small>${scenario}</small></h3>
${drawing >= 0 && html`<div class="drawing square needs-script" data-reliability="${drawing}"></div>${NO_SCRIPT}`}
<figcaption><p class="note">${typesetLine(calibrationText(calibration))}</p>
${refinement && html`<p class="note">Asked again: ${typesetLine(refinementText(refinement))}</p>`}</figcaption>
${calibration.bins.length > 0 && html`<details><summary>Numbers</summary>${
    numbersTable(`Reliability of ${name}, ${scenario}`, ['Confidence', 'Opinions', 'Mean confidence', 'Came true', '95 % interval'], bins(calibration))}</details>`}</figure>`
}

/** How often confidences came true, per provider over its own opinions. */
export function reliability(comparison: Comparison): Markup {
  const facts = providerFacts(comparison)
  const drawn = facts.filter(({ calibration }) => calibration.bins.length > 0)
  return section({
    id: 'calibration',
    title: 'Calibration',
    lead: 'How often what a provider was so sure of came true. On the diagonal, confidences mean what they say. Bars are 95 % intervals.',
    body: facts.length === 0 ? html`<p class="note">Nobody gave a scored opinion.</p>` : html`<div class="trio">${facts.map((one) => provider(one, drawn.indexOf(one)))}</div>`,
  })
}
