import { appendFileSync, existsSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { QUESTIONS } from '../../engine/audit/analytics/questions.ts'
import { TABLE_NAMES } from '../../engine/audit/analytics/schema.ts'
import { putRun, trailText } from '../support/hand-made-run.ts'
import { scenario, workspace, type Workspace } from '../support/cli.ts'

/** A workspace with a hand-made run and a cell. */
function filled(): Workspace {
  const here = workspace()
  putRun(here.path('runs'))
  putRun(here.path('runs'), 'cells/a1')
  return here
}

describe.concurrent('tapedeck query', () => {
  it('asks all runs, or some', async () => {
    const here = filled()
    const sql = 'SELECT run, reason, pnl FROM trades ORDER BY run, seq'
    expect((await here.succeeds(['query', sql])).stdout)
      .toBe('run  reason   pnl\na1   target    55\na1   stop    -105\none  target    55\none  stop    -105\n4 rows\n')
    expect(await here.json(['query', sql, '--runs', 'one'])).toEqual([{ run: 'one', reason: 'target', pnl: 55 }, { run: 'one', reason: 'stop', pnl: -105 }])
    expect(await here.json(['query', sql, '--runs', 'cells/*', '--runs', 'o*'])).toHaveLength(4)
    expect((await here.succeeds(['query', `${sql} LIMIT 0`])).stdout).toMatch(/\n0 rows\n$/)
    expect((await here.succeeds(['query', 'SELECT 1 AS a', '--folder', 'runs'])).stdout).toBe('a\n1\n1 row\n')
  })

  it('writes what others read: whole numbers, ISO times, null for what is none', async () => {
    const here = filled()
    const sql = "SELECT 9007199254740993 AS big, 3::BIGINT AS n, 'NaN'::DOUBLE AS nan, 1e308::DOUBLE * 10 AS inf, time, NULL AS none, 'a\"b,c' AS text, [1, 2] AS list FROM trades WHERE run = 'one' LIMIT 1"
    expect(await here.json(['query', sql])).toEqual([{
      big: '9007199254740993', n: 3, nan: null, inf: null, time: '2024-01-01T13:00:00.000Z', none: null, text: 'a"b,c', list: [1, 2] }])
    expect((await here.succeeds(['query', sql, '--format', 'csv'])).stdout)
      .toBe('big,n,nan,inf,time,none,text,list\r\n9007199254740993,3,,,2024-01-01T13:00:00.000Z,,"a""b,c","[1,2]"\r\n')
  })

  it('writes files whole, of the kind that their name says', async () => {
    const here = filled()
    for (const name of ['a.json', 'a.csv', 'deep/a.parquet', 'a.txt']) {
      const { stdout } = await here.succeeds(['query', 'SELECT seq, pnl, time FROM trades WHERE run = \'one\' ORDER BY seq', '--out', name])
      expect(stdout).toBe('')
    }
    expect(JSON.parse(here.read('a.json'))).toEqual([{ seq: 12, pnl: 55, time: '2024-01-01T13:00:00.000Z' }, { seq: 19, pnl: -105, time: '2024-01-02T20:00:00.000Z' }])
    expect(here.read('a.csv')).toBe('seq,pnl,time\r\n12,55,2024-01-01T13:00:00.000Z\r\n19,-105,2024-01-02T20:00:00.000Z\r\n')
    expect(here.read('a.txt')).toContain('2 rows')
    expect(await parquet(here, 'deep/a.parquet')).toEqual([['12', 55, '2024-01-01 13:00:00'], ['19', -105, '2024-01-02 20:00:00']])
    expect([...here.list(), ...here.list('deep')].filter((name) => name.startsWith('.'))).toEqual([])
  })

  it('knows ready-made questions and describes its tables', async () => {
    const here = filled()
    const { stdout } = await here.succeeds(['query', '--list'])
    for (const { name } of QUESTIONS) expect(stdout).toMatch(new RegExp(`^${name} `, 'm'))
    expect(await here.json(['query', 'exits', '--runs', 'one'])).toMatchObject([{ reason: 'stop', pnl: -105 }, { reason: 'target', pnl: 55 }])
    const schema = (await here.succeeds(['query', '--schema'])).stdout
    for (const table of TABLE_NAMES) expect(schema).toMatch(new RegExp(`^${table}$`, 'm'))
    expect((await here.succeeds(['query', '--schema', 'trades'])).stdout).toMatch(/pnl +DOUBLE +Won or lost after all fees, quote\./)
    expect(await here.json(['query', '--schema', 'equity'])).toMatchObject([{ table: 'equity', columns: [{ name: 'run' }, { name: 'date', type: 'DATE' }, { name: 'equity' }] }])
    await here.refuses(['query', '--schema', 'trade'], 'TD_USAGE', ['Did you mean "trades"?'])
    await here.refuses(['query', 'exit'], 'TD_USAGE', ['Did you mean "exits"?'])
  })

  it('refuses what is not one reading query, and touches no file', async () => {
    const here = filled()
    const trail = here.path('runs/one/audit.jsonl')
    for (const sql of [`COPY (SELECT 1) TO '${trail}'`, `ATTACH '${trail}' AS x`, 'SET threads=1', "EXPORT DATABASE 'x'", `SELECT * FROM read_text('${trail}')`, 'SELECT 1; SELECT 2']) {
      await here.refuses(['query', sql], 'TD_QUERY', ['expected one SELECT or EXPLAIN'])
    }
    await here.refuses(['query', 'SELECT foo FROM trades'], 'TD_QUERY', ['line 1, column 8', 'trades has run, seq'])
  })

  it('refuses what it cannot do', async () => {
    const here = filled()
    here.put('folder/x', '')
    await here.refuses(['query'], 'TD_USAGE', ['give one SELECT or the name of a question'])
    await here.refuses(['query', 'SELECT 1', '--folder', 'nowhere'], 'TD_RUN_MISSING', ['there is no folder nowhere'])
    await here.refuses(['query', 'SELECT 1', '--runs', 'two'], 'TD_RUN_MISSING', ['runs holds one'])
    await here.refuses(['query', 'SELECT 1', '--format', 'parquet'], 'TD_USAGE', ['--out'])
    await here.refuses(['query', 'SELECT 1', '--format', 'xml'], 'TD_USAGE', ['--format: expected table, json, csv or parquet'])
    await here.refuses(['query', 'SELECT 1', '--json', '--format', 'csv'], 'TD_USAGE', ['exclude each other'])
    await here.refuses(['query', 'SELECT 1', '--json', '--out', 'a.parquet'], 'TD_USAGE', ['the name says parquet'])
    await here.refuses(['query', 'SELECT 1', '--out', 'folder'], 'TD_USAGE', ['this is a folder'])
    await here.refuses(['query', 'SELECT 1', '--out', 'folder/x/y'], 'TD_RUN_WRITE', ['folder/x/y'])
    for (const name of ['audit.jsonl', 'run.json', 'equity.csv']) {
      await here.refuses(['query', 'SELECT 1', '--out', `runs/one/${name}`], 'TD_USAGE', ['never written over'])
    }
    await here.refuses(['query', 'SELECT 1', '--out', 'runs/cells/a1/cell.json'], 'TD_USAGE', ['never written over'])
    await here.refuses(['query', 'SELECT 1', '--wrong'], 'TD_USAGE', ['unknown flag --wrong'])
  })

  it('tells of damaged lines and of a torn one, and fails for them only under --strict', async () => {
    const here = filled()
    here.put('runs/one/audit.jsonl', trailText().replaceAll('"type":"fill"', '"typ'))
    const ask = ['query', 'SELECT count(*) AS n FROM trades', '--runs', 'one', '--json']
    const found = await here.succeeds(ask)
    expect(JSON.parse(found.stdout)).toEqual([{ n: 2 }])
    expect(found.stderr).toMatch(/audit\.jsonl: line 7 is damaged.*\n.*line 11 .*\n.*line 16 .*\n.*3 damaged lines were left out\n$/)
    const strict = await here.run([...ask, '--strict'])
    expect([strict.code, JSON.parse(strict.stdout)]).toEqual([1, [{ n: 2 }]])
    here.put('runs/one/audit.jsonl', trailText())
    appendFileSync(here.path('runs/one/audit.jsonl'), '{"type": "trade"')
    const torn = await here.succeeds([...ask, '--strict'])
    expect(JSON.parse(torn.stdout)).toEqual([{ n: 2 }])
    expect(torn.stderr).toMatch(/its last line is torn after 16 bytes/)
  })

  it('agrees with what a backtest says of itself', async () => {
    const here = workspace()
    here.put('s.yaml', scenario({ audit: 'full' }))
    const run = await here.json(['backtest', 's.yaml', '--no-report'])
    const [told] = await here.json<Record<string, unknown>[]>(['query',
      'SELECT (SELECT count(*) FROM decisions) AS decisions, (SELECT count(*) FROM trades) AS trades, (SELECT sum(fees) FROM trades) AS fees, '
      + '(SELECT arg_max(equity, date) FROM equity) AS equity, (SELECT total_return FROM runs) AS total'])
    expect(told).toMatchObject({ decisions: run.decisions.total, trades: run.figures['trades'], equity: run.figures['finalEquity'], total: run.figures['totalReturn'] })
    for (const { name } of QUESTIONS) await here.succeeds(['query', name])
  })
})

describe.concurrent('tapedeck export', () => {
  it('writes every table of a run as Parquet and CSV', async () => {
    const here = filled()
    const before = here.read('runs/one/audit.jsonl')
    const { files } = await here.json<{ files: { file: string; table: string; rows: number }[] }>(['export', 'one', '--parquet', '--csv', '--out', 'to'])
    expect(here.list('to')).toEqual(TABLE_NAMES.flatMap((name) => [`${name}.csv`, `${name}.parquet`]).sort())
    for (const { file, table, rows } of files.filter((one) => one.file.endsWith('.parquet'))) {
      expect([table, (await parquet(here, file)).length]).toEqual([table, rows])
    }
    expect(here.read('to/equity.csv')).toBe('run,date,equity\none,2023-12-31,10000.0\none,2024-01-01,10055.0\none,2024-01-02,9950.0\n')
    expect(here.read('to/trades.csv')).toContain('one,12,2024-01-01T13:00:00.000Z,BTC/USDT,')
    expect(here.read('runs/one/audit.jsonl')).toBe(before)
    await here.succeeds(['export', 'a1', '--csv'])
    expect(existsSync(here.path('exports/a1/trades.csv'))).toBe(true)
  })

  it('refuses what it cannot do', async () => {
    const here = filled()
    here.put('file', '')
    await here.refuses(['export', 'one'], 'TD_USAGE', ['--parquet, --csv or both'])
    await here.refuses(['export', '--parquet'], 'TD_USAGE', ['run'])
    await here.refuses(['export', 'two', '--parquet'], 'TD_RUN_MISSING', ['no run is called so'])
    await here.refuses(['export', '**', '--parquet'], 'TD_USAGE', ['2 runs are meant'])
    await here.refuses(['export', 'one', '--parquet', '--out', 'file'], 'TD_USAGE', ['this is a file'])
    await here.refuses(['export', 'one', '--csv', '--out', 'runs/one'], 'TD_USAGE', ['a run’s own folder'])
  })
})

/** Rows of a Parquet file, as another program reads them. */
async function parquet(here: Workspace, name: string): Promise<unknown[][]> {
  const { DuckDBInstance } = await import('@duckdb/node-api')
  const connection = await (await DuckDBInstance.create()).connect()
  try {
    return (await connection.runAndReadAll(`SELECT * FROM read_parquet('${here.path(name)}')`)).getRowsJson()
  } finally {
    connection.closeSync()
  }
}
