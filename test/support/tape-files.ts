import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { crc32, deflateRawSync, gzipSync } from 'node:zlib'
import { afterAll, expect } from 'vitest'
import type { Candle } from '../../engine/core/candle.ts'
import { timeframeMs, type Timeframe } from '../../engine/core/timeframe.ts'
import type { EpochMs } from '../../engine/core/time.ts'
import { TapedeckError, type ErrorCode } from '../../engine/errors.ts'
import type { CandleBatch, MarketEvent, MarketPlan, MarketSource } from '../../engine/ports.ts'
import { openReplay } from '../../plugins/market/candle-replay/source.ts'
import type { ReplayOptions } from '../../plugins/market/candle-replay/tape.ts'

/** 2021-01-04, a Monday: the grid of every timeframe up to a week but 3d. */
export const MONDAY: EpochMs = Date.UTC(2021, 0, 4)
export const HEADER = 'timestamp,open,high,low,close,volume'

/** A folder that disappears after the tests of the file that asked for it. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tapedeck-tape-'))
  afterAll(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** Writes a file and the folders above it; returns its name. */
export async function put(folder: string, name: string, content: string | Uint8Array): Promise<string> {
  await mkdir(dirname(join(folder, name)), { recursive: true })
  await writeFile(join(folder, name), content)
  return name
}

/** Sound candles, one step apart, each different from its neighbours. */
export const candlesFrom = (from: EpochMs, count: number, timeframe: Timeframe, price = 100): Candle[] =>
  Array.from({ length: count }, (_, index) => {
    const open = price + (index % 17)
    return {
      openTime: from + index * timeframeMs(timeframe),
      open, high: open + 2.25, low: open - 1.5, close: open + 0.75, volume: 10 + (index % 5) + 0.125,
    }
  })

export const without = (candles: readonly Candle[], ...indices: number[]): Candle[] =>
  candles.filter((_, index) => !indices.includes(index))

export const line = ({ openTime, open, high, low, close, volume }: Candle): string =>
  [openTime, open, high, low, close, volume].join(',')

export const csvOf = (candles: readonly Candle[], header = HEADER): string =>
  [header, ...candles.map(line), ''].join('\n')

export const DUMP_HEADER =
  'open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore'

/** As Binance publishes them: eight decimals, twelve columns; `unit` 1000 for microseconds. */
export const dumpOf = (candles: readonly Candle[], timeframe: Timeframe, { unit = 1, header = false } = {}): string =>
  [...(header ? [DUMP_HEADER] : []), ...candles.map(({ openTime, open, high, low, close, volume }) => {
    const numbers = [open, high, low, close, volume].map((number) => number.toFixed(8))
    const closeTime = (openTime + timeframeMs(timeframe)) * unit - 1
    return [openTime * unit, ...numbers, closeTime, '59096143.37278150,128807,448.83050000,31559502.40249900,0'].join()
  }), ''].join('\n')

export const gz = (text: string): Buffer => gzipSync(text)

/** A zip file with deflated entries, as small as the format allows. */
export function zipOf(entries: Readonly<Record<string, string>>): Buffer {
  const locals: Buffer[] = []
  const centrals: Buffer[] = []
  let offset = 0
  for (const [name, text] of Object.entries(entries)) {
    const data = deflateRawSync(text)
    const common = Buffer.alloc(26)
    common.writeUInt16LE(20, 0)
    common.writeUInt16LE(8, 4)
    common.writeUInt32LE(crc32(text), 10)
    common.writeUInt32LE(data.length, 14)
    common.writeUInt32LE(Buffer.byteLength(text), 18)
    common.writeUInt16LE(name.length, 22)
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), common, Buffer.from(name), data])
    const place = Buffer.alloc(14)
    place.writeUInt32LE(offset, 10)
    centrals.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00', 'latin1'), common, place, Buffer.from(name)]))
    locals.push(local)
    offset += local.length
  }
  const central = Buffer.concat(centrals)
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(locals.length, 8)
  end.writeUInt16LE(locals.length, 10)
  end.writeUInt32LE(central.length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...locals, central, end])
}

export const planFor = (folder: string, timeframe: Timeframe, plan: Partial<MarketPlan> = {}): MarketPlan => ({
  symbols: ['BTC/USDT'], timeframe, fillTimeframe: null, instruments: {}, folder, ...plan,
})

export interface Setting extends Partial<ReplayOptions> {
  readonly plan?: Partial<MarketPlan>
  readonly chunkBytes?: number
  readonly signal?: AbortSignal
}

/** A tape; gaps and duplicates are refused unless said otherwise. */
export function openTape(folder: string, timeframe: Timeframe, setting: Setting): Promise<MarketSource> {
  const { plan, chunkBytes, signal = new AbortController().signal, ...options } = setting
  const strict = { gaps: 'refuse', duplicates: 'refuse' } as const
  return openReplay({ ...strict, ...options }, planFor(folder, timeframe, plan), signal, chunkBytes)
}

/** An event with its candles copied, so that it can be kept. */
export interface Seen extends Pick<CandleBatch, 'symbol' | 'timeframe' | 'settles' | 'decides' | 'more'> {
  readonly candles: readonly Candle[]
}

export function seen(event: MarketEvent): Seen {
  if (event.kind !== 'candles') throw new Error('a tape has no wake-ups')
  const { symbol, timeframe, settles, decides, more, columns, start, end } = event
  const candles = Array.from({ length: end - start }, (_, index) => ({
    openTime: columns.openTime[start + index],
    open: columns.open[start + index],
    high: columns.high[start + index],
    low: columns.low[start + index],
    close: columns.close[start + index],
    volume: columns.volume[start + index],
  }))
  return { symbol, timeframe, settles, decides, more, candles }
}

export async function eventsOf(source: MarketSource): Promise<Seen[]> {
  const events: Seen[] = []
  for await (const event of source.events()) events.push(seen(event))
  return events
}

export const candlesOf = async (source: MarketSource): Promise<Candle[]> =>
  (await eventsOf(source)).flatMap(({ candles }) => candles)

/** Reads a tape to its end. */
export const replayed = async (folder: string, timeframe: Timeframe, setting: Setting): Promise<Candle[]> =>
  candlesOf(await openTape(folder, timeframe, setting))

/** The coded error that `work` ends with. */
export async function refusal(work: Promise<unknown>, code: ErrorCode): Promise<TapedeckError> {
  const error = await work.then(() => new Error('nothing was refused'), (reason: unknown) => reason)
  if (!(error instanceof TapedeckError)) throw error
  expect(error.code).toBe(code)
  return error
}
