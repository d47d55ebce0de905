import type { Comparison, ThresholdCurve } from '../../../compare/comparison.ts'
import { count, percent, signed } from '../../format.ts'
import { html, trusted, type Markup, type Part } from '../../markup.ts'
import { section, typesetLine } from '../../page/bits.ts'
import { pathOf, plot, ticksBetween } from './plot.ts'

/** What each threshold lets through, and what a trade then brings: one pair of charts per provider and rest of the policy. */
export const curves = ({ curves: list }: Comparison): Markup => section({
  id: 'curves', title: 'Thresholds', lead: 'Share of entries whose confidence is enough, and net return of a trade with its interval of 95 %. Dashed: base rate of a walk without skill; dotted: break-even.',
  body: list.length === 0 ? html`<div class="panel"><p class="soft">Thresholds do not vary in this comparison; give several with --min-confidence 0.5:0.9:0.05.</p></div>`
    : html`<div class="charts">${list.map((curve) => html`<figure class="panel"><figcaption>${curve.scenario}: ${curve.name}</figcaption>${coverage(curve)}${expectancy(curve)}${values(curve)}</figure>`)}</div>`,
})

const WIDTH = 560
const HEIGHT = 210

function axis({ points }: ThresholdCurve): { from: number; to: number; title: string; ticks: number[]; text: (value: number) => string } {
  const thresholds = points.map(({ threshold }) => threshold)
  const [from, to] = [Math.min(...thresholds), Math.max(...thresholds)]
  return { from, to, title: 'minimum confidence', ticks: ticksBetween(from, to, 6), text: (value) => String(Number(value.toFixed(4))) }
}

/** Rates by which a confidence is judged, where they lie in the chart. */
function rates(curve: ThresholdCurve, at: { x: (value: number) => string }, top: number, bottom: number): Part {
  const { from, to } = axis(curve)
  const line = (value: number | null, kind: string): Part =>
    value !== null && value >= from && value <= to && html`<line class="${kind}" x1="${at.x(value)}" x2="${at.x(value)}" y1="${top}" y2="${bottom}"/>`
  return [line(curve.baseRate, 'base-rate'), line(curve.breakEven, 'break-even')]
}

const coverage = (curve: ThresholdCurve): Markup => plot({
  label: `Coverage of ${curve.name} by threshold`, width: WIDTH, height: HEIGHT, x: axis(curve),
  y: { from: 0, to: 1, title: 'coverage', ticks: [0, 0.25, 0.5, 0.75, 1], text: (value) => `${Math.round(value * 100)} %` },
  body: (at) => [
    rates(curve, at, 26, HEIGHT - 40),
    html`<path class="series s0" d="${trusted(pathOf(curve.points.filter(({ coverage: share }) => share !== null).map(({ threshold, coverage: share }) => [at.x(threshold), at.y(share!)])))}"/>`,
  ],
})

function expectancy(curve: ThresholdCurve): Markup | null {
  const known = curve.points.filter(({ expectancy: value }) => value !== null)
  if (known.length === 0) return null
  const all = known.flatMap(({ expectancy: value, interval }) => [value!, ...(interval === null ? [] : [interval.low, interval.high])])
  const [low, high] = [Math.min(0, ...all), Math.max(0, ...all)]
  const banded = known.filter(({ interval }) => interval !== null)
  return plot({
    label: `Net return of a trade of ${curve.name} by threshold`, width: WIDTH, height: HEIGHT, x: axis(curve),
    y: { from: low, to: high, title: 'net return of a trade', ticks: ticksBetween(low, high), text: (value) => `${signed(value * 100, 2)} %` },
    body: (at) => [
      rates(curve, at, 26, HEIGHT - 40),
      banded.length > 1 && html`<path class="band" d="${trusted(`${pathOf([...banded.map(({ threshold, interval }): [string, string] => [at.x(threshold), at.y(interval!.high)]), ...banded.toReversed().map(({ threshold, interval }): [string, string] => [at.x(threshold), at.y(interval!.low)])])}Z`)}"/>`,
      html`<line class="zero" x1="58" x2="${WIDTH - 26}" y1="${at.y(0)}" y2="${at.y(0)}"/>`,
      html`<path class="series s0" d="${trusted(pathOf(known.map(({ threshold, expectancy: value }) => [at.x(threshold), at.y(value!)])))}"/>`,
      known.map(({ threshold, expectancy: value, trades, interval }) =>
        html`<circle class="point${interval === null && html` thin`}" cx="${at.x(threshold)}" cy="${at.y(value!)}" r="3"><title>${threshold}: ${typesetLine(`${signed(value! * 100, 3)} %`)}, ${count(trades)} trades</title></circle>`),
    ],
  })
}

const values = ({ points }: ThresholdCurve): Markup => html`<details><summary>As a table</summary><table class="data">
<thead><tr><th scope="col">Threshold</th><th scope="col" class="num">Coverage</th><th scope="col" class="num">Trades</th><th scope="col" class="num">Net return of a trade</th></tr></thead>
<tbody>${points.map(({ threshold, coverage: share, trades, expectancy: value, interval }) => html`<tr><th scope="row">${threshold}</th><td class="num">${percent(share, 1)}</td><td class="num">${count(trades)}</td>
<td class="num">${typesetLine(value === null ? '–' : `${signed(value * 100, 3)} %${interval === null ? '' : ` [${signed(interval.low * 100, 3)}, ${signed(interval.high * 100, 3)}]`}`)}</td></tr>`)}</tbody></table></details>`
