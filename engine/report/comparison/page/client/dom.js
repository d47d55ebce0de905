/** An element with attributes and children; texts are texts, never markup. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value)
  made.append(...children)
  return made
}

/** The same in a drawing. */
export function shape(name, attributes = {}, ...children) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name)
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value)
  made.append(...children)
  return made
}

export const dayText = (day) => new Date(day * 86400000).toISOString().slice(0, 10)
export const timeText = (time) => new Date(time).toISOString().slice(0, 16).replace('T', ' ')

/** About five round numbers between two. */
export function ticks(from, to) {
  const rough = (to - from) / 5 || 1
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 2.5, 5, 10].map((one) => one * power).find((one) => one >= rough)
  const found = []
  for (let tick = Math.ceil(from / step) * step; tick <= to + step * 1e-9; tick += step) found.push(Number(tick.toPrecision(12)))
  return found
}

/** Grid lines and their numbers on the left. */
export const grid = (values, y, left, right, text) => values.flatMap((value) => {
  const label = shape('text', { class: 'tick end', x: left - 6, y: y(value) + 4 })
  label.textContent = text(value)
  return [shape('line', { class: 'grid', x1: left, x2: right, y1: y(value), y2: y(value) }), label]
})
