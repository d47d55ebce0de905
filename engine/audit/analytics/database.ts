import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { availableParallelism, totalmem } from 'node:os'
import { messageOf, TapedeckError } from '../../errors.ts'
import { loadLines, type Findings } from './lines.ts'
import { fillEquity, fillRuns } from './run-files.ts'
import { TABLE_NAMES, tableOf, type TableName } from './schema.ts'
import type { Source } from './sources.ts'
import { identifier, literal } from './sql.ts'
import { everything, fieldsFor, type Wanted } from './wanted.ts'

const MEMORY_SHARE = 0.6

/** Said by a column that was not loaded: whoever hears it loads all and asks again. */
export const NOT_LOADED = 'this column was not loaded'

const SETTINGS: Readonly<Record<string, string>> = {
  // Nothing is fetched from anywhere, and nothing is left in the working folder.
  autoinstall_known_extensions: 'false', autoload_known_extensions: 'false', allow_community_extensions: 'false', temp_directory: '',
}

/**
 * Trails of chosen runs as tables of a database in memory. The files stay the truth: nothing is ever written to them, and
 * once it is locked the database cannot reach any file.
 */
export class Analytics {
  readonly connection: DuckDBConnection
  readonly findings: Findings
  readonly #instance: DuckDBInstance

  private constructor(instance: DuckDBInstance, connection: DuckDBConnection, findings: Findings) {
    this.#instance = instance
    this.connection = connection
    this.findings = findings
  }

  /**
   * Loads `wanted` of the sources; left out = all tables. Lines that cannot be used are in `findings`, never in a table.
   * Throws TD_TRAIL_BROKEN for a file that cannot be read at all.
   */
  static async open(sources: readonly Source[], wanted: Wanted = everything()): Promise<Analytics> {
    const { DuckDBInstance } = await import('@duckdb/node-api')
    const instance = await DuckDBInstance.create(':memory:', {
      ...SETTINGS, memory_limit: `${Math.round((totalmem() * MEMORY_SHARE) / 2 ** 20)}MiB`, threads: String(availableParallelism()),
    })
    const connection = await instance.connect()
    try {
      return new Analytics(instance, connection, await fill(connection, sources, wanted))
    } catch (error) {
      connection.closeSync()
      instance.closeSync()
      throw error
    }
  }

  /** From here on no statement reaches a file or another database, or changes that. */
  async lock(): Promise<void> {
    await this.connection.run('SET enable_external_access=false')
    await this.connection.run('SET lock_configuration=true')
  }

  /** Rows of a query of our own, by column, as plain values. */
  async rows(sql: string): Promise<Record<string, unknown>[]> {
    const { plainRows } = await import('./values.ts')
    return plainRows(await this.connection.runAndReadAll(sql))
  }

  /** Writes a whole table, or what a query of our own gives, as a file. Only before {@link lock}. */
  async write(query: string, path: string, format: 'parquet' | 'csv'): Promise<void> {
    const options = format === 'parquet' ? 'FORMAT parquet' : `FORMAT csv, HEADER, TIMESTAMPFORMAT '%Y-%m-%dT%H:%M:%S.%gZ'`
    await this.connection.run(`COPY (${query}) TO ${literal(path)} (${options})`)
  }

  close(): void {
    this.connection.closeSync()
    this.#instance.closeSync()
  }
}

async function fill(connection: DuckDBConnection, sources: readonly Source[], wanted: Wanted): Promise<Findings> {
  const fields = fieldsFor(wanted)
  const findings = fields === null ? { flaws: [], torn: [] } : await loadLines(connection, sources, fields)
  for (const name of TABLE_NAMES.filter((one) => wanted.tables.includes(one))) {
    try {
      await makeTable(connection, name, sources, wanted, fields ?? new Set())
    } catch (error) {
      if (error instanceof TapedeckError) throw error
      throw new Error(`the table ${name} cannot be made: ${messageOf(error)}`, { cause: error })
    }
  }
  return findings
}

async function makeTable(
  connection: DuckDBConnection, name: TableName, sources: readonly Source[], { has }: Wanted, fields: ReadonlySet<string>,
): Promise<void> {
  const { columns, source } = tableOf(name)
  if (source === null) {
    await connection.run(`CREATE TABLE ${name} (${columns.map((one) => `${identifier(one.name)} ${one.type}`).join(', ')})`)
    return name === 'runs' ? fillRuns(connection, sources) : fillEquity(connection, sources)
  }
  // Over a table, not over files: what is locked away afterwards is not needed again.
  const chosen = columns.map((column) => {
    const loaded = has(column) || column.reads.every((field) => fields.has(field))
    return `(${loaded ? column.sql : `error(${literal(NOT_LOADED)})`})::${column.type} AS ${identifier(column.name)}`
  })
  await connection.run(`CREATE VIEW ${name} AS SELECT ${chosen.join(', ')} FROM ${source}`)
}
