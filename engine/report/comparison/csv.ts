import type { Comparison } from '../../compare/comparison.ts'
import { COLUMNS } from './rows.ts'

const field = (value: string | number | null): string => {
  const text = value === null ? '' : String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** One row per cell, RFC 4180 with a header; axes follow the figures. What is not known is empty. */
export function comparisonCsv({ cells, axes }: Comparison): string {
  const header = [...COLUMNS.map(([name]) => name), ...axes.map(({ key }) => `axis.${key}`)]
  const rows = cells.map((cell) => [...COLUMNS.map(([, of]) => of(cell)), ...axes.map(({ key }) => cell.labels[key] ?? null)])
  return [header, ...rows].map((row) => `${row.map(field).join(',')}\r\n`).join('')
}
