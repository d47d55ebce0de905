import { appendFileSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Comparison } from '../../engine/compare/comparison.ts'
import { RunList } from '../../engine/server/run-list.ts'
import { sample, workspace, type Workspace } from '../support/cli.ts'

const scenario = { name: 'cross', symbol: 'BTC/USDT', timeframe: '1h', market: { file: sample }, strategy: { name: 'sma-cross' }, policy: { positionSize: 0.5 } }

const compared = async (where: Workspace, ...args: string[]): Promise<Comparison> => {
  const { stdout } = await where.run(['compare', ...args, '--json'])
  return JSON.parse(stdout) as Comparison
}

const only = (where: Workspace, ...names: string[]): string => where.list(...names).find((name) => name.startsWith('compare-'))!

describe('tapedeck compare', () => {
  it('makes each cell what a backtest of its own makes', async () => {
    const where = workspace()
    where.put('s.yaml', { ...scenario, strategy: { name: 'autonomous-scalper' }, policy: { positionSize: 0.5, stopLoss: 0.05, takeProfit: 0.03 }, matrix: { minConfidence: [0.55, 0.65, 0.7], stopLoss: [0.02, 0.05] } })
    const { cells } = await compared(where, 's.yaml')
    expect(cells).toHaveLength(6)
    expect(new Set(cells.map(({ netReturn }) => netReturn)).size).toBeGreaterThan(3)
    for (const { labels, id, figures, dailyEquity } of cells) {
      const { stdout } = await where.run(['backtest', 's.yaml', '--no-report', '--json', '--audit', 'trades', '--min-confidence', labels['minConfidence'], '--stop-loss', labels['stopLoss']])
      const alone = JSON.parse(stdout) as { figures: Record<string, unknown>; run: string }
      for (const [figure, value] of Object.entries(figures)) expect(alone.figures[figure], figure).toEqual(value)
      expect(where.read('runs', 'cells', id, 'trades.csv')).toBe(where.read('runs', alone.run, 'trades.csv'))
      expect(where.read('runs', 'cells', id, 'equity.csv')).toBe(where.read('runs', alone.run, 'equity.csv'))
      expect(dailyEquity).toHaveLength(where.read('runs', alone.run, 'equity.csv').trimEnd().split('\n').length - 1)
      // The trail holds the cell's own lines: those of the run, under the pass's name.
      const lines = (text: string): string[] => text.replaceAll(/"run": "[^"]*"/g, '"run": ""').split('\n').filter((line) => !line.includes('"type": "session"')).map((line) => line.replace(/"seq": \d+/, ''))
      expect(lines(where.read('runs', 'cells', id, 'audit.jsonl'))).toEqual(lines(where.read('runs', alone.run, 'audit.jsonl')))
    }
  })

  it('makes the same files from the same matrix, in threads or not, and from what it kept', async () => {
    const where = workspace()
    where.put('s.yaml', scenario)
    const args = ['compare', 's.yaml', '--set', 'strategy.params.fast=5,9,12', '--stop-loss', '0.03,0.05']
    await where.succeeds([...args, '--out', 'a', '--jobs', '1'])
    await where.succeeds([...args, '--out', 'b', '--jobs', '2'])
    const files = (out: string): Record<string, string> => Object.fromEntries(Object.entries(where.tree()).filter(([name]) => name.startsWith(`${out}/`) && !name.endsWith('run.json')).map(([name, hash]) => [name.slice(2), hash]))
    const first = files('a')
    expect(Object.keys(first).length).toBeGreaterThan(20)
    expect(files('b')).toEqual(first)
    const { stderr } = await where.run([...args, '--out', 'a'])
    expect(stderr).toContain('6 of 6 cells are kept from before')
    expect(files('a')).toEqual(first)
    // One value more: the others are kept, and the ledger counts only what is new.
    const more = await where.run(['compare', 's.yaml', '--set', 'strategy.params.fast=5,9,12', '--stop-loss', '0.03,0.05,0.07', '--out', 'a', '--json'])
    expect(more.code).toBe(0)
    expect((JSON.parse(more.stdout) as Comparison).windows[0].trials).toBe(9)
    expect(where.read('a', 'trials.jsonl').trimEnd().split('\n')).toHaveLength(9)
    // How much is written down is no other trial.
    await where.succeeds([...args, '--out', 'a', '--audit', 'full', '--no-report'])
    expect(where.read('a', 'trials.jsonl').trimEnd().split('\n')).toHaveLength(9)
  })

  it('plays again what the candles no longer bear out, and what was damaged', async () => {
    const where = workspace()
    const rows = Array.from({ length: 300 }, (_, hour) => `${Date.UTC(2024, 0, 1) + hour * 3_600_000},100,${101 + (hour % 7)},${99 - (hour % 5)},${100 + Math.sin(hour / 5)},1`)
    const candles = (last: number): string => `timestamp,open,high,low,close,volume\n${rows.join('\n')}\n${Date.UTC(2024, 0, 1) + 300 * 3_600_000},100,101,99,${last},1\n`
    where.put('c.csv', candles(100))
    where.put('s.yaml', { ...scenario, market: { file: 'c.csv' } })
    const [before] = (await compared(where, 's.yaml', '--min-confidence', '0.5')).cells
    where.put('c.csv', candles(100.5))
    const [after] = (await compared(where, 's.yaml', '--min-confidence', '0.5')).cells
    expect(after.id).not.toBe(before.id)
    where.put(join('runs', 'cells', after.id, 'cell.json'), '{"format":1')
    const [again] = (await compared(where, 's.yaml', '--min-confidence', '0.5')).cells
    expect(again).toEqual(after)
    expect(JSON.parse(where.read('runs', 'cells', after.id, 'cell.json'))).toMatchObject({ id: after.id })
  })

  it('judges AI by its own answers beside the rules, and says what a simulated one is worth', async () => {
    const where = workspace()
    const demo = join(import.meta.dirname, '../../scenarios/demo.yaml')
    const { cells, disagreements, windows } = await compared(where, demo, '--min-confidence', '0.55,0.7')
    expect(cells.map(({ name, baseline }) => [name, baseline])).toEqual([['simulated conf 0.55', false], ['simulated conf 0.7', false], ['technical conf 0.55', true], ['technical conf 0.7', true]])
    const [ai, , rules] = cells
    expect(ai.answered).toBeGreaterThan(0.9)
    expect(ai.answered).toBeLessThan(1)
    // What nobody answered is HOLD: the rules' answer is not among the decisions.
    expect(where.read('runs', 'cells', ai.id, 'audit.jsonl')).not.toContain('"provider": "technical", "model": null, "fallbacks": [{')
    expect([rules.answered, rules.provider, ai.provider]).toEqual([null, 'technical', 'simulated'])
    expect(ai.badges.map(({ kind }) => kind)).toContain('simulated')
    expect(cells.some(({ badges }) => badges.some(({ kind }) => kind === 'significant'))).toBe(false)
    expect(windows[0].verdict).toMatch(/^No significant difference: /)
    expect(windows[0].trials).toBe(2)
    // The dashboard's list of runs has it, with its page; so has the command's.
    const [row] = new RunList(where.path('runs'), () => 0).rows() as { kind: string; scenario: string; has_report: boolean; run: string }[]
    expect(row).toMatchObject({ kind: 'comparison', scenario: 'demo', has_report: true })
    expect((await where.succeeds(['runs', 'show', row.run])).stdout).toContain(`${ai.id}  simulated conf 0.55`)
    expect((await where.run(['explain', `${row.run}/${ai.id}`, 't1', '--json'])).code).toBe(0)
    expect(disagreements).toMatchObject([{ a: 'simulated', b: 'technical' }])
    // The analyst says HOLD at 0.68 at most as sure as its known skill allows: the interval of its skill holds what it was made with.
    expect(ai.calibration.skillInterval!.low).toBeLessThan(ai.calibration.skill!)
    expect(ai.refinement!.answered).toBeGreaterThan(300)
  })

  it('holds gates, alone and against an earlier comparison, and writes JUnit', async () => {
    const where = workspace()
    where.put('s.yaml', scenario)
    await where.succeeds(['compare', 's.yaml', '--stop-loss', '0.03,0.05', '--no-report'])
    const earlier = join('runs', only(where, 'runs'))
    const same = await where.run(['compare', 's.yaml', '--stop-loss', '0.03,0.05', '--baseline', earlier, '--gate', 'netReturn>=0', '--gate', 'trades==0', '--junit', 'gates.xml', '--no-report'])
    expect([same.code, same.stderr]).toEqual([0, expect.stringContaining('all 2 gates hold for 2 cells')])
    expect(where.read('gates.xml')).toMatch(/<testsuite [^>]*tests="4"[^>]* failures="0"/)
    const failed = await where.run(['compare', 's.yaml', '--stop-loss', '0.03,0.05', '--gate', 'netReturn>=10', '--junit', 'gates.xml', '--no-report'])
    expect(failed.code).toBe(3)
    expect(failed.stderr).toMatch(/gate netReturn>=10 failed: stop 0\.03: netReturn is -/)
    expect(where.read('gates.xml')).toContain('failures="2"')
    const gone = await where.run(['compare', 's.yaml', '--stop-loss', '0.03,0.07', '--baseline', earlier, '--gate', 'trades>=-100', '--no-report'])
    expect([gone.code, gone.stderr]).toEqual([3, expect.stringContaining('stop 0.05 is in the baseline and not in this comparison')])
  })

  it('prints tables for files and pages', async () => {
    const where = workspace()
    where.put('s.yaml', { ...scenario, name: 'a' })
    where.put('t.yaml', { ...scenario, name: 'b', market: { file: sample, from: '2024-03-01' } })
    const { stdout: csv } = await where.succeeds(['compare', 's.yaml', 't.yaml', '--stop-loss', '0.03,0.05', '--csv', '--no-report'])
    const [head, ...rows] = csv.trimEnd().split('\r\n')
    expect(head).toMatch(/^id,scenario,name,provider,.*,axis\.scenario,axis\.stopLoss,/)
    expect(rows.map((row) => row.split(',')[2])).toEqual(['a stop 0.03', 'a stop 0.05', 'b stop 0.03', 'b stop 0.05'])
    const { stdout: markdown } = await where.run(['compare', 's.yaml', 't.yaml', '--stop-loss', '0.03,0.05', '--markdown', '--no-report'])
    expect(markdown).toContain('b · 0.03 − b · 0.05')
    const { stdout } = await where.run(['compare', 's.yaml', 't.yaml', '--stop-loss', '0.03,0.05', '--no-report'])
    expect(stdout).toMatch(/across|over all scenarios/i)
    expect(stdout).toContain('Buy and hold')
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(120)
  })

  it('ends at Ctrl-C without a stump, and goes on from there', async () => {
    const where = workspace()
    await where.succeeds(['data', 'synth', '--output', 'big.csv', '--candles', '120000', '--timeframe', '1m'])
    where.put('s.yaml', { ...scenario, timeframe: '1m', market: { file: 'big.csv' } })
    const args = ['compare', 's.yaml', '--set', 'strategy.params.fast=3,4,5,6', '--jobs', '2', '--no-report']
    const { child, done } = where.start(args)
    await new Promise<void>((resolve) => {
      const look = setInterval(() => {
        if (where.list('runs', 'cells').filter((name) => !name.startsWith('.')).length === 0) return
        clearInterval(look)
        resolve()
      }, 20)
    })
    child.kill('SIGINT')
    const { code, stderr } = await done
    expect([code, stderr]).toEqual([130, expect.stringContaining('the same command goes on from there')])
    expect(where.list('runs').filter((name) => name.startsWith('compare-'))).toEqual([])
    const left = where.list('runs', 'cells')
    expect(left.filter((name) => name.startsWith('.'))).toEqual([])
    const after = await where.run(args)
    expect(after.code).toBe(0)
    expect(after.stderr).toContain(`${left.length} of 4 cells are kept from before`)
    for (const id of left) expect(statSync(where.path('runs', 'cells', id, 'cell.json')).size).toBeGreaterThan(100)
  })

  it('explains what a user can have mistaken', async () => {
    const where = workspace()
    where.put('s.yaml', scenario)
    where.put('ai.yaml', { ...scenario, strategy: { name: 'autonomous-scalper' }, providers: ['gemini'] })
    await where.refuses(['compare', 's.yaml', '--min-confidence', '0.9:0.5:0.1'], 'TD_USAGE', [/--min-confidence: 0\.9:0\.5:0\.1 is no range/])
    await where.refuses(['compare', 's.yaml', '--min-confidence', '0.5,'], 'TD_USAGE', [/one of the values is empty/])
    await where.refuses(['compare', 's.yaml', '--min-confidence', '2'], 'TD_SCENARIO_INVALID', [/policy\.minConfidence.*given by --min-confidence/])
    await where.refuses(['compare', 's.yaml', '--providers', 'gemeni'], 'TD_PLUGIN_UNKNOWN', [/gemini/])
    await where.refuses(['compare', 'ai.yaml'], 'TD_RECORDING_MISSING', [/gemini would have to be asked; a comparison plays recorded answers only/])
    await where.refuses(['compare', 's.yaml', '--gate', 'profit>1'], 'TD_USAGE', [/there is no measure profit/])
    await where.refuses(['compare', 's.yaml', '--baseline', 'none', '--gate', 'trades>1'], 'TD_USAGE', [/no comparison can be read there/])
    await where.refuses(['compare', 's.yaml', '--baseline', 'none'], 'TD_USAGE', [/--baseline needs a --gate/])
    await where.refuses(['compare', 's.yaml', 's.yaml'], 'TD_USAGE', [/two scenarios are called cross/])
    await where.refuses(['compare', 's.yaml', '--jobs', '0'], 'TD_USAGE', [/--jobs/])
    await where.refuses(['compare', 's.yaml', '--json', '--csv'], 'TD_USAGE', [/give one of them/])
    expect(where.list('runs')).toEqual([])
    appendFileSync(where.path('s.yaml'), 'matrix: { minConfidense: [0.5, 0.6] }\n')
    await where.refuses(['compare', 's.yaml'], 'TD_SCENARIO_INVALID', [/unknown key "minConfidense"/])
    expect(readFileSync(where.path('s.yaml'), 'utf8')).toContain('minConfidense')
  })
})

describe('tapedeck walkforward', () => {
  it('trades on each window what the one before it chose', async () => {
    const where = workspace()
    const demo = join(import.meta.dirname, '../../scenarios/demo.yaml')
    const { stdout } = await where.run(['walkforward', demo, '--train', '60d', '--test', '30d', '--json'])
    const result = JSON.parse(stdout) as { folds: { threshold: number; testReturn: number; trainTo: number }[]; outOfSample: { netReturn: number; days: number }; dailyEquity: number[] }
    expect(result.folds.map(({ threshold }) => threshold)).toHaveLength(4)
    // The windows' returns, one after the other, are the whole.
    expect(result.folds.reduce((product, { testReturn }) => product * (1 + testReturn), 1) - 1).toBeCloseTo(result.outOfSample.netReturn, 10)
    expect(new Date(result.folds[0].trainTo).toISOString()).toBe('2024-03-01T00:00:00.000Z')
    // Before the first test window nothing was bought.
    expect(result.dailyEquity[0]).toBe(10_000)
    const { stdout: page } = await where.succeeds(['walkforward', demo, '--train', '60d'])
    expect(page).toContain('Too short to tell')
    await where.refuses(['walkforward', demo, '--train', '600d'], 'TD_USAGE', [/the tape has 166 days/])
    await where.refuses(['walkforward', demo, '--train', '60'], 'TD_USAGE', [/expected days or weeks/])
    await where.refuses(['walkforward', demo, '--min-confidence', '0.5:1.5:0.1'], 'TD_USAGE', [/numbers from 0 to 1/])
  })
})
