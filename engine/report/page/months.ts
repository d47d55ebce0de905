import { monthlyReturns } from '../../core/metrics.ts'
import { signed } from '../format.ts'
import { html, type Markup } from '../markup.ts'
import type { ReportData } from '../report-data.ts'
import { numberHeading, scrollBox, section, tone, typeset } from './bits.ts'

const NAMES = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** Five steps of colour up to the largest month, so that one table's shades compare with each other. */
function shade(value: number, largest: number): string {
  const level = largest === 0 ? 0 : Math.ceil((Math.abs(value) / largest) * 5)
  return value === 0 || level === 0 ? 'level' : `${tone(value)} heat${level}`
}

/** The table's heading names the unit, so that its cells stay narrow. */
const inPercent = (fraction: number): string => typeset(signed(fraction * 100, 1))

const cell = (value: number | undefined, largest: number): Markup =>
  value === undefined
    ? html`<td class="num level">·</td>`
    : html`<td class="num heat ${shade(value, largest)}">${inPercent(value)}</td>`

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
<thead><tr><th scope="col">Year</th>${[...NAMES, 'Total'].map(numberHeading)}</tr></thead>
<tbody>${[...years].map(([year, values]) => html`
<tr><th scope="row">${year}</th>${NAMES.map((_, month) => cell(values.get(month), largest))}
<td class="num total ${tone(total(values))}">${inPercent(total(values))}</td></tr>`)}
</tbody>
</table>`)}</div>`,
  })
}
