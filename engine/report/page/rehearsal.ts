import { rehearsalFacts } from '../facts.ts'
import { html, type Markup } from '../markup.ts'
import type { ReportData } from '../report-data.ts'
import { section } from './bits.ts'

/** How the live path fared on the practice exchange; nothing for a backtest. */
export const rehearsal = ({ rehearsal: course }: ReportData): Markup | null => course && section({
  id: 'rehearsal',
  title: 'Rehearsal',
  lead: 'The live path, with real HTTP orders, on a practice exchange that played the recorded candles.',
  body: html`
<div class="panel"><dl class="course">${rehearsalFacts(course).map(([name, text]) => html`
<div><dt>${name}</dt><dd>${text}</dd></div>`)}
</dl></div>`,
})
