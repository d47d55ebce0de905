import { html, type Markup, type Part } from '../markup.ts'

/** Numbers as typeset: a real minus sign, and no line break before a short unit. */
export const typeset = (text: string): string => text.replace(/^-/, '−').replace(/ (?=[%×]|pp$)/g, '\u00A0')

/** Numbers inside a sentence: every minus before a digit is a real one, units stay with their number. */
export const typesetLine = (text: string): string =>
  text.replace(/(^|[\s[(])-(?=\d)/g, '$1−').replace(/(\d) %/g, '$1\u00A0%')

/** A gain, a loss or neither: the class that colours it. Never the only mark: signs and arrows say it too. */
export const tone = (value: number | null): 'up' | 'down' | 'level' =>
  value === null || value === 0 || Number.isNaN(value) ? 'level' : value > 0 ? 'up' : 'down'

/** A change with its arrow: `▲ +12.30 %`. */
export function delta(value: number | null, text: string): Markup {
  const arrow = { up: '▲', down: '▼', level: '' }[tone(value)]
  const sign = arrow && html`<span class="arrow" aria-hidden="true">${arrow}</span> `
  return html`<span class="n ${tone(value)}">${sign}${typeset(text)}</span>`
}

/** A gain or loss whose sign alone says which, for columns that stand beside one with arrows. */
export const signedNumber = (value: number | null, text: string): Markup =>
  html`<span class="n ${tone(value)}">${typeset(text)}</span>`

export interface Section {
  readonly id: string
  readonly title: string
  readonly body: Part
  /** One line under the title. */
  readonly lead?: Part
}

export const section = ({ id, title, body, lead }: Section): Markup => html`
<section id="${id}" aria-labelledby="${id}-title">
<h2 id="${id}-title">${title}</h2>
${lead && html`<p class="lead">${lead}</p>`}
${body}
</section>`

/** A box in which a wide table scrolls by itself; focusable, so that the keyboard can scroll it too. */
export const scrollBox = (label: string, body: Part): Markup =>
  html`<div class="scroll" role="region" aria-label="${label}" tabindex="0">${body}</div>`

/** A bar from 0 to `share` of its width. Drawn with attributes, because the page's policy allows no style attribute. */
export function bar(share: number, kind = ''): Markup {
  const width = (Math.min(1, Math.max(0, share)) * 100).toFixed(2)
  return html`<svg class="bar ${kind}" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
<rect class="track" width="100" height="8"/><rect class="fill" width="${width}" height="8"/></svg>`
}

export interface BarRow {
  readonly label: string
  /** Length of the bar, 0 to 1. */
  readonly share: number
  readonly kind?: string
  /** The cells after the bar, one per heading. */
  readonly cells: readonly Part[]
}

/** The head of a column of numbers. */
export const numberHeading = (title: string): Markup => html`<th scope="col" class="num">${title}</th>`

/** A list of amounts: a label over its bar, then numbers. */
export const barTable = (caption: string, headings: readonly string[], rows: readonly BarRow[]): Markup => html`
<table class="bars">
<caption>${caption}</caption>
<thead><tr><th scope="col"><span class="hidden">Name</span></th>${headings.map(numberHeading)}</tr></thead>
<tbody>${rows.map(({ label, share, kind, cells }) => html`
<tr><th scope="row">${label}${bar(share, kind)}</th>${cells.map((cell) => html`<td class="num">${cell}</td>`)}</tr>`)}
</tbody>
</table>`
