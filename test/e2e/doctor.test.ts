import { describe, expect, it } from 'vitest'
import { workspace } from '../support/cli.ts'
import { end, Hold, PATIENCE_MS } from '../support/held.ts'
import { practice } from '../support/practice.ts'
import { whole } from '../support/slice.ts'

interface Examined {
  readonly well: boolean
  readonly checks: readonly { readonly name: string; readonly ok: boolean | null; readonly detail: string }[]
}

const KEYS = { BINANCE_API_KEY: 'practice-key', BINANCE_API_SECRET: 'practice-secret' }

describe('tapedeck doctor', { timeout: 2 * PATIENCE_MS }, () => {
  it('finds a practice exchange well', async () => {
    const here = workspace()
    const { url } = await practice()
    const { well, checks } = await here.json<Examined>(['doctor', '--exchange', url], KEYS)
    expect(well).toBe(true)
    expect(checks.filter(({ ok }) => ok === false)).toEqual([])
    const names = checks.map(({ name }) => name)
    for (const name of ['node', 'disk space', 'disk flush', 'break-even', 'venue keys', 'account', 'venue', 'clock', 'keys', 'trading', 'BTC/USDT filters']) {
      expect(names).toContain(name)
    }
    const { stdout } = await here.succeeds(['doctor', '--exchange', url], KEYS)
    expect(stdout).toMatch(/^✓ node /)
    expect(stdout).toMatch(/\nAll is well\.\n$/)
    expect(here.list()).toEqual([])
  })

  it('says the break-even line, and warns of a threshold below it', async () => {
    const { url } = await practice()
    const find = async (env: object): Promise<Examined['checks'][number]> =>
      (await workspace().json<Examined>(['doctor', '--exchange', url], { ...KEYS, ...env })).checks.find(({ name }) => name === 'break-even')!
    expect(await find({})).toMatchObject({ ok: null, detail: expect.stringContaining('base rate 62.50 %, break-even 66.25 %') as string })
    expect(await find({ MIN_CONFIDENCE_FOR_TRADE: '0.7' })).toMatchObject({ ok: true })
  })

  it('says what is wrong at the venue', async () => {
    const { url } = await practice(undefined, { symbolFlags: { status: 'HALT' } })
    const halted = await workspace().run(['doctor', '--exchange', url, '--symbol', 'BTC/USDT', 'ETH/USDT'], KEYS)
    expect(halted.stdout).toMatch(/✗ BTC\/USDT status +HALT; only TRADING takes orders/)
    expect(halted.stdout).toMatch(/✗ ETH\/USDT +GET exchangeInfo: Invalid symbol/)
    expect(halted.stdout).toMatch(/\n2 things would make trading fail\.\n$/)
    expect(halted.code).toBe(1)
    const foreign = await workspace().run(['doctor', '--exchange', url], { ...KEYS, BINANCE_API_SECRET: 'wrong' })
    expect(foreign.stdout).toMatch(/✗ keys .*Signature for this request is not valid[^✓✗]*check BINANCE_API_KEY and/)
    expect(foreign.code).toBe(1)
  })

  it('never shows a secret', async () => {
    const { url } = await practice()
    const { stdout } = await workspace().run(['doctor', '--exchange', url], KEYS)
    expect(stdout).toContain('BINANCE_API_KEY set')
    expect(stdout).not.toContain(KEYS.BINANCE_API_SECRET)
    expect(stdout).not.toContain(KEYS.BINANCE_API_KEY)
  })

  it.each<[string, readonly string[], Readonly<Record<string, string>>, string | RegExp]>([
    ['keys are missing', [], {}, 'BINANCE_API_KEY and BINANCE_API_SECRET must be set'],
    ['an opt-in is missing', ['--mainnet'], { ...KEYS, BINANCE_ENV: 'mainnet' }, /ALLOW_MAINNET=yes in the\s+environment, --max-capital/],
    ['the exchange is elsewhere', ['--exchange', 'http://example.com'], {}, /expected an address on this\s+machine/],
    ['nobody answers', ['--exchange', 'http://127.0.0.1:1'], {}, /is it still\s+running/],
    ['there is no network', [], KEYS, /✗ venue +GET time: /],
  ])('says so, and ends, when %s', async (_, args, env, says) => {
    const { code, stdout, stderr } = await workspace().run(['doctor', ...args], env)
    expect(stdout).toMatch(says)
    expect(stdout).toMatch(/\n1 thing would make trading fail\.\n$/)
    expect(stderr).toBe('')
    expect(code).toBe(1)
  })

  it('tells of runs that need somebody', async () => {
    const hold = await Hold.open()
    await end(await hold.holding(), 'SIGKILL')
    hold.here.put(`runs/${hold.runs[0]}/HALTED.json`, JSON.stringify({ time: 0, reason: 'a test' }))
    const { stdout } = await hold.run('doctor', '--exchange', hold.exchange.url)
    expect(stdout).toMatch(/– run +hold-\S+ crashed, holding BTC\/USDT[^✓✗]*tapedeck panic\s+hold-/)
    expect(stdout).toMatch(/– run +hold-\S+ is HALTED: a test[^✓✗]*tapedeck\s+resume\s+hold-/)
  })

  it.runIf(whole)('tells who trades with this account, and nothing of others', async () => {
    const hold = await Hold.open()
    const bot = await hold.holding()
    const { url } = await practice()
    const account = async (exchange: string): Promise<string | undefined> =>
      (JSON.parse((await hold.run('doctor', '--json', '--exchange', exchange)).stdout) as Examined).checks.find(({ name }) => name === 'account')?.detail
    expect(await account(hold.exchange.url)).toBe(`it trades BTCUSDT by process ${bot.child.pid}`)
    expect(await account(url)).toBe('no process trades with it')
    await end(bot, 'SIGKILL')
    expect(await account(hold.exchange.url)).toBe('no process trades with it')
  })

  it('refuses a symbol that is none', async () => {
    await workspace().refuses(['doctor', '--symbol', 'btc'], 'TD_USAGE', ['--symbol btc'])
  })
})
