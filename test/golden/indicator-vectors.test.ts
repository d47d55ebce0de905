import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { candleColumns } from '../../engine/core/candle.ts'
import { type IndicatorSpec, prepareIndicators } from '../../engine/core/indicators.ts'

/** Tables of other projects. Test data of its own, read in place: it is not part of this repository. */
const FILE = fileURLToPath(new URL('../../../shared/vectors/indicators.json', import.meta.url))
const present = existsSync(FILE)

interface Vector {
  readonly source: string
  readonly indicator: string
  readonly params: readonly number[]
  readonly inputs: Readonly<Partial<Record<'high' | 'low' | 'close', readonly number[]>>>
  readonly outputs: Readonly<Record<string, readonly (number | null)[]>>
  /** Input row of the first output. */
  readonly offset: number
  readonly tolerance: number
}
const vectors = (present ? JSON.parse(readFileSync(FILE, 'utf8')) : []) as Vector[]

/** The spec that draws a table's column, or why there is none. */
function specFor({ source, indicator, params }: Vector, column: string): IndicatorSpec | string {
  const [period = NaN, second = NaN, third = NaN] = params
  const macd = { indicator, fastPeriod: period, slowPeriod: second, signalPeriod: third }
  const bands = { indicator, period, stdDev: second }
  if (source.startsWith('tulip')) {
    if (indicator === 'ema' || indicator === 'macd') return 'tulip seeds averages with the first price, not with an SMA'
    if (indicator === 'atr' || indicator === 'tr') return 'tulip starts true range at the first candle'
  }
  switch (`${indicator} ${column}`) {
    case 'atr tr': return { indicator: 'truerange' }
    case 'macd macd': return { ...macd, output: 'MACD' }
    case 'macd signal':
    case 'macd histogram': return { ...macd, output: column }
    case 'macd fastEma': return { indicator: 'ema', period }
    case 'macd slowEma': return { indicator: 'ema', period: second }
    case 'bbands sma': return { ...bands, output: 'middle' }
    case 'bbands percentB': return { ...bands, output: 'pb' }
    case 'bbands lower':
    case 'bbands middle':
    case 'bbands upper': return { ...bands, output: column }
    case 'bbands lowerBand':
    case 'bbands upperBand': return { ...bands, output: column.replace('Band', '') }
    case 'stoch value': return { indicator, period, signalPeriod: second, output: 'd' }
    case 'atr atrp':
    case 'bbands zScore':
    case 'bbands width': return 'a column that technicalindicators does not have'
    default: return { indicator, period }
  }
}

async function compute(spec: IndicatorSpec, inputs: Vector['inputs']): Promise<number[]> {
  const rows = inputs.close?.length ?? 0
  const columns = candleColumns(rows)
  for (const name of ['high', 'low', 'close'] as const) columns[name].set(inputs[name] ?? [])
  const book = (await prepareIndicators({ x: spec }))(0)
  const row = book.append(columns, 0, rows)
  return Array.from({ length: rows }, (_, k) => book.at(0, row + k, 0))
}

const note = present ? '' : ' (skipped: ../shared/vectors is absent)'

describe.skipIf(!present)(`indicator tables of other projects${note}`, () => {
  for (const vector of vectors) {
    for (const [column, expected] of Object.entries(vector.outputs)) {
      const spec = specFor(vector, column)
      const title = `${vector.source}: ${vector.indicator} ${vector.params.join(',')} ${column}`
      if (typeof spec === 'string') {
        it.skip(`${title} (left out: ${spec})`)
        continue
      }
      it(title, async () => {
        const actual = await compute(spec, vector.inputs)
        expect(actual).toHaveLength(vector.offset + expected.length)
        for (const [k, value] of expected.entries()) {
          const row = vector.offset + k
          if (value === null) expect(actual[row], `row ${row}`).toBeNaN()
          else expect(Math.abs(actual[row] - value), `row ${row}`).toBeLessThanOrEqual(vector.tolerance)
        }
        // Tulip lists its slowed stochastic only from the second smoothing on; the others begin where ours begin.
        if (vector.indicator !== 'stoch') expect(actual.slice(0, vector.offset).every(Number.isNaN)).toBe(true)
      })
    }
  }

  it('has 19 tables, of which only tulip’s ema, macd, atr and tr are left out whole', () => {
    const leftOut = vectors.filter((vector) =>
      Object.keys(vector.outputs).every((column) => typeof specFor(vector, column) === 'string'))
    expect(vectors).toHaveLength(19)
    expect(leftOut.map(({ source, indicator }) => `${source.split(' ')[0]} ${indicator}`)).toEqual(
      ['atr', 'ema', 'macd', 'tr'].map((indicator) => `tulipindicators ${indicator}`),
    )
  })
})
