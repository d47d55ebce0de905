import { number } from '../theme.js'
import { drawn, plot, svg, ticks } from './svg.js'

const inPercent = (value) => `${number(value * 100, 0)} %`

/** A bin's dot grows with its opinions, by area. */
const radius = (n, most) => 3 + 6 * Math.sqrt(n / most)

function level(chart, value, name, above) {
  if (value === null) return []
  const y = chart.toY(value)
  return [
    svg('line', { class: `upright ${name === 'base rate' ? 'dotted' : 'dashed'}`, x1: chart.left, x2: chart.left + chart.width, y1: y, y2: y }),
    svg('text', { class: 'tick', x: chart.left + 4, y: y + (above ? -4 : 13) }, `${name} ${inPercent(value)}`),
  ]
}

function diagram({ name, bins, baseRate, breakEven }, scenario, width) {
  const height = Math.min(width, 340)
  const low = Math.max(0, Math.floor(Math.min(...bins.map(([confidence]) => confidence)) * 10) / 10 - 0.1)
  const xTicks = ticks(low, 1, 5).map((value) => [value, inPercent(value), value === 1 ? 'end' : undefined])
  const chart = plot({
    width, height, x: [low, 1], y: [0, 1], yTicks: [0, 0.25, 0.5, 0.75, 1], xTicks, yText: inPercent,
    label: `How often confidences of ${name} came true, ${scenario}. The numbers are in the table below.`,
  })
  const most = Math.max(...bins.map((bin) => bin[4]))
  chart.root.append(
    svg('line', { class: 'diagonal', x1: chart.toX(low), y1: chart.toY(low), x2: chart.toX(1), y2: chart.toY(1) }),
    ...level(chart, baseRate, 'base rate', (baseRate ?? 0) > (breakEven ?? 0)), ...level(chart, breakEven, 'break-even', (breakEven ?? 0) >= (baseRate ?? 0)),
  )
  for (const [confidence, accuracy, from, to, n] of bins) {
    const [x, y] = [chart.toX(confidence), chart.toY(accuracy)]
    const [bottom, top] = [chart.toY(from), chart.toY(to)]
    chart.root.append(
      svg('path', { class: 'stroke thin s0', d: `M${x - 4} ${bottom}h8m-4 0V${top}m-4 0h8` }),
      svg('circle', { class: 'sign s0', cx: x, cy: y, r: radius(n, most) }, svg('title', {}, `${inPercent(confidence)} sure, came true in ${inPercent(accuracy)} of ${n}`)),
    )
  }
  return chart.root
}

/** How often what a provider was so sure of came true. */
export function reliabilityDiagrams({ reliability, scenarios }) {
  for (const box of document.querySelectorAll('[data-reliability]')) {
    const one = reliability[Number(box.dataset.reliability)]
    drawn(box, (width) => [diagram(one, scenarios[one.scenario], width)])
  }
}
