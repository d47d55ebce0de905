import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Candle } from '../../engine/core/candle.ts'
import { timeframeMs } from '../../engine/core/timeframe.ts'
import type { ErrorCode } from '../../engine/errors.ts'
import { scenario, Workspace, workspace } from '../support/cli.ts'
import { candlesFrom, csvOf, gz, HEADER, line, MONDAY, without } from '../support/tape-files.ts'

const candles = candlesFrom(MONDAY, 100, '1h')
const rows = [HEADER, ...candles.map(line)]
const HOUR = timeframeMs('1h')
const timeOf = (row: number): string => new Date(MONDAY + (row - 2) * HOUR).toISOString()
/** Row 1 is the header, as in an editor. */
const withRow = (row: number, change: (text: string) => string): string =>
  [...rows.slice(0, row - 1), change(rows[row - 1]), ...rows.slice(row), ''].join('\n')
const changed = (row: number, change: Partial<Candle>): string =>
  withRow(row, () => line({ ...candles[row - 2], ...change }))

describe.concurrent('a candle file', () => {
  it.each<[string, string | Uint8Array, ErrorCode, readonly (string | RegExp)[], string?]>([
    ['without a header', rows.slice(1).join('\n'), 'TD_FILE_HEADER', ['the header is missing']],
    ['with swapped columns', withRow(1, () => 'timestamp,high,open,low,close,volume'), 'TD_FILE_HEADER',
      ['in exactly this order']],
    ['with a missing column', withRow(1, () => 'timestamp,open,high,low,close'), 'TD_FILE_HEADER', ['missing: volume']],
    ['without a byte', '', 'TD_TAPE_EMPTY', ['t.csv is empty']],
    ['with nothing but its header', `${HEADER}\n`, 'TD_TAPE_EMPTY', ['has only a header']],
    ['with text in a number', withRow(50, (text) => text.replace(/,[^,]*$/, ',abc')), 'TD_CANDLE_INVALID',
      [`t.csv, row 50, ${timeOf(50)}`, '"abc"']],
    ['with a high below its low', changed(50, { high: 1 }), 'TD_CANDLE_INVALID',
      [`t.csv, row 50, ${timeOf(50)}`, 'high 1']],
    ['with a time off the grid', changed(50, { openTime: candles[48].openTime + 1 }), 'TD_CANDLE_INVALID',
      ['t.csv, row 50', 'not on the grid']],
    ['with rows out of order', csvOf([...candles.slice(0, 50), candles[52], candles[51], ...candles.slice(53)]),
      'TD_CANDLE_INVALID', ['t.csv, row', 'out of order']],
    ['with a row twice', csvOf([...candles.slice(0, 50), ...candles.slice(49)]), 'TD_CANDLE_INVALID',
      ['t.csv, row 52', 'duplicates: drop']],
    ['with a hole', csvOf(without(candles, 48, 49)), 'TD_CANDLE_GAP',
      [`2 missing 1h candles in 1 gap: ${timeOf(50)} … ${timeOf(51)}`, 'gaps: allow']],
    ['that ends within a row', rows.join('\n').slice(0, -20), 'TD_CANDLE_INVALID', ['t.csv, row 101']],
    ['that is a truncated gzip file', gz(rows.join('\n')).subarray(0, -30), 'TD_FILE_UNREADABLE',
      ['t.csv.gz', 'truncated gzip'], 't.csv.gz'],
    ['that is a damaged gzip file', gz(rows.join('\n')).map((byte, index) => (index === 400 ? byte ^ 0xff : byte)),
      'TD_FILE_UNREADABLE',
      ['t.csv.gz', 'damaged'], 't.csv.gz'],
  ])('%s is refused', async (_, content, code, says, name = 't.csv') => {
    const here = workspace()
    here.put(name, content)
    here.put('s.yaml', scenario({ market: { file: name } }))
    await here.refuses(['backtest', 's.yaml', '--json'], code, ['s.yaml: ', ...says])
    expect(here.list('runs')).toEqual([])
  })

  it('is refused by every command in the same words', async () => {
    const here = workspace()
    here.put('t.csv', changed(50, { high: 1 }))
    const says = [`tapedeck: t.csv, row 50, ${timeOf(50)}: high 1`]
    await here.refuses(['data', 'verify', 't.csv', '--json'], 'TD_CANDLE_INVALID', says)
    await here.refuses(['data', 'import', 't.csv', '--output', 'o.csv', '--json'], 'TD_CANDLE_INVALID', says)
    await here.refuses(['data', 'resample', 't.csv', '--timeframe', '4h', '--output', 'o.csv.gz', '--json'],
      'TD_CANDLE_INVALID', says)
    await here.refuses(['check', 'sma-cross', '--file', 't.csv', '--json'], 'TD_CANDLE_INVALID', says)
  })

  it('stops a run of several scenarios; what was finished before stays', async () => {
    const here = workspace()
    here.put('good.csv', csvOf(candles))
    here.put('bad.csv', changed(50, { high: 1 }))
    here.put('good.yaml', scenario({ name: 'good', market: { file: 'good.csv' } }))
    here.put('bad.yaml', scenario({ name: 'bad', market: { file: 'bad.csv' } }))
    const { code, stdout, stderr } = await here.run(['backtest', 'good.yaml', 'bad.yaml', '--json'])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^tapedeck: bad\.yaml: bad\.csv, row 50, .+ \[TD_CANDLE_INVALID\]$/m)
    expect(here.list('runs')).toEqual([expect.stringMatching(/^good-\w{12}$/)])
  })
})

describe('late in a file of a million rows', () => {
  const MINUTE = timeframeMs('1m')
  const BAD = 900_001
  let here: Workspace
  let text = ''

  beforeAll(() => {
    here = new Workspace()
    const parts = [HEADER]
    for (let row = 0; row < 1_000_000; row++) {
      const open = 100 + (row % 17)
      parts.push(`${MONDAY + row * MINUTE},${open},${open + 2},${open - 1},${open + 1},1`)
    }
    text = `${parts.join('\n')}\n`
    here.put('s.yaml', scenario({ timeframe: '1m', market: { file: 't.csv' }, audit: 'off' }))
    here.put('z.yaml', scenario({ timeframe: '1m', market: { file: 't.csv.gz' }, audit: 'off' }))
  })
  afterAll(() => { here.remove() })

  const timeOfRow = new Date(MONDAY + (BAD - 2) * MINUTE).toISOString()
  const spoilt = (): string => {
    const at = text.indexOf(`\n${MONDAY + (BAD - 2) * MINUTE},`) + 1
    const end = text.indexOf('\n', at)
    return `${text.slice(0, at)}${text.slice(at, end).replace(/,1$/, ',x')}${text.slice(end)}`
  }

  it('text in a number is found at its row', async () => {
    here.put('t.csv', spoilt())
    await here.refuses(['backtest', 's.yaml', '--json'], 'TD_CANDLE_INVALID',
      [`t.csv, row ${BAD}, ${timeOfRow}`, 'volume "x"'])
    expect(here.list('runs')).toEqual([])
  })

  it('the end of a truncated gzip file is no end of the tape', async () => {
    const packed = gzipSync(text, { level: 1 })
    here.put('t.csv.gz', packed.subarray(0, Math.floor(packed.length * 0.95)))
    await here.refuses(['backtest', 'z.yaml', '--json'], 'TD_FILE_UNREADABLE',
      ['t.csv.gz', 'truncated gzip file', 'unexpected end of file'])
    expect(here.list('runs')).toEqual([])
  })
})
