import type { Cell, Comparison, Disagreement } from '../../../compare/comparison.ts'
import { change, count, percent, plural } from '../../format.ts'
import { html, type Markup, type Part } from '../../markup.ts'
import { section, signedNumber, typesetLine } from '../../page/bits.ts'
import { bracket, MARKS, returnText } from '../columns.ts'
import { honesty, type Fact } from '../honesty.ts'
import { axesOf, groupsOf, namesOf, shortName } from '../rows.ts'
import { acrossText, byCost, disagreementText, regretName, windowText } from '../wording.ts'
import { numbersTable } from './charts.ts'

const factList = (facts: readonly Fact[]): Markup => html`<dl class="course">${facts.map(({ label, text, alert }) => html`
<div${alert && html` class="against"`}><dt>${alert && '! '}${label}</dt><dd>${typesetLine(text)}</dd></div>`)}</dl>`

/** The answer first: the best of each stretch of candles, and whether to believe it. */
export function verdicts(comparison: Comparison): Markup {
  const { varying } = axesOf(comparison)
  return section({
    id: 'overview',
    title: 'Overview',
    body: comparison.windows.length === 0 ? html`<p class="note">No candles were compared.</p>` : html`<div class="halves">${comparison.windows.map((window) => {
      const best = comparison.cells.find(({ id }) => id === window.best)
      return html`<div class="panel"><h3>${window.scenario}</h3><p class="note">${windowText(window)}</p>
${best ? html`<p class="best-line"><span aria-hidden="true">${MARKS.best}</span> <span class="hidden">Best: </span>${shortName(best, varying)}
${signedNumber(best.netReturn, typesetLine(returnText(best)))}</p>` : html`<p class="best-line">No cell traded.</p>`}
<p class="verdict">${window.verdict}</p></div>`
    })}</div>`,
  })
}

/** How much of the best result luck and search explain. */
export const honestyPart = (comparison: Comparison): Markup => section({
  id: 'honesty',
  title: 'Honesty',
  lead: 'What trying many things does to the best of them. Lines with ! speak against believing it.',
  body: groupsOf(comparison).map(({ window, cells, scenario }) => window && html`
<div class="panel"><h3>${scenario}</h3>${factList(honesty(window, cells))}
<p class="note">Candles <code>${window.candles}</code></p></div>`),
})

/** Differences on the same days, and setups over all scenarios. */
export function paired(comparison: Comparison): Markup {
  const name = namesOf(comparison)
  const { pairs, across } = comparison
  const rows = pairs.map(({ a, b, against, days, mean, interval, verdict }): Part[] => [
    html`${name(a)} − ${name(b)}`, against.replaceAll('-', ' '), count(days), signedNumber(mean, typesetLine(change(mean, 3))),
    interval === null ? '–' : bracket(interval, 3), verdict === 'better' ? '▲ better' : verdict === 'worse' ? '▼ worse' : verdict,
  ])
  return section({
    id: 'pairs',
    title: 'Paired differences',
    lead: 'Daily returns on the same days, in percent a day. No significant difference is a verdict.',
    body: rows.length === 0 ? html`<p class="note">There is nothing to pair.</p>` : html`
<div class="panel">${numbersTable('Pairs', ['Pair', 'Against', 'Days', 'Mean a day', '95 % interval', 'Verdict'], rows, ['Against', 'Verdict'])}</div>
${across.length > 0 && html`<div class="panel stacked"><h3>Over all scenarios</h3><ul class="sentences">${across.map((row) => html`<li>${row.name}: ${typesetLine(acrossText(row))}</li>`)}</ul></div>`}`,
  })
}

/** Most cells in the table of regret beside the best ones. */
const DEAREST = 6

/** What refusals would have earned: for the best cells, and those in which a reason cost most. */
export function regret(comparison: Comparison): Markup {
  const name = namesOf(comparison)
  const bests = new Set(comparison.windows.flatMap(({ best }) => best ?? []))
  const dearest = (cell: Cell): number => Math.max(0, ...cell.regret.map(({ total }) => total))
  const others = comparison.cells.filter((cell) => !bests.has(cell.id) && dearest(cell) > 0).toSorted((a, b) => dearest(b) - dearest(a))
  const shown = [...comparison.cells.filter(({ id }) => bests.has(id)), ...others.slice(0, DEAREST)]
  const rows = shown.flatMap((cell) => byCost(cell.regret).filter(({ total }) => bests.has(cell.id) || total > 0).map((one): Part[] => [
    name(cell.id), regretName(one), count(one.count), count(one.resolved), signedNumber(one.mean, typesetLine(change(one.mean))),
    one.mean === null ? '–' : signedNumber(one.total, typesetLine(change(one.total))), percent(one.winRate, 0),
    one.mean === null || one.total === 0 ? '–' : one.total > 0 ? '! cost money' : 'paid',
  ]))
  return section({
    id: 'regret',
    title: 'Regret',
    lead: `What refused decisions would have earned, as a bet of their own; every reason in the best cells, then the reasons that cost most in others. A total is in stakes of one bet.${
      others.length > DEAREST ? ` ${plural(others.length - DEAREST, 'cell')} more in the CSV.` : ''}`,
    body: rows.length === 0 ? html`<p class="note">Nothing was refused.</p>` : html`<div class="panel">${
      numbersTable('Refusals by reason', ['Cell', 'Reason', 'Refused', 'Known', 'Mean of a bet', 'In all', 'Would have won', 'The rule'], rows, ['Reason', 'The rule'])}</div>`,
  })
}

function cross({ a, b, table }: Disagreement): Markup {
  const keys = Object.keys(table).map((key) => key.split(' × '))
  const [rows, columns] = [[...new Set(keys.map(([row]) => row))].sort(), [...new Set(keys.map(([, column]) => column ?? ''))].sort()]
  return numbersTable(`Actions of ${a} by those of ${b}`, [`${a} ↓ ${b} →`, ...columns], rows.map((row) => [row, ...columns.map((column) => count(table[`${row} × ${column}`] ?? 0))]))
}

/** Where two providers said otherwise on the same candles, and who was right. */
export const disagreement = ({ disagreements }: Comparison): Markup => section({
  id: 'disagreement',
  title: 'Disagreement',
  lead: 'Two providers on the same candles.',
  body: disagreements.length === 0 ? html`<p class="note">There are no two providers on the same candles.</p>` : html`<div class="halves">${disagreements.map((row) => html`
<div class="panel"><h3>${row.a} and ${row.b} <small>${row.scenario}</small></h3><p class="note">${typesetLine(disagreementText(row))}</p>${cross(row)}</div>`)}</div>`,
})
