import { writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { decisionLine, trailLine, writeChained } from '../support/chained-trail.ts'
import { expectRefusal, scenario, workspace, Workspace } from '../support/cli.ts'
import { whole } from '../support/slice.ts'

const END = { type: 'session', event: 'finished', requests: { signed: 3, public: 5 }, said: 'grüße' }
const LINES = [trailLine(1), ...[2, 3, 4].map((seq) => decisionLine(seq)), trailLine(5, END)]

/** A run with a chained trail below `runs`; returns the trail's text. */
function live(here: Workspace, record: object = {}, run = 'run-1', lines = LINES): string {
  here.put(`runs/${run}/run.json`, '')
  const head = writeChained(here.path('runs', run, 'audit.jsonl'), lines)
  here.put(`runs/${run}/run.json`, JSON.stringify({
    run: 'run-1', state: 'finished', startedAt: '2024-01-01T00:00:00.000Z', audit: { lines: lines.length, head },
    ...record,
  }))
  return here.read('runs', run, 'audit.jsonl')
}

describe.concurrent('tapedeck verify', () => {
  it('finds a finished run sound', async () => {
    const here = workspace()
    live(here)
    expect((await here.succeeds(['verify', 'run-1'])).stdout).toBe('sound: 5 lines, chain holds\n')
    expect(await here.json(['verify', 'runs/run-1'])).toEqual({
      directory: here.path('runs', 'run-1'), run: 'run-1', state: 'finished', lines: 5, sound: true, chained: true,
      firstFault: null, torn: null, seqGaps: 0, ended: true, endKnown: true,
    })
  })

  it('tells of a run that has not ended, and of its torn line', async () => {
    const here = workspace()
    const trail = live(here, { state: 'running', audit: undefined })
    here.put('runs/run-1/audit.jsonl', `${trail}{"type": "é`)
    const { stdout } = await here.succeeds(['verify', 'run-1'])
    expect(stdout).toMatch(/^sound: 5 lines, chain holds\n/)
    expect(stdout).toContain('run.json says running')
    expect(stdout).toContain('a torn line of 12 bytes')
  })

  it.each<[string, (trail: string) => string, string | RegExp]>([
    ['a changed word', (trail) => trail.replace('"SKIPPED"', '"EXECUTE"'), 'line 3 of audit.jsonl'],
    ['a changed last line', (trail) => trail.replace(/grüße(?=[^\n]*\n$)/, 'grüsse'), 'line 5 of audit.jsonl'],
    ['a line less at the end', (trail) => trail.replace(/[^\n]+\n$/, ''), /line 5 of audit\.jsonl.*recorded 5 lines/],
    ['a line less in the middle', (trail) => trail.replace(/(\n)[^\n]+\n/, '$1'), 'line 2 of audit.jsonl'],
    ['a line more', (trail) => `${trail}${trailLine(6)}`, 'line 6 of audit.jsonl'],
    ['a torn end', (trail) => trail.slice(0, -1), 'line 5 of audit.jsonl'],
    ['no line at all', () => '', 'there is none'],
  ])('finds %s in a finished run', async (_, change, says) => {
    const here = workspace()
    const trail = live(here)
    const changed = change(trail)
    expect(changed).not.toBe(trail)
    here.put('runs/run-1/audit.jsonl', changed)
    await here.refuses(['verify', 'run-1'], 'TD_REPLAY_DIFFERS', [here.path('runs', 'run-1'), says])
  })

  it('finds soundly chained lines that were added after the end', async () => {
    const here = workspace()
    live(here)
    writeChained(here.path('runs', 'run-1', 'audit.jsonl'), [trailLine(6)])
    await here.refuses(['verify', 'run-1'], 'TD_REPLAY_DIFFERS', ['line 6 of audit.jsonl', 'recorded 5 lines'])
  })

  it('knows how a run of the live path ends, and that one which was stopped has not gone on', async () => {
    const here = workspace()
    live(here, {}, 'run-1', LINES.slice(0, -1))
    await here.refuses(['verify', 'run-1'], 'TD_REPLAY_DIFFERS', ['line 5', 'the end of the session is missing'])
    const other = workspace()
    const trail = live(other, { state: 'stopped' }, 'run-1', [...LINES.slice(0, -1), trailLine(5, { ...END, event: 'stopped' })])
    expect(await other.json(['verify', 'run-1'])).toMatchObject({ state: 'stopped', ended: true, sound: true })
    other.put('runs/run-1/audit.jsonl', `${trail}{"type": "or`)
    await other.refuses(['verify', 'run-1'], 'TD_REPLAY_DIFFERS', ['line 6', 'it is torn, although the run was stopped'])
  })

  it('finds the trail of another run', async () => {
    const here = workspace()
    live(here, { run: 'run-2' })
    await here.refuses(['verify', 'run-1'], 'TD_REPLAY_DIFFERS', ['run-1', 'run-2', 'line 1'])
  })

  it('prints JSON before it fails', async () => {
    const here = workspace()
    const trail = live(here)
    here.put('runs/run-1/audit.jsonl', trail.replace('"seq": 3', '"seq": 7'))
    const { code, stdout, stderr } = await here.run(['verify', 'run-1', '--json'])
    expect(JSON.parse(stdout)).toMatchObject({ sound: false, firstFault: { line: 3 }, seqGaps: 2 })
    expect(stderr).toContain('[TD_REPLAY_DIFFERS]')
    expect(code).toBe(3)
  })

  it.runIf(whole)('takes the newest of several runs whose id begins so, and says which', async () => {
    const here = workspace()
    live(here, { startedAt: '2024-01-01T00:00:00.000Z' }, 'alpha-1')
    live(here, { startedAt: '2024-01-02T00:00:00.000Z' }, 'alpha-2')
    live(here, { startedAt: '2024-01-03T00:00:00.000Z' }, 'beta-1')
    await here.succeeds(['verify', 'beta'])
    await here.succeeds(['verify', 'alpha-2'])
    const { code, stdout, stderr } = await here.run(['verify', 'alpha'])
    expect([code, stderr]).toEqual([0, 'alpha: the newest of 2 runs is taken, alpha-2; older: alpha-1\n'])
    expect(stdout).toMatch(/^sound: /)
    // What acts on a run never guesses.
    await here.refuses(['resume', 'alpha'], 'TD_USAGE', ['2 runs in runs begin so, newest first: alpha-2, alpha-1; give more of the id'])
    await here.refuses(['verify', 'gamma'], 'TD_RUN_MISSING', ['gamma', 'beta-1, alpha-2, alpha-1'])
    await here.refuses(['verify', 'beta', '--out', 'elsewhere'], 'TD_RUN_MISSING', ['there is no folder elsewhere', '--out'])
    await here.refuses(['verify'], 'TD_USAGE', ['verify: the run is missing'])
  })
})

describe('tapedeck verify on a backtest', () => {
  let here: Workspace
  let run: string
  beforeAll(async () => {
    here = new Workspace()
    here.put('s.yaml', scenario())
    ;({ run } = await here.json(['backtest', 's.yaml', '--no-report']))
  })
  afterAll(() => { here.remove() })

  it('says that there is no chain and checks the rest', async () => {
    const { stdout } = await here.succeeds(['verify', run])
    expect(stdout).toMatch(/^sound: [\d,]+ lines, .*no chain/)
    expect(await here.json(['verify', run]))
      .toMatchObject({ chained: false, sound: true, ended: true, state: 'finished' })
  })

  it('finds lines that are missing', async () => {
    const trail = here.read('runs', run, 'audit.jsonl')
    const lines = trail.split('\n')
    const change = async (kept: readonly string[], says: string): Promise<void> => {
      writeFileSync(here.path('runs', run, 'audit.jsonl'), kept.join('\n'))
      expectRefusal(await here.run(['verify', run]), 'TD_REPLAY_DIFFERS', [says])
    }
    await change(lines.filter((_, index) => index !== 99), 'line 100 of audit.jsonl: its seq is 101, expected 100')
    await change([...lines.slice(0, -2), ''], 'the end of the session is missing')
    writeFileSync(here.path('runs', run, 'audit.jsonl'), trail)
    await here.succeeds(['verify', run])
  })

  it('says where there is no trail', async () => {
    const { run: silent } = await here.json(['backtest', 's.yaml', '--no-report', '--audit', 'off', '--out', 'silent'])
    await here.refuses(['verify', silent, '--out', 'silent'], 'TD_RUN_MISSING', ['no audit trail', 'audit: off'])
  })
})
