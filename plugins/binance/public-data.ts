import { isoTime, type EpochMs } from '../../engine/core/time.ts'
import { isLoopbackOrigin, spelledOut } from '../../engine/core/loopback.ts'
import { floorToGrid, timeframeMs, type Timeframe } from '../../engine/core/timeframe.ts'
import type { Candle } from '../../engine/core/candle.ts'
import { TapedeckError } from '../../engine/errors.ts'
import type { Deps } from '../../engine/ports.ts'
import { klines, serverTime } from './answers.ts'
import { CallError, connectPublic, marketId } from './connection.ts'

export { CallError } from './connection.ts'

/** Binance's host for public data: the same prices as its market, no account, no key. */
const DATA_HOST = 'https://data-api.binance.vision'
/** What Binance gives at most in one answer. */
export const PAGE = 1000
const TIMEOUT_MS = 20_000

export interface PublicData {
  readonly origin: string
  /** The host's own time. Throws CallError. */
  time(): Promise<EpochMs>
  /**
   * At most {@link PAGE} candles that open from `from` to `last`, both inclusive, rising and on the timeframe's grid; fewer
   * only where no more of them exist. Throws CallError.
   */
  page(symbol: string, timeframe: Timeframe, from: EpochMs, last: EpochMs): Promise<readonly Candle[]>
}

/**
 * Candles of the past by Binance's public API. `BINANCE_DATA_URL` in `deps.env` names another origin that answers alike:
 * https, or http on this machine. Throws TD_SETTING_INVALID.
 */
export async function openPublicData(deps: Deps): Promise<PublicData> {
  const origin = publicOrigin(deps.env)
  // A hanging request would outlast Ctrl-C by its whole time limit.
  const untilAborted: typeof fetch = (url, init) =>
    deps.fetch(url, { ...init, signal: AbortSignal.any([deps.signal, ...(init?.signal ? [init.signal] : [])]) })
  const connection = await connectPublic(origin, { ...deps, fetch: untilAborted }, TIMEOUT_MS)
  return {
    origin,
    time: async () => (await connection.call('GET', 'time', {}, serverTime)).serverTime,
    async page(symbol, timeframe, from, last) {
      const rows = await connection.call('GET', 'klines',
        { symbol: marketId(symbol), interval: timeframe, startTime: from, endTime: last, limit: PAGE }, klines)
      const strange = rows.find(({ openTime }) =>
        openTime < from || openTime > last || floorToGrid(openTime, timeframeMs(timeframe)) !== openTime)
      if (strange === undefined && rows.length <= PAGE) return rows
      throw new CallError('unknown-outcome', 'GET klines: the answer cannot be used: '
        + (strange === undefined ? `${rows.length} candles, asked for ${PAGE}`
          : `a candle at ${strange.openTime}, asked for ${timeframe} candles from ${isoTime(from)} to ${isoTime(last)}`))
    },
  }
}

/** Where public data is asked for. Throws TD_SETTING_INVALID. */
export function publicOrigin({ BINANCE_DATA_URL: given }: Deps['env']): string {
  if (given === undefined || given === '') return DATA_HOST
  const origin = spelledOut(given.replace(/\/$/, ''))
  const url = URL.canParse(origin) ? new URL(origin) : null
  if (isLoopbackOrigin(origin) || (url?.protocol === 'https:' && url.origin === origin)) return origin
  throw new TapedeckError('TD_SETTING_INVALID', 'BINANCE_DATA_URL: expected an origin without path or password, such as '
    + `${DATA_HOST}, or http on this machine, such as http://127.0.0.1:4711; correct it in the environment or in .env`)
}
