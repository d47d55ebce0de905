import { plain } from './text.ts'

/** Text that is HTML already. Only {@link html} and {@link trusted} make it, so a forgotten escape cannot compile. */
export class Markup {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

export type Part = Markup | string | number | null | undefined | false | readonly Part[]

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;',
}

/** Escapes text for an element's content or a quoted attribute, and drops control characters. */
export const escapeHtml = (text: string): string => plain(text).replace(/[&<>"']/g, (character) => ENTITIES[character])

function render(part: Part): string {
  if (part === null || part === undefined || part === false) return ''
  if (part instanceof Markup) return part.text
  if (typeof part === 'object') return part.map(render).join('')
  return escapeHtml(String(part))
}

/** A template whose values are escaped unless they are markup; null, undefined and false print nothing. */
export const html = (strings: TemplateStringsArray, ...parts: readonly Part[]): Markup =>
  new Markup(strings.reduce((text, string, index) => text + render(parts[index - 1]) + string))

/** Marks text of this package's own files as HTML. Never for anything that came with the data. */
export const trusted = (text: string): Markup => new Markup(text)

/**
 * A value as JSON that is inert inside a script element: no `<` can end the element or open a comment, and the two line
 * separators that JavaScript once refused are escaped.
 */
export const inertJson = (value: unknown): Markup =>
  new Markup(JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, (character) =>
    `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`))
