import { change, number } from '../theme.js'
import { drawn, legend, path, plot, range, SERIES, svg, tag, ticks } from './svg.js'

const isoDay = (day) => new Date(day * 86_400_000).toISOString().slice(0, 10)

/** The day that a kept value belongs to: every `step`-th, and the last. */
const dayOf = (curve, index, step) => curve.first + Math.min(index * step, curve.days - 1)

/** The value of the last kept day at or before `day`. */
function valueAt(curve, day, step) {
  const index = Math.floor((day - curve.first) / step)
  return curve.growth[day >= curve.first + curve.days - 1 ? curve.growth.length - 1 : Math.max(0, Math.min(index, curve.growth.length - 1))]
}

/** Growth of the ticked cells of one stretch of candles over each other, and holding beside them. Returns `pick(cell, on)` and what is drawn. */
export function equityOverlay({ cells, windows, scenarios, step }, onChange) {
  const box = document.getElementById('equity-drawing')
  const list = document.getElementById('equity-legend')
  const picker = document.getElementById('equity-scenario')
  const slider = document.getElementById('equity-day')
  const picked = new Set()
  const shownWindow = () => windows[Number(picker?.value ?? 0)]
  const mine = () => [...picked].filter((cell) => cells[cell].scenario === shownWindow()?.scenario)

  function read() {
    const window = shownWindow()
    if (!window) return
    const day = window.first + Number(slider.value)
    slider.setAttribute('aria-valuetext', isoDay(day))
    const hold = window.growth.length === 0 ? [] : [tag('li', {},
      svg('svg', { width: 30, height: 14, 'aria-hidden': 'true', viewBox: '0 0 30 14' }, svg('path', { class: 'hold', d: 'M1 7h28' })),
      `Buy and hold ${change(valueAt(window, day, step))}`)]
    list.replaceChildren(tag('li', { class: 'when' }, isoDay(day)), ...mine().map((cell, series) => legend(series, `${cells[cell].name} ${change(valueAt(cells[cell], day, step))}`)), ...hold)
    if (picked.size === 0) list.append(tag('li', {}, 'No cell is ticked in the matrix.'))
  }

  function make(width, height) {
    const window = shownWindow()
    if (!window) return []
    const curves = mine().map((cell) => cells[cell])
    const days = Math.max(window.days, ...curves.map((curve) => curve.days), 2)
    const x = [window.first, window.first + days - 1]
    const y = range([0, ...window.growth, ...curves.flatMap(({ growth }) => growth)])
    const marks = ticks(0, days - 1, Math.max(2, Math.floor(width / 130))).filter(Number.isInteger)
    const chart = plot({
      width, height, x, y, yText: (value) => `${number(value, Math.abs(y[1] - y[0]) < 5 ? 2 : 1)} %`,
      xTicks: marks.map((day, index) => [x[0] + day, isoDay(x[0] + day), index === 0 ? 'start' : day > days * 0.94 ? 'end' : 'middle']),
      label: `Growth of ${curves.map(({ name }) => name).join(', ') || 'no cell'} and of buy and hold, ${scenarios[window.scenario]}. The slider reads a day.`,
    })
    const points = (curve) => curve.growth.map((value, index) => [chart.toX(dayOf(curve, index, step)), chart.toY(value)])
    chart.root.append(svg('line', { class: 'zero', x1: chart.left, x2: chart.left + chart.width, y1: chart.toY(0), y2: chart.toY(0) }))
    if (window.growth.length > 0) chart.root.append(svg('path', { class: 'hold', d: path(points(window)) }))
    curves.forEach((curve, series) => chart.root.append(svg('path', { class: `stroke s${series % SERIES}`, d: path(points(curve)) })))
    slider.max = String(days - 1)
    const line = svg('line', { class: 'cursor', y1: chart.top, y2: chart.top + chart.height })
    chart.root.append(line)
    const cursor = () => {
      const place = chart.toX(window.first + Number(slider.value))
      line.setAttribute('x1', place)
      line.setAttribute('x2', place)
      read()
    }
    slider.oninput = cursor
    chart.root.addEventListener('pointermove', ({ clientX }) => {
      const share = (clientX - chart.root.getBoundingClientRect().left - chart.left) / chart.width
      slider.value = String(Math.round(Math.min(1, Math.max(0, share)) * (days - 1)))
      cursor()
    })
    cursor()
    return [chart.root]
  }

  const draw = drawn(box, make)
  const last = () => { slider.max = String(Math.max(1, (shownWindow()?.days ?? 2) - 1)); slider.value = slider.max }
  picker?.addEventListener('change', () => { last(); draw(); read() })

  /** The seventh of a stretch of candles pushes out the first: six can be told apart. */
  function pick(cell, on) {
    if (on) {
      const same = [...picked].filter((one) => cells[one].scenario === cells[cell].scenario)
      if (same.length >= SERIES && !picked.has(cell)) picked.delete(same[0])
      picked.add(cell)
      const window = windows.findIndex(({ scenario }) => scenario === cells[cell].scenario)
      if (picker && window >= 0 && picker.value !== String(window)) { picker.value = String(window); last() }
    } else picked.delete(cell)
    onChange(picked)
    draw()
    read()
  }

  last()
  return { pick, show: (window) => { if (picker) picker.value = String(window); last(); draw(); read() } }
}
