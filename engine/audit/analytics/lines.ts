import type { DuckDBConnection } from '@duckdb/node-api'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { messageOf, TapedeckError } from '../../errors.ts'
import { duckType, LINE_FIELDS, type LineField } from './line-fields.ts'
import { copyWhole, mend, tornBytes, type Flaw } from './mend.ts'
import { exactFile, identifier, literal } from './sql.ts'
import { trailOf, type Source } from './sources.ts'

/** What was found wrong with the trails while they were read. */
export interface Findings {
  readonly flaws: readonly Flaw[]
  /** Trails whose last line is not finished, with how many bytes there are of it. */
  readonly torn: readonly { readonly file: string; readonly bytes: number }[]
}

interface Trail {
  readonly run: string
  /** As the user knows it. */
  readonly path: string
  /** What is read: the trail, or a copy without what cannot be. */
  reads: string
}

/** DuckDB reads blocks of twice the longest line, and small ones quickest. A market line may hold a year of candles all the same. */
const USUAL = 4 << 20
const LONGEST = 256 << 20
const KNOWN = ['session', 'market', 'intent', 'order', 'fill', 'trade', 'provider', 'risk', 'alarm', 'operator', 'decision']

/**
 * Reads the sources' trails into `trail.lines`, of each line only `fields`. Nothing is left out in silence: where DuckDB
 * refuses a line, or the lines are not what their numbers say, the trails are gone through line by line to say which. A
 * line counts as damaged where it is none of a trail or where one of `fields` cannot be read.
 */
export async function loadLines(connection: DuckDBConnection, sources: readonly Source[], fields: ReadonlySet<LineField>): Promise<Findings> {
  await connection.run('CREATE SCHEMA trail')
  const trails = sources.flatMap((source): Trail[] => {
    const path = trailOf(source)
    return path === null ? [] : [{ run: source.run, path, reads: path }]
  })
  const wanted = [...new Set<LineField>(['type', 'seq', ...fields])]
  if (trails.length === 0) {
    await connection.run(`CREATE TABLE trail.lines (run VARCHAR, ${wanted.map((name) => `${identifier(name)} ${duckType(LINE_FIELDS[name])}`).join(', ')})`)
    return { flaws: [], torn: [] }
  }
  const copies = new Copies()
  try {
    const torn = cutTorn(trails, copies)
    if (await read(connection, trails, wanted)) return { flaws: [], torn }
    return await readMended(connection, trails, wanted, copies)
  } finally {
    copies.remove()
  }
}

/** Trails that are being appended are read up to their last whole line. */
function cutTorn(trails: readonly Trail[], copies: Copies): Findings['torn'] {
  return trails.flatMap((trail) => {
    const bytes = tornBytes(trail.path)
    if (bytes === 0) return []
    trail.reads = copies.next()
    copyWhole(trail.path, trail.reads)
    return [{ file: trail.path, bytes }]
  })
}

/** False where something is wrong with a line. */
async function read(connection: DuckDBConnection, trails: readonly Trail[], fields: readonly LineField[]): Promise<boolean> {
  try {
    await fillLines(connection, trails, fields)
  } catch (error) {
    if (!/out of memory/i.test(messageOf(error))) return false
    throw new TapedeckError('TD_QUERY', 'the trails do not fit into memory; choose fewer runs with --runs, or name the columns that are needed', { cause: error })
  }
  const types = KNOWN.map(literal).join(', ')
  const lost = await connection.runAndReadAll('SELECT count(*) FROM trail.lines WHERE run IS NULL')
  if (lost.getRows()[0][0] !== 0n) throw new Error('lines came from a file that nobody asked for')
  const found = await connection.runAndReadAll(
    'SELECT count(*) FROM (SELECT count(*) AS lines, min(seq) AS first, max(seq) AS last, '
    + `count(*) FILTER (type IS NULL OR seq IS NULL OR type NOT IN (${types})) AS strange FROM trail.lines GROUP BY run) `
    + 'WHERE strange > 0 OR first <> 1 OR last <> lines')
  return found.getRows()[0][0] === 0n
}

/** Slow, and only for trails that something is wrong with. */
async function readMended(
  connection: DuckDBConnection, trails: readonly Trail[], fields: readonly LineField[], copies: Copies,
): Promise<Findings> {
  const flaws: Flaw[] = []
  const torn: { file: string; bytes: number }[] = []
  for (const trail of trails) {
    trail.reads = copies.next()
    const mended = mend(trail.path, trail.reads, fields)
    for (const flaw of mended.flaws) flaws.push(flaw)
    if (mended.torn > 0) torn.push({ file: trail.path, bytes: mended.torn })
  }
  try {
    await fillLines(connection, trails, fields)
  } catch (error) {
    const [first] = messageOf(error).split('\n')
    throw new TapedeckError('TD_TRAIL_BROKEN', `${trails.length === 1 ? trails[0].path : 'one of the trails'}: cannot be read (${first}); restore the file`,
      { cause: error })
  }
  return { flaws, torn }
}

async function fillLines(connection: DuckDBConnection, trails: readonly Trail[], fields: readonly LineField[], longest = USUAL): Promise<void> {
  try {
    await connection.run(`CREATE OR REPLACE TABLE trail.lines AS ${selection(trails, fields, longest)}`)
  } catch (error) {
    if (longest === LONGEST || !messageOf(error).includes('maximum_object_size')) throw error
    await fillLines(connection, trails, fields, LONGEST)
  }
}

function selection(trails: readonly Trail[], fields: readonly LineField[], longest: number): string {
  const types = fields.map((name) => `${identifier(name)}: ${literal(duckType(LINE_FIELDS[name]))}`).join(', ')
  const names = fields.map((name) => `l.${identifier(name)}`).join(', ')
  const from = `read_json([${trails.map(({ reads }) => exactFile(reads)).join(', ')}], columns={${types}}, format='newline_delimited', `
    + `records='true', auto_detect=false, compression='uncompressed', hive_partitioning=false, union_by_name=false, `
    + `filename=${trails.length > 1}, maximum_object_size=${longest})`
  if (trails.length === 1) return `SELECT ${literal(trails[0].run)} AS run, ${names} FROM ${from} l`
  const runs = trails.map(({ reads, run }) => `(${literal(reads)}, ${literal(run)})`).join(', ')
  return `SELECT s.run, ${names} FROM ${from} l LEFT JOIN (VALUES ${runs}) s(file, run) ON l.filename = s.file`
}

/** Copies of trails in a folder of their own, which is made when it is needed. */
class Copies {
  #folder: string | null = null
  #count = 0

  next(): string {
    this.#folder ??= mkdtempSync(join(tmpdir(), 'tapedeck-query-'))
    return join(this.#folder, `${++this.#count}.jsonl`)
  }

  remove(): void {
    if (this.#folder !== null) rmSync(this.#folder, { recursive: true, force: true })
  }
}
