import { displayWidth, plain, wrap } from './text.ts'

export type Ink = 'bold' | 'soft' | 'up' | 'down' | 'warn'

/** A piece of a line. Widths are counted on the text alone, colour is added at the very end. */
export interface Span {
  readonly text: string
  readonly ink?: Ink
}
export type Line = readonly Span[]

/** Data as a piece of a line: whatever could control the terminal is removed. */
export const span = (text: string, ink?: Ink): Span => (ink ? { text: plain(text), ink } : { text: plain(text) })

const BLANK: Line = []
const CODES: Readonly<Record<Ink, string>> = { bold: '1', soft: '2', up: '32', down: '31', warn: '33' }

export const widthOf = (line: Line): number => line.reduce((width, { text }) => width + displayWidth(text), 0)

const space = (columns: number): Span => ({ text: ' '.repeat(Math.max(0, columns)) })

export function pad(line: Line, width: number, align: 'left' | 'right' = 'left'): Line {
  const fill = space(width - widthOf(line))
  return align === 'left' ? [...line, fill] : [fill, ...line]
}

/** What belongs left and what belongs right, pushed apart to `width`; where both do not fit, the left one is cut. */
export function apart(left: Line, right: Line, width: number): Line {
  const room = width - widthOf(right) - 2
  return [...pad(cut(left, Math.max(1, room)), room + 2), ...right]
}

/** Two blocks next to each other, the left one `width` columns wide. */
export function beside(left: readonly Line[], right: readonly Line[], width: number, gap: number): Line[] {
  return Array.from({ length: Math.max(left.length, right.length) }, (_, row) =>
    [...pad(left[row] ?? BLANK, width + gap), ...(right[row] ?? BLANK)])
}

/** Rows in columns: the first takes, or is cut to, what the others leave of `width`; those line up on the right. */
export function table(rows: readonly (readonly Line[])[], width: number, gap = 2): Line[] {
  const columns = Math.max(0, ...rows.map((row) => row.length))
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => widthOf(row[column] ?? BLANK))))
  const rest = widths.slice(1).reduce((sum, own) => sum + own + gap, 0)
  const first = Math.max(1, width - rest)
  return rows.map((row) => [
    ...pad(cut(row[0] ?? BLANK, first), first),
    ...widths.slice(1).flatMap((own, column) => [space(gap), ...pad(row[column + 1] ?? BLANK, own, 'right')]),
  ])
}

/** A heading with a rule to the right margin. */
export const heading = (title: string, width: number): Line =>
  [span(title, 'bold'), { text: ` ${'─'.repeat(Math.max(0, width - displayWidth(title) - 1))}`, ink: 'soft' }]

/** A sentence after a mark, wrapped and indented under itself. */
export const item = (mark: string, text: string, width: number, ink?: Ink): Line[] =>
  wrap(plain(text), width - displayWidth(mark) - 1).map((line, row) =>
    [span(row === 0 ? mark : ' '.repeat(displayWidth(mark)), ink), { text: ` ${line}` }])

/** A frame with round corners. Lines that are too long are cut, because a frame with holes is worse. */
export function box(lines: readonly Line[], width: number): Line[] {
  const inner = width - 4
  const edge = (text: string): Span => ({ text, ink: 'soft' })
  return [
    [edge(`╭${'─'.repeat(width - 2)}╮`)],
    ...lines.map((line) => [edge('│ '), ...pad(cut(line, inner), inner), edge(' │')]),
    [edge(`╰${'─'.repeat(width - 2)}╯`)],
  ]
}

/** The line's first `width` columns, with an ellipsis where something is missing. */
export function cut(line: Line, width: number): Line {
  if (widthOf(line) <= width) return line
  const kept: Span[] = []
  let left = width - 1
  for (const part of line) {
    let text = ''
    for (const character of part.text) {
      if (displayWidth(character) > left) return [...kept, { ...part, text: `${text}…` }]
      text += character
      left -= displayWidth(character)
    }
    kept.push({ ...part, text })
  }
  return kept
}

/** Lines as text, without spaces at their ends. */
export const paint = (lines: readonly Line[], colour: boolean): string => lines.map((line) => {
  const last = line.findLastIndex(({ text }) => text.trim() !== '')
  return line.slice(0, last + 1).map(({ text, ink }, index) => {
    const shown = index === last ? text.trimEnd() : text
    return colour && ink && shown.trim() !== '' ? `\u001B[${CODES[ink]}m${shown}\u001B[0m` : shown
  }).join('')
}).join('\n')
