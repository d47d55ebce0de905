const NAMESPACE = 'http://www.w3.org/2000/svg'

/** An SVG element. Looks come from classes: the page's policy allows no style attribute. */
export function svg(name, attributes = {}, ...children) {
  const element = document.createElementNS(NAMESPACE, name)
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value)
  element.append(...children)
  return element
}

/** An HTML element. Text is text: nothing that came with the data is ever read as HTML. */
export function tag(name, attributes = {}, ...children) {
  const element = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value)
  element.append(...children)
  return element
}

/** Round numbers between `low` and `high`, about `most` of them. */
export function ticks(low, high, most) {
  const rough = (high - low) / Math.max(1, most)
  if (!(rough > 0)) return [low]
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => size >= rough * 0.999)
  const first = Math.ceil(low / step - 1e-9)
  return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, index) => Number(((first + index) * step).toPrecision(12)))
}

/** Lowest and highest of the values with some air around them; never empty. */
export function range(values, air = 0.06) {
  const known = values.filter((value) => value !== null)
  if (known.length === 0) return [0, 1]
  const [low, high] = [known.reduce((a, b) => Math.min(a, b)), known.reduce((a, b) => Math.max(a, b))]
  const room = high > low ? (high - low) * air : Math.abs(high) * air || 1
  return [low - room, high + room]
}

/**
 * Axes, grid and a place to draw. `x` and `y` are [low, high]; `xTicks` are [value, text]; `right` puts prices where traders look for them.
 * Returns the root, and functions from values to pixels.
 */
export function plot({ width, height, x, y, xTicks, yText, label, yTicks = ticks(...y, Math.max(2, Math.floor(height / 48))), right = false }) {
  const room = Math.max(...yTicks.map((value) => yText(value).length)) * 7 + 10
  const [left, edge] = right ? [4, room] : [room, 10]
  const [top, bottom] = [8, 24]
  const inner = { width: Math.max(20, width - left - edge), height: height - top - bottom }
  const toX = (value) => left + ((value - x[0]) / (x[1] - x[0] || 1)) * inner.width
  const toY = (value) => top + (1 - (value - y[0]) / (y[1] - y[0] || 1)) * inner.height
  const root = svg('svg', { viewBox: `0 0 ${width} ${height}`, width, height, role: 'img', 'aria-label': label })
  for (const value of yTicks) {
    root.append(
      svg('line', { class: 'grid', x1: left, x2: left + inner.width, y1: toY(value), y2: toY(value) }),
      svg('text', { class: 'tick', x: right ? left + inner.width + 6 : left - 6, y: toY(value) + 4, 'text-anchor': right ? 'start' : 'end' }, yText(value)),
    )
  }
  for (const [value, text, anchor] of xTicks) {
    root.append(svg('text', { class: 'tick', x: toX(value), y: height - 6, 'text-anchor': anchor ?? 'middle' }, text))
  }
  return { root, toX, toY, left, top, ...inner }
}

/** Draws into a box as wide as it is, now and whenever that changes. Returns a function that draws again. */
export function drawn(box, make) {
  let width = 0
  const draw = () => {
    if (width > 0) box.replaceChildren(...make(width, box.clientHeight))
  }
  new ResizeObserver(([{ contentRect }]) => {
    const now = Math.floor(contentRect.width)
    if (now === width) return
    width = now
    draw()
  }).observe(box)
  return draw
}

/** `0 0 10 20 30` as the points of a line; a value that is missing ends one line and begins another. */
export function lines(points) {
  const parts = [[]]
  for (const point of points) {
    if (point === null) parts.push([])
    else parts.at(-1).push(point)
  }
  return parts.filter((part) => part.length > 0)
}

export const path = (points) => points.map(([x, y], index) => `${index === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`).join('')

/** Series differ by colour, dash and sign: six that can be told apart without colour. */
export const SERIES = 6
const SIGNS = ['circle', 'square', 'up', 'diamond', 'down', 'cross']

export function sign(series, x, y, radius = 4) {
  const r = radius
  const d = {
    circle: `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0`,
    square: `M${x - r} ${y - r}h${2 * r}v${2 * r}h${-2 * r}z`,
    up: `M${x - r} ${y + r}h${2 * r}L${x} ${y - r}z`,
    diamond: `M${x} ${y - r * 1.3}L${x + r * 1.3} ${y}L${x} ${y + r * 1.3}L${x - r * 1.3} ${y}z`,
    down: `M${x - r} ${y - r}h${2 * r}L${x} ${y + r}z`,
    cross: `M${x - r} ${y - r}l${2 * r} ${2 * r}M${x - r} ${y + r}l${2 * r} ${-2 * r}`,
  }[SIGNS[series % SERIES]]
  return svg('path', { class: `sign s${series % SERIES}`, d })
}

/** A line of the legend: the series' own stroke and sign, then words. */
export const legend = (series, text) => tag('li', {},
  svg('svg', { width: 30, height: 14, 'aria-hidden': 'true', viewBox: '0 0 30 14' },
    svg('path', { class: `stroke s${series % SERIES}`, d: 'M1 7h28' }), sign(series, 15, 7)), text)
