import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask } from '../../../../engine/audit/analytics/question.ts'
import { QUESTIONS } from '../../../../engine/audit/analytics/questions.ts'
import { TABLE_NAMES, tableOf } from '../../../../engine/audit/analytics/schema.ts'
import { findSources, sourcesOf } from '../../../../engine/audit/analytics/sources.ts'
import { plainTable } from '../../../../engine/audit/analytics/values.ts'
import { putRun, RECORD } from '../../../support/hand-made-run.ts'

const folder = mkdtempSync(join(tmpdir(), 'tapedeck-tables-'))
const rows = async (sql: string, patterns: readonly string[] = ['one']): Promise<readonly (readonly unknown[])[]> =>
  plainTable((await ask(findSources(folder, patterns), sql)).reader).rows

beforeAll(() => {
  putRun(folder)
  putRun(folder, 'cells/a1')
})
afterAll(() => { rmSync(folder, { recursive: true, force: true }) })

const T = (day: number, hour: string): string => `2024-01-0${day}T${hour}:00:00.000Z`
const KEY = (seq: number, time: string | null): unknown[] => ['one', seq, time, 'BTC/USDT']

describe('the tables of a hand-made trail', () => {
  it('decisions', async () => {
    const market = ['1h', 100, 5, 'UP', { price: 100, volume: 5, trend: 'UP', rsi: 41.5 }]
    expect(await rows('SELECT * FROM decisions ORDER BY seq')).toEqual([
      [...KEY(8, T(1, '10')), ...market, 'simulated', 'simulated-1', 0, 'BUY', 0.7, 'BUY', 0.66, 1, false, 0.66, 'BUY at 0.7',
        'entry', true, 0.6, true, 'EXECUTED', null, 'o1', 2000, null, 400, 40, 0.002, 1000],
      [...KEY(13, T(1, '14')), ...market, 'simulated', 'simulated-1', 0, 'HOLD', 0.5, 'SELL', 0.6, 1, true, 0.4, 'HOLD at 0.5',
        null, null, null, null, 'SKIPPED', 'hold', null, null, null, 400, 50, 0.004, 3000],
      [...KEY(14, T(1, '15')), ...market, 'simulated', 'simulated-1', 0, 'BUY', 0.55, 'BUY', 0.55, 0, false, 0.55, 'BUY at 0.55',
        'entry', false, 0.6, false, 'REJECTED', 'cooldown', 'o3', 2000, null, null, null, null, 0],
      [...KEY(17, T(2, '10')), ...market, 'technical', null, 1, 'BUY', 0.9, 'BUY', 0.9, 0, false, 0.9, 'BUY at 0.9',
        'entry', true, 0.6, true, 'EXECUTED', null, 'o4', 2000, null, null, null, null, 30000],
      [...KEY(18, T(2, '11')), ...market, null, null, 0, 'HOLD', 0, null, null, 0, false, null, 'the candle became known too late',
        null, null, null, null, 'SKIPPED', 'missed', null, null, null, null, null, null, 0],
    ])
  })

  it('turns and checks', async () => {
    expect(await rows('SELECT * FROM turns ORDER BY seq, turn')).toEqual([
      [...KEY(8, T(1, '10')), 0, 'simulated', 'simulated-1', 'BUY', 0.66, 0.66, 'BUY at 0.66'],
      [...KEY(8, T(1, '10')), 1, 'simulated', 'simulated-1', 'BUY', 0.7, 0.7, 'BUY at 0.7'],
      [...KEY(13, T(1, '14')), 0, 'simulated', 'simulated-1', 'SELL', 0.6, 0.4, 'SELL at 0.6'],
      [...KEY(13, T(1, '14')), 1, 'simulated', 'simulated-1', 'HOLD', 0.5, null, 'HOLD at 0.5'],
      [...KEY(14, T(1, '15')), 0, 'simulated', 'simulated-1', 'BUY', 0.55, 0.55, 'BUY at 0.55'],
      [...KEY(17, T(2, '10')), 0, 'technical', null, 'BUY', 0.9, 0.9, 'BUY at 0.9'],
    ])
    expect(await rows('SELECT seq, order_kind, rule, passed FROM checks ORDER BY seq, rule')).toEqual([
      [8, 'entry', 'cooldown', true], [8, 'entry', 'halted', true], [14, 'entry', 'cooldown', false], [14, 'entry', 'halted', true],
      [17, 'entry', 'cooldown', true], [17, 'entry', 'halted', true],
    ])
  })

  it('orders, fills and trades', async () => {
    expect(await rows('SELECT * FROM orders ORDER BY seq')).toEqual([
      [...KEY(4, T(1, '10')), 'intent', 'o1', 'buy', 2000, null, null, null, null, null],
      [...KEY(5, '2024-01-01T10:00:02.000Z'), 'protect', 't-1', null, null, 20, 95, null, 103, null],
      [...KEY(6, T(1, '10')), 'accepted', 'o1', null, null, null, null, null, null, null],
      [...KEY(9, T(1, '12')), 'stop-raised', null, null, null, null, 99, 95, null, null],
      [...KEY(10, T(1, '13')), 'sale', 'o2', null, null, 19.98, null, null, null, 'signal'],
      [...KEY(15, T(2, '10')), 'accepted', 'o4', null, null, null, null, null, null, null],
    ])
    expect(await rows('SELECT * FROM fills ORDER BY seq')).toEqual([
      [...KEY(7, T(1, '10')), 'o1', 'buy', 100, 20, 2000, 0.02, 0, 1, 'taker', null, false, 95, 103],
      [...KEY(11, T(1, '13')), 'o2', 'sell', 103, 19.98, 2057.94, 0, 2.06, 0, 'maker', 'target', true, null, null],
      [...KEY(16, T(2, '10')), 'o4', 'buy', 200, 10, 2000, 0.01, 0, 0, 'taker', null, false, null, null],
    ])
    expect(await rows('SELECT * FROM trades ORDER BY seq')).toEqual([
      [...KEY(12, T(1, '13')), T(1, '10'), 100, T(1, '13'), 103, 19.98, 'target', 4.06, 55, 0.0275, 99, 103, 3],
      [...KEY(19, T(2, '20')), T(2, '10'), 200, T(2, '20'), 190, 9.99, 'stop', 4, -105, -0.0525, 190, null, 10],
    ])
  })

  it('provider_events', async () => {
    expect(await rows('SELECT * FROM provider_events ORDER BY seq, event, provider')).toEqual([
      ['one', 2, T(1, '10'), null, 'state', 'simulated', null, null, null, null, null, null, null, null, null, null, 'COOLING', 'timeout', '2024-01-01T10:05:00.000Z'],
      [...KEY(3, T(1, '10')), 'answered', 'simulated', 0, null, null, null, null, 900, 1, 200, 20, 0.001, null, null, null],
      [...KEY(3, T(1, '10')), 'failed', 'simulated', 1, null, 'timeout', 'no answer in 30 s', null, 30000, 2, 0, 0, 0, null, null, null],
      [...KEY(3, T(1, '10')), 'skipped', 'openai', null, 'no-key', null, null, null, null, null, null, null, null, null, null, null],
      [...KEY(17, T(2, '10')), 'fallback', 'simulated', null, null, null, 'timeout: no answer in 30 s', null, null, null, null, null, null, null, null, null],
    ])
  })

  it('runs, cells among them, and equity', async () => {
    const { figures, scenario } = RECORD
    const shared = ['hand-made', 'sma-cross', 'simulated, technical', 'BTC/USDT', '1h', 0.6, 0.05, null, 0.2]
    const results = [9950, -0.005, -0.0050006, -0.0105, null, 2, 0.5, 0.006, 0.75]
    expect(await rows('SELECT * FROM runs ORDER BY run DESC', [])).toEqual([
      ['one', join(folder, 'one'), 'backtest', 'finished', ...shared, 7, '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:01.500Z', ...results, null, figures, scenario],
      ['a1', join(folder, 'cells/a1'), 'cell', null, ...shared, null, null, null, ...results, { provider: 'simulated' }, figures, scenario],
    ])
    expect(await rows('SELECT * FROM equity WHERE run = \'a1\'', [])).toEqual([['a1', '2023-12-31', 10000], ['a1', '2024-01-01', 10055], ['a1', '2024-01-02', 9950]])
  })

  it('join by run and do not mix runs', async () => {
    expect(await rows('SELECT run, count(*), sum(pnl) FROM trades JOIN runs USING (run) GROUP BY run ORDER BY run', []))
      .toEqual([['a1', 2, -50], ['one', 2, -50]])
  })
})

describe('what is loaded', () => {
  it('is the same, whether columns are named or meant', async () => {
    for (const table of TABLE_NAMES) {
      const names = tableOf(table).columns.map(({ name }) => `"${name}"`)
      const whole = await rows(`SELECT * FROM ${table} ORDER BY ALL`)
      expect(await rows(`SELECT ${names.join(', ')} FROM ${table} ORDER BY ALL`)).toEqual(whole)
      expect(await rows(`FROM ${table} ORDER BY ALL`)).toEqual(whole)
      for (const [index, name] of names.entries()) {
        expect((await rows(`SELECT ${name} FROM ${table}`)).map(([value]) => JSON.stringify(value)).sort()).toEqual(whole.map((row) => JSON.stringify(row[index])).sort())
      }
    }
  })

  it.each([
    'SELECT d FROM decisions d WHERE seq = 17', 'SELECT d::VARCHAR FROM decisions d WHERE seq = 17', 'SELECT TRY(d::VARCHAR) FROM decisions d WHERE seq = 17',
    'SELECT to_json(d) FROM decisions d WHERE seq = 17', 'FROM query_table(\'decisions\') WHERE seq = 17',
  ])('takes in columns that are not named: %s', async (sql) => {
    expect(JSON.stringify(await rows(sql))).toContain('BUY at 0.9')
  })
})

describe('ready-made questions about a hand-made trail', () => {
  const ANSWERS: Readonly<Record<string, readonly (readonly unknown[])[]>> = {
    'hit-rate': [['simulated', 10, 1, 1, 0.0275], ['technical', 10, 1, 0, -0.0525]],
    'cost-per-trade': [['simulated', 3, 1, 0.006, 0.006], ['technical', 1, 1, 0, 0]],
    rejections: [['cooldown', 1, 1, 1, 0]],
    fallbacks: [['2024-01-02', 'simulated', 1, 'timeout: no answer in 30 s']],
    'worst-trades': [['one', 'BTC/USDT', T(2, '10'), T(2, '20'), 200, 190, 'stop', -105, -0.0525, 10]],
    // Of 0, 1,000 and 3,000 ms the 95th percentile lies nine tenths of the way from the second to the third.
    latency: [['simulated', 3, 1000, expect.closeTo(2800, 6), 3000], ['technical', 1, 30000, 30000, 30000]],
    exits: [['stop', 1, 0, -0.0525, -105, 10], ['target', 1, 1, 0.0275, 55, 3]],
    confidence: [[0.7, 1, 0.7, 1, 0.0275], [0.9, 1, 0.9, 0, -0.0525]],
    'equity-by-month': [['one', '2023-12-01', 10000, null], ['one', '2024-01-01', 9950, 9950 / 10000 - 1]],
    flips: [['simulated', 'BUY', 'BUY', 1, 0.5, 0.66, 0.7], ['simulated', 'SELL', 'HOLD', 1, 0.5, 0.6, 0.5]],
    failures: [['simulated', 'timeout', 1, 2, T(1, '10'), T(1, '10')]],
    rules: [['cooldown', 'entry', 3, 1], ['halted', 'entry', 3, 0]],
    runs: [['one', 'backtest', 'finished', -0.005, -0.0105, null, 2, 0.5, 0.006]],
  }

  it.each(QUESTIONS.map(({ name, sql }) => [name, sql]))('%s', async (name, sql) => {
    expect(await rows(sql)).toEqual(ANSWERS[name])
  })

  it('each say in one sentence what their rows mean', () => {
    expect(Object.keys(ANSWERS)).toEqual(QUESTIONS.map(({ name }) => name))
    for (const { about } of QUESTIONS) expect(about).toMatch(/^[A-Z][^\n]+\.$/)
  })
})

describe('the documentation of tables', () => {
  it('says a sentence about every table and column, and names no column twice', () => {
    for (const table of TABLE_NAMES) {
      const { about, columns } = tableOf(table)
      expect(about).toMatch(/^[A-Z].+\.$/)
      for (const column of columns) expect(column.about, `${table}.${column.name}`).toMatch(/^.{3,}[^ ]$/)
      expect(new Set(columns.map(({ name }) => name)).size).toBe(columns.length)
    }
  })

  it('agrees with the database', async () => {
    for (const table of TABLE_NAMES) {
      const { columns } = tableOf(table)
      const told = (await rows(`SELECT column_name, column_type FROM (DESCRIBE ${table})`)).map(([name, type]) => [name, type])
      expect(told).toEqual(columns.map(({ name, type }) => [name, type]))
    }
  })
})

describe('the names of runs', () => {
  it('are directories, ids, beginnings of ids and patterns', () => {
    const names = (...patterns: string[]): string[] => findSources(folder, patterns).map(({ run }) => run)
    expect(names()).toEqual(['one', 'a1'])
    expect(names('o*')).toEqual(['one'])
    expect(names('cells/*')).toEqual(['a1'])
    expect(names('on')).toEqual(['one'])
    expect(names(join(folder, 'one'), '**')).toEqual(['one', 'a1'])
    expect(() => names('two')).toThrow(/two: no run is called so; .* holds one, cells\/a1/)
    expect(() => findSources(join(folder, 'nowhere'))).toThrow(/there is no folder/)
    expect(() => sourcesOf([folder])).toThrow(/not the directory of a run/)
  })

  it('may hold whatever a file system allows', async () => {
    const odd = ["it's", 'a=b', '[x]', 'x', 'a*b', 'aXb', 'q?q', 'ü ö', 'a\\b', '{a,b}', '~', '"quoted"', '%41', '$1']
    const own = mkdtempSync(join(tmpdir(), 'tapedeck-odd=[1]-'))
    try {
      for (const [index, name] of odd.entries()) putRun(own, name, `${JSON.stringify({ type: 'alarm', seq: 1, run: 'r', timestamp: null })}\n`
        + `${JSON.stringify({ type: 'trade', seq: 2, run: 'r', timestamp: T(1, '10'), pnl: index })}\n`)
      const all = plainTable((await ask(findSources(own), 'SELECT run, pnl FROM trades ORDER BY pnl')).reader).rows
      expect(all).toEqual(odd.map((name, index) => [name, index]))
      for (const [index, name] of odd.entries()) {
        const [one] = plainTable((await ask(findSources(own, [name]), 'SELECT run, pnl FROM trades')).reader).rows
        expect(one).toEqual([name, index])
      }
    } finally {
      rmSync(own, { recursive: true, force: true })
    }
  })
})
