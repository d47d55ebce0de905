import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Candle } from '../../engine/core/candle.ts'
import { isTimeframe, timeframeMs } from '../../engine/core/timeframe.ts'

/** What the host does with its n-th request of klines, from 1; false = it answers as it should. */
export type Mischief = (call: number, response: ServerResponse, page: readonly unknown[]) => boolean

/** A host of public data on loopback, which knows BTCUSDT. */
export class DataHost {
  /** Parameters of every request for klines, keys and signatures of whatever came. */
  readonly asked: Readonly<Record<string, string>>[] = []
  readonly keys: string[] = []
  readonly #server: Server
  readonly #candles: readonly Candle[]

  private constructor(candles: readonly Candle[], now: number, mischief: Mischief) {
    this.#candles = candles
    this.#server = createServer((request, response) => {
      const url = new URL(request.url ?? '/', 'http://host')
      const params = Object.fromEntries(url.searchParams)
      if (request.headers['x-mbx-apikey'] !== undefined || 'signature' in params) this.keys.push(url.href)
      if (url.pathname === '/api/v3/time') return json(response, 200, { serverTime: now })
      this.asked.push(params)
      if (params['symbol'] !== 'BTCUSDT') return json(response, 400, { code: -1121, msg: 'Invalid symbol.' })
      const page = this.#page(params, now)
      if (!mischief(this.asked.length, response, page)) json(response, 200, page)
    })
  }

  static async open(candles: readonly Candle[], now: number, mischief: Mischief = () => false): Promise<DataHost> {
    const host = new DataHost(candles, now, mischief)
    await new Promise<void>((resolve) => { host.#server.listen(0, '127.0.0.1', resolve) })
    return host
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  close(): Promise<void> {
    this.#server.closeAllConnections()
    return new Promise((resolve) => { this.#server.close(() => { resolve() }) })
  }

  #page({ startTime, endTime, limit, interval }: Readonly<Record<string, string>>, now: number): unknown[] {
    const step = isTimeframe(interval) ? timeframeMs(interval) : 0
    return this.#candles
      .filter(({ openTime }) => openTime >= Number(startTime) && openTime <= Number(endTime) && openTime <= now)
      .slice(0, Number(limit))
      .map(({ openTime, open, high, low, close, volume }) =>
        [openTime, ...[open, high, low, close, volume].map(String), openTime + step - 1, '0', 1, '0', '0', '0'])
  }
}

export function json(response: ServerResponse, status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): true {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
  return true
}
