import { existsSync, rmSync, statSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { unchain } from '../../engine/audit/chain.ts'
import type { ParityResult } from '../../engine/parity.ts'
import { writeChained } from '../support/chained-trail.ts'
import { whole } from '../support/slice.ts'
import { auditOf, expectRefusal, sample, until, Workspace, workspace } from '../support/cli.ts'

/** Eight days of the bundled sample, traded by dice: some dozen trades. */
const rehearsed = (changes: object = {}): object => ({
  name: 'rehearsed', symbol: 'BTC/USDT', timeframe: '1h', market: { file: sample, from: '2024-01-01', to: '2024-01-09' },
  instrument: { tickSize: 0.01, lotSize: 0.00001, minNotional: 5 }, broker: { name: 'paper', cash: 10_000 },
  strategy: { name: 'random', params: { seed: 7, buy: 0.3, sell: 0.1 } },
  policy: { minConfidence: 0.6, stopLoss: 0.01, takeProfit: 0.01, positionSize: 0.2 }, ...changes,
})
/** Wake-ups twice a candle. */
const ENV = { CHECK_INTERVAL: '1800' }

interface Record {
  readonly run: string
  readonly state: string
  readonly requests: object
  readonly audit: { readonly lines: number; readonly head: string }
}
const recordOf = (here: Workspace, run: string): Record => JSON.parse(here.read('runs', run, 'run.json')) as Record
const decisionsOf = (here: Workspace): string[] => here.read('logs', 'autonomous_trades.jsonl').trimEnd().split('\n')

/** The only run in a workspace. */
function onlyRun(here: Workspace): string {
  const runs = here.list('runs')
  expect(runs).toHaveLength(1)
  return runs[0]
}

describe('tapedeck rehearse', () => {
  let here: Workspace
  let run: string
  let stdout: string
  beforeAll(async () => {
    here = new Workspace()
    here.put('s.yaml', rehearsed())
    ;({ stdout } = await here.succeeds(['rehearse', 's.yaml'], ENV))
    run = onlyRun(here)
  })
  afterAll(() => { here.remove() })

  it('prints figures and what can be proved next', () => {
    expect(stdout).toMatch(/rehearsed/)
    expect(stdout).toMatch(/trades/i)
    expect(stdout).toMatch(/[\d,]+ signed requests over HTTP/)
    expect(stdout).toContain(`tapedeck parity ${run}`)
    expect(stdout).toContain(`tapedeck replay ${run}`)
  })

  it('writes one run directory and one line a decision', () => {
    expect(run).toMatch(/^rehearsed-[0-9a-f]{12}-\d{8}T\d{9}Z$/)
    expect(here.list('runs', run)).toEqual(expect.arrayContaining(['audit.jsonl', 'equity.csv', 'report.html', 'run.json', 'trades.csv']))
    expect(recordOf(here, run)).toMatchObject({ run, state: 'finished' })
    const decisions = auditOf(here, run).filter(({ type }) => type === 'decision')
    expect(decisions).toHaveLength(8 * 24)
    expect(decisionsOf(here)).toHaveLength(8 * 24)
    expect(decisionsOf(here).filter((line) => line.includes('"status": "EXECUTED"')).length).toBeGreaterThan(10)
  })

  it('is verified, repeated and equal to its backtest', async () => {
    expect((await here.succeeds(['verify', run])).stdout).toMatch(/^sound: /)
    expect((await here.succeeds(['replay', run])).stdout).toMatch(/^identical: 192 decisions/)
    const parity = await here.json<ParityResult>(['parity', run])
    expect(parity.compared).toBeGreaterThan(10)
    expect([parity.equal, parity.differences]).toEqual([parity.compared, []])
    expect(parity.signedRequests).toBeGreaterThan(parity.compared)
    expect((await here.succeeds(['parity', run])).stdout).toMatch(/^equal: \d+ trades, none differs/)
  })

  it.runIf(whole)('says that audit: trades is not followed, and shows the faults in its help', async () => {
    const other = workspace()
    other.put('s.yaml', rehearsed({ market: { file: sample, from: '2024-01-01', to: '2024-01-02' }, audit: 'trades' }))
    const { stderr, stdout } = await other.succeeds(['rehearse', 's.yaml'], ENV)
    expect(stderr).toMatch(/^warning: A rehearsal always writes the whole audit trail, .*audit: trades is for backtests$/m)
    expect(stdout.replace(/\s+/g, ' ')).toContain('audit: trades was not followed')
    expect(auditOf(other, onlyRun(other)).filter(({ type }) => type === 'decision')).toHaveLength(24)
    for (const command of ['rehearse', 'exchange']) {
      const help = (await other.succeeds([command, '--help'])).stdout
      expect(help).toContain('kind[@n,n…][:rate][:on=TEXT][:value=N]')
      expect(help).toMatch(/^ {2}lost-answer +executed, then the connection breaks/m)
    }
  })

  it.runIf(whole)('begins a new run each time; its name alone means the newest, never the backtest', async () => {
    const other = workspace()
    other.put('s.yaml', rehearsed({ market: { file: sample, from: '2024-01-01', to: '2024-01-02' } }))
    await other.succeeds(['rehearse', 's.yaml'], ENV)
    await other.succeeds(['backtest', 's.yaml', '--no-report'])
    const backtest = other.list('runs').find((name) => !name.endsWith('Z'))!
    expect((await other.succeeds(['replay', 'rehearsed'])).stdout).toMatch(/^identical: 24 decisions/)
    const { run: newest } = JSON.parse((await other.succeeds(['rehearse', 's.yaml', '--json'], ENV)).stdout) as Record
    expect(other.list('runs')).toHaveLength(3)
    const { code, stderr } = await other.run(['parity', 'rehearsed'])
    expect([code, stderr]).toEqual([0, expect.stringMatching(`^rehearsed: the newest of 2 runs is taken, ${newest}; older: rehearsed-[^,]+Z\n$`)])
    await other.refuses(['parity', backtest], 'TD_USAGE', ['a backtest, which records nothing of its broker', 'tapedeck rehearse'])
    await other.refuses(['rehearse', 's.yaml', '--resume'], 'TD_RUN_MISSING', ['no rehearsal of rehearsed'], ENV)
  })

  it('repeats itself with faults, by their seed', async () => {
    const trails: string[] = []
    for (const _ of [1, 2]) {
      const other = workspace()
      other.put('s.yaml', rehearsed({ market: { file: sample, from: '2024-01-01', to: whole ? '2024-01-04' : '2024-01-02' } }))
      await other.succeeds(['rehearse', 's.yaml', '--fault', 'lost-answer:0.1:on=/order', '--fault', 'server-error:0.05', '--fault-seed', '4'], ENV)
      const made = onlyRun(other)
      expect(auditOf(other, made).some(({ type }) => type === 'alarm')).toBe(true)
      await other.succeeds(['replay', made])
      trails.push(other.read('runs', made, 'audit.jsonl').replaceAll(/, "prev": "[0-9a-f]+"/g, '').replaceAll(made, 'RUN').replaceAll(/"t[0-9a-f]{8}-/g, '"t-'))
    }
    expect(trails[0]).toBe(trails[1])
  })

  it('leaves nothing behind when its exchange is not there', async () => {
    const other = workspace()
    other.put('s.yaml', rehearsed())
    await other.refuses(['rehearse', 's.yaml', '--exchange', 'http://127.0.0.1:1'], 'TD_EXCHANGE_FAILED', ['is it still running?'], ENV)
    expect(other.list('runs')).toEqual([])
  })

  it('refuses what it cannot rehearse in one line', async () => {
    const other = workspace()
    other.put('s.yaml', rehearsed())
    other.put('live.yaml', rehearsed({ broker: { name: 'binance' } }))
    other.put('late.yaml', rehearsed({ broker: { name: 'paper', latencyCandles: 1 } }))
    await other.refuses(['rehearse', 's.yaml', '--fault', 'lost-answr:0.1'], 'TD_USAGE', ['lost-answr', 'Did you mean "lost-answer"?', 'There are: '], ENV)
    await other.refuses(['rehearse', 's.yaml', '--fault', 'lost-answer:2'], 'TD_USAGE', ['0 to 1'], ENV)
    await other.refuses(['rehearse', 's.yaml', '--speed', '0'], 'TD_USAGE', ['--speed'], ENV)
    await other.refuses(['rehearse', 'live.yaml'], 'TD_SCENARIO_INVALID', ['paper block', 'write "broker: { name: paper, cash: 10000 }" instead of binance'], ENV)
    await other.refuses(['backtest', 'live.yaml'], 'TD_PLUGIN_OPTIONS', ['write "broker: { name: paper, cash: 10000 }"'], ENV)
    await other.refuses(['rehearse', 's.yaml', '--to', '2024-01-01T01:00:00Z', '--set', 'strategy={name: sma-cross}'], 'TD_TAPE_EMPTY',
      ['the tape has 1 candle, and the strategy\'s warm-up takes 21', 'at least 22'], ENV)
    await other.refuses(['rehearse', 'late.yaml'], 'TD_SCENARIO_INVALID', ['latencyCandles'], ENV)
  })
})

describe('a rehearsal that is stopped', () => {
  it('keeps its protection at the exchange and goes on in the same directory', async () => {
    const here = workspace()
    // Held from the first candle on: no level is near enough to be reached.
    here.put('s.yaml', rehearsed({ policy: { stopLoss: 0.5, takeProfit: 3, positionSize: 0.2 }, strategy: { name: 'buy-and-hold' } }))
    const { child, done } = here.start(['rehearse', 's.yaml', '--speed', '40000'], ENV)
    const trail = (): string => {
      const [run] = here.list('runs')
      const path = run === undefined ? '' : here.path('runs', run, 'audit.jsonl')
      return path !== '' && existsSync(path) && statSync(path).size > 0 ? here.read('runs', run, 'audit.jsonl') : ''
    }
    await until(() => trail().includes('"type": "fill"'), 'the first fill')
    child.kill('SIGTERM')
    const { code, stdout } = await done
    expect(code).toBe(130)
    expect(stdout).toContain('This goes on with it:\n  tapedeck rehearse s.yaml --speed 40000 --resume\n')
    const run = onlyRun(here)
    expect(recordOf(here, run).state).toBe('stopped')
    const lines = auditOf(here, run)
    expect(lines.at(-1)).toMatchObject({ type: 'session', event: 'stopped', open_positions: 1 })
    expect(lines.filter(({ purpose }) => purpose === 'protect')).toHaveLength(1)
    expect(lines.filter(({ purpose }) => purpose === 'take-down' || purpose === 'sale')).toEqual([])
    await here.succeeds(['replay', run])

    await here.succeeds(['rehearse', 's.yaml', '--resume'], ENV)
    expect(onlyRun(here)).toBe(run)
    expect(recordOf(here, run).state).toBe('finished')
    const all = auditOf(here, run)
    expect(all.filter(({ event }) => event === 'restarted')).toHaveLength(1)
    // The pair still stood: nothing was placed anew.
    expect(all.filter(({ purpose }) => purpose === 'protect')).toHaveLength(1)
    expect(all.filter(({ type }) => type === 'decision')).toHaveLength(8 * 24)
    expect(decisionsOf(here)).toHaveLength(8 * 24)
    expect((await here.succeeds(['replay', run])).stdout).toMatch(/over 1 restart/)
    await here.succeeds(['verify', run])
    // Both processes, and both of their connections, in one sum.
    const sent = all.flatMap(({ event, requests }) =>
      (event === 'stopped' || event === 'finished' ? [requests as { signed: number; public: number }] : []))
    expect(sent).toHaveLength(2)
    const sum = (name: 'signed' | 'public'): number => sent[0][name] + sent[1][name]
    expect(recordOf(here, run).requests).toEqual({ signed: sum('signed'), public: sum('public'), complete: true })
    expect(sum('public')).toBeGreaterThan(8 * 24)
    expectRefusal(await here.run(['parity', run]), 'TD_REPLAY_DIFFERS', [/no closed trade to compare \(still held at the end: 0\.\d+ BTC since 2024-01-0\d/])
  })
})

describe('a rehearsal that is to be gone on with', () => {
  it.runIf(whole)('says by which command, and in what another scenario differs', async () => {
    const here = workspace()
    here.put('my own.yaml', rehearsed())
    const args = ['rehearse', 'my own.yaml', '--to', '2024-01-05', '--set', 'policy.stopLoss=0.02', '--out', 'kept']
    const { child, done } = here.start([...args, '--speed', '3600'], ENV)
    await until(() => here.list('kept').some((run) => here.list('kept', run).includes('run.json')), 'the run has begun')
    child.kill('SIGINT')
    const { stdout } = await done
    const [run] = here.list('kept')
    expect(stdout).toContain("tapedeck rehearse 'my own.yaml' --to 2024-01-05 --set policy.stopLoss=0.02 --out kept --speed 3600 --resume\n")
    expect(stdout).toContain(`tapedeck replay ${run} --out kept `)
    await here.refuses(['rehearse', 'my own.yaml', '--out', 'kept', '--resume'], 'TD_RUN_MISSING', [
      `kept: ${run} could be gone on with, but its scenario differs`, 'market.options.to was 2024-01-05T00:00:00.000Z and is 2024-01-09T00:00:00.000Z now',
      'policy.stopLoss was 0.02 and is 0.01 now', 'give the same --from, --to, --set and settings',
    ], ENV)
    await here.refuses(['rehearse', 'my own.yaml', '--out', 'nowhere', '--resume'], 'TD_RUN_MISSING', ['nowhere: no rehearsal of rehearsed that was stopped or killed'], ENV)
    await here.succeeds([...args, '--resume'], ENV)
    expect(here.list('kept')).toEqual([run])
  })
})

describe('a run that somebody has changed', () => {
  let here: Workspace
  let run: string
  let original: string
  beforeAll(async () => {
    here = new Workspace()
    here.put('s.yaml', rehearsed({ market: { file: sample, from: '2024-01-01', to: '2024-01-05' } }))
    await here.succeeds(['rehearse', 's.yaml', '--json'], ENV)
    run = onlyRun(here)
    original = here.read('runs', run, 'audit.jsonl')
  })
  afterAll(() => { here.remove() })

  /** Changes one line and makes the chain and run.json fit again, as somebody who knows how would. */
  function forge(find: (line: string) => boolean, change: (line: string) => string): number {
    const lines = original.trimEnd().split('\n').map((raw) => `${unchain(raw)!.line}\n`)
    const at = lines.findIndex(find)
    expect(at).toBeGreaterThan(0)
    lines[at] = change(lines[at])
    rmSync(here.path('runs', run, 'audit.jsonl'))
    const head = writeChained(here.path('runs', run, 'audit.jsonl'), lines)
    const record = recordOf(here, run)
    here.put(`runs/${run}/run.json`, JSON.stringify({ ...record, audit: { ...record.audit, head } }))
    return at + 1
  }

  const isFill = (line: string): boolean => line.startsWith('{"type": "fill"') && line.includes('"side": "sell"')

  it('in place: verify finds the line', async () => {
    here.put(`runs/${run}/audit.jsonl`, original.replace('"side": "buy", "price": ', '"side": "buy", "price": 1'))
    expectRefusal(await here.run(['verify', run]), 'TD_REPLAY_DIFFERS', [/line \d+ of audit\.jsonl/])
  })

  it('a candle, with a chain that fits: replay shows both sides', async () => {
    const line = forge((one) => one.includes('"event": "candles"') && one.includes('T20:'), (one) => one.replace(/(\d+(?:\.\d+)?), ([\d.]+)\]\]/, '$1, 9$2]]'))
    const { code, stderr } = await here.run(['replay', run])
    expect(code).toBe(3)
    expect(Number(/line (\d+) of audit/.exec(stderr)![1])).toBeGreaterThan(line)
    expect(stderr).toMatch(/recorded: \{"type": .+\n.*replayed: \{"type": /)
    expect(stderr).toContain('[TD_REPLAY_DIFFERS]')
  })

  it.each<[string, (line: string) => string, string]>([
    ['without its rows', (one) => one.replace(/, "rows": .*\]\]/, ''), 'a market line, is damaged: its rows is missing, expected rows of six numbers'],
    ['with half a row', (one) => one.replace(/"rows": \[\[[\d.]+, [\d.]+/, '"rows": [[1, "x"'), 'its rows is [[1,"x"'],
    ['of another symbol', (one) => one.replace('BTC/USDT', 'XRP/USDT'), 'its symbol is "XRP/USDT", which the run does not trade'],
  ])('a market event %s: a coded line that names it, from replay, parity and verify', async (_, change, says) => {
    const line = forge((one) => one.includes('"event": "candles"') && one.includes('T20:'), change)
    for (const command of ['replay', 'parity']) {
      expectRefusal(await here.run([command, run]), 'TD_TRAIL_BROKEN', [`audit.jsonl: line ${line}`, says])
    }
    if (says.includes('rows')) expectRefusal(await here.run(['verify', run]), 'TD_REPLAY_DIFFERS', [`line ${line} of audit.jsonl: its rows`])
  })

  it('a word of it, where the chain does not fit: parity compares nothing', async () => {
    here.put(`runs/${run}/audit.jsonl`, original.replace('"reasoning": "', '"reasoning": "no '))
    here.put(`runs/${run}/run.json`, JSON.stringify(recordOf(here, run)))
    expectRefusal(await here.run(['parity', run]), 'TD_REPLAY_DIFFERS', [/line \d+ of audit\.jsonl/, 'proves nothing'])
  })

  it('a fill, with a chain that fits: replay and parity find it', async () => {
    forge(isFill, (one) => one.replace(/"price": (\d)/, '"price": 1$1').replace(/"notional": (\d)/, '"notional": 1$1'))
    expect((await here.run(['replay', run])).code).toBe(3)
    forge((one) => one.startsWith('{"type": "trade"'), (one) => one.replace(/"exitPrice": (\d)/, '"exitPrice": 1$1'))
    const { code, stdout, stderr } = await here.run(['parity', run])
    expect(code).toBe(3)
    expect(stdout).toMatch(/exitPrice 1[\d.]+ instead of [\d.]+/)
    expect(stderr).toContain('[TD_REPLAY_DIFFERS]')
  })

  it('a run without a trade proves nothing', async () => {
    const other = workspace()
    other.put('s.yaml', rehearsed({ strategy: { name: 'random', params: { buy: 0, sell: 0 } }, market: { file: sample, from: '2024-01-01', to: '2024-01-02' } }))
    await other.succeeds(['rehearse', 's.yaml', '--json'], ENV)
    const { code, stderr } = await other.run(['parity', onlyRun(other)])
    expect(code).toBe(3)
    expect(stderr).toContain('proves nothing')
  })
})
