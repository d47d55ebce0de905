import { monthlyReturns } from '../../core/metrics.ts'
import { change } from '../format.ts'
import { html, type Markup } from '../markup.ts'
import type { ReportData } from '../report-data.ts'
import { scrollBox, section, tone, typeset } from './bits.ts'

const NAMES = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** Five steps of colour up to the largest month, so that one table's shades compare with each other. */
function shade(value: number, largest: number): string {
  const level = largest === 0 ? 0 : Math.ceil((Math.abs(value) / largest) * 5)
  return value === 0 || level === 0 ? 'level' : `${tone(value)} heat${level}`
}

const cell = (value: number | undefined, largest: number): Markup =>
  value === undefined
    ? html`<td class="num level">·</td>`
    : html`<td class="num heat ${shade(value, largest)}">${typeset(change(value, 1).replace(' %', ''))}</td>`

/** Returns by month, a row per year; a year's total is what its months compound to. */
export function months(data: ReportData): Markup {
  const returns = monthlyReturns(data.dailyEquity, data.firstDay, data.startCash)
  const years = new Map<string, Map<number, number>>()
  for (const { month, return: value } of returns) {
    const year = years.get(month.slice(0, 4)) ?? new Map<number, number>()
    years.set(month.slice(0, 4), year.set(Number(month.slice(5)) - 1, value))
  }
  const largest = returns.reduce((most, { return: value }) => Math.max(most, Math.abs(value)), 0)
  const total = (year: ReadonlyMap<number, number>): number =>
    [...year.values()].reduce((product, value) => product * (1 + value), 1) - 1
  return section({
    id: 'months',
    title: 'Monthly returns',
    lead: 'In percent of the equity at the month’s start. The first and last month may be partial.',
    body: returns.length === 0
      ? html`<p class="note">The tape is too short for a monthly return.</p>`
      : html`<div class="panel">${scrollBox('Monthly returns', html`
<table class="data heatmap">
<thead><tr><th scope="col">Year</th>${NAMES.map((name) => html`<th scope="col" class="num">${name}</th>`)}<th scope="col" class="num">Total</th></tr></thead>
<tbody>${[...years].map(([year, values]) => html`
<tr><th scope="row">${year}</th>${NAMES.map((_, month) => cell(values.get(month), largest))}<td class="num total ${tone(total(values))}">${typeset(change(total(values), 1).replace(' %', ''))}</td></tr>`)}
</tbody>
</table>`)}</div>`,
  })
}
