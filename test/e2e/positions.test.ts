import { renameSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { until, workspace } from '../support/cli.ts'
import { end, Hold, PATIENCE_MS } from '../support/held.ts'
import { whole } from '../support/slice.ts'

describe('tapedeck positions', { timeout: 2 * PATIENCE_MS }, () => {
  it('shows what a running bot holds, as its exchange has it', async () => {
    const hold = await Hold.open()
    const bot = await hold.holding()
    await until(() => hold.lines('decision').length > 3, 'some minutes have passed', PATIENCE_MS)
    const [position] = await hold.positions()
    expect(position).toMatchObject({
      run: hold.runs[0], state: 'running', pid: bot.child.pid, halted: null, symbol: 'BTC/USDT', quote: 'USDT', entryPrice: 100, stop: 50, target: 300, price: 100,
    })
    expect(1 + position.quantity).toBeCloseTo(hold.coins, 12)
    expect(position.ageMs).toBeGreaterThan(60_000)
    // The fee was taken from what was bought.
    expect(position.unrealisedShare).toBeCloseTo(-0.001, 12)
    const { stdout } = await hold.here.succeeds(['positions'])
    expect(stdout).toMatch(/^BTC\/USDT {2}[\d.]+ BTC {2}-5\.00 USDT \(-0\.10 %\)\n {2}entered 2024-01-01 00:0\d UTC at 100\.00, \d+ min ago; newest close 100\.00\n {2}stop 50\.00 {3}target 300\.00\n/)
    expect(stdout).toContain(`process ${bot.child.pid} runs it`)
    await end(bot, 'SIGKILL')
  })

  it.runIf(whole)('tells a crash, a stop and a halt apart', async () => {
    const hold = await Hold.open({ stopLoss: null, takeProfit: null })
    const bot = await hold.holding()
    await end(bot, 'SIGKILL')
    const crashed = (await hold.here.succeeds(['positions'])).stdout
    expect(crashed).toContain('stop none   target none')
    expect(crashed).toContain('it crashed, no process runs it')
    const again = hold.bot('--resume')
    await until(() => hold.lines('session').some(({ event }) => event === 'restarted'), 'the bot runs again', PATIENCE_MS)
    await end(again, 'SIGINT')
    hold.here.put(`runs/${hold.runs[0]}/HALTED.json`, JSON.stringify({ time: 0, reason: 'lunch' }))
    expect((await hold.here.succeeds(['positions'])).stdout).toContain('stopped, no process runs it; HALTED: lunch')
    expect(await hold.positions()).toMatchObject([{ state: 'stopped', halted: 'lunch', pid: null, stop: null, target: null }])
  })

  it.runIf(whole)('leaves finished runs out unless they are asked for', async () => {
    const hold = await Hold.open()
    await end(await hold.holding(), 'SIGINT')
    const file = `runs/${hold.runs[0]}/run.json`
    hold.here.put(file, JSON.stringify({ ...JSON.parse(hold.here.read(file)) as object, state: 'finished' }))
    expect((await hold.here.succeeds(['positions'])).stdout).toBe('No open position: 0 runs in runs are running or stopped.\n  1 run came to the end: tapedeck positions --all\n')
    expect((await hold.here.succeeds(['positions', '--out', hold.here.path('runs')])).stdout).toContain(': tapedeck positions --all\n')
    renameSync(hold.here.path('runs'), hold.here.path('my runs'))
    expect((await hold.here.succeeds(['positions', '--out', 'my runs'])).stdout).toContain(": tapedeck positions --all --out 'my runs'\n")
    renameSync(hold.here.path('my runs'), hold.here.path('runs'))
    expect(await hold.positions('--all')).toMatchObject([{ state: 'finished' }])
  })

  it('says that there is none', async () => {
    const here = workspace()
    expect((await here.succeeds(['positions', '--out', 'nowhere'])).stdout).toBe('No open position: there is no folder nowhere; give the one that holds the runs with --out.\n')
    expect(JSON.parse((await here.succeeds(['positions', '--json'])).stdout)).toEqual({ positions: [], entering: [], runs: 0, unreadable: [] })
  })

  it('takes what a failed start left for no run, unless something was recorded', async () => {
    const here = workspace()
    here.put('runs/stump/audit.jsonl', '')
    here.put('runs/stump/exchange.jsonl', '{"op":"open"}\n')
    expect((await here.succeeds(['positions'])).stderr).toBe('')
    here.put('runs/stump/audit.jsonl', '{"type": "session"}\n')
    const { code, stderr } = await here.run(['positions'])
    expect(stderr).toMatch(/warning: \S+stump is left out: .*no run\.json/)
    expect(code).toBe(1)
  })

  it('names runs that it cannot read, and does not call that well', async () => {
    const here = workspace()
    here.put('runs/broken/run.json', '{"run": "bro')
    here.put('runs/broken/audit.jsonl', '')
    here.put('runs/damaged/run.json', JSON.stringify({ run: 'damaged', state: 'running', venue: { name: 'practice', url: 'http://127.0.0.1:1' } }))
    here.put('runs/damaged/audit.jsonl', 'no line\n')
    const { code, stderr } = await here.run(['positions'])
    expect(stderr).toMatch(/warning: \S+broken is left out: .*run\.json: cannot be read/)
    expect(stderr).toMatch(/warning: \S+damaged is left out: .*line 1 is not a line of a trail/)
    expect(code).toBe(1)
  })
})
