import { describe, expect, it } from 'vitest'
import { parity, type ParityResult } from '../../engine/parity.ts'
import { replay } from '../../engine/replay.ts'
import { verifyRun } from '../../engine/verify.ts'
import { rehearseOn, stage, trailOf } from '../support/rehearsal.ts'
import { quietWorld } from '../support/run-scenario.ts'
import { hasShared, shared, sharedNote } from '../support/shared.ts'
import { slice, whole } from '../support/slice.ts'

/** The whole lengths take minutes; a slice of each runs every time. */
const full = whole
const DAY_MS = 86_400_000
const candles = (name: string): string => shared(`data/candles/binance-${name}.csv.gz`)

interface Case {
  readonly title: string
  readonly days: { readonly full: number; readonly slice: number }
  readonly from: string
  readonly scenario: object
  readonly checkIntervalMs?: number
}

const SMA = { strategy: { name: 'sma-cross' } }
const QUICK = { strategy: { name: 'sma-cross', params: { fast: 3, slow: 7 } } }
const HOUR = { symbol: 'BTC/USDT', timeframe: '1h', market: { file: candles('BTC-USDT-1h'), gaps: 'allow' } }
const MINUTE = { symbol: 'BTC/USDT', timeframe: '1m', market: { file: candles('BTC-USDT-1m'), gaps: 'allow' } }
const REAL = { instrument: { tickSize: 0.01, lotSize: 0.00001, minNotional: 5 } }
const policy = (more: object = {}): object =>
  ({ policy: { minConfidence: 0.6, stopLoss: 0.03, takeProfit: 0.02, positionSize: 0.2, ...more } })
const broker = (more: object): object => ({ broker: { name: 'paper', cash: 10_000, ...more } })
const crash = { from: '2021-05-10', checkIntervalMs: 900_000, days: { full: 15, slice: 4 } }

const CASES: readonly Case[] = [
  { title: '31 days of 1h', from: '2021-05-01', days: { full: 32, slice: 3 }, scenario: { ...HOUR, ...SMA, ...policy() } },
  {
    title: '3 days of 1m', from: '2025-06-01', days: { full: 4, slice: 0.25 },
    scenario: { ...MINUTE, ...SMA, ...policy({ stopLoss: 0.003, takeProfit: 0.002 }) },
  },
  {
    title: 'stops that follow the price, and break-even', ...crash,
    scenario: { ...HOUR, ...QUICK, ...REAL, ...policy({ trailingStop: 0.015, breakEvenAt: 0.01 }) },
  },
  { title: 'a time stop', ...crash, scenario: { ...HOUR, ...QUICK, ...policy({ maxHold: 5 }) } },
  { title: 'only a stop', ...crash, scenario: { ...HOUR, ...QUICK, ...policy({ takeProfit: null }) } },
  { title: 'only a target', ...crash, scenario: { ...HOUR, ...QUICK, ...policy({ stopLoss: null }) } },
  {
    title: 'fees in quote, fills at a touch', ...crash,
    scenario: { ...HOUR, ...QUICK, ...policy(), ...broker({ fees: { asset: 'quote' }, fillModel: 'open-on-gap' }) },
  },
  {
    title: 'the optimistic model, real filters, all of the equity', ...crash,
    scenario: { ...HOUR, ...QUICK, ...REAL, ...policy({ positionSize: 1 }), ...broker({ fillModel: 'optimistic' }) },
  },
  {
    title: 'two symbols', ...crash,
    scenario: {
      symbols: ['BTC/USDT', 'ETH/USDT'], timeframe: '1h', ...QUICK, ...policy(),
      market: { files: { 'BTC/USDT': candles('BTC-USDT-1h'), 'ETH/USDT': candles('ETH-USDT-1h') }, gaps: 'allow' },
    },
  },
  {
    title: 'a stop that follows, alone', ...crash,
    scenario: { ...HOUR, ...QUICK, ...REAL, ...policy({ stopLoss: null, takeProfit: null, trailingStop: 0.015 }) },
  },
  { title: 'no levels at all', ...crash, scenario: { ...HOUR, ...QUICK, ...policy({ stopLoss: null, takeProfit: null }) } },
  {
    title: 'coarse filters, which leave dust', ...crash,
    scenario: { ...HOUR, ...QUICK, ...policy(), instrument: { tickSize: 10, lotSize: 0.001, minNotional: 50 } },
  },
  {
    title: 'limits of losses and pauses', ...crash,
    scenario: { ...HOUR, ...QUICK, ...REAL, ...policy({ maxDailyLoss: 0.004, cooldown: 3, maxConsecutiveLosses: 2 }) },
  },
  {
    title: 'the scalper', from: '2021-05-01', checkIntervalMs: 3_600_000, days: { full: 60, slice: 20 },
    scenario: { ...HOUR, ...REAL, strategy: { name: 'autonomous-scalper' }, ...policy({ minConfidence: 0.1, stopLoss: 0.01, takeProfit: 0.01 }) },
  },
  {
    title: 'orders settled on 1m candles', from: '2025-06-01', checkIntervalMs: 900_000, days: { full: 12, slice: 4 },
    scenario: {
      symbol: 'BTC/USDT', timeframe: '1h', ...QUICK, ...policy({ stopLoss: 0.01, takeProfit: 0.008 }),
      market: { file: candles('BTC-USDT-1m'), gaps: 'allow' }, ...broker({ fillTimeframe: '1m' }),
    },
  },
]

/** At least so many trades in the whole length; a slice has to have some. */
const TRADES = 10

function expectParity({ compared, equal, differences, signedRequests }: ParityResult): void {
  expect(differences).toEqual([])
  expect(equal).toBe(compared)
  expect(compared).toBeGreaterThanOrEqual(full ? TRADES : 1)
  expect(signedRequests).toBeGreaterThan(compared)
}

describe.skipIf(!hasShared)(`a rehearsal on real candles trades as its backtest${sharedNote}`, () => {
  it.each(slice(CASES, 6))('$title', async ({ scenario, from, days, checkIntervalMs = 60_000 }) => {
    const begin = Date.parse(`${from}T00:00:00Z`)
    const market = { ...(scenario as { market: object }).market, from: begin, to: begin + days[full ? 'full' : 'slice'] * DAY_MS }
    const on = await stage({ name: 'parity', ...scenario, market })
    const { directory } = await rehearseOn(on, { checkIntervalMs, now: () => Date.UTC(2025, 0, 1) })
    expectParity(await parity(directory, quietWorld()))
    const { difference, decisions } = await replay(directory, quietWorld())
    expect(difference).toBeNull()
    expect(decisions).toBeGreaterThan(50)
    expect(verifyRun(directory)).toMatchObject({ sound: true, chained: true })
  }, 900_000)

  it('leaves out what is decided at the last close, which a backtest has no next open for', async () => {
    const market = { file: candles('BTC-USDT-1m'), from: '2025-06-02T22:00:00Z', to: '2025-06-03' }
    const on = await stage({ name: 'last-close', ...MINUTE, ...SMA, ...REAL, ...policy({ stopLoss: 0.003, takeProfit: 0.003 }), market })
    const { directory } = await rehearseOn(on)
    const trades = trailOf(directory).filter(({ type }) => type === 'trade')
    expect(trades.at(-1)).toMatchObject({ exitTime: '2025-06-03T00:00:00.000Z', reason: 'signal' })
    const { compared, differences } = await parity(directory, quietWorld())
    expect(differences).toEqual([])
    expect(compared).toBe(trades.length - 1)
  })
})
