import { number } from '../theme.js'
import { drawn, legend, lines, path, plot, range, SERIES, sign, svg, tag, ticks } from './svg.js'

const percent = (digits) => (value) => `${number(value * 100, digits)} %`

/** Which value of a point [threshold, coverage, expectancy, low, high] a chart shows. */
const KINDS = {
  expectancy: { title: 'Net expectancy of a trade', at: 2, text: percent(2), band: true },
  coverage: { title: 'Coverage', at: 1, text: percent(0), band: false },
}

function upright(chart, value, name, [low, high], used) {
  if (value === null || value < low || value > high) return []
  const x = chart.toX(value)
  const key = `${name} ${value}`
  if (used.has(key)) return []
  used.add(key)
  const before = x > chart.left + chart.width * 0.7
  return [
    svg('line', { class: `upright ${name === 'base rate' ? 'dotted' : 'dashed'}`, x1: x, x2: x, y1: chart.top, y2: chart.top + chart.height }),
    svg('text', { class: 'tick', x: x + (before ? -5 : 5), y: chart.top + (name === 'base rate' ? 12 : 26), 'text-anchor': before ? 'end' : 'start' }, name),
  ]
}

function chartOf(curves, { title, at, text, band }, scenario, width, height) {
  const points = curves.flatMap((curve) => curve.points)
  const thresholds = points.map(([threshold]) => threshold)
  const rates = curves.flatMap(({ baseRate, breakEven }) => [baseRate, breakEven])
  const x = range([...thresholds, ...rates.filter((rate) => rate !== null)], 0.04)
  const y = at === 1 ? [0, 1] : range([0, ...points.flatMap((point) => [point[at], ...(band ? [point[3], point[4]] : [])])])
  const chart = plot({
    width, height, x, y, yText: text, xTicks: ticks(...x, Math.floor(width / 70)).map((value) => [value, number(value, 2)]),
    label: `${title} by confidence threshold, ${scenario}: ${curves.map(({ name }) => name).join(', ')}. The numbers are in the table below.`,
  })
  const used = new Set()
  for (const { baseRate, breakEven } of curves) {
    chart.root.append(...upright(chart, baseRate, 'base rate', x, used), ...upright(chart, breakEven, 'break-even', x, used))
  }
  if (at === 2) chart.root.append(svg('line', { class: 'zero', x1: chart.left, x2: chart.left + chart.width, y1: chart.toY(0), y2: chart.toY(0) }))
  curves.forEach((curve, series) => {
    const place = (value) => (point) => (point[value] === null ? null : [chart.toX(point[0]), chart.toY(point[value])])
    if (band) {
      for (const part of lines(curve.points.map((point) => (point[3] === null ? null : point)))) {
        const [low, high] = [part.map(place(3)), part.map(place(4))]
        chart.root.append(part.length === 1
          ? svg('path', { class: `stroke thin s${series % SERIES}`, d: path([low[0], high[0]]) })
          : svg('path', { class: `band s${series % SERIES}`, d: `${path([...low, ...high.reverse()])}z` }))
      }
    }
    const spots = curve.points.map(place(at))
    for (const part of lines(spots)) chart.root.append(svg('path', { class: `stroke s${series % SERIES}`, d: path(part) }))
    chart.root.append(...spots.filter((spot) => spot !== null).map(([left, top]) => sign(series, left, top)))
  })
  chart.root.append(svg('text', { class: 'axis', x: chart.left + chart.width, y: chart.top + chart.height - 6, 'text-anchor': 'end' }, 'threshold →'))
  return chart.root
}

/** Thresholds against what they leave and earn, one pair of charts per stretch of candles. */
export function thresholdCurves({ curves, scenarios }) {
  for (const box of document.querySelectorAll('[data-curves]')) {
    const scenario = Number(box.dataset.curves)
    const own = curves.filter((curve) => curve.scenario === scenario)
    const kind = KINDS[box.dataset.kind]
    drawn(box, (width, height) => [tag('h4', {}, kind.title), chartOf(own, kind, scenarios[scenario], width, height - 24)])
  }
  for (const list of document.querySelectorAll('[data-curve-legend]')) {
    const own = curves.filter((curve) => curve.scenario === Number(list.dataset.curveLegend))
    list.replaceChildren(...own.map(({ name }, series) => legend(series, name)))
  }
}
