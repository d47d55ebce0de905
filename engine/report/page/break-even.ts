import { belowBreakEven, breakEvenVerdict } from '../facts.ts'
import { percent } from '../format.ts'
import { html, type Markup } from '../markup.ts'
import type { ReportData } from '../report-data.ts'
import { barTable, typeset, type BarRow } from './bits.ts'

/** How often the policy must be right to earn its costs, beside how often it acts. */
export function breakEven(data: ReportData): Markup {
  const line = data.breakEven
  const below = belowBreakEven(line)
  const row = (label: string, share: number | null, kind: string): BarRow =>
    ({ label, share: share ?? 0, kind, cells: [html`<span class="n">${typeset(percent(share))}</span>`] })
  return html`
<div class="panel${below && ' alert'}">
${barTable('Break-even', ['Target before stop'], [
    row('Without skill', line.baseRate, 'quiet'),
    row('Break-even', line.breakEven, 'level'),
    row('Threshold', line.minConfidence, below ? 'down' : 'up'),
  ])}
<p class="${below ? 'alert-text' : 'note'}">${below && '! '}${breakEvenVerdict(line)}</p>
<p class="note">Costs of a round trip: ${typeset(percent(line.costs))}.</p>
</div>`
}
