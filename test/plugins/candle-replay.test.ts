import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readlinkSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import plugin from '../../plugins/market/candle-replay.ts'
import { instrumentOf } from '../../engine/core/instrument.ts'
import type { Timeframe } from '../../engine/core/timeframe.ts'
import type { Deps, MarketSource } from '../../engine/ports.ts'
import {
  MONDAY, candlesFrom, candlesOf, csvOf, dumpOf, eventsOf, gz, openTape, planFor, put, refusal, replayed,
  temporaryFolder, zipOf, type Setting,
} from '../support/tape-files.ts'

const folder = await temporaryFolder()
const HOUR = 3_600_000
const candles = candlesFrom(MONDAY, 100, '1h')
const text = csvOf(candles)
const file = await put(folder, 'tape.csv', text)
const sha256 = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

describe('options', () => {
  const parse = (options: unknown) => plugin.options.safeParse(options)

  it('have defaults that refuse what is doubtful', () => {
    expect(parse({ file: 'a.csv' }).data).toEqual({ file: 'a.csv', gaps: 'refuse', duplicates: 'refuse' })
  })

  it.each([
    ['milliseconds', MONDAY], ['digits', String(MONDAY)], ['a day', '2021-01-04'],
    ['an ISO time', '2021-01-04T00:00:00Z'], ['a YAML date', new Date(MONDAY)],
  ])('take times as %s', (_, from) => {
    expect(parse({ file: 'a.csv', from, to: from }).data).toMatchObject({ from: MONDAY, to: MONDAY })
  })

  it.each([
    ['no file', {}], ['file and files', { file: 'a', files: { 'BTC/USDT': 'a' } }],
    ['an unknown key', { file: 'a', note: 1 }],
    ['an empty list', { file: [] }], ['a time that does not exist', { file: 'a', from: '2021-02-30' }],
    ['another word for gaps', { file: 'a', gaps: 'ignore' }],
  ])('refuse %s', (_, options) => expect(parse(options).success).toBe(false))

  it.each([2020, 20_200_105, 1_577_836_800, '1577836800'])('refuse the time %s and say what would be one', (from) => {
    for (const range of [{ from }, { to: from }]) {
      expect(parse({ file: 'a.csv', ...range }).error?.issues.map(({ path, message }) => [...path, message])).toEqual([
        [Object.keys(range)[0], 'must be epoch milliseconds (13 digits), an ISO time or YYYY-MM-DD'],
      ])
    }
  })

  it('refuse a fillFile that nothing would read', async () => {
    const { message } = await refusal(openTape(folder, '1h', { file, fillFile: file }), 'TD_PLUGIN_OPTIONS')
    expect(message).toBe('"fillFile" is only used with broker.fillTimeframe')
  })

  it('refuse a symbol that is not replayed, with what was probably meant', async () => {
    const files = { 'BTC/USDT': file, 'BCT/USDT': file }
    const { message } = await refusal(openTape(folder, '1h', { files }), 'TD_PLUGIN_OPTIONS')
    expect(message).toBe('"files" names BCT/USDT, but the run has BTC/USDT. Did you mean "BTC/USDT"?')
    const fills = { file, fillFile: files, plan: { fillTimeframe: '30m' as const } }
    const other = await refusal(openTape(folder, '1h', fills), 'TD_PLUGIN_OPTIONS')
    expect(other.message).toMatch(/^"fillFile" names BCT\/USDT/)
  })

  it('open the tape', async () => {
    const options = plugin.options.parse({ file })
    const source = await plugin.create(options, { signal: new AbortController().signal } as Deps, planFor(folder, '1h'))
    expect(await candlesOf(source)).toEqual(candles)
  })
})

describe('the range', () => {
  it('is half open on open times', async () => {
    const [from, to] = [MONDAY + 10 * HOUR, MONDAY + 20 * HOUR]
    expect(await replayed(folder, '1h', { file, from, to })).toEqual(candles.slice(10, 20))
    expect(await replayed(folder, '1h', { file, from: from - 1, to: to + 1 })).toEqual(candles.slice(10, 21))
    expect(await replayed(folder, '1h', { file, from: MONDAY + 97 * HOUR })).toEqual(candles.slice(97))
    expect(await replayed(folder, '1h', { file, to: MONDAY + 2 * HOUR })).toEqual(candles.slice(0, 2))
  })

  it('must be possible', async () => {
    await refusal(openTape(folder, '1h', { file, from: MONDAY, to: MONDAY }), 'TD_RANGE_INVALID')
    await refusal(openTape(folder, '1h', { file, from: MONDAY + 1, to: MONDAY }), 'TD_RANGE_INVALID')
    await refusal(replayed(folder, '1h', { file, from: MONDAY + 1, to: MONDAY + HOUR }), 'TD_RANGE_INVALID')
  })
})

describe('events', () => {
  it('are batches of up to 4,096 rows that settle and decide', async () => {
    const many = await put(folder, 'many.csv', csvOf(candlesFrom(MONDAY, 5000, '1m')))
    const events = await eventsOf(await openTape(folder, '1m', { file: many }))
    expect(events.map(({ candles: rows, ...flags }) => [rows.length, flags])).toEqual([4096, 904].map((rows) =>
      [rows, { symbol: 'BTC/USDT', timeframe: '1m', settles: true, decides: true, more: false }]))
  })

  it('may be read again, and twice at the same time', async () => {
    const source = await openTape(folder, '1h', { file })
    const [first, second] = await Promise.all([candlesOf(source), candlesOf(source)])
    expect(first).toEqual(candles)
    expect(second).toEqual(candles)
    expect(await candlesOf(source)).toEqual(candles)
    expect(source.facts!().files).toEqual({ 'tape.csv': sha256(text) })
  })

  it('know their instrument', async () => {
    const known = instrumentOf('BTC/USDT', { tickSize: 0.01 })
    const source = await openTape(folder, '1h', { file, plan: { instruments: { 'BTC/USDT': known } } })
    expect(await source.instrument('BTC/USDT')).toBe(known)
    expect(await source.instrument('ETH/USDT')).toEqual(instrumentOf('ETH/USDT'))
  })
})

describe('facts', () => {
  const contents = { 'a.csv': text, 'b.csv.gz': gz(text), 'c.zip': zipOf({ 'c.csv': dumpOf(candles, '1h') }) }

  it.each(Object.entries(contents))('have the SHA-256 of %s, however much was read', async (name, content) => {
    await put(folder, `facts/${name}`, content)
    const expected = { files: { [`facts/${name}`]: sha256(content) }, notes: [] }
    const parts = [{}, { to: MONDAY + HOUR }, { from: MONDAY + 50 * HOUR }, { to: MONDAY + 90 * HOUR, chunkBytes: 64 }]
    for (const range of parts) {
      const source = await openTape(folder, '1h', { file: `facts/${name}`, ...range })
      await eventsOf(source)
      expect(source.facts!()).toEqual(expected)
      await eventsOf(source)
      expect(source.facts!()).toEqual(expected)
    }
  })

  it('name files like the scenario: literally, or as a pattern matches them', async () => {
    await put(folder, 'names/1.csv', csvOf(candles.slice(0, 50)))
    await put(folder, 'names/2.csv', csvOf(candles.slice(50)))
    for (const files of [['./names/1.csv', 'names/../names/2.csv'], [`${folder}/names/1.csv`, 'names/2.csv']]) {
      const source = await openTape(folder, '1h', { file: files, to: MONDAY + HOUR })
      await eventsOf(source)
      expect(Object.keys(source.facts!().files)).toEqual(files)
    }
    const source = await openTape(folder, '1h', { file: 'names/*.csv' })
    await eventsOf(source)
    expect(Object.keys(source.facts!().files)).toEqual(['names/1.csv', 'names/2.csv'])
  })

  it('show how far the reading is', async () => {
    const long = await put(folder, 'long.csv', csvOf(candlesFrom(MONDAY, 20_000, '1m')))
    const zipped = await put(folder, 'long.zip', zipOf({ 'l.csv': csvOf(candlesFrom(MONDAY, 20_000, '1m')) }))
    for (const name of [long, zipped]) {
      const source = await openTape(folder, '1m', { file: name, chunkBytes: 4096 })
      const shares = [source.progress!()]
      for await (const _ of source.events()) shares.push(source.progress!())
      shares.push(source.progress!())
      expect(shares[0]).toBe(0)
      expect(shares.at(-1)).toBe(1)
      expect(shares).toEqual(shares.toSorted((a, b) => a - b))
      expect(shares.filter((share) => share > 0.05 && share < 0.95).length).toBeGreaterThan(2)
    }
  })
})

describe('warnings', () => {
  const warned = async (timeframe: Timeframe, setting: Setting): Promise<readonly string[] | undefined> => {
    const source = await openTape(folder, timeframe, setting)
    await eventsOf(source)
    return source.facts!().warnings
  }

  it('tell when the files begin after or end before the range that was asked for', async () => {
    expect(await warned('1h', { file, from: MONDAY - 10 * HOUR, to: MONDAY + 110 * HOUR })).toEqual([
      'BTC/USDT: candles were asked from 2021-01-03T14:00:00.000Z, the files begin at 2021-01-04T00:00:00.000Z',
      'BTC/USDT: candles were asked up to 2021-01-08T14:00:00.000Z, the files end at 2021-01-08T04:00:00.000Z',
    ])
    expect(await warned('1h', { file })).toBeUndefined()
    expect(await warned('1h', { file, from: MONDAY - 1, to: MONDAY + 100 * HOUR })).toBeUndefined()
    expect(await warned('1h', { file, from: MONDAY + HOUR, to: MONDAY + 20 * HOUR })).toBeUndefined()
  })

  it('count a partial block that was dropped as missing', async () => {
    const part = await put(folder, 'part.csv', csvOf(candles.slice(1, 98)))
    expect(await warned('4h', { file: part, from: MONDAY, to: MONDAY + 100 * HOUR })).toEqual([
      'BTC/USDT: candles were asked from 2021-01-04T00:00:00.000Z, the files begin at 2021-01-04T01:00:00.000Z; '
      + 'the first whole 4h candle opens at 2021-01-04T04:00:00.000Z',
      'BTC/USDT: candles were asked up to 2021-01-08T04:00:00.000Z, the files end at 2021-01-08T02:00:00.000Z; '
      + 'the last whole 4h candle closes at 2021-01-08T00:00:00.000Z',
    ])
    expect(await warned('4h', { file: part, from: MONDAY + 1, to: MONDAY + 96 * HOUR })).toBeUndefined()
  })

  it('tell which of several symbols is shorter', async () => {
    const symbols = ['BTC/USDT', 'ETH/USDT']
    const files = { 'BTC/USDT': file, 'ETH/USDT': await put(folder, 'eth.csv', csvOf(candles.slice(5, 90))) }
    expect(await warned('1h', { files, plan: { symbols } })).toEqual([
      'ETH/USDT: candles begin at 2021-01-04T05:00:00.000Z, those of BTC/USDT at 2021-01-04T00:00:00.000Z',
      'ETH/USDT: candles end at 2021-01-07T18:00:00.000Z, those of BTC/USDT at 2021-01-08T04:00:00.000Z',
    ])
    expect(await warned('1h', { files, plan: { symbols }, from: MONDAY, to: MONDAY + 100 * HOUR })).toEqual([
      'ETH/USDT: candles were asked from 2021-01-04T00:00:00.000Z, the files begin at 2021-01-04T05:00:00.000Z',
      'ETH/USDT: candles were asked up to 2021-01-08T04:00:00.000Z, the files end at 2021-01-07T18:00:00.000Z',
    ])
    const common = { from: MONDAY + 5 * HOUR, to: MONDAY + 90 * HOUR }
    expect(await warned('1h', { files, plan: { symbols }, ...common })).toBeUndefined()
  })

  it('say nothing about the end of a tape that was not read to it', async () => {
    const controller = new AbortController()
    const long = await put(folder, 'left.csv', csvOf(candlesFrom(MONDAY, 20_000, '1m')))
    const setting = { file: long, to: MONDAY + 20_001 * 60_000, signal: controller.signal }
    const source = await openTape(folder, '1m', setting)
    for await (const _ of source.events()) controller.abort()
    expect(source.facts!().warnings).toBeUndefined()
    expect(await warned('1m', { file: long, to: setting.to })).toHaveLength(1)
  })
})

describe('an abort', () => {
  it('ends the reading quietly after the batch', async () => {
    const controller = new AbortController()
    const long = await put(folder, 'aborted.csv', csvOf(candlesFrom(MONDAY, 20_000, '1m')))
    const source = await openTape(folder, '1m', { file: long, signal: controller.signal })
    let batches = 0
    for await (const _ of source.events()) if (++batches === 2) controller.abort()
    expect(batches).toBe(2)
    expect(await eventsOf(source)).toEqual([])
  })

  it('does not tear candles apart that close together', async () => {
    const controller = new AbortController()
    const symbols = ['BTC/USDT', 'ETH/USDT', 'SOL/USDT']
    const files = Object.fromEntries(symbols.map((symbol) => [symbol, file]))
    const source = await openTape(folder, '1h', { files, plan: { symbols }, signal: controller.signal })
    const seen: boolean[] = []
    for await (const event of source.events()) {
      if (event.kind !== 'candles') continue
      seen.push(event.more)
      if (seen.length === 4) controller.abort()
    }
    expect(seen).toEqual([true, true, false, true, true, false])
  })

  it('ends it while rows before the range are still being skipped', async () => {
    const controller = new AbortController()
    const long = await put(folder, 'skipped.csv', csvOf(candlesFrom(MONDAY, 20_000, '1m')))
    const setting = { file: long, from: MONDAY + 1e9, signal: controller.signal, chunkBytes: 64 }
    const source = await openTape(folder, '1m', setting)
    const reading = eventsOf(source)
    await pause(1)
    controller.abort()
    expect(await reading).toEqual([])
  })
})

const descriptors = '/proc/self/fd'
describe.skipIf(!existsSync(descriptors))('open files (skipped where the system does not list them)', () => {
  const openFiles = (): string[] => readdirSync(descriptors).flatMap((number) => {
    try {
      const path = readlinkSync(`${descriptors}/${number}`)
      return path.startsWith(folder) ? [path] : []
    } catch {
      return []
    }
  })
  const big = csvOf(candlesFrom(MONDAY, 20_000, '1m'))
  const forms = { 'big.csv': big, 'big.csv.gz': gz(big), 'big.zip': zipOf({ 'b.csv': big }) }
  const begin = async (source: MarketSource): Promise<AsyncIterator<unknown>> => {
    const iterator = source.events()[Symbol.asyncIterator]()
    await iterator.next()
    expect(openFiles().length).toBeGreaterThan(0)
    return iterator
  }

  it.each(Object.entries(forms))('are closed however the reading of %s ends', async (name, content) => {
    const setting = { file: await put(folder, name, content), chunkBytes: 8192 }
    const stopped = await begin(await openTape(folder, '1m', setting))
    await stopped.return!()
    expect(openFiles()).toEqual([])
    expect(await stopped.next()).toEqual({ done: true, value: undefined })

    await eventsOf(await openTape(folder, '1m', setting))
    expect(openFiles()).toEqual([])

    await eventsOf(await openTape(folder, '1m', { ...setting, to: MONDAY + 60_000 }))
    expect(openFiles()).toEqual([])

    await expect((async () => {
      for await (const _ of (await openTape(folder, '1m', setting)).events()) throw new Error('the reader\'s own')
    })()).rejects.toThrow('the reader\'s own')
    expect(openFiles()).toEqual([])

    const controller = new AbortController()
    const aborted = await begin(await openTape(folder, '1m', { ...setting, signal: controller.signal }))
    controller.abort()
    await aborted.next()
    expect(openFiles()).toEqual([])
  })

  it('are closed for all symbols when one of them is wrong', async () => {
    const files = { 'BTC/USDT': await put(folder, 'good.csv', big),
      'ETH/USDT': await put(folder, 'wrong.csv', big.replace(/^(16097220\d+,)1/m, '$1x')) }
    const source = await openTape(folder, '1m', { files, plan: { symbols: Object.keys(files) }, chunkBytes: 4096 })
    await refusal(eventsOf(source), 'TD_CANDLE_INVALID')
    expect(openFiles()).toEqual([])
  })
})
