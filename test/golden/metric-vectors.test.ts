import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import {
  annualVolatility, cagr, calmar, dailyReturns, downsideDeviation, growth, maxDrawdown, profitFactor, sharpe, sortino,
  winRate,
} from '../../engine/core/metrics.ts'

/** Tables of other projects. Test data of its own, read in place: it is not part of this repository. */
const SHARED = fileURLToPath(new URL('../../../shared/', import.meta.url))
const VECTORS = `${SHARED}vectors/metrics-empyrical.json`
const REFERENCE = `${SHARED}reference/`

type Returns = readonly (number | null)[]
interface Table {
  readonly test: string
  readonly body: string
  readonly cases: readonly { readonly expr: string; readonly args: readonly unknown[] }[]
}

const file = existsSync(VECTORS) ? readFileSync(VECTORS, 'utf8') : '{ "tables": [] }'
const { tables } = JSON.parse(file) as { tables: Table[] }
const absent = (folder: string): string => ` (skipped: ../shared/${folder} is absent)`
const PERIODS: Readonly<Record<string, number>> = { daily: 252, weekly: 52, monthly: 12, yearly: 1 }
const DAY = 86_400_000

/** A row without a return is no observation … */
const observed = (returns: Returns): number[] => returns.filter((value) => value !== null)
/** … but empyrical counts it when it counts the years. */
const counted = (returns: Returns): number[] => returns.map((value) => value ?? 0)
const less = (returns: Returns, required: unknown): Returns =>
  returns.map((value, i) => {
    const other: unknown = Array.isArray(required) ? required[i] : required
    return value === null || other === null ? null : value - Number(other)
  })
const equity = (returns: readonly number[]): number[] =>
  returns.reduce((curve, r) => [...curve, curve[curve.length - 1] * (1 + r)], [1])
const windows = (returns: Returns, size: unknown): Returns[] =>
  returns.slice(0, Math.max(0, returns.length - Number(size) + 1)).map((_, i) => returns.slice(i, i + Number(size)))
const yearly = (returns: Returns, periods: number): number | null =>
  returns.length === 0 ? null : cagr(1, growth(counted(returns)), (returns.length / periods) * 365 * DAY)

type Answer = number | null | readonly (number | null)[]

/** Our answer to a case of a table. */
function answer(test: string, returns: Returns, second: unknown, third: unknown): Answer {
  const periods = PERIODS[String(third ?? second)] ?? 252
  switch (test) {
    case 'test_cum_returns':
      return returns.map((_, i) => {
        const grown = growth(counted(returns.slice(0, i + 1)))
        return second === 0 ? grown - 1 : grown * Number(second)
      })
    case 'test_cum_returns_final': {
      const grown = growth(counted(returns))
      return returns.length === 0 ? null : second === 0 ? grown - 1 : grown * Number(second)
    }
    case 'test_max_drawdown': return maxDrawdown(equity(observed(returns)))
    case 'test_annual_ret':
    case 'test_cagr': return yearly(returns, periods)
    case 'test_annual_volatility': return annualVolatility(observed(returns), periods)
    case 'test_calmar': return calmar(counted(returns), maxDrawdown(equity(observed(returns))), periods)
    case 'test_sharpe_ratio': return sharpe(observed(less(returns, second)), periods)
    case 'test_downside_risk': return downsideDeviation(observed(less(returns, second)), periods)
    case 'test_sortino': return sortino(observed(less(returns, second)), periods)
    case 'test_roll_max_drawdown': return windows(returns, second).map((part) => maxDrawdown(equity(observed(part))))
    case 'test_roll_sharpe_ratio': return windows(returns, second).map((part) => sharpe(observed(part), 252))
    default: throw new Error(`no figure of ours is compared with ${test}`)
  }
}

/** The table's own precision: numpy's assert_almost_equal(a, b, decimals), where the suite's default is 8. */
const tolerance = ({ body }: Table): number => 1.5 * 10 ** -Number(/, (\d)\)/.exec(body)?.[1] ?? 8)

/** Functions of empyrical whose figures we do not have. */
const OTHERS = ['omega', 'excess_sharpe', 'stability_of_timeseries', 'tail_ratio'].map((name) => `test_${name}`)

function series(expr: string, arg: unknown): Returns | null {
  if (Array.isArray(arg)) return arg as Returns
  return expr.includes('flat_line_1_tz') ? Array.from({ length: 1_000 }, () => 0.01) : null
}

describe.skipIf(tables.length === 0)(
  `empyrical’s tables${tables.length === 0 ? absent('vectors') : ''}; its NaN and inf are our null`,
  () => {
    let compared = 0
    for (const table of tables.filter(({ test }) => !OTHERS.includes(test))) {
      for (const { expr, args } of table.cases) {
        const title = `${table.test} ${expr.slice(0, 80)}`
        const expected = args[args.length - 1]
        const returns = series(expr, args[0])
        const [, second, third] = args.slice(0, -1)
        if (returns === null) {
          it.skip(`${title} (left out: its series is only described)`)
          continue
        }
        compared++
        it(title, () => {
          const actual = answer(table.test, returns, second, third)
          const wanted = (Array.isArray(expected) ? expected : [expected]) as unknown[]
          const got = (Array.isArray(actual) ? actual : [actual]) as (number | null)[]
          expect(got).toHaveLength(wanted.length)
          for (const [i, value] of wanted.entries()) {
            if (typeof value !== 'number') expect(got[i]).toBeNull()
            else expect(Math.abs((got[i] ?? NaN) - value)).toBeLessThan(tolerance(table))
          }
        })
      }
    }

    it('leave out omega, excess Sharpe, stability and tail ratio, which we do not have, and compare 66 cases', () => {
      expect(tables.filter(({ test }) => OTHERS.includes(test))).toHaveLength(OTHERS.length)
      expect(compared).toBe(66)
    })
  },
)

interface Account {
  readonly finalEquity: number
  readonly totalReturn: number
  readonly cagr365: number
  readonly dailyReturns: number
  readonly sharpeDaily365_sampleStd: number
  readonly sortinoDaily365: number
  readonly maxDrawdownDaily: number
  readonly calmarDaily365: number
  readonly annualVolDaily365: number
  readonly winRate: number
  readonly profitFactorOnNetReturns: number
}
interface Summary {
  readonly fromMs: number
  readonly toMs: number
  readonly fullEquity10000: Account
  readonly twoPercent10000: Account
}

const names = (existsSync(REFERENCE) ? readdirSync(REFERENCE) : [])
  .filter((file) => file.endsWith('.summary.json'))
  .map((file) => file.replace('.summary.json', ''))

describe.skipIf(names.length === 0)(
  `reference backtests${names.length === 0 ? absent('reference') : ''}: the figures of the daily equity`,
  () => {
    const column = (file: string, heading: string): number[] => {
      const lines = readFileSync(REFERENCE + file, 'utf8').trim().split('\n')
      const [head, ...rows] = lines.map((line) => line.trim().split(','))
      return rows.map((row) => Number(row[head.indexOf(heading)]))
    }
    for (const name of names) {
      const summary = JSON.parse(readFileSync(`${REFERENCE}${name}.summary.json`, 'utf8')) as Summary
      for (const [sizing, heading] of [['fullEquity10000', 'equityFull'], ['twoPercent10000', 'equity2pct']] as const) {
        it(`${name} ${sizing}`, () => {
          const account = summary[sizing]
          const curve = column(`${name}.equity-daily.csv`, heading)
          const returns = dailyReturns(curve)
          const net = column(`${name}.trades.csv`, 'netReturn')
          const figures: Readonly<Record<string, readonly [number | null, number]>> = {
            dailyReturns: [returns.length, account.dailyReturns],
            totalReturn: [curve[curve.length - 1] / curve[0] - 1, account.totalReturn],
            cagr: [cagr(10_000, account.finalEquity, summary.toMs - summary.fromMs), account.cagr365],
            annualVolatility: [annualVolatility(returns), account.annualVolDaily365],
            sharpe: [sharpe(returns), account.sharpeDaily365_sampleStd],
            sortino: [sortino(returns), account.sortinoDaily365],
            maxDrawdown: [maxDrawdown(curve), account.maxDrawdownDaily],
            calmar: [calmar(returns, maxDrawdown(curve)), account.calmarDaily365],
            winRate: [winRate(net), account.winRate],
            profitFactorNet: [profitFactor(net), account.profitFactorOnNetReturns],
          }
          for (const [figure, [actual, expected]] of Object.entries(figures)) {
            expect(Math.abs((actual ?? NaN) - expected), figure).toBeLessThanOrEqual(1e-9 * Math.abs(expected))
          }
        })
      }
    }
  },
)
