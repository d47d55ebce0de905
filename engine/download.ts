import { loadPublicData, makeDeps, type World } from './assemble.ts'
import type { Candle } from './core/candle.ts'
import { isoTime, type EpochMs } from './core/time.ts'
import { ceilToGrid, floorToGrid, timeframeMs, type Timeframe } from './core/timeframe.ts'
import { TapedeckError } from './errors.ts'
import type { Clock } from './ports.ts'

export interface DownloadOptions {
  readonly symbol: string
  readonly timeframe: Timeframe
  /** First candle's open time at the earliest. */
  readonly from: EpochMs
  /** Exclusive; null = the newest candle that has closed. */
  readonly to: EpochMs | null
}

/** Where candles go as they come. */
export interface DownloadSink {
  /** Open time of the newest candle that is there already; null for none. */
  readonly last: EpochMs | null
  /** Keeps a page before the next one is asked for. */
  add(candles: readonly Candle[]): void
  progress(share: number): void
}

/** The newest candle is taken when its close is this long past: trades of its last moment are still being counted, in ms. */
const SETTLED_MS = 3000
/** Failures in a row before it is given up: the first answer decides whether anybody is there at all. */
const TRIES = { first: 3, later: 8 }
const BACKOFF_MS = { first: 500, most: 30_000 }
/** Who asks for more patience, in ms, is called again by the user. */
const LONGEST_WAIT_MS = 300_000

const seconds = (ms: number): string => `${Math.ceil(ms / 1000).toLocaleString('en')} s`

/**
 * Brings a symbol's closed candles from Binance's public API into `sink`, page by page after what it holds. Failures that
 * pass are waited out, in `clock`'s time and as long as the host asks. Throws TD_EXCHANGE_FAILED, TD_USAGE for what the host
 * does not list, TD_RANGE_INVALID, TD_SETTING_INVALID, and the signal's reason when it aborts; what `sink` has then stays true.
 */
export async function download(
  { symbol, timeframe, from, to }: DownloadOptions, sink: DownloadSink, world: World, clock: Clock,
): Promise<void> {
  const { openPublicData, CallError, PAGE } = await loadPublicData()
  const deps = makeDeps(world, clock, Date.now() % 2 ** 31, ['BINANCE_DATA_URL'])
  const data = await openPublicData(deps)
  let answered = false

  const patiently = async <T>(ask: () => Promise<T>): Promise<T> => {
    for (let failures = 1; ; failures++) {
      world.signal.throwIfAborted()
      try {
        const answer = await ask()
        answered = true
        return answer
      } catch (error) {
        world.signal.throwIfAborted()
        if (!(error instanceof CallError)) throw error
        const { failure, code, retryAfterMs, message } = error
        if (code === -1121) {
          throw new TapedeckError('TD_USAGE', `--symbol ${symbol}: ${data.origin} does not list it; `
            + 'check the spelling: BASE/QUOTE, such as BTC/USDT', { cause: error })
        }
        const passing = failure === 'unknown-outcome' || failure === 'not-executed'
        const asksTooMuch = (retryAfterMs ?? 0) > LONGEST_WAIT_MS
        if (!passing || asksTooMuch || failures >= (answered ? TRIES.later : TRIES.first)) {
          const remedy = asksTooMuch ? `it asks to be left alone for ${seconds(retryAfterMs!)}: give the same command again then`
            : passing ? 'check the connection and give the same command again'
              : 'check the symbol and the timeframe, or name another host in BINANCE_DATA_URL'
          throw new TapedeckError('TD_EXCHANGE_FAILED', `${symbol}: candles could not be read from ${data.origin}: ${message}; ${remedy}`,
            { cause: error })
        }
        const wait = Math.min(BACKOFF_MS.most, BACKOFF_MS.first * 2 ** (failures - 1)) * deps.random()
        if (retryAfterMs !== null) world.log.info(`${data.origin} asks for a pause of ${seconds(retryAfterMs)}`)
        await clock.sleep(Math.max(wait, retryAfterMs ?? 0), world.signal)
      }
    }
  }

  const step = timeframeMs(timeframe)
  const closed = floorToGrid(await patiently(() => data.time()) - SETTLED_MS, step)
  const first = ceilToGrid(from, step)
  const end = Math.min(closed, to === null ? Infinity : floorToGrid(to, step))
  if (end <= first) {
    throw new TapedeckError('TD_RANGE_INVALID', `no ${timeframe} candle opens and closes from ${isoTime(from)} to `
      + `${isoTime(to === null ? closed : Math.min(to, closed))}; give an earlier --from${to === null ? '' : ' or a later --to'}`)
  }
  for (let next = sink.last === null ? first : sink.last + step; next < end;) {
    sink.progress((next - first) / (end - first))
    const page = await patiently(() => data.page(symbol, timeframe, next, end - step))
    if (page.length > 0) {
      sink.add(page)
      next = page[page.length - 1].openTime + step
    }
    if (page.length < PAGE) break
  }
  sink.progress(1)
}
