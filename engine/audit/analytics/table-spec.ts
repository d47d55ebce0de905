import type { LineField } from './line-fields.ts'

export interface Column {
  readonly name: string
  /** DuckDB's. */
  readonly type: string
  /** One sentence, with the unit where there is one. */
  readonly about: string
  /** Where it comes from: an expression over the table's source. */
  readonly sql: string
  /** Fields of an audit line that the expression needs. */
  readonly reads: readonly LineField[]
}

export interface TableSpec {
  /** One sentence that says what a row is. */
  readonly about: string
  readonly columns: readonly Column[]
  /**
   * What follows FROM, where the table is made of audit lines (`trail.lines`, under the name l); null for those that have
   * files of their own.
   */
  readonly source: string | null
  /** Fields of an audit line that the source itself needs. */
  readonly reads: readonly LineField[]
}

type Row = readonly [name: string, type: string, about: string, sql: string, ...reads: LineField[]]

/** Columns from rows of name, type, description, expression and the fields that it reads. */
export const columns = (...rows: readonly Row[]): readonly Column[] =>
  rows.map(([name, type, about, sql, ...reads]) => ({ name, type, about, sql, reads }))

/** What identifies an audit line, at the beginning of every table that is made of them. */
export const LINE_KEY: readonly Row[] = [
  ['run', 'VARCHAR', 'The run: the name of its directory; joins with runs.run.', 'l.run'],
  ['seq', 'BIGINT', 'Number of the audit line within its run, from 1.', 'l.seq', 'seq'],
  ['time', 'TIMESTAMP', 'Time of the line on the market’s clock, UTC.', 'l."timestamp"', 'timestamp'],
  ['symbol', 'VARCHAR', 'The market, such as BTC/USDT.', 'l.symbol', 'symbol'],
]
