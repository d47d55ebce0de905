import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parity } from '../../engine/parity.ts'
import type { PastLine } from '../../engine/ports.ts'
import { replay } from '../../engine/replay.ts'
import { halt, resume } from '../../engine/session/operator-box.ts'
import { sample } from '../support/cli.ts'
import { rehearseOn, stage, trailOf, type Stage } from '../support/rehearsal.ts'
import { quietWorld } from '../support/run-scenario.ts'
import { whole } from '../support/slice.ts'

const dice = (policy: object): object => ({
  name: 'risky', symbol: 'BTC/USDT', timeframe: '1h',
  market: { file: sample, from: '2024-01-01', to: '2024-01-06' },
  instrument: { tickSize: 0.01, lotSize: 0.00001, minNotional: 5 },
  broker: { name: 'paper', cash: 10_000 },
  strategy: { name: 'random', params: { seed: 7, buy: 0.5, sell: 0.2 } },
  policy: { minConfidence: 0.6, stopLoss: 0.01, takeProfit: 0.02, positionSize: 0.5, ...policy },
})

/** Wake-ups four times an hour are enough to see the states. */
const QUARTERLY = { checkIntervalMs: 900_000 }

const find = (lines: readonly PastLine[], type: string, fields: object): PastLine[] =>
  lines.filter((line) => line.type === type && Object.entries(fields).every(([key, value]) => line[key] === value))

/** Stops the rehearsal after so many candles of the tape; returns its directory. */
async function stopped(on: Stage, candles: number): Promise<string> {
  const stop = new AbortController()
  const result = await rehearseOn(on, { ...QUARTERLY, signal: stop.signal, onCandles: (_, seen) => { if (seen >= candles) stop.abort() } })
  expect(result.state).toBe('stopped')
  return result.directory
}

/** What a run traded, without line numbers, which a restart moves. */
const tradesOf = (directory: string): unknown[] =>
  trailOf(directory).filter(({ type }) => type === 'trade').map(({ seq: _, run: __, prev: ___, ...trade }) => trade)

describe('risk states of a run', () => {
  it('HALTED by a drawdown stays HALTED over restarts, until a person resumes', async () => {
    const on = await stage(dice({ maxDrawdown: 0.01 }))
    const uncut = await rehearseOn(await stage(dice({ maxDrawdown: 0.01 })), QUARTERLY)
    const before = find(trailOf(uncut.directory), 'risk', { rule: 'max-drawdown', state: 'HALTED' })
    expect(before).toHaveLength(1)
    const haltedAfter = find(trailOf(uncut.directory), 'decision', {}).findIndex(({ timestamp }) => timestamp! > before[0].timestamp!)
    expect(haltedAfter).toBeGreaterThan(0)
    expect(uncut.report!.warnings).toContain('Trading was HALTED by the drawdown limit (maxDrawdown), and nothing was entered afterwards.')

    const directory = await stopped(on, haltedAfter + 5)
    const again = await rehearseOn(on, { ...QUARTERLY, resume: true })
    expect([again.directory, again.state]).toEqual([directory, 'finished'])
    const lines = trailOf(directory)
    const restart = lines.findIndex(({ type, event }) => type === 'session' && event === 'restarted')
    expect(restart).toBeGreaterThan(0)
    const refused = lines.slice(restart).filter(({ type, reason }) => type === 'decision' && reason === 'halted')
    expect(refused.length).toBeGreaterThan(0)
    expect(find(lines.slice(restart), 'intent', {})).toEqual([])
    expect(tradesOf(directory)).toEqual(tradesOf(uncut.directory))
    expect((await replay(directory, quietWorld())).difference).toBeNull()
  })

  it.runIf(whole)('trades again after a person resumed, across a restart', async () => {
    const on = await stage(dice({ maxDrawdown: 0.01 }))
    const directory = await stopped(on, 110)
    expect(find(trailOf(directory), 'risk', { state: 'HALTED' }).length).toBeGreaterThan(0)
    resume(directory, 'a person', 0)
    await rehearseOn(on, { ...QUARTERLY, resume: true })
    const lines = trailOf(directory)
    const act = lines.findIndex(({ type, act }) => type === 'operator' && act === 'resume')
    expect(lines.slice(act + 1).find(({ type }) => type === 'risk')).toMatchObject({ rule: 'operator', state: 'ACTIVE' })
    expect(lines.slice(act).some(({ type, status }) => type === 'decision' && status === 'EXECUTED')).toBe(true)
    expect((await replay(directory, quietWorld())).difference).toBeNull()
  })

  it.runIf(whole)('REDUCING lasts for its day over restarts, and ends with it', async () => {
    const scenario = dice({ maxDailyLoss: 0.004 })
    const uncut = await rehearseOn(await stage(scenario), QUARTERLY)
    const reduced = find(trailOf(uncut.directory), 'risk', { rule: 'max-daily-loss', state: 'REDUCING' })
    expect(reduced.length).toBeGreaterThan(1)
    const at = find(trailOf(uncut.directory), 'decision', {}).findIndex(({ timestamp }) => timestamp! > reduced[0].timestamp!)
    const on = await stage(scenario)
    const directory = await stopped(on, at + 1)
    await rehearseOn(on, { ...QUARTERLY, resume: true })
    expect(tradesOf(directory)).toEqual(tradesOf(uncut.directory))
    const sameDay = find(trailOf(directory), 'decision', { reason: 'max-daily-loss' })
    expect(sameDay.some(({ timestamp }) => timestamp!.slice(0, 10) === reduced[0].timestamp!.slice(0, 10))).toBe(true)
    expect((await parity(directory, quietWorld())).differences).toEqual([])
  })

  it('a halt from outside stops the next order, and is told once', async () => {
    const on = await stage(dice({}))
    let told = false
    const result = await rehearseOn(on, {
      ...QUARTERLY,
      onCandles: (_, seen) => {
        if (seen < 40 || told) return
        told = true
        const [run] = readdirSync(join(on.folder, 'runs'))
        halt(join(on.folder, 'runs', run), 'a person had enough', 0)
      },
    })
    const lines = trailOf(result.directory)
    const act = lines.findIndex(({ type, act: what }) => type === 'operator' && what === 'halt')
    expect(lines.filter(({ type }) => type === 'operator')).toHaveLength(1)
    expect(lines.slice(act).some(({ type, purpose }) => type === 'intent' && purpose === undefined)).toBe(false)
    expect(find(lines, 'risk', { rule: 'operator', state: 'HALTED' })).toHaveLength(1)
    expect(result.report!.warnings).toContain('Trading was HALTED by a person (a person had enough), and nothing was entered afterwards.')
    expect(lines.slice(act).some(({ type, reason }) => type === 'decision' && reason === 'halted')).toBe(true)
    expect((await replay(result.directory, quietWorld())).difference).toBeNull()
  })
})
