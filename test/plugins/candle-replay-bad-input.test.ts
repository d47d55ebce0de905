import { chmod, mkdir } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import type { Candle } from '../../engine/core/candle.ts'
import type { ErrorCode } from '../../engine/errors.ts'
import {
  HEADER, MONDAY, candlesFrom, csvOf, dumpOf, gz, line, put, refusal, replayed, temporaryFolder, without, zipOf,
} from '../support/tape-files.ts'

const folder = await temporaryFolder()
const HOUR = 3_600_000
const candles = candlesFrom(MONDAY, 50, '1h')
const lines = csvOf(candles).split('\n')
/** The text with line `number`, counted from 1 like an editor does, replaced. */
const withLine = (number: number, ...text: string[]): string => lines.toSpliced(number - 1, 1, ...text).join('\n')
const cells = (number: number): string[] => lines[number - 1].split(',')
const withCell = (number: number, cell: number, text: string): string =>
  withLine(number, cells(number).toSpliced(cell, 1, text).join(','))

let made = 0
const read = async (content: string | Uint8Array, ending = 'csv'): Promise<unknown> =>
  replayed(folder, '1h', { file: await put(folder, `bad-${made++}.${ending}`, content) })

async function refused(content: string | Uint8Array, code: ErrorCode, ...said: (string | RegExp)[]): Promise<void> {
  const { message } = await refusal(read(content), code)
  for (const text of said) expect(message).toMatch(text)
}

describe('a header that is not the agreed one', () => {
  it.each([
    ['swapped columns', 'timestamp,open,low,high,close,volume', 'in exactly this order'],
    ['a missing column', 'timestamp,open,high,low,close', 'missing: volume'],
    ['another name', 'time,open,high,low,close,volume', 'missing: timestamp'],
    ['a further column', 'timestamp,open,high,low,close,volume,trades', 'without other columns'],
    ['capital letters', 'Timestamp,Open,High,Low,Close,Volume', 'missing: timestamp, open'],
    ['another separator', HEADER.replaceAll(',', ';'), 'missing:'],
  ])('refuses %s and says what it found', async (_, header, hint) => {
    await refused(csvOf(candles, header), 'TD_FILE_HEADER', /bad-\d+\.csv/, HEADER, `found "${header}"`, hint)
  })

  it('refuses no header at all, and a dump whose header is another', async () => {
    const bare = csvOf(candles).slice(HEADER.length + 1)
    await refused(bare, 'TD_FILE_HEADER', 'the header is missing', 'found "1609718400000,100,')
    await refused(dumpOf(candles, '1h', { header: true }).replace('low,close', 'close,low'), 'TD_FILE_HEADER')
  })

  it('refuses garbage, also without a line end', async () => {
    await refused(Buffer.from([0, 1, 2, 255, 254, 10, 3]), 'TD_FILE_HEADER', 'found "')
    await refused(Buffer.alloc(50_000, 'x'), 'TD_FILE_HEADER', 'over 4096 bytes')
    await refused(Buffer.from(`\ufeff${csvOf(candles)}`, 'utf16le'), 'TD_FILE_HEADER')
  })
})

describe('a file without candles', () => {
  it('refuses an empty file, also a packed one', async () => {
    await refused('', 'TD_TAPE_EMPTY', 'empty')
    await refused(gz(''), 'TD_TAPE_EMPTY', 'is empty')
    await refused(zipOf({ 'a.csv': '' }), 'TD_TAPE_EMPTY', 'is empty')
  })

  it('refuses a file with a header only', async () => {
    await refused(HEADER, 'TD_TAPE_EMPTY', 'has only a header')
    await refused(`${HEADER}\r\n\r\n`, 'TD_TAPE_EMPTY', 'has only a header')
  })
})

describe('a cell that is not a number', () => {
  it.each([
    ['text', 'abc', 'low "abc" is not a decimal number'],
    ['text in a number', '98.5O', 'low "98.5O" is not a decimal number'],
    ['an empty cell', '', 'low is empty'],
    ['NaN', 'NaN', 'low "NaN" is not a decimal number'],
    ['Infinity', 'Infinity', 'low "Infinity" is not a decimal number'],
    ['too large a number', '1e400', 'low "1e400" is not finite'],
    ['a hexadecimal number', '0x10', 'low "0x10" is not a decimal number'],
    ['two dots', '98.5.1', 'low "98.5.1" is not a decimal number'],
    ['a space', ' 98.5', 'low " 98.5" is not a decimal number'],
    ['quotes', '"98.5"', /low "\\"98.5\\"" is not a decimal number/],
    ['a plus sign', '+98.5', 'is not a decimal number'],
    ['a lone dot', '.', 'is not a decimal number'],
    ['a lone minus sign', '-', 'is not a decimal number'],
    ['a broken exponent', '98e', 'is not a decimal number'],
  ])('refuses %s with file, row, time and column', async (_, cell, said) => {
    await refused(withCell(7, 3, cell), 'TD_CANDLE_INVALID', /^bad-\d+\.csv, row 7, 2021-01-04T05:00:00\.000Z: /, said)
  })

  it('refuses one in every column, and a time without naming a time', async () => {
    for (const [cell, name] of HEADER.split(',').entries()) {
      await refused(withCell(9, cell, '1x'), 'TD_CANDLE_INVALID', 'row 9', `${name} "1x"`)
    }
    await refused(withCell(9, 0, ''), 'TD_CANDLE_INVALID', /, row 9: timestamp is empty/)
  })

  it('refuses rows with too few or too many cells, cut rows and empty lines', async () => {
    await refused(withLine(5, cells(5).slice(0, 5).join(',')), 'TD_CANDLE_INVALID', 'row 5', 'has 5 cells instead of 6')
    await refused(withLine(5, `${lines[4]},1`), 'TD_CANDLE_INVALID', 'row 5', 'has 7 cells instead of 6')
    await refused(withLine(5, ''), 'TD_CANDLE_INVALID', 'row 5: is empty')
    await refused(withLine(5, '', '', lines[4]), 'TD_CANDLE_INVALID', 'row 5: is empty')
    await refused(csvOf(candles).slice(0, -10), 'TD_CANDLE_INVALID', 'row 51', 'has 5 cells instead of 6')
    const dump = dumpOf(candles, '1h').split('\n')
    const cut = dump.with(3, dump[3].split(',').slice(0, 9).join(',')).join('\n')
    await refused(cut, 'TD_CANDLE_INVALID', 'row 4', 'has 9 cells instead of 12')
  })
})

describe('numbers that are no candle', () => {
  const at = (number: number, text: string): [string, 'TD_CANDLE_INVALID', RegExp, string] =>
    [withLine(number, text), 'TD_CANDLE_INVALID', new RegExp(`row ${number}, 2021-01-0`), '']
  const [time] = cells(20)

  it.each([
    ['a negative price', `${time},100,102,-98,101,5`, 'low -98 must be a finite price above 0'],
    ['a price of 0', `${time},0,102,98,101,5`, 'open 0 must be'],
    ['high below low', `${time},100,98,102,100,5`, 'high 98 is below low 102'],
    ['an open outside', `${time},103,102,98,101,5`, 'open 103 is outside'],
    ['a close outside', `${time},100,102,98,97,5`, 'close 97 is outside'],
    ['a negative volume', `${time},100,102,98,101,-5`, 'volume -5 must be finite and not negative'],
  ])('refuses %s', async (_, text, said) => {
    const [content, code, place] = at(20, text)
    await refused(content, code, place, said)
  })

  it('refuses it before the range too', async () => {
    const file = await put(folder, 'before.csv', withLine(3, `${cells(3)[0]},100,98,102,100,5`))
    await refusal(replayed(folder, '1h', { file, from: MONDAY + 10 * HOUR }), 'TD_CANDLE_INVALID')
  })
})

describe('times', () => {
  it('refuses rows out of order with both times', async () => {
    await refused(withLine(12, lines[12], lines[11]), 'TD_CANDLE_INVALID', 'row 13, 2021-01-04T10:00:00.000Z',
      'it follows 2021-01-04T11:00:00.000Z')
    const backwards = [lines[0], ...lines.slice(1, -1).reverse(), ''].join('\n')
    await refused(backwards, 'TD_CANDLE_INVALID', 'row 3', 'out of order')
  })

  it('refuses a repeated row, and a differing one even when duplicates may be dropped', async () => {
    const twice = withLine(12, lines[11], lines[11])
    await refused(twice, 'TD_CANDLE_INVALID', 'row 13', 'repeats the row before', 'duplicates: drop')
    const file = await put(folder, 'differing.csv', withLine(12, lines[11], `${lines[11]}5`))
    const { message } = await refusal(replayed(folder, '1h', { file, duplicates: 'drop' }), 'TD_CANDLE_INVALID')
    expect(message).toMatch('row 13, 2021-01-04T10:00:00.000Z: differs from the row before')
  })

  it('refuses times between the grid', async () => {
    const minute = withCell(30, 0, String(candles[28].openTime + 60_000))
    await refused(minute, 'TD_CANDLE_INVALID', 'row 30', 'is not on the grid of 3600000 ms')
    const moved = (move: (time: number) => number): string =>
      csvOf(candles.map((candle) => ({ ...candle, openTime: move(candle.openTime) })))
    await refused(moved((time) => time + 1), 'TD_CANDLE_INVALID', 'row 2', 'not on the grid')
    await refused(moved((time) => time * 1000 + 1), 'TD_CANDLE_INVALID', 'row 2', 'not on the grid')
  })

  it('refuses seconds, nanoseconds and a unit that changes within a file', async () => {
    const scaled = (factor: number): string =>
      csvOf(candles.map((candle) => ({ ...candle, openTime: candle.openTime * factor })))
    await refused(scaled(1 / 1000), 'TD_CANDLE_INVALID', 'row 2', 'looks like seconds', 'milliseconds (13 digits)')
    await refused(scaled(1e6), 'TD_CANDLE_INVALID', 'row 2', 'looks like nanoseconds')
    await refused(withCell(30, 0, String(candles[28].openTime * 1000)), 'TD_CANDLE_INVALID', 'row 30', 'another unit')
    await refused(withCell(30, 0, String(candles[28].openTime / 1000)), 'TD_CANDLE_INVALID', 'row 30', 'another unit')
  })

  it('refuses a distance that is no timeframe', async () => {
    const odd = candles.map((candle, index) => ({ ...candle, openTime: MONDAY + index * 420_000 }))
    await refused(csvOf(odd), 'TD_CANDLE_INVALID', 'candles are 420000 ms apart', '1m, 2m, 3m, 5m')
  })

  it('does not let one mistyped time beyond the range cut the tape short', async () => {
    const typo = String(candles[28].openTime + 100_000 * HOUR)
    const file = await put(folder, 'typo.csv', withCell(30, 0, typo))
    const { message } = await refusal(replayed(folder, '1h', { file, to: MONDAY + 40 * HOUR }), 'TD_CANDLE_INVALID')
    expect(message).toMatch('row 31, 2021-01-05T05:00:00.000Z: is out of order')
  })

  it('does not look at rows after the range', async () => {
    const file = await put(folder, 'after.csv', withCell(45, 2, '1'))
    expect(await replayed(folder, '1h', { file, to: MONDAY + 43 * HOUR })).toEqual(candles.slice(0, 43))
    await refusal(replayed(folder, '1h', { file, to: MONDAY + 44 * HOUR }), 'TD_CANDLE_INVALID')
  })

  it('checks the step from one file of a list to the next', async () => {
    await put(folder, 'join/a.csv', csvOf(candles.slice(0, 20)))
    await put(folder, 'join/b.csv', csvOf(candles.slice(20)))
    await put(folder, 'join/c.csv', csvOf(candles.slice(21)))
    const wrong = replayed(folder, '1h', { file: ['join/b.csv', 'join/a.csv'] })
    const { message } = await refusal(wrong, 'TD_CANDLE_INVALID')
    expect(message).toMatch('join/a.csv, row 2, 2021-01-04T00:00:00.000Z: is out of order')
    await refusal(replayed(folder, '1h', { file: ['join/a.csv', 'join/c.csv'] }), 'TD_CANDLE_GAP')
    await refusal(replayed(folder, '1h', { file: ['join/a.csv', 'join/a.csv'] }), 'TD_CANDLE_INVALID')
  })
})

describe('files of one series with different timeframes', () => {
  const fours = candlesFrom(candles[48].openTime, 30, '4h')
  const read = async (gaps: 'refuse' | 'allow' | 'fill', ...series: (readonly Candle[])[]): Promise<Candle[]> => {
    const file = await Promise.all(series.map((one, index) => put(folder, `mixed/${index}.csv`, csvOf(one))))
    return replayed(folder, '4h', { file, gaps })
  }

  it.each(['refuse', 'allow', 'fill'] as const)('are refused with gaps: %s', async (gaps) => {
    const { message } = await refusal(read(gaps, candles.slice(0, 48), fours), 'TD_CANDLE_INVALID')
    expect(message).toBe('mixed/1.csv holds 4h candles and mixed/0.csv 1h candles: '
      + 'the files of one series need one timeframe')
    const later = candlesFrom(fours.at(-1)!.openTime + 4 * HOUR, 50, '1h')
    const { message: other } = await refusal(read(gaps, fours, later), 'TD_CANDLE_INVALID')
    expect(other).toMatch('mixed/1.csv holds 1h candles and mixed/0.csv 4h candles')
    await refusal(read(gaps, candles.slice(0, 24), candles.slice(24, 48), fours), 'TD_CANDLE_INVALID')
  })

  it('are not found in files of one or two rows, nor in one that is full of holes', async () => {
    const holes = without(candles, 25, 26, 28, 29, 31, 32, 36, 37)
    expect(await read('allow', candles.slice(0, 24), holes.slice(24))).toHaveLength(12)
    expect(await read('allow', candles.slice(0, 48), fours.slice(0, 2))).toHaveLength(13)
  })
})

describe('files that cannot be read', () => {
  const text = csvOf(candlesFrom(MONDAY, 3000, '1h'))
  const packed = gz(text)
  const zipped = zipOf({ 'a.csv': text })
  const flip = (bytes: Buffer, at: number): Buffer => {
    const copy = Buffer.from(bytes)
    copy[at] ^= 0x5a
    return copy
  }

  it('refuses a missing file and a pattern without matches', async () => {
    const { message, exitCode } = await refusal(replayed(folder, '1h', { file: 'nowhere.csv' }), 'TD_FILE_MISSING')
    expect(message).toMatch('"nowhere.csv" does not exist')
    expect(exitCode).toBe(2)
    await refusal(replayed(folder, '1h', { file: ['nowhere-*.csv'] }), 'TD_FILE_MISSING')
    await refusal(replayed(folder, '1h', { file: 'nowhere/**/*.csv' }), 'TD_FILE_MISSING')
  })

  it('refuses a folder', async () => {
    await mkdir(`${folder}/a-folder`, { recursive: true })
    await refusal(replayed(folder, '1h', { file: 'a-folder' }), 'TD_FILE_UNREADABLE')
  })

  const isRoot = process.getuid?.() === 0
  it.skipIf(isRoot)('refuses a file without permission (skipped for root, who may read it)', async () => {
    const file = await put(folder, 'locked.csv', text)
    await chmod(`${folder}/${file}`, 0)
    await refusal(replayed(folder, '1h', { file }), 'TD_FILE_UNREADABLE')
  })

  it.each([
    ['a truncated gzip', packed.subarray(0, packed.length * 0.9)],
    ['a gzip without its last byte', packed.subarray(0, -1)],
    ['a gzip without its checksum', packed.subarray(0, -8)],
    ['a gzip of which only the magic is left', packed.subarray(0, 2)],
    ['a corrupt gzip', flip(packed, packed.length >> 1)],
    ['a gzip with a wrong checksum', flip(packed, packed.length - 6)],
    ['a gzip with a wrong length', flip(packed, packed.length - 2)],
    ['a gzip whose second member begins with a zero', Buffer.concat([packed, Buffer.from([0]), packed])],
    ['a gzip with garbage behind it', Buffer.concat([packed, Buffer.from('garbage')])],
    ['a truncated zip', zipped.subarray(0, zipped.length * 0.9)],
    ['a corrupt zip', flip(zipped, zipped.length >> 1)],
    ['a zip with two files', zipOf({ 'a.csv': text, 'b.csv': text })],
    ['a zip without a CSV file', zipOf({ 'a.txt': text })],
    ['a zip with a wrong checksum', flip(zipped, zipped.length - 22 - 46 - 5 + 16)],
  ])('refuses %s and never takes it for a shorter tape', async (_, bytes) => {
    const { message } = await refusal(read(bytes, 'csv.gz'), 'TD_FILE_UNREADABLE')
    expect(message).toMatch(/bad-\d+\.csv\.gz/)
  })

  it('keeps the cause', async () => {
    const { cause } = await refusal(read(packed.subarray(0, -1)), 'TD_FILE_UNREADABLE')
    expect(cause).toBeInstanceOf(Error)
  })

  it('refuses a gzip whose head is damaged', async () => {
    await refusal(read(flip(packed, 0), 'gz'), 'TD_FILE_UNREADABLE')
    await refusal(read(flip(zipped, 2), 'zip'), 'TD_FILE_UNREADABLE')
  })

  it('reports a bad cell in a packed file as such', async () => {
    await refusal(read(gz(withCell(7, 3, 'x'))), 'TD_CANDLE_INVALID')
    await refusal(read(zipOf({ 'a.csv': csvOf(without(candles, 4)) })), 'TD_CANDLE_GAP')
    expect(line(candles[0])).toBe(lines[1])
  })
})
