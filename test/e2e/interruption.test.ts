import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  auditOf, expectRefusal, scenario, until, Workspace, workspace, type Backtest, type Outcome, type Running,
} from '../support/cli.ts'

/** A folder with a tape long enough to be interrupted: its audit trail alone takes seconds. */
let here: Workspace

beforeAll(async () => {
  here = new Workspace()
  await here.succeeds(['data', 'synth', '--candles', '2000000', '--timeframe', '1m', '--from', '2019-01-01', '--output',
    'long.csv'])
})
afterAll(() => { here.remove() })

let count = 0
/** Starts a run in a folder of its own and waits until its trail is well under way. */
async function started(
  flags: readonly string[] = [], name = `long-${++count}`,
): Promise<{ run: Running; out: string; tmp: string }> {
  here.put(`${name}.yaml`, scenario({ name, timeframe: '1m', market: { file: 'long.csv' } }))
  const out = `out-${name}`
  const run = here.start(['backtest', `${name}.yaml`, '--out', out, '--json', ...flags])
  let tmp = ''
  await until(() => {
    tmp = here.list(out).find((entry) => entry.startsWith('.') && entry.endsWith('.tmp')) ?? ''
    const trail = here.path(out, tmp, 'audit.jsonl')
    return tmp !== '' && existsSync(trail) && statSync(trail).size > 1_000_000
  }, `the trail of ${name} grows`)
  return { run, out, tmp }
}

function expectInterrupted({ code, stdout, stderr }: Outcome, out: string): void {
  expect(code).toBe(130)
  const result = JSON.parse(stdout) as Backtest
  expect(result.interrupted).toBe(true)
  expect(result.warnings.join()).toContain('interrupted')
  expect(stderr).toMatch(/^warning: .+interrupted/m)
  expect(stderr).not.toMatch(/^tapedeck: /m)
  expect(here.list(out)).toEqual([result.run])
  expect(here.list(out, result.run)).toEqual(['audit.jsonl', 'equity.csv', 'report.html', 'run.json', 'trades.csv'])

  const record = JSON.parse(here.read(out, result.run,
    'run.json')) as { state: string; figures: { candles: number; trades: number } }
  expect(record.state).toBe('interrupted')
  expect(record.figures.candles).toBe(result.figures['candles'])
  expect(record.figures.candles).toBeGreaterThan(0)
  expect(record.figures.candles).toBeLessThan(2_000_000)
  expect(here.read(out, result.run, 'audit.jsonl').endsWith('}\n')).toBe(true)
  const audit = auditOf(here, result.run, out)
  expect(audit.at(-1)).toMatchObject({ type: 'session', event: 'interrupted', candles: record.figures.candles })
  expect(here.read(out, result.run, 'trades.csv').trimEnd().split('\n')).toHaveLength(1 + record.figures.trades)
  expect(here.read(out, result.run, 'report.html')).toMatch(/interrupted/)
}

describe('a run that is interrupted', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('by %s is valid, shorter, and says so', async (signal) => {
    const { run, out } = await started()
    run.child.kill(signal)
    expectInterrupted(await run.done, out)
  })

  it('leaves the scenarios after it alone', async () => {
    here.put('never.yaml', scenario({ name: 'never' }))
    const { run, out } = await started(['never.yaml'])
    run.child.kill('SIGINT')
    const { code, stdout } = await run.done
    expect(code).toBe(130)
    expect((JSON.parse(stdout) as Backtest[]).map(({ interrupted }) => interrupted)).toEqual([true])
    expect(here.list(out)).toHaveLength(1)
  })

  it('twice leaves either the same or nothing', async () => {
    for (const pause of [0, 2, 20]) {
      const { run, out } = await started()
      run.child.kill('SIGINT')
      await new Promise((resolve) => { setTimeout(resolve, pause) })
      run.child.kill('SIGINT')
      const outcome = await run.done
      expect(outcome.code).toBe(130)
      if (outcome.stdout === '') expect(here.list(out)).toEqual([])
      else expectInterrupted(outcome, out)
    }
  })

  it('while it makes or converts candles leaves no file', async () => {
    for (const args of [
      ['data', 'synth', '--candles', '20000000', '--timeframe', '1m', '--output', 'cut.csv'],
      ['data', 'import', 'long.csv', '--output', 'cut.csv.gz'],
    ]) {
      const { child, done } = here.start(args)
      await until(() => here.list().some((name) => name.startsWith('cut.csv')), 'the file grows')
      child.kill('SIGINT')
      expect(await done).toEqual({ code: 130, stdout: '', stderr: 'interrupted\n' })
      expect(here.list().filter((name) => name.startsWith('cut.csv'))).toEqual([])
    }
  })

  it('while it verifies candles does not call them sound', async () => {
    const { child, done } = here.start(['data', 'verify', 'long.csv', 'long.csv', '--duplicates', 'drop'])
    await new Promise((resolve) => { setTimeout(resolve, 400) })
    child.kill('SIGINT')
    const { code, stdout } = await done
    // Before the program has loaded, the signal itself ends it.
    expect([130, null]).toContain(code)
    expect(stdout).toBe('')
  })
})

describe('two processes', () => {
  it('never write the same run: the second is refused, the first is unharmed', async () => {
    const { run, out, tmp } = await started()
    const name = out.replace('out-', '')
    const second = await here.run(['backtest', `${name}.yaml`, '--out', out, '--json'])
    expectRefusal(second, 'TD_RUN_WRITE', [`process ${run.child.pid} is writing this run`, '--out'])
    expect(here.list(out)).toEqual([tmp])
    run.child.kill('SIGINT')
    expectInterrupted(await run.done, out)
  })

  it('may write it in different folders', async () => {
    const apart = workspace()
    apart.put('s.yaml', scenario())
    const results = await Promise.all(['a', 'b'].map((out) => apart.json(['backtest', 's.yaml', '--out', out])))
    expect(results[0].run).toBe(results[1].run)
    expect(apart.read('a', results[0].run, 'audit.jsonl')).toBe(apart.read('b', results[0].run, 'audit.jsonl'))
  })

  it('and what one that was killed left is cleared away by the next', async () => {
    const apart = workspace()
    apart.put('s.yaml', scenario())
    const { run } = await apart.json(['backtest', 's.yaml'])
    const left = apart.path('runs', `.${run}.tmp`)
    mkdirSync(left)
    writeFileSync(join(left, 'audit.jsonl'), '{"half":')
    // No process has this number: the largest that Linux gives is 4,194,304.
    writeFileSync(join(left, 'writer.pid'), '99999999')
    const again = await apart.json(['backtest', 's.yaml'])
    expect(again.run).toBe(run)
    expect(apart.list('runs')).toEqual([run])
    expect(auditOf(apart, run))
      .toHaveLength(again.decisions.total + auditOf(apart, run).filter(({ type }) => type !== 'decision').length)
  })
})

describe('a writer of the same number', () => {
  // In a container every process is number 1, so that what a killed one left seems to be one's own.
  it('that is gone does not keep its run locked for ever', async () => {
    const apart = workspace()
    apart.put('s.yaml', scenario())
    const { run } = await apart.json(['backtest', 's.yaml', '--no-report'])
    const left = `runs/.${run}.tmp`
    const { stderr, code } = await apart.shell(
      `mkdir ${left}; echo $$ >${left}/writer.pid; exec $TAPEDECK backtest s.yaml --no-report`)
    expect(stderr).not.toContain('is writing this run')
    expect(code).toBe(0)
    expect(apart.list('runs')).toEqual([run])
  })
})

describe('a reader that has seen enough', () => {
  it.each(['strategies --json', 'plugins', 'config --schema', 'backtest s.yaml --json',
    'backtest s.yaml'])('%s | head -1 ends quietly', async (command) => {
    const apart = workspace()
    apart.put('s.yaml', scenario())
    const { stdout, stderr } = await apart.shell(`$TAPEDECK ${command} | head -1 >/dev/null; echo "\${PIPESTATUS[0]}"`)
    expect({ stdout, stderr }).toEqual({ stdout: '0\n', stderr: '' })
  })

  it('of both streams is no trouble either, and a failure keeps its exit code', async () => {
    const apart = workspace()
    const { stdout } = await apart.shell([
      '$TAPEDECK plugins 2>&1 | head -1 >/dev/null; echo "${PIPESTATUS[0]}"',
      '$TAPEDECK nope 2>&-; echo $?',
      '$TAPEDECK nope 2>&1 | true; echo "${PIPESTATUS[0]}"',
    ].join('\n'))
    expect(stdout).toBe('0\n2\n2\n')
  })
})
