import { EXIT_REASONS } from '../../core/order.ts'
import { EXIT_LABELS, pnlByReason, ranked } from '../facts.ts'
import { FIGURE_GROUPS, FIGURE_LABELS, figureText, whyUndefined, type FigureKey } from '../figure-list.ts'
import { count, gain, percent, plural } from '../format.ts'
import { html, type Markup } from '../markup.ts'
import type { ReportData } from '../report-data.ts'
import { barTable, delta, section, typeset } from './bits.ts'

/** How trades ended, and what each way of ending brought. */
export function exits(data: ReportData): Markup {
  const sums = pnlByReason(data)
  const rows = EXIT_REASONS.filter((reason) => data.exits[reason] > 0)
  const total = rows.reduce((all, reason) => all + data.exits[reason], 0)
  return section({
    id: 'exits',
    title: 'Exits by reason',
    body: total === 0
      ? html`<p class="note">No position was closed.</p>`
      : html`<div class="panel">${barTable('How positions were closed', ['Exits', 'Share', `Result, ${data.quote}`], rows.map((reason) => ({
        label: EXIT_LABELS[reason],
        share: data.exits[reason] / total,
        cells: [
          count(data.exits[reason]),
          typeset(percent(data.exits[reason] / total, 1)),
          delta(sums.get(reason) ?? null, gain(sums.get(reason) ?? null, data.quote)),
        ],
      })))}</div>`,
  })
}

/** What was decided, why not, and by whom. */
export function decisions({ decisions: made }: ReportData): Markup {
  const panel = (caption: string, counts: Readonly<Record<string, number>>, none: string): Markup => {
    const rows = ranked(counts)
    return html`<div class="panel">${rows.length === 0
      ? html`<h4>${caption}</h4><p class="note">${none}</p>`
      : barTable(caption, ['Decisions', 'Share'], rows.map(([label, n]) => ({
        label,
        share: made.total === 0 ? 0 : n / made.total,
        cells: [count(n), typeset(percent(made.total === 0 ? null : n / made.total, 1))],
      })))}</div>`
  }
  return section({
    id: 'decisions',
    title: 'Decisions',
    lead: `${plural(made.total, 'decision')} in all.`,
    body: html`<div class="thirds">
${panel('By status', made.byStatus, 'No decision was made.')}
${panel('By reason', made.byReason, 'No decision was refused or skipped for a reason.')}
${panel('By provider', made.byProvider, 'Nobody was asked.')}
</div>`,
  })
}

/** Every figure by name, the undefined ones with their reason, and what each one means. */
export function figures(data: ReportData): Markup {
  const row = (key: FigureKey): Markup => {
    const why = whyUndefined(data.figures, key)
    return html`
<div><dt title="${FIGURE_LABELS[key].meaning}">${FIGURE_LABELS[key].label}</dt><dd><span class="n">${typeset(figureText(data.figures, key, data.quote))}</span>${why && html`<small>${why}</small>`}</dd></div>`
  }
  return section({
    id: 'figures',
    title: 'All figures',
    body: html`
<div class="groups">${FIGURE_GROUPS.map((group) => html`<div class="panel"><h3>${group.title}</h3><dl class="figures">${group.keys.map(row)}</dl></div>`)}</div>
<details><summary>What each figure means</summary><dl class="meanings">${FIGURE_GROUPS.flatMap((group) => group.keys).map((key) => html`
<div><dt>${FIGURE_LABELS[key].label}</dt><dd>${FIGURE_LABELS[key].meaning}</dd></div>`)}</dl></details>`,
  })
}

/** What was assumed, one sentence each. */
export const assumptions = (data: ReportData): Markup => section({
  id: 'assumptions',
  title: 'Assumptions',
  body: data.assumptions.length === 0
    ? html`<p class="note">None were recorded.</p>`
    : html`<div class="panel"><ul class="sentences">${data.assumptions.map((line) => html`<li>${line}</li>`)}</ul></div>`,
})
