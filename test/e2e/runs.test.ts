import { existsSync, mkdirSync, symlinkSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { scenario, workspace, type Workspace } from '../support/cli.ts'
import { trailLine, writeChained } from '../support/chained-trail.ts'

/** A run of the live path that holds what it bought. */
function holding(here: Workspace, record: object = {}): void {
  here.put('runs/live-1/run.json', '')
  const instruments = { 'BTC/USDT': { symbol: 'BTC/USDT', base: 'BTC', quote: 'USDT', tickSize: 0, lotSize: 0, minNotional: 0 } }
  const fill = {
    type: 'fill', timestamp: '2024-01-01T01:00:00.000Z', id: '0-1-entry', symbol: 'BTC/USDT', side: 'buy', price: 100, quantity: 1, notional: 100,
    fee_base: 0, fee_quote: 0, slippage: 0, liquidity: 'taker', reason: null, ambiguous: false, stop: 95, target: 105,
  }
  writeChained(here.path('runs', 'live-1', 'audit.jsonl'), [
    trailLine(1, {}, 'live-1'), trailLine(2, { type: 'session', timestamp: null, event: 'account', cash: 1000, costs: { maker: 0, taker: 0, feeAsset: 'quote', slippageBps: 0 }, instruments }, 'live-1'),
    trailLine(3, fill, 'live-1'),
  ])
  here.put('runs/live-1/run.json', JSON.stringify({ run: 'live-1', state: 'stopped', kind: 'live', venue: { name: 'testnet', url: null }, startedAt: '2024-01-01T00:00:00.000Z', ...record }))
}

describe('tapedeck runs', () => {
  let here: Workspace
  let ids: string[]
  beforeAll(async () => {
    here = workspace()
    here.put('a.yaml', scenario({ name: 'one' }))
    here.put('b.yaml', scenario({ name: 'two', policy: { minConfidence: 0.7, stopLoss: 0.02 } }))
    ids = []
    for (const file of ['a.yaml', 'b.yaml']) ids.push((await here.json(['backtest', file, '--no-report'])).run)
    here.put('runs/compare-x/run.json', JSON.stringify({ run: 'compare-x', kind: 'comparison', state: 'finished', startedAt: '2020-01-01T00:00:00.000Z', cells: [{ id: 'abc', name: 'conf 0.5' }] }))
  })

  it('lists newest first, comparisons too', async () => {
    const { runs } = await here.json(['runs', 'list']) as unknown as { runs: Record<string, unknown>[] }
    expect(runs.map(({ run }) => run)).toEqual([ids[1], ids[0], 'compare-x'])
    expect(runs[0]).toMatchObject({ kind: 'backtest', state: 'finished', scenario: 'two', symbols: ['BTC/USDT'], timeframe: '1h', from: '2024-01-01', to: '2024-06-15' })
    expect(runs[2]).toMatchObject({ kind: 'comparison', cells: 1, netReturn: null })
    expect((await here.succeeds(['runs', 'list'])).stdout).toContain(ids[0])
    expect((await here.succeeds(['runs', 'list', '--out', 'nowhere'])).stdout).toContain('there is no folder nowhere')
  })

  it('shows settings that differ from the defaults and nothing else of them', async () => {
    const { settings, files } = await here.json(['runs', 'show', 'two']) as unknown as { settings: { path: string; value: unknown }[]; files: { name: string; bytes: number }[] }
    expect(settings.filter(({ path }) => path.startsWith('policy')).map(({ path }) => path)).toEqual(['policy.minConfidence', 'policy.stopLoss'])
    expect(settings.map(({ path }) => path)).not.toContain('broker.cash')
    expect(files.map(({ name }) => name)).toEqual(['audit.jsonl', 'equity.csv', 'run.json', 'trades.csv'])
    expect((await here.succeeds(['runs', 'show', 'compare-x'])).stdout).toContain('Cells (1)')
  })

  it('tells in what two runs differ and where they part', async () => {
    const found = await here.json(['runs', 'diff', ...ids]) as unknown as { settings: { path: string }[]; trade: { number: number; a: { reason: string }; b: { reason: string } }; decision: object | null }
    expect(found.settings.map(({ path }) => path)).toEqual(['name', 'policy.stopLoss'])
    const [first, second] = ids.map((id) => here.read('runs', id, 'trades.csv').split('\n'))
    expect(found.trade.number).toBe(first.findIndex((row, index) => row.split(',').slice(0, 7).join() !== second[index].split(',').slice(0, 7).join()))
    expect(found.decision).not.toBeNull()
    await here.refuses(['runs', 'diff', ids[0], ids[0]], 'TD_USAGE', ['the same run'])
  })

  it('deletes nothing without a yes, nothing that is no run, and nothing elsewhere', async () => {
    const place = workspace()
    place.put('s.yaml', scenario({ audit: 'off' }))
    const { run } = await place.json(['backtest', 's.yaml', '--no-report'])
    place.put('treasure/run.json', JSON.stringify({ run: 'something-else' }))
    place.put('treasure/gold.txt', 'gold')
    symlinkSync(place.path('runs', run), place.path('runs', 'linked'))
    const before = place.tree()
    await place.refuses(['runs', 'delete', run], 'TD_USAGE', ['--yes'])
    await place.refuses(['runs', 'delete', 'linked', '--yes'], 'TD_USAGE', ['it is a link'])
    await place.refuses(['runs', 'delete', 'treasure', '--yes'], 'TD_USAGE', ['something-else'])
    await place.refuses(['runs', 'delete', '../treasure', '--yes'], 'TD_USAGE', ['something-else'])
    await place.refuses(['runs', 'delete', '..', '--yes'], 'TD_RUN_MISSING', ['..'])
    await place.refuses(['runs', 'delete', '', '--yes'], 'TD_RUN_MISSING', [])
    // One that may not go keeps the others.
    await place.refuses(['runs', 'delete', run, 'treasure', '--yes'], 'TD_USAGE', ['nothing is deleted'])
    expect(place.tree()).toEqual(before)
    mkdirSync(place.path('runs', run, 'more'))
    symlinkSync(place.path('treasure'), place.path('runs', run, 'more', 'link'))
    expect((await place.run(['runs', 'delete', run, '--yes'])).code).toBe(0)
    expect(place.list('runs')).toEqual(['linked'])
    expect(place.read('treasure', 'gold.txt')).toBe('gold')
  })

  it('keeps a run that somebody runs, or that holds something at an exchange', async () => {
    const place = workspace()
    holding(place)
    await place.refuses(['runs', 'delete', 'live-1', '--yes'], 'TD_VENUE', ['holds BTC/USDT at testnet', 'panic', '--forget-positions'])
    place.put('runs/live-1/writer.1.pid', String(process.pid))
    await place.refuses(['runs', 'delete', 'live-1', '--yes', '--forget-positions'], 'TD_LOCKED', [String(process.pid)])
    await place.shell('rm runs/live-1/writer.1.pid')
    expect((await place.run(['runs', 'delete', 'live-1', '--yes', '--forget-positions'])).code).toBe(0)
    expect(existsSync(place.path('runs', 'live-1'))).toBe(false)
  })

  it('refuses an id that means several', async () => {
    const place = workspace()
    for (const id of ['run-1', 'run-2']) place.put(`runs/${id}/run.json`, JSON.stringify({ run: id, state: 'finished' }))
    await place.refuses(['runs', 'delete', 'run', '--yes'], 'TD_USAGE', ['2 runs in runs begin so'])
    expect(place.list('runs')).toEqual(['run-1', 'run-2'])
  })
})

describe('tapedeck report', () => {
  it('makes the page of a finished run as it was, and says what it lacks', async () => {
    const here = workspace()
    here.put('s.yaml', scenario())
    const { run } = await here.json(['backtest', 's.yaml'])
    const was = here.read('runs', run, 'report.html')
    await here.shell(`rm runs/${run}/report.html`)
    expect((await here.succeeds(['report', run])).stdout).toContain('Against no skill')
    const sorted = (page: string): string => page.replaceAll(/data-v="[^"]*"/g, '')
    expect(sorted(here.read('runs', run, 'report.html')) === sorted(was)).toBe(true)
    await here.refuses(['report', run, '--output', 's.yaml'], 'TD_USAGE', ['s.yaml'])
    here.put('runs/new/run.json', JSON.stringify({ run: 'new', state: 'running', scenario: {} }))
    await here.refuses(['report', 'new'], 'TD_USAGE', ['a report is made of a run that has ended'])
  })

  it('puts several runs on one page that holds nothing but itself', async () => {
    const here = workspace()
    const ids: string[] = []
    for (const stopLoss of [0.02, 0.05]) {
      here.put('s.yaml', scenario({ policy: { minConfidence: 0.7, stopLoss } }))
      ids.push((await here.json(['backtest', 's.yaml', '--no-report'])).run)
    }
    const record = JSON.parse(here.read('runs', ids[0], 'run.json')) as { warnings: string[] }
    record.warnings = ['<img src=x onerror=alert(1)>\u001b[2J']
    here.put(`runs/${ids[0]}/run.json`, JSON.stringify(record))
    const { stdout } = await here.succeeds(['report', ...ids])
    expect(stdout).toContain('Difference')
    expect(stdout).not.toContain('\u001b')
    const page = here.read('runs', 'side-by-side.html')
    expect(page).toContain("default-src 'none'")
    expect(page).toContain('&lt;img src=x')
    expect(page).not.toMatch(/<img|<script|https?:\/\/(?!www\.w3\.org)/)
    expect(page.match(/<polyline class="run\d" stroke-dasharray="" points="\d/g)).toHaveLength(4)
  })
})
