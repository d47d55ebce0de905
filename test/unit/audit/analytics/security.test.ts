import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask } from '../../../../engine/audit/analytics/question.ts'
import { findSources } from '../../../../engine/audit/analytics/sources.ts'
import { plainTable } from '../../../../engine/audit/analytics/values.ts'
import { TapedeckError } from '../../../../engine/errors.ts'
import { putRun, trailText } from '../../../support/hand-made-run.ts'

const folder = mkdtempSync(join(tmpdir(), 'tapedeck-security-'))
const trail = join(folder, 'one/audit.jsonl')
const loot = join(folder, 'loot')
beforeAll(() => {
  putRun(folder)
  writeFileSync(join(folder, 'secret.csv'), 'key\nhunter2\n')
})
afterAll(() => { rmSync(folder, { recursive: true, force: true }) })

const listed = (): string[] => readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()

async function refusal(sql: string): Promise<string> {
  const before = listed()
  const error = await ask(findSources(folder, ['one']), sql).then(() => null, (thrown: unknown) => thrown)
  expect(error, sql).toBeInstanceOf(TapedeckError)
  const { code, message } = error as TapedeckError
  expect(code).toBe('TD_QUERY')
  expect(message).not.toContain('\n')
  expect(message).not.toContain('hunter2')
  expect(listed()).toEqual(before)
  expect(readFileSync(trail, 'utf8')).toBe(trailText())
  expect(existsSync(loot)).toBe(false)
  return message
}

describe('a query that wants more than to read tables', () => {
  it.each([
    `COPY (SELECT 1) TO '${trail}'`, `COPY trades TO '${loot}'`, `copy trades from '${trail}'`, `COPY FROM DATABASE memory TO x`,
    `ATTACH '${loot}' AS x`, `ATTACH ':memory:' AS x`, `EXPORT DATABASE '${loot}'`, `IMPORT DATABASE '${loot}'`, 'INSTALL httpfs', 'LOAD httpfs',
    'SET enable_external_access=true', 'RESET enable_external_access', 'SET threads=1', `SET temp_directory='${loot}'`, 'PRAGMA database_list', 'EXPLAIN PRAGMA database_list', 'CALL pragma_version()',
    'CREATE TABLE x AS SELECT 1', 'DROP VIEW trades', 'DELETE FROM trail.lines', 'UPDATE trail.lines SET seq = 1', 'INSERT INTO trail.lines SELECT * FROM trail.lines',
    'CHECKPOINT', 'VACUUM', 'BEGIN', 'PREPARE x AS SELECT 1', `CREATE SECRET (TYPE S3)`, `DETACH memory`, 'USE memory',
    `FROM read_text('${join(folder, 'secret.csv')}')`, `SELECT * FROM read_blob('${trail}')`, `SELECT * FROM read_csv('${join(folder, 'secret.csv')}')`,
    `SELECT * FROM read_json('${trail}')`, `SELECT * FROM '${join(folder, 'secret.csv')}'`, `SELECT * FROM glob('${folder}/*')`,
    `SELECT * FROM read_parquet('${loot}')`, `SELECT * FROM sniff_csv('${join(folder, 'secret.csv')}')`, `SELECT getenv('PATH')`,
    `WITH x AS (SELECT * FROM read_text('${trail}')) SELECT * FROM x, trades`, `SELECT (SELECT content FROM read_text('${join(folder, 'secret.csv')}'))`,
    `FROM query('SELECT * FROM read_text(''${trail}'')')`, `FROM query_table('${join(folder, 'secret.csv')}')`,
    `EXPLAIN ANALYZE COPY (SELECT 1) TO '${trail}'`, `EXPLAIN COPY (SELECT 1) TO '${loot}'`, `EXPLAIN ANALYZE ATTACH '${loot}'`, 'EXPLAIN ANALYZE SET threads=1',
    'EXPLAIN ANALYZE DELETE FROM trail.lines', 'explain analyze create table x as select 1', `EXPLAIN/*a*/ANALYZE--b\n DELETE FROM trail.lines`,
    'EXPLAIN (FORMAT json) DELETE FROM trail.lines', 'EXPLAIN EXPLAIN DELETE FROM trail.lines', `EXPLAIN ANALYZE SELECT * FROM read_text('${trail}')`,
    'SELECT 1; SELECT 2', `SELECT 1; COPY trades TO '${loot}'`, `SELECT 1; -- two\nCOPY trades TO '${loot}'`, `/* SELECT */ COPY trades TO '${loot}'`,
    `-- SELECT\nCOPY trades TO '${loot}'`, `SELECT 1 /* ; */; /* */ ATTACH '${loot}'`, '', ' \n', ';', '-- nothing', '/* nothing */', 'SELECT 1\0',
  ])('is refused, and no file is touched: %s', async (sql) => {
    await refusal(sql)
  })

  it('is told what it may do', async () => {
    expect(await refusal('SELECT 1; SELECT 2')).toBe('these are 2 statements; expected one SELECT or EXPLAIN over the tables of the runs')
    expect(await refusal('CREATE TABLE x AS SELECT 1')).toMatch(/^this is a CREATE statement; expected one SELECT/)
    expect(await refusal('EXPLAIN ANALYZE CREATE TABLE x AS SELECT 1')).toContain('this explains a CREATE; expected')
    expect(await refusal(`FROM read_text('${trail}')`)).toMatch(/^the query may read the tables of the runs and nothing else/)
    expect(await refusal('')).toMatch(/^the query is empty/)
  })

  it('is told where its mistake is, and what there is instead', async () => {
    expect(await refusal('SELECT foo FROM trades')).toMatch(/"foo" not found.*\(line 1, column 8, at foo\); trades has run, seq, time, symbol, entry_time/)
    expect(await refusal('SELECT 1\nFROM nowhere')).toMatch(/nowhere does not exist \(line 2, column 6, at nowhere\); there are the tables runs, decisions/)
    expect(await refusal('SELEC 1')).toMatch(/syntax error at or near "SELEC" \(line 1, column 1, at SELEC\)/)
    expect(await refusal("SELECT 'a'::INT FROM trades")).toContain('Could not convert')
    expect(await refusal('PIVOT trades ON reason USING count(*)')).toContain('write PIVOT … ON column IN (…)')
  })
})

describe('a query that only reads', () => {
  it.each([
    'SELECT count(*) FROM trades;', ' -- comment\nSELECT count(*) FROM trades', '/* a; b */ SELECT count(*) FROM trades', 'FROM trades SELECT count(*)',
    "SELECT count(*) FROM trades WHERE reason <> '; COPY x TO y'", 'WITH x AS (FROM trades) SELECT count(*) FROM x', '(SELECT count(*) FROM trades)',
    'SELECT count(*) FROM main.trades', 'SELECT COUNT(*) FROM Trades', 'SELECT count(*) FROM "trades"',
  ])('is answered: %s', async (sql) => {
    expect(plainTable((await ask(findSources(folder, ['one']), sql)).reader).rows).toEqual([[2]])
  })

  it.each(['EXPLAIN SELECT pnl FROM trades', 'explain analyze select pnl from trades', '/* x */ EXPLAIN (FORMAT json) SELECT pnl FROM trades'])(
    'or explains one is answered: %s', async (sql) => {
      expect(JSON.stringify(plainTable((await ask(findSources(folder, ['one']), sql)).reader).rows)).toMatch(/SCAN|scan/)
    })
})
