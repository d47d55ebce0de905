import { describe, expect, it } from 'vitest'
import { sample, scenario, until, workspace, type Running, type Variables, type Workspace } from '../support/cli.ts'
import { end, mortal, PATIENCE_MS } from '../support/held.ts'
import { whole } from '../support/slice.ts'

interface Opened {
  readonly url: string
  readonly candles: number
  readonly history: number
  readonly startTime: number
  readonly endTime: number
  readonly keys: { readonly apiKey: string; readonly apiSecret: string } | string
}

interface Serving extends Opened {
  readonly running: Running
}

/** Starts an exchange on a free port; it is gone when the test ends. */
async function serve(here: Workspace, args: readonly string[], env: Variables = {}): Promise<Serving> {
  const running = mortal(here.start(['exchange', '--file', sample, '--port', '0', '--json', ...args], env))
  let said = ''
  running.child.stdout!.on('data', (text: string) => { said += text })
  await until(() => said.endsWith('}\n') || running.child.exitCode !== null, 'the exchange is open', PATIENCE_MS)
  return { ...JSON.parse(said) as Opened, running }
}

const get = async (url: string, path: string): Promise<unknown> => (await fetch(`${url}${path}`)).json()

describe.concurrent('tapedeck exchange', { timeout: 2 * PATIENCE_MS }, () => {
  it('serves recorded candles until it is interrupted', async () => {
    const { url, candles, history, startTime, running, keys } = await serve(workspace(), ['--history', '5', '--speed', '200'])
    expect({ candles, history, startTime, keys }).toEqual({
      candles: 4000, history: 5, startTime: Date.UTC(2024, 0, 1, 5), keys: { apiKey: 'practice', apiSecret: 'practice' },
    })
    const { serverTime } = await get(url, '/api/v3/time') as { serverTime: number }
    expect(serverTime).toBeGreaterThanOrEqual(startTime)
    const rows = await get(url, '/api/v3/klines?symbol=BTCUSDT&interval=1h&limit=10') as unknown[][]
    expect(rows[0][0]).toBe(Date.UTC(2024, 0, 1))
    expect(await get(url, '/api/v3/exchangeInfo?symbol=BTCUSDT')).toMatchObject({ symbols: [{ status: 'TRADING', baseAsset: 'BTC', quoteAsset: 'USDT' }] })
    const { code, stderr } = await end(running, 'SIGINT')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  })

  it('ends cleanly when it is told to terminate, and says how to use it', async () => {
    const here = workspace()
    const running = mortal(here.start(['exchange', '--file', sample, '--stepped', '--port', '0']))
    let said = ''
    running.child.stdout!.on('data', (text: string) => { said += text })
    await until(() => said.includes('Ctrl-C'), 'the exchange is open', PATIENCE_MS)
    expect(said).toMatch(/^Practice exchange at http:\/\/127\.0\.0\.1:\d+\n {2}keys {4}key practice, secret practice\n {2}tape {4}BTC\/USDT 1h, 4,000 candles, to 2024-06-15 16:00 UTC\n/)
    expect(said).not.toMatch(/^ {2}length/m)
    expect(said).toMatch(/tapedeck rehearse <scenario> --exchange http:\/\/127\.0\.0\.1:\d+/)
    const { code, stdout } = await end(running, 'SIGTERM')
    expect(stdout).toMatch(/closed, after 0 orders\n$/)
    expect(code).toBe(0)
  })

  it.runIf(whole)('carries a rehearsal, with keys of the environment that it does not show', async () => {
    const here = workspace()
    const env = { BINANCE_API_KEY: 'my-own-key', BINANCE_API_SECRET: 'my-own-secret', CHECK_INTERVAL: '1800' }
    const { url, keys, running } = await serve(here, ['--stepped', '--to', '2024-01-05', '--journal', 'exchange.jsonl'], env)
    expect(keys).toBe('those of BINANCE_API_KEY and BINANCE_API_SECRET')
    here.put('tested.yaml', scenario({ market: { file: sample, to: '2024-01-05' } }))
    const { code, stdout } = await here.run(['rehearse', 'tested.yaml', '--exchange', url, '--json'], env)
    expect(code).toBe(0)
    const { state, figures } = JSON.parse(stdout) as { state: string; figures: { trades: number } }
    expect(state).toBe('finished')
    expect(figures.trades).toBeGreaterThan(0)
    // Another key is another account, which it does not know.
    expect((await here.run(['rehearse', 'tested.yaml', '--exchange', url])).stderr).toContain('[TD_EXCHANGE_FAILED]')
    await end(running, 'SIGINT')
    expect(here.read('exchange.jsonl').split('\n').length).toBeGreaterThan(100)
  })

  it('says how long its tape takes, and what would be quicker', async () => {
    const here = workspace()
    const running = mortal(here.start(['exchange', '--file', sample, '--port', '0', '--history', '0', '--to', '2024-01-02']))
    let said = ''
    running.child.stdout!.on('data', (text: string) => { said += text })
    await until(() => said.includes('Ctrl-C'), 'the exchange is open', PATIENCE_MS)
    expect(said).toMatch(/^ {2}length {2}the tape lasts 1 day, a candle closes every 1 hour; --speed 200 is the fastest/m)
    await end(running, 'SIGTERM')
  })

  it('misbehaves on request', async () => {
    const { url } = await serve(workspace(), ['--stepped', '--fault', 'rate-limit@1:on=GET /time'])
    expect((await fetch(`${url}/api/v3/time`)).status).toBe(429)
  })

  it('says so where its port is taken', async () => {
    const here = workspace()
    const { url } = await serve(here, ['--stepped'])
    const { port } = new URL(url)
    await here.refuses(['exchange', '--file', sample, '--port', port], 'TD_USAGE', [`127.0.0.1:${port}`, 'EADDRINUSE', 'Name another port'])
  })

  it.each<[string, readonly string[], readonly string[]]>([
    ['TD_USAGE', ['--speed', '201'], ['--speed 201', 'up to 200', '--stepped']],
    ['TD_USAGE', ['--speed', '0'], ['--speed 0']],
    ['TD_USAGE', ['--speed', '2', '--stepped'], ['exclude each other']],
    ['TD_USAGE', ['--symbol', 'btc'], ['--symbol btc', 'BTC/USDT']],
    ['TD_USAGE', ['--timeframe', '7h'], ['--timeframe 7h']],
    ['TD_USAGE', ['--history', '4000'], ['4000 candles']],
    ['TD_USAGE', ['--cash', '-1'], ['--cash']],
    ['TD_USAGE', ['--port', '65536'], ['--port']],
    ['TD_USAGE', ['--fault', 'no-such'], ['no-such']],
    ['TD_FILE_MISSING', ['--file', 'nope.csv'], ['nope.csv']],
  ])('refuses with %s what cannot be: %j', async (code, args, says) => {
    const file = args[0] === '--file' ? [] : ['--file', sample]
    await workspace().refuses(['exchange', ...file, ...args], code as 'TD_USAGE', says)
  })

  it('refuses to be a server without candles', async () => {
    await workspace().refuses(['exchange'], 'TD_USAGE', ['--file is missing'])
  })
})

describe('a rehearsal', () => {
  it('contacts nothing but this machine', async () => {
    const here = workspace()
    here.put('tested.yaml', scenario())
    await here.refuses(['rehearse', 'tested.yaml', '--exchange', 'http://example.com:4711'], 'TD_VENUE', ['example.com', 'on this machine'])
  })
})
