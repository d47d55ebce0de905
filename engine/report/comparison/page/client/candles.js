import { grid, shape, ticks, timeText } from './dom.js'

// Names differ from those of the other chart: the page's modules become one.
const AREA = { width: 860, height: 280, left: 76, right: 850, top: 10, bottom: 250 }
const AROUND = 20

/** The candles around a decision, with a line at its moment. */
export function candlesAround({ rows, stepMs }, time) {
  const at = rows.findIndex(([openTime]) => openTime >= time)
  const middle = at < 0 ? rows.length : at
  const shown = rows.slice(Math.max(0, middle - AROUND), middle + AROUND).filter(([openTime]) => Math.abs(openTime - time) <= (AROUND + 1) * stepMs)
  if (shown.length === 0) return null
  const low = Math.min(...shown.map((row) => row[3]))
  const high = Math.max(...shown.map((row) => row[2]))
  const [first] = shown[0]
  const span = shown.at(-1)[0] + stepMs - first
  const x = (when) => AREA.left + ((when - first) / span) * (AREA.right - AREA.left)
  const y = (price) => AREA.bottom - ((price - low) / (high - low || 1)) * (AREA.bottom - AREA.top)
  const width = Math.max(1, ((AREA.right - AREA.left) * stepMs) / span * 0.7)
  const drawing = shape('svg', { class: 'plot', viewBox: `0 0 ${AREA.width} ${AREA.height}`, role: 'img', 'aria-label': `Candles from ${timeText(first)} on, price ${low} to ${high}` },
    ...grid(ticks(low, high), y, AREA.left, AREA.right, String))
  for (const [openTime, open, top, bottom, close] of shown) {
    const kind = close >= open ? 'rose' : 'fell'
    const centre = x(openTime + stepMs / 2)
    drawing.append(
      shape('line', { class: kind, x1: centre, x2: centre, y1: y(top), y2: y(bottom) }),
      shape('rect', { class: kind, x: centre - width / 2, width, y: y(Math.max(open, close)), height: Math.max(1, Math.abs(y(open) - y(close))) }),
    )
  }
  drawing.append(shape('line', { class: 'moment', x1: x(time), x2: x(time), y1: AREA.top, y2: AREA.bottom }))
  for (const [when, anchor] of [[first, 'start'], [time, 'middle'], [first + span, 'end']]) {
    const label = shape('text', { class: 'tick', 'text-anchor': anchor, x: x(when), y: AREA.height - 8 })
    label.textContent = timeText(when)
    drawing.append(label)
  }
  return drawing
}
