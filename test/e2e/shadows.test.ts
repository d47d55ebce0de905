import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until, workspace, type Outcome } from '../support/cli.ts'
import { exchangeProcess } from '../support/exchange-process.ts'
import { whole } from '../support/slice.ts'

const home = workspace()
const POLICY = { minConfidence: 0.6, stopLoss: 0.002, takeProfit: 0.002 }
const base = {
  symbol: 'BTC/USDT', timeframe: '3m', market: { source: 'synthetic' }, instrument: { tickSize: 0.01, lotSize: 0.00001, minNotional: 5 },
  strategy: { name: 'autonomous-scalper' }, providers: [{ name: 'simulated', skill: 0.5 }, 'technical'], policy: POLICY,
  recording: { path: 'tape', mode: 'record-missing' },
}
home.put('shaded.yaml', {
  name: 'shaded', ...base,
  shadow: [{ name: 'same', minConfidence: 0.6 }, { minConfidence: 1 }, { name: 'other', provider: { name: 'simulated', seed: 9 } }, { provider: 'openai' }],
})

const run = (): string => home.list('runs').find((name) => name.startsWith('shaded-')) ?? ''
const text = (...at: string[]): string => home.list('runs', run(), ...at.slice(0, -1)).includes(at.at(-1)!) ? home.read('runs', run(), ...at) : ''
const ended = (trail: string): string[] => trail.split('\n').slice(0, -1)
const shadow = (name: string): string[] => run() !== '' && home.list('runs', run()).includes('shadows') ? ended(text('shadows', name, 'audit.jsonl')) : []
const main = (): string[] => run() === '' ? [] : ended(text('audit.jsonl'))
const ofType = (lines: readonly string[], type: string): Record<string, unknown>[] =>
  lines.map((line) => JSON.parse(line) as Record<string, unknown>).filter((line) => line['type'] === type)

/** What a trail says, but for whose it is. */
const told = (lines: readonly string[], type: string): object[] =>
  ofType(lines, type).map(({ seq: _seq, run: _run, hash: _hash, prev: _prev, ...rest }) => rest)

let exchange: Awaited<ReturnType<typeof exchangeProcess>>

async function trade(enough: () => boolean, signal: NodeJS.Signals): Promise<Outcome> {
  const running = home.start(['paper', 'shaded.yaml', '--exchange', exchange.url, '--no-server'])
  let over = false
  void running.done.then(() => { over = true })
  try {
    await until(() => over || enough(), 'decisions', 60_000)
  } finally {
    running.child.kill(signal)
  }
  return running.done
}

beforeAll(async () => {
  await home.run(['data', 'synth', '--output', 'minutes.csv', '--timeframe', '1m', '--candles', '6000', '--seed', '4'])
  exchange = await exchangeProcess(home, '--file', 'minutes.csv', '--timeframe', '3m', '--speed', '200', '--history', '300')
})

afterAll(async () => {
  await exchange?.end()
  home.remove()
})

describe('shadow lanes', { shuffle: false }, () => {
  it('see the same candles: one that changes nothing decides and trades as the trading lane does', async () => {
    const { code, stderr } = await trade(() => ofType(main(), 'decision').length > 12 && ofType(shadow('same'), 'fill').length > 0, 'SIGINT')
    expect(code).toBe(0)
    for (const type of ['decision', 'fill', 'trade']) expect(told(shadow('same'), type)).toEqual(told(main(), type))
    // Whose trouble it is: a shadow's services are not the trading lane's, though they may be called the same.
    expect(Object.keys((JSON.parse(home.read('runs', 'providers.json')) as { services: object }).services)).toEqual(expect.arrayContaining(['simulated', 'simulated@other']))
    expect(stderr).toContain('shadow openai is over, the run goes on: OPENAI_API_KEY is not set')
  })

  it('differ where they were told to: another threshold hears the same answers, another provider gives its own', () => {
    const reasons = (lines: string[]): unknown[] => ofType(lines, 'decision').map(({ reasoning }) => reasoning)
    expect(reasons(shadow('minConfidence-1'))).toEqual(reasons(main()))
    expect(ofType(shadow('minConfidence-1'), 'fill')).toEqual([])
    expect(reasons(shadow('other'))).not.toEqual(reasons(main()))
    const { shadows } = JSON.parse(text('run.json')) as { shadows: { name: string; description: string; trades: number }[] }
    expect(shadows.map(({ name }) => name)).toEqual(['same', 'minConfidence-1', 'other', 'openai'])
    expect(shadows[3].description).toBe('openai (over: OPENAI_API_KEY is not set)')
    expect(shadows[0].trades).toBe(ofType(main(), 'trade').length)
  })

  it.runIf(whole)('go on where they stood after a kill, line by line, and ask nobody again', async () => {
    const decided = ofType(main(), 'decision').length
    await trade(() => ofType(main(), 'decision').length > decided + 4, 'SIGKILL')
    const before = { same: shadow('same'), other: shadow('other') }
    await trade(() => ofType(shadow('other'), 'decision').length > decided + 8, 'SIGINT')
    expect(shadow('same').slice(0, before.same.length)).toEqual(before.same)
    // The last question before the kill may not have been written down: from there on nobody is asked about the past.
    const kept = before.other.slice(0, -3)
    expect(shadow('other').slice(0, kept.length)).toEqual(kept)
    for (const type of ['decision', 'fill', 'trade']) expect(told(shadow('same'), type)).toEqual(told(main(), type))
    expect((await home.run(['replay', run()])).code).toBe(0)
  })

  it('are no part of what a scenario is: the flight check and the run stay the same with and without them', async () => {
    home.put('plain.yaml', { name: 'shaded', ...base })
    const hash = async (file: string): Promise<unknown> => {
      const { stdout } = await home.run(['config', file, '--json'])
      return JSON.stringify((JSON.parse(stdout) as { scenario: object }).scenario)
    }
    expect(await hash('shaded.yaml')).toBe(await hash('plain.yaml'))
  })

  it('are refused where they change nothing or stand for the same', async () => {
    home.put('nothing.yaml', { name: 'nothing', ...base, shadow: [{ name: 'x' }] })
    await home.refuses(['config', 'nothing.yaml'], 'TD_SCENARIO_INVALID', ['shadow.0', 'changes nothing'])
    home.put('twice.yaml', { name: 'twice', ...base, shadow: [{ minConfidence: 0.7 }, { minConfidence: 0.7 }] })
    await home.refuses(['config', 'twice.yaml'], 'TD_SCENARIO_INVALID', ['shadow.1', 'listed twice'])
    home.put('unknown.yaml', { name: 'unknown', ...base, shadow: [{ provider: 'gpt' }] })
    await home.refuses(['config', 'unknown.yaml'], 'TD_PLUGIN_UNKNOWN', ['shadow.0', 'gpt'])
    home.put('typo.yaml', { name: 'typo', ...base, shadow: [{ minConfidance: 0.7 }] })
    await home.refuses(['config', 'typo.yaml'], 'TD_SCENARIO_INVALID', ['minConfidance'])
  })
})
