import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { timeframeMs } from '../../engine/core/timeframe.ts'
import { auditOf, sample, scenario, workspace, type Backtest } from '../support/cli.ts'
import { root } from '../support/shared.ts'
import { csvOf, candlesFrom, gz, MONDAY } from '../support/tape-files.ts'

const FIGURES = [
  'finalEquity', 'totalReturn', 'cagr', 'annualVolatility', 'sharpe', 'sortino', 'maxDrawdown', 'maxDrawdownDaily',
  'calmar', 'exposure',
  'turnover', 'trades', 'winRate', 'profitFactor', 'profitFactorNet', 'expectancy', 'averageWin', 'averageLoss', 'sqn',
  'longestLosingStreak', 'fees', 'slippage', 'aiCost', 'coverage', 'ambiguousCandles', 'candles', 'elapsedMs',
  'candlesPerSecond', 'wallMs',
]
const FILES = ['audit.jsonl', 'equity.csv', 'report.html', 'run.json', 'trades.csv']

const rowsOf = (csv: string): string[][] => csv.trimEnd().split('\n').map((row) => row.split(','))

describe.concurrent('tapedeck backtest', () => {
  it('prints one JSON document with every figure, and writes every file', async () => {
    const here = workspace()
    here.put('s.yaml', scenario())
    const result = await here.json(['backtest', 's.yaml'])
    expect(Object.keys(result)).toEqual(expect.arrayContaining(
      ['run', 'scenario', 'figures', 'baselines', 'exits', 'decisions', 'warnings', 'directory', 'interrupted',
        'breakEven']))
    expect(Object.keys(result.figures)).toEqual(expect.arrayContaining(FIGURES))
    for (const [name, value] of Object.entries(result.figures)) {
      if (name === 'undefinedBecause') continue
      if (value === null) expect(result.figures.undefinedBecause[name]).toEqual(expect.any(String))
      else expect(Number.isFinite(value)).toBe(true)
    }
    expect(result.run).toMatch(/^tested-[0-9a-f]{12}$/)
    expect(result.directory).toBe(here.path('runs', result.run))
    expect(result.interrupted).toBe(false)
    expect(here.list('runs')).toEqual([result.run])
    expect(here.list('runs', result.run)).toEqual(FILES)

    const record = JSON.parse(here.read('runs', result.run, 'run.json')) as Record<string, unknown>
    expect(record).toMatchObject({ run: result.run, state: 'finished', scenario: result.scenario, seed: 1,
      exits: result.exits })
    const trades = rowsOf(here.read('runs', result.run, 'trades.csv'))
    expect(trades[0].join()).toBe('symbol,entryTime,entryPrice,exitTime,exitPrice,quantity,reason,fees,pnl,netReturn')
    expect(trades).toHaveLength(1 + (result.figures['trades'] ?? NaN))
    expect(Object.values(result.exits).reduce((a, b) => a + b)).toBe(result.figures['trades'])
    const equity = rowsOf(here.read('runs', result.run, 'equity.csv'))
    expect(equity[0]).toEqual(['date', 'equity'])
    expect(equity).toHaveLength(1 + 167)
    expect(Number(equity.at(-1)![1])).toBe(result.figures['finalEquity'])
    const audit = auditOf(here, result.run)
    expect(audit.filter(({ type }) => type === 'decision')).toHaveLength(result.decisions.total)
    expect(audit.map(({ seq }) => seq)).toEqual(audit.map((_, index) => index + 1))
    expect(here.read('runs', result.run, 'report.html')).toMatch(/^<!doctype html>/i)
  })

  it('shows a page for people, and names the directory and the report', async () => {
    const here = workspace()
    here.put('s.yaml', scenario())
    const { stdout, stderr } = await here.succeeds(['backtest', 's.yaml'])
    const [run] = here.list('runs')
    expect(stdout).toContain(here.path('runs', run, 'report.html'))
    for (const word of ['Total return', 'Sharpe ratio', 'Buy and hold', 'Exits by reason', 'Assumptions']) {
      expect(stdout).toContain(word)
    }
    expect(stdout).not.toContain('\u001b')
    expect(stderr).not.toMatch(/candles \|/)
  })

  it('takes every flag, and each changes the scenario that the run records', async () => {
    const here = workspace()
    here.put('s.yaml', scenario())
    const result = await here.json(['backtest', 's.yaml', '--from', '2024-02-01', '--to', '2024-03-01T12:00:00Z',
      '--min-confidence', '0.8',
      '--stop-loss', '0.04', '--take-profit', 'null', '--position-size', '0.5', '--audit', 'trades', '--out',
      'elsewhere/deep', '--no-report',
      '--set', 'strategy.params.fast=5', '--set', 'seed=9', '--set', 'policy.maxHold=40'])
    expect(result.scenario).toMatchObject({
      audit: 'trades', seed: 9, strategy: { params: { fast: 5, slow: 21 } },
      policy: { minConfidence: 0.8, stopLoss: 0.04, takeProfit: null, positionSize: 0.5, maxHold: 40 },
      market: { options: { from: Date.UTC(2024, 1, 1), to: Date.UTC(2024, 2, 1, 12) } },
    })
    expect(result.figures['candles']).toBe((29 * 24) + 12)
    expect(result.baselines['random']).toBeNull()
    expect(here.list()).toEqual(['elsewhere', 's.yaml'])
    expect(here.list('elsewhere', 'deep', result.run)).toEqual(['audit.jsonl', 'equity.csv', 'run.json', 'trades.csv'])
    const statuses = auditOf(here, result.run, 'elsewhere/deep').map(({ status }) => status)
    expect(statuses).toContain('EXECUTED')
    expect(statuses).not.toContain('SKIPPED')
    expect(statuses).not.toContain('REJECTED')
  })

  it('names a run by its scenario alone, not by where or how it is written, and replaces the older one', async () => {
    const here = workspace()
    here.put('s.yaml', scenario())
    const first = await here.json(['backtest', 's.yaml'])
    here.put(`runs/${first.run}/stray.txt`, 'of an older run')
    const again = await here.json(['backtest', 's.yaml', '--no-report'])
    const elsewhere = await here.json(['backtest', 's.yaml', '--out', 'other', '--audit', 'full'])
    expect([again.run, elsewhere.run]).toEqual([first.run, first.run])
    expect(here.list('runs', first.run)).toEqual(FILES.filter((name) => name !== 'report.html'))
    const other = await here.json(['backtest', 's.yaml', '--stop-loss', '0.02', '--audit', 'off'])
    expect(other.run).not.toBe(first.run)
    expect(here.list('runs', other.run)).not.toContain('audit.jsonl')
  })

  it('runs several scenarios in order, as an array in JSON and as pages otherwise', async () => {
    const here = workspace()
    here.put('a.yaml', scenario({ name: 'first' }))
    here.put('b/b.yaml', scenario({ name: 'second', strategy: { name: 'random' }, policy: { minConfidence: 0.7 } }))
    const results = await here.json<Backtest[]>(['backtest', 'a.yaml', 'b/b.yaml', '--no-report'])
    expect(results.map(({ run }) => run.replace(/-\w+$/, ''))).toEqual(['first', 'second'])
    expect(here.list('runs')).toEqual(results.map(({ run }) => run))
    const { stdout } = await here.succeeds(['backtest', 'a.yaml', 'b/b.yaml'])
    expect(stdout.indexOf('first')).toBeLessThan(stdout.indexOf('second'))
  })

  it('says warnings on stderr, with JSON and without', async () => {
    const here = workspace()
    here.put('s.yaml', scenario({ policy: { minConfidence: 0.6 } }))
    for (const flags of [['--json'], []]) {
      const { stderr, code } = await here.run(['backtest', 's.yaml', ...flags])
      expect(stderr).toMatch(/^warning: tested-\w+: The confidence threshold 60\.00 % is below break-even 66\.25 %/m)
      expect(code).toBe(0)
    }
    const { warnings } = await here.json(['backtest', 's.yaml'])
    expect(warnings.join()).toContain('below break-even')
  })

  it('reads everything that a decision depends on from `from` on', async () => {
    const here = workspace()
    here.put('s.yaml', scenario())
    const cut = gunzipSync(readFileSync(sample)).toString().split('\n')
      .filter((row, index) => index === 0 || Number(row.split(',')[0]) >= Date.UTC(2024, 1, 1))
    here.put('later.csv', cut.join('\n'))
    const ranged = await here.json(['backtest', 's.yaml', '--from', '2024-02-01'])
    const shorter = await here.json(['backtest', 's.yaml', '--set', `market.file=${here.path('later.csv')}`])
    const timeless = ({ elapsedMs: _, candlesPerSecond: __, wallMs: ___, ...figures }: Backtest['figures']): object =>
      figures
    expect(timeless(ranged.figures)).toEqual(timeless(shorter.figures))
    expect(auditOf(here, ranged.run).filter(({ type }) => type === 'decision')[0]['timestamp'])
      .toBe(new Date(Date.UTC(2024, 1, 1, 22)).toISOString())
  })
})

describe.concurrent('markets', () => {
  const hours = (count: number, price: number): string => csvOf(candlesFrom(MONDAY, count, '1h', price))
  const base = { name: 'm', timeframe: '1h', strategy: { name: 'random', params: { buy: 0.2, sell: 0.2 } },
    policy: { minConfidence: 0.7 } }

  it('plays several symbols side by side, each with its own rules', async () => {
    const here = workspace()
    here.put('btc.csv', hours(300, 100))
    here.put('eth.csv.gz', gz(hours(300, 50)))
    here.put('s.yaml', {
      ...base, symbols: ['BTC/USDT', 'ETH/USDT'],
      market: { files: { 'BTC/USDT': 'btc.csv', 'ETH/USDT': 'eth.csv.gz' } },
      instruments: { 'BTC/USDT': { tickSize: 0.5, lotSize: 0.001 }, 'ETH/USDT': { lotSize: 0.1, minNotional: 5 } },
    })
    const result = await here.json(['backtest', 's.yaml'])
    expect(result.figures['candles']).toBe(600)
    expect(result.scenario['instruments']).toEqual({
      'BTC/USDT': { tickSize: 0.5, lotSize: 0.001, minNotional: 0 },
      'ETH/USDT': { tickSize: 0, lotSize: 0.1, minNotional: 5 },
    })
    const [, ...trades] = rowsOf(here.read('runs', result.run, 'trades.csv'))
    for (const [symbol, lot] of [['BTC/USDT', 1000], ['ETH/USDT', 10]] as const) {
      const own = trades.filter(([of]) => of === symbol)
      expect(own.length).toBeGreaterThan(5)
      for (const row of own) {
        expect(Math.abs(Number(row[5]) * lot - Math.round(Number(row[5]) * lot))).toBeLessThan(1e-6)
      }
    }
    const times = auditOf(here, result.run).filter(({ type }) => type === 'decision')
      .map(({ timestamp }) => String(timestamp))
    expect(times).toEqual([...times].sort())
  })

  it('joins files that follow each other: a list in its order, a pattern by name', async () => {
    const here = workspace()
    const candles = candlesFrom(MONDAY, 90, '1h')
    here.put('tape/part-1.csv', csvOf(candles.slice(0, 30)))
    here.put('tape/part-2.csv.gz', gz(csvOf(candles.slice(30, 60))))
    here.put('tape/part-3.csv', csvOf(candles.slice(60)))
    here.put('whole.csv', csvOf(candles))
    for (const [name, file] of Object.entries({
      whole: 'whole.csv', list: ['tape/part-1.csv', 'tape/part-2.csv.gz', 'tape/part-3.csv'],
      pattern: 'tape/part-?.csv*', deep: '**/part-*',
    })) here.put(`${name}.yaml`, { ...base, name, symbol: 'BTC/USDT', market: { file } })
    const results = await here.json<Backtest[]>(['backtest', 'whole.yaml', 'list.yaml', 'pattern.yaml', 'deep.yaml',
      '--no-report'])
    const trades = results.map(({ run }) => here.read('runs', run, 'trades.csv'))
    expect(results.map(({ figures }) => figures['candles'])).toEqual([90, 90, 90, 90])
    expect(new Set(trades).size).toBe(1)
  })

  it('resamples to the timeframe of the decisions', async () => {
    const here = workspace()
    here.put('s.yaml', scenario({ timeframe: '4h' }))
    const result = await here.json(['backtest', 's.yaml', '--no-report'])
    expect(result.figures['candles']).toBe(1000)
    for (const { timestamp } of auditOf(here, result.run).filter(({ type }) => type === 'decision')) {
      expect(Date.parse(String(timestamp)) % timeframeMs('4h')).toBe(0)
    }
  })

  it('settles orders on finer candles, of the market file or of a file of their own', async () => {
    const here = workspace()
    const broker = { name: 'paper', fillTimeframe: '1h' }
    here.put('own.yaml', scenario({ name: 'own', timeframe: '4h', broker }))
    await here.succeeds(['data', 'resample', sample, '--timeframe', '4h', '--output', 'four.csv'])
    here.put('apart.yaml',
      scenario({ name: 'apart', timeframe: '4h', broker, market: { file: 'four.csv', fillFile: sample } }))
    here.put('coarse.yaml', scenario({ name: 'coarse', timeframe: '4h' }))
    const results = await here.json<Backtest[]>(['backtest', 'own.yaml', 'apart.yaml', 'coarse.yaml', '--no-report'])
    const [own, apart, coarse] = results.map(({ run }) => rowsOf(here.read('runs', run, 'trades.csv')))
    expect(apart).toEqual(own)
    const exits = (rows: string[][]): boolean => rows.slice(1).every((row) => Number(row[3]) % timeframeMs('4h') === 0)
    expect(exits(coarse)).toBe(true)
    expect(exits(own)).toBe(false)
  })

  it('shows the bounds of the fill models around the run', async () => {
    const here = workspace()
    here.put('s.yaml', scenario({ policy: { minConfidence: 0.7, positionSize: 1 } }))
    const { bounds, figures } = await here.json(['backtest', 's.yaml', '--bounds', '--no-report'])
    expect(bounds!.conservative).toBeCloseTo(figures['finalEquity']!, 8)
    expect(bounds!.optimistic).toBeGreaterThanOrEqual(bounds!.conservative)
    expect((await here.json(['backtest', 's.yaml', '--no-report'])).bounds).toBeNull()
  })

  it('computes a threshold from break-even', async () => {
    const here = workspace()
    here.put('s.yaml', scenario({ policy: { minConfidence: 'breakeven+0.02' } }))
    const { scenario: { policy } } = await here.json(['backtest', 's.yaml', '--no-report'])
    expect(policy['minConfidence']).toBe(0.6825)
    expect(policy['minExitConfidence']).toBe(0.6825)
    const cheaper = await here.json(['backtest', 's.yaml', '--no-report', '--set', 'broker.slippageBps=0',
      '--min-confidence', 'breakeven - 0.01'])
    expect(cheaper.scenario.policy['minConfidence']).toBe(0.64)
  })

  it('makes candles itself', async () => {
    const here = workspace()
    here.put('s.yaml', { ...base, symbol: 'BTC/USDT', market: { source: 'synthetic', candles: 500, seed: 3 } })
    const result = await here.json(['backtest', 's.yaml'])
    expect(result.figures['candles']).toBe(500)
    expect(here.read('runs', result.run, 'report.html')).toContain('synthetic candles, seed 3')
  })
})

describe.concurrent('the shipped scenarios', () => {
  // What npm start trades asks services that have no recording, and takes its symbol from the environment.
  const shipped = readdirSync(join(root, 'scenarios')).filter((file) => file.endsWith('.yaml') && file !== 'autonomous.yaml')
    .map((file) => file.replace('.yaml', ''))

  it.each(shipped)('%s runs', async (name) => {
    const here = workspace()
    const file = join(root, 'scenarios', `${name}.yaml`)
    expect((parse(readFileSync(file, 'utf8')) as { name: string }).name).toBe(name)
    const result = await here.json(['backtest', file])
    expect(result.figures['trades']).toBeGreaterThan(0)
    if (name !== 'demo') return
    // The first run that anybody sees has something of everything.
    expect(result.figures['trades']).toBeGreaterThanOrEqual(24)
    for (const reason of ['signal', 'stop', 'target']) expect(result.exits[reason]).toBeGreaterThanOrEqual(3)
    expect(result.decisions.byStatus['REJECTED']).toBeGreaterThan(10)
  })
})
