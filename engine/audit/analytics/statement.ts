import type { DuckDBConnection, DuckDBPreparedStatement } from '@duckdb/node-api'
import { messageOf, TapedeckError } from '../../errors.ts'
import { TABLE_NAMES, tableOf } from './schema.ts'

const GAP = String.raw`(?:\s|--[^\n]*(?:\n|$)|/\*(?:[^*]|\*(?!/))*\*/)`
const EXPLAIN = new RegExp(String.raw`^${GAP}*EXPLAIN(?:${GAP}+ANALYZE\b)?(?:${GAP}*\((?:[^()'"])*\))?${GAP}*`, 'i')
/** DuckDB makes SELECTs of some of them. */
const PRAGMA = new RegExp(String.raw`^${GAP}*PRAGMA\b`, 'i')
const EXPECTED = 'expected one SELECT or EXPLAIN over the tables of the runs'

/** Throws TD_QUERY unless the text is exactly one SELECT, or one EXPLAIN of a SELECT, that DuckDB can prepare. */
export async function checkStatement(connection: DuckDBConnection, sql: string): Promise<void> {
  const type = await typeOf(connection, sql)
  if (type === 'SELECT') return
  if (type !== 'EXPLAIN') throw refused(`this is a ${type} statement`)
  // EXPLAIN ANALYZE runs what it explains, whatever that is.
  const inner = EXPLAIN.test(sql) ? await typeOf(connection, sql.replace(EXPLAIN, '')) : 'statement of another kind'
  if (inner !== 'SELECT') throw refused(`this explains a ${inner}`)
}

async function typeOf(connection: DuckDBConnection, sql: string): Promise<string> {
  const { StatementType } = await import('@duckdb/node-api')
  const statement = await prepared(connection, sql)
  try {
    return PRAGMA.test(sql) ? 'PRAGMA' : StatementType[statement.statementType]
  } finally {
    statement.destroySync()
  }
}

async function prepared(connection: DuckDBConnection, sql: string): Promise<DuckDBPreparedStatement> {
  if (sql.includes('\0')) throw refused('the query holds a NUL character')
  let count: number
  try {
    const statements = await connection.extractStatements(sql)
    count = statements.count
    if (count === 1) return await statements.prepare(0)
  } catch (error) {
    // What is nothing but comments has no message of its own.
    if (!messageOf(error).includes(': ')) throw refused('the query is empty')
    throw explainMistake(error)
  }
  // One that DuckDB first has to look at the data for becomes several.
  if (/\bpivot\b/i.test(sql)) throw refused('PIVOT without the values to expect is more than one statement; write PIVOT … ON column IN (…)')
  throw refused(`these are ${count} statements`)
}

const refused = (what: string): TapedeckError => new TapedeckError('TD_QUERY', `${what}; ${EXPECTED}`)

/** What DuckDB says about a query, on one line, with what there is instead of what was not found. */
export function explainMistake(error: unknown): TapedeckError {
  const message = messageOf(error).replace(/^Failed to (?:extract statements|prepare)[^:]*: /, '')
  const [told] = message.split(/\n\s*\nLINE \d+: |\nLINE \d+: /)
  const what = told.replace(/\n?Did you mean "[^\n]*/, '').replace(/\n+/g, ' ').trim().replace(/[.!]$/, '')
  if (/disabled (?:by|through) configuration|configuration has been locked|Permission Error/i.test(message)) {
    return new TapedeckError('TD_QUERY', `the query may read the tables of the runs and nothing else (${what}); ${EXPECTED}`, { cause: error })
  }
  return new TapedeckError('TD_QUERY', `${what}${placeIn(message)}; ${hint(message)}`, { cause: error })
}

/** ` (line 1, column 8, at "foo")`. DuckDB marks the place with a caret below the line, of which it may show only a part. */
function placeIn(message: string): string {
  const found = /(?:^|\n)LINE (\d+): ([^\n]*)\n( *)\^/.exec(message)
  if (found === null) return ''
  const [, line, text, space] = found
  const at = space.length - `LINE ${line}: `.length
  const word = /^(?:\w+|"[^"]*"|'[^']*'|.)/u.exec(text.slice(at))?.[0]
  const column = text.startsWith('...') ? '' : `, column ${at + 1}`
  return ` (line ${line}${column}${word === undefined ? '' : `, at ${word}`})`
}

function hint(message: string): string {
  if (/Table with name|Table Function|Catalog .*table/i.test(message)) return `there are the tables ${TABLE_NAMES.join(', ')}`
  if (!/column|Binder Error/i.test(message)) return 'correct the query; `tapedeck query --schema` shows the tables and their columns'
  const named = TABLE_NAMES.filter((name) => new RegExp(String.raw`\b${name}\b`, 'i').test(message))
  return named.length === 0 ? '`tapedeck query --schema` shows the tables and their columns'
    : named.map((name) => `${name} has ${tableOf(name).columns.map((column) => column.name).join(', ')}`).join('; ')
}
