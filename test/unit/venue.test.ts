import { describe, expect, it } from 'vitest'
import { registry } from '../../engine/assemble.ts'
import { resolveScenario } from '../../engine/config/resolve.ts'
import { loadScenario } from '../../engine/config/scenario-file.ts'
import { readSettings, type Environment } from '../../engine/config/settings.ts'
import { venueFrom, venueOfRun, type VenueWishes } from '../../engine/venue.ts'
import { coded } from '../support/coded.ts'
import { writeScenario } from '../support/scenario-files.ts'

const KEYS = { BINANCE_API_KEY: 'key', BINANCE_API_SECRET: 'secret' }
const MAINNET = { ...KEYS, BINANCE_ENV: 'mainnet', ALLOW_MAINNET: 'yes' }
const SCENARIO = { name: 'named', symbol: 'BTC/USDT', timeframe: '1h', market: { source: 'binance' }, strategy: { name: 'buy-and-hold' } }
const choose = (env: Environment, wishes: VenueWishes = {}): ReturnType<typeof venueFrom> => venueFrom(readSettings(env), env, wishes)
const ofRun = (record: object, env: Environment, wishes: VenueWishes = {}): ReturnType<typeof venueFrom> =>
  venueOfRun({ run: 'run-1', ...record }, readSettings(env), env, wishes)

describe('the venue', () => {
  it('is the testnet unless the environment says otherwise', () => {
    expect(choose(KEYS)).toEqual({ name: 'testnet', url: null, apiKey: 'key', apiSecret: 'secret' })
    expect(choose({ ...KEYS, BINANCE_ENV: 'demo' })).toMatchObject({ name: 'demo', url: null })
  })

  it('is a practice exchange that is named, with keys that need no secret', () => {
    const url = 'http://127.0.0.1:4711'
    expect(choose({}, { exchange: url })).toEqual({ name: 'practice', url, apiKey: 'practice', apiSecret: 'practice' })
    expect(choose(KEYS, { exchange: `${url}/` })).toEqual({ name: 'practice', url, apiKey: 'key', apiSecret: 'secret' })
    expect(choose({}, { exchange: 'http://[::1]:4711' })).toMatchObject({ url: 'http://[::1]:4711' })
    expect(choose({}, { exchange: 'http://localhost:4711/' })).toMatchObject({ url })
    expect(choose({}, { exchange: 'http://LOCALHOST:4711' })).toMatchObject({ url })
  })

  it.each([
    'http://example.com', 'https://127.0.0.1:4711', 'http://127.0.0.1.example.com', 'http://user:word@127.0.0.1:1',
    'http://127.0.0.1:4711/api', 'http://10.0.0.1:80', '127.0.0.1:4711', '',
    'https://localhost:4711', 'http://localhost.example.com:4711', 'http://user@localhost:4711', 'http://localhost@10.0.0.1:80', 'http://localhost:4711/api',
  ])('is no practice exchange at %j', (exchange) => {
    expect(() => choose({}, { exchange })).toThrow(coded('TD_VENUE', 'on this machine'))
  })

  it.each<[string, Environment, VenueWishes, readonly string[], readonly string[]]>([
    ['no opt-in', { ...KEYS, BINANCE_ENV: 'mainnet' }, {}, ['--mainnet', 'ALLOW_MAINNET=yes', '--max-capital'], []],
    ['no flag', MAINNET, { cap: 100 }, ['--mainnet'], ['ALLOW_MAINNET', '--max-capital']],
    ['no word in the environment', { ...MAINNET, ALLOW_MAINNET: 'true' }, { mainnet: true, cap: 100 }, ['ALLOW_MAINNET=yes'], ['--max-capital']],
    ['no cap', MAINNET, { mainnet: true }, ['--max-capital'], ['ALLOW_MAINNET']],
    ['a cap of nothing', MAINNET, { mainnet: true, cap: 0 }, ['--max-capital'], []],
    ['a cap without end', MAINNET, { mainnet: true, cap: Infinity }, ['--max-capital'], []],
  ])('is not mainnet with %s', (_, env, wishes, missing, given) => {
    const refused = (): unknown => choose(env, wishes)
    for (const name of missing) expect(refused).toThrow(coded('TD_VENUE', name))
    for (const name of given) expect(refused).not.toThrow(name)
  })

  it('is mainnet with all three', () => {
    expect(choose(MAINNET, { mainnet: true, cap: 100 })).toMatchObject({ name: 'mainnet', url: null })
  })

  it('is nothing that contradicts itself', () => {
    expect(() => choose(KEYS, { mainnet: true, cap: 1 })).toThrow(coded('TD_VENUE', 'BINANCE_ENV is testnet'))
    expect(() => choose(MAINNET, { mainnet: true, cap: 1, exchange: 'http://127.0.0.1:1' })).toThrow(coded('TD_VENUE', 'exclude each other'))
  })

  it.each([[{}, 'BINANCE_API_KEY and BINANCE_API_SECRET'], [{ BINANCE_API_KEY: 'key' }, 'BINANCE_API_SECRET'], [{ BINANCE_API_SECRET: 'x' }, 'BINANCE_API_KEY']])(
    'names the keys that are missing: %j', (env, names) => {
      expect(() => choose(env)).toThrow(coded('TD_VENUE', `testnet: ${names} must be set`))
    })
})

describe('the venue of a recorded run', () => {
  const practice = { venue: { name: 'practice', url: 'http://127.0.0.1:4711' } }

  it('is where the run traded', () => {
    expect(ofRun(practice, KEYS)).toMatchObject({ name: 'practice', url: 'http://127.0.0.1:4711', apiKey: 'key' })
    expect(ofRun({ ...practice, exchange: 'own' }, KEYS)).toMatchObject({ apiKey: 'practice', apiSecret: 'practice' })
    expect(ofRun({ venue: { name: 'testnet', url: null } }, KEYS)).toMatchObject({ name: 'testnet', apiKey: 'key' })
  })

  it('is not reached with the keys of another one', () => {
    expect(() => ofRun({ venue: { name: 'demo', url: null } }, KEYS)).toThrow(coded('TD_VENUE', 'set BINANCE_ENV=demo'))
  })

  it('is mainnet only with the flag and the word in the environment', () => {
    const record = { venue: { name: 'mainnet', url: null } }
    expect(() => ofRun(record, MAINNET)).toThrow(coded('TD_VENUE', '--mainnet'))
    expect(() => ofRun(record, { ...MAINNET, ALLOW_MAINNET: undefined }, { mainnet: true })).toThrow(coded('TD_VENUE', 'ALLOW_MAINNET=yes'))
    expect(ofRun(record, MAINNET, { mainnet: true })).toMatchObject({ name: 'mainnet' })
  })

  it('is nowhere for a backtest, and nowhere else than on this machine for practice', () => {
    expect(() => ofRun({}, KEYS)).toThrow(coded('TD_USAGE', 'backtest'))
    expect(() => ofRun({ venue: { name: 'practice', url: 'http://example.com' } }, KEYS)).toThrow(coded('TD_VENUE', 'on this machine'))
  })
})

describe('a scenario', () => {
  it.each([
    ['broker', { broker: { name: 'binance', url: 'http://example.com' } }],
    ['market', { market: { source: 'binance', url: 'http://example.com' } }],
    ['broker', { broker: { name: 'binance', venue: 'mainnet' } }],
  ])('cannot name a host in its %s', async (block, changes) => {
    const path = writeScenario({ ...SCENARIO, ...changes })
    await expect(async () => resolveScenario(loadScenario(path), readSettings({}), registry)).rejects.toThrow(coded('TD_PLUGIN_OPTIONS', block))
  })
})
