import { html, type Markup, type Part } from '../../markup.ts'

/** A small chart drawn with attributes alone, because the page's policy allows no style attribute. */
export interface Plot {
  readonly label: string
  readonly width: number
  readonly height: number
  readonly x: Axis
  readonly y: Axis
  readonly body: (at: { readonly x: (value: number) => string; readonly y: (value: number) => string }) => Part
}

export interface Axis {
  readonly from: number
  readonly to: number
  readonly title: string
  readonly ticks: readonly number[]
  readonly text: (value: number) => string
}

const LEFT = 58
const BOTTOM = 40
const TOP = 26
const RIGHT = 26

const short = (value: number): string => String(Math.round(value * 100) / 100)

export function plot({ label, width, height, x, y, body }: Plot): Markup {
  const scale = ({ from, to }: Axis, start: number, end: number) => (value: number): number => start + ((value - from) / (to - from || 1)) * (end - start)
  const [px, py] = [scale(x, LEFT, width - RIGHT), scale(y, height - BOTTOM, TOP)]
  const at = { x: (value: number) => short(px(value)), y: (value: number) => short(py(value)) }
  return html`<svg class="plot" viewBox="0 0 ${width} ${height}" role="img" aria-label="${label}">
${y.ticks.map((tick) => html`<line class="grid" x1="${LEFT}" x2="${width - RIGHT}" y1="${at.y(tick)}" y2="${at.y(tick)}"/><text class="tick end" x="${LEFT - 6}" y="${short(py(tick) + 4)}">${y.text(tick)}</text>`)}
${x.ticks.map((tick) => html`<text class="tick middle" x="${at.x(tick)}" y="${height - BOTTOM + 16}">${x.text(tick)}</text>`)}
<text class="tick middle" x="${(LEFT + width - RIGHT) / 2}" y="${height - 6}">${x.title}</text>
<text class="tick" x="4" y="12">${y.title}</text>
${body(at)}</svg>`
}

/** About `count` round numbers between two. */
export function ticksBetween(from: number, to: number, count = 5): number[] {
  const span = to - from
  if (!(span > 0)) return [from]
  const rough = span / count
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 2.5, 5, 10].map((one) => one * power).find((one) => one >= rough) ?? rough
  const ticks: number[] = []
  for (let tick = Math.ceil(from / step - 1e-9) * step; tick <= to + step * 1e-9; tick += step) ticks.push(Number(tick.toPrecision(12)))
  return ticks
}

export const pathOf = (points: readonly (readonly [string, string])[]): string => points.map(([x, y], index) => `${index === 0 ? 'M' : 'L'}${x} ${y}`).join('')
