import type { DuckDBConnection } from '@duckdb/node-api'
import { readFileSync } from 'node:fs'
import { messageOf, TapedeckError } from '../../errors.ts'
import { runRow } from './run-rows.ts'
import { tableOf } from './schema.ts'
import { equityOf, type Source } from './sources.ts'
import { identifier, literal } from './sql.ts'

export async function fillRuns(connection: DuckDBConnection, sources: readonly Source[]): Promise<void> {
  const { columns } = tableOf('runs')
  const shape = JSON.stringify(Object.fromEntries(columns.map(({ name, type }) => [name, type === 'JSON' ? 'VARCHAR' : type])))
  const cells = columns.map(({ name, type }) => `(r.${identifier(name)})::${type}`).join(', ')
  await connection.run(
    `INSERT INTO runs SELECT ${cells} FROM (SELECT unnest(from_json_strict($1, ${literal(`[${shape}]`)})) AS r)`,
    [JSON.stringify(sources.map(runRow)).replaceAll(/\\u[dD][89a-fA-F][\da-fA-F]{2}/g, '\\ufffd')])
}

const HEADER = 'date,equity'
const ROW = /^(\d{4}-\d\d-\d\d),(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/

/** Days are few, so that they are read by hand: a damaged line is named, and a number is the one that the run wrote. */
export async function fillEquity(connection: DuckDBConnection, sources: readonly Source[]): Promise<void> {
  const appender = await connection.createAppender('equity')
  const { DuckDBDateValue } = await import('@duckdb/node-api')
  for (const source of sources) {
    const path = equityOf(source)
    if (path === null) continue
    for (const [date, equity] of equityRows(path)) {
      appender.appendVarchar(source.run)
      appender.appendDate(new DuckDBDateValue(Date.parse(date) / 86_400_000))
      appender.appendDouble(equity)
      appender.endRow()
    }
  }
  appender.closeSync()
}

function* equityRows(path: string): Iterable<readonly [date: string, equity: number]> {
  const lines = textIn(path).trimEnd().split('\n')
  for (const [index, line] of lines.entries()) {
    const row = ROW.exec(line)
    if (index === 0 ? line === HEADER : row !== null && Number.isFinite(Date.parse(row[1]))) {
      if (index > 0) yield [row![1], Number(row![2])]
      continue
    }
    throw new TapedeckError('TD_TRAIL_BROKEN', `${path}: line ${index + 1} is damaged, expected ${index === 0 ? HEADER : 'a date and a number'}; restore the file`)
  }
}

function textIn(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new TapedeckError('TD_TRAIL_BROKEN', `${path}: cannot be read (${messageOf(error)}); restore the file`, { cause: error })
  }
}
