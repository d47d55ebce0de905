import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { auditOf, sample, scenario, workspace, type Workspace } from '../support/cli.ts'
import { root } from '../support/shared.ts'

interface Told {
  readonly decision: { readonly seq: number; readonly action: string; readonly rules: string | null; readonly talk: { readonly source: string; readonly system: string | null; readonly services: readonly { readonly exchanges: readonly { readonly question: string | null; readonly action: string }[] }[] } | null } | null
  readonly candles: { readonly rows: readonly (readonly number[])[] } | null
  readonly fills: readonly Readonly<Record<string, unknown>>[]
  readonly trade: { readonly number: number; readonly reason: string } | null
  readonly notes: readonly string[]
}

const tell = (here: Workspace, ...args: string[]): Promise<Told> => here.json(['explain', ...args]) as unknown as Promise<Told>

describe('tapedeck explain', () => {
  let here: Workspace
  let run: string
  let lines: Record<string, unknown>[]
  beforeAll(async () => {
    here = workspace()
    here.put('s.yaml', scenario())
    run = (await here.json(['backtest', 's.yaml', '--no-report'])).run
    lines = auditOf(here, run)
  })

  it('tells a trade from its candles to its profit, by number, order and line', async () => {
    const trades = lines.filter(({ type }) => type === 'trade')
    const third = await tell(here, run, 't3')
    expect(third.trade).toMatchObject({ number: 3, pnl: trades[2]['pnl'], entryTime: trades[2]['entryTime'] })
    const { decision, candles } = third
    expect(decision).toMatchObject({ action: 'BUY', status: 'EXECUTED' })
    expect(third.fills.map(({ side }) => side)).toEqual(['buy', 'sell'])
    const own = lines.find(({ seq }) => seq === decision!.seq)!
    const at = Date.parse(own['timestamp'] as string) - 3_600_000
    expect(candles!.rows.find(([open]) => open === at)?.[4]).toBe((own['market_data'] as { price: number }).price)
    expect(await tell(here, run, (own['order'] as { id: string }).id)).toMatchObject({ about: 'decision', decision: { seq: decision!.seq }, trade: { number: 3 } })
    expect(await tell(here, run, String(trades[2]['seq']))).toMatchObject({ about: 'trade', trade: { number: 3 } })
    expect(await tell(here, run, (own['timestamp'] as string).slice(0, 16))).toMatchObject({ decision: { seq: decision!.seq } })
  })

  it('says that rules decided where nobody was asked', async () => {
    const { stdout } = await here.succeeds(['explain', run, '50'])
    expect(stdout).toContain('The rules of sma-cross decided: the scenario asks no AI.')
    expect(stdout).not.toContain('Prompts')
  })

  it.each([
    ['99999999', /there is no line 99,999,999; the last is [\d,]+/],
    ['t9999', /there is no trade 9,999; the trail holds \d+ closed trades/],
    ['2024-03-01T10:30', /no decision at 2024-03-01 10:30 UTC; nearest: 2024-03-01 10:00 .* and 2024-03-01 11:00/],
    ['1999-01-01', /nearest: 2024-01-/],
    ['0-1-entry', /no order 0-1-entry/],
    ['what', /expected the number of a line/],
    ['1', /line 1 is no decision but of type session/],
  ])('answers %s with what there is', async (wish, says) => {
    await here.refuses(['explain', run, wish], 'TD_USAGE', [says])
  })

  it('takes the beginning of an id, refuses none, and needs a trail', async () => {
    expect((await here.succeeds(['explain', run.slice(0, 8), '50'])).stdout).toContain('Decision, line 50')
    await here.refuses(['explain', 'nobody', '50'], 'TD_RUN_MISSING', ['nobody'])
    const other = workspace()
    other.put('s.yaml', scenario({ audit: 'off' }))
    const silent = (await other.json(['backtest', 's.yaml', '--no-report'])).run
    await other.refuses(['explain', silent, 't1'], 'TD_RUN_MISSING', ['audit: off'])
  })

  it('goes on with damaged and torn trails, and prints nothing that a terminal obeys', async () => {
    const place = workspace()
    place.put('s.yaml', scenario())
    mkdirSync(place.path('runs', run), { recursive: true })
    for (const name of ['run.json', 'trades.csv', 'equity.csv']) copyFileSync(here.path('runs', run, name), place.path('runs', run, name))
    const text = here.read('runs', run, 'audit.jsonl').split('\n')
    const hostile = JSON.stringify('\u001b[2J\u001b]0;owned\u0007<script>\u202egone\nDecision, line 1').slice(1, -1)
    text[60] = text[60].replaceAll(/"reasoning": "[^"]*"/g, () => `"reasoning": "${hostile}"`)
    text[61] = text[61].slice(0, 90)
    place.put(`runs/${run}/audit.jsonl`, `${text.slice(0, 200).join('\n')}\n{"type": "decision", "seq": 201`)
    const { stdout } = await place.succeeds(['explain', run, '61'])
    expect(stdout).toContain('<script>')
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/)
    expect(stdout).toContain('torn line of 31 bytes')
    await place.refuses(['explain', run, '62'], 'TD_USAGE', ['there is no line 62'])
    expect(await tell(place, run, '61')).toMatchObject({ decision: { seq: 61 } })
  })

  it('tells the rest where the candles have gone or changed', async () => {
    const place = workspace()
    copyFileSync(sample, place.path('tape.csv.gz'))
    place.put('s.yaml', scenario({ market: { file: 'tape.csv.gz' } }))
    const own = (await place.json(['backtest', 's.yaml', '--no-report'])).run
    expect((await tell(place, own, 't1')).candles).not.toBeNull()
    await place.shell('mv tape.csv.gz away.csv.gz')
    const told = await tell(place, own, 't1')
    expect(told).toMatchObject({ candles: null, trade: { number: 1 } })
    expect(told.notes.join()).toContain('The candles cannot be shown')
  })

  it('writes prompts again and takes every turn from the recording', async () => {
    const { run: demo } = await here.json(['backtest', join(root, 'scenarios/demo.yaml'), '--no-report', '--to', '2024-02-10'])
    const told = await tell(here, demo, 't1')
    const talk = told.decision!.talk!
    expect(talk.source).toBe('recording')
    expect(talk.system).toContain('spot, long only')
    const [first, second] = talk.services[0].exchanges
    expect(first.question).toContain('BTC/USDT, 1h candles, 2024-01-16T10:00:00.000Z')
    expect(second.question).toContain('Are you confident about 0.6963')
    expect(told.notes).toEqual([])
  })

  it('explains a cell of a comparison', async () => {
    const record = JSON.parse(here.read('runs', run, 'run.json')) as { scenario: object }
    const cell = 'runs/cells/abc123'
    here.put('runs/compare-x/run.json', JSON.stringify({ kind: 'comparison', run: 'compare-x', state: 'finished', cells: [{ id: 'abc123', name: 'conf 0.7' }] }))
    here.put(`${cell}/cell.json`, JSON.stringify({ cell: 'abc123', labels: { minConfidence: '0.7' }, pass: 'p', scenario: record.scenario, folder: here.folder }))
    here.put(`${cell}/audit.jsonl`, here.read('runs', run, 'audit.jsonl'))
    expect(await tell(here, 'abc', 't1')).toMatchObject({ kind: 'cell', run: 'abc123', trade: { number: 1 }, notes: [] })
    expect(await tell(here, 'compare-x/abc123', '50')).toMatchObject({ decision: { seq: 50 } })
  })
})
