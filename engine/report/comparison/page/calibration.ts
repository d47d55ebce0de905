import type { Cell, Comparison } from '../../../compare/comparison.ts'
import { count, percent } from '../../format.ts'
import { html, trusted, type Markup } from '../../markup.ts'
import { section, typesetLine } from '../../page/bits.ts'
import { calibrationLines } from '../wording.ts'
import { pathOf, plot } from './plot.ts'

/** How often what was foretold came, per provider: its own answers only. */
export function reliability({ cells }: Comparison): Markup {
  const shown = new Map<string, Cell>()
  for (const cell of cells) {
    const { provider, scenario, policy: { stopLoss, takeProfit, maxHold }, calibration: { resolved } } = cell
    const key = JSON.stringify([provider, scenario, stopLoss, takeProfit, maxHold])
    if (resolved > 0 && !shown.has(key)) shown.set(key, cell)
  }
  return section({
    id: 'calibration', title: 'Calibration', lead: 'Confidence against the share of events that came, with an interval of 95 % that knows how outcomes overlap; on the diagonal it means what it says. The size of a point is the number of opinions.',
    body: shown.size === 0 ? html`<div class="panel"><p class="soft">Nobody gave a forecast that can be scored.</p></div>` : html`
<div class="charts">${[...shown.values()].map((cell) => html`<figure class="panel"><figcaption>${cell.scenario}: ${cell.provider}, stop ${percent(cell.policy.stopLoss, 1)}, target ${percent(cell.policy.takeProfit, 1)}</figcaption>${diagram(cell)}</figure>`)}</div>
<div class="panel"><ul class="sentences">${calibrationLines(cells).map((line) => html`<li>${typesetLine(line)}</li>`)}</ul></div>`,
  })
}

function diagram({ provider, calibration: { bins, walkRate, breakEven } }: Cell): Markup {
  const ticks = [0, 0.2, 0.4, 0.6, 0.8, 1]
  const text = (value: number): string => `${Math.round(value * 100)} %`
  const most = Math.max(...bins.map(({ n }) => n))
  return plot({
    label: `Reliability of ${provider}`, width: 560, height: 360,
    x: { from: 0, to: 1, title: 'confidence', ticks, text }, y: { from: 0, to: 1, title: 'share of events that came', ticks, text },
    body: (at) => [
      html`<path class="zero" d="${trusted(pathOf([[at.x(0), at.y(0)], [at.x(1), at.y(1)]]))}"/>`,
      walkRate !== null && html`<line class="base-rate" x1="${at.x(walkRate)}" x2="${at.x(walkRate)}" y1="${at.y(0)}" y2="${at.y(1)}"/>`,
      breakEven !== null && breakEven <= 1 && html`<line class="break-even" x1="${at.x(breakEven)}" x2="${at.x(breakEven)}" y1="${at.y(0)}" y2="${at.y(1)}"/>`,
      bins.map(({ confidence, accuracy, low, high, n }) => html`<g><line class="whisker" x1="${at.x(confidence)}" x2="${at.x(confidence)}" y1="${at.y(low)}" y2="${at.y(high)}"/>
<circle class="point" cx="${at.x(confidence)}" cy="${at.y(accuracy)}" r="${(3 + 5 * Math.sqrt(n / most)).toFixed(1)}"><title>said ${percent(confidence, 1)}, came ${percent(accuracy, 1)}, ${count(n)} opinions</title></circle></g>`),
    ],
  })
}
