import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { sample, scenario, workspace, type Workspace } from '../support/cli.ts'
import { decision, exchange, FAILED, putRecording } from '../support/tape-lines.ts'
import { whole } from '../support/slice.ts'

interface Survey {
  readonly folder: string
  readonly exchanges: number
  readonly decisions: number
  readonly symbols: readonly string[]
  readonly generations: readonly object[]
}
interface Pruned {
  readonly dropped: { readonly exchanges: number; readonly decisions: number }
  readonly generations: readonly { readonly generation: number }[]
}

const asking = (to: string, analyst: object = {}): object => scenario({
  market: { file: sample, to }, strategy: { name: 'autonomous-scalper' }, recording: { path: 'tapes/one', mode: 'replay' },
  providers: [{ name: 'simulated', failureRate: 0.1, skill: 0.5, ...analyst }],
})

/** A workspace with a scenario, a shorter one, and a recording of the longer. */
async function recorded(): Promise<Workspace> {
  const here = workspace()
  here.put('long.yaml', asking('2024-01-16'))
  here.put('short.yaml', asking('2024-01-14'))
  await here.succeeds(['record', 'long.yaml'])
  return here
}

const listed = async (here: Workspace, ...args: readonly string[]): Promise<readonly Survey[]> =>
  (await here.json<{ recordings: readonly Survey[] }>(['recordings', 'list', ...args])).recordings

async function audit(here: Workspace, file: string): Promise<string> {
  const { run } = await here.json(['backtest', file, '--no-report'])
  return here.read('runs', run, 'audit.jsonl')
}

describe('tapedeck recordings list', () => {
  it('finds recordings below the folder and tells what they hold', async () => {
    const here = await recorded()
    putRecording(here.path('tapes', 'two'), [exchange(1, 'a'), exchange(2, 'b', FAILED), decision(3, 0, [1])])
    const [one, two] = await listed(here)
    expect(one).toMatchObject({ folder: 'tapes/one', symbols: ['BTC/USDT'], generations: [{ generation: 1 }] })
    expect(one.decisions).toBeGreaterThan(50)
    expect(two).toMatchObject({ folder: 'tapes/two', exchanges: 2, decisions: 1 })
    const { stdout } = await here.succeeds(['recordings', 'list', 'tapes/two'])
    expect(stdout).toBe([
      'tapes/two', '  1 decision of BTC/USDT, 2024-01-01 00:00 … 2024-01-01 00:00 UTC', '  2 exchanges: fake m-1 2 (1 failed)',
      '  0.02 USD for 200 tokens in and 20 out; 0.00 MB', '  generation 1, complete', '',
    ].join('\n'))
  })

  it('says where there is none, and leaves out one that cannot be read', async () => {
    const here = workspace()
    expect((await here.succeeds(['recordings', 'list'])).stdout).toMatch(/^No recording/)
    await here.refuses(['recordings', 'list', 'nowhere'], 'TD_RECORDING_MISSING', ['nowhere'])
    putRecording(here.path('good'), [exchange(1, 'a')])
    putRecording(here.path('bad'), [exchange(1, 'a')])
    here.put('bad/manifest.json', '{}')
    const { code, stdout, stderr } = await here.run(['recordings', 'list'])
    expect(stdout).toMatch(/^good\n/)
    expect(stderr).toMatch(/^warning: bad\/manifest\.json: is no manifest of a recording/)
    expect(code).toBe(1)
  })
})

describe('tapedeck recordings verify', () => {
  it('finds a recording sound, and says which line is not', async () => {
    const here = await recorded()
    expect((await here.succeeds(['recordings', 'verify', 'tapes/one'])).stdout).toMatch(/^tapes\/one is sound: \d+ exchanges and \d+ decisions, /)
    const path = here.path('tapes/one/tape.jsonl')
    const lines = readFileSync(path, 'utf8').split('\n')
    const at = lines.findIndex((line) => line.includes('"kind":"exchange"'))
    lines[at] = lines[at].replace('BTC/USDT', 'ETH/USDT')
    writeFileSync(path, lines.join('\n'))
    const { code, stdout } = await here.run(['recordings', 'verify', 'tapes/one'])
    expect(stdout).toMatch(new RegExp(`^tapes/one: \\d+ faults?\\n {2}line ${at + 1}: its key \\w+… is not that of its question`))
    expect(code).toBe(3)
    const { sound, faults } = JSON.parse((await here.run(['recordings', 'verify', 'tapes/one', '--json'])).stdout) as { sound: boolean; faults: object[] }
    expect(sound).toBe(false)
    expect(faults[0]).toMatchObject({ line: at + 1 })
  })

  it('finds secrets of the environment without showing them', async () => {
    const here = workspace()
    putRecording(here.path('r'), [exchange(1, 'use key-material-0123')])
    await here.succeeds(['recordings', 'verify', 'r'])
    const { code, stdout, stderr } = await here.run(['recordings', 'verify', 'r'], { GEMINI_API_KEY: 'key-material-0123' })
    expect(stdout).toMatch(/^r: 1 fault\n {2}line 2: it holds the value of a secret that is set in this environment\n$/)
    expect(stdout + stderr).not.toContain('key-material')
    expect(code).toBe(3)
  })
})

describe('tapedeck recordings prune', () => {
  it.runIf(whole)('drops a generation that was recorded anew, and replays stay byte for byte', async () => {
    const here = await recorded()
    const before = await audit(here, 'long.yaml')
    expect((await here.succeeds(['recordings', 'prune', 'tapes/one'])).stdout).toMatch(/^tapes\/one: nothing to drop; /)
    await here.succeeds(['record', 'long.yaml', '--mode', 'record'])
    const tree = here.tree()
    const planned = await here.json<Pruned>(['recordings', 'prune', 'tapes/one', '--dry-run'])
    expect(here.tree()).toEqual(tree)
    expect(planned.generations.map(({ generation }) => generation)).toEqual([1])
    expect((await here.json<Pruned>(['recordings', 'prune', 'tapes/one'])).dropped).toEqual(planned.dropped)
    const [{ generations }] = await listed(here)
    expect(generations).toMatchObject([{ generation: 2 }])
    await here.succeeds(['recordings', 'verify', 'tapes/one'])
    expect(await audit(here, 'long.yaml')).toBe(before)
  })

  it('keeps what the given scenarios use, and no more', async () => {
    const here = await recorded()
    const before = await audit(here, 'short.yaml')
    const [whole] = await listed(here)
    expect((await here.json<Pruned>(['recordings', 'prune', 'tapes/one', '--scenario', 'short.yaml', 'long.yaml', '--dry-run'])).dropped)
      .toEqual({ exchanges: 0, decisions: 0 })
    const { dropped } = await here.json<Pruned>(['recordings', 'prune', 'tapes/one', '--scenario', 'short.yaml'])
    expect(dropped.decisions).toBe(48)
    const [rest] = await listed(here)
    expect([rest.exchanges, rest.decisions]).toEqual([whole.exchanges - dropped.exchanges, whole.decisions - 48])
    await here.succeeds(['recordings', 'verify', 'tapes/one'])
    expect(await audit(here, 'short.yaml')).toBe(before)
    expect((await here.run(['backtest', 'long.yaml', '--no-report'])).stderr).toMatch(/\[TD_RECORDING_MISS\]/)
    // What cannot be replayed tells nothing about what is needed.
    const tree = here.tree()
    const refused = await here.run(['recordings', 'prune', 'tapes/one', '--scenario', 'long.yaml'])
    expect(refused.stderr).toMatch(/\[TD_RECORDING_MISS\]/)
    expect(refused.code).toBe(1)
    expect(here.tree()).toEqual(tree)
  })

  it('refuses a scenario that asks nobody, and a recording that is being written', async () => {
    const here = workspace()
    putRecording(here.path('r'), [exchange(1, 'a'), exchange(2, 'a', { generation: 2 })])
    here.put('rules.yaml', scenario())
    await here.refuses(['recordings', 'prune', 'r', '--scenario', 'rules.yaml', '--dry-run'], 'TD_SCENARIO_INVALID', ['only rules decide'])
    here.put('r/writer.1.pid', `${process.pid}\n`)
    await here.refuses(['recordings', 'prune', 'r'], 'TD_LOCKED', [`process ${process.pid} is recording`])
  })
})

describe('tapedeck recordings diff', () => {
  it('shows answers that differ and questions that only one has', async () => {
    const here = workspace()
    putRecording(here.path('a'), [exchange(1, 'p'), exchange(2, 'q'), decision(3, 4, [2]), exchange(4, 'r')])
    putRecording(here.path('b'), [exchange(1, 'p'), exchange(2, 'q', FAILED), exchange(4, 's', { model: 'm-2' })])
    const { stdout } = await here.succeeds(['recordings', 'diff', 'a', 'b'])
    expect(stdout).toMatch(new RegExp([
      '^Answered alike: 1 question', 'Answered differently: 1 question', ' {2}BTC/USDT 2024-01-01 04:00 UTC, fake m-1, question 1: BUY 0\\.7 → server',
      'Only in a: 1 question', ' {2}key [0-9a-f]{12}, fake m-1, question 1', 'Only in b: 1 question', ' {2}key [0-9a-f]{12}, fake m-2, question 1', '$',
    ].join('\n')))
    const codes = await Promise.all([['a', 'b'], ['a', 'a']].map(async (pair) => (await here.run(['recordings', 'diff', ...pair, '--exit-code'])).code))
    expect(codes).toEqual([3, 0])
    await here.refuses(['recordings', 'diff', 'a', 'c'], 'TD_RECORDING_MISSING', ['c: there is no recording'])
  })
})

describe('tapedeck recordings migrate', () => {
  it('has nothing to do for a recording of this version', async () => {
    const here = workspace()
    putRecording(here.path('r'), [exchange(1, 'a')])
    const tree = here.tree()
    expect((await here.succeeds(['recordings', 'migrate', 'r'])).stdout).toBe('r: nothing to do; its keys are of this version.\n')
    expect(here.tree()).toEqual(tree)
  })

  it('gives an older one the keys of today', async () => {
    const here = workspace()
    putRecording(here.path('r'), [exchange(1, 'a', { key: 'ab'.repeat(32) }), exchange(2, 'b'), decision(3, 0, [1])], { keyVersion: 0 })
    await here.refuses(['recordings', 'verify', 'r'], 'TD_RECORDING_BROKEN', ['tapedeck recordings migrate r'])
    const tree = here.tree()
    expect((await here.succeeds(['recordings', 'migrate', 'r', '--dry-run'])).stdout).toMatch(/would become version 1; 1 of 2 keys changes\.\n/)
    expect(here.tree()).toEqual(tree)
    const { stdout } = await here.succeeds(['recordings', 'migrate', 'r'])
    expect(stdout).toMatch(/^r: keys of version 0 became version 1; 1 of 2 keys changes\.\n {2}exchange 1: abababababab… → [0-9a-f]{12}…\n$/)
    await here.succeeds(['recordings', 'verify', 'r'])
  })

  it('refuses one of a newer program', async () => {
    const here = workspace()
    putRecording(here.path('r'), [exchange(1, 'a')], { keyVersion: 9 })
    await here.refuses(['recordings', 'migrate', 'r'], 'TD_RECORDING_BROKEN', ['version 9', 'newer program'])
  })
})

describe('tapedeck recordings', () => {
  it('wants a command', async () => {
    await workspace().refuses(['recordings'], 'TD_USAGE', ['list, verify, prune, diff or migrate'])
  })
})
