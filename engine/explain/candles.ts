import type { TrailSearch } from '../audit/trail-search.ts'
import { columnsOfRows, rowOf, type CandleColumns, type CandleRow } from '../core/candle.ts'
import type { EpochMs } from '../core/time.ts'
import type { CandleBatch, MarketSource } from '../ports.ts'
import type { Timeframe } from '../core/timeframe.ts'
import type { Track } from '../session/track.ts'

/** Decision candles of one symbol, in order. */
type Batches = AsyncIterable<CandleBatch> | Iterable<CandleBatch>

/** A decision whose candle the pass is to stop at, seen by its track. */
export interface Stop {
  /** Open time of the candle at whose close it was decided. */
  readonly openTime: EpochMs
  /** Told when the track shows that candle; null where nobody needs the snapshot. */
  readonly reached: ((track: Track) => Promise<void>) | null
}

export interface PassPlan {
  readonly stops: readonly Stop[]
  readonly candleMs: number
  /** Candles kept before and after each stop, the stop's own among those before. */
  readonly before: number
  readonly after: number
  /** Null where nobody needs a snapshot: indicators are then not computed. */
  readonly track: Track | null
}

/** Goes through a symbol's candles up to the last one that is wanted. Returns those around the stops, oldest first. */
export async function passCandles(batches: Batches, plan: PassPlan): Promise<CandleRow[]> {
  const { stops, candleMs, before, after, track } = plan
  const kept: CandleRow[] = []
  const spans = stops.map(({ openTime }) => [openTime - (before - 1) * candleMs, openTime + after * candleMs] as const)
  const last = Math.max(...spans.map(([, until]) => until))
  for await (const batch of batches) {
    const { columns, start, end } = batch
    track?.open(batch)
    for (const { openTime, reached } of stops) {
      const row = track === null || reached === null ? -1 : rowAt(columns, start, end, openTime)
      if (row < 0) continue
      track!.at(row)
      await reached!(track!)
    }
    track?.advance()
    for (const [from, until] of spans) {
      for (let row = firstFrom(columns, start, end, from); row < end && columns.openTime[row] <= until; row++) {
        if (kept.length === 0 || columns.openTime[row] > kept.at(-1)![0]) kept.push(rowOf(columns, row))
      }
    }
    if (columns.openTime[end - 1] >= last) break
  }
  return kept
}

/** The first row that opens at `time` or later; `end` where there is none. */
function firstFrom({ openTime }: CandleColumns, start: number, end: number, time: EpochMs): number {
  let [low, high] = [start, end]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (openTime[middle] < time) low = middle + 1
    else high = middle
  }
  return low
}

function rowAt(columns: CandleColumns, start: number, end: number, time: EpochMs): number {
  const row = firstFrom(columns, start, end, time)
  return row < end && columns.openTime[row] === time ? row : -1
}

/** A tape's decision candles of one symbol. */
export async function* batchesOf(market: MarketSource, symbol: string): AsyncGenerator<CandleBatch, void, undefined> {
  for await (const event of market.events()) {
    if (event.kind === 'candles' && event.decides && event.symbol === symbol) yield event
  }
}

const CANDLES = '"event": "candles"'
const MARKET = '{"type": "market", '

/** The candles that a run of the live path was given, from its trail, beginning with the line at byte `from`. */
export function* recordedBatches(
  search: TrailSearch, symbol: string, timeframe: Timeframe, from: number,
): Generator<CandleBatch, void, undefined> {
  for (const { fields } of search.starting(MARKET, from, search.size, CANDLES)) {
    if (fields['symbol'] !== symbol || !isRows(fields['rows'])) continue
    const rows = fields['rows']
    yield { kind: 'candles', symbol, timeframe, columns: columnsOfRows(rows), start: 0, end: rows.length, settles: true, decides: true, more: false }
  }
}

const isRows = (rows: unknown): rows is readonly CandleRow[] =>
  Array.isArray(rows) && rows.length > 0 && rows.every((row) => Array.isArray(row) && row.length === 6 && row.every(Number.isFinite))
