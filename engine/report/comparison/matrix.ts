import type { Cell } from '../../compare/comparison.ts'
import { percent } from '../format.ts'
import { pad, span, widthOf, type Ink, type Line, type Span } from '../terminal-layout.ts'
import { plain, wrap } from '../text.ts'
import { badgesText, COLUMNS, MARKS, type Column } from './columns.ts'
import { axisName, baselineReturn, shortName, type BaselineRow } from './rows.ts'

const GAP = 2

export interface MatrixInput {
  readonly cells: readonly Cell[]
  readonly baselines: readonly BaselineRow[]
  readonly varying: readonly string[]
  readonly width: number
}

export interface Matrix {
  readonly lines: readonly Line[]
  /** Titles of the columns for which there was no room. */
  readonly left: readonly string[]
}

interface Row {
  readonly marks: string
  readonly name: string
  readonly bold: boolean
  readonly badges: string
  readonly figures: Readonly<Record<string, Span>>
}

const sign = (value: number | null): Ink | undefined => (value === null || value === 0 ? undefined : value > 0 ? 'up' : 'down')

function rowOf(cell: Cell, varying: readonly string[]): Row {
  const best = cell.badges.some(({ kind }) => kind === 'best')
  return {
    marks: cell.badges.map(({ kind }) => MARKS[kind]).join(''),
    name: plain(shortName(cell, varying)),
    bold: best,
    badges: badgesText(cell),
    figures: Object.fromEntries(COLUMNS.map((column) => [column.key, span(column.text(cell), column.signed && sign(column.value(cell)))])),
  }
}

const baselineRow = (row: BaselineRow): Row => ({
  marks: MARKS.baseline,
  name: row.name,
  bold: false,
  badges: `${MARKS.baseline} baseline`,
  figures: {
    netReturn: span(baselineReturn(row), sign(row.netReturn)),
    ...(row.maxDrawdown === null ? {} : { maxDrawdown: span(percent(row.maxDrawdown)) }),
  },
})

const widest = (lines: readonly Line[]): number => Math.max(0, ...lines.map(widthOf))

/**
 * One row per cell. Where there is no room, badges shrink to their signs, then columns go, the least important first; where a name still has none
 * it stands on a line of its own, because a name that is cut may be another cell's.
 */
export function matrix({ cells, baselines, varying, width }: MatrixInput): Matrix {
  const rows = [...cells.map((cell) => rowOf(cell, varying)), ...baselines.map(baselineRow)]
  const title = varying.length === 0 ? 'Cell' : varying.map(axisName).join(' · ')
  const marks = widest(rows.map((row) => [span(row.marks)])) + 1
  const name = widest(rows.map((row) => [span(row.name)]))
  const badges = widest(rows.map((row) => [span(row.badges)])) + GAP
  const widths = new Map(COLUMNS.map(({ key, title: head }) => [key, Math.max(widest([[span(head)]]), widest(rows.map(({ figures }) => [figures[key] ?? span('')])))]))
  const needed = (columns: readonly Column[]): number => columns.reduce((sum, { key }) => sum + GAP + (widths.get(key) ?? 0), marks + name)

  let columns = COLUMNS
  const words = needed(columns) + badges <= width
  const leaving = COLUMNS.filter(({ leave }) => leave > 0).toSorted((a, b) => b.leave - a.leave)
  for (const least of leaving) if (needed(columns) > width) columns = columns.filter((column) => column !== least)
  const stacked = needed(columns) > width
  const ownLine = stacked || widest([[span(title)]]) > name

  const line = (sign: string, first: Line, figures: readonly Line[], after: string): Line => [
    ...pad([span(sign)], marks), ...(stacked ? [] : pad(first, name)),
    ...figures.flatMap((figure, index) => [span(' '.repeat(stacked && index === 0 ? 0 : GAP)), ...pad(figure, widths.get(columns[index].key) ?? 0, 'right')]),
    ...(words ? [span(' '.repeat(GAP)), span(after)] : []),
  ]
  const above = ({ marks: signs, name: text, bold }: Row): Line[] =>
    wrap(text, width - marks).map((part, row) => [...pad([span(row === 0 ? signs : '')], marks), span(part, bold ? 'bold' : undefined)])
  return {
    lines: [
      // A title that is wider than all names would push figures out.
      ...(ownLine ? wrap(title, width - marks).map((part) => [...pad([], marks), span(part, 'soft')]) : []),
      line('', ownLine ? [] : [span(title, 'soft')], columns.map((column) => [span(column.title, 'soft')]), ''),
      ...rows.flatMap((row) => [
        ...(stacked ? above(row) : []),
        line(stacked ? '' : row.marks, [span(row.name, row.bold ? 'bold' : undefined)], columns.map(({ key }) => [row.figures[key] ?? span('')]), row.badges),
      ]),
    ],
    left: COLUMNS.filter((column) => !columns.includes(column)).map((column) => column.title),
  }
}
