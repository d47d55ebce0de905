import { createHmac } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Candle } from '../../engine/core/candle.ts'
import { instrumentOf } from '../../engine/core/instrument.ts'
import type { Costs } from '../../engine/core/matching.ts'
import type { EpochMs } from '../../engine/core/time.ts'
import { startExchange, type PracticeExchange, type PracticeOptions, type PracticeTape } from '../../plugins/exchange/exchange.ts'
import { columnsOf } from './memory-market.ts'

export const MINUTE = 60_000
/** Where the tapes of these tests begin. */
export const START = Date.UTC(2024, 0, 1)
export const KEYS = { apiKey: 'practice-key', apiSecret: 'practice-secret' } as const
export const COSTS: Costs = { maker: 0.001, taker: 0.001, feeAsset: 'received', slippageBps: 0 }

type Prices = readonly [open: number, high: number, low: number, close: number]

/** One candle a minute from START on; null leaves a gap. */
export const candlesOf = (rows: readonly (Prices | null)[], step = MINUTE): Candle[] => rows.flatMap((prices, index) => {
  if (prices === null) return []
  const [open, high, low, close] = prices
  return [{ openTime: START + index * step, open, high, low, close, volume: 10 }]
})

export const tapeOf = (candles: readonly Candle[], symbol = 'BTC/USDT'): PracticeTape => ({
  symbol, timeframe: '1m', columns: columnsOf(candles), rows: candles.length, finer: null,
})

/** Twenty quiet minutes at 100. */
export const QUIET: readonly Prices[] = Array.from({ length: 20 }, () => [100, 101, 99, 100])

/** An exchange with 10,000 USDT that is closed when the test ends. */
export async function practice(rows: readonly (Prices | null)[] = QUIET, options: Partial<PracticeOptions> = {}): Promise<PracticeExchange> {
  const exchange = await startExchange({
    tapes: [tapeOf(candlesOf(rows))], instruments: { 'BTC/USDT': instrumentOf('BTC/USDT') }, costs: COSTS, fillModel: 'conservative',
    balances: { USDT: 10_000 }, startTime: START, pace: 'stepped', ...KEYS, ...options,
  })
  onTestFinished(() => exchange.close())
  return exchange
}

/** One step of the clock: to the next close, or to `until` where that is earlier. */
export async function advance({ url }: PracticeExchange, until: EpochMs = 1e14): Promise<{ time: EpochMs; ended: boolean }> {
  const answer = await fetch(`${url}/practice/advance`, {
    method: 'POST', headers: { 'x-mbx-apikey': KEYS.apiKey, 'content-type': 'application/json' }, body: JSON.stringify({ until }),
  })
  return await answer.json() as { time: EpochMs; ended: boolean }
}

/** A parsed answer, into which tests look without knowing its type. */
export interface Json {
  readonly [name: string]: Json
}

export interface RawAnswer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** null where the answer is no JSON. */
  readonly json: Json
}

export type RequestParams = Readonly<Record<string, string | number>>

const sign = (text: string): string => createHmac('sha256', KEYS.apiSecret).update(text).digest('hex')
const encode = (params: RequestParams): string => new URLSearchParams(params as Record<string, string>).toString()

export async function send(url: string, init: RequestInit = {}): Promise<RawAnswer> {
  const answer = await fetch(url, init)
  const text = await answer.text()
  return { status: answer.status, headers: answer.headers, text, json: tryJson(text) }
}

function tryJson(text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch {
    return null as unknown as Json
  }
}

/** A public request. */
export const ask = ({ url }: PracticeExchange, path: string, params: RequestParams = {}): Promise<RawAnswer> =>
  send(`${url}/api/v3${path}?${encode(params)}`)

/** A signed request with its parameters in the query string. */
export function call(
  exchange: PracticeExchange, method: 'GET' | 'POST' | 'DELETE', path: string, params: RequestParams = {}, init: RequestInit = {},
): Promise<RawAnswer> {
  const query = encode({ timestamp: exchange.now(), ...params })
  return send(`${exchange.url}/api/v3${path}?${query}&signature=${sign(query)}`, { method, headers: { 'x-mbx-apikey': KEYS.apiKey }, ...init })
}

export const SYMBOL = { symbol: 'BTCUSDT' } as const

export const marketBuy = (exchange: PracticeExchange, spend: number, more: RequestParams = {}): Promise<RawAnswer> =>
  call(exchange, 'POST', '/order', { ...SYMBOL, side: 'BUY', type: 'MARKET', quoteOrderQty: spend.toFixed(8), ...more })

export const marketSell = (exchange: PracticeExchange, quantity: number, more: RequestParams = {}): Promise<RawAnswer> =>
  call(exchange, 'POST', '/order', { ...SYMBOL, side: 'SELL', type: 'MARKET', quantity: quantity.toFixed(8), ...more })

/** A stop below and a target above. */
export const pair = (exchange: PracticeExchange, quantity: number, stop: number, target: number, more: RequestParams = {}): Promise<RawAnswer> =>
  call(exchange, 'POST', '/orderList/oco', {
    ...SYMBOL, side: 'SELL', quantity: quantity.toFixed(8), aboveType: 'LIMIT_MAKER', abovePrice: target.toFixed(8), belowType: 'STOP_LOSS',
    belowStopPrice: stop.toFixed(8), ...more,
  })

/** A folder that is gone when the test ends. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tapedeck-exchange-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
