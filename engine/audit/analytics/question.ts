import type { DuckDBResultReader } from '@duckdb/node-api'
import { messageOf, TapedeckError } from '../../errors.ts'
import { Analytics, NOT_LOADED } from './database.ts'
import type { Findings } from './lines.ts'
import { checkStatement, explainMistake } from './statement.ts'
import type { Source } from './sources.ts'
import { everything, wantedBy, type Wanted } from './wanted.ts'

export interface Answer {
  readonly reader: DuckDBResultReader
  readonly findings: Findings
}

/**
 * Asks a question that somebody else wrote: exactly one SELECT or EXPLAIN, over the tables and nothing else. Throws TD_QUERY
 * for anything that is not that, and for mistakes in it.
 */
export async function ask(sources: readonly Source[], sql: string, signal?: AbortSignal): Promise<Answer> {
  const wanted = wantedBy(sql)
  try {
    return await asked(sources, sql, wanted, signal)
  } catch (error) {
    if (!messageOf(error).includes(NOT_LOADED)) throw error
    return asked(sources, sql, everything(wanted.tables), signal)
  }
}

async function asked(sources: readonly Source[], sql: string, wanted: Wanted, signal?: AbortSignal): Promise<Answer> {
  // Before anything is loaded: a mistake need not wait for that.
  const empty = await Analytics.open([], everything(wanted.tables))
  try {
    await empty.lock()
    await checkStatement(empty.connection, sql)
  } finally {
    empty.close()
  }
  const analytics = await Analytics.open(sources, wanted)
  const stop = (): void => { analytics.connection.interrupt() }
  signal?.addEventListener('abort', stop)
  try {
    await analytics.lock()
    await checkStatement(analytics.connection, sql)
    // Never a stream: one ends in silence where an error should be.
    return { reader: await analytics.connection.runAndReadAll(sql), findings: analytics.findings }
  } catch (error) {
    if (error instanceof TapedeckError || signal?.aborted === true) throw error
    throw explainMistake(error)
  } finally {
    signal?.removeEventListener('abort', stop)
    analytics.close()
  }
}
