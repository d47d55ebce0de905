import { existsSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  MONDAY, candlesFrom, csvOf, dumpOf, gz, openTape, put, replayed, temporaryFolder, candlesOf, zipOf,
} from '../support/tape-files.ts'

const folder = await temporaryFolder()
const candles = candlesFrom(MONDAY, 250, '1h')
const csv = csvOf(candles)

describe('formats of candle files', () => {
  const forms: Record<string, [name: string, content: string | Uint8Array]> = {
    'CSV': ['plain.csv', csv],
    'CSV without a last line end': ['open-end.csv', csv.trimEnd()],
    'CSV with empty lines at the end': ['empty-end.csv', `${csv}\n\n`],
    'CSV with Windows line ends': ['windows.csv', csv.replaceAll('\n', '\r\n')],
    'CSV with Windows line ends and an open end': ['windows-open.csv', csv.trimEnd().replaceAll('\n', '\r\n')],
    'CSV with a byte order mark': ['bom.csv', `\ufeff${csv}`],
    'gzip': ['plain.csv.gz', gz(csv)],
    'gzip in two members': ['members.csv.gz', Buffer.concat([gz(csv.slice(0, 1000)), gz(csv.slice(1000))])],
    'gzip that is named .csv': ['packed.csv', gz(csv)],
    'CSV that is named .gz': ['unpacked.csv.gz', csv],
    'a dump in milliseconds': ['dump.csv', dumpOf(candles, '1h')],
    'a dump in microseconds': ['dump-us.csv', dumpOf(candles, '1h', { unit: 1000 })],
    'a dump with a header': ['dump-header.csv', dumpOf(candles, '1h', { header: true })],
    'a dump with Windows line ends': ['dump-windows.csv', dumpOf(candles, '1h').replaceAll('\n', '\r\n')],
    'a zipped dump': ['dump.zip', zipOf({ 'BTCUSDT-1h.csv': dumpOf(candles, '1h') })],
    'a zipped dump beside other things':
      ['others.zip', zipOf({ 'readme.txt': 'hello', '__MACOSX/._a.csv': 'shadow', 'a.csv': dumpOf(candles, '1h') })],
    'a zipped dump that is named .csv': ['zipped.csv', zipOf({ 'BTCUSDT-1h.csv': dumpOf(candles, '1h') })],
    'CSV with microseconds':
      ['csv-us.csv', csvOf(candles.map((candle) => ({ ...candle, openTime: candle.openTime * 1000 })))],
    'exponents and a bare dot': ['exponent.csv', csv.replace('100,102.25', '1e2,1.0225E2').replace(',0.75', ',.75')],
  }

  it.each(Object.entries(forms))('reads %s', async (_, [name, content]) => {
    const file = await put(folder, name, content)
    expect(await replayed(folder, '1h', { file })).toEqual(candles)
  })

  it('reads a list in the order given, where the unit changes between files', async () => {
    await put(folder, 'list/a.csv', dumpOf(candles.slice(0, 100), '1h'))
    await put(folder, 'list/b.zip', zipOf({ 'b.csv': dumpOf(candles.slice(100, 101), '1h', { unit: 1000 }) }))
    await put(folder, 'list/c.csv', csvOf(candles.slice(101)))
    expect(await replayed(folder, '1h', { file: ['list/a.csv', 'list/b.zip', 'list/c.csv'] })).toEqual(candles)
  })

  it('reads the matches of a pattern by name, also one candle a file', async () => {
    for (const [index, candle] of candles.slice(0, 12).entries()) {
      await put(folder, `daily/2021/day-${String(index).padStart(2, '0')}.csv`, csvOf([candle]))
    }
    await put(folder, 'daily/2021/notes.txt', 'not a candle file')
    await put(folder, 'daily/2021/.hidden.csv', 'not meant')
    const absolute = [`${folder}/daily/2021/day*`]
    for (const file of ['daily/2021/day-*.csv', 'daily/*/*.csv', 'daily/**/*.csv', '**/day-??.csv', absolute]) {
      expect(await replayed(folder, '1h', { file })).toEqual(candles.slice(0, 12))
    }
  })

  it('takes the plan\'s timeframe when a series has one candle only', async () => {
    await put(folder, 'one.csv', csvOf(candles.slice(0, 1)))
    expect(await replayed(folder, '4h', { file: 'one.csv' })).toEqual(candles.slice(0, 1))
  })

  it.each([7, 64, 1000, 4096])('gives the same batches with chunks of %i bytes', async (chunkBytes) => {
    const many = candlesFrom(MONDAY, 9000, '1m')
    const shape = async (file: string, bytes?: number): Promise<number[]> => {
      const sizes: number[] = []
      const source = await openTape(folder, '1m', { file, ...(bytes === undefined ? {} : { chunkBytes: bytes }) })
      for await (const event of source.events()) if (event.kind === 'candles') sizes.push(event.end - event.start)
      return sizes
    }
    const short = await put(folder, 'short.csv', csvOf(many.slice(0, 300)))
    const files = [await put(folder, 'many.csv', csvOf(many)), await put(folder, 'many.csv.gz', gz(csvOf(many))),
      await put(folder, 'many.zip', zipOf({ 'many.csv': csvOf(many) }))]
    expect(await replayed(folder, '1m', { file: short, chunkBytes })).toEqual(many.slice(0, 300))
    for (const file of chunkBytes < 64 ? [] : files) {
      expect(await shape(file, chunkBytes)).toEqual([4096, 4096, 808])
      expect(await replayed(folder, '1m', { file, chunkBytes })).toEqual(many)
    }
  })
})

const dumps = new URL('../../../shared/data/dumps/', import.meta.url).pathname
describe.skipIf(!existsSync(dumps))('Binance\'s own dumps (skipped without the recorded files)', () => {
  it('joins December 2024 in milliseconds and January 2025 in microseconds', async () => {
    const source = await openTape(dumps, '1h', { file: ['BTCUSDT-1h-2024-12.csv', 'BTCUSDT-1h-2025-01.csv'] })
    const read = await candlesOf(source)
    expect(read).toHaveLength(744 + 744)
    expect(read[743]).toEqual({
      openTime: 1735686000000, open: 93488.83, high: 93756, low: 93375.38, close: 93576, volume: 336.57995,
    })
    expect(read[744]).toEqual({
      openTime: 1735689600000, open: 93576, high: 94509.42, low: 93489.03, close: 94401.14, volume: 755.99010,
    })
  })

  it('reads all months by a pattern, and a futures dump with its header', async () => {
    expect(await replayed(dumps, '1h', { file: 'BTCUSDT-1h-*.csv' })).toHaveLength(720 + 744 + 744 + 672)
    expect(await replayed(dumps, '5m', { file: 'um-BTCUSDT-5m-2025-01.csv' })).toHaveLength(31 * 288)
  })
})

