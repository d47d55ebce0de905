import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { EXIT_REASONS } from '../../engine/core/order.ts'
import { isoDay } from '../../engine/core/time.ts'
import { runScenario } from '../support/run-scenario.ts'
import { hasShared, shared, sharedNote } from '../support/shared.ts'

interface Summary {
  readonly candles: string
  readonly fromMs: number
  readonly toMs: number
  readonly bars: number
  readonly ambiguousBars: number
  readonly fullEquity10000: Readonly<Record<string, number>>
  readonly twoPercent10000: Readonly<Record<string, number>>
}

const HOUR = 3_600_000
const RUNS = [
  { name: 'BTC-1h-2017-2026', timeframe: '1h', ms: HOUR },
  { name: 'BTC-1h-2020-covid', timeframe: '1h', ms: HOUR },
  { name: 'BTC-4h-from-1h', timeframe: '4h', ms: 4 * HOUR },
  { name: 'BTC-1d-from-1h', timeframe: '1d', ms: 24 * HOUR },
  { name: 'GOOG-1d', timeframe: '1d', ms: 24 * HOUR },
] as const

/** The mapping of our figures to the summaries' fields. */
const FIGURES = {
  finalEquity: 'finalEquity', totalReturn: 'totalReturn', maxDrawdown: 'maxDrawdownBarClose', cagr: 'cagr365',
  sharpe: 'sharpeDaily365_sampleStd', sortino: 'sortinoDaily365', maxDrawdownDaily: 'maxDrawdownDaily', calmar: 'calmarDaily365',
  annualVolatility: 'annualVolDaily365', trades: 'trades', winRate: 'winRate', profitFactorNet: 'profitFactorOnNetReturns',
} as const

const table = (path: string): Record<string, string>[] => {
  const [header, ...rows] = readFileSync(shared(path), 'utf8').trim().split('\n').map((line) => line.split(','))
  return rows.map((row) => Object.fromEntries(header.map((name, index) => [name, row[index]])))
}

const close = (actual: number, expected: number, tolerance: number, what: string): void => {
  const error = Math.abs(actual - expected) / Math.max(Math.abs(expected), 1e-300)
  expect(actual === expected || error <= tolerance, `${what}: ${actual} against ${expected}`).toBe(true)
}

const scenario = (name: string, timeframe: string, market: object, positionSize: number): object => ({
  name,
  symbol: name.startsWith('GOOG') ? 'GOOG/USD' : 'BTC/USDT',
  timeframe,
  market: { source: 'candle-replay', gaps: 'allow', ...market },
  instrument: { tickSize: 0, lotSize: 0, minNotional: 0 },
  broker: { name: 'paper', cash: 10_000, fees: { maker: 0.001, taker: 0.001, asset: 'quote' }, slippageBps: 0, fillModel: 'open-on-gap' },
  strategy: { name: 'sma-cross', params: { fast: 9, slow: 21, rsiPeriod: 14, rsiMax: 70 } },
  providers: ['technical'],
  policy: { minConfidence: 0, stopLoss: 0.05, takeProfit: 0.03, positionSize },
})

describe.skipIf(!hasShared)(`reference runs${sharedNote}`, () => {
  for (const { name, timeframe, ms } of RUNS) {
    const load = (): Summary => JSON.parse(readFileSync(shared(`reference/${name}.summary.json`), 'utf8')) as Summary
    const compare = async (market: object, positionSize: number): Promise<void> => {
      const summary = load()
      const result = await runScenario(scenario(name, timeframe, market, positionSize))
      const { trades, dailyEquity, firstDay } = result.report
      expect(result.figures.candles).toBe(summary.bars)

      const rows = table(`reference/${name}.trades.csv`)
      expect(trades.length).toBe(rows.length)
      rows.forEach((row, index) => {
        expect(trades.entryTime[index], `entry of trade ${row['n']}`).toBe(Number(row['entryTimeMs']))
        expect(trades.exitTime[index], `exit of trade ${row['n']}`).toBe(Number(row['exitTimeMs']))
        expect(EXIT_REASONS[trades.reason[index]], `reason of trade ${row['n']}`).toBe(row['reason'])
        close(trades.entryPrice[index], Number(row['entryPrice']), 1e-9, `entry price of trade ${row['n']}`)
        close(trades.exitPrice[index], Number(row['exitPrice']), 1e-9, `exit price of trade ${row['n']}`)
        close(1 + trades.pnl[index] / trades.cost[index], 1 + Number(row['netReturn']), 1e-9, `net return of trade ${row['n']}`)
        if (positionSize === 1) close(trades.quantity[index], Number(row['qtyFullEquity10000']), 1e-9, `quantity of trade ${row['n']}`)
      })

      const expected = positionSize === 1 ? summary.fullEquity10000 : summary.twoPercent10000
      for (const [ours, theirs] of Object.entries(FIGURES)) {
        close(result.figures[ours as keyof typeof FIGURES] as number, expected[theirs], 1e-9, ours)
      }
      expect(result.figures.ambiguousCandles).toBe(summary.ambiguousBars)

      const equity = table(`reference/${name}.equity-daily.csv`)
      expect(dailyEquity.length).toBe(equity.length)
      equity.forEach((row, index) => {
        expect(isoDay(firstDay + index)).toBe(row['date'])
        close(dailyEquity[index], Number(row[positionSize === 1 ? 'equityFull' : 'equity2pct']), 1e-8, `equity of ${row['date']}`)
      })
    }

    for (const positionSize of [1, 0.02]) {
      it(`${name} with ${positionSize * 100} % per trade equals the table row by row`, async () => {
        const { candles, fromMs, toMs } = load()
        const file = candles.startsWith('inputs/') ? shared(`reference/${candles}`) : shared(`data/candles/${candles}`)
        await compare({ file, from: fromMs, to: toMs + ms }, positionSize)
      })
      if (name.includes('from-1h')) {
        it(`${name} with ${positionSize * 100} % per trade also comes out of resampling the 1h file`, async () => {
          const { fromMs } = load()
          await compare({ file: shared('data/candles/binance-BTC-USDT-1h.csv.gz'), from: fromMs }, positionSize)
        })
      }
    }
  }
})
