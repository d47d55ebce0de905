import { UNDEFINED } from './format.ts'
import { cut, pad, paint, span, widthOf, type Line } from './terminal-layout.ts'
import { displayWidth, plain } from './text.ts'

/** What a query gave, as plain values. */
export interface ResultTable {
  readonly columns: readonly { readonly name: string; readonly isNumber: boolean }[]
  readonly rows: readonly (readonly unknown[])[]
}

const GAP = 2
/** Narrower than this a column says nothing. */
const NARROWEST = 6
const DIGITS = 8

/** A result for reading: columns under their names, numbers on the right, cut where `width` asks for it. */
export function resultText({ columns, rows }: ResultTable, width: number, colour: boolean): string {
  // A plan is a drawing of its own.
  if (columns.length === 2 && columns[0].name === 'explain_key') return rows.map((row) => String(row[1])).join('\n')
  const cells = rows.map((row) => row.map(shown))
  const widths = fitted(columns.map(({ name }, index) => longest(name, cells, index)), width)
  const line = (texts: readonly string[], ink?: 'bold'): Line => texts.flatMap((text, index) => {
    const own = cut([span(text, ink)], widths[index])
    return [...(index === 0 ? [] : [{ text: ' '.repeat(GAP) }]), ...pad(own, widths[index], columns[index].isNumber ? 'right' : 'left')]
  })
  const lines = [line(columns.map(({ name }) => name), 'bold'), ...cells.map((row) => line(row))]
  const fits = lines.map((one) => (widthOf(one) > width ? cut(one, width) : one))
  return `${paint(fits, colour)}\n${rows.length.toLocaleString('en')} ${rows.length === 1 ? 'row' : 'rows'}`
}

function longest(name: string, cells: readonly (readonly string[])[], index: number): number {
  let width = displayWidth(plain(name))
  for (const row of cells) width = Math.max(width, displayWidth(plain(row[index])))
  return width
}

/** The widest columns give until all fit. */
function fitted(natural: readonly number[], width: number): number[] {
  const widths = [...natural]
  let over = widths.reduce((sum, own) => sum + own, GAP * (widths.length - 1)) - width
  while (over > 0) {
    const widest = Math.max(...widths)
    if (widest <= NARROWEST) break
    const next = Math.max(NARROWEST, ...widths.filter((own) => own < widest))
    for (let index = 0; index < widths.length && over > 0; index++) {
      if (widths[index] !== widest) continue
      const given = Math.min(over, widest - next)
      widths[index] -= given
      over -= given
    }
  }
  return widths
}

function shown(value: unknown): string {
  if (value === null || value === undefined) return UNDEFINED
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(DIGITS)))
  return (typeof value === 'string' ? value : JSON.stringify(value)).replaceAll(/\s*\n\s*/g, ' ')
}

/** The same as RFC 4180 says: CRLF at the end of each row, quotes where they are needed, nothing for null. */
export function resultCsv({ columns, rows }: ResultTable): string {
  const row = (values: readonly unknown[]): string => `${values.map(csvCell).join(',')}\r\n`
  return [row(columns.map(({ name }) => name)), ...rows.map(row)].join('')
}

function csvCell(value: unknown): string {
  if (value === null || value === undefined) return ''
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return /[",\r\n]/.test(text) || text === '' ? `"${text.replaceAll('"', '""')}"` : text
}

/** The same as objects by column. */
export const resultRows = ({ columns, rows }: ResultTable): Record<string, unknown>[] =>
  rows.map((row) => Object.fromEntries(row.map((value, index) => [columns[index].name, value])))
