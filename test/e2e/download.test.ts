import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { afterAll, describe, expect, it } from 'vitest'
import type { Candle } from '../../engine/core/candle.ts'
import { instrumentOf } from '../../engine/core/instrument.ts'
import { startExchange } from '../../plugins/exchange/exchange.ts'
import { expectRefusal, until, workspace, type Workspace } from '../support/cli.ts'
import { DataHost, json, type Mischief } from '../support/data-host.ts'
import { columnsOf } from '../support/memory-market.ts'
import { candlesFrom, csvOf, MONDAY, without } from '../support/tape-files.ts'
import { slice, whole } from '../support/slice.ts'

const HOUR = 3_600_000
const candles = candlesFrom(MONDAY, 2500, '1h')
/** In the middle of the candle after the last whole one. */
const NOW = MONDAY + 2499.5 * HOUR
const closed = candles.slice(0, 2499)
const ASK = ['data', 'download', '--symbol', 'BTC/USDT', '--timeframe', '1h', '--from', '2021-01-04']

const hosts: DataHost[] = []
afterAll(() => Promise.all(hosts.splice(0).map((host) => host.close())))

async function hostWith(mischief?: Mischief, shown: readonly Candle[] = candles): Promise<{ host: DataHost; env: { BINANCE_DATA_URL: string } }> {
  const host = await DataHost.open(shown, NOW, mischief)
  hosts.push(host)
  return { host, env: { BINANCE_DATA_URL: host.url } }
}

/** Once at the call of that number, else as it should. */
const once = (at: number, act: Mischief): Mischief => (call, response, page) => call === at && act(call, response, page)

/** What a call that was given up leaves behind, and the same command to the end. */
async function goesOn(here: Workspace, env: { BINANCE_DATA_URL: string }): Promise<void> {
  const { code, stderr } = await here.run(ASK, env)
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(/^going on after 2021-\S+\n$/) as string })
  expect(here.read('BTC-USDT-1h.csv')).toBe(csvOf(closed))
  expect(here.list()).toEqual(['BTC-USDT-1h.csv'])
}

describe.concurrent('data download', () => {
  it('brings every closed candle, a thousand a call, without a key', async () => {
    const here = workspace()
    const { host, env } = await hostWith()
    const summary = await here.json<object>(ASK, { ...env, BINANCE_API_KEY: 'k', BINANCE_API_SECRET: 's' })
    expect(summary).toMatchObject({ candles: 2499, timeframe: '1h', output: 'BTC-USDT-1h.csv', notes: [] })
    expect(here.read('BTC-USDT-1h.csv')).toBe(csvOf(closed))
    expect(host.asked.map(({ startTime, limit }) => [Number(startTime), limit]))
      .toEqual([0, 1000, 2000].map((row) => [MONDAY + row * HOUR, '1000']))
    expect(host.keys).toEqual([])
    expect(here.list()).toEqual(['BTC-USDT-1h.csv'])
  })

  it('packs, and ends where it is told', async () => {
    const here = workspace()
    const { env } = await hostWith()
    const { stdout } = await here.succeeds([...ASK, '--to', '2021-01-05T00:30', '-o', 'd/o.csv.gz'], env)
    expect(stdout).toMatch(/^24 candles of 1h, .+ → d\/o\.csv\.gz\n {2}d\/o\.csv\.gz {2}sha256 /)
    expect(gunzipSync(readFileSync(here.path('d/o.csv.gz'))).toString()).toBe(csvOf(candles.slice(0, 24)))
  })

  it('reads the practice exchange in the time of its tape', async () => {
    const here = workspace()
    const exchange = await startExchange({
      tapes: [{ symbol: 'BTC/USDT', timeframe: '1h', columns: columnsOf(candles), rows: candles.length, finer: null }],
      instruments: { 'BTC/USDT': instrumentOf('BTC/USDT') }, costs: { maker: 0, taker: 0, feeAsset: 'received', slippageBps: 0 },
      fillModel: 'conservative', balances: {}, startTime: MONDAY + 1200 * HOUR + 10_000, pace: 'stepped', apiKey: 'k', apiSecret: 's',
    })
    try {
      await here.succeeds(ASK, { BINANCE_DATA_URL: exchange.url })
      expect(here.read('BTC-USDT-1h.csv')).toBe(csvOf(candles.slice(0, 1200)))
    } finally {
      await exchange.close()
    }
  })

  it.each(slice<[string, Mischief]>([
    ['a limit', (_call, response) => json(response, 429, { code: -1003, msg: 'Too many requests.' }, { 'retry-after': '1' })],
    ['a ban', (_call, response) => json(response, 418, { code: -1003, msg: 'Banned.' }, { 'retry-after': '0' })],
    ['a broken server', (_call, response) => { response.writeHead(503).end('<html>'); return true }],
    ['a page of HTML', (_call, response) => { response.writeHead(200).end('<html>hello</html>'); return true }],
    ['an answer that stops half way', (_call, response, page) => {
      response.writeHead(200, { 'content-length': 1e6 }).write(JSON.stringify(page).slice(0, 5000))
      setTimeout(() => response.destroy(), 20)
      return true
    }],
    ['a candle that cannot be', (_call, response, page) =>
      json(response, 200, [...page.slice(0, 5), [MONDAY + 1005 * HOUR, '1', '2', '3', '1', '1', 1], ...page.slice(6)])],
    ['candles of another time', (_call, response, page) => json(response, 200, [[MONDAY, '1', '1', '1', '1', '1', 1], ...page])],
    ['rows twice', (_call, response, page) => json(response, 200, [...page.slice(0, 9), ...page.slice(0, 9)])],
  ], 3))('waits out %s', async (_, mischief) => {
    const here = workspace()
    const { host, env } = await hostWith(once(2, mischief))
    expect((await here.run(ASK, env)).code).toBe(0)
    expect(here.read('BTC-USDT-1h.csv')).toBe(csvOf(closed))
    expect(host.asked).toHaveLength(4)
  })

  it.runIf(whole)('gives up for a host that bans for hours, keeps whole pages, and goes on to the same bytes', async () => {
    const here = workspace()
    const { host, env } = await hostWith(once(3, (_call, response) => json(response, 418, { code: -1003, msg: 'Banned.' }, { 'retry-after': '7200' })))
    const { code, stderr } = await here.run(ASK, env)
    expect(code).toBe(1)
    expect(stderr).toContain('candles up to 2021-03-28T07:00:00.000Z are kept in BTC-USDT-1h.csv.part')
    expect(stderr).toMatch(/Banned.+7,200 s.+\[TD_EXCHANGE_FAILED\]\n$/)
    expect(here.read('BTC-USDT-1h.csv.part')).toBe(csvOf(candles.slice(0, 2000)))
    appendFileSync(here.path('BTC-USDT-1h.csv.part'), `${MONDAY + 2000 * HOUR},103.`)
    await goesOn(here, env)
    expect(host.asked.map(({ startTime }) => (Number(startTime) - MONDAY) / HOUR)).toEqual([0, 1000, 2000, 2000])
  })

  it('keeps whole rows at Ctrl-C, even in an answer that hangs', async () => {
    const here = workspace()
    const { host, env } = await hostWith(once(2, () => true))
    const { child, done } = here.start(ASK, env)
    await until(() => host.asked.length === 2, 'the second page is asked for')
    await here.refuses(ASK, 'TD_LOCKED', [`process ${child.pid}`], env)
    child.kill('SIGINT')
    const { code, stdout, stderr } = await done
    expect({ code, stdout }).toEqual({ code: 130, stdout: '' })
    expect(stderr).toMatch(/are kept in BTC-USDT-1h\.csv\.part.+\ninterrupted\n$/)
    expect(here.read('BTC-USDT-1h.csv.part')).toBe(csvOf(candles.slice(0, 1000)))
    await goesOn(here, env)
  })

  it.runIf(whole)('survives being killed', async () => {
    const here = workspace()
    const { host, env } = await hostWith(once(2, () => true))
    const { child, done } = here.start(ASK, env)
    await until(() => host.asked.length === 2, 'the second page is asked for')
    child.kill('SIGKILL')
    await done
    await goesOn(here, env)
  })

  it('tells of missing candles as data verify does', async () => {
    const here = workspace()
    const { env } = await hostWith(undefined, without(candles, 20, 21, 1500))
    const { stdout, stderr, code } = await here.run(ASK, env)
    expect(code).toBe(0)
    expect(stdout).toContain('3 missing 1h candles in 2 gaps left open')
    expect(stderr).toMatch(/^warning: BTC\/USDT: 3 missing 1h candles in 2 gaps: 2021-01-04T20:00:00\.000Z … 2021-01-04T21:00:00\.000Z \(2\); .+\(1\)/)
    expect(here.read('BTC-USDT-1h.csv')).toBe(csvOf(without(candles, 20, 21, 1500).slice(0, -1)))
  })

  it('refuses what cannot be asked for', async () => {
    const here = workspace()
    const { env } = await hostWith()
    const ask = (change: Readonly<Record<string, string>>): string[] => ['data', 'download', ...Object.entries(
      { '--symbol': 'BTC/USDT', '--timeframe': '1h', '--from': '2021-01-04', ...change }).flat()]
    await here.refuses(ask({ '--symbol': 'BTC/USTD' }), 'TD_USAGE', ['BTC/USTD', 'does not list it'], env)
    await here.refuses(ask({ '--symbol': 'BTCUSDT' }), 'TD_USAGE', ['BASE/QUOTE'], env)
    await here.refuses(ask({ '--timeframe': '7m' }), 'TD_USAGE', ['--timeframe 7m'], env)
    await here.refuses(ask({ '--from': '2021-02-30' }), 'TD_USAGE', ['--from 2021-02-30', 'YYYY-MM-DD'], env)
    await here.refuses(ask({ '--to': '2021-01-04' }), 'TD_RANGE_INVALID', ['must be later than'], env)
    await here.refuses(ask({ '--from': '2031-01-01' }), 'TD_RANGE_INVALID', ['no 1h candle', 'earlier --from'], env)
    await here.refuses(ask({ '--output': 'o.json' }), 'TD_USAGE', ['.csv or .csv.gz'], env)
    for (const url of ['http://example.org', 'https://a.b/path', 'https://u:secret@a.b', 'ftp://a.b', 'nonsense']) {
      const said = await here.refuses(ask({}), 'TD_SETTING_INVALID', ['BINANCE_DATA_URL'], { BINANCE_DATA_URL: url })
      expect(said).not.toContain('secret')
    }
  })

  it('replaces no file, and goes on with no other’s part', async () => {
    const here = workspace()
    const { env } = await hostWith()
    here.put('BTC-USDT-1h.csv', 'mine')
    await here.refuses(ASK, 'TD_USAGE', ['BTC-USDT-1h.csv: exists already'], env)
    here.put('a.csv.part', csvOf(candles.slice(0, 3)))
    await here.refuses([...ASK, '-o', 'a.csv'], 'TD_USAGE', ['interrupted download of something else', 'it is not known of what'], env)
    here.put('b.csv.part', csvOf(candles.slice(0, 3)))
    here.put('b.csv.part.json', JSON.stringify({ symbol: 'ETH/USDT' }))
    await here.refuses([...ASK, '-o', 'b.csv'], 'TD_USAGE', ['ETH/USDT'], env)
  })

  it('refuses a part that somebody has altered, and does not make a file of it', async () => {
    const here = workspace()
    const { env } = await hostWith(once(2, (_call, response) => json(response, 418, {}, { 'retry-after': '7200' })))
    expect((await here.run(ASK, env)).code).toBe(1)
    writeFileSync(here.path('BTC-USDT-1h.csv.part'), here.read('BTC-USDT-1h.csv.part').replace(',100,', ',900,'))
    const { code, stderr } = await here.run(ASK, env)
    expect(code).toBe(1)
    expect(stderr).toContain('[TD_CANDLE_INVALID]')
    expect(existsSync(here.path('BTC-USDT-1h.csv'))).toBe(false)
  })

  it.runIf(whole)('cuts off what a full disk took of a row', async () => {
    const here = workspace()
    const { env } = await hostWith()
    const room = (blocks: number): ReturnType<Workspace['shell']> =>
      here.shell(`ulimit -f ${blocks}; exec $TAPEDECK ${ASK.join(' ')}`, env)
    const outcome = await room(60)
    expect(outcome.stderr).toMatch(/are kept in BTC-USDT-1h\.csv\.part/)
    expect(outcome.stderr).toMatch(/cannot write \(EFBIG.+\[TD_RUN_WRITE\]\n$/)
    expect(here.read('BTC-USDT-1h.csv.part')).toBe(csvOf(candles.slice(0, 1000)))
    await goesOn(here, env)
    const none = workspace()
    expectRefusal(await none.shell(`ulimit -f 0; exec $TAPEDECK ${ASK.join(' ')}`, env), 'TD_RUN_WRITE', ['EFBIG'])
  })
})
