import { randomSpread } from '../facts.ts'
import { change, drawdownText, money, points } from '../format.ts'
import { html, type Markup } from '../markup.ts'
import type { Baseline, ReportData } from '../report-data.ts'
import { delta, numberHeading, scrollBox, typeset, typesetLine } from './bits.ts'

interface Row {
  readonly name: string
  readonly result: Pick<Baseline, 'finalEquity' | 'totalReturn' | 'maxDrawdown'>
  /** null: the run itself. */
  readonly note: string | null
}

function rowOf(row: Row, data: ReportData): Markup {
  const { finalEquity, totalReturn, maxDrawdown } = row.result
  const ahead = row.note === null || totalReturn === null ? null : data.figures.totalReturn - totalReturn
  return html`
<tr${row.note === null && html` class="own"`}>
<th scope="row">${row.name}${row.note && html`<small>${row.note}</small>`}</th>
<td class="num">${typeset(money(finalEquity, data.quote))}</td>
<td class="num">${delta(totalReturn, change(totalReturn))}</td>
<td class="num">${typeset(drawdownText(maxDrawdown))}</td>
<td class="num">${row.note === null ? '' : delta(ahead, points(ahead))}</td>
</tr>`
}

/** The run beside what takes no skill: holding, doing nothing, entering at random. */
export function baselines(data: ReportData): Markup {
  const { buyAndHold, flat, random } = data.baselines
  const spread = random && randomSpread(random)
  const headings = [`Final equity, ${data.quote}`, 'Return', 'Max drawdown', 'Run ahead by']
  const rows: Row[] = [
    { name: 'This run', result: data.figures, note: null },
    { name: 'Buy and hold', result: buyAndHold, note: buyAndHold.note },
    { name: 'Flat', result: flat, note: flat.note },
  ]
  if (random) rows.push({ name: 'Random entries', result: random, note: random.note })
  return html`<div class="panel">${scrollBox('Baselines', html`
<table class="data">
<caption>Baselines</caption>
<thead><tr><th scope="col">What</th>${headings.map(numberHeading)}</tr></thead>
<tbody>${rows.map((row) => rowOf(row, data))}</tbody>
</table>`)}
${random === null && html`<p class="note">Random entries were not drawn for this run.</p>`}
${spread && html`<p class="note">Random entries: ${typesetLine(spread)}.</p>`}</div>`
}

/** What the fill model alone decides: the same orders under the strictest and the kindest reading of each candle. */
export function bounds(data: ReportData): Markup | null {
  if (data.bounds === null) return null
  const { conservative, optimistic } = data.bounds
  const cell = (equity: number): Markup => {
    const gained = equity / data.startCash - 1
    return html`<b class="n">${money(equity, data.quote)} ${data.quote}</b> ${delta(gained, change(gained))}`
  }
  return html`
<div class="panel bounds"><h4>Fill-model bounds</h4>
<dl><div><dt>Conservative</dt><dd>${cell(conservative)}</dd></div>
<div><dt>Optimistic</dt><dd>${cell(optimistic)}</dd></div></dl>
<p class="note">Candles do not tell in which order prices came.
These are the same run under the strictest and under the kindest reading of them.</p>
</div>`
}
