import type { Comparison, PassDetail } from '../../compare/comparison.ts'
import { html, type Markup } from '../markup.ts'
import { section } from '../page/bits.ts'
import { ownAssets, type OwnAssets } from '../page/assets.ts'
import { pageFrame } from '../page/frame.ts'
import { reliability } from './page/calibration.ts'
import { curves } from './page/curves.ts'
import { pageData } from './page/data.ts'
import { assumptions, disagreements, honesty, pairs, regrets } from './page/honesty.ts'
import { matrix } from './page/matrix.ts'
import { fixedAxes } from './wording.ts'

const SECTIONS = [
  ['matrix', 'Matrix'], ['equity', 'Equity'], ['honesty', 'What may be believed'], ['curves', 'Thresholds'], ['calibration', 'Calibration'],
  ['differences', 'Differences'], ['regret', 'Regret'], ['decisions', 'Decisions'], ['assumptions', 'Assumptions'],
] as const

let assets: OwnAssets | undefined

const files = (...names: string[]): URL[] => names.map((name) => new URL(`./page/client/${name}`, import.meta.url))

/**
 * A comparison as one HTML file that opens from a disk without a network: every table is plain HTML; scripts inside sort and filter,
 * draw equity, and show decisions with their turns and candles. The same comparison gives the same bytes.
 */
export function renderComparisonPage(comparison: Comparison, details: readonly PassDetail[]): string {
  assets ??= ownAssets(files('comparison.css'), files('dom.js', 'equity.js', 'candles.js', 'decisions.js', 'table.js', 'main.js'))
  return pageFrame({
    title: `${comparison.name} · Tapedeck comparison`,
    style: { text: assets.style, hash: assets.hashes.style },
    scripts: [{ text: assets.script, hash: assets.hashes.script, module: true }],
    data: { id: 'comparison-data', value: pageData(comparison, details) },
    body: body(comparison),
  })
}

const body = (comparison: Comparison): Markup => html`
<a class="skip" href="#matrix">Skip to the matrix</a>
<header class="top">
<p class="eyebrow">Tapedeck comparison</p>
<h1>${comparison.name}</h1>
<dl class="facts">
<div><dt>Cells</dt><dd>${comparison.cells.length}</dd></div>
<div><dt>Tapes</dt><dd>${comparison.windows.length}</dd></div>
${fixedAxes(comparison) !== '' && html`<div class="long"><dt>Everywhere</dt><dd>${fixedAxes(comparison)}</dd></div>`}
<div class="long"><dt>Comparison</dt><dd><code>${comparison.id}</code></dd></div>
</dl>
</header>
${comparison.warnings.length > 0 && html`
<div class="notice" role="note" aria-label="Warnings"><p><strong>! ${comparison.warnings.length === 1 ? 'Warning' : `${comparison.warnings.length} warnings`}</strong></p>
<ul>${comparison.warnings.map((warning) => html`<li>${warning}</li>`)}</ul></div>`}
<nav class="jump" aria-label="Sections"><ul>${SECTIONS.map(([id, title]) => html`<li><a href="#${id}">${title}</a></li>`)}</ul></nav>
<main>
${matrix(comparison)}
${section({
  id: 'equity', title: 'Equity', lead: 'Rows that are ticked in the matrix, and holding, as percent of the start.',
  body: html`<div class="panel"><div id="equity-chart" class="plot-box"><p class="without-script">The chart needs the script in this file; the figures do not.</p></div></div>`,
})}
${honesty(comparison)}
${curves(comparison)}
${reliability(comparison)}
${pairs(comparison)}
${disagreements(comparison)}
${regrets(comparison)}
${section({
  id: 'decisions', title: 'Decisions', lead: 'A name in the matrix opens its decisions: what was said, in every turn, and the candles around it.',
  body: html`<div class="panel"><div id="decision-list" tabindex="-1"><p class="soft">No cell is chosen.</p></div><div id="decision-view" aria-live="polite"></div></div>`,
})}
${assumptions(comparison)}
</main>
<footer><p>This file is complete in itself: it loads nothing and sends nothing. All times are UTC. Tapedeck ${comparison.tapedeck}.</p></footer>`
