import type { LineField } from './line-fields.ts'
import { TABLE_NAMES, tableOf, type TableName } from './schema.ts'
import type { Column } from './table-spec.ts'

/** Which tables are to be loaded, and which of their columns. */
export interface Wanted {
  readonly tables: readonly TableName[]
  readonly has: (column: Column) => boolean
}

export const everything = (tables: readonly TableName[] = TABLE_NAMES): Wanted => ({ tables, has: () => true })

/**
 * What a query names. A trail of a million lines is read several times as fast when most of it is left alone. Where a query
 * may mean columns without naming them, or swallow the error that an absent one would be, all are wanted.
 */
export function wantedBy(sql: string): Wanted {
  const words = new Set(sql.toLowerCase().match(/\w+/g))
  const tables = TABLE_NAMES.filter((name) => words.has(name))
  const counted = sql.replaceAll(/\bcount\s*\(\s*\*\s*\)/gi, '')
  if (counted.includes('*') || words.has('try') || words.has('columns')) return everything(tables)
  return { tables, has: ({ name }) => words.has(name) }
}

/** Fields of an audit line that have to be read for that; null where no table is made of lines. */
export function fieldsFor({ tables, has }: Wanted): ReadonlySet<LineField> | null {
  const made = tables.map(tableOf).filter(({ source }) => source !== null)
  if (made.length === 0) return null
  return new Set(made.flatMap(({ reads, columns }) => [...reads, ...columns.filter(has).flatMap((column) => column.reads)]))
}
