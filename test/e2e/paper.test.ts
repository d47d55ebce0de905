import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until, workspace, type Outcome, type Running } from '../support/cli.ts'
import { exchangeProcess } from '../support/exchange-process.ts'
import { whole } from '../support/slice.ts'

const home = workspace()
const RULES = {
  symbol: 'BTC/USDT', instrument: { tickSize: 0.01, lotSize: 0.00001, minNotional: 5 }, strategy: { name: 'sma-cross', params: { fast: 2, slow: 3 } },
  policy: { minConfidence: 0, stopLoss: 0.002, takeProfit: 0.002 },
}
home.put('paper.yaml', { name: 'papered', ...RULES, timeframe: '3m', market: { source: 'synthetic' } })

type Line = Readonly<Record<string, unknown>>
const runs = (name: string): string[] => home.list('runs').filter((run) => run.startsWith(`${name}-`))
const linesOf = (run: string): Line[] => home.list('runs', run).includes('audit.jsonl')
  ? home.read('runs', run, 'audit.jsonl').split('\n').slice(0, -1).map((line) => JSON.parse(line) as Line) : []
const count = (name: string, type: string): number => runs(name).flatMap(linesOf).filter((line) => line['type'] === type).length

/** Rows of a trades.csv without money: how much was held before differs. */
const tradesOf = (...at: string[]): string[] => home.read(...at, 'trades.csv').trim().split('\n').slice(1)
  .map((row) => { const [, entered, entry, left, exit, , reason] = row.split(','); return [entered, entry, left, exit, reason].join(' ') })

/** Trades until `ended` holds, then ends by `signal`. */
async function trade(args: string[], ended: () => boolean, env: Readonly<Record<string, string>> = {}, signal: NodeJS.Signals = 'SIGINT'): Promise<Outcome> {
  const running: Running = home.start(['paper', ...args, '--no-server'], env)
  let over = false
  void running.done.then(() => { over = true })
  try {
    await until(() => over || ended(), 'what the run was to come to', 60_000)
  } finally {
    running.child.kill(signal)
  }
  return running.done
}

let minutes: Awaited<ReturnType<typeof exchangeProcess>>
let seconds: Awaited<ReturnType<typeof exchangeProcess>>

beforeAll(async () => {
  await home.run(['data', 'synth', '--output', 'minutes.csv', '--timeframe', '1m', '--candles', '6000', '--seed', '3'])
  minutes = await exchangeProcess(home, '--file', 'minutes.csv', '--timeframe', '3m', '--speed', '200', '--history', '300')
  const from = new Date(Date.now() - 395_000).toISOString()
  await home.run(['data', 'synth', '--output', 'seconds.csv', '--timeframe', '1s', '--candles', '5000', '--seed', '5', '--from', from])
  seconds = await exchangeProcess(home, '--file', 'seconds.csv', '--history', '400')
})

afterAll(async () => {
  await Promise.all([minutes?.end(), seconds?.end()])
  home.remove()
})

describe('paper', { shuffle: false }, () => {
  it('makes the trades that a backtest makes of the same candles, and sends nothing', async () => {
    const { stderr, code } = await trade(['paper.yaml', '--exchange', minutes.url], () => count('papered', 'trade') >= 2)
    expect([code, stderr.includes('Trading on paper, with prices of a practice exchange')]).toEqual([0, true])
    const [run] = runs('papered')
    const [first] = linesOf(run).filter(({ event }) => event === 'candles')
    const from = new Date((first['rows'] as number[][])[0][0]).toISOString()
    home.put('backtest.yaml', { name: 'again', ...RULES, timeframe: '3m', market: { file: 'minutes.csv', from }, broker: { name: 'paper', fillTimeframe: '1m' } })
    expect((await home.run(['backtest', 'backtest.yaml', '--out', 'again', '--no-report'])).code).toBe(0)
    const made = tradesOf('runs', run)
    expect(made.length).toBeGreaterThanOrEqual(2)
    expect(tradesOf('again', home.list('again')[0]).slice(0, made.length)).toEqual(made)
    expect(JSON.parse(home.read('runs', run, 'run.json'))).toMatchObject({ kind: 'paper', state: 'stopped', requests: { signed: 0 } })
  })

  it('fills an order at the next candle\'s first price before anything else of that candle is known', () => {
    const lines = linesOf(runs('papered')[0])
    const [bought] = lines.filter(({ type, side }) => type === 'fill' && side === 'buy')
    const opening = lines[lines.indexOf(bought) - 1]
    expect(opening).toMatchObject({ type: 'market', event: 'settling', timeframe: '1s' })
    const [[openTime, open, high, low, close, volume]] = opening['rows'] as number[][]
    expect([open, high, low, close, volume]).toEqual([open, open, open, open, 0])
    expect([Date.parse(bought['timestamp'] as string), bought['price']]).toEqual([openTime, open * 1.0005])
  })

  it('goes on with balance and positions after a stop and after a kill, and replays to the line', async () => {
    const [run] = runs('papered')
    const entries = (): number => linesOf(run).filter(({ type, side }) => type === 'fill' && side === 'buy').length
    const held = (): boolean => entries() > count('papered', 'trade')
    await trade(['paper.yaml', '--exchange', minutes.url], held, {}, 'SIGKILL')
    expect((await home.run(['positions'])).stdout).toContain('BTC/USDT')
    const before = count('papered', 'trade')
    const { stderr } = await trade(['paper.yaml', '--exchange', minutes.url], () => count('papered', 'trade') > before)
    expect(stderr).toContain(`Going on with run ${run}`)
    expect(runs('papered')).toEqual([run])
    const { stdout, code } = await home.run(['replay', run])
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^identical: .* over 2 restarts/s)])
  })

  it.runIf(whole)('leaves what it holds with the next candle when a person wants that, running or not', async () => {
    // Far from any stop, so that nothing but a person ends it.
    home.put('kept.yaml', { name: 'kept', ...RULES, policy: { minConfidence: 0, stopLoss: 0.5, takeProfit: 0.5 }, timeframe: '3m', market: { source: 'synthetic' } })
    const held = (): boolean => runs('kept').flatMap(linesOf).filter(({ type, side }) => type === 'fill' && side === 'buy').length > count('kept', 'trade')
    await trade(['kept.yaml', '--exchange', minutes.url], held)
    const [run] = runs('kept')
    const refused = await home.run(['close', 'BTC/USDT', '--run', run])
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('held on paper')])
    const panicked = await home.run(['panic', '--run', run])
    expect([panicked.code, panicked.stdout + panicked.stderr]).toEqual([1, expect.stringContaining('left with the first candle after')])
    await trade(['kept.yaml', '--exchange', minutes.url], () => !held())
    expect(linesOf(run).findLast(({ type }) => type === 'trade')).toMatchObject({ reason: 'operator' })
  })

  it('reads public prices without any key', async () => {
    home.put('public.yaml', { name: 'public', ...RULES, timeframe: '5s', market: { source: 'synthetic' } })
    const { stderr, code } = await trade(['public.yaml'], () => count('public', 'decision') > 0, { BINANCE_DATA_URL: seconds.url })
    expect([code, stderr.includes("on paper, with prices of Binance")]).toEqual([0, true])
  })

  it('leaves no run behind where there are no prices', async () => {
    home.put('lost.yaml', { name: 'lost', ...RULES, timeframe: '3m', market: { source: 'synthetic' } })
    const { code, stderr } = await home.run(['paper', 'lost.yaml', '--no-server', '--exchange', 'http://127.0.0.1:1'])
    expect([code, stderr.trimEnd().split('\n').at(-1)]).toEqual([1, expect.stringMatching(/^tapedeck: .*127\.0\.0\.1:1.* \[TD_EXCHANGE_FAILED\]$/)])
    expect(runs('lost')).toEqual([])
  })

  it('refuses what it cannot do with one line', async () => {
    await home.refuses(['paper', 'paper.yaml', '--exchange', 'http://example.com'], 'TD_VENUE', ['on this machine'])
    await home.refuses(['paper', 'paper.yaml', '--mainnet'], 'TD_USAGE', ['mainnet'])
    home.put('late.yaml', { name: 'late', ...RULES, timeframe: '3m', market: { source: 'synthetic' }, broker: { name: 'paper', latencyCandles: 1 } })
    await home.refuses(['paper', 'late.yaml'], 'TD_SCENARIO_INVALID', ['latencyCandles', 'paper trading fills at once'])
  })
})
