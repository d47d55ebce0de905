import type { PracticeOptions } from '../../plugins/exchange/exchange.ts'
import { randomWalk } from '../support/memory-market.ts'

/** A market and a way to trade on it, short enough to be killed over and over. */
export interface Setup {
  readonly name: string
  readonly policy: Readonly<Record<string, number | null>>
  /** The exchange that outlives the program; null: the program's own, which is killed with it. */
  readonly exchange: Partial<Pick<PracticeOptions, 'faults' | 'symbolFlags'>> | null
  /** Moments that its runs come by, as kill-switch.mjs names them: kill points of every suite, some of them of the short one too. */
  readonly moments: readonly string[]
}

export const SYMBOL = 'BTC/USDT'
export const CASH = 10_000
/** More than the scenario may use, and base that is none of ours: both have to stay. */
const BALANCES = { USDT: 25_000, BTC: 0.75 }
export const balancesOf = ({ exchange }: Setup): typeof BALANCES =>
  (exchange === null ? { USDT: CASH, BTC: 0 } : BALANCES)
export const INSTRUMENT = { tickSize: 0.01, lotSize: 0.00001, minNotional: 5 } as const
export const CHECK_INTERVAL_MS = 60_000

export const TAPE = randomWalk(32, 11, '1m', 0.006)

const { openTime, open, high, low, close, volume } = TAPE
export const tapeCsv = (): string => [
  'timestamp,open,high,low,close,volume',
  ...Array.from(openTime, (time, row) => [time, open[row], high[row], low[row], close[row], volume[row]].join()), '',
].join('\n')

/** Entries and exits at random, by time alone, so that a restart changes nothing about them. */
export const scenarioOf = ({ name, policy }: Setup): object => ({
  name, symbol: SYMBOL, timeframe: '1m', market: { file: 'tape.csv' }, instrument: INSTRUMENT,
  broker: { name: 'paper', cash: CASH }, strategy: { name: 'random', params: { seed: 2, buy: 0.4, sell: 0.12 } },
  policy: { positionSize: 0.2, ...policy },
})

export const SETUPS: readonly Setup[] = [
  {
    name: 'one-request-exit',
    policy: { stopLoss: 0.01, takeProfit: 0.01 },
    exchange: {},
    moments: [
      'after rename run.json', 'before POST order entry', 'after POST order entry', 'torn trail fill buy',
      'before POST orderList/oco first', 'after POST orderList/oco first', 'before POST order/cancelReplace exit',
      'after POST order/cancelReplace exit', 'torn view decision EXECUTED', 'before trail fill sell target',
    ],
  },
  {
    name: 'two-request-exit',
    policy: { stopLoss: 0.01, takeProfit: 0.012 },
    exchange: {
      symbolFlags: {
        cancelReplaceAllowed: false, orderTypes: ['LIMIT', 'LIMIT_MAKER', 'MARKET', 'STOP_LOSS_LIMIT'],
      },
    },
    moments: [
      'after DELETE orderList', 'before POST order exit', 'after POST order exit', 'before trail fill sell stop',
    ],
  },
  {
    name: 'raised-stop',
    policy: { stopLoss: 0.01, takeProfit: 0.03, trailingStop: 0.008, breakEvenAt: 0.004, maxHold: 6 },
    exchange: {},
    moments: ['after DELETE orderList', 'before POST orderList/oco again', 'after POST orderList/oco again'],
  },
  {
    name: 'lone-stop',
    policy: { stopLoss: 0.01, takeProfit: null, trailingStop: 0.008 },
    exchange: {
      symbolFlags: { cancelReplaceAllowed: false },
      faults: { seed: 3, rules: [{ fault: 'partial-fill', on: 'POST /order ', rate: 0.4, value: 0.4 }] },
    },
    moments: ['after DELETE order', 'after POST order exit'],
  },
  {
    name: 'partial-leg',
    policy: { stopLoss: 0.012, takeProfit: 0.006 },
    exchange: { faults: { seed: 5, rules: [{ fault: 'partial-leg', rate: 0.8, value: 0.5 }] } },
    moments: ['after DELETE order', 'before POST orderList/oco again', 'torn trail fill sell target'],
  },
  {
    name: 'lost-answer',
    policy: { stopLoss: 0.01, takeProfit: 0.01, trailingStop: 0.009 },
    exchange: {
      faults: {
        seed: 2,
        rules: [
          { fault: 'lost-answer', on: 'POST /order', rate: 0.3 },
          { fault: 'lost-answer', on: 'DELETE /order', rate: 0.3 },
          { fault: 'lost-request', on: 'POST /order', rate: 0.15 },
        ],
      },
    },
    moments: ['after trail alarm outcome-unknown', 'before GET order'],
  },
  {
    name: 'own-exchange',
    policy: { stopLoss: 0.01, takeProfit: 0.01 },
    exchange: null,
    moments: ['after file exchange.jsonl', 'torn file exchange.jsonl'],
  },
]
