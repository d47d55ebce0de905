import { afterAll, describe, expect, it } from 'vitest'
import { until, workspace, type Outcome, type Running } from '../support/cli.ts'
import { whole } from '../support/slice.ts'

const home = workspace()
/** Five-second candles in a twentieth of their time. */
const ENV = { CHECK_INTERVAL: '5' }
const SPEED = ['--speed', '40', '--port', '0']
const live = { name: 'live', market: { source: 'synthetic' }, strategy: { name: 'sma-cross', params: { fast: 2, slow: 3 } }, policy: { positionSize: 0.1 } }
home.put('live.yaml', live)

/** What stands in the trail so far; the line that is being written is left out. */
const linesOf = (run: string): Record<string, unknown>[] => home.list('runs', run).includes('audit.jsonl')
  ? home.read('runs', run, 'audit.jsonl').split('\n').slice(0, -1).map((line) => JSON.parse(line) as Record<string, unknown>) : []
const statuses = (run: string): unknown[] => linesOf(run).filter(({ type }) => type === 'decision').map(({ status }) => status)
const decisions = (): number => home.list('logs').includes('autonomous_trades.jsonl') ? home.read('logs', 'autonomous_trades.jsonl').split('\n').length - 1 : 0

async function trade(ended: () => boolean, env = ENV, signal: NodeJS.Signals = 'SIGINT'): Promise<Outcome> {
  const running: Running = home.start(['live', 'live.yaml', ...SPEED], env)
  let over = false
  void running.done.then(() => { over = true })
  try {
    await until(() => over || ended(), 'decisions')
  } finally {
    running.child.kill(signal)
  }
  return running.done
}

afterAll(() => { home.remove() })

describe('live', { shuffle: false }, () => {
  it('trades at a practice exchange of its own when there are no keys, and says so', async () => {
    const { code, stderr } = await trade(() => home.list('runs').some((run) => statuses(run).includes('EXECUTED')) && decisions() > 12)
    expect([code, stderr.includes('AUTONOMOUS MODE ENABLED')]).toEqual([0, true])
    expect(stderr).toContain('practice exchange on this machine (BINANCE_API_KEY and BINANCE_API_SECRET are not set)')
    expect(stderr).toContain('EXECUTE buy BTC/USDT')
    expect(stderr).toMatch(/break-even .*LOSES money/)
    const [run] = home.list('runs').filter((name) => name.startsWith('live-'))
    expect(JSON.parse(home.read('runs', run, 'run.json'))).toMatchObject({ state: 'stopped', kind: 'live', mode: 'AUTONOMOUS', scenario: { symbols: ['BTC/USDT'], timeframe: '5s' } })
    const log = home.read('logs', home.list('logs').find((name) => name.startsWith('bot_'))!)
    expect(log).toMatch(/🤖 BTC\/USDT (BUY|SELL|HOLD)/)
    expect(log).toMatch(/EXECUTE|PLACED/)
  })

  it('goes on with its run after a stop and after a kill, whose trail replays to the line', async () => {
    const [run] = home.list('runs').filter((name) => name.startsWith('live-'))
    const before = decisions()
    await trade(() => decisions() > before + 5, ENV, 'SIGKILL')
    const killed = decisions()
    const { stderr, code } = await trade(() => decisions() > killed + 5)
    expect([code, stderr.includes(`Going on with run ${run}`)]).toEqual([0, true])
    expect(home.list('runs').filter((name) => name.startsWith('live-'))).toEqual([run])
    const replayed = await home.run(['replay', run])
    expect([replayed.code, replayed.stdout]).toEqual([0, expect.stringMatching(/^identical: .* over 2 restarts/s)])
    expect((await home.run(['verify', run])).code).toBe(0)
    const fills = linesOf(run).filter(({ type, reason }) => type === 'fill' && reason !== 'target')
    expect(fills.length).toBeGreaterThan(0)
    for (const { slippage } of fills) expect(slippage).toEqual(expect.any(Number))
    expect(linesOf(run).filter(({ event }) => event === 'open-unknown')).toEqual([])
  })

  it.runIf(whole)('notes what it would do and sends nothing where AUTONOMOUS_MODE is false', async () => {
    const manual = { ...ENV, AUTONOMOUS_MODE: 'false' }
    const runs = new Set(home.list('runs'))
    const fresh = (): string | undefined => home.list('runs').find((name) => name.startsWith('live-') && !runs.has(name))
    const { stderr } = await trade(() => fresh() !== undefined && statuses(fresh()!).includes('SIGNAL'), manual)
    expect(stderr).toContain('MANUAL MODE')
    const types = new Set(linesOf(fresh()!).map(({ type }) => type))
    expect([types.has('intent'), types.has('fill')]).toEqual([false, false])
    expect((await home.run(['replay', fresh()!])).code).toBe(0)
  })

  it('refuses what cannot be, with one line, and starts nothing', async () => {
    await home.refuses(['live', 'live.yaml'], 'TD_SETTING_INVALID', ['CHECK_INTERVAL=7'], { CHECK_INTERVAL: '7' })
    await home.refuses(['live', 'live.yaml', '--speed', '0'], 'TD_USAGE', ['--speed 0'], ENV)
    await home.refuses(['live', 'live.yaml', '--speed', '2', '--exchange', 'http://127.0.0.1:9'], 'TD_USAGE', ['--speed'], ENV)
    await home.refuses(['live', 'live.yaml'], 'TD_VENUE', ['three opt-ins'], { ...ENV, BINANCE_ENV: 'mainnet' })
    await home.refuses(['live', 'live.yaml'], 'TD_VENUE', ['BINANCE_API_SECRET'], { ...ENV, BINANCE_API_KEY: 'k' })
  })

  it('risks no more real money than a person agrees to', async () => {
    const mainnet = { ...ENV, BINANCE_ENV: 'mainnet', ALLOW_MAINNET: 'yes', BINANCE_API_KEY: 'k', BINANCE_API_SECRET: 's' }
    await home.refuses(['live', 'live.yaml', '--mainnet', '--max-capital', '100'], 'TD_VENUE', ['broker.cash is 10000', '--max-capital 100'], mainnet)
    const { code, stderr } = await home.run(['live', 'live.yaml', '--mainnet', '--max-capital', '10000'], mainnet)
    expect([code, stderr.includes('Flight check')]).toEqual([2, true])
  })

  it('asks before orders leave this machine, and does not start where there is nobody to ask', async () => {
    const keys = { ...ENV, BINANCE_API_KEY: 'k', BINANCE_API_SECRET: 's' }
    const { code, stderr } = await home.run(['live', 'live.yaml'], keys)
    expect(code).toBe(2)
    expect(stderr).toContain('✗ backtest: none of exactly this scenario; tapedeck backtest live.yaml')
    expect(stderr).toMatch(/give --yes \[TD_USAGE\]/)
  })
})
