import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { afterAll, describe, expect, it } from 'vitest'
import { FullyAutonomousTrader } from '../../engine/index.ts'
import { readTrail } from '../../engine/audit/reader.ts'

const folder = mkdtempSync(join(tmpdir(), 'tapedeck-trader-'))
const scenario = join(folder, 'live.yaml')
writeFileSync(scenario, stringify({
  name: 'live', market: { source: 'synthetic' }, strategy: { name: 'sma-cross', params: { fast: 2, slow: 3 } }, policy: { positionSize: 0.1 },
}))
const traderWith = (more: object = {}): FullyAutonomousTrader => new FullyAutonomousTrader({
  scenario, out: join(folder, 'runs'), decisions: join(folder, 'decisions.jsonl'), speed: 40, env: { CHECK_INTERVAL: '5' }, ...more,
})

afterAll(() => { rmSync(folder, { recursive: true, force: true }) })

describe('a fully autonomous trader', () => {
  it('starts, trades, tells of it, stops, and goes on when it is started again', async () => {
    const trader = traderWith()
    expect(trader.getStatus()).toMatchObject({ enabled: false, is_running: false, trades_executed: 0, last_decision_time: null, loop_iterations: 0 })
    expect(trader.getExecutionHistory()).toEqual([])
    await trader.start()
    expect(trader.getStatus()).toMatchObject({ enabled: true, mode: 'AUTONOMOUS', is_running: true })
    await expect.poll(() => trader.getStatus().trades_executed, { timeout: 20_000 }).toBeGreaterThan(0)
    await trader.stop()
    const stopped = trader.getStatus()
    expect(stopped).toMatchObject({ enabled: false, is_running: false })
    const history = trader.getExecutionHistory()
    expect(history).toHaveLength(Math.min(20, stopped.trades_executed))
    for (const decision of history) expect(decision).toMatchObject({ status: 'EXECUTED', action: expect.stringMatching(/^(BUY|SELL)$/) as string })
    expect(trader.getExecutionHistory(1)).toEqual(history.slice(-1))
    await trader.start()
    await expect.poll(() => trader.getStatus().loop_iterations, { timeout: 20_000 }).toBeGreaterThan(stopped.loop_iterations)
    await trader.stop()
    const decided = readTrail(join(folder, 'decisions.jsonl')).lines
    expect(decided).toHaveLength(trader.getStatus().loop_iterations)
  })

  it('is stopped while it starts, and is had once by a process', async () => {
    const [one, other] = [traderWith({ out: join(folder, 'shared') }), traderWith({ out: join(folder, 'shared') })]
    const starting = one.start()
    await one.stop()
    await starting
    expect(one.getStatus().is_running).toBe(false)
    await one.start()
    await expect(other.start()).rejects.toMatchObject({ code: 'TD_LOCKED' })
    await one.stop()
  })

  it('refuses to start with what is wrong, and can be started once that is mended', async () => {
    await expect(traderWith({ scenario: join(folder, 'none.yaml') }).start()).rejects.toMatchObject({ code: 'TD_SCENARIO_MISSING' })
    await expect(traderWith({ env: { CHECK_INTERVAL: '5', BINANCE_ENV: 'mainnet' } }).start()).rejects.toMatchObject({ code: 'TD_VENUE' })
    await expect(traderWith({ env: { CHECK_INTERVAL: '5', BINANCE_API_KEY: 'k' } }).start()).rejects.toMatchObject({ code: 'TD_VENUE' })
    const late = traderWith({ scenario: join(folder, 'late.yaml'), out: join(folder, 'late') })
    await expect(late.start()).rejects.toMatchObject({ code: 'TD_SCENARIO_MISSING' })
    writeFileSync(join(folder, 'late.yaml'), stringify({ name: 'late', market: { source: 'synthetic' }, strategy: { name: 'sma-cross' } }))
    await late.start()
    expect(late.getStatus().is_running).toBe(true)
    await late.stop()
  })
})
