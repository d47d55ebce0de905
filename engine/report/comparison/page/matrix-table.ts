import type { Cell, Comparison } from '../../../compare/comparison.ts'
import { percent, plural } from '../../format.ts'
import { html, type Markup } from '../../markup.ts'
import { numberHeading, scrollBox, section, signedNumber, typesetLine } from '../../page/bits.ts'
import { badgeNotes, badgeText, COLUMNS, MARKS } from '../columns.ts'
import { axesOf, axisName, baselineReturn, baselineRows, groupsOf, namesOf, shortName, type Group } from '../rows.ts'

const badges = (cell: Cell): Markup => html`<ul class="badges">${cell.badges.map(({ kind, why }) => html`
<li class="mark ${kind.replaceAll(' ', '-')}" title="${why}"><span aria-hidden="true">${MARKS[kind]}</span> ${kind}</li>`)}</ul>`

interface Row {
  readonly cell: Cell
  readonly number: number
  readonly name: string
  readonly several: boolean
}

const cellRow = ({ cell, number, name, several }: Row): Markup => html`
<tr data-cell="${number}" data-scenario="${cell.scenario}"${cell.badges.some(({ kind }) => kind === 'best') && html` class="own"`}>
<th scope="row" data-v="${name}"><label class="pick needs-script"><input type="checkbox" data-pick="${number}">
<span class="hidden">Draw the equity of ${name}${several && html`, ${cell.scenario}`}</span></label> <a href="#cell" data-open="${number}">${name}</a></th>
${several && html`<td data-v="${cell.scenario}">${cell.scenario}</td>`}
<td data-v="${cell.badges.map(({ kind }) => kind).join(' ')}">${badges(cell)}</td>${COLUMNS.map((column) => html`
<td class="num" data-v="${column.value(cell) ?? ''}">${column.signed
  ? signedNumber(column.value(cell), typesetLine(column.text(cell))) : typesetLine(column.text(cell))}</td>`)}</tr>`

const baselineLines = (group: Group, name: (id: string) => string, several: boolean): Markup[] => baselineRows(group, name).map((row) => html`
<tr class="quiet" data-scenario="${group.scenario}"><th scope="row" data-v="${row.name}">${row.name}</th>
${several && html`<td data-v="${group.scenario}">${group.scenario}</td>`}
<td data-v="baseline"><ul class="badges"><li class="mark baseline" title="${row.note}"><span aria-hidden="true">${MARKS.baseline}</span> baseline</li></ul></td>${COLUMNS.map(({ key }) => {
  if (key === 'netReturn') return html`<td class="num" data-v="${row.netReturn ?? ''}">${signedNumber(row.netReturn, typesetLine(baselineReturn(row)))}</td>`
  const fall = key === 'maxDrawdown' ? row.maxDrawdown : null
  return html`<td class="num" data-v="${fall ?? ''}">${fall !== null && typesetLine(percent(fall))}</td>`
})}</tr>`)

const select = (key: string, title: string, values: readonly string[]): Markup => html`
<label>${title} <select data-filter="${key}"><option value="">all</option>${values.map((value) => html`
<option value="${value}">${value}</option>`)}</select></label>`

function filters(comparison: Comparison, varying: readonly string[]): Markup {
  const scenarios = groupsOf(comparison).map(({ scenario }) => scenario)
  const given = comparison.cells.flatMap((cell) => cell.badges.map(({ kind }) => kind))
  const kinds = Object.keys(MARKS).filter((kind) => given.some((one) => one === kind))
  return html`<div class="tools filters needs-script" role="group" aria-label="Filter">
<label>Find <input type="search" id="find" autocomplete="off" spellcheck="false"></label>
${scenarios.length > 1 && select('scenario', 'Scenario', scenarios)}${varying.map((key) => {
  const present = new Set(comparison.cells.flatMap(({ labels }) => labels[key] ?? []))
  const listed = comparison.axes.find((axis) => axis.key === key)?.values ?? []
  return select(key, axisName(key), [...new Set([...listed, ...present])])
})}${kinds.length > 1 && select('badge', 'Badge', kinds)}
<button type="button" id="clear">Clear</button>
</div>
<p class="note needs-script" id="matched" role="status"></p>`
}

/** Every cell beside what takes no skill; the page's script sorts, filters and opens it. */
export function matrixTable(comparison: Comparison): Markup {
  const { varying } = axesOf(comparison)
  const groups = groupsOf(comparison)
  const several = groups.length > 1
  const name = namesOf(comparison)
  const numbers = new Map(comparison.cells.map((cell, index) => [cell, index]))
  const title = varying.length === 0 ? 'Cell' : varying.map(axisName).join(' · ')
  return section({
    id: 'matrix',
    title: 'Matrix',
    lead: html`${plural(comparison.cells.length, 'cell')}. Net return with its 95 % interval; all figures after costs.
<span class="needs-script">Click a heading to sort, a name to see its decisions; a tick draws the equity.</span>`,
    body: html`<div class="panel">${filters(comparison, varying)}
${scrollBox('Matrix', html`<table class="data" id="matrix-table">
<caption class="hidden">Cells of the comparison, with baselines</caption>
<thead><tr><th scope="col">${title}</th>${several && html`<th scope="col">Scenario</th>`}<th scope="col">Badges</th>${COLUMNS.map((column) => numberHeading(column.title))}</tr></thead>
<tbody>${groups.flatMap((group) => [
    ...group.cells.map((cell) => cellRow({ cell, number: numbers.get(cell) ?? 0, name: shortName(cell, varying), several })),
    ...baselineLines(group, name, several),
  ])}</tbody></table>`)}
<details><summary>What the columns and badges mean</summary><dl class="meanings">${COLUMNS.map((column) => html`
<div><dt>${column.title}</dt><dd>${column.meaning}</dd></div>`)}${badgeNotes(comparison.cells).map((note) => html`
<div><dt>${badgeText(note)}, ${plural(note.cells, 'cell')}</dt><dd>${note.why}</dd></div>`)}${groups.flatMap((group) =>
      baselineRows(group, name).map((row) => html`
<div><dt>${row.name}${several && html`, ${group.scenario}`}</dt><dd>${row.note}</dd></div>`))}</dl></details></div>`,
  })
}
