import type { Comparison } from '../../../compare/comparison.ts'
import { change, count, percent, signed } from '../../format.ts'
import { html, type Markup } from '../../markup.ts'
import { numberHeading, scrollBox, section, signedNumber, typeset, typesetLine } from '../../page/bits.ts'
import { honestLines, namesOf, pairKind } from '../wording.ts'

/** Cells of which the page lists what their refusals would have earned. */
const MOST_REGRETS = 200

/** Trials, deflated Sharpe ratio, overfitting, reality check: what the matrix proves. */
export const honesty = (comparison: Comparison): Markup => section({
  id: 'honesty', title: 'What may be believed',
  body: html`${comparison.windows.map((window) => {
    const cells = comparison.cells.filter(({ scenario }) => scenario === window.scenario)
    const reasons = new Map<string, number>()
    for (const { badges } of cells) for (const { kind, why } of badges) if (/dubious|cut-off|simulated|significant/.test(kind)) reasons.set(`${kind}: ${why}`, (reasons.get(`${kind}: ${why}`) ?? 0) + 1)
    return html`<div class="panel">${comparison.windows.length > 1 && html`<h3>${window.scenario}</h3>`}<ul class="sentences">
${honestLines(window, cells).map((line, index) => html`<li>${index === 0 ? html`<strong>${typesetLine(line)}</strong>` : typesetLine(line)}</li>`)}
${[...reasons].map(([reason, n]) => html`<li>${typesetLine(reason)} (${n === cells.length ? 'all cells' : n === 1 ? 'one cell' : `${n} cells`})</li>`)}</ul></div>`
  })}${comparison.across.length > 0 && html`<div class="panel"><h3>Over all scenarios, overlapping days once</h3><ul class="sentences">${comparison.across.map(({ name, meanDaily, interval, days, scenarios }) => html`
<li>${name}: ${typesetLine(`${signed(meanDaily * 100, 4)} %`)} a day${interval !== null && typesetLine(` [${signed(interval.low * 100, 4)}, ${signed(interval.high * 100, 4)}]`)} on ${count(days)} days of ${scenarios} scenarios</li>`)}</ul></div>`}`,
})

/** Paired differences on the same days. */
export function pairs(comparison: Comparison): Markup {
  const nameOf = namesOf(comparison)
  return section({
    id: 'differences', title: 'Differences on the same days', lead: 'Mean difference of daily returns with its interval of 95 %. Where it includes 0 there is none to be believed.',
    body: html`<div class="panel">${comparison.pairs.length === 0 ? html`<p class="soft">There is nothing to lay side by side.</p>` : scrollBox('Paired differences', html`
<table class="data"><caption class="hidden">Paired differences</caption>
<thead><tr><th scope="col">Cell</th><th scope="col">Against</th>${['A day', 'Interval', 'Days'].map(numberHeading)}<th scope="col">Verdict</th></tr></thead>
<tbody>${comparison.pairs.map((pair) => html`<tr><th scope="row">${nameOf(pair.a)}</th><td>${nameOf(pair.b)} <small>${pairKind(pair)}</small></td>
<td class="num">${signedNumber(pair.mean, `${signed(pair.mean * 100, 4)} %`)}</td><td class="num">${pair.interval === null ? '–' : typesetLine(`${signed(pair.interval.low * 100, 4)} … ${signed(pair.interval.high * 100, 4)}`)}</td>
<td class="num">${count(pair.days)}</td><td>${pair.verdict}</td></tr>`)}</tbody></table>`)}</div>`,
  })
}

/** Where providers said otherwise about the same candles. */
export const disagreements = ({ disagreements: list }: Comparison): Markup | null => list.length === 0 ? null : section({
  id: 'disagreement', title: 'Disagreement between providers', lead: 'Decisions that both answered. Right: the event that the answer foretold came first; HOLD foretells nothing.',
  body: html`<div class="panel">${scrollBox('Disagreement', html`<table class="data"><caption class="hidden">Disagreement between providers</caption>
<thead><tr><th scope="col">Providers</th>${['Decisions', 'Same action', 'First right', 'Second right'].map(numberHeading)}<th scope="col">First × second</th></tr></thead>
<tbody>${list.map(({ scenario, a, b, decisions, agreement, aRight, bRight, table }) => html`<tr><th scope="row">${a} and ${b} <small>${scenario}</small></th><td class="num">${count(decisions)}</td>
<td class="num">${percent(agreement, 1)}</td><td class="num">${percent(aRight, 1)}</td><td class="num">${percent(bRight, 1)}</td><td>${Object.entries(table).sort(([, x], [, y]) => y - x).map(([kind, n]) => `${kind} ${count(n)}`).join(', ')}</td></tr>`)}</tbody></table>`)}</div>`,
})

/** What refusals would have earned, by cell and reason. */
export function regrets({ cells }: Comparison): Markup {
  const rows = cells.flatMap((cell) => cell.regret.filter(({ resolved }) => resolved > 0).map((one) => ({ cell, one })))
  return section({
    id: 'regret', title: 'Regret', lead: 'What each refused decision would have earned as a bet of its own. A rule is worth what its refusals would have lost.',
    body: html`<div class="panel">${rows.length === 0 ? html`<p class="soft">No refusal has a known outcome.</p>` : scrollBox('Regret', html`
<table class="data"><caption class="hidden">What refusals would have earned</caption>
<thead><tr><th scope="col">Cell</th><th scope="col">Reason</th>${['Refusals', 'Known', 'Each', 'Would have won', 'In sum of single bets'].map(numberHeading)}</tr></thead>
<tbody>${rows.slice(0, MOST_REGRETS).map(({ cell, one }) => html`<tr><th scope="row">${cell.name}</th><td>${one.reason} <small>${one.side}</small></td><td class="num">${count(one.count)}</td>
<td class="num">${count(one.resolved)}</td><td class="num">${signedNumber(one.mean, change(one.mean))}</td><td class="num">${percent(one.winRate, 0)}</td><td class="num">${typeset(change(one.total))}</td></tr>`)}</tbody></table>`)}
${rows.length > MOST_REGRETS && html`<p class="note">${count(rows.length - MOST_REGRETS)} more rows in comparison.json.</p>`}</div>`,
  })
}

export const assumptions = (comparison: Comparison): Markup => section({
  id: 'assumptions', title: 'Assumptions', body: html`<div class="panel"><ul class="sentences">${comparison.assumptions.map((line) => html`<li>${line}</li>`)}</ul></div>`,
})
