import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until, workspace, type Outcome, type Running } from '../support/cli.ts'

/** The seed system's checklist, walked through the way its guide says: by `curl`, `tail`, `wc` and `grep`. */
const home = workspace()
const ENV = { CHECK_INTERVAL: '5' }
let running: Running
let url: string
let said = ''

const start = async (): Promise<void> => {
  said = ''
  running = home.start(['live', 'live.yaml', '--speed', '40', '--port', '0'], ENV)
  running.child.stderr!.on('data', (text: string) => { said += text })
  await until(() => said.includes('/docs'), 'the whole banner')
  url = /Dashboard: (http:\S+)/.exec(said)![1]
}
const stop = async (): Promise<Outcome> => {
  running.child.kill('SIGTERM')
  return running.done
}
const curl = async (path: string, post = false): Promise<Record<string, unknown>> => {
  const { stdout, code } = await home.shell(`curl -sf ${post ? '-X POST ' : ''}${url.replace('127.0.0.1', 'localhost')}${path}`)
  expect(code).toBe(0)
  return JSON.parse(stdout) as Record<string, unknown>
}
const shell = async (line: string): Promise<string> => (await home.shell(line)).stdout.trim()

beforeAll(async () => {
  home.put('live.yaml', {
    name: 'live', market: { source: 'synthetic' }, strategy: { name: 'sma-cross', params: { fast: 2, slow: 3 } }, policy: { positionSize: 0.1, minExitConfidence: 1 },
  })
  await start()
})
afterAll(async () => {
  await stop()
  home.remove()
})

describe.sequential('the checklist of autonomous mode', { shuffle: false }, () => {
  it('begins with the banner', () => {
    expect(said).toContain('AUTONOMOUS MODE ENABLED')
    for (const endpoint of ['GET  /api/autonomous-status', 'GET  /api/autonomous-history', 'GET  /api/backup-services-status', 'POST /api/autonomous-toggle']) {
      expect(said).toContain(endpoint)
    }
  })

  it('shows its status, exactly as agreed', async () => {
    let status: Record<string, unknown> = {}
    await expect.poll(async () => (status = await curl('/api/autonomous-status'))['trades_executed'], { timeout: 20_000 }).toBeGreaterThan(0)
    expect(Object.keys(status)).toEqual([
      'enabled', 'mode', 'is_running', 'trades_executed', 'last_decision_time', 'current_confidence', 'active_positions', 'loop_iterations',
    ])
    expect(status).toMatchObject({ enabled: true, mode: 'AUTONOMOUS', is_running: true })
    expect(status['last_decision_time']).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/)
  })

  it('tells its decisions, newest first, and keeps them in the trail of all decisions', async () => {
    const history = await curl('/api/autonomous-history') as unknown as Record<string, unknown>[]
    expect(history.length).toBeLessThanOrEqual(20)
    expect(Object.keys(history[0])).toEqual(['timestamp', 'market_data', 'reasoning', 'confidence', 'action', 'status'])
    expect(Number(await shell('wc -l < logs/autonomous_trades.jsonl'))).toBeGreaterThanOrEqual(history.length)
    expect(Number(await shell('grep \'"status": "EXECUTED"\' logs/autonomous_trades.jsonl | wc -l'))).toBeGreaterThan(0)
    expect(JSON.parse(await shell('tail -1 logs/autonomous_trades.jsonl'))).toMatchObject({ type: 'decision', symbol: 'BTC/USDT' })
    expect(await shell('grep "🤖" logs/bot_*.log | head -3')).toContain('BTC/USDT')
    expect(await shell('grep "EXECUTE\\|PLACED" logs/bot_*.log | head -3')).toContain('BTC/USDT')
  })

  it('shows its backup services', async () => {
    expect(await curl('/api/backup-services-status')).toEqual({ services: [] })
  })

  it('is stopped by a toggle, stays so, and is started by another', async () => {
    expect(await curl('/api/autonomous-toggle', true)).toMatchObject({ enabled: false, is_running: false })
    const before = await curl('/api/autonomous-status')
    await new Promise((resolve) => { setTimeout(resolve, 400) })
    expect(await curl('/api/autonomous-status')).toEqual(before)
    expect(await curl('/api/autonomous-toggle', true)).toMatchObject({ enabled: true, is_running: true })
    await expect.poll(async () => (await curl('/api/autonomous-status'))['loop_iterations'], { timeout: 20_000 })
      .toBeGreaterThan(before['loop_iterations'] as number)
  })

  it('leaves everything in a panic, stays halted over a restart, and goes on when a person says so', async () => {
    await expect.poll(async () => (await curl('/api/autonomous-status'))['active_positions'], { timeout: 20_000 }).toBe(1)
    const panic = await fetch(`${url}/api/risk`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ action: 'panic', confirm: true, reason: 'sirens' }) })
    expect([panic.status, await panic.json()]).toEqual([200, expect.objectContaining({ closed: ['BTC/USDT'], failed: [] })])
    await expect.poll(async () => (await curl('/api/autonomous-status'))['active_positions'], { timeout: 20_000 }).toBe(0)
    expect((await stop()).code).toBe(0)
    await start()
    await expect.poll(async () => (await curl('/api/risk'))['state'], { timeout: 20_000 }).toBe('HALTED')
    const resumed = await fetch(`${url}/api/risk`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"action":"resume","reason":"all clear"}' })
    expect(resumed.status).toBe(202)
    await expect.poll(async () => (await curl('/api/risk'))['state'], { timeout: 20_000 }).toBe('RUNNING')
    await expect.poll(() => shell('grep -ohE "sirens|all clear" runs/live-*/audit.jsonl | sort | uniq'), { timeout: 20_000 }).toBe('all clear\nsirens')
  })

  it('is halted for everybody to see as soon as somebody says so', async () => {
    const halted = await fetch(`${url}/api/risk`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"action":"halt","reason":"lunch"}' })
    expect([halted.status, await halted.json()]).toEqual([202, expect.objectContaining({ state: 'HALTED', reason: 'lunch' })])
    await fetch(`${url}/api/risk`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"action":"resume"}' })
    await expect.poll(async () => (await curl('/api/risk'))['state'], { timeout: 20_000 }).toBe('RUNNING')
  })

  it('takes no entries while it is reducing, and says why', async () => {
    await fetch(`${url}/api/risk`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"action":"reduce"}' })
    await expect.poll(async () => (await curl('/api/risk'))['state'], { timeout: 20_000 }).toBe('REDUCING')
    await expect.poll(async () => (await shell('tail -40 logs/autonomous_trades.jsonl')).includes('"reason": "halted"'), { timeout: 20_000 }).toBe(true)
  })

  it('ends cleanly, and its whole trail replays', async () => {
    const { code } = await stop()
    expect(code).toBe(0)
    const [run] = home.list('runs').filter((name) => name.startsWith('live-'))
    for (const alarm of ['oversold', 'open-unknown']) expect(home.read('runs', run, 'audit.jsonl')).not.toContain(alarm)
    expect(await home.run(['replay', run])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^identical/) as string })
    await start()
  })
})
