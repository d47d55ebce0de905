import { daysOf } from '../facts.ts'
import { plural, utcMinute } from '../format.ts'
import { html, trusted, type Markup } from '../markup.ts'
import type { ReportData } from '../report-data.ts'

const SECTIONS = [
  ['overview', 'Overview'], ['price', 'Chart'], ['equity', 'Equity'], ['months', 'Months'],
  ['decisions', 'Exits and decisions'], ['figures', 'All figures'], ['trades', 'Trades'],
  ['assumptions', 'Assumptions'],
] as const
const REHEARSAL = ['rehearsal', 'Rehearsal'] as const

export const CASSETTE = trusted([
  '<svg viewBox="0 0 32 20" width="26" height="16" aria-hidden="true">',
  '<rect x="1" y="1" width="30" height="18" rx="4"/>',
  '<circle cx="10" cy="10" r="4"/><circle cx="22" cy="10" r="4"/></svg>',
].join(''))

/** What is wrong, before any figure. */
export const warnings = (list: readonly string[]): Markup | false => list.length > 0 && html`
<div class="notice" role="note" aria-label="Warnings">
<p><strong>! ${list.length === 1 ? 'Warning' : `${list.length} warnings`}</strong></p>
<ul>${list.map((warning) => html`<li>${warning}</li>`)}</ul>
</div>`

/** What was run: name, period, market; and what is wrong with it, before any figure. */
export const header = (data: ReportData): Markup => html`
<header class="top">
<p class="eyebrow">${CASSETTE} Tapedeck run report</p>
<h1>${data.name}${data.rehearsal && html` <span class="badge calm">Rehearsal</span>`}${data.interrupted && html` <span class="badge">! Interrupted</span>`}</h1>
<dl class="facts">
<div><dt>Market</dt><dd>${data.symbols.join(', ')}</dd></div>
<div><dt>Timeframe</dt><dd>${data.timeframe}</dd></div>
<div><dt>Strategy</dt><dd>${data.strategy}</dd></div>
<div class="long"><dt>Period, UTC</dt>
<dd>${utcMinute(data.firstOpen)} – ${utcMinute(data.lastOpen)}
<span class="soft">(${plural(daysOf(data), 'day')})</span></dd></div>
<div class="long"><dt>Run</dt><dd><code>${data.run}</code></dd></div>
</dl>
</header>
${data.interrupted && html`
<div class="notice" role="note"><p><strong>! Interrupted.</strong>
The run was stopped before the end of its tape; every figure covers the part that was played.</p></div>`}
${warnings(data.warnings)}`

/** Links to the sections, shown above them while the page scrolls. */
export const jump = (sections: readonly (readonly [string, string])[]): Markup => html`
<nav class="jump" aria-label="Sections">
<ul>${sections.map(([id, title]) => html`<li><a href="#${id}">${title}</a></li>`)}</ul></nav>`

export const navigation = ({ rehearsal }: ReportData): Markup =>
  jump([SECTIONS[0], ...(rehearsal === null ? [] : [REHEARSAL]), ...SECTIONS.slice(1)])

/** Whose chart library it is, as its licence asks, and what the file is. */
export const footer = (): Markup => html`
<footer>
<p>This file is complete in itself: it loads nothing and sends nothing. All times are UTC.</p>
<p>Charts by <a href="https://www.tradingview.com/" rel="noopener noreferrer" target="_blank">TradingView</a>
Lightweight Charts™, © 2026 TradingView, Inc., Apache License 2.0.</p>
</footer>`
