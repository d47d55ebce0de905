import type { DuckDBResultReader } from '@duckdb/node-api'
import { Analytics } from './database.ts'
import { everything } from './wanted.ts'
import { identifier } from './sql.ts'

/**
 * Writes a result as a Parquet file. The query ran in a database that reaches no file; only its rows come here, into a
 * database of our own in which nobody else's SQL is run.
 */
export async function writeParquet(reader: DuckDBResultReader, path: string): Promise<void> {
  const own = await Analytics.open([], everything([]))
  try {
    const types = reader.columnTypes()
    const columns = reader.deduplicatedColumnNames().map((name, index) => `${identifier(name)} ${String(types[index])}`)
    await own.connection.run(`CREATE TABLE result (${columns.join(', ')})`)
    const appender = await own.connection.createAppender('result')
    for (const row of reader.getRows()) {
      for (const [index, value] of row.entries()) {
        if (value === null) appender.appendNull()
        else appender.appendValue(value, types[index])
      }
      appender.endRow()
    }
    appender.closeSync()
    await own.write('SELECT * FROM result', path, 'parquet')
  } finally {
    own.close()
  }
}
