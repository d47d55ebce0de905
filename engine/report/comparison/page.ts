import type { Comparison, PassDetail } from '../../compare/comparison.ts'
import { plural } from '../format.ts'
import { html, type Markup } from '../markup.ts'
import { section } from '../page/bits.ts'
import { frame } from '../page/frame.ts'
import { CASSETTE, jump, warnings } from '../page/header.ts'
import { curves, equity, reliability } from './page/charts.ts'
import { disagreement, honestyPart, paired, regret, verdicts } from './page/findings.ts'
import { matrixTable } from './page/matrix-table.ts'
import { pageData } from './page/page-data.ts'
import { axesOf, groupsOf, shortName } from './rows.ts'

const SECTIONS = [
  ['overview', 'Overview'], ['matrix', 'Matrix'], ['honesty', 'Honesty'], ['curves', 'Thresholds'], ['equity', 'Equity'], ['cell', 'Decisions'],
  ['calibration', 'Calibration'], ['disagreement', 'Disagreement'], ['pairs', 'Pairs'], ['regret', 'Regret'], ['assumptions', 'Assumptions'],
] as const

/** Most warnings of single cells above the figures. */
const CELL_WARNINGS = 12

function allWarnings(comparison: Comparison): string[] {
  const { varying } = axesOf(comparison)
  const cells = comparison.cells.flatMap((cell) => cell.warnings.map((warning) => `${cell.scenario} · ${shortName(cell, varying)}: ${warning}`))
  const rest = cells.length - CELL_WARNINGS
  return [
    ...(comparison.interrupted ? ['Interrupted: cells are missing.'] : []), ...comparison.warnings, ...cells.slice(0, CELL_WARNINGS),
    ...(rest > 0 ? [`${plural(rest, 'warning')} more of single cells; the CSV has them all.`] : []),
  ]
}

function header(comparison: Comparison): Markup {
  const { common } = axesOf(comparison)
  return html`<header class="top">
<p class="eyebrow">${CASSETTE} Tapedeck comparison</p>
<h1>${comparison.name}${comparison.interrupted && html` <span class="badge">! Interrupted</span>`}</h1>
<dl class="facts">
<div><dt>Cells</dt><dd>${comparison.cells.length}</dd></div>
<div><dt>Candles</dt><dd>${groupsOf(comparison).map(({ scenario }) => scenario).join(', ')}</dd></div>
${common.length > 0 && html`<div><dt>The same in all cells</dt><dd>${common.join(', ')}</dd></div>`}
<div class="long"><dt>Comparison</dt><dd><code>${comparison.id}</code></dd></div>
</dl></header>
${warnings(allWarnings(comparison))}`
}

/** What a cell decided, what was said and what the candles looked like; filled by the script. */
const decisions = ({ cells }: Comparison, name: (cell: Comparison['cells'][number]) => string): Markup => section({
  id: 'cell',
  title: 'Decisions',
  lead: 'One cell at a time: its decisions, what the provider said at each turn, and the candles around them.',
  body: html`<div class="panel"><p class="note without-script">Decisions need JavaScript here; explain shows them in a terminal.</p>
<div class="tools needs-script" role="group" aria-label="Cell">
<label>Cell <select id="cell-choice">${cells.map((cell, index) => html`<option value="${index}">${name(cell)}</option>`)}</select></label>
<label>Status <select id="status-choice"><option value="">all</option></select></label></div>
<h3 id="cell-name" tabindex="-1" class="needs-script"></h3>
<div class="decisions needs-script"><div><p class="note" id="decisions-note" role="status"></p>
<div class="scroll" role="region" aria-label="Decisions" tabindex="0"><table class="data" id="decisions-table"><caption class="hidden">Decisions of the cell</caption>
<thead><tr><th scope="col">Time, UTC</th><th scope="col" id="symbol-heading">Symbol</th><th scope="col">Action</th><th scope="col" class="num">Confidence</th><th scope="col">Status</th><th scope="col">Reason</th><th scope="col" class="num">Outcome</th></tr></thead>
<tbody></tbody></table></div><p><button type="button" id="more" hidden>Show more</button></p></div>
<div id="decision" role="region" aria-label="Decision" tabindex="-1"></div></div></div>`,
})

const assumptions = ({ assumptions: list }: Comparison): Markup => section({
  id: 'assumptions',
  title: 'Assumptions',
  body: list.length === 0 ? html`<p class="note">None were recorded.</p>` : html`
<div class="panel"><ul class="sentences">${list.map((line) => html`<li>${line}</li>`)}</ul></div>`,
})

/**
 * A comparison as one HTML file that opens from a disk without a network: figures and tables are plain HTML, a script inside draws charts, sorts, filters
 * and opens decisions. Holds no wall-clock value, so the same comparison gives the same bytes. Throws when a file of this package is missing.
 */
export function renderComparisonPage(comparison: Comparison, details: readonly PassDetail[]): string {
  const { varying } = axesOf(comparison)
  const several = groupsOf(comparison).length > 1
  return frame({
    kind: 'comparison',
    title: `${comparison.name} · Tapedeck comparison`,
    body: html`
<a class="skip" href="#matrix">Skip to the matrix</a>
${header(comparison)}
${jump(SECTIONS)}
<main>
${verdicts(comparison)}
${matrixTable(comparison)}
${honestyPart(comparison)}
${curves(comparison)}
${equity(comparison)}
${decisions(comparison, (cell) => `${several ? `${cell.scenario} · ` : ''}${shortName(cell, varying)}`)}
${reliability(comparison)}
${disagreement(comparison)}
${paired(comparison)}
${regret(comparison)}
${assumptions(comparison)}
</main>
<footer><p>This file is complete in itself: it loads nothing and sends nothing. All times are UTC. Tapedeck ${comparison.tapedeck}.</p></footer>`,
    data: pageData(comparison, details),
  })
}
