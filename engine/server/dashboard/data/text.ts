/** Characters that would hide, reorder or act instead of being read. */
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g
const LONE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

function shown(character: string): string {
  const code = character.charCodeAt(0)
  if (code < 0x20) return String.fromCharCode(0x2400 + code)
  return code === 0x7f ? '\u2421' : `\u2039U+${code.toString(16).toUpperCase().padStart(4, '0')}\u203a`
}

/** Text of strangers, to be put into a text node: control characters become visible signs that do nothing. */
export const harmless = (text: string): string =>
  text.replaceAll('\r\n', '\n').replaceAll(CONTROL, shown).replaceAll(LONE, '\ufffd')

/** The first `most` characters, whole ones. */
export function cut(text: string, most: number): string {
  if (text.length <= most) return text
  const end = /[\ud800-\udbff]/.test(text[most - 1] ?? '') ? most - 1 : most
  return text.slice(0, end)
}

/** As `cut`, with a sign that something is missing. */
export const shortened = (text: string, most: number): string => text.length > most ? `${cut(text, most)} …` : text

/** Any JSON value as indented text. */
export const asText = (value: unknown): string =>
  typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value, null, 2)

/** `max-daily-loss` → `max daily loss`, `minConfidence` → `min confidence`; what is more than a name stays as it is. */
export const words = (name: string): string =>
  /\s/.test(name) ? name : name.replaceAll(/([a-z])([A-Z])/g, '$1 $2').replaceAll(/[-_]/g, ' ').toLowerCase()
