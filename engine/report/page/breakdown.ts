import { EXIT_REASONS } from '../../core/order.ts'
import { EXIT_LABELS, pnlByReason, ranked } from '../facts.ts'
import { FIGURE_GROUPS, FIGURE_LABELS, figureText, whyUndefined, type FigureKey } from '../figure-list.ts'
import { count, gain, percent, plural } from '../format.ts'
import { html, type Markup } from '../markup.ts'
import type { ReportData } from '../report-data.ts'
import { barTable, section, signedNumber, typeset } from './bits.ts'

/** Bars compare rows with each other, so the longest is the largest row, not the whole. */
const against = (n: number, counts: readonly number[]): number => n / Math.max(1, ...counts)

/** How trades ended, and what each way of ending brought. */
function exits(data: ReportData): Markup {
  const sums = pnlByReason(data)
  const rows = EXIT_REASONS.filter((reason) => data.exits[reason] > 0)
  const total = rows.reduce((all, reason) => all + data.exits[reason], 0)
  const counts = rows.map((reason) => data.exits[reason])
  return html`<div class="panel">${total === 0
    ? html`<h4>Exits by reason</h4><p class="note">No position was closed.</p>`
    : barTable('Exits by reason', ['Exits', 'Share', `Result, ${data.quote}`], rows.map((reason) => ({
      label: EXIT_LABELS[reason],
      share: against(data.exits[reason], counts),
      cells: [
        count(data.exits[reason]),
        typeset(percent(data.exits[reason] / total, 1)),
        signedNumber(sums.get(reason) ?? null, gain(sums.get(reason) ?? null, data.quote)),
      ],
    })))}</div>`
}

/** How positions were closed; what was decided, why not, and by whom. */
export function breakdown(data: ReportData): Markup {
  const made = data.decisions
  const panel = (caption: string, counts: Readonly<Record<string, number>>, none: string): Markup => {
    const rows = ranked(counts)
    return html`<div class="panel">${rows.length === 0
      ? html`<h4>${caption}</h4><p class="note">${none}</p>`
      : barTable(caption, ['Decisions', 'Share'], rows.map(([label, n]) => ({
        label,
        share: against(n, rows.map(([, other]) => other)),
        cells: [count(n), typeset(percent(made.total === 0 ? null : n / made.total, 1))],
      })))}</div>`
  }
  return section({
    id: 'decisions',
    title: 'Exits and decisions',
    lead: `${plural(made.total, 'decision')} and ${plural(data.figures.trades, 'closed trade')}.`,
    body: html`<div class="halves">
${exits(data)}
${panel('Decisions by status', made.byStatus, 'No decision was made.')}
${panel('Decisions by reason', made.byReason, 'No decision was refused or skipped for a reason.')}
${panel('Decisions by provider', made.byProvider, 'Nobody was asked.')}
</div>`,
  })
}

/** Every figure by name, the undefined ones with their reason, and what each one means. */
export function figures(data: ReportData): Markup {
  const row = (key: FigureKey): Markup => {
    const why = whyUndefined(data.figures, key)
    return html`
<div><dt title="${FIGURE_LABELS[key].meaning}">${FIGURE_LABELS[key].label}</dt>
<dd class="n">${typeset(figureText(data.figures, key, data.quote))}</dd>
${why && html`<dd class="why">${why}</dd>`}</div>`
  }
  return section({
    id: 'figures',
    title: 'All figures',
    body: html`
<div class="groups">${FIGURE_GROUPS.map((group) => html`
<div class="panel"><h3>${group.title}</h3><dl class="figures">${group.keys.map(row)}</dl></div>`)}
</div>
<details><summary>What each figure means</summary>
<dl class="meanings">${FIGURE_GROUPS.flatMap((group) => group.keys).map((key) => html`
<div><dt>${FIGURE_LABELS[key].label}</dt><dd>${FIGURE_LABELS[key].meaning}</dd></div>`)}
</dl></details>`,
  })
}

/** What was assumed, one sentence each. */
export const assumptions = (data: ReportData): Markup => section({
  id: 'assumptions',
  title: 'Assumptions',
  body: data.assumptions.length === 0
    ? html`<p class="note">None were recorded.</p>`
    : html`
<div class="panel"><ul class="sentences">${data.assumptions.map((line) => html`<li>${line}</li>`)}</ul></div>`,
})
