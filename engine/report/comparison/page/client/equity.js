import { dayText, element, grid, shape, ticks } from './dom.js'

const WIDTH = 860
const HEIGHT = 320
const [LEFT, RIGHT, TOP, BOTTOM] = [64, 850, 10, 292]

/** Draws the equity of chosen cells over that of holding. */
export function equityOverlay(box, data) {
  return (ids) => {
    const lines = ids.slice(0, 8).map((id, index) => ({ name: data.cells[id].name, kind: `s${index}`, ...data.cells[id].equity }))
    const scenarios = new Set(ids.map((id) => data.cells[id].scenario))
    for (const { scenario, equity } of data.holds) if (ids.length === 0 || scenarios.has(scenario)) lines.push({ name: data.holds.length > 1 ? `holding, ${scenario}` : 'holding', kind: 'hold', ...equity })
    const days = lines.flatMap((line) => line.days)
    const values = lines.flatMap((line) => line.values)
    const [first, last] = [Math.min(...days), Math.max(...days)]
    const [low, high] = [Math.min(0, ...values), Math.max(0, ...values)]
    const x = (day) => LEFT + ((day - first) / (last - first || 1)) * (RIGHT - LEFT)
    const y = (value) => BOTTOM - ((value - low) / (high - low || 1)) * (BOTTOM - TOP)
    const drawing = shape('svg', { class: 'plot', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': `Equity of ${lines.map(({ name }) => name).join(', ')}` },
      ...grid(ticks(low, high), y, LEFT, RIGHT, (value) => `${value} %`))
    for (const [day, anchor] of [[first, 'start'], [(first + last) / 2, 'middle'], [last, 'end']]) {
      const label = shape('text', { class: 'tick', 'text-anchor': anchor, x: x(day), y: HEIGHT - 8 })
      label.textContent = dayText(Math.round(day))
      drawing.append(label)
    }
    for (const line of lines) {
      const path = line.days.map((day, index) => `${index === 0 ? 'M' : 'L'}${x(day).toFixed(1)} ${y(line.values[index]).toFixed(1)}`).join('')
      drawing.append(shape('path', { class: `series ${line.kind}`, d: path }))
    }
    const key = element('ul', { class: 'key' }, ...lines.map(({ name, kind, values: own }) =>
      element('li', {}, shape('svg', { class: 'plot', viewBox: '0 0 26 8', 'aria-hidden': 'true' }, shape('path', { class: `series ${kind}`, d: 'M0 4L26 4' })), ` ${name} (${own.at(-1)} %)`)))
    box.replaceChildren(key, drawing)
    if (ids.length > 8) box.append(element('p', { class: 'note' }, `${ids.length - 8} more are ticked than can be told apart.`))
  }
}
